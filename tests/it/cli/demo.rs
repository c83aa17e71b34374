//! `usipipo demo`: the story of `make smoke`, and the page that `make demo` opens.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::cli::Shell;
use crate::support::db::TestDb;
use crate::support::process::Process;

#[tokio::test]
async fn the_whole_story_goes_as_it_should() {
    let db = TestDb::empty().await;
    let shell = Shell::new(vec![("DATABASE_URL", db.url().to_owned())]);
    let told = shell.run(&["demo", "--smoke"]).await.ok();
    assert!(told.ends_with("✓ Everything went as it should.\n"), "{told}");
    let left: Vec<String> = sqlx::query_scalar(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert_eq!(left, [""; 0], "it played beside this database, not in it");
}

/// Invoices never leave: the story stops where the buyer waits for one.
#[tokio::test]
async fn the_story_ends_at_the_first_thing_that_is_wrong() {
    let db = TestDb::empty().await;
    let mut shell = Shell::new(vec![("DATABASE_URL", db.url().to_owned())]);
    shell.set("FAILPOINTS", "before:telegram:sendInvoice=panic");
    let ended = shell.run(&["demo", "--smoke"]).await;
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("usipipo: ✗ She buys a plan with Stars: "), "{}", ended.err);
    assert!(ended.out.contains("/start") && !ended.out.contains("as it should"), "{}", ended.out);
}

#[tokio::test]
async fn it_asks_for_a_database_and_takes_no_other_houses() {
    let told = Shell::new(Vec::new()).run(&["demo"]).await.failed(2);
    assert!(told.contains("make demo"), "{told}");
    let db = TestDb::new().await;
    let outline = usipipo::demo::outline::OutlineServer::start(Default::default()).await.unwrap();
    let mut real = Shell::over(db.url());
    real.set("OUTLINE_API_URL", outline.api_url());
    real.set("OUTLINE_CERT_SHA256", outline.cert_sha256());
    real.run(&["server", "add", "outline", "nl-1"]).await.ok();
    let told = real.run(&["demo", "--port", "0"]).await.failed(2);
    assert!(told.contains("real house") && told.contains("nl-1"), "{told}");
}

/// Starts the demo; gives the address of its page.
async fn start(shell: &Shell) -> (Process, String) {
    let mut command = shell.command(&["demo", "--port", "0"]);
    command.stderr(Stdio::null());
    let mut demo = Process::start(command);
    let line = demo.printed("    http://127.0.0.1:").await;
    demo.printed("Ctrl-C").await;
    (demo, line.trim().trim_end_matches('/').to_owned())
}

async fn get(url: &str) -> Value {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

async fn post(url: &str, body: Value) {
    let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{url}: {}", answer.text().await.unwrap());
}

/// Ana says something, and the bot answers with a message that nobody has seen before.
async fn is_answered(page: &str, text: &str) {
    let chat = format!("{page}/_demo/chats/usipipo_bot/5000000001");
    let answers = async || {
        let seen = get(&chat).await;
        let all = seen["chat"]["messages"].as_array().unwrap().clone();
        all.iter().filter(|message| message["from_bot"] == true).count()
    };
    let before = answers().await;
    post(&format!("{chat}/text"), json!({ "text": text })).await;
    crate::support::wait::eventually(std::time::Duration::from_secs(30), async || answers().await > before)
        .await;
}

#[tokio::test]
async fn a_second_start_goes_on_where_the_first_one_ended() {
    let db = TestDb::empty().await;
    let shell = Shell::new(vec![("DATABASE_URL", db.url().to_owned())]);
    let (mut demo, page) = start(&shell).await;
    assert!(reqwest::get(&page).await.unwrap().text().await.unwrap().contains("<html"));
    is_answered(&page, "/start").await;
    is_answered(&page, "/plans").await;
    post(&format!("{page}/_demo/clock"), json!({ "seconds": 3 * 86_400 })).await;
    is_answered(&page, "/status").await;
    let turned = get(&format!("{page}/_demo/state")).await["now"].as_i64().unwrap();
    demo.signal("INT");
    assert_eq!(demo.ended().await.code(), Some(0), "{}", demo.out());

    let (mut demo, page) = start(&shell).await;
    let now = get(&format!("{page}/_demo/state")).await["now"].as_i64().unwrap();
    assert!(now >= turned - 60, "the clock went back by {} s", turned - now);
    is_answered(&page, "/start").await;
    is_answered(&page, "/plans").await;
    demo.signal("TERM");
    assert_eq!(demo.ended().await.code(), Some(0), "{}", demo.out());
    let servers: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM servers").fetch_one(&db.pool).await.unwrap();
    assert_eq!(servers, 2, "added once");
}

//! `usipipo doctor`: what it finds in a house that is well, and in one that is not.

use axum::Router;
use axum::http::header::DATE;
use reqwest::Url;
use sqlx::{AssertSqlSafe, Executor};
use tokio_util::task::AbortOnDropHandle;
use usipipo::demo::outline;
use usipipo::demo::telegram::{ApiError, Fault, FaultRule};

use crate::support::cli::{Ended, Shell};
use crate::support::db::TestDb;
use crate::support::skip::skip;
use crate::support::town::Town;

async fn doctor(shell: &Shell) -> Ended {
    let ended = shell.run(&["doctor"]).await;
    for (name, secret) in &shell.variables {
        let is_secret = ["TOKEN", "SECRET", "KEYS"].iter().any(|part| name.contains(part));
        assert!(
            !is_secret || secret.is_empty() || !ended.out.contains(secret.as_str()),
            "{name} is shown: {}",
            ended.out
        );
    }
    ended
}

/// The lines of a report that begin with `mark`, each with what to do.
fn marked(report: &str, mark: char) -> Vec<&str> {
    report.lines().filter(|line| line.starts_with(mark)).collect()
}

#[tokio::test]
async fn a_house_that_is_well_has_nothing_to_mend() {
    let town = Town::found().await;
    let running = town.open().await;
    let _outline = town.add_outline().await;
    let mut shell = Shell::new(town.variables.clone());
    assert!(doctor(&shell).await.out.contains("→ set SUPPORT_CONTACT"));
    shell.set("SUPPORT_CONTACT", "@usipipo_help");
    let report = doctor(&shell).await.ok();
    // The tests' database is quick and forgets when the power is cut; that is all there is to say.
    assert!(marked(&report, '!').iter().all(|line| line.contains("durability")), "{report}");
    let subjects = [
        "configuration",
        "database",
        "schema",
        "clock",
        "client bot",
        "qvapay",
        "stars",
        "outline-1",
        "inbox",
    ];
    for subject in subjects {
        assert!(marked(&report, '✓').iter().any(|line| line.contains(subject)), "no {subject}: {report}");
    }
    running.stop().await;
}

#[tokio::test]
async fn every_problem_of_the_configuration_is_told_and_the_database_looked_at_all_the_same() {
    let db = TestDb::new().await;
    let mut shell = Shell::over(db.url());
    shell.set("CLIENT_BOT_TOKEN", "");
    shell.set("TRIAL_DAYS", "many");
    let ended = doctor(&shell).await;
    assert_eq!(ended.code, 1);
    let bad = marked(&ended.out, '✗');
    assert!(
        bad.len() == 2 && bad[0].contains("CLIENT_BOT_TOKEN") && bad[1].contains("TRIAL_DAYS"),
        "{}",
        ended.out
    );
    assert!(marked(&ended.out, '✓').iter().any(|line| line.contains("schema")), "{}", ended.out);
}

#[tokio::test]
async fn what_is_down_is_named_with_what_to_do() {
    let town = Town::found().await;
    let mut shell = Shell::new(town.variables.clone());
    shell.set("DATABASE_URL", "mysql://u:p4ssw0rd@127.0.0.1:1/usipipo");
    shell.set("QVAPAY_API_URL", "http://127.0.0.1:1");
    let ended = doctor(&shell).await;
    assert_eq!(ended.code, 1);
    let bad = marked(&ended.out, '✗');
    assert!(bad.iter().any(|line| line.contains("database")), "{}", ended.out);
    assert!(bad.iter().any(|line| line.contains("qvapay")), "{}", ended.out);
    assert!(
        bad.iter().any(|line| line.contains("client webhook") && line.contains("none is set")),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains("p4ssw0rd"), "{}", ended.out);
    assert_eq!(ended.out.matches("→").count(), bad.len() + marked(&ended.out, '!').len(), "{}", ended.out);
}

#[tokio::test]
async fn a_house_without_tables_servers_or_a_good_token_is_told_so() {
    let mut town = Town::found().await;
    town.db = TestDb::empty().await;
    let mut shell = Shell::new(town.variables.clone());
    shell.set("DATABASE_URL", town.db.url());
    shell.set("CLIENT_BOT_TOKEN", format!("1002:{}", "x".repeat(35)));
    let report = doctor(&shell).await.out;
    assert!(report.contains("→ usipipo migrate"), "{report}");
    assert!(report.contains("@BotFather"), "{report}");
    shell.run(&["migrate"]).await.ok();
    let report = doctor(&shell).await.out;
    assert!(report.contains("→ usipipo server add --help"), "{report}");
}

#[tokio::test]
async fn a_webhook_that_fails_says_why() {
    let town = Town::found().await;
    let shell = Shell::new(town.variables.clone());
    shell.run(&["webhook", "set"]).await.ok();
    // Nobody listens there.
    town.person(77, "Ana", "es").send_text(crate::support::town::BOT, "/start").unwrap();
    crate::support::wait::eventually(std::time::Duration::from_secs(30), async || {
        !town.telegram.deliveries().is_empty()
    })
    .await;
    let report = doctor(&shell).await.out;
    let line = marked(&report, '✗').into_iter().find(|line| line.contains("client webhook"));
    assert!(line.is_some_and(|line| line.contains("1 waiting")), "{report}");
    assert!(report.contains("firewall"), "{report}");
}

#[tokio::test]
async fn a_silent_telegram_keeps_nothing_else_from_being_looked_at() {
    let town = Town::found().await;
    town.telegram.fault(FaultRule::new(Fault::Silent));
    let shell = Shell::new(town.variables.clone());
    let ended = doctor(&shell).await;
    assert_eq!(ended.code, 1);
    let bad = marked(&ended.out, '✗');
    assert!(
        bad.iter().any(|line| line.contains("client bot") && line.contains("no answer")),
        "{}",
        ended.out
    );
    assert!(marked(&ended.out, '✓').iter().any(|line| line.contains("qvapay")), "{}", ended.out);
}

#[tokio::test]
async fn a_key_that_is_gone_and_work_that_was_given_up_are_found() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let mut shell = Shell::new(town.variables.clone());
    let old = format!("k1:{}=", "A".repeat(43));
    let new = format!("k2:{}=", "E".repeat(43));
    shell.set("ENCRYPTION_KEYS", new.clone());
    let report = doctor(&shell).await.out;
    assert!(report.contains("no encryption key has the id \"k1\""), "{report}");
    shell.set("ENCRYPTION_KEYS", format!("{new},{old}"));
    let report = doctor(&shell).await.out;
    assert!(report.contains("→ it is not the first one any more: usipipo keys rotate"), "{report}");
    sqlx::query("UPDATE jobs SET status = 'dead'").execute(&town.db.pool).await.unwrap();
    let report = doctor(&shell).await.out;
    assert!(report.contains("1 dead") && report.contains("→ usipipo jobs list"), "{report}");
}

/// What stands under the line that begins so.
fn mend_of<'a>(report: &'a str, line: &str) -> &'a str {
    let mut lines = report.lines().skip_while(|found| !found.starts_with(line));
    assert!(lines.next().is_some(), "no line {line:?}: {report}");
    lines.next().unwrap_or_default().trim()
}

/// A user of the database with some rights on one schema; gone when dropped.
struct DatabaseUser<'a> {
    db: &'a TestDb,
    name: String,
}

impl<'a> DatabaseUser<'a> {
    /// None where the tests' own user may not make others.
    async fn with(db: &'a TestDb, rights: &str) -> Option<Self> {
        let schema: String = sqlx::query_scalar("SELECT DATABASE()").fetch_one(&db.pool).await.unwrap();
        let name = format!("d{}", &uuid::Uuid::now_v7().simple().to_string()[12..]);
        let create = format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'p4ssw0rd'");
        db.pool.execute(AssertSqlSafe(create)).await.ok()?;
        let user = Self { db, name };
        let grant = format!("GRANT {rights} ON `{schema}`.* TO '{}'@'%'", user.name);
        db.pool.execute(AssertSqlSafe(grant)).await.unwrap();
        Some(user)
    }

    fn url(&self) -> String {
        let mut url: Url = self.db.url().parse().unwrap();
        url.set_username(&self.name).unwrap();
        url.set_password(Some("p4ssw0rd")).unwrap();
        url.into()
    }

    async fn drop(self) {
        let drop = format!("DROP USER '{}'@'%'", self.name);
        self.db.pool.execute(AssertSqlSafe(drop)).await.unwrap();
    }
}

#[tokio::test]
async fn a_right_that_the_databases_user_lacks_is_named() {
    const ALL: [&str; 9] =
        ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES"];
    let db = TestDb::new().await;
    for (lacking, named) in
        [("", ""), ("CREATE", "CREATE TABLE"), ("DELETE", "DELETE"), ("ALTER", "ALTER TABLE")]
    {
        let rights: Vec<_> = ALL.into_iter().filter(|right| *right != lacking).collect();
        let Some(user) = DatabaseUser::with(&db, &rights.join(", ")).await else {
            return skip("the user of TEST_DATABASE_URL may not make others");
        };
        let mut shell = Shell::over(&user.url());
        shell.set("TELEGRAM_API_URL", "http://127.0.0.1:1");
        let ended = doctor(&shell).await;
        user.drop().await;
        let report = ended.out;
        assert!(!report.contains("p4ssw0rd"), "{report}");
        if lacking.is_empty() {
            assert!(marked(&report, '✓').iter().any(|line| line.contains("rights")), "{report}");
            continue;
        }
        assert_eq!(ended.code, 1);
        let line = marked(&report, '✗').into_iter().find(|line| line.contains("rights"));
        assert!(line.is_some_and(|line| line.contains(&format!("{named} is refused"))), "{report}");
        assert!(mend_of(&report, "✗ rights").starts_with("→ GRANT ALL ON"), "{report}");
    }
    let left = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
                AND table_name LIKE 'doctor%'";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&db.pool).await.unwrap();
    assert_eq!(left, 0, "it cleans up after itself");
}

/// A Telegram that answers everything with this time of day.
async fn telegram_at(date: &'static str) -> (String, AbortOnDropHandle<()>) {
    let router = Router::new().fallback(async move || ([(DATE, date)], "{}"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, AbortOnDropHandle::new(task))
}

#[tokio::test]
async fn a_clock_that_is_off_is_to_be_set() {
    let db = TestDb::new().await;
    let mut shell = Shell::over(db.url());
    for date in ["Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let (url, _task) = telegram_at(date).await;
        shell.set("TELEGRAM_API_URL", url);
        let ended = doctor(&shell).await;
        assert_eq!(ended.code, 1);
        let line = marked(&ended.out, '✗').into_iter().find(|line| line.starts_with("✗ clock"));
        assert!(line.is_some_and(|line| line.ends_with(" s apart")), "{}", ended.out);
        assert!(mend_of(&ended.out, "✗ clock").contains("by NTP"), "{}", ended.out);
    }
}

#[tokio::test]
async fn a_server_that_is_down_and_stars_that_are_refused_are_to_be_mended() {
    let town = Town::found().await;
    let running = town.open().await;
    let outline = town.add_outline().await;
    let shell = Shell::new(town.variables.clone());
    doctor(&shell).await.ok();
    outline.fault(outline::Fault::HangUp, usize::MAX);
    let forbidden = Fault::Reject(ApiError::forbidden("bot was kicked"));
    town.telegram.fault(FaultRule::new(forbidden).methods(&["getStarTransactions"]));
    let ended = doctor(&shell).await;
    assert_eq!(ended.code, 1);
    assert_eq!(marked(&ended.out, '✗').len(), 2, "{}", ended.out);
    assert!(mend_of(&ended.out, "✗ server outline-1").contains("see that the server is on"), "{}", ended.out);
    assert!(mend_of(&ended.out, "✗ stars").contains("check its credentials"), "{}", ended.out);
    assert!(ended.out.contains("\n2 to mend, "), "{}", ended.out);
    running.stop().await;
}

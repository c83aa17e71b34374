//! The real server behind a line to the database that is cut or held.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use serde_json::json;
use usipipo::app::Running;
use usipipo::db::Db;
use usipipo::demo::telegram::{PayError, PersonHandle};

use crate::client_bot::{ANA, message};
use crate::story::{press, take_trial};
use crate::support::db::TestDb;
use crate::support::door::Door;
use crate::support::line::{Line, State};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);
const PEOPLE: i64 = 5;
const MESSAGES: usize = 4;

/// A town whose server reaches its database over a line of its own; the test itself looks past it.
pub async fn town(variables: &[(&'static str, &str)]) -> (Town, Line, Running) {
    let mut town = Town::found().await;
    let line = Line::to(town.db.url()).await;
    town.set("DATABASE_URL", &line.url);
    variables.iter().for_each(|(name, value)| town.set(name, *value));
    let running = town.open().await;
    town.quiet().await;
    (town, line, running)
}

/// Until Telegram has heard 5xx or nothing from the server, for every chat and more than once.
async fn everybody_was_refused(town: &Town) {
    eventually(LIMIT, async || {
        let deliveries = town.telegram.deliveries();
        let refused = |person: i64| {
            let of_chat = deliveries.iter().filter(|it| it.queue == format!("chat:{person}"));
            of_chat.filter(|it| matches!(it.answer, Ok(500..) | Err(_))).count()
        };
        let counts: Vec<usize> = (1..=PEOPLE).map(|n| refused(700 + n)).collect();
        if counts.iter().all(|count| *count >= 2) { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    for delivery in town.telegram.deliveries().iter().filter(|it| !it.accepted()) {
        assert!(matches!(delivery.answer, Ok(503)), "{delivery:?}: come again, and nothing else");
    }
}

async fn nobody_was_forgotten(town: &Town) {
    assert!(town.telegram.delivered().await);
    town.quiet().await;
    let each = PEOPLE * MESSAGES as i64;
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events").await, each);
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'done'").await, each);
    assert_eq!(town.count("SELECT COUNT(*) FROM users").await, PEOPLE);
    assert_eq!(town.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'user_joined'").await, PEOPLE);
    assert_eq!(town.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'referrer_set'").await, PEOPLE);
    assert_eq!(town.count("SELECT COUNT(*) FROM outbound_messages").await, each, "one answer to each");
    let first = "SELECT referrer FROM users ORDER BY id";
    assert!(town.column(first).await.iter().all(|referrer| referrer == "no0"), "in the order they came");
    for n in 1..=PEOPLE {
        let person = town.telegram.people().into_iter().find(|it| it.id == 700 + n).unwrap();
        let answers = person.messages(BOT).unwrap().iter().filter(|it| it.from_bot).count();
        assert_eq!(answers, MESSAGES, "{}", person.chat(BOT).unwrap().transcript());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_gone_updates_are_refused_and_then_handled_once() {
    let (town, line, running) = town(&[]).await;
    let door = Door::of(&town);
    line.set(State::Cut);
    for n in 1..=PEOPLE {
        let person = town.person(700 + n, "Ana", "es");
        for number in 0..MESSAGES {
            person.send_text(BOT, &format!("/start ref_no{number}")).unwrap();
        }
    }
    let mut update = message(ANA, json!({ "text": "/start" }));
    update["update_id"] = 1.into();
    for path in ["/telegram/client", "/payments/qvapay/0123456789abcdef0123456789abcdef"] {
        let headers = [(crate::support::door::SECRET_HEADER, crate::support::town::SECRET)];
        let answer = door.post(path, &headers, update.to_string()).await;
        assert_eq!(answer.status, 503, "{path}: {answer:?}");
        assert!(
            answer.retry_after().is_some_and(|seconds| (1..=10).contains(&seconds)),
            "{path}: {answer:?}"
        );
        assert!(!answer.body.to_lowercase().contains("sql"), "{path}: {answer:?}");
    }
    assert_eq!(door.get("/health/live").await.status, 200);
    for path in ["/health", "/health/ready"] {
        assert_eq!(door.get(path).await.status, 503, "{path}");
    }
    everybody_was_refused(&town).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events").await, 0);
    town.clock.advance(TimeDelta::seconds(30));
    line.set(State::Open);
    nobody_was_forgotten(&town).await;
    assert_eq!(door.get("/health/ready").await.status, 200);
    town.is_sound().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_stands_still_updates_are_refused_and_then_handled_once() {
    // A request is given up after a second, not after ten.
    let (town, line, running) = town(&[("REQUEST_TIMEOUT_SECONDS", "1")]).await;
    line.set(State::Held);
    for n in 1..=PEOPLE {
        let person = town.person(700 + n, "Ana", "es");
        for number in 0..MESSAGES {
            person.send_text(BOT, &format!("/start ref_no{number}")).unwrap();
        }
    }
    everybody_was_refused(&town).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events").await, 0);
    town.clock.advance(TimeDelta::seconds(30));
    line.set(State::Open);
    nobody_was_forgotten(&town).await;
    town.is_sound().await;
    running.stop().await;
}

/// Buys a plan with Stars. When Telegram was not answered in time, it took nothing, and the person tries again.
async fn buy(person: &PersonHandle, plan: i64) {
    person.send_text(BOT, "/plans").unwrap();
    press(person, &format!("plan:{plan}")).await;
    press(person, &format!("buy:{plan}:stars")).await;
    let invoice = person.wait_for(BOT, "an invoice", |chat| chat.open_invoice().map(|m| m.id)).await.unwrap();
    loop {
        match person.pay(BOT, invoice).await {
            Err(PayError::NotAnswered) => {}
            paid => return drop(paid.unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_again_and_again_in_the_middle_of_work_it_loses_nothing_and_repeats_nothing() {
    let mut town = Town::found().await;
    let line = Line::to(town.db.url()).await;
    town.set("DATABASE_URL", &line.url);
    let outline = town.add_outline().await;
    let plan = town.popular_plan().await;
    let running = town.open().await;
    let people: Vec<_> = (1..=PEOPLE).map(|n| town.person(700 + n, "Ana", "es")).collect();
    let lives = join_all(people.iter().map(async |person| {
        take_trial(person).await;
        buy(person, plan).await;
    }));
    let cuts = async {
        for round in 0..12u64 {
            // Not a wait for something: the cuts are to fall anywhere.
            tokio::time::sleep(Duration::from_millis(250 + 137 * (round * 7 % 5))).await;
            line.set(State::Cut);
            tokio::time::sleep(Duration::from_millis(20 * (round % 4))).await;
            line.set(State::Open);
        }
    };
    tokio::join!(lives, cuts);
    let paid = "SELECT COUNT(*) FROM payments WHERE status = 'completed'";
    eventually(LIMIT, async || town.count(paid).await == PEOPLE).await;
    assert!(town.telegram.delivered().await);
    town.quiet().await;
    assert_eq!(town.count("SELECT COUNT(*) FROM trials").await, PEOPLE);
    assert_eq!(town.count("SELECT COUNT(*) FROM subscriptions").await, PEOPLE * 2);
    assert_eq!(town.count("SELECT COUNT(*) FROM ledger_entries").await, PEOPLE);
    assert_eq!(town.count("SELECT COUNT(*) FROM unmatched_charges").await, 0);
    assert_eq!(town.count("SELECT COUNT(*) FROM vpn_configs WHERE status = 'active'").await, PEOPLE * 2);
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'").await, 0);
    assert_eq!(town.count("SELECT COUNT(*) FROM jobs WHERE status = 'dead'").await, 0);
    let delivered = "SELECT COUNT(*) FROM audit_logs WHERE action = 'config_delivered'";
    assert_eq!(town.count(delivered).await, PEOPLE * 2);
    assert_eq!(outline.key_ids().await.len() as i64, PEOPLE * 2);
    town.is_sound().await;
    running.stop().await;
}

/// A transaction that nobody waits for any more, while the database has not answered that it is open yet.
#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_while_a_transaction_begins_leaves_none_to_the_next() {
    let test = TestDb::new().await;
    sqlx::raw_sql("CREATE TABLE noted (n INT)").execute(&test.pool).await.unwrap();
    let line = Line::to(test.url()).await;
    let db = Db::open(&line.url, 1).unwrap();
    db.check().await.unwrap();
    eventually(LIMIT, async || db.pool().num_idle() == 1).await;
    line.set(State::Slow(Duration::from_millis(500)));
    let begun = tokio::time::timeout(Duration::from_millis(250), db.begin()).await;
    assert!(begun.is_err(), "it was given up");
    line.set(State::Open);
    let note = db.statement("note", |conn| {
        async move { sqlx::query("INSERT INTO noted VALUES (1)").execute(conn).await.map(drop) }.scope_boxed()
    });
    note.await.unwrap();
    let noted: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM noted").fetch_one(&test.pool).await.unwrap();
    assert_eq!(noted, 1, "what a statement did is committed");
}

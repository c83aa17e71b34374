//! `usipipo events` and `usipipo jobs`.

use chrono::TimeDelta;
use serde_json::json;
use usipipo::clock::{Clock, Timestamp};
use usipipo::crud;
use usipipo::demo::outline::Fault;
use usipipo::ids::{EventId, JobId, time_ordered};
use usipipo::models::event::{NewEvent, QueueStatus, Source};
use usipipo::models::job::Job;
use usipipo::models::lane::{Caused, Look, Queue};

use crate::client_bot::{ANA, message};
use crate::story::press;
use crate::support::cli::Shell;
use crate::support::db::TestDb;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;
use crate::support::works::TestWorks;

/// What could not be handled.
async fn dead_event(db: &TestDb, lane: &str, body: &str) -> EventId {
    let now = Clock::default().now();
    let event = NewEvent {
        id: EventId(time_ordered()),
        source: Source::ClientBot,
        dedupe_key: "7".to_owned(),
        lane: lane.to_owned(),
        class: 1,
        body: body.as_bytes().to_vec(),
        context: String::new(),
        unreadable: None,
        received_at: now,
    };
    let mut conn = db.pool.acquire().await.unwrap();
    let id = event.id;
    crud::event::insert_many(&mut conn, &[event]).await.unwrap();
    assert!(crud::event::mark_dead(&mut conn, id, "it is cut off", now).await.unwrap());
    id
}

#[tokio::test]
async fn a_dead_event_is_listed_shown_and_handled_again() {
    let test = TestWorks::new().await;
    let id = dead_event(&test.db, "client:77", "{\"update_id\":7,\"what\":\"\x1b[31m\"").await;
    let shell = Shell::over(test.db.url());
    let listed = shell.run(&["events", "list"]).await.ok();
    assert!(listed.contains(&id.to_string()) && listed.contains("it is cut off"), "{listed}");
    assert_eq!(shell.run(&["events", "list", "--status", "pending"]).await.ok(), "No pending events.\n");
    let shown = shell.run(&["events", "show", &id.to_string()]).await.ok();
    assert!(shown.contains("\"update_id\":7") && !shown.contains('\u{1b}'), "{shown:?}");

    let replayed = shell.run(&["events", "replay", &id.to_string()]).await.ok();
    assert!(replayed.contains("it was dead"), "{replayed}");
    let mut conn = test.db.pool.acquire().await.unwrap();
    let event = crud::event::find(&mut conn, id).await.unwrap().unwrap();
    assert_eq!((event.status, event.attempts), (QueueStatus::Pending, 0));
    let due: Timestamp =
        sqlx::query_scalar("SELECT due_at FROM lanes WHERE queue = 0 AND lane = 'client:77'")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
    assert!(due <= test.clock.now(), "a worker takes it at once");
    let row = &test.audited("event_replayed").await[0];
    assert_eq!((row.user_id, row.target.as_deref()), (None, Some(format!("event:{id}").as_str())));

    assert!(shell.run(&["events", "replay", &id.to_string()]).await.failed(2).contains("waiting already"));
    let unknown = time_ordered().to_string();
    assert!(shell.run(&["events", "show", &unknown]).await.failed(2).contains(&unknown));
}

#[tokio::test]
async fn a_dead_job_runs_again_and_no_other() {
    let test = TestWorks::new().await;
    let id = JobId(time_ordered());
    let mut conn = test.db.pool.acquire().await.unwrap();
    let job = Caused { id, cause: None, what: Job::Purge };
    crud::job::insert_many(&mut conn, &[job], test.clock.now()).await.unwrap();
    let shell = Shell::over(test.db.url());
    assert!(shell.run(&["jobs", "retry", &id.to_string()]).await.failed(2).contains("is pending"));
    crud::job::finish(&mut conn, id, QueueStatus::Dead, Some("no luck"), test.clock.now()).await.unwrap();
    let listed = shell.run(&["jobs", "list"]).await.ok();
    assert!(listed.contains("purge") && listed.contains("no luck"), "{listed}");
    assert!(shell.run(&["jobs", "retry", &id.to_string()]).await.ok().contains("runs again"));
    let job = crud::job::find(&mut conn, id).await.unwrap().unwrap();
    assert_eq!((job.status, job.attempts), (QueueStatus::Pending, 0));
    let looks = [0, 1].map(|class| Look { class, from: Timestamp::long_ago() });
    let next = crud::lane::next_due(&mut conn, Queue::Jobs, &looks).await.unwrap();
    assert!(next[0].1 <= test.clock.now());
    assert_eq!(test.audited("job_retried").await.len(), 1);
}

/// What an earlier version could not handle is handled by the server that runs, once it is asked to. A replay of what was
/// handled well answers again.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_takes_effect_while_the_server_runs() {
    let town = Town::found().await;
    let running = town.open().await;
    let ana = town.person(ANA.id, ANA.name, ANA.language);
    ana.open(BOT).unwrap();
    let mut update = message(ANA, json!({ "text": "/start" }));
    update["update_id"] = 7.into();
    let id = dead_event(&town.db, &format!("client:{}", ANA.id), &update.to_string()).await.to_string();
    town.settled().await;
    assert_eq!(town.count("SELECT COUNT(*) FROM users").await, 0, "nobody handles it by himself");

    let shell = Shell::new(town.variables.clone());
    for (times, was) in [(1, "it was dead"), (2, "it was done")] {
        let said = shell.run(&["events", "replay", &id]).await.ok();
        assert!(said.contains(was), "{said}");
        let answers = |chat: &usipipo::demo::telegram::ChatView| {
            chat.messages.iter().filter(|message| message.from_bot).count()
        };
        ana.wait_for(BOT, "an answer", |chat| (answers(chat) == times).then_some(())).await.unwrap();
        town.quiet().await;
    }
    assert_eq!(town.count("SELECT COUNT(*) FROM users").await, 1);
    assert_eq!(town.column("SELECT status FROM inbound_events").await, ["done"]);
    let replayed = "SELECT COUNT(*) FROM audit_logs WHERE action = 'event_replayed'";
    assert_eq!(town.count(replayed).await, 2);
    running.stop().await;
}

/// A config that was given up tells its owner so, and comes when an operator has the job run again.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_given_up_succeeds_when_it_is_retried() {
    let mut town = Town::found().await;
    town.set("LEASE_SECONDS", "3600");
    town.set("SUPPORT_CONTACT", "@usipipo_help");
    let outline = town.add_outline().await;
    let running = town.open().await;
    let boss = town.person(1, "Boss", "en");
    boss.open(BOT).unwrap();
    let ana = town.person(503, "Ana", "en");
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    outline.fault(Fault::HangUp, usize::MAX);
    press(&ana, "trial-take:outline").await;
    let failed =
        "SELECT COUNT(*) FROM jobs WHERE kind = 'apply_config' AND attempts >= 1 AND retry_at IS NOT NULL";
    eventually(LIMIT, async || town.count(failed).await == 1).await;
    // Its last try but one was a moment ago.
    town.sql("UPDATE jobs SET attempts = 199 WHERE kind = 'apply_config'").await;
    let dead = "SELECT COUNT(*) FROM jobs WHERE kind = 'apply_config' AND status = 'dead'";
    eventually(LIMIT, async || {
        town.clock.advance(TimeDelta::seconds(20));
        town.count(dead).await == 1
    })
    .await;
    let told = ana.wait_for_text(BOT, "could not make your").await.unwrap();
    assert!(
        told.buttons().any(|button| format!("{:?}", button.action).contains("t.me/usipipo_help")),
        "{told:?}"
    );
    boss.wait_for_text(BOT, "Una tarea se dio por perdida").await.unwrap();
    assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["preparing"]);

    outline.clear_faults();
    let shell = Shell::new(town.variables.clone());
    let listed = shell.run(&["jobs", "list"]).await.ok();
    let line = listed.lines().find(|line| line.contains("apply_config")).unwrap();
    shell.run(&["jobs", "retry", line.split(' ').next().unwrap()]).await.ok();
    ana.wait_for_text(BOT, "ss://").await.unwrap();
    town.quiet().await;
    assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["active"]);
    assert_eq!(town.column("SELECT status FROM jobs WHERE kind = 'apply_config'").await, ["done"]);
    assert_eq!(outline.key_ids().await.len(), 1);
    town.is_sound().await;
    running.stop().await;
}

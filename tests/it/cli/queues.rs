//! `usipipo events` and `usipipo jobs`.

use usipipo::clock::Timestamp;
use usipipo::crud;
use usipipo::ids::{EventId, JobId, time_ordered};
use usipipo::models::event::{NewEvent, QueueStatus, Source};
use usipipo::models::job::Job;

use crate::support::cli::Shell;
use crate::support::works::TestWorks;

async fn dead_event(test: &TestWorks) -> EventId {
    let event = NewEvent {
        id: EventId(time_ordered()),
        source: Source::ClientBot,
        dedupe_key: "7".to_owned(),
        lane: "client:77".to_owned(),
        class: 1,
        body: b"{\"update_id\":7,\"what\":\"\x1b[31m\"".to_vec(),
        context: String::new(),
        unreadable: None,
        received_at: test.clock.now(),
    };
    let mut conn = test.db.pool.acquire().await.unwrap();
    let id = event.id;
    crud::event::insert_many(&mut conn, &[event]).await.unwrap();
    assert!(crud::event::mark_dead(&mut conn, id, "it is cut off", test.clock.now()).await.unwrap());
    id
}

#[tokio::test]
async fn a_dead_event_is_listed_shown_and_handled_again() {
    let test = TestWorks::new().await;
    let id = dead_event(&test).await;
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
    crud::job::insert_many(&mut conn, &[(id, Job::Purge)], None, test.clock.now()).await.unwrap();
    let shell = Shell::over(test.db.url());
    assert!(shell.run(&["jobs", "retry", &id.to_string()]).await.failed(2).contains("is pending"));
    crud::job::finish(&mut conn, id, QueueStatus::Dead, Some("no luck"), test.clock.now()).await.unwrap();
    let listed = shell.run(&["jobs", "list"]).await.ok();
    assert!(listed.contains("purge") && listed.contains("no luck"), "{listed}");
    assert!(shell.run(&["jobs", "retry", &id.to_string()]).await.ok().contains("runs again"));
    let job = crud::job::find(&mut conn, id).await.unwrap().unwrap();
    assert_eq!((job.status, job.attempts), (QueueStatus::Pending, 0));
    let next = crud::lane::next_due(&mut conn, usipipo::models::lane::Queue::Jobs).await.unwrap();
    assert!(next[0].1 <= test.clock.now());
    assert_eq!(test.audited("job_retried").await.len(), 1);
}

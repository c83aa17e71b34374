//! What is noted, logged and told.

use chrono::Duration;
use scoped_futures::ScopedFutureExt;
use usipipo::ids::{PaymentId, UserId};
use usipipo::models::audit::Action;
use usipipo::models::notice::{Alert, Notice, OddMoney};
use usipipo::models::role::{Permission, Role};
use usipipo::services::access::{self, AccessError};
use usipipo::services::{audit, people};
use usipipo::work::Origin;

use crate::support::log;
use crate::support::works::{ADMIN, SUPERADMIN, TestWorks, by, mark};

const ANA: UserId = UserId(100);
const BOB: UserId = UserId(200);

fn alert() -> Alert {
    Alert::PoolLow { server: "hav-1".into(), kind: "paid".into(), free: 3 }
}

#[tokio::test]
async fn log_and_notify_does_all_three() {
    let test = TestWorks::new().await;
    log::capture();
    let notice = &Notice::RoleRevoked { role: Role::Support };
    let run = test.run::<_, sqlx::Error, _>("log", by(ADMIN), |work| {
        let details = serde_json::json!({ "why": "a test" });
        audit::log_and_notify(work, ANA, Action::LanguageSet, Some("user:100"), details, notice.clone())
            .scope_boxed()
    });
    run.await.unwrap();
    assert_eq!(test.notices_to(ANA).await, std::slice::from_ref(notice));
    let row = &test.audited("language_set").await[0];
    assert_eq!((row.user_id, row.target.as_deref()), (Some(ADMIN), Some("user:100")));
    assert_eq!(row.details, r#"{"why":"a test"}"#);
    let line = &log::lines_with("language_set")[0];
    assert_eq!(
        (&line["user_id"], &line["told"], &line["audit_target"]),
        (&"2".into(), &100.into(), &"user:100".into())
    );
}

#[derive(Debug, thiserror::Error)]
#[error("the panel said no")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("inner-detail-of-10.0.0.7")]
struct Inner;

#[tokio::test]
async fn of_an_error_a_person_sees_only_where_to_ask() {
    let test = TestWorks::new().await;
    log::capture();
    let run = test.run::<_, sqlx::Error, _>("log", by(ANA), |work| {
        audit::log_error_and_notify(work, ANA, Action::OrderCreated, &Outer(Inner), "ref-7").scope_boxed()
    });
    run.await.unwrap();
    assert_eq!(test.notices_to(ANA).await, [Notice::Trouble { reference: "ref-7".into() }]);
    let row = &test.audited("order_created_error").await[0];
    assert_eq!((row.user_id, row.details.as_str()), (Some(ANA), r#"{"reference":"ref-7"}"#));
    let line = &log::lines_with("ref-7")[0];
    assert_eq!(line["error"], "the panel said no: inner-detail-of-10.0.0.7");
    assert_eq!((&line["user_id"], &line["reference"]), (&"100".into(), &"ref-7".into()));
}

#[tokio::test]
async fn what_fails_says_nothing_to_anybody() {
    let test = TestWorks::new().await;
    let run = test.run::<(), sqlx::Error, _>("log", by(ADMIN), |work| {
        async move {
            audit::log_and_notify(
                work,
                ANA,
                Action::LanguageSet,
                None,
                (),
                Notice::RoleRevoked { role: Role::Support },
            )
            .await?;
            audit::notify_admins(work, Action::PoolLow, alert()).await?;
            Err(sqlx::Error::RowNotFound)
        }
        .scope_boxed()
    });
    run.await.unwrap_err();
    assert!(test.notices_to(ANA).await.is_empty() && test.notices_to(ADMIN).await.is_empty());
    assert!(test.audited("language_set").await.is_empty() && test.audited("pool_low").await.is_empty());
}

/// Adds admins of every kind to those of the environment: 11 by a role, 12 whose role ends in an hour, 13 banned,
/// 14 only support; and the environment's admin holds a role too.
async fn admins(test: &TestWorks) {
    let end = test.clock.now() + Duration::hours(1);
    let granted = [
        (ADMIN.0, Role::Superadmin, None),
        (11, Role::Admin, None),
        (11, Role::Superadmin, None),
        (12, Role::Admin, Some(end)),
        (13, Role::Admin, None),
        (14, Role::Support, None),
    ];
    for (id, role, expires_at) in granted {
        test.person(id).await;
        let grant = test.run("grant", Origin::SYSTEM, |work| {
            access::grant_role(work, UserId(id), role, expires_at).scope_boxed()
        });
        grant.await.unwrap();
    }
    test.run("ban", by(SUPERADMIN), |work| people::ban(work, UserId(13)).scope_boxed()).await.unwrap();
}

async fn alerts(test: &TestWorks, ids: impl IntoIterator<Item = i64>) -> Vec<usize> {
    let mut counts = Vec::new();
    for id in ids {
        let notices = test.notices_to(UserId(id)).await;
        counts.push(notices.iter().filter(|notice| matches!(notice, Notice::Alert(_))).count());
    }
    counts
}

#[tokio::test]
async fn an_alert_reaches_every_admin_once() {
    let test = TestWorks::new().await;
    admins(&test).await;
    let run = async || {
        let run = test.run::<_, sqlx::Error, _>("alert", by(ANA), |work| {
            async move {
                audit::notify_admins(work, Action::PoolLow, alert()).await?;
                mark(work, "after", None, ()).await
            }
            .scope_boxed()
        });
        run.await.unwrap();
    };
    run().await;
    assert_eq!(alerts(&test, [1, 2, 11, 12, 13, 14, 100]).await, [1, 1, 1, 1, 0, 0, 0]);
    let row = &test.audited("pool_low").await[0];
    assert_eq!(row.user_id, None, "SYSTEM says it");
    assert_eq!(row.details, r#"{"alert":"pool_low","free":3,"kind":"paid","server":"hav-1"}"#);
    assert_eq!(test.audited("after").await[0].user_id, Some(ANA), "the actor is again who they were");

    test.clock.advance(Duration::hours(1));
    run().await;
    assert_eq!(alerts(&test, [1, 2, 11, 12, 13, 14]).await, [2, 2, 2, 1, 0, 0], "12 is no admin any more");
}

#[tokio::test]
async fn a_flood_is_told_once_an_hour_and_summed_up_and_money_each_time() {
    let test = TestWorks::new().await;
    // Into the middle of an hour.
    test.clock.advance(Duration::seconds(5400 - test.clock.now().unix() % 3600));
    let dead = async || {
        let alert = Alert::MessageDead { chat_id: 7, reason: "refused".into() };
        let run = test.run::<_, sqlx::Error, _>("dead", Origin::SYSTEM, |work| {
            audit::notify_admins(work, Action::MessageDead, alert.clone()).scope_boxed()
        });
        run.await.unwrap();
    };
    let money = async || {
        let money = OddMoney { provider: None, amount: None, person: None, reason: "odd".into() };
        let alert = Alert::PaymentReview { payment_id: PaymentId(1), money };
        let run = test.run::<_, sqlx::Error, _>("money", Origin::SYSTEM, |work| {
            audit::notify_admins(work, Action::PaymentReview, alert.clone()).scope_boxed()
        });
        run.await.unwrap();
    };
    let sum_up = async || {
        test.run("sum_up", Origin::SYSTEM, |work| audit::sum_up(work).scope_boxed()).await.unwrap();
    };
    for _ in 0..30 {
        dead().await;
    }
    assert_eq!(alerts(&test, [1, 2]).await, [1, 1]);
    assert_eq!(test.audited("message_dead").await.len(), 30, "each is on record");
    for _ in 0..3 {
        money().await;
    }
    assert_eq!(alerts(&test, [1, 2]).await, [4, 4]);
    sum_up().await;
    assert_eq!(alerts(&test, [1, 2]).await, [4, 4], "the hour is not over");

    test.clock.advance(Duration::hours(1));
    sum_up().await;
    sum_up().await;
    assert_eq!(alerts(&test, [1, 2]).await, [5, 5]);
    let sum = Alert::Repeated { topic: "message_dead".into(), times: 30 };
    assert_eq!(test.notices_to(ADMIN).await.last(), Some(&Notice::Alert(sum)));
    dead().await;
    assert_eq!(alerts(&test, [1, 2]).await, [6, 6], "another hour");
    test.clock.advance(Duration::hours(1));
    sum_up().await;
    assert_eq!(alerts(&test, [1, 2]).await, [6, 6], "once is no flood");
}

#[tokio::test]
async fn a_repeating_alert_is_said_once_per_key() {
    let test = TestWorks::new().await;
    let run = async |key: &str| {
        let run = test.run::<_, sqlx::Error, _>("alert", Origin::SYSTEM, |work| {
            audit::notify_admins_once(work, key, Action::PoolLow, alert()).scope_boxed()
        });
        run.await.unwrap();
    };
    tokio::join!(run("pool:1:monday"), run("pool:1:monday"), run("pool:1:monday"));
    run("pool:1:monday").await;
    assert_eq!(alerts(&test, [1, 2]).await, [1, 1]);
    run("pool:1:tuesday").await;
    assert_eq!(alerts(&test, [1, 2]).await, [2, 2]);
    assert_eq!(test.audited("pool_low").await.last().unwrap().target.as_deref(), Some("pool:1:tuesday"));
    run("pool:1:tuesday").await;
    run("pool:1:monday").await;
    let tuesdays = test
        .audited("pool_low")
        .await
        .into_iter()
        .filter(|row| row.target.as_deref() == Some("pool:1:tuesday"));
    assert_eq!(tuesdays.count(), 1, "the row is written once too");
}

#[tokio::test]
async fn logs_come_in_pages_and_only_to_whom_they_concern() {
    let test = TestWorks::new().await;
    for (actor, action) in [(ANA, "one"), (BOB, "two")] {
        let write = test.run::<_, sqlx::Error, _>("write", by(actor), |work| {
            async move {
                for _ in 0..12 {
                    mark(work, action, None, ()).await?;
                }
                Ok(())
            }
            .scope_boxed()
        });
        write.await.unwrap();
    }
    let of_ana = async |actor, page| {
        test.run("logs", by(actor), |work| audit::my_logs(work, ANA, page).scope_boxed()).await
    };
    for actor in [ANA, ADMIN] {
        assert_eq!(of_ana(actor, 0).await.unwrap().len(), 10);
        let second = of_ana(actor, 1).await.unwrap();
        assert!(second.len() == 2 && second.iter().all(|row| row.action == "one"));
        assert!(of_ana(actor, u32::MAX).await.unwrap().is_empty());
    }
    assert!(matches!(of_ana(BOB, 0).await, Err(AccessError::Forbidden(Permission::ViewAudit))));

    let recent =
        async |actor| test.run("recent", by(actor), |work| audit::recent(work, 0).scope_boxed()).await;
    let rows = recent(ADMIN).await.unwrap();
    assert!(rows.len() == 10 && rows.iter().all(|row| row.action == "two"), "the newest first");
    assert!(rows.is_sorted_by(|a, b| a.id > b.id));
    assert!(matches!(recent(ANA).await, Err(AccessError::Forbidden(Permission::ViewAudit))));
}

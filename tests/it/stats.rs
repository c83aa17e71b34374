//! The numbers of `/stats`.

use chrono::Duration;
use scoped_futures::ScopedFutureExt;
use usipipo::clock::Timestamp;
use usipipo::ids::{PaymentId, UserId};
use usipipo::models::job::Job;
use usipipo::models::payment::PaymentStatus;
use usipipo::models::role::Permission;
use usipipo::models::vpn::{ConfigStatus, Protocol};
use usipipo::money::Money;
use usipipo::services::access::AccessError;
use usipipo::services::stats::{self, Income, Stats};

use crate::support::works::{ADMIN, TestWorks, by};

async fn collect(test: &TestWorks, actor: UserId) -> Result<Stats, AccessError> {
    test.run("stats", by(actor), |work| stats::collect(work).scope_boxed()).await
}

#[tokio::test]
async fn an_empty_house_has_zeros() {
    let test = TestWorks::new().await;
    let stats = collect(&test, ADMIN).await.unwrap();
    assert_eq!((stats.people, stats.subscriptions, stats.trials, stats.reviews), (0, 0, 0, 0));
    assert!(stats.income_today.is_empty() && stats.income_30_days.is_empty() && stats.configs.is_empty());
    assert_eq!((stats.jobs.waiting, stats.jobs.oldest), (0, None));
    assert!(matches!(collect(&test, UserId(100)).await, Err(AccessError::Forbidden(Permission::ViewStats))));
}

async fn pay(test: &TestWorks, status: PaymentStatus, amount: &str, currency: &str, at: Timestamp) {
    sqlx::query(
        "INSERT INTO payments (order_ref, user_id, plan_id, provider, amount, currency, duration_days, device_limit, \
         status, expires_at, completed_at, created_at, updated_at) \
         SELECT ?, 1, MIN(id), 'stars', ?, ?, 30, 3, ?, ?, ?, ?, ? FROM plans",
    )
    .bind(format!("ord_{}", ulid::Ulid::generate()))
    .bind(amount)
    .bind(currency)
    .bind(status)
    .bind(at)
    .bind(at)
    .bind(at)
    .bind(at)
    .execute(&test.db.pool)
    .await
    .unwrap();
}

async fn subscribe(test: &TestWorks, user: i64, plan: bool, status: &str, ends_at: Timestamp) {
    sqlx::query(
        "INSERT INTO subscriptions \
         (user_id, product, plan_id, status, starts_at, ends_at, device_limit, created_at, updated_at) \
         SELECT ?, ?, IF(?, MIN(id), NULL), ?, NOW(6), ?, 3, NOW(6), NOW(6) FROM plans",
    )
    .bind(user)
    .bind(if plan { "plan:1" } else { "trial" })
    .bind(plan)
    .bind(status)
    .bind(ends_at)
    .execute(&test.db.pool)
    .await
    .unwrap();
}

async fn configure(test: &TestWorks, protocol: Protocol, status: ConfigStatus) {
    sqlx::query(
        "INSERT INTO vpn_configs (user_id, subscription_id, protocol, name, status, created_at, updated_at) \
         SELECT user_id, id, ?, 'phone', ?, NOW(6), NOW(6) FROM subscriptions LIMIT 1",
    )
    .bind(protocol)
    .bind(status)
    .execute(&test.db.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn everything_is_counted_in_its_time() {
    let test = TestWorks::new().await;
    // Into the middle of a day, so that hours do not cross midnight.
    let into_day = test.clock.now().unix() % 86_400;
    test.clock.advance(Duration::seconds(86_400 - into_day + 43_200));
    let now = test.clock.now();
    let ago = |time| now - time;
    for id in 1..=5 {
        test.person(id).await;
    }
    for (id, seen) in [(1, Duration::days(8)), (2, Duration::days(2)), (3, Duration::hours(20))] {
        sqlx::query("UPDATE users SET created_at = ?, last_seen_at = ? WHERE id = ?")
            .bind(ago(seen))
            .bind(ago(seen))
            .bind(id)
            .execute(&test.db.pool)
            .await
            .unwrap();
    }
    let (ahead, past) = (now + Duration::days(9), ago(Duration::hours(1)));
    subscribe(&test, 1, true, "active", ahead).await;
    subscribe(&test, 2, true, "active", past).await;
    subscribe(&test, 3, false, "active", ahead).await;
    subscribe(&test, 4, false, "expired", past).await;
    pay(&test, PaymentStatus::Completed, "4.99", "USD", ago(Duration::hours(2))).await;
    pay(&test, PaymentStatus::Completed, "12.99", "USD", ago(Duration::days(29))).await;
    pay(&test, PaymentStatus::Completed, "250", "XTR", ago(Duration::hours(3))).await;
    pay(&test, PaymentStatus::Completed, "2200", "XTR", ago(Duration::days(31))).await;
    pay(&test, PaymentStatus::Refunded, "250", "XTR", ago(Duration::hours(3))).await;
    pay(&test, PaymentStatus::Review, "1", "USD", ago(Duration::days(40))).await;
    configure(&test, Protocol::Wireguard, ConfigStatus::Active).await;
    configure(&test, Protocol::Wireguard, ConfigStatus::Active).await;
    configure(&test, Protocol::Outline, ConfigStatus::Suspended).await;
    configure(&test, Protocol::Outline, ConfigStatus::Removed).await;
    let queue = test.run::<_, sqlx::Error, _>("queue", by(ADMIN), |work| {
        async move {
            work.enqueue(Job::CheckPayment { payment_id: PaymentId(1) });
            Ok(())
        }
        .scope_boxed()
    });
    queue.await.unwrap();

    let stats = collect(&test, ADMIN).await.unwrap();
    assert_eq!((stats.people, stats.people_new_today, stats.people_active_7_days), (5, 2, 4));
    assert_eq!((stats.subscriptions, stats.trials, stats.reviews), (1, 1, 1));
    let usd = |amount: &str| Money::new(amount.parse().unwrap(), "USD".parse().unwrap());
    let income = |payments, sum| Income { payments, sum };
    assert_eq!(stats.income_today, [income(1, usd("4.99")), income(1, Money::stars(250))]);
    assert_eq!(stats.income_30_days, [income(2, usd("17.98")), income(1, Money::stars(250))]);
    let active = (Protocol::Wireguard, ConfigStatus::Active, 2);
    assert_eq!(stats.configs, [(Protocol::Outline, ConfigStatus::Suspended, 1), active]);
    assert_eq!((stats.jobs.waiting, stats.outbox.waiting, stats.inbox.waiting), (1, 0, 0));
    assert!(stats.jobs.oldest.unwrap() >= now);
}

//! What must hold at any time, and who hears of it when it does not.

use std::time::Duration;

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use sqlx::AssertSqlSafe;
use usipipo::crud::books::{RULES, broken};
use usipipo::models::job::Job;
use usipipo::work::Origin;

use crate::story::{buy_with_stars, press, take_trial};
use crate::support::cli::{Ended, Shell};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// How each rule is broken, one way or more, in a house where [`lived_in`] was played.
const BREAKS: &[(&str, &[&str])] = &[
    (
        "completed orders without exactly their money in the ledger",
        &["DELETE FROM ledger_entries WHERE kind = 'payment' LIMIT 1"],
    ),
    (
        "refunded orders without exactly their money back in the ledger",
        &["DELETE FROM ledger_entries WHERE kind = 'refund'"],
    ),
    (
        "ledger entries of orders that were never paid",
        &["INSERT INTO ledger_entries (payment_id, user_id, kind, amount, currency, created_at) \
           SELECT id, user_id, 'refund', 1, 'XTR', NOW(6) FROM payments WHERE status = 'completed' LIMIT 1"],
    ),
    (
        "paid orders without a subscription of their plan and person",
        &["UPDATE payments SET subscription_id = NULL WHERE status = 'completed' LIMIT 1"],
    ),
    (
        "completed orders whose effect was not written down exactly once",
        &[
            "INSERT INTO audit_logs (action, target, details, created_at) SELECT action, target, details, created_at \
           FROM audit_logs WHERE action = 'payment_completed' LIMIT 1",
        ],
    ),
    (
        "charges that are credited and kept for review as well",
        &["INSERT INTO unmatched_charges (provider, charge_hash, charge_id, currency, reason, created_at) \
           SELECT provider, charge_hash, charge_id, 'XTR', 'x', NOW(6) FROM payments WHERE status = 'completed'"],
    ),
    (
        "subscriptions that nobody paid for",
        &[
            "INSERT INTO subscriptions (user_id, product, plan_id, status, starts_at, ends_at, device_limit, created_at, \
           updated_at) SELECT user_id, 'given', plan_id, 'active', NOW(6), NOW(6), 1, NOW(6), NOW(6) FROM payments LIMIT 1",
        ],
    ),
    (
        "subscriptions that do not last as long as was paid for",
        &[
            "UPDATE subscriptions SET ends_at = ends_at + INTERVAL 1 DAY WHERE status = 'suspended'",
            "UPDATE subscriptions SET ends_at = ends_at + INTERVAL 30 DAY WHERE status = 'active' AND product LIKE 'plan:%'",
            "UPDATE subscriptions SET ends_at = ends_at - INTERVAL 1 DAY WHERE status = 'active' AND product LIKE 'plan:%'",
        ],
    ),
    (
        "paid orders whose receipt was not queued exactly once",
        &[
            "DELETE FROM outbound_messages WHERE body LIKE '%\"notice\":\"receipt\"%' LIMIT 1",
            "INSERT INTO outbound_messages (id, lane, class, bot, chat_id, status, body, created_at, done_at) \
             SELECT UNHEX('FF000000000070008000000000000009'), lane, class, bot, chat_id, status, body, created_at, \
             done_at FROM outbound_messages WHERE body LIKE '%\"notice\":\"receipt\"%' LIMIT 1",
        ],
    ),
    ("trials beside the one of each account", &["DELETE FROM trials"]),
    (
        "addresses that are leased to no living config, or configs without one",
        &["UPDATE addresses SET leased = FALSE, config_id = NULL WHERE leased"],
    ),
    (
        "addresses that are leased for a config that does not live",
        &["UPDATE addresses SET leased = TRUE, config_id = 404 WHERE NOT leased AND pool_id = \
           (SELECT id FROM address_pools WHERE cidr4 = '10.66.8.0/22') LIMIT 1"],
    ),
    (
        "addresses of one server that two configs hold",
        &["INSERT INTO address_pools (server_id, kind, cidr4, created_at) \
             SELECT DISTINCT server_id, 'trial', '10.66.8.0/23', NOW(6) FROM address_pools; \
             INSERT INTO addresses (pool_id, host, leased, config_id, free_at) SELECT \
             (SELECT MAX(id) FROM address_pools), a.host, TRUE, 405, NOW(6) FROM addresses a \
             JOIN address_pools p ON p.id = a.pool_id WHERE a.leased AND p.cidr4 = '10.66.8.0/22'"],
    ),
    (
        "configs in use that were not handed over exactly once since they were made",
        &[
            "INSERT INTO audit_logs (action, target, details, created_at) SELECT action, target, details, NOW(6) \
             FROM audit_logs WHERE action = 'config_delivered' LIMIT 1",
            "UPDATE vpn_configs SET delivered_at = NULL WHERE status = 'active' LIMIT 1",
        ],
    ),
    (
        "configs handed over whose link or file was not queued exactly once",
        &["DELETE FROM outbound_messages WHERE body LIKE '%\"part\":\"text\"%' LIMIT 1"],
    ),
    (
        "configs that are open although their subscription has ended",
        &[
            "UPDATE subscriptions SET status = 'suspended', updated_at = NOW(6) - INTERVAL 1 HOUR WHERE plan_id IS NULL",
        ],
    ),
    (
        "dead deliveries, messages or jobs without a reason",
        &[
            "UPDATE inbound_events SET status = 'dead' WHERE status = 'done' AND done_at IS NOT NULL LIMIT 1",
            "UPDATE outbound_messages SET status = 'dead', error = '' LIMIT 1",
            "UPDATE jobs SET status = 'dead', error = NULL LIMIT 1",
        ],
    ),
    (
        "deliveries, messages or jobs that ended at no time",
        &[
            "UPDATE inbound_events SET done_at = NULL WHERE status = 'done' LIMIT 1",
            "UPDATE outbound_messages SET done_at = NULL WHERE status = 'done' LIMIT 1",
            "UPDATE jobs SET done_at = NULL WHERE status = 'done' LIMIT 1",
        ],
    ),
    (
        "deliveries, messages or jobs that neither wait nor have ended",
        &[
            "UPDATE inbound_events SET status = 'lost' WHERE status = 'done' AND done_at IS NOT NULL LIMIT 1",
            "UPDATE outbound_messages SET status = 'sent' WHERE status = 'done' AND done_at IS NOT NULL LIMIT 1",
            "UPDATE jobs SET status = '' LIMIT 1",
        ],
    ),
    (
        "lanes of work that are due and nobody takes",
        &["INSERT INTO lanes VALUES (9, 'lost', 1, '2020-01-01', '2020-01-01', NULL, 1, 0)"],
    ),
    (
        "lanes that somebody holds for longer than a lease",
        &[
            "INSERT INTO lanes VALUES (9, 'held', 1, NOW(6) + INTERVAL 1 DAY, '2020-01-01', REPEAT('x', 16), 1, 0)",
        ],
    ),
    (
        "waiting deliveries, messages or jobs that no lane leads to",
        &[
            "UPDATE inbound_events SET status = 'pending' WHERE status = 'done' AND done_at IS NOT NULL LIMIT 1",
            "UPDATE outbound_messages SET status = 'pending' WHERE status = 'done' AND done_at IS NOT NULL LIMIT 1",
            "INSERT INTO jobs (id, lane, kind, payload, status, created_at) VALUES (REPEAT('x', 16), 'nowhere', 'purge', \
             '{\"job\":\"purge\"}', 'pending', NOW(6))",
        ],
    ),
    (
        "secrets in clear",
        &[
            "UPDATE audit_logs SET details = 'PrivateKey = x' LIMIT 1",
            "UPDATE outbound_messages SET body = 'ss://YWJj@host' LIMIT 1",
            "UPDATE jobs SET payload = 'PrivateKey = x' LIMIT 1",
        ],
    ),
];

/// What looks odd and is right, with the rule that must not complain.
const ODD: &[(&str, &str)] = &[(
    // A second order, paid after the clock was set back by forty minutes.
    "subscriptions that do not last as long as was paid for",
    "INSERT INTO payments (order_ref, user_id, plan_id, provider, amount, currency, duration_days, device_limit, status, \
       subscription_id, expires_at, completed_at, created_at, updated_at) \
     SELECT 'ord_back', p.user_id, p.plan_id, p.provider, p.amount, p.currency, p.duration_days, p.device_limit, \
       p.status, p.subscription_id, p.expires_at, s.starts_at - INTERVAL 40 MINUTE, p.created_at, p.updated_at \
     FROM payments p JOIN subscriptions s ON s.id = p.subscription_id WHERE p.status = 'completed' LIMIT 1; \
     UPDATE subscriptions s JOIN payments p ON p.subscription_id = s.id \
     SET s.ends_at = s.ends_at + INTERVAL p.duration_days DAY WHERE p.order_ref = 'ord_back'",
)];

async fn invariants(town: &Town) -> Ended {
    Shell::new(town.variables.clone()).run(&["doctor", "--invariants"]).await
}

/// A trial on WireGuard, one on Outline, a purchase, and one whose money went back.
async fn lived_in(town: &Town) {
    let (owner, ana, leo) =
        (town.person(1, "Olga", "en"), town.person(701, "Ana", "es"), town.person(702, "Leo", "en"));
    owner.send_text(BOT, "/start").unwrap();
    take_trial(&ana).await;
    leo.send_text(BOT, "/start").unwrap();
    press(&leo, "trial").await;
    press(&leo, "trial-take:wireguard").await;
    let plan = town.popular_plan().await;
    for person in [&ana, &leo] {
        buy_with_stars(person, plan).await;
    }
    let delivered = "SELECT COUNT(*) FROM vpn_configs WHERE delivered_at IS NOT NULL";
    eventually(LIMIT, async || town.count(delivered).await == 4).await;
    let order = town.column("SELECT order_ref FROM payments WHERE user_id = 702").await.remove(0);
    owner.send_text(BOT, &format!("/refund {order}")).unwrap();
    let id = town.count("SELECT id FROM payments WHERE user_id = 702").await;
    press(&owner, &format!("refund-yes:{id}")).await;
    let blocked = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'suspended' AND applied = 'blocked'";
    eventually(LIMIT, async || town.count(blocked).await == 1).await;
    town.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_that_is_broken_is_named() {
    let town = Town::found().await;
    let (_outline, _wireguard) = (town.add_outline().await, town.add_wireguard().await);
    let running = town.open().await;
    lived_in(&town).await;
    running.stop().await;
    let sound = invariants(&town).await.ok();
    assert!(sound.contains(&format!("all {} rules hold", RULES.len())), "{sound}");
    let names = |found: &[(&'static str, i64)]| found.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let settled = town.clock.now() - TimeDelta::minutes(15);
    for (rule, ways) in BREAKS {
        for way in *ways {
            let mut tx = town.db.pool.begin().await.unwrap();
            assert_eq!(names(&broken(&mut tx, settled).await.unwrap()), [""; 0], "before {way}");
            sqlx::raw_sql(AssertSqlSafe(*way)).execute(&mut *tx).await.unwrap();
            let found = names(&broken(&mut tx, settled).await.unwrap());
            assert!(found.contains(rule), "{way}: {found:?}");
            tx.rollback().await.unwrap();
        }
    }
    for (rule, way) in ODD {
        let mut tx = town.db.pool.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(*way)).execute(&mut *tx).await.unwrap();
        let found = names(&broken(&mut tx, settled).await.unwrap());
        assert!(!found.contains(rule), "{way}: {found:?}");
        tx.rollback().await.unwrap();
    }
    // All at once, as an operator sees them.
    for (_, ways) in BREAKS {
        sqlx::raw_sql(AssertSqlSafe(ways[0])).execute(&town.db.pool).await.unwrap();
    }
    let report = invariants(&town).await;
    assert_eq!(report.code, 1);
    for (rule, _) in RULES {
        assert!(BREAKS.iter().any(|(broken, _)| broken == rule), "nobody breaks the rule on {rule}");
        assert!(
            report.out.lines().any(|line| line.starts_with('✗') && line.ends_with(rule)),
            "{rule}: {}",
            report.out
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_told_every_night_and_what_a_server_lacks_is_seen() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let (owner, ana) = (town.person(1, "Olga", "en"), town.person(701, "Ana", "es"));
    owner.send_text(BOT, "/start").unwrap();
    take_trial(&ana).await;
    buy_with_stars(&ana, town.popular_plan().await).await;
    let open = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active' AND applied = 'present'";
    eventually(LIMIT, async || town.count(open).await == 2).await;
    let report = invariants(&town).await.ok();
    assert!(report.contains("rules hold"), "{report}");
    assert!(report.contains("2 configs, as the database says"), "{report}");

    town.sql("DELETE FROM ledger_entries").await;
    outline.forget_keys().await;
    outline.put_key("usi_c404", 0).await;
    let report = invariants(&town).await;
    assert_eq!(report.code, 1);
    for wrong in [
        "1 completed orders without exactly their money in the ledger",
        "1 configs; 2 are missing, 1 should not be there",
    ] {
        assert!(report.out.contains(wrong), "no '{wrong}' in {}", report.out);
    }
    let nightly = town.works();
    let queue = nightly.run("nightly", Origin::SYSTEM, |work| {
        async move {
            work.enqueue(Job::CheckBooks);
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    queue.await.unwrap();
    owner.wait_for_text(BOT, "without exactly their money in the ledger").await.unwrap();
    running.stop().await;
}

/// Nobody has to ask: the day's first look at the clock queues the job.
#[tokio::test(flavor = "multi_thread")]
async fn every_night_the_clock_has_the_books_checked() {
    let town = Town::found().await;
    let running = town.open().await;
    let owner = town.person(1, "Olga", "en");
    owner.send_text(BOT, "/start").unwrap();
    let checked = "SELECT COUNT(*) FROM jobs WHERE kind = 'check_books' AND status = 'done'";
    eventually(LIMIT, async || town.count(checked).await == 1).await;
    town.settled().await;
    town.sql("INSERT INTO lanes VALUES (9, 'lost', 1, '2020-01-01', '2020-01-01', NULL, 1, 0)").await;
    town.clock.advance(TimeDelta::days(1));
    eventually(LIMIT, async || town.count(checked).await == 2).await;
    owner.wait_for_text(BOT, "lanes of work that are due and nobody takes").await.unwrap();
    running.stop().await;
}

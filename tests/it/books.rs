//! What must hold at any time, and who hears of it when it does not.

use std::time::Duration;

use scoped_futures::ScopedFutureExt;
use usipipo::models::job::Job;
use usipipo::work::Origin;

use crate::story::{buy_with_stars, take_trial};
use crate::support::cli::Shell;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

async fn invariants(town: &Town) -> String {
    Shell::new(town.variables.clone()).run(&["doctor", "--invariants"]).await.out
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_purchase_all_rules_hold_and_what_is_broken_is_named_and_told() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let (owner, ana) = (town.person(1, "Olga", "en"), town.person(701, "Ana", "es"));
    owner.send_text(BOT, "/start").unwrap();
    take_trial(&ana).await;
    buy_with_stars(&ana, town.popular_plan().await).await;
    let open = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active' AND applied = 'present'";
    eventually(LIMIT, async || town.count(open).await == 2).await;
    let report = invariants(&town).await;
    assert!(report.contains("rules hold"), "{report}");
    assert!(report.contains("2 configs, as the database says"), "{report}");

    for sql in [
        "DELETE FROM ledger_entries",
        "UPDATE audit_logs SET details = 'PrivateKey = x' LIMIT 1",
        "INSERT INTO lanes VALUES (9, 'lost', 1, '2020-01-01', '2020-01-01', NULL, 1, 0)",
    ] {
        sqlx::query(sql).execute(&town.db.pool).await.unwrap();
    }
    outline.forget_keys().await;
    let report = invariants(&town).await;
    for wrong in [
        "1 completed orders without exactly their money in the ledger",
        "1 secrets in clear",
        "1 lanes of work that are due and nobody takes",
        "0 configs; 2 are missing, 0 should not be there",
    ] {
        assert!(report.contains(wrong), "no '{wrong}' in {report}");
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

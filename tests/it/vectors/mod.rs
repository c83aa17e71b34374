//! Every recorded delivery of the vectors, as bytes through the real router: the answer, and what it changed. What a row
//! expects is written in the file itself; a row of a kind that nobody knows here fails.

mod qvapay;
mod telegram;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use usipipo::clock::Timestamp;

use crate::support::town::Town;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// The order that all rows speak of.
const ORDER: &str = "ord_01JD0000000000000000000001";
/// Whose it is.
const ANA: i64 = 6_123_456_789;
/// Plan of 250 Stars or 4.99 USD.
const PLAN: i64 = 2;

#[derive(Clone, Deserialize)]
struct Row {
    name: String,
    headers: BTreeMap<String, String>,
    body: String,
    secret: String,
    valid: bool,
    expect: String,
    now: i64,
    order_amount: Option<serde_json::Value>,
    received_after_s: Option<i64>,
}

impl Row {
    fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

fn copy_of(provider: &str) -> String {
    format!("{}/tests/fixtures/vectors/{provider}.json", env!("CARGO_MANIFEST_DIR"))
}

/// The rows handed to every implementer when they are beside the project, else the project's own copy.
fn rows(provider: &str) -> Vec<Row> {
    let shared = format!("{}/../shared/vectors/{provider}.json", env!("CARGO_MANIFEST_DIR"));
    let path = if Path::new(&shared).exists() { shared } else { copy_of(provider) };
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "every row has a name of its own");
    rows
}

#[test]
fn our_copies_are_the_current_ones() {
    for provider in ["telegram", "qvapay"] {
        let shared = format!("{}/../shared/vectors/{provider}.json", env!("CARGO_MANIFEST_DIR"));
        let Ok(current) = std::fs::read(shared) else { continue };
        assert!(current == std::fs::read(copy_of(provider)).unwrap(), "{provider}.json has changed");
    }
}

/// What the house holds of money and access.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Books {
    order: String,
    ledger: Vec<String>,
    subscriptions: Vec<String>,
    renews: bool,
    configs: usize,
    unmatched: usize,
    /// Alerts that a human has to look at money.
    reviews: usize,
}

async fn books(town: &Town) -> Books {
    let order = format!("SELECT status FROM payments WHERE order_ref = '{ORDER}'");
    let reviews = "SELECT action FROM audit_logs WHERE action IN ('payment_review', 'payment_unmatched')";
    Books {
        order: town.column(&order).await.concat(),
        ledger: town.column("SELECT kind FROM ledger_entries ORDER BY id").await,
        subscriptions: town.column("SELECT status FROM subscriptions ORDER BY id").await,
        renews: town.count("SELECT COUNT(*) FROM subscriptions WHERE renews").await > 0,
        configs: town.column("SELECT name FROM vpn_configs").await.len(),
        unmatched: town.column("SELECT reason FROM unmatched_charges").await.len(),
        reviews: town.column(reviews).await.len(),
    }
}

impl Books {
    /// One purchase that was credited, and nothing else.
    fn credited() -> Self {
        Self {
            order: "completed".to_owned(),
            ledger: vec!["payment".to_owned()],
            subscriptions: vec!["active".to_owned()],
            renews: false,
            configs: 1,
            unmatched: 0,
            reviews: 0,
        }
    }
}

/// Moves the town's clock to this instant, wherever it stands.
fn set_clock(town: &Town, at: i64) {
    town.clock.advance(Timestamp::from_unix(at).since(town.clock.now()));
}

/// How many deliveries the inbox has taken.
async fn stored(town: &Town) -> i64 {
    town.count("SELECT COUNT(*) FROM inbound_events").await
}

/// Until everything that is queued has been handled; the books then.
async fn settled(town: &Town, name: &str) -> Books {
    eventually(LIMIT, async || match town.waiting().await.as_slice() {
        [] => Ok(()),
        waiting => Err(format!("{name}: {}", waiting.join(", "))),
    })
    .await;
    books(town).await
}

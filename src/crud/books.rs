//! What must hold over all tables at any time, whatever happened: nothing given without money, no money without what
//! it bought, nothing twice, nothing lost on the way, no secret in clear. Each rule is one statement and so sees one
//! state of the database: it may be asked while everything runs.

use rust_decimal::Decimal;
use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::money::Currency;

/// What would be wrong, and a count of it that has to be 0. A `?` is an instant: what is older has had its time.
pub const RULES: &[(&str, &str)] = &[
    (
        "completed orders without exactly their money in the ledger",
        "SELECT COUNT(*) FROM payments p WHERE (p.status = 'completed' OR p.completed_at IS NOT NULL) AND 1 <> \
         (SELECT COUNT(*) FROM ledger_entries l WHERE l.payment_id = p.id AND l.kind = 'payment' \
          AND l.amount = p.paid_amount AND l.currency = p.paid_currency AND l.user_id = p.user_id)",
    ),
    (
        "refunded orders without exactly their money back in the ledger",
        "SELECT COUNT(*) FROM payments p WHERE p.status = 'refunded' AND p.completed_at IS NOT NULL AND 1 <> \
         (SELECT COUNT(*) FROM ledger_entries l WHERE l.payment_id = p.id AND l.kind = 'refund' \
          AND l.amount = p.paid_amount AND l.currency = p.paid_currency)",
    ),
    (
        "ledger entries of orders that were never paid",
        "SELECT COUNT(*) FROM ledger_entries l JOIN payments p ON p.id = l.payment_id \
         WHERE p.status <> 'completed' AND p.completed_at IS NULL OR l.kind = 'refund' AND p.status <> 'refunded'",
    ),
    (
        "paid orders without a subscription of their plan and person",
        "SELECT COUNT(*) FROM payments p LEFT JOIN subscriptions s ON s.id = p.subscription_id \
         AND s.user_id = p.user_id AND s.plan_id = p.plan_id \
         WHERE (p.status = 'completed' OR p.completed_at IS NOT NULL) AND s.id IS NULL",
    ),
    (
        "completed orders whose effect was not written down exactly once",
        "SELECT COUNT(*) FROM payments p WHERE (p.status = 'completed' OR p.completed_at IS NOT NULL) AND 1 <> \
         (SELECT COUNT(*) FROM audit_logs a WHERE a.target = CONCAT('payment:', p.id) \
          AND a.action = 'payment_completed')",
    ),
    (
        "charges that are credited and kept for review as well",
        "SELECT COUNT(*) FROM unmatched_charges u JOIN payments p ON p.provider = u.provider \
         AND p.charge_hash = u.charge_hash WHERE p.status IN ('completed', 'refunded')",
    ),
    (
        "subscriptions that nobody paid for",
        "SELECT COUNT(*) FROM subscriptions s WHERE s.plan_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM payments p WHERE p.subscription_id = s.id AND p.status IN ('completed', 'refunded'))",
    ),
    (
        "trials beside the one of each account",
        "SELECT COUNT(*) FROM subscriptions s LEFT JOIN trials t ON t.user_id = s.user_id \
         AND t.subscription_id = s.id WHERE s.plan_id IS NULL AND t.user_id IS NULL",
    ),
    (
        "addresses that are leased to no living config, or configs without one",
        "SELECT COUNT(*) FROM vpn_configs c LEFT JOIN addresses a ON a.config_id = c.id AND a.leased \
         WHERE c.protocol = 'wireguard' AND c.server_id IS NOT NULL \
         AND (a.id IS NULL) <> (c.status = 'removed')",
    ),
    (
        "addresses that are leased for a config that does not live",
        "SELECT COUNT(*) FROM addresses a LEFT JOIN vpn_configs c ON c.id = a.config_id \
         WHERE a.leased AND (c.id IS NULL OR c.status = 'removed')",
    ),
    (
        "configs in use that were never handed over",
        "SELECT COUNT(*) FROM vpn_configs c WHERE c.status IN ('active', 'suspended') \
         AND (c.delivered_at IS NULL OR NOT EXISTS (SELECT 1 FROM audit_logs a \
          WHERE a.target = CONCAT('config:', c.id) AND a.action = 'config_delivered'))",
    ),
    (
        "configs that are open although their subscription has ended",
        "SELECT COUNT(*) FROM vpn_configs c JOIN subscriptions s ON s.id = c.subscription_id \
         WHERE c.status = 'active' AND s.status IN ('suspended', 'expired') AND s.updated_at < ?",
    ),
    (
        "dead deliveries, messages or jobs without a reason",
        "SELECT (SELECT COUNT(*) FROM inbound_events WHERE status = 'dead' AND error IS NULL) \
         + (SELECT COUNT(*) FROM outbound_messages WHERE status = 'dead' AND error IS NULL) \
         + (SELECT COUNT(*) FROM jobs WHERE status = 'dead' AND error IS NULL)",
    ),
    ("lanes of work that are due and nobody takes", "SELECT COUNT(*) FROM lanes WHERE due_at < ?"),
    (
        "waiting deliveries, messages or jobs that no lane leads to",
        "SELECT (SELECT COUNT(*) FROM inbound_events e LEFT JOIN lanes l ON l.queue = 0 AND l.lane = e.lane \
          WHERE e.status = 'pending' AND (l.lane IS NULL OR l.due_at > '9000-01-01')) \
         + (SELECT COUNT(*) FROM outbound_messages m LEFT JOIN lanes l ON l.queue = 1 AND l.lane = m.lane \
          WHERE m.status = 'pending' AND (l.lane IS NULL OR l.due_at > '9000-01-01')) \
         + (SELECT COUNT(*) FROM jobs j LEFT JOIN lanes l ON l.queue = 2 AND l.lane = j.lane \
          WHERE j.status = 'pending' AND (l.lane IS NULL OR l.due_at > '9000-01-01'))",
    ),
    (
        "secrets in clear",
        "SELECT (SELECT COUNT(*) FROM outbound_messages WHERE body LIKE '%PrivateKey%' OR body REGEXP 'ss://[A-Za-z0-9_=-]+@') \
         + (SELECT COUNT(*) FROM audit_logs WHERE created_at > ? - INTERVAL 2 DAY \
          AND (details LIKE '%PrivateKey%' OR details REGEXP 'ss://[A-Za-z0-9_=-]+@')) \
         + (SELECT COUNT(*) FROM jobs WHERE payload LIKE '%PrivateKey%' OR payload REGEXP 'ss://[A-Za-z0-9_=-]+@')",
    ),
];

/// The rules that do not hold, each with how often it is broken. What has been so since before `settled` should not be
/// so any more.
pub async fn broken(
    conn: &mut MySqlConnection,
    settled: Timestamp,
) -> sqlx::Result<Vec<(&'static str, i64)>> {
    let mut broken = Vec::new();
    for (what, count) in RULES {
        let mut query = sqlx::query_scalar(*count);
        for _ in 0..count.matches('?').count() {
            query = query.bind(settled);
        }
        let found: i64 = query.fetch_one(&mut *conn).await?;
        if found != 0 {
            broken.push((*what, found));
        }
    }
    Ok(broken)
}

/// Money in less money out.
pub async fn net(conn: &mut MySqlConnection, currency: &Currency) -> sqlx::Result<Decimal> {
    let sum: Option<Decimal> = sqlx::query_scalar(
        "SELECT SUM(IF(kind = 'payment', amount, -amount)) FROM ledger_entries WHERE currency = ?",
    )
    .bind(currency)
    .fetch_one(conn)
    .await?;
    Ok(sum.unwrap_or_default().normalize())
}

//! What must hold over all tables, whatever happened: nothing given without money, no money without what it bought,
//! nothing lost on the way, no secret in clear.

use rust_decimal::Decimal;
use sqlx::MySqlConnection;

use crate::money::Currency;

/// What would be wrong, and a count of it that has to be 0.
const RULES: &[(&str, &str)] = &[
    (
        "completed orders without exactly their money in the ledger",
        "SELECT COUNT(*) FROM payments p WHERE p.status IN ('completed', 'refunded') AND 1 <> \
         (SELECT COUNT(*) FROM ledger_entries l WHERE l.payment_id = p.id AND l.kind = 'payment' \
          AND l.amount = p.amount AND l.currency = p.currency AND l.user_id = p.user_id)",
    ),
    (
        "refunded orders without exactly their money back in the ledger",
        "SELECT COUNT(*) FROM payments p WHERE p.status = 'refunded' AND 1 <> \
         (SELECT COUNT(*) FROM ledger_entries l WHERE l.payment_id = p.id AND l.kind = 'refund' \
          AND l.amount = p.amount AND l.currency = p.currency)",
    ),
    (
        "ledger entries of orders that were never paid",
        "SELECT COUNT(*) FROM ledger_entries l JOIN payments p ON p.id = l.payment_id \
         WHERE p.status NOT IN ('completed', 'refunded') OR (l.kind = 'refund' AND p.status <> 'refunded')",
    ),
    (
        "paid orders without a subscription of their plan and person",
        "SELECT COUNT(*) FROM payments p LEFT JOIN subscriptions s ON s.id = p.subscription_id \
         AND s.user_id = p.user_id AND s.plan_id = p.plan_id \
         WHERE p.status IN ('completed', 'refunded') AND s.id IS NULL",
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
        "configs in use that were never handed over",
        "SELECT COUNT(*) FROM vpn_configs WHERE status IN ('active', 'suspended') AND delivered_at IS NULL",
    ),
    ("dead deliveries", "SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'"),
    ("dead messages", "SELECT COUNT(*) FROM outbound_messages WHERE status = 'dead'"),
    ("dead jobs", "SELECT COUNT(*) FROM jobs WHERE status = 'dead'"),
    (
        "secrets in clear",
        "SELECT (SELECT COUNT(*) FROM outbound_messages WHERE body LIKE '%PrivateKey%' OR body LIKE '%ss://%') \
         + (SELECT COUNT(*) FROM audit_logs WHERE details LIKE '%PrivateKey%' OR details LIKE '%ss://%') \
         + (SELECT COUNT(*) FROM jobs WHERE payload LIKE '%PrivateKey%' OR payload LIKE '%ss://%')",
    ),
];

/// The rules that do not hold, each with how often it is broken.
pub async fn broken(conn: &mut MySqlConnection) -> sqlx::Result<Vec<(&'static str, i64)>> {
    let mut broken = Vec::new();
    for (what, count) in RULES {
        let found: i64 = sqlx::query_scalar(*count).fetch_one(&mut *conn).await?;
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

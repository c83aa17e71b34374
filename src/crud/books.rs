//! What must hold over all tables at any time, whatever happened: nothing given without money, no money without what
//! it bought, nothing twice, nothing lost on the way, no secret in clear. Each rule is one statement and so sees one
//! state of the database: it may be asked while everything runs. A rule looks at rows by an index, or once through a
//! table that holds a few rows a person; what grows without end (audit, messages, jobs) is looked at by key or for the
//! last hours, as every night has its own.

use rust_decimal::Decimal;
use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::money::Currency;

/// What would be wrong, and a count of it that has to be 0. A `?` is an instant: what is older has had its time. Done
/// rows of the queues are kept for a day at least, so those of the half day before it are all there.
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
        // Half a day of grace: Telegram names the ends of subscriptions in Stars itself, and after a clock was set back
        // a second order is paid before the first one began.
        "subscriptions that do not last as long as was paid for",
        "SELECT COUNT(*) FROM subscriptions s JOIN (SELECT p.subscription_id AS id, \
          SUM(IF(p.status = 'refunded', 0, p.duration_days)) AS days, MAX(p.refunded_at) AS refunded_at, \
          MAX(p.parent_id) AS renews FROM payments p JOIN subscriptions t ON t.id = p.subscription_id \
          WHERE p.completed_at >= t.starts_at - INTERVAL 12 HOUR GROUP BY p.subscription_id) paid ON paid.id = s.id \
         WHERE s.status <> 'expired' AND NOT s.renews AND paid.renews IS NULL AND IF(paid.refunded_at IS NULL, \
          ABS(TIMESTAMPDIFF(SECOND, s.starts_at, s.ends_at) - paid.days * 86400) > 43200, \
          s.ends_at > GREATEST(paid.refunded_at, s.starts_at + INTERVAL paid.days DAY) + INTERVAL 12 HOUR)",
    ),
    (
        "paid orders whose receipt was not queued exactly once",
        "SELECT COUNT(*) FROM payments p WHERE p.completed_at > ? - INTERVAL 12 HOUR AND 1 <> \
         (SELECT COUNT(*) FROM (SELECT CONVERT('pending' USING ascii) AS status UNION ALL SELECT 'done' \
           UNION ALL SELECT 'dead' UNION ALL SELECT 'dropped') any_status \
          STRAIGHT_JOIN outbound_messages m ON m.status = any_status.status \
          AND m.lane = CONVERT(CONCAT('client:', p.user_id) USING ascii) COLLATE ascii_bin \
          WHERE m.body LIKE CONCAT('%\"notice\":\"receipt\",\"payment_id\":', p.id, '}%') \
           OR m.body LIKE CONCAT('%\"notice\":\"accepted\",\"payment_id\":', p.id, '}%'))",
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
        "addresses of one server that two configs hold",
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM addresses a JOIN address_pools p ON p.id = a.pool_id WHERE a.leased \
          GROUP BY p.server_id, INET_ATON(SUBSTRING_INDEX(p.cidr4, '/', 1)) + a.host HAVING COUNT(*) > 1) v4) \
         + (SELECT COUNT(*) FROM (SELECT 1 FROM addresses a JOIN address_pools p ON p.id = a.pool_id WHERE a.leased \
          AND p.cidr6 IS NOT NULL GROUP BY p.server_id, p.cidr6, a.host HAVING COUNT(*) > 1) v6)",
    ),
    (
        "configs in use that were not handed over exactly once since they were made",
        "SELECT COUNT(*) FROM vpn_configs c WHERE c.status IN ('active', 'suspended') \
         AND (c.delivered_at IS NULL OR 1 <> (SELECT COUNT(*) FROM audit_logs a \
          WHERE a.target = CONCAT('config:', c.id) AND a.action = 'config_delivered' \
          AND a.created_at >= c.delivered_at))",
    ),
    (
        "configs handed over whose link or file was not queued exactly once",
        "SELECT COUNT(*) FROM audit_logs a JOIN vpn_configs c ON c.id = CAST(SUBSTRING(a.target, 8) AS UNSIGNED) \
         WHERE a.action = 'config_delivered' AND a.created_at > ? - INTERVAL 12 HOUR AND 1 <> \
         (SELECT COUNT(*) FROM (SELECT CONVERT('pending' USING ascii) AS status UNION ALL SELECT 'done' \
           UNION ALL SELECT 'dead' UNION ALL SELECT 'dropped') any_status \
          STRAIGHT_JOIN outbound_messages m ON m.status = any_status.status \
          AND m.lane = CONVERT(CONCAT('client:', c.user_id) USING ascii) COLLATE ascii_bin \
          WHERE m.cause_id = a.event_id \
          AND m.body = CONCAT('{\"kind\":\"config\",\"config_id\":', c.id, ',\"part\":\"text\"}'))",
    ),
    (
        "configs that are open although their subscription has ended",
        "SELECT COUNT(*) FROM vpn_configs c JOIN subscriptions s ON s.id = c.subscription_id \
         WHERE c.status = 'active' AND s.status IN ('suspended', 'expired') AND s.updated_at < ?",
    ),
    (
        "dead deliveries, messages or jobs without a reason",
        "SELECT (SELECT COUNT(*) FROM inbound_events WHERE status = 'dead' AND COALESCE(error, '') = '') \
         + (SELECT COUNT(*) FROM outbound_messages WHERE status = 'dead' AND COALESCE(error, '') = '') \
         + (SELECT COUNT(*) FROM jobs WHERE status = 'dead' AND COALESCE(error, '') = '')",
    ),
    (
        "deliveries, messages or jobs that ended at no time",
        "SELECT (SELECT COUNT(*) FROM inbound_events WHERE status IN ('done', 'dead') AND done_at IS NULL) \
         + (SELECT COUNT(*) FROM outbound_messages WHERE status IN ('done', 'dead', 'dropped') AND done_at IS NULL) \
         + (SELECT COUNT(*) FROM jobs WHERE status IN ('done', 'dead', 'dropped') AND done_at IS NULL)",
    ),
    (
        "deliveries, messages or jobs that neither wait nor have ended",
        "SELECT (SELECT COUNT(*) FROM inbound_events WHERE status NOT IN ('pending', 'done', 'dead')) \
         + (SELECT COUNT(*) FROM outbound_messages WHERE status NOT IN ('pending', 'done', 'dead', 'dropped')) \
         + (SELECT COUNT(*) FROM jobs WHERE status NOT IN ('pending', 'done', 'dead', 'dropped'))",
    ),
    ("lanes of work that are due and nobody takes", "SELECT COUNT(*) FROM lanes WHERE due_at < ?"),
    (
        // The longest lease is an hour.
        "lanes that somebody holds for longer than a lease",
        "SELECT COUNT(*) FROM lanes WHERE owner IS NOT NULL AND due_at > ? + INTERVAL 2 HOUR",
    ),
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
        "SELECT (SELECT COUNT(*) FROM outbound_messages WHERE id > UNHEX(RPAD(LPAD(HEX(FLOOR( \
           UNIX_TIMESTAMP(? - INTERVAL 2 DAY) * 1000)), 12, '0'), 32, '0')) \
          AND body REGEXP 'PrivateKey|ss://[A-Za-z0-9_=-]+@') \
         + (SELECT COUNT(*) FROM audit_logs WHERE created_at > ? - INTERVAL 2 DAY \
          AND details REGEXP 'PrivateKey|ss://[A-Za-z0-9_=-]+@') \
         + (SELECT COUNT(*) FROM jobs WHERE id > UNHEX(RPAD(LPAD(HEX(FLOOR( \
           UNIX_TIMESTAMP(? - INTERVAL 2 DAY) * 1000)), 12, '0'), 32, '0')) \
          AND payload REGEXP 'PrivateKey|ss://[A-Za-z0-9_=-]+@')",
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

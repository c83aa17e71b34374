//! payments.

use chrono::TimeDelta;
use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::ids::{ChatId, PaymentId, PlanId, SubscriptionId, UserId};
use crate::models::payment::{Charge, LedgerKind, NewPayment, Payment, PaymentStatus, ProviderId};
use crate::money::{Currency, Money};

/// `SELECT` of a whole row; the rest of the statement follows.
macro_rules! select_payment {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            Payment,
            "SELECT id AS `id: PaymentId`, order_ref, user_id AS `user_id: UserId`, plan_id AS `plan_id: PlanId`, \
             parent_id AS `parent_id: PaymentId`, provider AS `provider: ProviderId`, amount, \
             currency AS `currency: Currency`, duration_days, traffic_mb, device_limit, \
             status AS `status: PaymentStatus`, invoice_id, invoice_url, callback_token, charge_id, paid_amount, \
             paid_currency AS `paid_currency: Currency`, payer AS `payer: UserId`, subscription_id AS `subscription_id: SubscriptionId`, \
             chat_id AS `chat_id: ChatId`, message_id, note, expires_at AS `expires_at: Timestamp`, \
             checked_at AS `checked_at: Timestamp`, completed_at AS `completed_at: Timestamp`, \
             refunded_at AS `refunded_at: Timestamp`, created_at AS `created_at: Timestamp` FROM payments " + $tail
            $(, $arg)*
        )
    };
}

pub async fn insert(conn: &mut MySqlConnection, new: &NewPayment, now: Timestamp) -> sqlx::Result<PaymentId> {
    let done = sqlx::query!(
        "INSERT INTO payments (order_ref, user_id, plan_id, parent_id, provider, amount, currency, duration_days, \
         traffic_mb, device_limit, status, open_key, callback_token, chat_id, message_id, expires_at, created_at, \
         updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        new.order_ref,
        new.user_id,
        new.plan_id,
        new.parent_id,
        new.provider,
        new.price.amount,
        new.price.currency,
        new.duration_days,
        new.traffic_mb,
        new.device_limit,
        PaymentStatus::Pending,
        new.open_key,
        new.callback_token,
        new.chat_id,
        new.message_id,
        new.expires_at,
        now,
        now
    )
    .execute(conn)
    .await?;
    Ok(PaymentId(i64::try_from(done.last_insert_id()).expect("ids stay below 2^63")))
}

pub async fn find(conn: &mut MySqlConnection, id: PaymentId) -> sqlx::Result<Option<Payment>> {
    select_payment!("WHERE id = ?", id).fetch_optional(conn).await
}

/// The row, locked until the transaction ends: whoever changes an order takes this first. By a change: FOR UPDATE holds
/// at one node of a Galera cluster only.
pub async fn lock(conn: &mut MySqlConnection, id: PaymentId) -> sqlx::Result<Option<Payment>> {
    sqlx::query!("UPDATE payments SET updated_at = updated_at + INTERVAL 1 MICROSECOND WHERE id = ?", id)
        .execute(&mut *conn)
        .await?;
    find(conn, id).await
}

pub async fn lock_by_order(conn: &mut MySqlConnection, order_ref: &str) -> sqlx::Result<Option<Payment>> {
    if !order_ref.is_ascii() {
        return Ok(None);
    }
    select_payment!("WHERE order_ref = ? FOR UPDATE", order_ref).fetch_optional(conn).await
}

/// The references are ASCII, and the database refuses to compare them with what is not.
pub async fn find_by_order(conn: &mut MySqlConnection, order_ref: &str) -> sqlx::Result<Option<Payment>> {
    if !order_ref.is_ascii() {
        return Ok(None);
    }
    select_payment!("WHERE order_ref = ?", order_ref).fetch_optional(conn).await
}

pub async fn find_by_token(conn: &mut MySqlConnection, token: &str) -> sqlx::Result<Option<Payment>> {
    select_payment!("WHERE callback_token = ?", token).fetch_optional(conn).await
}

/// The order that is open for a person, plan and provider.
pub async fn find_open(conn: &mut MySqlConnection, open_key: &str) -> sqlx::Result<Option<Payment>> {
    select_payment!("WHERE open_key = ? FOR UPDATE", open_key).fetch_optional(conn).await
}

pub async fn find_by_charge(
    conn: &mut MySqlConnection,
    provider: ProviderId,
    charge_hash: &[u8],
) -> sqlx::Result<Option<Payment>> {
    select_payment!("WHERE provider = ? AND charge_hash = ?", provider, charge_hash)
        .fetch_optional(conn)
        .await
}

/// A person's newest orders.
pub async fn list_of_user(
    conn: &mut MySqlConnection,
    user_id: UserId,
    limit: u32,
) -> sqlx::Result<Vec<Payment>> {
    select_payment!("WHERE user_id = ? ORDER BY id DESC LIMIT ?", user_id, limit).fetch_all(conn).await
}

/// Orders whose money a human has to look at, the oldest first.
pub async fn list_in_review(conn: &mut MySqlConnection, limit: u32) -> sqlx::Result<Vec<Payment>> {
    select_payment!("WHERE status = ? ORDER BY id LIMIT ?", PaymentStatus::Review, limit)
        .fetch_all(conn)
        .await
}

/// A person's newest order that may be paid until after `now`.
pub async fn find_open_of_user(
    conn: &mut MySqlConnection,
    user_id: UserId,
    now: Timestamp,
) -> sqlx::Result<Option<Payment>> {
    select_payment!(
        "WHERE user_id = ? AND status = ? AND expires_at > ? ORDER BY id DESC LIMIT 1",
        user_id,
        PaymentStatus::Pending,
        now
    )
    .fetch_optional(conn)
    .await
}

/// Since when the oldest open order of a provider waits for its invoice.
pub async fn oldest_without_invoice(
    conn: &mut MySqlConnection,
    provider: ProviderId,
) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query_scalar!(
        "SELECT MIN(created_at) AS `oldest: Timestamp` FROM payments \
         WHERE status = ? AND provider = ? AND invoice_url IS NULL",
        PaymentStatus::Pending,
        provider
    )
    .fetch_one(conn)
    .await
}

/// Open orders whose time is over.
pub async fn list_overdue(
    conn: &mut MySqlConnection,
    now: Timestamp,
    limit: u32,
) -> sqlx::Result<Vec<Payment>> {
    select_payment!(
        "WHERE status = ? AND expires_at <= ? ORDER BY expires_at LIMIT ?",
        PaymentStatus::Pending,
        now,
        limit
    )
    .fetch_all(conn)
    .await
}

/// How often orders are looked at whose invoice nobody is known to have paid.
pub struct Looks {
    /// The shortest time between two looks.
    pub least: TimeDelta,
    /// A look comes when this part of the age that the order had at the last one has passed since.
    pub part: u32,
    /// An order that was looked at when it was older than this is left alone.
    pub until: TimeDelta,
    /// And one that is older than this, too, although nobody looked at it in time.
    pub longest_away: TimeDelta,
}

/// Orders of a provider that are due for a look, those first that have waited longest for their age.
pub async fn list_due(
    conn: &mut MySqlConnection,
    provider: ProviderId,
    looks: &Looks,
    now: Timestamp,
    limit: u32,
) -> sqlx::Result<Vec<Payment>> {
    let (least, until) = (looks.least.num_seconds(), looks.until.num_seconds());
    select_payment!(
        "WHERE status IN ('pending', 'expired', 'cancelled') AND provider = ? AND invoice_id IS NOT NULL AND created_at > ? \
         AND TIMESTAMPDIFF(SECOND, created_at, COALESCE(checked_at, created_at)) < ? \
         AND TIMESTAMPDIFF(SECOND, COALESCE(checked_at, created_at), ?) \
             >= GREATEST(?, TIMESTAMPDIFF(SECOND, created_at, COALESCE(checked_at, created_at)) / ?) \
         ORDER BY TIMESTAMPDIFF(SECOND, COALESCE(checked_at, created_at), ?) \
             / GREATEST(?, TIMESTAMPDIFF(SECOND, created_at, COALESCE(checked_at, created_at)) / ?) DESC, id \
         LIMIT ?",
        provider,
        now - looks.longest_away,
        until,
        now,
        least,
        looks.part,
        now,
        least,
        looks.part,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Orders that a person has made since `since` and not paid.
pub async fn count_unpaid(
    conn: &mut MySqlConnection,
    user_id: UserId,
    since: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "SELECT COUNT(*) FROM payments WHERE user_id = ? AND created_at > ? \
         AND status IN ('pending', 'expired', 'failed', 'cancelled')",
        user_id,
        since
    )
    .fetch_one(conn)
    .await
}

/// When a provider was last asked about any order of a person.
pub async fn last_checked(conn: &mut MySqlConnection, user_id: UserId) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query_scalar!(
        "SELECT MAX(checked_at) AS `checked_at: Timestamp` FROM payments WHERE user_id = ?",
        user_id
    )
    .fetch_one(conn)
    .await
}

/// Changes the status of an order that is in `from`; false when it is not any more. An order that leaves
/// `pending` is no longer the open one, and its message may show something else from then on.
pub async fn set_status(
    conn: &mut MySqlConnection,
    id: PaymentId,
    from: PaymentStatus,
    to: PaymentStatus,
    note: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    debug_assert!(from.may_become(to), "{from} never becomes {to}");
    let done = sqlx::query!(
        "UPDATE payments SET status = ?, open_key = NULL, chat_id = NULL, message_id = NULL, \
         note = COALESCE(?, note), updated_at = ?, refunded_at = IF(? = 'refunded', ?, refunded_at) WHERE id = ? AND status = ?",
        to,
        note,
        now,
        to,
        now,
        id,
        from
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Credits a charge to an order that is in `from`; false when it is not any more. A charge that was credited
/// before meets the UNIQUE key.
pub async fn complete(
    conn: &mut MySqlConnection,
    id: PaymentId,
    from: PaymentStatus,
    charge: &Charge,
    subscription_id: SubscriptionId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE payments SET status = ?, open_key = NULL, chat_id = NULL, message_id = NULL, charge_id = ?, \
         charge_hash = ?, paid_amount = ?, paid_currency = ?, subscription_id = ?, completed_at = ?, updated_at = ? \
         WHERE id = ? AND status = ?",
        PaymentStatus::Completed,
        charge.id,
        charge.hash(),
        charge.amount,
        charge.currency,
        subscription_id,
        now,
        now,
        id,
        from
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Remembers the charge of an order that goes to review and who paid it, so that it can be refunded.
pub async fn set_charge(
    conn: &mut MySqlConnection,
    id: PaymentId,
    charge: &Charge,
    payer: Option<UserId>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET charge_id = ?, charge_hash = ?, paid_amount = ?, paid_currency = ?, payer = ?, \
         updated_at = ? WHERE id = ?",
        charge.id,
        charge.hash(),
        charge.amount,
        charge.currency,
        payer,
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_invoice(
    conn: &mut MySqlConnection,
    id: PaymentId,
    invoice_id: &str,
    invoice_url: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET invoice_id = ?, invoice_url = ?, updated_at = ? WHERE id = ?",
        invoice_id,
        invoice_url,
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A message shows something else from now on: no order of its owner is edited there any more.
pub async fn forget_message(
    conn: &mut MySqlConnection,
    user_id: UserId,
    chat_id: ChatId,
    message_id: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET chat_id = NULL, message_id = NULL WHERE user_id = ? AND chat_id = ? AND message_id = ?",
        user_id,
        chat_id,
        message_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The message that shows the order, edited as it proceeds.
pub async fn set_message(
    conn: &mut MySqlConnection,
    id: PaymentId,
    chat_id: ChatId,
    message_id: i64,
) -> sqlx::Result<()> {
    sqlx::query!("UPDATE payments SET chat_id = ?, message_id = ? WHERE id = ?", chat_id, message_id, id)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn set_checked(conn: &mut MySqlConnection, id: PaymentId, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query!("UPDATE payments SET checked_at = ? WHERE id = ?", now, id).execute(conn).await?;
    Ok(())
}

/// Notes an order's money in the ledger.
pub async fn insert_ledger(
    conn: &mut MySqlConnection,
    payment: &Payment,
    kind: LedgerKind,
    money: &Money,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO ledger_entries (payment_id, user_id, kind, amount, currency, created_at) \
         VALUES (?, ?, ?, ?, ?, ?)",
        payment.id,
        payment.user_id,
        kind,
        money.amount,
        money.currency,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

//! unmatched_charges.

use rust_decimal::Decimal;
use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::ids::{ChargeId, PaymentId, UserId};
use crate::models::payment::{Charge, ProviderId, UnmatchedCharge};
use crate::money::Currency;

/// `SELECT` of a whole row; the rest of the statement follows.
macro_rules! select_charge {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            UnmatchedCharge,
            "SELECT id AS `id: ChargeId`, provider AS `provider: ProviderId`, charge_id, payer AS `payer: UserId`, \
             payment_id AS `payment_id: PaymentId`, amount AS `amount: Decimal`, currency AS `currency: Currency`, \
             reason, resolved_at AS `resolved_at: Timestamp`, created_at AS `created_at: Timestamp` \
             FROM unmatched_charges " + $tail
            $(, $arg)*
        )
    };
}

/// Keeps money that fits no order; None when this charge is known already.
pub async fn insert(
    conn: &mut MySqlConnection,
    provider: ProviderId,
    charge: &Charge,
    payer: Option<UserId>,
    payment_id: Option<PaymentId>,
    reason: &str,
    now: Timestamp,
) -> sqlx::Result<Option<ChargeId>> {
    let reason: String = reason.chars().take(255).collect();
    let done = sqlx::query!(
        "INSERT INTO unmatched_charges (provider, charge_hash, charge_id, payer, payment_id, amount, currency, \
         reason, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        provider,
        charge.hash(),
        charge.id,
        payer,
        payment_id,
        charge.amount,
        charge.currency,
        reason,
        now
    )
    .execute(conn)
    .await;
    match done {
        Ok(done) => Ok(Some(ChargeId(i64::try_from(done.last_insert_id()).expect("ids stay below 2^63")))),
        Err(error) if crate::db::is_duplicate(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub async fn find(conn: &mut MySqlConnection, id: ChargeId) -> sqlx::Result<Option<UnmatchedCharge>> {
    select_charge!("WHERE id = ?", id).fetch_optional(conn).await
}

pub async fn find_by_charge(
    conn: &mut MySqlConnection,
    provider: ProviderId,
    charge_hash: &[u8],
) -> sqlx::Result<Option<UnmatchedCharge>> {
    select_charge!("WHERE provider = ? AND charge_hash = ?", provider, charge_hash).fetch_optional(conn).await
}

/// Those that wait for a human, the oldest first.
pub async fn list_open(conn: &mut MySqlConnection, limit: u32) -> sqlx::Result<Vec<UnmatchedCharge>> {
    select_charge!("WHERE resolved_at IS NULL ORDER BY id LIMIT ?", limit).fetch_all(conn).await
}

/// Marks one as settled; false when it was before.
pub async fn resolve(conn: &mut MySqlConnection, id: ChargeId, now: Timestamp) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE unmatched_charges SET resolved_at = ? WHERE id = ? AND resolved_at IS NULL",
        now,
        id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

//! plans, plan_texts, plan_prices.

use rust_decimal::Decimal;
use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::ids::PlanId;
use crate::models::bot::Language;
use crate::models::plan::{Plan, PlanText};
use crate::money::{Currency, Money};

/// `SELECT` of a whole row; the rest of the statement follows.
macro_rules! select_plan {
    ($tail:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            Plan,
            "SELECT id AS `id: PlanId`, code, duration_days, traffic_mb, device_limit, popular AS `popular: bool`, \
             active AS `active: bool`, position FROM plans " + $tail
            $(, $arg)*
        )
    };
}

/// In the order in which they are shown.
pub async fn list(conn: &mut MySqlConnection) -> sqlx::Result<Vec<Plan>> {
    select_plan!("ORDER BY position, id").fetch_all(conn).await
}

pub async fn find(conn: &mut MySqlConnection, id: PlanId) -> sqlx::Result<Option<Plan>> {
    select_plan!("WHERE id = ?", id).fetch_optional(conn).await
}

/// Codes are ASCII, and the database refuses to compare them with what is not.
pub async fn find_by_code(conn: &mut MySqlConnection, code: &str) -> sqlx::Result<Option<Plan>> {
    if !code.is_ascii() {
        return Ok(None);
    }
    select_plan!("WHERE code = ?", code).fetch_optional(conn).await
}

/// The texts of one plan, or of all.
pub async fn texts(conn: &mut MySqlConnection, plan_id: Option<PlanId>) -> sqlx::Result<Vec<PlanText>> {
    sqlx::query_as!(
        PlanText,
        "SELECT plan_id AS `plan_id: PlanId`, language AS `language: Language`, name, description \
         FROM plan_texts WHERE ? IS NULL OR plan_id = ? ORDER BY plan_id, language",
        plan_id,
        plan_id
    )
    .fetch_all(conn)
    .await
}

/// The prices of one plan, or of all.
pub async fn prices(
    conn: &mut MySqlConnection,
    plan_id: Option<PlanId>,
) -> sqlx::Result<Vec<(PlanId, Money)>> {
    let rows = sqlx::query!(
        "SELECT plan_id AS `plan_id: PlanId`, currency AS `currency: Currency`, amount AS `amount: Decimal` \
         FROM plan_prices WHERE ? IS NULL OR plan_id = ? ORDER BY plan_id, currency",
        plan_id,
        plan_id
    )
    .fetch_all(conn)
    .await?;
    // The column has eight decimals whatever the currency has.
    let price = |amount: Decimal, currency| Money::new(amount.normalize(), currency);
    Ok(rows.into_iter().map(|row| (row.plan_id, price(row.amount, row.currency))).collect())
}

/// Stores a plan behind all others and tells its id; `id` and `position` of `plan` are not looked at.
pub async fn insert(conn: &mut MySqlConnection, plan: &Plan, now: Timestamp) -> sqlx::Result<PlanId> {
    let done = sqlx::query!(
        "INSERT INTO plans \
         (code, duration_days, traffic_mb, device_limit, popular, active, position, created_at) \
         SELECT ?, ?, ?, ?, ?, ?, COALESCE(MAX(position), 0) + 10, ? FROM plans",
        plan.code,
        plan.duration_days,
        plan.traffic_mb,
        plan.device_limit,
        plan.popular,
        plan.active,
        now
    )
    .execute(conn)
    .await?;
    Ok(PlanId(i64::try_from(done.last_insert_id()).expect("ids stay below 2^63")))
}

pub async fn insert_text(conn: &mut MySqlConnection, text: &PlanText) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO plan_texts (plan_id, language, name, description) VALUES (?, ?, ?, ?)",
        text.plan_id,
        text.language,
        text.name,
        text.description
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn insert_price(conn: &mut MySqlConnection, plan_id: PlanId, price: &Money) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO plan_prices (plan_id, currency, amount) VALUES (?, ?, ?)",
        plan_id,
        price.currency,
        price.amount
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a plan off sale; false when it is off already.
pub async fn disable(conn: &mut MySqlConnection, id: PlanId) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("UPDATE plans SET active = FALSE WHERE id = ? AND active", id).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

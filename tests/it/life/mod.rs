//! A subscription from its first day to its last, played through the whole server: what people read, what the database
//! holds, and what the VPN server is left with.

mod clock;
mod ends;
mod people;
mod renewals;
mod traffic;

use chrono::TimeDelta;
use usipipo::demo::telegram::{Call, PersonHandle, parse_html};
use usipipo::models::vpn::Protocol;

use crate::story::{buy_with_stars, press};
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

/// Takes the trial; its config is there at the end.
async fn take_trial(town: &Town, person: &PersonHandle, protocol: Protocol) {
    person.send_text(BOT, "/start").unwrap();
    press(person, "trial").await;
    press(person, &format!("trial-take:{protocol}")).await;
    delivered(town, person).await;
}

/// Buys a plan with Stars, by its code; what it brought is there at the end.
async fn buy(town: &Town, person: &PersonHandle, code: &str) {
    let (id, completed) = (person.id, "SELECT COUNT(*) FROM payments WHERE status = 'completed'");
    let mine = format!("{completed} AND user_id = {id}");
    let before = town.count(&mine).await;
    let plan = town.count(&format!("SELECT id FROM plans WHERE code = '{code}'")).await;
    buy_with_stars(person, plan).await;
    eventually(LIMIT, async || town.count(&mine).await == before + 1).await;
    delivered(town, person).await;
}

/// Waits until a person has all configs that are meant for them.
async fn delivered(town: &Town, person: &PersonHandle) {
    let all = format!(
        "SELECT COUNT(*) > 0 AND SUM(status = 'active' AND applied = 'present') = COUNT(*) FROM vpn_configs \
         WHERE user_id = {} AND status NOT IN ('revoked', 'removed')",
        person.id
    );
    eventually(LIMIT, async || town.count(&all).await == 1).await;
    town.settled().await;
}

/// How many messages that came to a person say this, though a press may have changed them since.
fn heard(town: &Town, person: &PersonHandle, part: &str) -> usize {
    let said = |call: &Call| {
        let words = parse_html(call.text("text")).unwrap().text;
        call.chat == Some(person.id) && call.succeeded() && words.contains(part)
    };
    town.telegram.calls_of("sendMessage").iter().filter(|call| said(call)).count()
}

/// The one row of `subscriptions` that a condition leaves: status, and days to its end, rounded.
async fn subscription(town: &Town, condition: &str) -> (String, i64) {
    let rows: Vec<(String, usipipo::clock::Timestamp)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT status, ends_at FROM subscriptions WHERE {condition}"
    )))
    .fetch_all(&town.db.pool)
    .await
    .unwrap();
    let [(status, ends_at)] = rows.as_slice() else { panic!("{condition}: {rows:?}") };
    (status.clone(), (ends_at.since(town.clock.now()).num_hours() + 12).div_euclid(24))
}

/// Id, keys and status of every config of a subscription.
async fn configs(town: &Town, subscription: &str) -> Vec<(i64, Option<String>, String)> {
    let sql = format!(
        "SELECT c.id, c.public_id, c.status FROM vpn_configs c JOIN subscriptions s ON s.id = c.subscription_id \
         WHERE s.{subscription} ORDER BY c.id"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&town.db.pool).await.unwrap()
}

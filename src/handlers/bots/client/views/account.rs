//! A person's own data: subscriptions, payments, roles, history. The team sees the same of others, if it may.

use std::collections::BTreeMap;

use crate::handlers::bots::screens::{LogLine, MyLogs, PaymentView, Profile, RoleView, SubscriptionView};
use crate::handlers::bots::step::StepError;
use crate::handlers::bots::talk::Talk;
use crate::ids::{PlanId, UserId};
use crate::models::payment::Payment;
use crate::models::plan::PlanName;
use crate::models::role::Role;
use crate::services::{access, audit, catalogue, payment, subscription};

/// Payments that any screen shows at most.
const PAYMENTS: u32 = 5;
/// The last page that a button may ask for.
pub const LAST_PAGE: u32 = 100_000;

/// All of a person's subscriptions, the latest end first, with the names of their plans.
pub async fn subscriptions(talk: &mut Talk<'_>, user: UserId) -> sqlx::Result<Vec<SubscriptionView>> {
    let rows = subscription::list_of_user(talk.work, user).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = catalogue::names(talk.work, talk.user.language).await?;
    let name = |plan| names.get(&plan).cloned().unwrap_or_default();
    Ok(rows.iter().map(|row| SubscriptionView::of(row, row.plan_id.map(name))).collect())
}

/// The newest payments of a person.
pub async fn payments(talk: &mut Talk<'_>, user: UserId) -> sqlx::Result<Vec<PaymentView>> {
    let rows = payment::recent(talk.work, user, PAYMENTS).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = catalogue::names(talk.work, talk.user.language).await?;
    Ok(rows.iter().map(|row| payment_view(row, &names)).collect())
}

pub fn payment_view(row: &Payment, names: &BTreeMap<PlanId, PlanName>) -> PaymentView {
    PaymentView {
        id: row.id,
        order_ref: row.order_ref.clone(),
        plan: names.get(&row.plan_id).map(|plan| plan.name.clone()).unwrap_or_default(),
        price: row.price(),
        provider: row.provider,
        status: row.status,
        created_at: row.created_at,
    }
}

/// The roles above the ordinary one that are in force, with their ends; those of the environment have none.
pub async fn roles(talk: &mut Talk<'_>, user: UserId) -> Result<Vec<RoleView>, StepError> {
    let held = access::roles_of(talk.work, user).await?;
    let given = access::environment_role(&talk.work.config(), user);
    let grants = access::grants_of(talk.work, user).await?;
    let expires_at = |role: Role| match given == Some(role) {
        true => None,
        false => grants.iter().find(|grant| grant.role == role).and_then(|grant| grant.expires_at),
    };
    let above = held.into_iter().filter(|role| *role != Role::User);
    Ok(above.map(|role| RoleView { role, expires_at: expires_at(role) }).collect())
}

pub async fn profile(talk: &mut Talk<'_>) -> Result<Profile, StepError> {
    let id = talk.user.id;
    let mut held = subscriptions(talk, id).await?;
    if held.iter().any(|held| super::is_open(held.status)) {
        held.retain(|held| super::is_open(held.status));
    } else {
        held.truncate(1);
    }
    Ok(Profile {
        id,
        first_name: talk.user.first_name.clone(),
        username: talk.user.username.clone(),
        language: talk.user.language,
        created_at: talk.user.created_at,
        roles: roles(talk, id).await?,
        subscriptions: held,
        payments: payments(talk, id).await?,
        now: talk.work.now(),
    })
}

/// `page` counts from 0.
pub async fn my_logs(talk: &mut Talk<'_>, page: u32) -> Result<MyLogs, StepError> {
    let (page, user) = (page.min(LAST_PAGE), talk.user.id);
    let rows = audit::my_logs(talk.work, user, page).await?;
    let more =
        rows.len() == audit::PAGE as usize && !audit::my_logs(talk.work, user, page + 1).await?.is_empty();
    let entries = rows.into_iter().map(|row| LogLine { at: row.created_at, action: row.action });
    Ok(MyLogs { entries: entries.collect(), page, more, now: talk.work.now() })
}

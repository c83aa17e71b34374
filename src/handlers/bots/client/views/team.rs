//! What the team sees. Every service asked here asks for its permission first.

use chrono::TimeDelta;

use super::account::{self, LAST_PAGE};
use crate::handlers::bots::screens::PaymentView;
use crate::handlers::bots::screens::admin::{
    AccessAfter, Audit, AuditLine, BanTarget, Queues, RefundPreview, Review, Reviews, Sales, Stats, UserLine,
    Users, Whois,
};
use crate::handlers::bots::step::StepError;
use crate::handlers::bots::talk::Talk;
use crate::ids::UserId;
use crate::models::payment::Payment;
use crate::models::server::ServerHealth;
use crate::models::user::User;
use crate::models::vpn::ConfigStatus;
use crate::services::stats::{self as numbers, Income};
use crate::services::{access, audit as log, catalogue, payment, people, server, subscription, vpn};

/// People on a page of /users.
const USERS_PAGE: u32 = 10;
/// Orders in review, and charges, that fit one message.
const REVIEWS: u32 = 5;

/// First and last name.
fn full_name(user: &User) -> String {
    match &user.last_name {
        Some(last) => format!("{} {last}", user.first_name),
        None => user.first_name.clone(),
    }
}

pub fn ban_target(user: &User) -> BanTarget {
    BanTarget { id: user.id, name: full_name(user) }
}

/// `page` counts from 0.
pub async fn users(talk: &mut Talk<'_>, page: u32) -> Result<Users, StepError> {
    let page = page.min(LAST_PAGE);
    let mut rows = people::list(talk.work, page * USERS_PAGE, USERS_PAGE + 1).await?;
    let more = rows.len() > USERS_PAGE as usize;
    rows.truncate(USERS_PAGE as usize);
    let line = |user: &User| UserLine {
        id: user.id,
        name: full_name(user),
        username: user.username.clone(),
        status: user.status,
        last_seen_at: user.last_seen_at,
    };
    Ok(Users {
        users: rows.iter().map(line).collect(),
        total: count(people::count(talk.work).await?),
        page,
        more,
        now: talk.work.now(),
    })
}

/// Everything about one person, for somebody who may see people.
pub async fn whois(talk: &mut Talk<'_>, user: User) -> Result<Whois, StepError> {
    let configs = vpn::list_of_user(talk.work, user.id).await?.len();
    Ok(Whois {
        id: user.id,
        name: full_name(&user),
        trial_at: subscription::trial_taken_at(talk.work, user.id).await?,
        roles: account::roles(talk, user.id).await?,
        subscriptions: account::subscriptions(talk, user.id).await?,
        configs: u32::try_from(configs).unwrap_or(u32::MAX),
        payments: account::payments(talk, user.id).await?,
        viewer: access::roles_of(talk.work, talk.user.id).await?,
        now: talk.work.now(),
        username: user.username,
        language: user.language,
        status: user.status,
        created_at: user.created_at,
        last_seen_at: user.last_seen_at,
        referrer: user.referrer,
    })
}

/// `page` counts from 0; `of` is None for everybody's rows.
pub async fn audit(talk: &mut Talk<'_>, of: Option<UserId>, page: u32) -> Result<Audit, StepError> {
    let page = page.min(LAST_PAGE);
    let (rows, next) = match of {
        Some(user) => {
            (log::my_logs(talk.work, user, page).await?, log::my_logs(talk.work, user, page + 1).await?)
        }
        None => (log::recent(talk.work, page).await?, log::recent(talk.work, page + 1).await?),
    };
    let line = |row: crate::models::audit::AuditEntry| AuditLine {
        at: row.created_at,
        actor: row.user_id,
        action: row.action,
        target: row.target,
        details: row.details,
    };
    Ok(Audit { entries: rows.into_iter().map(line).collect(), of, page, more: !next.is_empty() })
}

pub async fn stats(talk: &mut Talk<'_>) -> Result<Stats, StepError> {
    let counted = numbers::collect(talk.work).await?;
    let servers = server::list(talk.work).await?;
    let up = servers.iter().filter(|server| server.health == ServerHealth::Up).count();
    let active = counted.configs.iter().filter(|(_, status, _)| *status == ConfigStatus::Active);
    Ok(Stats {
        people: count(counted.people),
        new_today: count(counted.people_new_today),
        active_week: count(counted.people_active_7_days),
        paid: count(counted.subscriptions),
        trials: count(counted.trials),
        configs: active.map(|(_, _, configs)| count(*configs)).sum(),
        today: sales(counted.income_today),
        month: sales(counted.income_30_days),
        servers_up: up as u64,
        servers: servers.len() as u64,
        queues: Queues {
            events: count(counted.inbox.waiting),
            messages: count(counted.outbox.waiting),
            jobs: count(counted.jobs.waiting),
            dead: count(counted.dead),
            reviews: count(counted.reviews),
        },
    })
}

fn sales(incomes: Vec<Income>) -> Sales {
    Sales {
        orders: incomes.iter().map(|income| count(income.payments)).sum(),
        sums: incomes.into_iter().map(|income| income.sum).collect(),
    }
}

/// Counts of the database are never negative.
fn count(counted: i64) -> u64 {
    u64::try_from(counted).unwrap_or(0)
}

/// What a refund of this order would do.
pub async fn refund_preview(talk: &mut Talk<'_>, order: &Payment) -> sqlx::Result<RefundPreview> {
    let names = catalogue::names(talk.work, talk.user.language).await?;
    let payer = people::get(talk.work, order.paid_by()).await?;
    let bought = match order.subscription_id {
        Some(id) => subscription::own(talk.work, order.user_id, id).await?,
        None => None,
    };
    let now = talk.work.now();
    let access = match bought.map(|bought| subscription::end_without(order, &bought, now)) {
        None => AccessAfter::None,
        Some(None) => AccessAfter::Over,
        Some(Some(end)) if end <= now => AccessAfter::EndsAtOnce,
        Some(Some(end)) => AccessAfter::Until(end),
    };
    Ok(RefundPreview {
        payment: PaymentView { price: order.paid(), ..account::payment_view(order, &names) },
        payer: order.paid_by(),
        payer_name: payer.as_ref().map(full_name).unwrap_or_default(),
        paid_at: order.completed_at.unwrap_or(order.created_at),
        charge: order.charge_id.clone(),
        access,
    })
}

/// An order in review, with what accepting it would give.
pub async fn review(talk: &mut Talk<'_>, order: &Payment) -> sqlx::Result<Review> {
    let names = catalogue::names(talk.work, talk.user.language).await?;
    let held = subscription::list_of_user(talk.work, order.user_id).await?;
    let same = held.iter().find(|held| held.plan_id == Some(order.plan_id));
    let now = talk.work.now();
    let begins = same.map_or(now, |same| same.ends_at.max(now));
    Ok(Review {
        payment: account::payment_view(order, &names),
        buyer: named(talk, order.user_id).await?,
        payer: match order.paid_by() {
            payer if payer == order.user_id => None,
            payer => Some(named(talk, payer).await?),
        },
        came: payment::charge_of(order).and_then(|charge| charge.money()),
        charge: order.charge_id.clone(),
        reason: order.note.clone().unwrap_or_default(),
        days: order.duration_days,
        traffic_mb: order.traffic_mb,
        device_limit: order.device_limit,
        ends_at: begins + TimeDelta::days(i64::from(order.duration_days)),
    })
}

/// Somebody with their name, if they are known.
async fn named(talk: &mut Talk<'_>, id: UserId) -> sqlx::Result<(UserId, String)> {
    let known = people::get(talk.work, id).await?;
    Ok((id, known.as_ref().map(full_name).unwrap_or_default()))
}

/// What a human has to look at, a few at a time.
pub async fn reviews(talk: &mut Talk<'_>) -> Result<Reviews, StepError> {
    let (orders, charges) = payment::reviews(talk.work, REVIEWS).await?;
    let names = catalogue::names(talk.work, talk.user.language).await?;
    let order = |row: &Payment| (account::payment_view(row, &names), row.note.clone().unwrap_or_default());
    Ok(Reviews { orders: orders.iter().map(order).collect(), charges })
}

//! Who may use what until when: buying, extending, taking back, and what happens at the end.

use chrono::TimeDelta;
use serde_json::json;

use crate::clock::Timestamp;
use crate::crud;
use crate::ids::{SubscriptionId, UserId};
use crate::models::audit::Action;
use crate::models::job::Job;
use crate::models::notice::Notice;
use crate::models::payment::Payment;
use crate::models::subscription::{ReminderKind, Subscription, SubscriptionStatus, TRIAL, product_of};
use crate::work::Work;

/// Bytes of a plan's or a trial's traffic.
pub fn mebibytes(mb: u64) -> u64 {
    mb.saturating_mul(1 << 20)
}

/// Gives what an order bought: a new subscription, or the one of the same plan extended from the later of now
/// and its end. What was left of the traffic is kept.
pub async fn extend(work: &mut Work, order: &Payment) -> sqlx::Result<Subscription> {
    let days = TimeDelta::days(i64::from(order.duration_days));
    let until = |from: Timestamp| from + days;
    extend_to(work, order, until).await
}

/// As [`extend`], to the end that a Telegram Stars subscription names.
pub async fn extend_until(
    work: &mut Work,
    order: &Payment,
    ends_at: Timestamp,
) -> sqlx::Result<Subscription> {
    extend_to(work, order, |from| from.max(ends_at)).await
}

async fn extend_to(
    work: &mut Work,
    order: &Payment,
    until: impl Fn(Timestamp) -> Timestamp,
) -> sqlx::Result<Subscription> {
    let now = work.now();
    let product = product_of(order.plan_id);
    let bought = order.traffic_mb.map(mebibytes);
    let found = crud::subscription::lock_product(work.conn(), order.user_id, &product).await?;
    let Some(mut subscription) = found else {
        let new = Subscription {
            id: SubscriptionId(0),
            user_id: order.user_id,
            product,
            plan_id: Some(order.plan_id),
            status: SubscriptionStatus::Active,
            starts_at: now,
            ends_at: until(now),
            device_limit: order.device_limit,
            allowance: bought,
            used: 0,
            renews: false,
            created_at: now,
        };
        let id = crud::subscription::insert(work.conn(), &new).await?;
        return Ok(Subscription { id, ..new });
    };
    let running = subscription.ends_at > now && subscription.status != SubscriptionStatus::Expired;
    if running {
        let granted = bought.zip(subscription.allowance).map(|(new, old)| old.saturating_add(new));
        subscription.allowance = granted;
    } else {
        subscription.starts_at = now;
        subscription.allowance = bought.map(|new| subscription.used.saturating_add(new));
    }
    subscription.ends_at = until(subscription.ends_at.max(now));
    subscription.device_limit = order.device_limit;
    subscription.status = SubscriptionStatus::Active;
    crud::subscription::update(work.conn(), &subscription, now).await?;
    work.enqueue(Job::ApplySubscription { subscription_id: subscription.id });
    Ok(subscription)
}

/// Takes back what a refunded order had given: its days and its traffic. Access ends at once when nothing is left.
/// An order whose time ran out before the subscription began anew has nothing left in it.
pub async fn take_back(work: &mut Work, order: &Payment) -> sqlx::Result<()> {
    let Some(id) = order.subscription_id else { return Ok(()) };
    let Some(mut subscription) = crud::subscription::lock(work.conn(), id).await? else { return Ok(()) };
    let now = work.now();
    let before = subscription.ends_at;
    let is_spent = order.completed_at.is_some_and(|at| at < subscription.starts_at);
    if is_spent || subscription.status == SubscriptionStatus::Expired {
        return Ok(());
    }
    subscription.ends_at = before - TimeDelta::days(i64::from(order.duration_days));
    subscription.renews = false;
    if let (Some(allowance), Some(mb)) = (subscription.allowance, order.traffic_mb) {
        subscription.allowance = Some(allowance.saturating_sub(mebibytes(mb)));
    }
    if subscription.ends_at <= now && subscription.status == SubscriptionStatus::Active {
        subscription.ends_at = now;
        subscription.status = SubscriptionStatus::Suspended;
    }
    crud::subscription::update(work.conn(), &subscription, now).await?;
    work.enqueue(Job::ApplySubscription { subscription_id: id });
    let details = json!({ "payment": order.id, "ends_at": { "old": before, "new": subscription.ends_at } });
    work.audit(Action::SubscriptionTakenBack, Some(&format!("subscription:{id}")), details).await
}

#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error("no trial is offered")]
    NotOffered,
    #[error("the trial was used before")]
    Used,
    #[error(transparent)]
    Config(#[from] super::vpn::ConfigError),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Starts the trial: once per person for ever. The config arrives when it is made.
pub async fn start_trial(
    work: &mut Work,
    user_id: UserId,
    protocol: crate::models::vpn::Protocol,
) -> Result<Subscription, TrialError> {
    let config = work.config();
    let access = &config.access;
    if access.trial_days == 0 {
        return Err(TrialError::NotOffered);
    }
    if crud::subscription::trial_used(work.conn(), user_id).await? {
        return Err(TrialError::Used);
    }
    // Before anything is written: a trial that finds no room is not taken.
    super::vpn::check_room(work, protocol).await?;
    let now = work.now();
    let new = Subscription {
        id: SubscriptionId(0),
        user_id,
        product: TRIAL.to_owned(),
        plan_id: None,
        status: SubscriptionStatus::Active,
        starts_at: now,
        ends_at: now + TimeDelta::days(i64::from(access.trial_days)),
        device_limit: 1,
        allowance: Some(mebibytes(access.trial_traffic_mb)),
        used: 0,
        renews: false,
        created_at: now,
    };
    let id = match crud::subscription::insert(work.conn(), &new).await {
        Err(error) if crate::db::is_duplicate(&error) => return Err(TrialError::Used),
        other => other?,
    };
    if !crud::subscription::insert_trial(work.conn(), user_id, id, now).await? {
        return Err(TrialError::Used);
    }
    let subscription = Subscription { id, ..new };
    let details = json!({ "protocol": protocol, "ends_at": subscription.ends_at });
    work.audit(Action::TrialStarted, Some(&format!("subscription:{id}")), details).await?;
    super::vpn::add_config(work, &subscription, protocol).await?;
    Ok(subscription)
}

/// When a person took the trial; None while they may still take it.
pub async fn trial_taken_at(work: &mut Work, user_id: UserId) -> sqlx::Result<Option<Timestamp>> {
    crud::subscription::trial_at(work.conn(), user_id).await
}

/// Everything a person ever had, the latest end first.
pub async fn list_of_user(work: &mut Work, user_id: UserId) -> sqlx::Result<Vec<Subscription>> {
    crud::subscription::list_of_user(work.conn(), user_id).await
}

/// A subscription of this person; somebody else's is as unknown as one that never was.
pub async fn own(work: &mut Work, user_id: UserId, id: SubscriptionId) -> sqlx::Result<Option<Subscription>> {
    let found = crud::subscription::find(work.conn(), id).await?;
    Ok(found.filter(|subscription| subscription.user_id == user_id))
}

/// Subscriptions looked at in one transaction of the expiry.
const BATCH: u32 = 200;

/// Reminds, suspends and expires what is due; true when there may be more. Each reminder is given once for each
/// end, and only the latest that applies: after a pause of the server nobody gets three at once.
pub async fn expire_due(work: &mut Work) -> sqlx::Result<bool> {
    let now = work.now();
    let mut more =
        remind(work, ReminderKind::ThreeDays, now + TimeDelta::days(1), now + TimeDelta::days(3)).await?;
    more |= remind(work, ReminderKind::OneDay, now, now + TimeDelta::days(1)).await?;
    more |= suspend_ended(work).await?;
    more |= expire_suspended(work).await?;
    Ok(more)
}

async fn remind(
    work: &mut Work,
    kind: ReminderKind,
    from: Timestamp,
    until: Timestamp,
) -> sqlx::Result<bool> {
    let due = crud::subscription::list_unreminded(work.conn(), kind, from, until, BATCH).await?;
    for subscription in &due {
        let now = work.now();
        if crud::subscription::insert_reminder(work.conn(), subscription, kind, now).await? {
            work.notify(subscription.user_id, Notice::Reminder { subscription_id: subscription.id, kind });
        }
    }
    Ok(due.len() == BATCH as usize)
}

async fn suspend_ended(work: &mut Work) -> sqlx::Result<bool> {
    let now = work.now();
    let (status, past) = (SubscriptionStatus::Active, Timestamp::long_ago());
    let ended = crud::subscription::list_ending(work.conn(), status, past, now, BATCH).await?;
    for found in &ended {
        // Read again under lock: a purchase may have extended it a moment ago.
        let Some(mut subscription) = crud::subscription::lock(work.conn(), found.id).await? else { continue };
        if subscription.status != SubscriptionStatus::Active || subscription.ends_at > now {
            continue;
        }
        subscription.status = SubscriptionStatus::Suspended;
        crud::subscription::update(work.conn(), &subscription, now).await?;
        work.enqueue(Job::ApplySubscription { subscription_id: subscription.id });
        if crud::subscription::insert_reminder(work.conn(), &subscription, ReminderKind::Ended, now).await? {
            let notice = Notice::Reminder { subscription_id: subscription.id, kind: ReminderKind::Ended };
            work.notify(subscription.user_id, notice);
        }
        let target = format!("subscription:{}", subscription.id);
        let details = json!({ "ends_at": subscription.ends_at, "user_id": subscription.user_id });
        work.audit(Action::SubscriptionEnded, Some(&target), details).await?;
    }
    Ok(ended.len() == BATCH as usize)
}

/// After the grace time the configs are removed and their addresses released.
async fn expire_suspended(work: &mut Work) -> sqlx::Result<bool> {
    let now = work.now();
    let (status, past) = (SubscriptionStatus::Suspended, Timestamp::long_ago());
    let over = now - work.config().access.grace;
    let due = crud::subscription::list_ending(work.conn(), status, past, over, BATCH).await?;
    for found in &due {
        let Some(mut subscription) = crud::subscription::lock(work.conn(), found.id).await? else { continue };
        if subscription.status != SubscriptionStatus::Suspended || subscription.ends_at > over {
            continue;
        }
        subscription.status = SubscriptionStatus::Expired;
        crud::subscription::update(work.conn(), &subscription, now).await?;
        work.enqueue(Job::ApplySubscription { subscription_id: subscription.id });
        let target = format!("subscription:{}", subscription.id);
        work.audit(Action::SubscriptionExpired, Some(&target), json!({ "user_id": subscription.user_id }))
            .await?;
    }
    Ok(due.len() == BATCH as usize)
}

/// Adds traffic that the configs of a subscription used; warns at four fifths and suspends when it is used up.
pub async fn add_traffic(work: &mut Work, id: SubscriptionId, bytes: u64) -> sqlx::Result<()> {
    crud::subscription::add_used(work.conn(), id, bytes).await?;
    let Some(mut subscription) = crud::subscription::lock(work.conn(), id).await? else { return Ok(()) };
    let Some(allowance) = subscription.allowance else { return Ok(()) };
    if subscription.status != SubscriptionStatus::Active {
        return Ok(());
    }
    let kind = if subscription.used >= allowance {
        ReminderKind::TrafficOut
    } else if subscription.used >= allowance / 5 * 4 {
        ReminderKind::TrafficLow
    } else {
        return Ok(());
    };
    let now = work.now();
    if kind == ReminderKind::TrafficOut {
        subscription.status = SubscriptionStatus::Suspended;
        crud::subscription::update(work.conn(), &subscription, now).await?;
        work.enqueue(Job::ApplySubscription { subscription_id: id });
        let details = json!({ "used": subscription.used, "allowance": allowance });
        work.audit(Action::TrafficUsedUp, Some(&format!("subscription:{id}")), details).await?;
    }
    if crud::subscription::insert_reminder(work.conn(), &subscription, kind, now).await? {
        work.notify(subscription.user_id, Notice::Reminder { subscription_id: id, kind });
    }
    Ok(())
}

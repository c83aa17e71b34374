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
/// and its end. What was left of the traffic is kept, and is counted from zero again.
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
    let before = shown(&subscription);
    let running = subscription.ends_at > now && subscription.status != SubscriptionStatus::Expired;
    let left = if running { subscription.traffic_left() } else { Some(0) };
    subscription.allowance = bought.zip(left).map(|(new, left)| left.saturating_add(new));
    subscription.used = 0;
    if !running {
        subscription.starts_at = now;
    }
    subscription.ends_at = until(subscription.ends_at.max(now));
    subscription.device_limit = order.device_limit;
    subscription.status = SubscriptionStatus::Active;
    crud::subscription::update(work.conn(), &subscription, now).await?;
    crud::subscription::forget_reminders(work.conn(), subscription.id, now).await?;
    leave_out_reminders(work, &subscription).await?;
    work.enqueue(Job::ApplySubscription { subscription_id: subscription.id });
    audit_change(work, Action::SubscriptionExtended, &subscription, before).await?;
    Ok(subscription)
}

/// Who has paid just now is not reminded of an end that the receipt names: only of what is still to come.
async fn leave_out_reminders(work: &mut Work, subscription: &Subscription) -> sqlx::Result<()> {
    let now = work.now();
    for kind in [ReminderKind::ThreeDays, ReminderKind::OneDay] {
        if subscription.ends_at - TimeDelta::days(i64::from(kind.days_before())) <= now {
            crud::subscription::insert_reminder(work.conn(), subscription, kind, now).await?;
        }
    }
    Ok(())
}

/// A subscription as an audit row shows it.
fn shown(subscription: &Subscription) -> serde_json::Value {
    let Subscription { status, ends_at, allowance, used, .. } = subscription;
    json!({ "status": status, "ends_at": ends_at, "allowance": allowance, "used": used })
}

async fn audit_change(
    work: &mut Work,
    action: Action,
    subscription: &Subscription,
    before: serde_json::Value,
) -> sqlx::Result<()> {
    let details = json!({ "user_id": subscription.user_id, "old": before, "new": shown(subscription) });
    work.audit(action, Some(&format!("subscription:{}", subscription.id)), details).await
}

/// Where a subscription ends without the days of an order. None when none of them is left in it: its time is over, or
/// ran out before the subscription began anew.
pub fn end_without(order: &Payment, subscription: &Subscription, now: Timestamp) -> Option<Timestamp> {
    let is_over = subscription.ends_at <= now || subscription.status == SubscriptionStatus::Expired;
    let is_spent = order.completed_at.is_none_or(|at| at < subscription.starts_at);
    let days = TimeDelta::days(i64::from(order.duration_days));
    (!is_over && !is_spent).then(|| (subscription.ends_at - days).max(now))
}

/// Takes back what a refunded order had given: its days and its traffic. Access ends at once when nothing is left.
/// False when nothing of the order was left to take, see [`end_without`].
pub async fn take_back(work: &mut Work, order: &Payment) -> sqlx::Result<bool> {
    let Some(id) = order.subscription_id else { return Ok(false) };
    let Some(mut subscription) = crud::subscription::lock(work.conn(), id).await? else { return Ok(false) };
    let now = work.now();
    let before = shown(&subscription);
    let Some(end) = end_without(order, &subscription, now) else { return Ok(false) };
    subscription.ends_at = end;
    subscription.renews = false;
    if let (Some(allowance), Some(mb)) = (subscription.allowance, order.traffic_mb) {
        subscription.allowance = Some(allowance.saturating_sub(mebibytes(mb)));
    }
    if end <= now && subscription.status == SubscriptionStatus::Active {
        subscription.status = SubscriptionStatus::Suspended;
        // They are told of the refund, and that says it all.
        crud::subscription::insert_reminder(work.conn(), &subscription, ReminderKind::Ended, now).await?;
    }
    crud::subscription::update(work.conn(), &subscription, now).await?;
    work.enqueue(Job::ApplySubscription { subscription_id: id });
    audit_change(work, Action::SubscriptionTakenBack, &subscription, before).await?;
    Ok(true)
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
    if work.glance_at(user_id).is_some_and(|person| !person.took_trial) {
        return Ok(None);
    }
    crud::subscription::trial_at(work.reading(), user_id).await
}

/// Everything a person ever had, the latest end first.
pub async fn list_of_user(work: &mut Work, user_id: UserId) -> sqlx::Result<Vec<Subscription>> {
    if work.glance_at(user_id).is_some_and(|person| !person.has_subscriptions) {
        return Ok(Vec::new());
    }
    crud::subscription::list_of_user(work.reading(), user_id).await
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
    let (now, day) = (work.now(), TimeDelta::days(1));
    let (active, suspended) = (SubscriptionStatus::Active, SubscriptionStatus::Suspended);
    let mut more = remind(work, ReminderKind::ThreeDays, active, now + day, now + day * 3).await?;
    more |= remind(work, ReminderKind::OneDay, active, now, now + day).await?;
    more |= suspend_ended(work).await?;
    more |= resume_unended(work).await?;
    // Whose traffic was used up before the end has been suspended since, and hears of the end all the same.
    let grace = work.config().access.grace;
    more |= remind(work, ReminderKind::Ended, suspended, now - grace, now).await?;
    more |= expire_suspended(work).await?;
    Ok(more)
}

/// Gives a reminder to those in `status` whose end lies between `from` and `until`.
async fn remind(
    work: &mut Work,
    kind: ReminderKind,
    status: SubscriptionStatus,
    from: Timestamp,
    until: Timestamp,
) -> sqlx::Result<bool> {
    let due = crud::subscription::list_unreminded(work.conn(), kind, status, from, until, BATCH).await?;
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
        let before = shown(&subscription);
        subscription.status = SubscriptionStatus::Suspended;
        crud::subscription::update(work.conn(), &subscription, now).await?;
        work.enqueue(Job::ApplySubscription { subscription_id: subscription.id });
        if crud::subscription::insert_reminder(work.conn(), &subscription, ReminderKind::Ended, now).await? {
            let notice = Notice::Reminder { subscription_id: subscription.id, kind: ReminderKind::Ended };
            work.notify(subscription.user_id, notice);
        }
        audit_change(work, Action::SubscriptionEnded, &subscription, before).await?;
    }
    Ok(ended.len() == BATCH as usize)
}

/// Nothing is suspended that has time and traffic left, but by a clock that was wrong for a while.
async fn resume_unended(work: &mut Work) -> sqlx::Result<bool> {
    let now = work.now();
    let wronged = crud::subscription::list_wrongly_suspended(work.conn(), now, BATCH).await?;
    for found in &wronged {
        let Some(mut subscription) = crud::subscription::lock(work.conn(), found.id).await? else { continue };
        let suspended = subscription.status == SubscriptionStatus::Suspended;
        if !suspended || subscription.ends_at <= now || subscription.traffic_left() == Some(0) {
            continue;
        }
        let before = shown(&subscription);
        subscription.status = SubscriptionStatus::Active;
        crud::subscription::update(work.conn(), &subscription, now).await?;
        crud::subscription::take_reminder_back(work.conn(), &subscription, ReminderKind::Ended).await?;
        work.enqueue(Job::ApplySubscription { subscription_id: subscription.id });
        audit_change(work, Action::SubscriptionResumed, &subscription, before).await?;
    }
    Ok(wronged.len() == BATCH as usize)
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
        let before = shown(&subscription);
        subscription.status = SubscriptionStatus::Expired;
        crud::subscription::update(work.conn(), &subscription, now).await?;
        work.enqueue(Job::ApplySubscription { subscription_id: subscription.id });
        audit_change(work, Action::SubscriptionExpired, &subscription, before).await?;
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
        let before = shown(&subscription);
        subscription.status = SubscriptionStatus::Suspended;
        crud::subscription::update(work.conn(), &subscription, now).await?;
        work.enqueue(Job::ApplySubscription { subscription_id: id });
        audit_change(work, Action::TrafficUsedUp, &subscription, before).await?;
    }
    if crud::subscription::insert_reminder(work.conn(), &subscription, kind, now).await? {
        work.notify(subscription.user_id, Notice::Reminder { subscription_id: id, kind });
    }
    Ok(())
}

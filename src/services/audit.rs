//! Saying what happened: in audit_logs with the change, in the log, and to the people it concerns. Callers see to it
//! that no details hold a secret.

use std::collections::BTreeSet;
use std::error::Error as StdError;

use chrono::TimeDelta;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::crud;
use crate::ids::UserId;
use crate::models::audit::{Action, Actor, AuditEntry};
use crate::models::notice::{Alert, Notice};
use crate::models::role::Permission;
use crate::services::access::{self, AccessError};
use crate::work::Work;

/// Rows of one page.
pub const PAGE: u32 = 10;

/// How the target of an audit row begins that is counted by its topic.
const TOPIC: &str = "alert:";
const HOUR: TimeDelta = TimeDelta::hours(1);

/// An error that a message to a person never shows.
pub type Cause<'a> = &'a (dyn StdError + Send + Sync + 'static);

/// An audit row in the name of whoever acts, a line in the log, and a message to `user`.
pub async fn log_and_notify(
    work: &mut Work,
    user: UserId,
    action: Action,
    target: Option<&str>,
    details: impl Serialize,
    notice: Notice,
) -> sqlx::Result<()> {
    let details = serde_json::to_value(details).expect("audit details are plain data");
    tracing::info!(user_id = name(work.actor()), told = user.0, %action, audit_target = target, %details, "audit");
    work.audit(action, target, details).await?;
    work.notify(user, notice);
    Ok(())
}

/// After a failure, in a unit of work of its own: a row `{action}_error`, the whole error in the log, and for `user`
/// nothing but the `reference` that finds it there, told once.
pub async fn log_error_and_notify(
    work: &mut Work,
    user: UserId,
    action: Action,
    error: Cause<'_>,
    reference: &str,
) -> sqlx::Result<()> {
    let user_id = name(work.actor());
    tracing::error!(user_id, told = user.0, %action, reference, error = chain(error), "failed");
    let details = serde_json::json!({ "reference": reference });
    work.audit_error(action, Some(&format!("user:{user}")), details).await?;
    let trouble = Notice::Trouble { reference: reference.to_owned() };
    work.notify_once(user, trouble, format!("trouble:{reference}"));
    Ok(())
}

/// An audit row as SYSTEM and a message to every admin. Of what may come in a flood ([`Alert::topic`]) only the first
/// in an hour is told; [`sum_up`] tells how many there were.
pub async fn notify_admins(work: &mut Work, action: Action, alert: Alert) -> sqlx::Result<()> {
    let Some(topic) = alert.topic() else {
        audit_as_system(work, action, None, &alert).await?;
        for admin in admins(work).await? {
            work.notify(admin, Notice::Alert(alert.clone()));
        }
        return Ok(());
    };
    audit_as_system(work, action, Some(&format!("{TOPIC}{topic}")), &alert).await?;
    let hour = hour_of(work.now());
    tell_admins_once(work, &format!("{topic}:{}", hour.unix()), &alert).await
}

/// Tells the admins how often each thing happened in the hour that ended last, where that was more than once.
pub async fn sum_up(work: &mut Work) -> sqlx::Result<()> {
    let until = hour_of(work.now());
    for (target, times) in crud::audit::repeated(work.conn(), TOPIC, until - HOUR, until).await? {
        let topic = target.trim_start_matches(TOPIC).to_owned();
        let key = format!("sum:{topic}:{}", until.unix());
        tell_admins_once(work, &key, &Alert::Repeated { topic, times }).await?;
    }
    Ok(())
}

fn hour_of(now: Timestamp) -> Timestamp {
    Timestamp::from_unix(now.unix() - now.unix().rem_euclid(HOUR.num_seconds()))
}

/// As [`notify_admins`], once for ever under `key`: ASCII, at most 96 characters, e.g. `server_down:3:2026-11-21`.
pub async fn notify_admins_once(
    work: &mut Work,
    key: &str,
    action: Action,
    alert: Alert,
) -> sqlx::Result<()> {
    if crud::audit::exists(work.conn(), action, key).await? {
        return Ok(());
    }
    audit_as_system(work, action, Some(key), &alert).await?;
    tell_admins_once(work, key, &alert).await
}

async fn tell_admins_once(work: &mut Work, key: &str, alert: &Alert) -> sqlx::Result<()> {
    for admin in admins(work).await? {
        work.notify_once(admin, Notice::Alert(alert.clone()), format!("alert:{key}:{admin}"));
    }
    Ok(())
}

async fn audit_as_system(
    work: &mut Work,
    action: Action,
    target: Option<&str>,
    alert: &Alert,
) -> sqlx::Result<()> {
    let details = serde_json::to_value(alert).expect("an alert is plain data");
    tracing::warn!(user_id = name(Actor::System), %action, audit_target = target, %details, "alert");
    let actor = work.actor();
    work.act_as(Actor::System);
    let written = work.audit(action, target, details).await;
    work.act_as(actor);
    written
}

/// Everybody who is an admin or superadmin now, by the environment or by a role.
async fn admins(work: &mut Work) -> sqlx::Result<BTreeSet<UserId>> {
    let (config, now) = (work.config(), work.now());
    let granted = crud::role::admins(work.conn(), now).await?;
    Ok(config.people.superadmins.iter().chain(&config.people.admins).copied().chain(granted).collect())
}

/// What a person did, the newest first; `page` counts from 0. Of others only with permission.
pub async fn my_logs(work: &mut Work, user: UserId, page: u32) -> Result<Vec<AuditEntry>, AccessError> {
    if work.actor() != Actor::User(user) {
        access::require(work, Permission::ViewAudit).await?;
    }
    Ok(crud::audit::list(work.conn(), Some(user), page.saturating_mul(PAGE), PAGE).await?)
}

/// What everybody did, the newest first; `page` counts from 0.
pub async fn recent(work: &mut Work, page: u32) -> Result<Vec<AuditEntry>, AccessError> {
    access::require(work, Permission::ViewAudit).await?;
    Ok(crud::audit::list(work.conn(), None, page.saturating_mul(PAGE), PAGE).await?)
}

/// An actor in a log line.
fn name(actor: Actor) -> String {
    actor.user_id().map_or_else(|| "SYSTEM".to_owned(), |id| id.to_string())
}

/// An error with everything that caused it.
fn chain(error: Cause<'_>) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

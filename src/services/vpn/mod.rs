//! Configs: what a person may hold, how each comes to be at a server and goes again (`place.rs`), and what it uses
//! (`usage.rs`). The database says what should be; the job `apply_config` makes the backend so.

mod place;
mod usage;

use chrono::TimeDelta;
use serde_json::json;

use super::address::AddressError;
use crate::crud;
use crate::crypto::CryptoError;
use crate::ids::{ConfigId, SubscriptionId, UserId};
use crate::models::audit::Action;
use crate::models::bot::Bot;
use crate::models::job::Job;
use crate::models::notice::Alert;
use crate::models::outgoing::{Body, Class, ConfigPart, Outgoing};
use crate::models::subscription::{Subscription, SubscriptionStatus};
use crate::models::vpn::{ConfigStatus, Protocol, VpnConfig};
use crate::work::Work;

pub(super) use place::unplace;
pub use place::{applied, desired_of_server, keeps_place, open, place, removed, reseal};
pub use usage::{ACCOUNTED_AT_ONCE, account, account_last, growth};

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no such config")]
    Unknown,
    #[error("the subscription is not active")]
    NotActive,
    #[error("the limit of {0} devices is reached")]
    Limit(u32),
    #[error("a name has 1 to 32 characters")]
    BadName,
    #[error("no server offers {0} now")]
    NoServer(Protocol),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("a stored key cannot be read: {0}")]
    Crypto(#[from] CryptoError),
    #[error("a stored key is damaged")]
    Damaged,
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Longest name of a config, in characters.
pub const MAX_NAME: usize = 32;
/// A config is made in seconds; after this time something is wrong.
const STUCK_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Adds a config to an active subscription; it is made by a job and delivered when it is ready.
pub async fn add_config(
    work: &mut Work,
    subscription: &Subscription,
    protocol: Protocol,
) -> Result<ConfigId, ConfigError> {
    let now = work.now();
    let subscription = crud::subscription::lock(work.conn(), subscription.id).await?;
    let subscription = subscription
        .filter(|s| s.status == SubscriptionStatus::Active && s.ends_at > now)
        .ok_or(ConfigError::NotActive)?;
    if !crud::server::protocols(work.conn()).await?.contains(&protocol) {
        return Err(ConfigError::NoServer(protocol));
    }
    let held = crud::vpn::list_of_subscription(work.conn(), subscription.id).await?;
    let limit = subscription.device_limit;
    if held.len() >= limit as usize {
        return Err(ConfigError::Limit(limit));
    }
    if !subscription.is_trial() && places_left(work, subscription.user_id).await? == 0 {
        return Err(ConfigError::Limit(work.config().access.max_configs_per_user));
    }
    Ok(insert_config(work, &subscription, protocol).await?)
}

/// Configs that a person may still add, whatever their plans allow. What counts is what works under a plan: neither a
/// trial nor what is kept of a plan that has ended takes a place from what was paid for.
pub async fn places_left(work: &mut Work, user_id: UserId) -> sqlx::Result<u32> {
    let held = crud::vpn::count_under_plans(work.conn(), user_id).await?;
    let cap = work.config().access.max_configs_per_user;
    Ok(cap.saturating_sub(u32::try_from(held).unwrap_or(u32::MAX)))
}

async fn insert_config(
    work: &mut Work,
    subscription: &Subscription,
    protocol: Protocol,
) -> sqlx::Result<ConfigId> {
    let (now, owner) = (work.now(), subscription.user_id);
    let name = free_name(protocol, &crud::vpn::list_of_user(work.conn(), owner).await?);
    let id = crud::vpn::insert(work.conn(), owner, subscription.id, protocol, &name, now).await?;
    work.enqueue(Job::ApplyConfig { config_id: id });
    let details = json!({ "protocol": protocol, "subscription": subscription.id });
    work.audit(Action::ConfigAdded, Some(&format!("config:{id}")), details).await?;
    Ok(id)
}

/// Whether a server has room for one more config.
pub async fn check_room(work: &mut Work, protocol: Protocol) -> Result<(), ConfigError> {
    match crud::server::candidates(work.conn(), protocol).await?.is_empty() {
        true => Err(ConfigError::NoServer(protocol)),
        false => Ok(()),
    }
}

/// "WireGuard 1", "WireGuard 2", …: the first that its owner has not, whatever plan it belongs to.
fn free_name(protocol: Protocol, held: &[VpnConfig]) -> String {
    let taken = |name: &String| held.iter().any(|config| config.name == *name);
    let mut names = (1..).map(|n| format!("{} {n}", protocol.title()));
    names.find(|name| !taken(name)).unwrap_or_default()
}

/// After a purchase: a subscription without any config gets one, in the protocol its owner has used last. It is what
/// was paid for, so it comes however many configs the owner holds elsewhere.
pub async fn add_first_config(work: &mut Work, subscription: &Subscription) -> sqlx::Result<()> {
    let held = crud::vpn::list_of_subscription(work.conn(), subscription.id).await?;
    if !held.is_empty() {
        return Ok(());
    }
    let offered = crud::server::protocols(work.conn()).await?;
    let of_person = crud::vpn::list_of_user(work.conn(), subscription.user_id).await?;
    let used = of_person.last().map(|config| config.protocol).filter(|p| offered.contains(p));
    let Some(protocol) = used.or_else(|| offered.iter().min().copied()) else {
        // Nothing to make it on: the admins hear of it, and the receipt has the button to add a config later.
        let alert = Alert::NoServer { user_id: subscription.user_id };
        return super::audit::notify_admins(work, Action::FirstConfigMissing, alert).await;
    };
    insert_config(work, subscription, protocol).await.map(drop)
}

/// A person's configs that are not gone, oldest first.
pub async fn list_of_user(work: &mut Work, user_id: UserId) -> sqlx::Result<Vec<VpnConfig>> {
    crud::vpn::list_of_user(work.conn(), user_id).await
}

/// Whether new configs are not handed over as they should be: one waits longer than any honest try takes.
pub async fn is_delivery_stuck(work: &mut Work) -> sqlx::Result<bool> {
    let oldest = crud::vpn::oldest_preparing(work.conn()).await?;
    Ok(oldest.is_some_and(|since| work.now().since(since) > STUCK_AFTER))
}

/// A config of this person; somebody else's is as unknown as one that never was. For looking at it: nobody is waited
/// for.
pub async fn own_config(work: &mut Work, user_id: UserId, id: ConfigId) -> Result<VpnConfig, ConfigError> {
    if_held(crud::vpn::find(work.conn(), id).await?, user_id)
}

/// As [`own_config`], locked, for changing it.
async fn lock_own(work: &mut Work, user_id: UserId, id: ConfigId) -> Result<VpnConfig, ConfigError> {
    if_held(crud::vpn::lock(work.conn(), id).await?, user_id)
}

fn if_held(config: Option<VpnConfig>, user_id: UserId) -> Result<VpnConfig, ConfigError> {
    let gone = [ConfigStatus::Revoked, ConfigStatus::Removed];
    config.filter(|c| c.user_id == user_id && !gone.contains(&c.status)).ok_or(ConfigError::Unknown)
}

/// Drops a config for good: it stops working, its keys are deleted and its address is released.
pub async fn drop_config(work: &mut Work, user_id: UserId, id: ConfigId) -> Result<VpnConfig, ConfigError> {
    let config = lock_own(work, user_id, id).await?;
    revoke(work, &config).await?;
    Ok(config)
}

async fn revoke(work: &mut Work, config: &VpnConfig) -> sqlx::Result<()> {
    let now = work.now();
    crud::vpn::set_status(work.conn(), config.id, ConfigStatus::Revoked, now).await?;
    work.enqueue(Job::ApplyConfig { config_id: config.id });
    let details = json!({ "protocol": config.protocol, "server": config.server_id,
        "old": config.status, "new": ConfigStatus::Revoked });
    work.audit(Action::ConfigRevoked, Some(&format!("config:{}", config.id)), details).await
}

pub async fn rename_config(
    work: &mut Work,
    user_id: UserId,
    id: ConfigId,
    name: &str,
) -> Result<VpnConfig, ConfigError> {
    let config = lock_own(work, user_id, id).await?;
    let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(ConfigError::BadName);
    }
    crud::vpn::rename(work.conn(), id, &name).await?;
    let details = json!({ "old": config.name, "new": name });
    work.audit(Action::ConfigRenamed, Some(&format!("config:{id}")), details).await?;
    Ok(VpnConfig { name, ..config })
}

/// Hands a config over again: file and QR (WireGuard), copyable text, and the guide.
pub fn deliver(work: &mut Work, config: &VpnConfig) {
    let parts: &[ConfigPart] = match config.protocol {
        Protocol::Wireguard => &[ConfigPart::File, ConfigPart::Qr, ConfigPart::Text, ConfigPart::Guide],
        Protocol::Outline => &[ConfigPart::Text, ConfigPart::Qr, ConfigPart::Guide],
    };
    for part in parts {
        send_part(work, config, *part);
    }
}

/// Hands over one part of a config.
pub fn send_part(work: &mut Work, config: &VpnConfig, part: ConfigPart) {
    let body = Body::Config { config_id: config.id, part };
    work.send(Outgoing::new(Bot::Client, config.user_id, Class::Interactive, body));
}

/// Brings the configs of a subscription to its state: active ones work, suspended ones are blocked with their
/// keys kept, expired ones go.
pub async fn follow_subscription(work: &mut Work, id: SubscriptionId) -> sqlx::Result<()> {
    let Some(subscription) = crud::subscription::lock(work.conn(), id).await? else { return Ok(()) };
    let now = work.now();
    for config in crud::vpn::list_of_subscription(work.conn(), id).await? {
        let wanted = match subscription.status {
            SubscriptionStatus::Active => match config.status {
                ConfigStatus::Suspended => ConfigStatus::Active,
                other => other,
            },
            SubscriptionStatus::Suspended => match config.status {
                // What was never handed out is not worth making any more.
                ConfigStatus::Preparing => ConfigStatus::Revoked,
                _ => ConfigStatus::Suspended,
            },
            SubscriptionStatus::Expired => ConfigStatus::Revoked,
        };
        if wanted != config.status {
            crud::vpn::set_status(work.conn(), config.id, wanted, now).await?;
            work.enqueue(Job::ApplyConfig { config_id: config.id });
            let details = json!({ "old": config.status, "new": wanted });
            work.audit(Action::ConfigFollows, Some(&format!("config:{}", config.id)), details).await?;
        }
    }
    Ok(())
}

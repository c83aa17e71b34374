//! Configs: what a person may hold, and how each comes to be at a server and goes again. The database says what
//! should be; the job `apply_config` makes the backend so.

use std::collections::HashMap;

use chrono::TimeDelta;
use secrecy::zeroize::Zeroizing;
use serde_json::json;

use super::address::{self, AddressError};
use crate::crud;
use crate::crypto::{CryptoError, Keyring, Sealed};
use crate::ids::{ConfigId, ServerId, SubscriptionId, UserId};
use crate::integrations::vpn::{Access, Addresses, Counter, Credentials, Desired, UsageKind, backend_name};
use crate::models::address::PoolKind;
use crate::models::audit::Action;
use crate::models::bot::Bot;
use crate::models::job::Job;
use crate::models::notice::Alert;
use crate::models::outgoing::{Body, Class, ConfigPart, Outgoing};
use crate::models::subscription::{Subscription, SubscriptionStatus};
use crate::models::vpn::{Applied, ConfigStatus, Growth, Protocol, VpnConfig};
use crate::work::Work;

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

/// What a config's keys are sealed for.
fn sealed_for(id: ConfigId) -> String {
    format!("vpn_config:{id}")
}

/// Server, address and keys of a config, chosen in one unit of work and once: a repeated call gives what the first
/// one chose, unless that server was taken out of use since.
pub async fn place(work: &mut Work, config: &VpnConfig) -> Result<(ServerId, Desired), ConfigError> {
    let config = crud::vpn::lock(work.conn(), config.id).await?.ok_or(ConfigError::Unknown)?;
    match config.server_id {
        Some(server) if crud::server::hold_in_use(work.conn(), server).await? => {
            return Ok((server, desired(work, &config).await?));
        }
        Some(_) => unplace(work, config.id).await?,
        None => {}
    }
    choose_place(work, &config).await
}

/// Takes a config's place away: its keys and its address are gone, and it is to be made and handed over anew.
pub(super) async fn unplace(work: &mut Work, id: ConfigId) -> sqlx::Result<()> {
    let now = work.now();
    crud::vpn::unplace(work.conn(), id, now).await?;
    address::release(work, id).await
}

async fn choose_place(work: &mut Work, config: &VpnConfig) -> Result<(ServerId, Desired), ConfigError> {
    let subscription = crud::subscription::find(work.conn(), config.subscription_id).await?;
    let trial = subscription.is_some_and(|s| s.is_trial());
    let kind = if trial { PoolKind::Trial } else { PoolKind::Paid };
    let mut full = None;
    for server in crud::server::candidates(work.conn(), config.protocol).await? {
        if !crud::server::hold_in_use(work.conn(), server.id).await? {
            continue;
        }
        if config.protocol == Protocol::Wireguard {
            match address::lease(work, server.id, kind, config.id).await {
                Ok(_) => {}
                Err(AddressError::Full) => {
                    full = Some(AddressError::Full);
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let credentials = Credentials::generate(config.protocol);
        let keyring = &work.config().keyring;
        let secret = seal(keyring, config.id, &credentials);
        let public_id = public_id(&credentials, config.id);
        let now = work.now();
        crud::vpn::place(work.conn(), config.id, server.id, &public_id, &secret, now).await?;
        let placed = crud::vpn::find(work.conn(), config.id).await?.ok_or(ConfigError::Unknown)?;
        return Ok((server.id, desired(work, &placed).await?));
    }
    Err(full.map_or(ConfigError::NoServer(config.protocol), ConfigError::from))
}

/// What a backend knows the config by, before it has answered.
fn public_id(credentials: &Credentials, id: ConfigId) -> String {
    match credentials {
        Credentials::WireGuard { public_key, .. } => public_key.clone(),
        Credentials::Outline { .. } => backend_name(id),
    }
}

/// What should be at the backend for a config that has a place.
async fn desired(work: &mut Work, config: &VpnConfig) -> Result<Desired, ConfigError> {
    let addresses = match crud::address::of_config(work.conn(), config.id).await? {
        Some(lease) => Some(address::addresses_of(&lease)?),
        None => None,
    };
    let subscription = crud::subscription::find(work.conn(), config.subscription_id).await?;
    desired_from(&work.config().keyring, config, subscription.as_ref(), addresses)
}

/// Everything that should be at a server, for its reconciliation.
pub async fn desired_of_server(work: &mut Work, id: ServerId) -> Result<Vec<Desired>, ConfigError> {
    let leases = crud::address::of_server(work.conn(), id).await?;
    let mut addresses = HashMap::with_capacity(leases.len());
    for lease in &leases {
        addresses.insert(lease.config_id, address::addresses_of(lease)?);
    }
    let keyring = work.config().keyring.clone();
    let configs = crud::vpn::list_of_server(work.conn(), id).await?;
    let subscriptions = crud::subscription::list_of_server(work.conn(), id).await?;
    let subscriptions: HashMap<_, _> = subscriptions.iter().map(|s| (s.id, s)).collect();
    let desired = |config: &VpnConfig| {
        let subscription = subscriptions.get(&config.subscription_id).copied();
        desired_from(&keyring, config, subscription, addresses.get(&config.id).copied())
    };
    configs.iter().map(desired).collect()
}

fn desired_from(
    keyring: &Keyring,
    config: &VpnConfig,
    subscription: Option<&Subscription>,
    addresses: Option<Addresses>,
) -> Result<Desired, ConfigError> {
    let blocked = config.status == ConfigStatus::Suspended;
    Ok(Desired {
        config_id: config.id,
        credentials: open(keyring, config)?,
        addresses,
        access: if blocked { Access::Blocked } else { Access::Present },
        limit_bytes: subscription.and_then(|subscription| limit_bytes(config, subscription)),
    })
}

/// What the backend's own count of a config will be when the whole allowance is used: for those that can hold a config
/// to it (Outline), a second net under our own count. Rounded up to tenths of the allowance: it moves with what other
/// devices use, and must not be told anew each time.
fn limit_bytes(config: &VpnConfig, subscription: &Subscription) -> Option<u64> {
    let allowance = subscription.allowance?;
    let left = allowance.saturating_sub(subscription.used);
    let counted = config.raw_rx.saturating_add(config.raw_tx);
    counted.saturating_add(left).checked_next_multiple_of((allowance / 10).max(1))
}

fn seal(keyring: &Keyring, id: ConfigId, credentials: &Credentials) -> Sealed {
    let plain = serde_json::to_vec(credentials).expect("credentials are plain data");
    keyring.seal(&sealed_for(id), &plain)
}

/// The keys of a config.
pub fn open(keyring: &Keyring, config: &VpnConfig) -> Result<Credentials, ConfigError> {
    serde_json::from_slice(&open_bytes(keyring, config)?).map_err(|_| ConfigError::Damaged)
}

fn open_bytes(keyring: &Keyring, config: &VpnConfig) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let (Some(secret), Some(key_id)) = (&config.secret, &config.secret_key_id) else {
        return Err(ConfigError::Unknown);
    };
    Ok(keyring.open(&sealed_for(config.id), key_id, secret)?)
}

/// Seals the keys of a config anew with the first key.
pub fn reseal(keyring: &Keyring, config: &VpnConfig) -> Result<Sealed, ConfigError> {
    Ok(keyring.seal(&sealed_for(config.id), &open_bytes(keyring, config)?))
}

/// The backend has what should be: a config that was being prepared is active now and is handed over.
pub async fn applied(
    work: &mut Work,
    id: ConfigId,
    now_is: Applied,
    observed: Option<(&Credentials, &str)>,
) -> Result<(), ConfigError> {
    let Some(config) = crud::vpn::lock(work.conn(), id).await? else { return Ok(()) };
    let now = work.now();
    if let Some((credentials, public_id)) = observed {
        let secret = seal(&work.config().keyring, id, credentials);
        crud::vpn::set_secret(work.conn(), id, public_id, &secret).await?;
    }
    crud::vpn::set_applied(work.conn(), id, now_is).await?;
    if config.status == ConfigStatus::Preparing {
        crud::vpn::set_status(work.conn(), id, ConfigStatus::Active, now).await?;
    }
    if now_is == Applied::Present && crud::vpn::set_delivered(work.conn(), id, now).await? {
        deliver(work, &config);
        let details = json!({ "protocol": config.protocol, "server": config.server_id });
        work.audit(Action::ConfigDelivered, Some(&format!("config:{id}")), details).await?;
    }
    Ok(())
}

/// The backend has no trace of the config any more: keys deleted, address resting.
pub async fn removed(work: &mut Work, id: ConfigId) -> sqlx::Result<()> {
    let now = work.now();
    crud::vpn::set_removed(work.conn(), id, now).await?;
    address::release(work, id).await?;
    let change = json!({ "old": ConfigStatus::Revoked, "new": ConfigStatus::Removed });
    work.audit(Action::ConfigRemoved, Some(&format!("config:{id}")), change).await
}

/// What the counters of a server's configs have grown by since they were last stored, those of one subscription
/// beside each other: the order in which [`account`] locks.
pub async fn growth(
    work: &mut Work,
    server: ServerId,
    kind: UsageKind,
    counters: &[Counter],
) -> sqlx::Result<Vec<Growth>> {
    let known = crud::vpn::list_of_server(work.conn(), server).await?;
    let by_id: HashMap<ConfigId, VpnConfig> = known.into_iter().map(|config| (config.id, config)).collect();
    let grown = counters.iter().filter_map(|counter| {
        let growth = growth_of(server, kind, by_id.get(&counter.config_id)?, counter);
        (growth.last != growth.raw || growth.last_handshake.is_some()).then_some(growth)
    });
    let mut grown: Vec<Growth> = grown.collect();
    grown.sort_by_key(|growth| (growth.subscription_id, growth.config_id));
    Ok(grown)
}

fn growth_of(server: ServerId, kind: UsageKind, config: &VpnConfig, counter: &Counter) -> Growth {
    let (last, raw) = ((config.raw_rx, config.raw_tx), (counter.rx, counter.tx));
    let (rx, tx) = (kind.delta(last.0, raw.0), kind.delta(last.1, raw.1));
    Growth {
        config_id: config.id,
        subscription_id: config.subscription_id,
        server_id: server,
        last,
        raw,
        total: (config.total_rx.saturating_add(rx), config.total_tx.saturating_add(tx)),
        bytes: rx.saturating_add(tx),
        last_handshake: counter.last_handshake.filter(|at| Some(*at) > config.last_handshake_at),
    }
}

/// Growths that are accounted in one transaction: who changes one of these configs waits no longer than that.
pub const ACCOUNTED_AT_ONCE: usize = 100;

/// Adds to configs and subscriptions what was used, each growth once however often it is given. A subscription is
/// locked before its configs, as everywhere.
pub async fn account(work: &mut Work, grown: &[Growth]) -> sqlx::Result<()> {
    for of_one in grown.chunk_by(|one, next| one.subscription_id == next.subscription_id) {
        let id = of_one[0].subscription_id;
        crud::subscription::lock(work.conn(), id).await?;
        let mut bytes: u64 = 0;
        for growth in of_one {
            if crud::vpn::set_usage(work.conn(), growth).await? {
                bytes = bytes.saturating_add(growth.bytes);
            }
        }
        if bytes > 0 {
            super::subscription::add_traffic(work, id, bytes).await?;
        }
    }
    Ok(())
}

/// Accounts what a config used until its peer went away; the counter of the next one starts at nothing.
pub async fn account_last(
    work: &mut Work,
    server: ServerId,
    kind: UsageKind,
    counter: &Counter,
) -> sqlx::Result<()> {
    let Some(config) = crud::vpn::find(work.conn(), counter.config_id).await? else { return Ok(()) };
    crud::subscription::lock(work.conn(), config.subscription_id).await?;
    // Read again under the lock: the reading of every minute may have been accounted a moment ago.
    let Some(config) = crud::vpn::lock(work.conn(), config.id).await? else { return Ok(()) };
    let mut growth = growth_of(server, kind, &config, counter);
    if kind == UsageKind::Counter {
        growth.raw = (0, 0);
    }
    account(work, &[growth]).await
}

/// Whether a config still has its place at a server; it keeps it until the commit.
pub async fn keeps_place(work: &mut Work, id: ConfigId, server: ServerId) -> sqlx::Result<bool> {
    let config = crud::vpn::lock(work.conn(), id).await?;
    Ok(config.is_some_and(|config| config.server_id == Some(server)))
}

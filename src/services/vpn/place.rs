//! How a config comes to be at a server: its place, its keys and its address, and what should be at the backend.

use std::collections::HashMap;

use secrecy::zeroize::Zeroizing;
use serde_json::json;

use super::{ConfigError, deliver};
use crate::crud;
use crate::crypto::{Keyring, Sealed};
use crate::ids::{ConfigId, ServerId};
use crate::integrations::vpn::{Access, Addresses, Credentials, Desired, backend_name};
use crate::models::address::PoolKind;
use crate::models::audit::Action;
use crate::models::subscription::Subscription;
use crate::models::vpn::{Applied, ConfigStatus, Protocol, VpnConfig};
use crate::services::address::{self, AddressError};
use crate::work::Work;

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
pub(in crate::services) async fn unplace(work: &mut Work, id: ConfigId) -> sqlx::Result<()> {
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

/// Whether a config still has its place at a server; it keeps it until the commit.
pub async fn keeps_place(work: &mut Work, id: ConfigId, server: ServerId) -> sqlx::Result<bool> {
    let config = crud::vpn::lock(work.conn(), id).await?;
    Ok(config.is_some_and(|config| config.server_id == Some(server)))
}

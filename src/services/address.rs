//! The IP manager: networks per server and kind, an address per config.

use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::TimeDelta;
use ipnet::{Ipv4Net, Ipv6Net};

use crate::crud;
use crate::ids::{ConfigId, ServerId};
use crate::integrations::vpn::Addresses;
use crate::models::address::{Lease, PoolKind};
use crate::models::audit::Action;
use crate::models::notice::Alert;
use crate::work::Work;

/// Largest pool: a /16.
const MAX_HOSTS: u32 = 65_536;
/// Rows of one insert.
const CHUNK: usize = 4096;

#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("the address pool of this server is full")]
    Full,
    #[error("{0} is no usable network: {1}")]
    Network(String, &'static str),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Gives a server a network for configs of one kind. Network, broadcast and the first host, which is the
/// server's own, are never leased.
pub async fn add_pool(
    work: &mut Work,
    server_id: ServerId,
    kind: PoolKind,
    v4: Ipv4Net,
    v6: Option<Ipv6Net>,
) -> Result<u32, AddressError> {
    let size = u32::try_from(1u64 << (32 - u32::from(v4.prefix_len()))).unwrap_or(u32::MAX);
    if !(4..=MAX_HOSTS).contains(&size) {
        return Err(AddressError::Network(v4.to_string(), "between /30 and /16 is expected"));
    }
    if v6.is_some_and(|v6| v6.prefix_len() > 112) {
        let text = v6.map(|v6| v6.to_string()).unwrap_or_default();
        return Err(AddressError::Network(text, "a /112 or larger is expected"));
    }
    let now = work.now();
    let (cidr4, cidr6) = (v4.trunc().to_string(), v6.map(|v6| v6.trunc().to_string()));
    let pool =
        crud::address::insert_pool(work.conn(), server_id, kind, &cidr4, cidr6.as_deref(), now).await?;
    let hosts: Vec<u32> = (2..size - 1).collect();
    for chunk in hosts.chunks(CHUNK) {
        crud::address::insert_hosts(work.conn(), pool, chunk, now).await?;
    }
    Ok(size.saturating_sub(3))
}

/// Leases an address for a config, or gives back the one it has. A trial takes a paid address when its own pool
/// is full or missing.
pub async fn lease(
    work: &mut Work,
    server_id: ServerId,
    kind: PoolKind,
    config_id: ConfigId,
) -> Result<Addresses, AddressError> {
    if let Some(held) = crud::address::of_config(work.conn(), config_id).await? {
        return addresses_of(&held);
    }
    let kinds = match kind {
        PoolKind::Trial => &[PoolKind::Trial, PoolKind::Paid][..],
        PoolKind::Paid => &[PoolKind::Paid][..],
    };
    let now = work.now();
    for kind in kinds {
        for pool in crud::address::pools_of_server(work.conn(), server_id, *kind).await? {
            if crud::address::lease(work.conn(), pool.id, config_id, now).await? {
                let held = crud::address::of_config(work.conn(), config_id).await?;
                return addresses_of(&held.ok_or(AddressError::Full)?);
            }
        }
    }
    Err(AddressError::Full)
}

/// Gives a config's address back; it rests, so that a stale client does not meet its next holder.
pub async fn release(work: &mut Work, config_id: ConfigId) -> sqlx::Result<()> {
    let free_at = work.now() + work.config().access.address_rest;
    crud::address::release(work.conn(), config_id, free_at).await
}

/// The addresses of a lease: network plus host number, the same in both families.
pub fn addresses_of(lease: &Lease) -> Result<Addresses, AddressError> {
    let bad = |text: &str| AddressError::Network(text.to_owned(), "stored wrongly");
    let v4: Ipv4Net = lease.cidr4.parse().map_err(|_| bad(&lease.cidr4))?;
    let v6 = match &lease.cidr6 {
        Some(text) => Some(text.parse::<Ipv6Net>().map_err(|_| bad(text))?),
        None => None,
    };
    Ok(Addresses {
        v4: Ipv4Addr::from_bits(v4.network().to_bits() + lease.host),
        v6: v6.map(|v6| Ipv6Addr::from_bits(v6.network().to_bits() + u128::from(lease.host))),
    })
}

/// Tells the admins of pools that run low, once a day each.
pub async fn watch(work: &mut Work) -> sqlx::Result<()> {
    let now = work.now();
    let day = now.unix().div_euclid(TimeDelta::days(1).num_seconds());
    for level in crud::address::levels(work.conn(), now).await? {
        if level.free * 10 >= level.size {
            continue;
        }
        let free = u64::try_from(level.free).unwrap_or(0);
        let key = format!("pool_low:{}:{}:{day}", level.server.escape_default(), level.kind);
        let alert = Alert::PoolLow { server: level.server, kind: level.kind.to_string(), free };
        super::audit::notify_admins_once(work, &key, Action::PoolLow, alert).await?;
    }
    Ok(())
}

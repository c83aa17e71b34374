//! VPN servers: what operators set up, and how it fares.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use ipnet::{Ipv4Net, Ipv6Net};
use secrecy::zeroize::Zeroizing;
use serde_json::json;

use super::access::{self, AccessError};
use super::address::{self, AddressError};
use super::{audit, vpn};
use crate::crud;
use crate::crypto::{CryptoError, Keyring, Sealed};
use crate::ids::ServerId;
use crate::integrations;
use crate::models::address::{PoolKind, PoolLevel};
use crate::models::audit::Action;
use crate::models::job::{Job, ServerWork};
use crate::models::notice::Alert;
use crate::models::server::{NewServer, Server, ServerHealth};
use crate::models::vpn::Protocol;
use crate::work::Work;

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("{0:?} is no name of a server: 1 to {NAME_CHARS} of a-z 0-9 -, such as de-1")]
    Name(String),
    #[error("there is no server {0:?}")]
    Unknown(String),
    #[error("there is a server {0:?} already")]
    Exists(String),
    #[error("the server still holds {0} configs; wait for their end, or move them to other servers by force")]
    InUse(i64),
    #[error("{0}")]
    Access(#[from] AccessError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("the server's stored secret cannot be read: {0}")]
    Crypto(#[from] CryptoError),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Longest name of a server.
const NAME_CHARS: usize = 32;

/// Whether a server may be called so: a name stands in contexts of sealed secrets, and in what operators type.
pub fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=NAME_CHARS).contains(&text.len()) && text.chars().all(fits)
}

/// A network for the configs of one kind.
#[derive(Clone, Debug)]
pub struct NewPool {
    pub kind: PoolKind,
    pub v4: Ipv4Net,
    pub v6: Option<Ipv6Net>,
}

/// The context that a server's secret is sealed for: its name, without what is added when it is removed.
fn sealed_for(name: &str) -> String {
    let original = name.split(" #").next().unwrap_or(name);
    format!("server:{original}")
}

/// A server, and how full it is.
#[derive(Clone, Debug)]
pub struct Level {
    pub server: Server,
    /// Configs that it holds.
    pub configs: i64,
    pub pools: Vec<PoolLevel>,
}

/// The servers that are in use.
pub async fn levels(work: &mut Work) -> sqlx::Result<Vec<Level>> {
    let now = work.now();
    let mut pools = crud::address::levels(work.conn(), now).await?;
    let mut levels = Vec::new();
    for server in crud::server::list(work.conn()).await? {
        let configs = crud::server::load(work.conn(), server.id).await?;
        let pools = pools.extract_if(.., |pool| pool.server == server.name).collect();
        levels.push(Level { server, configs, pools });
    }
    Ok(levels)
}

/// What a server may hold.
#[derive(Debug, Default)]
pub struct PublicIds {
    /// Of all configs that are not gone.
    pub all: BTreeSet<String>,
    /// Of those that people can use now.
    pub open: BTreeSet<String>,
}

/// What a server may hold, as the database says.
pub async fn public_ids(work: &mut Work, id: ServerId) -> sqlx::Result<PublicIds> {
    let mut ids = PublicIds::default();
    for (public_id, open) in crud::vpn::public_ids(work.conn(), id).await? {
        if open {
            ids.open.insert(public_id.clone());
        }
        ids.all.insert(public_id);
    }
    Ok(ids)
}

/// A server that is in use.
pub async fn find(work: &mut Work, name: &str) -> Result<Server, ServerError> {
    let server = crud::server::find_by_name(work.conn(), name).await?;
    server.ok_or_else(|| ServerError::Unknown(name.to_owned()))
}

/// Adds a server with its networks, by a superadmin. `secret` is the JSON of its secrets.
pub async fn add(
    work: &mut Work,
    new: &NewServer,
    secret: &str,
    pools: &[NewPool],
) -> Result<ServerId, ServerError> {
    access::require_superadmin(work).await?;
    if !is_name(&new.name) {
        return Err(ServerError::Name(new.name.clone()));
    }
    if crud::server::find_by_name(work.conn(), &new.name).await?.is_some() {
        return Err(ServerError::Exists(new.name.clone()));
    }
    let now = work.now();
    let sealed = work.config().keyring.seal(&sealed_for(&new.name), secret.as_bytes());
    let id = match crud::server::insert(work.conn(), new, &sealed, now).await {
        Err(error) if crate::db::is_duplicate(&error) => return Err(ServerError::Exists(new.name.clone())),
        other => other?,
    };
    // An interface is a part of this machine; a management API is reached from anywhere.
    if new.protocol == Protocol::Wireguard {
        settle(work, id).await?;
    }
    for pool in pools {
        address::add_pool(work, id, pool.kind, pool.v4, pool.v6).await?;
    }
    work.enqueue(Job::CheckServer { server_id: id });
    let details = json!({ "name": new.name, "protocol": new.protocol, "capacity": new.capacity,
        "old": null, "new": "in use" });
    work.audit(Action::ServerAdded, Some(&format!("server:{id}")), details).await?;
    Ok(id)
}

/// The decrypted secret JSON of a server.
pub fn open_secret(keyring: &Keyring, server: &Server) -> Result<Zeroizing<String>, ServerError> {
    let plain = keyring.open(&sealed_for(&server.name), &server.secret_key_id, &server.secret)?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&plain).into_owned()))
}

/// Seals a server's secret anew with the first key.
pub fn reseal(keyring: &Keyring, server: &Server) -> Result<Sealed, ServerError> {
    let plain = open_secret(keyring, server)?;
    Ok(keyring.seal(&sealed_for(&server.name), plain.as_bytes()))
}

/// From now on the server lives on this machine, and only copies here drive it.
async fn settle(work: &mut Work, id: ServerId) -> sqlx::Result<()> {
    let here = &work.config().server.machine;
    crud::server::set_home(work.conn(), id, here).await
}

/// What can be changed of a server that is in use; None stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub location: Option<String>,
    pub capacity: Option<u32>,
    /// JSON of its secrets.
    pub secret: Option<String>,
    /// It lives on this machine now.
    pub here: bool,
}

/// Changes a server, by a superadmin.
pub async fn update(work: &mut Work, name: &str, change: &Change) -> Result<(), ServerError> {
    access::require_superadmin(work).await?;
    let server = find(work, name).await?;
    let location = change.location.as_ref().unwrap_or(&server.location);
    let capacity = change.capacity.unwrap_or(server.capacity);
    crud::server::set_place(work.conn(), server.id, location, capacity).await?;
    if change.here {
        settle(work, server.id).await?;
        call_back(work).await?;
    }
    if let Some(secret) = &change.secret {
        replace_secret(work, name, secret).await?;
    }
    work.enqueue(Job::CheckServer { server_id: server.id });
    work.enqueue(Job::ReconcileServer { server_id: server.id });
    let home = match change.here {
        true => Some(work.config().server.machine.name.clone()),
        false => server.machine_name.clone(),
    };
    let details = json!({
        "name": name,
        "old": { "location": server.location, "capacity": server.capacity, "machine": server.machine_name },
        "new": { "location": location, "capacity": capacity, "machine": home },
    });
    work.audit(Action::ServerUpdated, Some(&format!("server:{}", server.id)), details).await?;
    Ok(())
}

/// Jobs that wait for machines where nothing lives any more are anybody's again, and find their way.
async fn call_back(work: &mut Work) -> sqlx::Result<()> {
    let homes = crud::server::homes(work.conn()).await?;
    crud::lane::call_back(work.conn(), &homes).await
}

/// Takes note of another address or key of a server, by a superadmin.
pub async fn replace_secret(work: &mut Work, name: &str, secret: &str) -> Result<(), ServerError> {
    access::require_superadmin(work).await?;
    let server = find(work, name).await?;
    let keyring = work.config().keyring.clone();
    if open_secret(&keyring, &server)?.as_str() == secret {
        return Ok(());
    }
    let sealed = keyring.seal(&sealed_for(name), secret.as_bytes());
    crud::server::set_secret(work.conn(), server.id, &sealed).await?;
    let details = json!({ "name": name });
    work.audit(Action::ServerSecretReplaced, Some(&format!("server:{}", server.id)), details).await?;
    Ok(())
}

/// Takes a server out of use, by a superadmin; its row stays for history. By force although it holds configs: those are made anew on
/// other servers and handed over again.
pub async fn remove(work: &mut Work, name: &str, force: bool) -> Result<Server, ServerError> {
    access::require_superadmin(work).await?;
    let server = crud::server::lock_by_name(work.conn(), name).await?;
    let server = server.ok_or_else(|| ServerError::Unknown(name.to_owned()))?;
    let held = crud::server::load(work.conn(), server.id).await?;
    if held > 0 && !force {
        return Err(ServerError::InUse(held));
    }
    let now = work.now();
    for config_id in crud::vpn::list_placed(work.conn(), server.id).await? {
        vpn::unplace(work, config_id).await?;
        work.enqueue(Job::ApplyConfig { config_id });
    }
    crud::server::set_removed(work.conn(), server.id, now).await?;
    if server.protocol == Protocol::Wireguard {
        // Now that it should hold nothing, this takes its interface away.
        work.enqueue(Job::ReconcileServer { server_id: server.id });
    }
    let details = json!({ "name": name, "configs": held, "old": "in use", "new": "removed" });
    work.audit(Action::ServerRemoved, Some(&format!("server:{}", server.id)), details).await?;
    Ok(server)
}

/// Whether what a removed server left belongs to one that is in use: the same interface of the same machine.
pub async fn has_successor(work: &mut Work, removed: &Server) -> sqlx::Result<bool> {
    let in_use = crud::server::list(work.conn()).await?;
    let same = |other: &Server| {
        other.machine == removed.machine && integrations::vpn::share(&other.settings, &removed.settings)
    };
    Ok(in_use.iter().any(same))
}

/// Nothing is left of a removed server.
pub async fn dismantled(work: &mut Work, id: ServerId) -> sqlx::Result<()> {
    crud::server::forget_home(work.conn(), id).await
}

/// Checks are due every minute; a machine whose copies have not looked for this long has none that runs.
const SILENCE: TimeDelta = TimeDelta::minutes(5);

/// A server that nobody has looked at where it lives is down, as long as there was somebody to ask.
async fn note_silence(work: &mut Work, server: &Server) -> sqlx::Result<()> {
    let Some(home) = server.elsewhere(&work.config().server.machine) else { return Ok(()) };
    let since = work.now() - SILENCE;
    let looked_at = server.health_at.unwrap_or(server.created_at);
    if looked_at > since || !crud::schedule::any_between(work.conn(), since - SILENCE, since).await? {
        return Ok(());
    }
    let reason = format!("no copy of usipipo answers on the machine {}, where it lives", home.name);
    note_health(work, server.id, Err(&reason)).await
}

/// Queues one kind of work for every server.
pub async fn tick(work: &mut Work, kind: ServerWork) -> sqlx::Result<()> {
    let mut servers = crud::server::list(work.conn()).await?;
    match kind {
        ServerWork::Reconcile => servers.extend(crud::server::list_standing(work.conn()).await?),
        ServerWork::Health => {
            call_back(work).await?;
            for server in &servers {
                note_silence(work, server).await?;
            }
        }
        ServerWork::Usage => {}
    }
    for server in servers {
        let server_id = server.id;
        work.enqueue(match kind {
            ServerWork::Reconcile => Job::ReconcileServer { server_id },
            ServerWork::Usage => Job::CollectUsage { server_id },
            ServerWork::Health => Job::CheckServer { server_id },
        });
    }
    Ok(())
}

/// Notes how a server fares; a change is told to the admins.
pub async fn note_health(work: &mut Work, id: ServerId, outcome: Result<&str, &str>) -> sqlx::Result<()> {
    let Some(server) = crud::server::find(work.conn(), id).await? else { return Ok(()) };
    let now = work.now();
    let (health, detail) = match outcome {
        Ok(detail) => (ServerHealth::Up, detail),
        Err(reason) => (ServerHealth::Down, reason),
    };
    crud::server::set_health(work.conn(), id, health, detail, now).await?;
    crud::server::recount(work.conn(), id).await?;
    let alert = match (server.health, health) {
        (ServerHealth::Up | ServerHealth::Unknown, ServerHealth::Down) => {
            Alert::ServerDown { server_id: id, server: server.name, reason: detail.to_owned() }
        }
        (ServerHealth::Down, ServerHealth::Up) => Alert::ServerUp { server_id: id, server: server.name },
        _ => return Ok(()),
    };
    audit::notify_admins(work, Action::ServerHealth, alert).await
}

/// Servers in use, with those that are down.
pub async fn list(work: &mut Work) -> sqlx::Result<Vec<Server>> {
    crud::server::list(work.conn()).await
}

/// Servers that take one more config.
pub async fn with_room(work: &mut Work) -> sqlx::Result<Vec<ServerId>> {
    let mut open = Vec::new();
    for protocol in Protocol::ALL {
        open.extend(crud::server::candidates(work.conn(), *protocol).await?.iter().map(|server| server.id));
    }
    Ok(open)
}

/// Protocols that one more config can be had in.
pub async fn open_protocols(work: &mut Work) -> sqlx::Result<Vec<Protocol>> {
    let mut open = Vec::new();
    for protocol in Protocol::ALL {
        if !crud::server::candidates(work.conn(), *protocol).await?.is_empty() {
            open.push(*protocol);
        }
    }
    Ok(open)
}

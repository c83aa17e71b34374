//! VPN servers: what operators set up, and how it fares.

use ipnet::{Ipv4Net, Ipv6Net};
use secrecy::zeroize::Zeroizing;
use serde_json::json;

use super::address::{self, AddressError};
use super::audit;
use crate::crud;
use crate::crypto::{CryptoError, Keyring, Sealed};
use crate::ids::ServerId;
use crate::models::address::PoolKind;
use crate::models::job::{Job, ServerWork};
use crate::models::notice::Alert;
use crate::models::server::{NewServer, Server, ServerHealth};
use crate::models::vpn::Protocol;
use crate::work::Work;

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("there is no server {0:?}")]
    Unknown(String),
    #[error("there is a server {0:?} already")]
    Exists(String),
    #[error("the server still holds {0} configs; drop them or wait for their end, or use --force")]
    InUse(i64),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("the server's stored secret cannot be read: {0}")]
    Crypto(#[from] CryptoError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A network for the configs of one kind.
#[derive(Clone, Debug)]
pub struct NewPool {
    pub kind: PoolKind,
    pub v4: Ipv4Net,
    pub v6: Option<Ipv6Net>,
}

/// The context that a server's secret is sealed for.
fn sealed_for(name: &str) -> String {
    format!("server:{name}")
}

/// Adds a server with its networks. `secret` is the JSON of its secrets.
pub async fn add(
    work: &mut Work,
    new: &NewServer,
    secret: &str,
    pools: &[NewPool],
) -> Result<ServerId, ServerError> {
    if crud::server::find_by_name(work.conn(), &new.name).await?.is_some() {
        return Err(ServerError::Exists(new.name.clone()));
    }
    let now = work.now();
    let sealed = work.config().keyring.seal(&sealed_for(&new.name), secret.as_bytes());
    let id = match crud::server::insert(work.conn(), new, &sealed, now).await {
        Err(error) if crate::db::is_duplicate(&error) => return Err(ServerError::Exists(new.name.clone())),
        other => other?,
    };
    for pool in pools {
        address::add_pool(work, id, pool.kind, pool.v4, pool.v6).await?;
    }
    work.enqueue(Job::CheckServer { server_id: id });
    let details = json!({ "name": new.name, "protocol": new.protocol, "capacity": new.capacity });
    work.audit("server_added", Some(&format!("server:{id}")), details).await?;
    Ok(id)
}

/// The decrypted secret JSON of a server.
pub fn open_secret(keyring: &Keyring, server: &Server) -> Result<Zeroizing<String>, ServerError> {
    let original = server.name.split(" #").next().unwrap_or(&server.name);
    let plain = keyring.open(&sealed_for(original), &server.secret_key_id, &server.secret)?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&plain).into_owned()))
}

/// Seals a server's secret anew with the first key.
pub fn reseal(keyring: &Keyring, server: &Server) -> Result<Sealed, ServerError> {
    let plain = open_secret(keyring, server)?;
    Ok(keyring.seal(&sealed_for(&server.name), plain.as_bytes()))
}

/// Takes a server out of use. Its row stays for history.
pub async fn remove(work: &mut Work, name: &str, force: bool) -> Result<Server, ServerError> {
    let server = crud::server::find_by_name(work.conn(), name).await?;
    let server = server.ok_or_else(|| ServerError::Unknown(name.to_owned()))?;
    let held = crud::server::load(work.conn(), server.id).await?;
    if held > 0 && !force {
        return Err(ServerError::InUse(held));
    }
    let now = work.now();
    crud::server::set_removed(work.conn(), server.id, now).await?;
    let details = json!({ "name": name, "configs": held });
    work.audit("server_removed", Some(&format!("server:{}", server.id)), details).await?;
    Ok(server)
}

/// Queues one kind of work for every server.
pub async fn tick(work: &mut Work, kind: ServerWork) -> sqlx::Result<()> {
    for server in crud::server::list(work.conn()).await? {
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
    let alert = match (server.health, health) {
        (ServerHealth::Up | ServerHealth::Unknown, ServerHealth::Down) => {
            Alert::ServerDown { server_id: id, server: server.name, reason: detail.to_owned() }
        }
        (ServerHealth::Down, ServerHealth::Up) => Alert::ServerUp { server_id: id, server: server.name },
        _ => return Ok(()),
    };
    audit::notify_admins(work, "server_health", alert).await
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

//! What carries the tunnel: a real interface, or nothing but a file.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::keys::Key;
use super::peers::{Dump, Peer, PeerState};
use super::settings::{DriverKind, WireGuardSettings};
use super::tools::Tools;
use crate::integrations::vpn::BackendError;

/// An interface with peers. Calls that change it are made one at a time.
#[async_trait]
pub(super) trait Driver: Send + Sync {
    /// Makes the interface be as the settings say, and keeps the peers it has. Safe to repeat.
    async fn open(&self) -> Result<(), BackendError>;
    /// Whether the interface is there; after a failed call this says if `open` is needed.
    async fn is_there(&self) -> bool;
    async fn dump(&self) -> Result<Dump, BackendError>;
    /// First removes (those that are not there are no error), so that an address can move to another peer; then adds
    /// peers or replaces their keys and addresses. Other peers and running sessions are not touched.
    async fn change(&self, remove: &[Key], put: &[Peer]) -> Result<(), BackendError>;
    /// Ends when the interface has gone by itself.
    async fn lost(&self);
    /// Takes the interface down.
    async fn down(&self) -> Result<(), BackendError>;
    /// Lets people's traffic out, where the settings ask for it. Repeated now and then: a firewall that is loaded anew
    /// forgets what others put there.
    async fn forward(&self) -> Result<(), BackendError>;
    /// Half a line for operators: what it is.
    fn describe(&self) -> String;
    /// What is missing although it works.
    fn warning(&self) -> Option<String>;
}

/// Opens what the settings ask for. A file stands in for a tunnel only where that was asked for, and only where no
/// interface can be made here, not when making one went wrong.
pub(super) async fn open(
    settings: &WireGuardSettings,
    private_key: Key,
) -> Result<Box<dyn Driver>, BackendError> {
    if settings.driver != DriverKind::ConfigFile {
        let tools = Tools::new(settings.clone(), private_key);
        match tools.open().await {
            Err(BackendError::Incompatible(reason)) if settings.driver == DriverKind::AutoOrFile => {
                tracing::warn!(interface = settings.interface, reason, "no tunnel can be made here");
                return Ok(Box::new(ConfigFile::new(settings, private_key, reason)));
            }
            Err(BackendError::Incompatible(reason)) => {
                return Err(BackendError::Incompatible(format!("no tunnel can be made here: {reason}")));
            }
            opened => return opened.map(|()| Box::new(tools) as Box<dyn Driver>),
        }
    }
    Ok(Box::new(ConfigFile::new(settings, private_key, "as the settings ask".to_owned())))
}

/// Takes an interface away with the rules around it; of one that was adopted only the peers, and of one that has
/// another key by now nothing.
pub(super) async fn dismantle(settings: &WireGuardSettings, private_key: Key) -> Result<(), BackendError> {
    if settings.driver == DriverKind::ConfigFile {
        return Ok(());
    }
    let tools = Tools::new(settings.clone(), private_key);
    if tools.is_there().await {
        let found = tools.dump().await?;
        if found.private_key != Some(private_key) {
            return Ok(());
        }
        match settings.adopted {
            true => tools.change(&found.peers.into_keys().collect::<Vec<_>>(), &[]).await?,
            false => tools.down().await?,
        }
    }
    tools.unforward().await
}

/// Carries nothing: peers are known here and kept in the configuration file.
struct ConfigFile {
    private_key: Key,
    listen_port: u16,
    reason: String,
    peers: Mutex<BTreeMap<Key, Peer>>,
}

impl ConfigFile {
    fn new(settings: &WireGuardSettings, private_key: Key, reason: String) -> Self {
        Self { private_key, listen_port: settings.listen_port, reason, peers: Mutex::default() }
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Driver for ConfigFile {
    async fn open(&self) -> Result<(), BackendError> {
        Ok(())
    }

    async fn is_there(&self) -> bool {
        true
    }

    async fn dump(&self) -> Result<Dump, BackendError> {
        let state = |peer: &Peer| PeerState { peer: peer.clone(), rx: 0, tx: 0, last_handshake: None };
        Ok(Dump {
            private_key: Some(self.private_key),
            listen_port: self.listen_port,
            peers: self.peers().iter().map(|(key, peer)| (*key, state(peer))).collect(),
        })
    }

    async fn change(&self, remove: &[Key], put: &[Peer]) -> Result<(), BackendError> {
        let mut peers = self.peers();
        remove.iter().for_each(|key| drop(peers.remove(key)));
        peers.extend(put.iter().map(|peer| (peer.public_key, peer.clone())));
        Ok(())
    }

    async fn lost(&self) {
        std::future::pending().await
    }

    async fn down(&self) -> Result<(), BackendError> {
        Ok(())
    }

    async fn forward(&self) -> Result<(), BackendError> {
        Ok(())
    }

    fn describe(&self) -> String {
        format!("no tunnel, only the configuration file ({})", self.reason)
    }

    fn warning(&self) -> Option<String> {
        Some("nobody can connect through this server itself".to_owned())
    }
}

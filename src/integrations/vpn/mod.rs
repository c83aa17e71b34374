//! VPN backends behind one trait. Everything is absolute: a backend is told what should be, under a name made
//! from our ids, so that a repeated call after a time-out finds what the first one made.

pub mod outline;
pub mod wireguard;

use std::net::{Ipv4Addr, Ipv6Addr};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::ConfigId;

/// Name of a config at every backend: `[a-z0-9_]{3,32}`, the common denominator of all panels.
pub fn backend_name(config: ConfigId) -> String {
    format!("usi_c{config}")
}

/// The config id behind a name that [`backend_name`] made; None for a foreign name.
pub fn parse_backend_name(name: &str) -> Option<ConfigId> {
    name.strip_prefix("usi_c")?.parse().ok().map(ConfigId)
}

/// The keys of one config. Stored encrypted, never logged: `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "protocol", rename_all = "snake_case")]
pub enum Credentials {
    WireGuard {
        private_key: String,
        public_key: String,
        preshared_key: String,
    },
    /// `access_url` is what the server answered (`ss://…`), empty until it did.
    Outline {
        password: String,
        access_url: String,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// Tunnel addresses of one config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub v4: Ipv4Addr,
    pub v6: Option<Ipv6Addr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Present,
    /// The keys stay, nothing passes (suspended or over the limit).
    Blocked,
}

/// What should be at the backend for one config.
#[derive(Clone, Debug)]
pub struct Desired {
    pub config_id: ConfigId,
    pub credentials: Credentials,
    /// None where the protocol has no addresses (Outline).
    pub addresses: Option<Addresses>,
    pub access: Access,
    /// Bytes it may use from now on in all, where the backend can enforce it too.
    pub limit_bytes: Option<u64>,
}

/// What the backend holds after `ensure`.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The credentials, completed by what the backend told (Outline's access link).
    pub credentials: Credentials,
    /// Public key or key id at the backend.
    pub public_id: String,
}

/// Raw counters of one config; they may start again from zero at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub config_id: ConfigId,
    /// Bytes the server received from the person.
    pub rx: u64,
    /// Bytes the server sent to the person.
    pub tx: u64,
    pub last_handshake: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// One line for operators; no secret.
    pub detail: String,
}

/// What a reconciliation changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub added: usize,
    pub updated: usize,
    pub removed: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// Worth another try; after a write the outcome is unknown, so read again.
    #[error("not reachable: {0}")]
    Transient(String),
    #[error("the server refuses our credentials: {0}")]
    AuthExpired(String),
    /// A request that we got wrong; trying again will not help.
    #[error("the server refused: {0}")]
    Rejected(String),
    #[error("the server is of a kind we cannot drive: {0}")]
    Incompatible(String),
}

impl BackendError {
    pub fn is_transient(&self) -> bool {
        matches!(self, BackendError::Transient(_))
    }
}

/// One VPN server.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Creates or converges one config; safe to repeat.
    async fn ensure(&self, want: &Desired) -> Result<Observed, BackendError>;
    /// Takes one config away; "not found" is success.
    async fn revoke(&self, config: ConfigId, credentials: &Credentials) -> Result<(), BackendError>;
    /// Counters of every config of ours that the backend knows.
    async fn usage(&self) -> Result<Vec<Counter>, BackendError>;
    async fn health(&self) -> Result<Health, BackendError>;
    /// Makes the backend equal to `all`: adds the missing, removes what is foreign or gone.
    async fn reconcile(&self, all: &[Desired]) -> Result<Reconciled, BackendError>;
}

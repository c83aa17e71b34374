//! VPN backends behind one trait. Everything is absolute: a backend is told what should be, under a name made
//! from our ids, so that a repeated call after a time-out finds what the first one made.

pub mod outline;
mod pin;
pub mod qr;
pub mod wireguard;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::ConfigId;
use crate::models::vpn::Protocol;
use outline::{Outline, OutlineSecret};
use wireguard::keys::Key;
use wireguard::{WireGuard, WireGuardSecret, WireGuardSettings};

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

impl Credentials {
    /// New credentials, made here and stored before the backend hears of them: a repeated `ensure` asks for the same.
    pub fn generate(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Wireguard => {
                let private_key = Key::generate_private();
                Credentials::WireGuard {
                    private_key: private_key.to_base64(),
                    public_key: private_key.public().to_base64(),
                    preshared_key: Key::generate_preshared().to_base64(),
                }
            }
            Protocol::Outline => {
                Credentials::Outline { password: outline::generate_password(), access_url: String::new() }
            }
        }
    }

    pub fn protocol(&self) -> Protocol {
        match self {
            Credentials::WireGuard { .. } => Protocol::Wireguard,
            Credentials::Outline { .. } => Protocol::Outline,
        }
    }
}

/// The text a person gives to the app: a WireGuard `.conf` or an `ss://` link. `settings` is the JSON of
/// `servers.settings`. What cannot be rendered (no addresses, no link yet) is [`BackendError::Rejected`].
pub fn config_text(
    settings: &str,
    credentials: &Credentials,
    addresses: Option<Addresses>,
) -> Result<String, BackendError> {
    match credentials {
        Credentials::WireGuard { private_key, preshared_key, .. } => {
            let settings: WireGuardSettings = parse_settings(settings)?;
            let addresses =
                addresses.ok_or_else(|| BackendError::Rejected("the config has no addresses".into()))?;
            Ok(wireguard::render::client_conf(&settings, private_key, preshared_key, addresses))
        }
        Credentials::Outline { access_url, .. } if access_url.is_empty() => {
            Err(BackendError::Rejected("the server has not given an access link yet".into()))
        }
        Credentials::Outline { access_url, .. } => Ok(access_url.clone()),
    }
}

/// Drives the server of a row of `servers`: `settings` and `secret` are its JSON, the secret decrypted. WireGuard opens
/// its interface here; Outline makes no request yet.
pub async fn connect(
    protocol: Protocol,
    settings: &str,
    secret: &str,
) -> Result<Arc<dyn Backend>, BackendError> {
    match protocol {
        Protocol::Wireguard => {
            let secret: WireGuardSecret = parse_secret(secret)?;
            Ok(Arc::new(WireGuard::open(parse_settings(settings)?, &secret).await?))
        }
        Protocol::Outline => {
            let secret: OutlineSecret = parse_secret(secret)?;
            Ok(Arc::new(Outline::new(parse_settings(settings)?, &secret)?))
        }
    }
}

/// Takes away what a server that is out of use has of ours, without opening it first. Safe to repeat.
pub async fn dismantle(protocol: Protocol, settings: &str, secret: &str) -> Result<(), BackendError> {
    match protocol {
        Protocol::Wireguard => {
            let secret: WireGuardSecret = parse_secret(secret)?;
            WireGuard::dismantle(parse_settings(settings)?, &secret).await
        }
        Protocol::Outline => {
            let server = connect(protocol, settings, secret).await?;
            server.reconcile(&server.held().await?, &[]).await.map(drop)
        }
    }
}

/// Whether two servers of one machine stand for the same interface there.
pub fn share(settings: &str, others: &str) -> bool {
    let place = |settings: WireGuardSettings| (settings.netns, settings.interface);
    match (parse_settings(settings).map(place), parse_settings(others).map(place)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The secret in `json`; the error shows nothing of it.
fn parse_secret<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, BackendError> {
    serde_json::from_str(json)
        .map_err(|_| BackendError::Rejected("the secret is not as the protocol needs it".into()))
}

/// The settings in `json`; the error says what is wrong with them.
fn parse_settings<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, BackendError> {
    serde_json::from_str(json).map_err(|error| BackendError::Rejected(format!("settings: {error}")))
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
    /// The backend's own count of bytes at which the config should stop, in what that backend counts ([`UsageKind`]).
    /// A second net where the backend can hold it too (Outline); the accounting here is what decides.
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

/// Raw counters of one config; [`UsageKind::delta`] says what two readings mean. A config without a counter is
/// left out: nothing is known of it, which is not the same as zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub config_id: ConfigId,
    /// Bytes the server received from the person.
    pub rx: u64,
    /// Bytes the server sent to the person; where the backend knows only a sum (Outline), the sum.
    pub tx: u64,
    pub last_handshake: Option<Timestamp>,
}

/// What a backend's counters mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageKind {
    /// Only rises, and starts again from zero with the peer, the interface or the machine (WireGuard).
    Counter,
    /// The sum of the last 30 days: it falls as old days leave, too (Outline).
    RollingWindow,
}

impl UsageKind {
    /// Bytes used between two readings. A window that falls tells nothing: in the first 30 days of a config all is
    /// counted, after them what is used only as far as it exceeds what leaves the window meanwhile. Nobody is charged
    /// twice; on a plan of 90 days somebody who uses as much each day is counted for the first 30, and held by the
    /// server's own limit alone (`Desired::limit_bytes`).
    pub fn delta(self, last: u64, now: u64) -> u64 {
        match self {
            UsageKind::Counter if now < last => now,
            UsageKind::Counter | UsageKind::RollingWindow => now.saturating_sub(last),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// One line for operators; no secret.
    pub detail: String,
    /// What is missing although it works.
    pub warning: Option<String>,
}

impl Health {
    /// All of it on one line.
    pub fn text(&self) -> String {
        let warning = self.warning.iter().map(|warning| format!("; {warning}"));
        std::iter::once(self.detail.clone()).chain(warning).collect()
    }
}

/// What a backend held at one time.
#[derive(Clone, Debug)]
pub struct Held {
    /// From before it was asked.
    pub at: Instant,
    /// Public ids.
    pub ids: BTreeSet<String>,
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
    /// How to account what `usage` tells.
    fn usage_kind(&self) -> UsageKind;
    /// Whether people can connect and get out. Mends what it can on the way (WireGuard's firewall rules).
    async fn health(&self) -> Result<Health, BackendError>;
    /// What is there now. Asked for before the database is read, so that `reconcile` knows a foreign config from one
    /// that was made in between, here or by another process.
    async fn held(&self) -> Result<Held, BackendError>;
    /// Makes the backend equal to `all`, which was read after `held`: adds the missing, mends the changed, removes what
    /// `held` has and `all` has not. What `ensure` or `revoke` did since `held` is newer and stays.
    async fn reconcile(&self, held: &Held, all: &[Desired]) -> Result<Reconciled, BackendError>;
    /// Stores what is only in memory. Called once, when the server stops.
    async fn close(&self) {}
    /// From now on it brings nothing back and stores nothing: it is out of use, whoever holds it still.
    async fn retire(&self) {}
}

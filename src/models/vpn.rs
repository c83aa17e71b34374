//! Access handed to people.

use crate::clock::Timestamp;
use crate::ids::{ConfigId, ServerId, SubscriptionId, UserId};

text_enum! {
    /// Ways of connecting that are sold.
    Protocol {
        Wireguard = "wireguard",
        Outline = "outline",
    }
}

impl Protocol {
    /// Its name as people know it.
    pub const fn title(self) -> &'static str {
        match self {
            Protocol::Wireguard => "WireGuard",
            Protocol::Outline => "Outline",
        }
    }
}

text_enum! {
    /// What should be. The reconciler and the jobs drive the backend to it.
    ConfigStatus {
        /// Bought, not handed out yet.
        Preparing = "preparing",
        Active = "active",
        /// Blocked at the backend; keys and address are kept.
        Suspended = "suspended",
        /// Dropped by the person or by expiry; to be taken off the backend.
        Revoked = "revoked",
        /// Gone from the backend, address released.
        Removed = "removed",
    }
}

text_enum! {
    /// What the backend was last made to be.
    Applied {
        None = "none",
        Present = "present",
        Blocked = "blocked",
    }
}

/// What the counters of a config have grown by since they were last stored.
#[derive(Clone, Debug)]
pub struct Growth {
    pub config_id: ConfigId,
    pub subscription_id: SubscriptionId,
    pub server_id: ServerId,
    /// The counters that were stored: received, sent.
    pub last: (u64, u64),
    /// The counters as they were read.
    pub raw: (u64, u64),
    /// What the config has used in all, with this.
    pub total: (u64, u64),
    /// Bytes in both directions.
    pub bytes: u64,
    /// When it is later than the one that was stored.
    pub last_handshake: Option<Timestamp>,
}

/// A row of `vpn_configs`. The secret stays encrypted here.
#[derive(Clone, Debug)]
pub struct VpnConfig {
    pub id: ConfigId,
    pub user_id: UserId,
    pub subscription_id: SubscriptionId,
    pub protocol: Protocol,
    pub server_id: Option<ServerId>,
    pub name: String,
    pub status: ConfigStatus,
    pub applied: Applied,
    pub public_id: Option<String>,
    pub secret: Option<Vec<u8>>,
    pub secret_key_id: Option<String>,
    pub raw_rx: u64,
    pub raw_tx: u64,
    pub total_rx: u64,
    pub total_tx: u64,
    pub last_handshake_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

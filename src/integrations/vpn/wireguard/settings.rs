//! What a WireGuard server is told by its operator: the JSON of `servers.settings` and `servers.secret`.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::keys::Key;
use crate::integrations::vpn::BackendError;

/// The JSON of `servers.settings`; what is missing there has the defaults of [`WireGuardSettings::new`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireGuardSettings {
    /// Name of the interface, at most 15 characters.
    #[serde(default = "default_interface")]
    pub interface: String,
    /// UDP port the server listens on.
    #[serde(default = "default_port")]
    pub listen_port: u16,
    /// Public name or address that people's devices connect to.
    pub endpoint_host: String,
    /// The server's public key, base64; must belong to the secret's private key.
    pub public_key: String,
    /// Resolvers given to people. IPv6 ones are left out where a config has no IPv6 address.
    #[serde(default = "default_dns")]
    pub dns: Vec<IpAddr>,
    /// MTU of both ends. 1280 passes every mobile network.
    #[serde(default = "default_mtu")]
    pub mtu: u16,
    /// Seconds between keep-alives from the person's device, so that NAT keeps the way back open; 0 = none.
    #[serde(default = "default_keepalive")]
    pub keepalive: u16,
    /// What people's devices send into the tunnel.
    #[serde(default = "default_allowed_ips")]
    pub allowed_ips: Vec<IpNet>,
    /// The server's own address, with the network that the pools are cut from.
    #[serde(default = "default_address4")]
    pub address4: Ipv4Net,
    #[serde(default = "default_address6")]
    pub address6: Option<Ipv6Net>,
    /// Forward and masquerade what comes out of the tunnel (needs `iptables`).
    #[serde(default = "default_nat")]
    pub nat: bool,
    #[serde(default)]
    pub driver: DriverKind,
    /// The interface was there before the server: it stays when the server is removed, without what is ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// The wg-quick configuration kept for the next boot; None = `/etc/wireguard/INTERFACE.conf`.
    #[serde(default)]
    pub config_path: Option<PathBuf>,
    /// Runs every command inside this network namespace (`ip netns exec`). For tests.
    #[serde(default)]
    pub netns: Option<String>,
    /// Takes the interface down when the backend is closed. For the demo and tests: on a real server tunnels outlive
    /// a restart of the bot.
    #[serde(default)]
    pub down_on_close: bool,
}

/// What carries the tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverKind {
    /// The first that works here: the kernel's, or a `wireguard-go` process.
    #[default]
    Auto,
    /// As `Auto`, and where this machine gives no tunnel the configuration file alone. For the demo: whoever pays
    /// must not be handed keys that lead nowhere.
    AutoOrFile,
    /// The kernel's own WireGuard.
    Kernel,
    /// A `wireguard-go` process, started and looked after by the server.
    Userspace,
    /// No tunnel: peers are only kept in the configuration file.
    ConfigFile,
}

/// The JSON of `servers.secret`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireGuardSecret {
    /// Base64.
    pub private_key: String,
}

impl std::fmt::Debug for WireGuardSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WireGuardSecret(redacted)")
    }
}

impl WireGuardSecret {
    pub fn generate() -> Self {
        Self { private_key: Key::generate_private().to_base64() }
    }

    /// The public key that belongs into the settings.
    pub fn public_key(&self) -> Result<String, BackendError> {
        Ok(self.key()?.public().to_base64())
    }

    pub(super) fn key(&self) -> Result<Key, BackendError> {
        self.private_key.parse().map_err(|error| BackendError::Rejected(format!("private_key: {error}")))
    }
}

impl WireGuardSettings {
    /// Settings of a new server; the other fields can be changed before they are stored.
    pub fn new(endpoint_host: impl Into<String>, public_key: impl Into<String>) -> Self {
        Self {
            interface: default_interface(),
            listen_port: default_port(),
            endpoint_host: endpoint_host.into(),
            public_key: public_key.into(),
            dns: default_dns(),
            mtu: default_mtu(),
            keepalive: default_keepalive(),
            allowed_ips: default_allowed_ips(),
            address4: default_address4(),
            address6: default_address6(),
            nat: default_nat(),
            driver: DriverKind::Auto,
            adopted: false,
            config_path: None,
            netns: None,
            down_on_close: false,
        }
    }

    /// Refuses what could not work, or could mean something else to a shell or a configuration parser.
    pub fn validate(&self) -> Result<(), BackendError> {
        let named = |text: &str, max| {
            (1..=max).contains(&text.len())
                && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "_=+.-".contains(c))
        };
        let wrong = |what: &str| Err(BackendError::Rejected(format!("settings: {what}")));
        if !named(&self.interface, 15) {
            return wrong("interface is 1 to 15 characters of a-z A-Z 0-9 _ = + . -");
        }
        if self.netns.as_deref().is_some_and(|netns| !named(netns, 64)) {
            return wrong("netns is not a name");
        }
        if self.endpoint_host.parse::<Ipv6Addr>().is_err() && !named(&self.endpoint_host, 253) {
            return wrong("endpoint_host is a host name or an address, without a port");
        }
        if self.public_key.parse::<Key>().is_err() {
            return wrong("public_key is 32 bytes in base64");
        }
        if self.listen_port == 0 || self.mtu < 576 {
            return wrong("listen_port is 1 or more, mtu is 576 or more (1280 with IPv6)");
        }
        Ok(())
    }

    pub fn config_path(&self) -> PathBuf {
        let default = || PathBuf::from("/etc/wireguard").join(format!("{}.conf", self.interface));
        self.config_path.clone().unwrap_or_else(default)
    }
}

fn default_interface() -> String {
    "wg0".to_owned()
}

fn default_port() -> u16 {
    51820
}

fn default_dns() -> Vec<IpAddr> {
    vec![IpAddr::from([1, 1, 1, 1]), IpAddr::from([0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111])]
}

fn default_mtu() -> u16 {
    1280
}

fn default_keepalive() -> u16 {
    25
}

fn default_allowed_ips() -> Vec<IpNet> {
    vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]
}

fn default_address4() -> Ipv4Net {
    Ipv4Net::new([10, 66, 0, 1].into(), 16).expect("16 is a prefix length")
}

fn default_address6() -> Option<Ipv6Net> {
    Some(Ipv6Net::new([0xfd42, 0x66, 0, 0, 0, 0, 0, 1].into(), 64).expect("64 is a prefix length"))
}

fn default_nat() -> bool {
    true
}

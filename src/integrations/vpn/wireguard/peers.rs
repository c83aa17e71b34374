//! Peers of the interface, and reading them back from `wg show dump` and from the server's own file. Pure.

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::keys::Key;
use crate::clock::Timestamp;
use crate::ids::ConfigId;
use crate::integrations::vpn::{Addresses, BackendError, Credentials, Desired, parse_backend_name};

/// A peer as it should be on the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub public_key: Key,
    pub preshared_key: Key,
    /// Sorted, so that equal sets are equal.
    pub allowed_ips: Vec<IpNet>,
}

impl Peer {
    /// One device, one peer: exactly its own addresses may come out of the tunnel.
    pub fn of(want: &Desired) -> Result<Self, BackendError> {
        let config = want.config_id;
        let Credentials::WireGuard { public_key, preshared_key, .. } = &want.credentials else {
            return Err(BackendError::Rejected(format!("config {config} is not for WireGuard")));
        };
        let Some(Addresses { v4, v6 }) = want.addresses else {
            return Err(BackendError::Rejected(format!("config {config} has no addresses")));
        };
        let key = |text: &str| text.parse::<Key>();
        let bad = |error| BackendError::Rejected(format!("config {config}: {error}"));
        let v6 = v6.map(|v6| IpNet::V6(Ipv6Net::from(v6)));
        Ok(Self {
            public_key: key(public_key).map_err(bad)?,
            preshared_key: key(preshared_key).map_err(bad)?,
            allowed_ips: std::iter::once(IpNet::V4(Ipv4Net::from(v4))).chain(v6).collect(),
        })
    }
}

/// A peer as the interface shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    pub peer: Peer,
    pub rx: u64,
    pub tx: u64,
    pub last_handshake: Option<Timestamp>,
}

/// What `wg show INTERFACE dump` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// None while the interface has no key.
    pub private_key: Option<Key>,
    pub listen_port: u16,
    pub peers: BTreeMap<Key, PeerState>,
}

impl Dump {
    /// Reads the tab separated text of wg(8): the interface on line one, a peer on each other line.
    pub fn parse(text: &str) -> Result<Self, BackendError> {
        let unreadable = || BackendError::Incompatible("`wg show dump` wrote something unknown".to_owned());
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().ok_or_else(unreadable)?.split('\t').collect();
        let [private_key, _public_key, listen_port, ..] = head[..] else { return Err(unreadable()) };
        let peers = lines.map(|line| parse_peer(line).ok_or_else(unreadable));
        Ok(Self {
            private_key: private_key.parse().ok(),
            listen_port: listen_port.parse().map_err(|_| unreadable())?,
            peers: peers
                .map(|peer| peer.map(|peer| (peer.peer.public_key, peer)))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// `public-key preshared-key endpoint allowed-ips latest-handshake rx tx keepalive`. A peer without a preshared key
/// shows all zeros, which is what the protocol uses for "none".
fn parse_peer(line: &str) -> Option<PeerState> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [public_key, preshared_key, _endpoint, allowed_ips, handshake, rx, tx, _keepalive] = fields[..]
    else {
        return None;
    };
    let handshake: i64 = handshake.parse().ok()?;
    Some(PeerState {
        peer: Peer {
            public_key: public_key.parse().ok()?,
            preshared_key: if preshared_key == "(none)" {
                Key::none()
            } else {
                preshared_key.parse().ok()?
            },
            allowed_ips: parse_networks(allowed_ips)?,
        },
        rx: rx.parse().ok()?,
        tx: tx.parse().ok()?,
        last_handshake: (handshake > 0).then(|| Timestamp::from_unix(handshake)),
    })
}

fn parse_networks(text: &str) -> Option<Vec<IpNet>> {
    if text == "(none)" {
        return Some(Vec::new());
    }
    let mut networks: Vec<IpNet> =
        text.split(',').map(|network| network.trim().parse().ok()).collect::<Option<_>>()?;
    networks.sort_unstable();
    Some(networks)
}

/// The peers of a file that [`super::render::server_conf`] wrote, each with the config that its comment names. Other
/// sections are left out.
pub fn parse_server_conf(text: &str) -> Vec<(ConfigId, Peer)> {
    text.split("\n\n").filter_map(parse_section).collect()
}

fn parse_section(section: &str) -> Option<(ConfigId, Peer)> {
    let (name, peer) = section.split_once("\n[Peer]\n")?;
    let config = parse_backend_name(name.strip_prefix("# ")?)?;
    let values: BTreeMap<&str, &str> = peer.lines().filter_map(|line| line.split_once(" = ")).collect();
    let peer = Peer {
        public_key: values.get("PublicKey")?.parse().ok()?,
        preshared_key: values.get("PresharedKey")?.parse().ok()?,
        allowed_ips: parse_networks(values.get("AllowedIPs")?)?,
    };
    Some((config, peer))
}

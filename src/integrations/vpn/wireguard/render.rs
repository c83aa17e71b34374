//! The texts of WireGuard: a person's `.conf`, its file name, and the server's own wg-quick file. Pure.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};

use super::keys::Key;
use super::peers::Peer;
use super::settings::WireGuardSettings;
use crate::ids::ConfigId;
use crate::integrations::vpn::{Addresses, backend_name};

/// Interface names end at 15 characters, and the apps name the tunnel after the file (wg-quick(8)).
const STEM_MAX: usize = 15;

/// First line of a file that is ours to overwrite.
pub(super) const HEADER: &str = "# Written by uSipipo, which overwrites changes made here.";

/// The `.conf` a person imports. `private_key` and `preshared_key` are base64.
pub fn client_conf(
    settings: &WireGuardSettings,
    private_key: &str,
    preshared_key: &str,
    addresses: Addresses,
) -> String {
    let Addresses { v4, v6 } = addresses;
    let own = [Some(format!("{v4}/32")), v6.map(|v6| format!("{v6}/128"))];
    let dns = settings.dns.iter().filter(|dns| dns.is_ipv4() || v6.is_some()).map(IpAddr::to_string);
    let mut text = format!(
        "[Interface]\nPrivateKey = {private_key}\nAddress = {}\n",
        own.into_iter().flatten().collect::<Vec<_>>().join(", ")
    );
    let dns = dns.collect::<Vec<_>>().join(", ");
    if !dns.is_empty() {
        let _ = writeln!(text, "DNS = {dns}");
    }
    let _ = write!(
        text,
        "MTU = {}\n\n[Peer]\nPublicKey = {}\nPresharedKey = {preshared_key}\nAllowedIPs = {}\nEndpoint = {}:{}\n",
        settings.mtu,
        settings.public_key,
        settings.allowed_ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        bracketed(&settings.endpoint_host),
        settings.listen_port,
    );
    if settings.keepalive > 0 {
        let _ = writeln!(text, "PersistentKeepalive = {}", settings.keepalive);
    }
    text
}

/// A file name the apps accept, from the person's own name for the config; the id keeps two of them apart.
pub fn file_name(name: &str, config: ConfigId) -> String {
    let id = config.to_string();
    let id = &id[id.len().saturating_sub(STEM_MAX)..];
    let mut stem = String::new();
    for c in name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }) {
        if stem.len() + id.len() + 1 < STEM_MAX && (c != '-' || !stem.is_empty() && !stem.ends_with('-')) {
            stem.push(c);
        }
    }
    match stem.trim_end_matches('-') {
        "" if id.len() + 4 <= STEM_MAX => format!("vpn-{id}.conf"),
        "" => format!("{id}.conf"),
        stem => format!("{stem}-{id}.conf"),
    }
}

/// The server's file for `wg-quick up` at boot: the interface, forwarding, and every peer under the name of its config.
pub fn server_conf<'a>(
    settings: &WireGuardSettings,
    private_key: &Key,
    peers: impl IntoIterator<Item = (ConfigId, &'a Peer)>,
) -> String {
    let mut text = format!(
        "{HEADER}\n[Interface]\nPrivateKey = {}\nListenPort = {}\nAddress = {}\n",
        private_key.to_base64(),
        settings.listen_port,
        settings.address4,
    );
    if let Some(address6) = settings.address6 {
        let _ = writeln!(text, "Address = {address6}");
    }
    let _ = writeln!(text, "MTU = {}", settings.mtu);
    for line in forwarding(settings) {
        let _ = writeln!(text, "PostUp = {line}");
    }
    for (config, peer) in peers {
        let _ = write!(text, "\n# {}\n{}", backend_name(config), peer_section(peer));
    }
    text
}

/// One peer as `wg addconf` and wg-quick read it.
pub(super) fn peer_section(peer: &Peer) -> String {
    format!(
        "[Peer]\nPublicKey = {}\nPresharedKey = {}\nAllowedIPs = {}\n",
        peer.public_key.to_base64(),
        peer.preshared_key.to_base64(),
        peer.allowed_ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    )
}

/// Shell lines that let people's traffic out; repeating them changes nothing. Empty where `nat` is off.
/// They come first in their chains, because Docker and ufw drop forwarded packets by policy. People do not reach each
/// other's devices.
pub fn forwarding(settings: &WireGuardSettings) -> Vec<String> {
    let mut lines = Vec::new();
    if !settings.nat {
        return lines;
    }
    let interface = &settings.interface;
    let mut family = |iptables: &str, switch: &str, network: String| {
        lines.push(format!("sysctl -q -w {switch}=1"));
        for (table, rule) in [
            ("filter", format!("FORWARD -i {interface} -j ACCEPT")),
            ("filter", format!("FORWARD -i {interface} -o {interface} -j DROP")),
            (
                "filter",
                format!("FORWARD -o {interface} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
            ),
            ("nat", format!("POSTROUTING -s {network} ! -o {interface} -j MASQUERADE")),
        ] {
            let call = format!("{iptables} -w -t {table}");
            lines.push(format!("{call} -C {rule} 2>/dev/null || {call} -I {rule}"));
        }
    };
    family("iptables", "net.ipv4.ip_forward", settings.address4.trunc().to_string());
    if let Some(address6) = settings.address6 {
        family("ip6tables", "net.ipv6.conf.all.forwarding", address6.trunc().to_string());
    }
    lines
}

/// An IPv6 literal stands in brackets before a port.
fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

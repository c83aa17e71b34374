//! The texts of WireGuard: a person's `.conf`, its file name, and the server's own wg-quick file. Pure.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

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
    for line in forwarding4(settings).into_iter().chain(forwarding6(settings)) {
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

/// Networks that people do not get to through the tunnel: what stands beside and behind this machine (the provider's
/// LAN and metadata service, containers, other tunnels) is not the internet they were sold.
const PRIVATE4: [&str; 5] =
    ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];
const PRIVATE6: [&str; 2] = ["fc00::/7", "fe80::/10"];

/// How one address family is spelled.
struct Family<'a> {
    iptables: &'a str,
    switch: &'a str,
    icmp: &'a str,
    private: &'a [&'a str],
    network: String,
    resolvers: Vec<IpAddr>,
}

/// Shell lines that let people's IPv4 traffic out, and not into this machine's surroundings. Repeating them changes
/// nothing; a machine whose switches are set and read-only, such as a container, is fine. Empty where `nat` is off.
pub fn forwarding4(settings: &WireGuardSettings) -> Vec<String> {
    let family = Family {
        iptables: "iptables",
        switch: "net.ipv4.ip_forward",
        icmp: "icmp",
        private: &PRIVATE4,
        network: settings.address4.trunc().to_string(),
        resolvers: private_resolvers(settings, &PRIVATE4),
    };
    if settings.nat { forwarding(&settings.interface, &family) } else { Vec::new() }
}

/// The same for IPv6, where the tunnel has it.
pub fn forwarding6(settings: &WireGuardSettings) -> Vec<String> {
    let Some(address6) = settings.address6.filter(|_| settings.nat) else { return Vec::new() };
    let family = Family {
        iptables: "ip6tables",
        switch: "net.ipv6.conf.all.forwarding",
        icmp: "ipv6-icmp",
        private: &PRIVATE6,
        network: address6.trunc().to_string(),
        resolvers: private_resolvers(settings, &PRIVATE6),
    };
    forwarding(&settings.interface, &family)
}

/// What people are told to ask for names although they reach nothing else there.
fn private_resolvers(settings: &WireGuardSettings, private: &[&str]) -> Vec<IpAddr> {
    let is_private = |ip: &&IpAddr| {
        private.iter().filter_map(|net| net.parse::<IpNet>().ok()).any(|net| net.contains(*ip))
    };
    settings.dns.iter().filter(is_private).copied().collect()
}

/// The rules stand in chains of their own, which are replaced as a whole. The chains come first in FORWARD and INPUT,
/// because Docker and ufw drop forwarded packets by policy.
fn forwarding(interface: &str, family: &Family<'_>) -> Vec<String> {
    let Family { iptables, switch, network, .. } = family;
    let chains: String = filter_rules(interface, family).iter().map(|rule| format!(" '{rule}'")).collect();
    let first = |table: &str, rule: &str| {
        let call = format!("{iptables} -w -t {table}");
        format!("{call} -C {rule} 2>/dev/null || {call} -I {rule}")
    };
    vec![
        format!("[ \"$(sysctl -n {switch})\" = 1 ] || sysctl -q -w {switch}=1"),
        format!("printf '%s\\n'{chains} | {iptables}-restore -w --noflush"),
        first("filter", &format!("FORWARD -j usipipo-{interface}")),
        first("filter", &format!("INPUT -i {interface} -j usipipo-in-{interface}")),
        first("nat", &format!("POSTROUTING -s {network} ! -o {interface} -j MASQUERADE")),
    ]
}

/// Shell lines that take away what [`forwarding4`] and [`forwarding6`] put there. The switches stay: others may need
/// them. What is gone already is no error.
pub fn unforwarding(settings: &WireGuardSettings) -> Vec<String> {
    let interface = &settings.interface;
    let networks = [
        ("iptables", Some(settings.address4.trunc().to_string())),
        ("ip6tables", settings.address6.map(|address6| address6.trunc().to_string())),
    ];
    let lines = networks.iter().filter(|_| settings.nat).filter_map(|(iptables, network)| {
        let network = network.as_ref()?;
        let rules = [
            format!("-D FORWARD -j usipipo-{interface}"),
            format!("-D INPUT -i {interface} -j usipipo-in-{interface}"),
            format!("-F usipipo-{interface}"),
            format!("-X usipipo-{interface}"),
            format!("-F usipipo-in-{interface}"),
            format!("-X usipipo-in-{interface}"),
            format!("-t nat -D POSTROUTING -s {network} ! -o {interface} -j MASQUERADE"),
        ];
        Some(rules.map(|rule| format!("{iptables} -w {rule} 2>/dev/null || :")))
    });
    lines.flatten().collect()
}

/// As `iptables-restore` reads them. People do not reach each other's devices, and send no mail past their provider:
/// one spammer would get this machine's address blocked for everybody.
fn filter_rules(interface: &str, family: &Family<'_>) -> Vec<String> {
    let Family { icmp, private, resolvers, .. } = family;
    let (out, own) = (format!("-A usipipo-{interface}"), format!("-A usipipo-in-{interface}"));
    let mut rules = vec![
        "*filter".to_owned(),
        format!(":usipipo-{interface} - [0:0]"),
        format!(":usipipo-in-{interface} - [0:0]"),
        format!("{out} -i {interface} -o {interface} -j DROP"),
        format!("{out} -o {interface} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
        format!("{out} -o {interface} -j DROP"),
    ];
    for (resolver, protocol) in resolvers.iter().flat_map(|resolver| [(resolver, "udp"), (resolver, "tcp")]) {
        rules.push(format!("{out} -i {interface} -d {resolver} -p {protocol} --dport 53 -j ACCEPT"));
    }
    rules.extend(private.iter().map(|network| format!("{out} -i {interface} -d {network} -j DROP")));
    rules.push(format!("{out} -i {interface} -p tcp --dport 25 -j DROP"));
    rules.push(format!("{out} -i {interface} -j ACCEPT"));
    // Of this machine's own private addresses, the tunnel's answers a ping, and may have a resolver.
    rules.push(format!("{own} -p {icmp} -j RETURN"));
    rules.extend(["udp", "tcp"].map(|protocol| format!("{own} -p {protocol} --dport 53 -j RETURN")));
    rules.extend(private.iter().map(|network| format!("{own} -d {network} -j DROP")));
    rules.push("COMMIT".to_owned());
    rules
}

/// An IPv6 literal stands in brackets before a port.
fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

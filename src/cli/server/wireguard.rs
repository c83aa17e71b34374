//! `usipipo server add wireguard`.

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use ipnet::{Ipv4Net, Ipv6Net};
use scoped_futures::ScopedFutureExt;

use super::{Failure, Session, ensure_free, location, out, read_stdin, server_name, store, unusable};
use crate::integrations::vpn::Backend as _;
use crate::integrations::vpn::wireguard::{DriverKind, WireGuard, WireGuardSecret, WireGuardSettings};
use crate::models::address::PoolKind;
use crate::models::server::NewServer;
use crate::models::vpn::Protocol;
use crate::services::server::{self, NewPool};

/// Make this machine a WireGuard server: creates the interface, or adopts the one that is there.
///
/// Needs the rights of the server: root, or CAP_NET_ADMIN. The private key is made here unless one is piped in, as
/// it must be to adopt an interface; peers that somebody else put there are removed. Everything of the interface is
/// kept in /etc/wireguard/INTERFACE.conf for the next boot; a file that somebody else wrote there is kept beside it
/// as .before.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo server add wireguard de-1 --endpoint vpn.example.com --location '🇩🇪 Frankfurt'
  usipipo server add wireguard de-1 --endpoint 203.0.113.5:443 \\
      --network 10.7.0.0/16 --trial-network 10.8.0.0/22
  wg show wg1 private-key | usipipo server add wireguard de-2 --private-key-stdin --interface wg1 \\
      --endpoint vpn.example.com:51821 --network 10.67.0.0/22 --network6 fd42:67::/112")]
pub struct Add {
    /// Short name for operators
    #[arg(value_parser = server_name)]
    name: String,
    /// What people's devices connect to; the port is UDP and the server's own [default port: 51820]
    #[arg(long, value_name = "HOST[:PORT]")]
    endpoint: Endpoint,
    #[arg(long, default_value = "wg0")]
    interface: String,
    /// What people see [default: the name]
    #[arg(long, value_parser = location)]
    location: Option<String>,
    /// Tunnel addresses to hand out; the first is the server's own
    #[arg(long, default_value = "10.66.0.0/22", value_name = "CIDR")]
    network: Ipv4Net,
    /// The same for IPv6
    #[arg(long, default_value = "fd42:66::/112", value_name = "CIDR")]
    network6: Ipv6Net,
    /// No IPv6 in the tunnel
    #[arg(long, conflicts_with_all = ["network6", "trial_network6"])]
    no_ipv6: bool,
    /// Addresses for trials alone, beside --network [default: trials share --network]
    #[arg(long, value_name = "CIDR")]
    trial_network: Option<Ipv4Net>,
    /// The same for IPv6 [default: none]
    #[arg(long, value_name = "CIDR", requires = "trial_network")]
    trial_network6: Option<Ipv6Net>,
    /// Resolvers given to people [default: 1.1.1.1,2606:4700:4700::1111]
    #[arg(long, value_delimiter = ',', value_name = "IP,IP")]
    dns: Vec<IpAddr>,
    /// [default: 1280, which passes every mobile network]
    #[arg(long)]
    mtu: Option<u16>,
    /// Configs at most [default: as many as there are addresses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: Option<u32>,
    /// What carries the tunnel
    #[arg(long, value_enum, default_value_t = Carrier::Auto)]
    driver: Carrier,
    /// What is kept for the next boot [default: /etc/wireguard/INTERFACE.conf]
    #[arg(long, value_name = "FILE")]
    conf: Option<PathBuf>,
    /// Read the server's private key from standard input
    #[arg(long)]
    private_key_stdin: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Carrier {
    /// The kernel's own WireGuard, else a wireguard-go process
    Auto,
    /// The kernel's own WireGuard
    Kernel,
    /// A wireguard-go process
    Userspace,
    /// No tunnel: peers are only written to the file, for something else to take up
    ConfigFile,
}

impl From<Carrier> for DriverKind {
    fn from(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Auto => DriverKind::Auto,
            Carrier::Kernel => DriverKind::Kernel,
            Carrier::Userspace => DriverKind::Userspace,
            Carrier::ConfigFile => DriverKind::ConfigFile,
        }
    }
}

/// `vpn.example.com`, `203.0.113.5:443`, `[2001:db8::1]:51820` or a bare IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    host: String,
    port: Option<u16>,
}

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "HOST or HOST:PORT is expected, such as vpn.example.com:51820 or [2001:db8::1]:51820";
        if text.parse::<Ipv6Addr>().is_ok() {
            return Ok(Self { host: text.to_owned(), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, Some(port.parse().map_err(|_| WRONG)?)),
            _ => (text, None),
        };
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|ip| ip.parse::<Ipv6Addr>().is_ok()).ok_or(WRONG)?,
            None => host,
        };
        if host.is_empty() || host.contains([':', '/', ' ']) && host.parse::<Ipv6Addr>().is_err() {
            return Err(WRONG);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl Add {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        ensure_free(session, &self.name).await?;
        let secret = self.secret()?;
        let settings = self.settings(&secret)?;
        ensure_apart(session, &settings).await?;
        let (pools, addresses) = self.pools();
        let new = NewServer {
            name: self.name.clone(),
            protocol: Protocol::Wireguard,
            location: self.location.clone().unwrap_or_else(|| self.name.clone()),
            settings: to_json(&settings),
            capacity: self.capacity.unwrap_or(addresses),
        };
        out::line(self.probe(settings, &secret).await?);
        store(session, &new, &to_json(&secret), &pools).await
    }

    /// Makes the interface; one that was made for nothing is taken away again.
    async fn probe(&self, settings: WireGuardSettings, secret: &WireGuardSecret) -> Result<String, Failure> {
        let made = !self.is_there();
        let server = WireGuard::open(settings, secret).await.map_err(unusable)?;
        match server.health().await {
            Ok(health) => Ok(health.text()),
            Err(error) => {
                if made {
                    server.take_down().await;
                }
                Err(unusable(error))
            }
        }
    }

    fn is_there(&self) -> bool {
        Path::new("/sys/class/net").join(&self.interface).exists()
    }

    /// A new key, unless that would take the interface away from those who use it.
    fn secret(&self) -> Result<WireGuardSecret, Failure> {
        let interface = &self.interface;
        match self.private_key_stdin {
            true => Ok(WireGuardSecret { private_key: read_stdin("the private key")? }),
            false if self.is_there() => Err(Failure::Input(format!(
                "the interface {interface} is there already. Adopt it with its key (`wg show {interface} private-key | \
                 usipipo server add … --private-key-stdin`), delete it (`ip link delete {interface}`), or take \
                 another --interface"
            ))),
            false => Ok(WireGuardSecret::generate()),
        }
    }

    fn settings(&self, secret: &WireGuardSecret) -> Result<WireGuardSettings, Failure> {
        let public_key = secret.public_key().map_err(|error| Failure::Input(error.to_string()))?;
        let mut settings = WireGuardSettings::new(&self.endpoint.host, public_key);
        settings.interface.clone_from(&self.interface);
        settings.listen_port = self.endpoint.port.unwrap_or(settings.listen_port);
        settings.mtu = self.mtu.unwrap_or(settings.mtu);
        if !self.dns.is_empty() {
            settings.dns.clone_from(&self.dns);
        }
        settings.driver = self.driver.into();
        settings.adopted = self.is_there();
        settings.config_path.clone_from(&self.conf);
        settings.address4 = own_address4(self.network, self.trial_network)?;
        settings.address6 = match self.no_ipv6 {
            true => None,
            false => Some(own_address6(self.network6, self.trial_network6)?),
        };
        settings.validate().map_err(|error| Failure::Input(error.to_string()))?;
        Ok(settings)
    }

    /// The networks to hand out from, and how many addresses they have.
    fn pools(&self) -> (Vec<NewPool>, u32) {
        let v6 = |net| Some(net).filter(|_| !self.no_ipv6);
        let paid = NewPool { kind: PoolKind::Paid, v4: self.network, v6: v6(self.network6) };
        let trial = self.trial_network.map(|v4| NewPool {
            kind: PoolKind::Trial,
            v4,
            v6: self.trial_network6.and_then(v6),
        });
        let pools: Vec<NewPool> = std::iter::once(paid).chain(trial).collect();
        // Network, broadcast and the server's own are not handed out.
        let hosts = |pool: &NewPool| (1u64 << (32 - u32::from(pool.v4.prefix_len()))).saturating_sub(3);
        let addresses = u32::try_from(pools.iter().map(hosts).sum::<u64>()).unwrap_or(u32::MAX);
        (pools, addresses)
    }
}

/// Refuses what two servers on one machine would fight over.
async fn ensure_apart(session: &Session, new: &WireGuardSettings) -> Result<(), Failure> {
    let known = session.run("list_servers", |work| server::levels(work).scope_boxed()).await?;
    let here = &session.works.config.server.machine;
    let known = known.into_iter().map(|known| known.server);
    for server in known.filter(|server| server.elsewhere(here).is_none()) {
        let Ok(other) = serde_json::from_str::<WireGuardSettings>(&server.settings) else { continue };
        let (net, others) = (new.address4.trunc(), other.address4.trunc());
        let shared = match () {
            () if other.interface == new.interface => format!("the interface {}", new.interface),
            () if other.listen_port == new.listen_port => format!("the port {}", new.listen_port),
            () if net.contains(&others) || others.contains(&net) => format!("addresses of {others}"),
            () => continue,
        };
        return Err(Failure::Input(format!("{} uses {shared} already", server.name)));
    }
    Ok(())
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("settings and secrets are plain data")
}

/// The widest network that an interface is given.
const WIDEST4: u8 = 8;
const WIDEST6: u8 = 32;

/// The first host of `paid`, in the smallest network that holds `trial` too: the interface's one route serves both.
fn own_address4(paid: Ipv4Net, trial: Option<Ipv4Net>) -> Result<Ipv4Net, Failure> {
    let mut all = paid.trunc();
    if let Some(trial) = trial {
        check_apart(paid.contains(&trial) || trial.contains(&paid), paid, trial)?;
        while !all.contains(&trial) {
            let wider = all.supernet().filter(|wider| wider.prefix_len() >= WIDEST4);
            all = wider.ok_or_else(|| too_far(paid, trial))?;
        }
    }
    let first = paid.trunc().addr().to_bits() + 1;
    Ok(Ipv4Net::new(first.into(), all.prefix_len()).expect("the prefix length is a network's"))
}

/// As [`own_address4`].
fn own_address6(paid: Ipv6Net, trial: Option<Ipv6Net>) -> Result<Ipv6Net, Failure> {
    let mut all = paid.trunc();
    if let Some(trial) = trial {
        check_apart(paid.contains(&trial) || trial.contains(&paid), paid, trial)?;
        while !all.contains(&trial) {
            let wider = all.supernet().filter(|wider| wider.prefix_len() >= WIDEST6);
            all = wider.ok_or_else(|| too_far(paid, trial))?;
        }
    }
    let first = paid.trunc().addr().to_bits() + 1;
    Ok(Ipv6Net::new(first.into(), all.prefix_len()).expect("the prefix length is a network's"))
}

fn check_apart(
    overlap: bool,
    paid: impl std::fmt::Display,
    trial: impl std::fmt::Display,
) -> Result<(), Failure> {
    match overlap {
        true => {
            Err(Failure::Input(format!("{trial} and {paid} overlap; trials need a network of their own")))
        }
        false => Ok(()),
    }
}

fn too_far(paid: impl std::fmt::Display, trial: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("{trial} is too far from {paid}; take a network beside it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Option<(String, Option<u16>)> {
        text.parse().ok().map(|Endpoint { host, port }| (host, port))
    }

    #[test]
    fn endpoints_are_read_with_and_without_a_port() {
        let read = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(endpoint("vpn.example.com"), read("vpn.example.com", None));
        assert_eq!(endpoint("203.0.113.5:443"), read("203.0.113.5", Some(443)));
        assert_eq!(endpoint("[2001:db8::1]:51820"), read("2001:db8::1", Some(51820)));
        assert_eq!(endpoint("[2001:db8::1]"), read("2001:db8::1", None));
        assert_eq!(endpoint("2001:db8::1"), read("2001:db8::1", None));
        for wrong in ["", ":1", "host:", "host:x", "host:99999", "https://host", "[host]:1", "a b"] {
            assert_eq!(endpoint(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_interface_covers_both_networks() {
        let own = |paid: &str, trial: Option<&str>| {
            let trial = trial.map(|trial| trial.parse().unwrap());
            own_address4(paid.parse().unwrap(), trial).map(|net| net.to_string()).map_err(|e| e.to_string())
        };
        assert_eq!(own("10.66.0.0/22", None).unwrap(), "10.66.0.1/22");
        assert_eq!(own("10.66.0.0/22", Some("10.66.4.0/24")).unwrap(), "10.66.0.1/21");
        assert_eq!(own("10.7.0.0/16", Some("10.8.0.0/22")).unwrap(), "10.7.0.1/12");
        assert!(own("10.66.0.0/22", Some("10.66.1.0/24")).unwrap_err().contains("overlap"));
        assert!(own("10.66.0.0/22", Some("192.168.0.0/24")).unwrap_err().contains("too far"));
        let v6 = own_address6("fd42:66::/112".parse().unwrap(), Some("fd42:66::1:0/112".parse().unwrap()));
        assert_eq!(v6.unwrap().to_string(), "fd42:66::1/111");
    }
}

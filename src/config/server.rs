//! Where the server listens and how much it takes on at once.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::Url;

use super::entries;
use super::read::{Reader, base_url, shown};
use crate::machine::Machine;

#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// `BIND_ADDR`.
    pub bind: SocketAddr,
    /// `PUBLIC_URL`: what the world reaches this server by; see [`ServerConfig::public_address`].
    pub public_url: Url,
    /// `METRICS_ADDR`: metrics are answered here instead of on `bind`.
    pub metrics_addr: Option<SocketAddr>,
    /// `TRUSTED_PROXIES`: peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `MAX_CONCURRENT_REQUESTS`: the request above that is answered 503.
    pub max_concurrent_requests: usize,
    /// `REQUEST_TIMEOUT_SECONDS`: a request that takes longer is answered 503.
    pub request_timeout: Duration,
    /// `REQUESTS_PER_SECOND_PER_IP`, on the routes that anybody can call.
    pub requests_per_second_per_ip: u32,
    /// `SHUTDOWN_GRACE_SECONDS`: running work has that long to end after SIGTERM.
    pub shutdown_grace: Duration,
    /// `MACHINE_ID`, or what the system says: only WireGuard servers of this machine are driven here.
    pub machine: Machine,
}

impl ServerConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let bind = "an address and port to listen on, such as 127.0.0.1:8080";
        let bind =
            env.or("BIND_ADDR", bind, SocketAddr::from(([127, 0, 0, 1], 8080)), |text| text.parse().ok());
        let public_url = "the https address the world reaches this server by, such as https://vpn.example.com \
                          (http only for localhost)";
        let public_url = env.secret("PUBLIC_URL", public_url, parse_public_url);
        let metrics = "an address and port for GET /metrics alone, such as 127.0.0.1:9090";
        let metrics_addr = env.optional("METRICS_ADDR", metrics, |text| text.parse().ok());
        let proxies = "a comma list of addresses or networks, such as 127.0.0.1,::1,10.0.0.0/8";
        let trusted_proxies = env.or("TRUSTED_PROXIES", proxies, Vec::new(), parse_networks);
        let concurrent = env.number("MAX_CONCURRENT_REQUESTS", "requests at the same time", 1..=100_000, 512);
        let timeout = env.number("REQUEST_TIMEOUT_SECONDS", "seconds", 1..=60, 10);
        let per_ip = env.number("REQUESTS_PER_SECOND_PER_IP", "requests", 1..=10_000, 20);
        let grace = env.number("SHUTDOWN_GRACE_SECONDS", "seconds", 1..=600, 20);
        let machine = "1 to 64 of A-Z a-z 0-9 _ . -, such as the machine's name";
        let machine = env.optional("MACHINE_ID", machine, |text| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            (text.len() <= 64 && text.chars().all(fits)).then(|| text.to_owned())
        });
        Some(Self {
            bind: bind?,
            public_url: public_url?,
            metrics_addr: metrics_addr?,
            trusted_proxies: trusted_proxies?,
            max_concurrent_requests: concurrent?,
            request_timeout: Duration::from_secs(timeout?),
            requests_per_second_per_ip: per_ip?,
            shutdown_grace: Duration::from_secs(grace?),
            machine: Machine::this(machine?.as_deref()),
        })
    }

    /// The full address of a path of this server: `public_address("/telegram/client")`.
    pub fn public_address(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// Telegram and the providers call nothing but https; the demo and the tests call localhost.
fn parse_public_url(text: &str) -> Result<Url, String> {
    let url = base_url(text)?;
    let local = url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "http" && !local {
        return Err(shown(text));
    }
    Ok(url)
}

fn parse_networks(list: &str) -> Option<Vec<IpNet>> {
    let network = |entry: &str| {
        entry.parse().ok().or_else(|| Some(IpNet::from(entry.parse::<std::net::IpAddr>().ok()?)))
    };
    entries(list).map(network).collect()
}

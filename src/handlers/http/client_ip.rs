//! Who is really calling. `X-Forwarded-For` is believed only as far as our own proxies wrote it: whatever a
//! caller puts into it stands left of what the proxy appends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Request;
use ipnet::IpNet;

/// Request extension: the caller's address; `0.0.0.0` where the listener knows no peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl ClientIp {
    pub fn of<B>(request: &Request<B>, trusted: &[IpNet]) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let forwarded = request.headers().get_all("x-forwarded-for");
        let entries = forwarded.iter().flat_map(|line| line.to_str().unwrap_or("?").split(','));
        let entries: Vec<&str> = entries.collect();
        Self(client_ip(peer.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), &entries, trusted))
    }
}

/// The rightmost address that is not one of our proxies, seen from `peer` backwards through the entries of
/// `X-Forwarded-For`. An entry that is no address ends the walk: nothing left of it is believed.
pub fn client_ip(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    for entry in forwarded.iter().rev() {
        if !is_trusted(client, trusted) {
            break;
        }
        let Some(previous) = parse(entry) else { break };
        client = previous;
    }
    client
}

/// Whether `ip` is one of our proxies.
pub fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&ip))
}

/// An address, with or without a port, as proxies write it; IPv4 in IPv6 becomes IPv4.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(with_port).map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Behind proxies at 10.0.0.0/8 and ::1.
    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        client_ip(peer.parse().unwrap(), forwarded, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_whoever_the_connection_says() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn a_proxy_tells_whom_it_speaks_for() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("::1", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn what_the_caller_wrote_itself_is_not_believed() {
        assert_eq!(seen("10.0.0.1", &["127.0.0.1", "10.0.0.7", "198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn a_chain_of_our_proxies_is_walked_through() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1", " 10.0.0.2", "10.0.0.3 "]), "198.51.100.1");
    }

    #[test]
    fn nonsense_ends_the_walk() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1", "unknown"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1", "", "10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn without_the_header_it_is_the_proxy() {
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        assert_eq!(seen("::ffff:203.0.113.9", &[]), "203.0.113.9");
        assert_eq!(seen("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn ports_are_cut_off() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
    }
}

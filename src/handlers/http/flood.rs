//! Flood control of addresses on the routes that anybody can call.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, DefaultClock};

use crate::handlers::buckets::{Buckets, at_least_one};

/// Requests of one address on the routes that anybody can call.
pub struct IpFlood<C: Clock = DefaultClock>(Buckets<IpAddr, C>);

impl IpFlood {
    /// `per_second` on average, five times that at once.
    pub fn new(per_second: u32) -> Self {
        Self::with_clock(per_second, DefaultClock::default())
    }
}

impl<C: Clock + Clone> IpFlood<C> {
    fn with_clock(per_second: u32, clock: C) -> Self {
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(per_second * 5));
        Self(Buckets::new(quota, clock))
    }

    /// Ok, or how long the caller should wait.
    pub fn check(&self, ip: IpAddr) -> Result<(), Duration> {
        self.0.take(&household(ip))
    }
}

/// What one subscriber line holds: an IPv4 address, or an IPv6 network of 64 bits.
fn household(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn an_address_is_told_how_long_to_wait() {
        let clock = FakeRelativeClock::default();
        let flood = IpFlood::with_clock(2, clock.clone());
        let check = || flood.check("203.0.113.9".parse().unwrap());
        for _ in 0..10 {
            assert_eq!(check(), Ok(()));
        }
        assert_eq!(check(), Err(Duration::from_millis(500)));
        clock.advance(Duration::from_millis(500));
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn one_household_has_one_bucket() {
        let ip = |text: &str| household(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2::7"), ip("2001:db8:1:2:ffff::1"));
        assert_ne!(ip("2001:db8:1:2::7"), ip("2001:db8:1:3::7"));
        assert_eq!(ip("::ffff:203.0.113.9"), ip("203.0.113.9"));
        assert_ne!(ip("203.0.113.9"), ip("203.0.113.10"));
    }

    #[test]
    fn memory_follows_the_traffic_of_the_last_moments() {
        let clock = FakeRelativeClock::default();
        let flood = IpFlood::with_clock(20, clock.clone());
        for round in 0..50_u32 {
            for host in 0..1000_u32 {
                assert!(flood.check(IpAddr::from((round << 16 | host).to_be_bytes())).is_ok());
            }
            clock.advance(Duration::from_secs(1));
        }
        let kept = flood.0.len();
        assert!(kept <= 2048, "{kept} of 50000 addresses are remembered");
    }
}

//! Four copies of the server behind a real nginx on one database, killed and started at random while a crowd talks and
//! some buy. Nothing is lost, nothing happens twice, everything keeps its order, and what a dead copy held is taken up
//! when its lease ends.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;
use usipipo::clock::Clock;
use usipipo::demo::telegram::Options;

use super::crowd::Crowd;
use super::customers::Customers;
use super::walk::at_rest;
use crate::support::db::TestDb;
use crate::support::nginx::{Nginx, program};
use crate::support::ports;
use crate::support::skip::skip;
use crate::support::town::{Server, THIS_VERSION, Town};

const COPIES: usize = 4;
/// `LEASE_SECONDS` of every town.
const LEASE: f64 = 5.0;
/// No update waits longer than a lease and this, in seconds.
const BEYOND_LEASE: f64 = 5.0;

/// The death of one copy.
#[derive(Clone, Copy, Debug)]
struct Death {
    at: Duration,
    copy: usize,
    /// Until it is started again.
    gone_for: Duration,
}

/// Seed of what happens at random: `FIRE_SEED`, or another one each time. It is printed, and replays.
pub fn seed() -> u64 {
    let given = std::env::var("FIRE_SEED").ok().map(|text| text.parse().expect("FIRE_SEED is a number"));
    let seed = given.unwrap_or_else(rand::random);
    println!("FIRE_SEED={seed}");
    seed
}

/// Who dies when. Again and again two of the copies or more, or all of them, die at about the same time. An update whose holder dies waits for the end of its lease; that whoever takes it up then dies as well would
/// make it wait for another lease: so these moments are further apart than a lease is long.
fn deaths(seed: u64, copies: usize, length: Duration) -> Vec<Death> {
    let mut random = StdRng::seed_from_u64(seed);
    let all: Vec<usize> = (0..copies).collect();
    let mut deaths = Vec::new();
    let mut at = Duration::from_millis(random.random_range(800..2000));
    while at < length {
        let count = random.random_range(2..=copies);
        for copy in all.sample(&mut random, count) {
            let (later, gone_for) = (random.random_range(0..300), random.random_range(50..2500));
            deaths.push(Death {
                at: at + Duration::from_millis(later),
                copy: *copy,
                gone_for: Duration::from_millis(gone_for),
            });
        }
        at += Duration::from_millis(random.random_range(6500..9000));
    }
    deaths
}

/// Copies that run until they die as it is written.
pub struct Copies<'a> {
    town: &'a Town,
    places: Vec<Place>,
}

/// Where a copy runs, and of which version.
struct Place {
    address: SocketAddr,
    program: PathBuf,
    server: Option<Server>,
}

impl<'a> Copies<'a> {
    pub fn start(town: &'a Town, addresses: &[SocketAddr], program: &Path) -> Self {
        let mut copies = Self { town, places: Vec::new() };
        copies.add(addresses, program);
        copies
    }

    pub fn add(&mut self, addresses: &[SocketAddr], program: &Path) {
        for address in addresses {
            let server = Some(self.town.spawn_program(program, *address));
            self.places.push(Place { address: *address, program: program.to_owned(), server });
        }
    }

    /// Kills and starts them at random for so long; afterwards all run. Gives how many were killed.
    pub async fn under_fire(&mut self, seed: u64, length: Duration) -> usize {
        let deaths = deaths(seed, self.places.len(), length);
        let mut turns: Vec<(Duration, usize, bool)> = deaths
            .iter()
            .flat_map(|death| [(death.at, death.copy, false), (death.at + death.gone_for, death.copy, true)])
            .collect();
        turns.sort_unstable();
        let begun = Instant::now();
        for (at, copy, starts) in turns {
            // Not a wait for something: the deaths are to fall anywhere.
            tokio::time::sleep_until(begun + at).await;
            let place = &mut self.places[copy];
            match starts {
                true => place.server = Some(self.town.spawn_program(&place.program, place.address)),
                false => place.kill(),
            }
        }
        deaths.len()
    }

    /// Kills all that run this version, for good.
    pub fn end(&mut self, program: &Path) {
        for place in self.places.iter_mut().filter(|place| place.program == program) {
            place.kill();
        }
    }
}

impl Place {
    fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            assert!(server.ended().is_none(), "the copy at {} ended by itself", self.address);
            server.kill();
        }
    }
}

/// A town that calls in by way of nginx.
pub async fn town_behind(nginx: &Nginx, db: TestDb) -> Town {
    let options = Options {
        client: Some(nginx.client.clone()),
        patience: Duration::from_secs(120),
        ..Options::hasty(Clock::default())
    };
    let mut town = Town::found_with(options, db).await;
    town.set("PUBLIC_URL", &*nginx.base);
    town.set("TRUSTED_PROXIES", "127.0.0.1");
    town.set("USER_ACTIONS_PER_MINUTE", "600");
    town
}

/// `people` talk, each once in every `pace`, and `customers` buy, while copies die.
async fn under_fire(people: i64, customers: i64, pace: Duration, length: Duration) {
    if program().is_none() {
        return skip("nginx is not installed");
    }
    let addresses = [(); COPIES].map(|()| ports::address());
    let nginx = Nginx::in_front_of(&addresses).await;
    let town = town_behind(&nginx, TestDb::new().await).await;
    let outline = town.add_outline().await;
    let mut copies = Copies::start(&town, &addresses, Path::new(THIS_VERSION));
    town.until_connected().await;
    let (crowd, seed) = (Crowd::of(&town, people), seed());
    let customers = Customers::of(&town, customers).await;
    let (said, (), died) =
        tokio::join!(crowd.talk(pace, length), customers.buy(length), copies.under_fire(seed, length));
    assert!(town.telegram.delivered().await, "updates are left at Telegram");
    at_rest(&town).await;
    let waited = crowd.longest_wait().await;
    let updates = town.count("SELECT COUNT(*) FROM inbound_events").await;
    println!(
        "{people} people, one word each in {pace:?}, {updates} updates in {length:?}; {died} copies killed; \
         the longest wait of an update {waited:.1} s, {} presses too old to answer",
        crowd.unanswered(&said)
    );
    crowd.check(&said, true).await;
    customers.check(&outline).await;
    let deliveries = town.telegram.deliveries();
    let refused = deliveries.iter().filter(|delivery| !delivery.accepted()).count();
    println!("{} deliveries, {refused} of them not acknowledged and repeated", deliveries.len());
    assert!(waited <= LEASE + BEYOND_LEASE, "an update waited {waited} s");
    assert_eq!(town.count("SELECT COUNT(*) FROM jobs WHERE status = 'dead'").await, 0);
    assert_eq!(town.count("SELECT COUNT(*) FROM outbound_messages WHERE status = 'dead'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn four_copies_that_die_at_random_lose_nothing_and_keep_every_order() {
    under_fire(50, 4, Duration::from_secs(1), Duration::from_secs(13)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn a_thousand_people_and_four_copies_that_die_at_random_for_two_minutes() {
    // Sixty-six updates a second: programs that are not optimized do not carry much more on two cores.
    under_fire(1000, 10, Duration::from_secs(15), Duration::from_secs(120)).await;
}

#[test]
fn deaths_replay_and_are_further_apart_than_a_lease() {
    let one = deaths(7, COPIES, Duration::from_secs(120));
    assert_eq!(format!("{one:?}"), format!("{:?}", deaths(7, COPIES, Duration::from_secs(120))));
    assert!(one.len() > 20, "{}", one.len());
    let mut moments: Vec<Duration> = one.iter().map(|death| death.at).collect();
    moments.sort_unstable();
    let together = Duration::from_millis(300);
    let lease = Duration::from_secs_f64(LEASE);
    for pair in moments.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart <= together || apart > lease + together, "{apart:?}");
    }
}

//! Everything outside the server breaks, each in every way, while a crowd talks and some buy: the database, Telegram,
//! QvaPay and the VPN servers refuse, are silent, are slow, or break off in the middle of an answer. Meanwhile memory
//! stays flat and everything else goes on; afterwards everything has happened, once.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{StreamExt, stream};
use sqlx::AssertSqlSafe;
use tokio::runtime::Builder;
use usipipo::clock::{Clock, Timestamp};
use usipipo::demo::outline::{self, OutlineServer};
use usipipo::demo::telegram::Options;

use super::crowd::Crowd;
use super::customers::Customers;
use super::walk::at_rest;
use crate::support::db::TestDb;
use crate::support::door::Door;
use crate::support::line::{Line, State};
use crate::support::town::{Server, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(240);
/// KiB that the process may grow while something is away, over what it had before: its connections, its batches. A queue
/// that grew with the outage would not know an end.
const GROWTH: u64 = 24 << 10;

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outside {
    Database,
    Telegram,
    Qvapay,
    Vpn,
}

/// How much happens, and for how long.
#[derive(Clone, Copy)]
struct Scale {
    people: i64,
    customers: i64,
    pace: Duration,
    before: Duration,
    away: Duration,
    after: Duration,
    /// `REQUEST_TIMEOUT_SECONDS`.
    request: u64,
}

/// A town with a line to each of the four.
struct Scene {
    town: Town,
    lines: Vec<(Outside, Line)>,
    outline: OutlineServer,
    door: Door,
}

impl Scene {
    async fn new(scale: &Scale) -> Self {
        let options = Options { patience: LIMIT, ..Options::hasty(Clock::default()) };
        let mut town = Town::found_with(options, TestDb::new().await).await;
        let outline = OutlineServer::start(outline::Options::default()).await.unwrap();
        let addresses = [
            (Outside::Database, town.db.url().to_owned()),
            (Outside::Telegram, town.telegram.url()),
            (Outside::Qvapay, town.qvapay.base_url().to_owned()),
            (Outside::Vpn, outline.api_url().to_owned()),
        ];
        let lines = addresses.map(async |(outside, address)| (outside, Line::to(&address).await));
        let lines = join_all(lines).await;
        for (outside, line) in &lines {
            match outside {
                Outside::Database => town.set("DATABASE_URL", &*line.url),
                Outside::Telegram => town.set("TELEGRAM_API_URL", &*line.url),
                Outside::Qvapay => town.set("QVAPAY_API_URL", &*line.url),
                Outside::Vpn => town.sell_through(&line.url, &outline).await,
            }
        }
        town.set("REQUEST_TIMEOUT_SECONDS", scale.request.to_string());
        town.set("USER_ACTIONS_PER_MINUTE", "600");
        let door = Door::of(&town);
        Self { town, lines, outline, door }
    }

    fn line(&self, outside: Outside) -> &Line {
        &self.lines.iter().find(|(of, _)| *of == outside).unwrap().1
    }

    /// Lets nothing wait for its next try: what the clock would bring in minutes.
    async fn hurry(&self) {
        for table in ["jobs", "outbound_messages", "inbound_events"] {
            self.town
                .sql(&format!(
                    "UPDATE {table} SET retry_at = NULL WHERE status = 'pending' AND retry_at IS NOT NULL"
                ))
                .await;
        }
        let due = "UPDATE lanes SET due_at = UTC_TIMESTAMP(6) WHERE owner IS NULL \
                   AND due_at > UTC_TIMESTAMP(6) AND due_at < '9000-01-01'";
        self.town.sql(due).await;
    }

    /// Until nothing waits, with the pauses between two tries cut short.
    async fn quiet(&self) {
        let hurried = Mutex::new(Instant::now());
        eventually(LIMIT, async || {
            let ago = hurried.lock().unwrap().elapsed();
            if ago > Duration::from_secs(3) {
                self.hurry().await;
                *hurried.lock().unwrap() = Instant::now();
            }
            match self.town.waiting().await.as_slice() {
                [] => Ok(()),
                waiting => Err(waiting.join(", ")),
            }
        })
        .await;
    }
}

/// What was seen while something was away.
#[derive(Default)]
struct Seen {
    /// KiB: when it began, and the most since.
    memory_before: u64,
    memory_most: u64,
    /// What /health/ready answered, once everybody had had time to notice; 0 for nothing.
    ready: Vec<u16>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Messages that waited at the end.
    messages: i64,
    updates: i64,
}

/// Lets the outside be away for so long, and looks at the server all the while.
async fn break_it(scene: &Scene, outside: Outside, how: State, scale: &Scale, server: &Server) -> Seen {
    // None of these sleeps waits for something: they are how long it is so.
    tokio::time::sleep(scale.before).await;
    let memory = || server.memory().expect("the server runs");
    let mut seen = Seen { memory_before: memory(), from: Some(scene.town.clock.now()), ..Seen::default() };
    let (line, begun) = (scene.line(outside), Instant::now());
    line.set(how);
    let noticed = Duration::from_secs(3).min(scale.away / 3);
    while begun.elapsed() < scale.away {
        let ready = tokio::time::timeout(Duration::from_secs(4), scene.door.get("/health/ready")).await;
        if (noticed..scale.away).contains(&begun.elapsed()) {
            seen.ready.push(ready.map_or(0, |answer| answer.status));
        }
        seen.memory_most = seen.memory_most.max(memory());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    seen.messages = scene.town.count("SELECT COUNT(*) FROM outbound_messages WHERE status = 'pending'").await;
    seen.updates = scene.town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'pending'").await;
    seen.until = Some(scene.town.clock.now());
    line.set(State::Open);
    let (back, after) = (Instant::now(), scale.after);
    while back.elapsed() < after {
        seen.memory_most = seen.memory_most.max(memory());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    seen
}

/// One combination, from the first word until everything is at rest.
async fn outage(outside: Outside, how: State, scale: Scale) {
    let scene = Scene::new(&scale).await;
    let town = &scene.town;
    let mut server = town.spawn();
    town.until_connected().await;
    let (crowd, customers) = (Crowd::of(town, scale.people), Customers::of(town, scale.customers).await);
    let length = scale.before + scale.away + scale.after;
    let (said, seen, ()) = tokio::join!(
        crowd.talk(scale.pace, length),
        break_it(&scene, outside, how, &scale, &server),
        customers.buy(length),
    );
    assert!(town.telegram.delivered().await, "updates are left at Telegram");
    scene.quiet().await;
    at_rest(town).await;
    let (waited, unanswered) = (crowd.longest_wait().await, crowd.unanswered(&said));
    println!(
        "{outside:?} {how:?}: memory {} KiB before, {} at the most; ready {:?}; {} updates and {} messages waited at \
         its end; {} deliveries, the longest wait of an update {waited:.1} s, {unanswered} presses too old to answer",
        seen.memory_before,
        seen.memory_most,
        tally(&seen.ready),
        seen.updates,
        seen.messages,
        town.telegram.deliveries().len(),
    );
    crowd.check(&said, false).await;
    customers.check(&scene.outline).await;
    assert!(server.ended().is_none(), "the server ended");
    assert!(
        seen.memory_most <= seen.memory_before + GROWTH,
        "memory grew from {} to {} KiB",
        seen.memory_before,
        seen.memory_most
    );
    match outside {
        Outside::Database => database_was_away(town, how, &seen, &scale),
        _ => others_went_on(town, outside, &seen).await,
    }
}

fn tally(statuses: &[u16]) -> std::collections::BTreeMap<u16, usize> {
    let mut tally = std::collections::BTreeMap::new();
    statuses.iter().for_each(|status| *tally.entry(*status).or_default() += 1);
    tally
}

/// Nothing is acknowledged, and everybody who asks hears why.
fn database_was_away(town: &Town, how: State, seen: &Seen, scale: &Scale) {
    let deliveries = town.telegram.deliveries();
    for delivery in deliveries.iter().filter(|delivery| !delivery.accepted()) {
        assert!(matches!(delivery.answer, Ok(503)), "{delivery:?}: come again, and nothing else");
    }
    if how == State::Breaking {
        return;
    }
    assert!(!seen.ready.is_empty() && seen.ready.iter().all(|status| *status == 503), "{:?}", seen.ready);
    // A request that began shortly before the end may have lived to see it.
    let margin = chrono::TimeDelta::seconds(scale.request.cast_signed() + 1);
    let (from, until) = (seen.from.unwrap() + chrono::TimeDelta::seconds(1), seen.until.unwrap() - margin);
    let meanwhile: Vec<_> = deliveries.iter().filter(|it| it.at > from && it.at < until).collect();
    assert!(!meanwhile.is_empty(), "nobody tried");
    if matches!(how, State::Cut | State::Held) {
        let taken = meanwhile.iter().filter(|delivery| delivery.accepted()).count();
        assert_eq!(taken, 0, "acknowledged while there was no database");
    }
}

/// Every update was stored and answered 200 the first time; updates were handled meanwhile, and answers left.
async fn others_went_on(town: &Town, outside: Outside, seen: &Seen) {
    for delivery in town.telegram.deliveries() {
        assert!(delivery.attempt == 1 && matches!(delivery.answer, Ok(200)), "{delivery:?}");
    }
    assert!(!seen.ready.is_empty() && seen.ready.iter().all(|status| *status == 200), "{:?}", seen.ready);
    let meanwhile = async |table: &str, came: &str| {
        let done = format!(
            "SELECT CAST(100 * AVG(COALESCE(done_at < ?, FALSE)) AS SIGNED) FROM {table} \
             WHERE {came} > ? AND {came} < ? AND status = 'done'"
        );
        let (from, until) = (seen.from.unwrap(), seen.until.unwrap());
        let done =
            sqlx::query_scalar::<_, Option<i64>>(AssertSqlSafe(done)).bind(until).bind(from).bind(until);
        done.fetch_one(&town.db.pool).await.unwrap().expect("somebody said something")
    };
    // Most of them, for a machine that does much else has moments of its own.
    let handled = meanwhile("inbound_events", "received_at").await;
    assert!(handled >= 60, "only {handled} % of the updates were handled meanwhile");
    if outside != Outside::Telegram {
        let left = meanwhile("outbound_messages", "created_at").await;
        assert!(left >= 60, "only {left} % of the answers left meanwhile");
    }
}

async fn all(combinations: Vec<(Outside, State)>, scale: Scale, at_once: usize) {
    let outages = stream::iter(combinations).map(async |(outside, how)| {
        // Each with threads of its own: what is slow in one town is not to be seen in another.
        let town = move || {
            let mut runtime = Builder::new_multi_thread();
            runtime.worker_threads(2).enable_all().build().unwrap().block_on(outage(outside, how, scale));
        };
        tokio::task::spawn_blocking(town).await.map_err(|error| format!("{outside:?} {how:?}: {error}"))
    });
    let outcomes: Vec<_> = outages.buffer_unordered(at_once).collect().await;
    let wrong: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The short form: each of the four, each way, for moments.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_away_for_moments_harms_nothing_else_and_is_made_up_for() {
    let scale = Scale {
        people: 10,
        customers: 2,
        pace: Duration::from_secs(2),
        before: Duration::from_secs(3),
        away: Duration::from_secs(5),
        after: Duration::from_secs(3),
        request: 1,
    };
    let combinations = vec![
        (Outside::Database, State::Cut),
        (Outside::Telegram, State::Breaking),
        (Outside::Qvapay, State::Held),
        (Outside::Vpn, State::Slow(Duration::from_millis(800))),
    ];
    all(combinations, scale, 4).await;
}

/// The long form of one of the four: two minutes under load, away in the middle of them, in all ways at the same time,
/// each in a town of its own.
async fn away_in_every_way(outside: Outside) {
    let scale = Scale {
        people: 60,
        customers: 12,
        pace: Duration::from_secs(6),
        before: Duration::from_secs(15),
        away: Duration::from_secs(60),
        after: Duration::from_secs(45),
        request: 10,
    };
    let ways = [State::Cut, State::Held, State::Slow(Duration::from_secs(5)), State::Breaking];
    all(ways.map(|how| (outside, how)).to_vec(), scale, ways.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn the_database_is_away_in_every_way_for_a_minute() {
    away_in_every_way(Outside::Database).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn telegram_is_away_in_every_way_for_a_minute() {
    away_in_every_way(Outside::Telegram).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn qvapay_is_away_in_every_way_for_a_minute() {
    away_in_every_way(Outside::Qvapay).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn the_vpn_servers_are_away_in_every_way_for_a_minute() {
    away_in_every_way(Outside::Vpn).await;
}

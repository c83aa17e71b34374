//! Every fault point in turn: a life is played, the server is killed with SIGKILL at that point, started again, and
//! when all has come to rest the books must be right.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use tokio_util::task::AbortOnDropHandle;
use usipipo::clock::Timestamp;
use usipipo::{crud, fault};

use super::life::Life;
use crate::support::town::Town;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(120);

/// Places that no life of minutes comes to: they take hours of failure, or a provider's mistake.
const BEYOND_A_LIFE: &[&str] = &[
    "note_failed_event",
    "give_up_event",
    "pause_bot",
    "message_left_out",
    "hold_message",
    "note_failed_message",
    "give_up_message",
    "chat_blocked",
    "note_failed_job",
    "note_unknown_job",
    "give_up_job",
    "renew_lane",
    "extend_lease",
    "release_all_lanes",
    "hand_over_lane",
    "find_successor",
    "server_dismantled",
    "report_books",
    "telegram:getWebhookInfo",
    "telegram:deleteMyCommands",
    "outline:POST /access-keys",
    "outline:DELETE /access-keys",
    "wireguard:ip",
    "wireguard:wg",
];

/// All places that a life comes to, both moments of each.
fn places() -> Vec<String> {
    let all = fault::COMMITS.iter().chain(fault::CALLS);
    let reached = all.filter(|place| !BEYOND_A_LIFE.contains(place));
    reached.flat_map(|place| ["before", "after"].map(|moment| format!("{moment}:{place}"))).collect()
}

/// A server that is started again whenever it dies.
struct Kept {
    deaths: Arc<AtomicU32>,
    _keeper: AbortOnDropHandle<()>,
}

impl Kept {
    /// The first process is armed, its successors are not.
    fn start(town: &Town, armed: &str) -> Self {
        let deaths = Arc::<AtomicU32>::default();
        let (died, mut server) = (deaths.clone(), town.spawn_with(&[("FAILPOINTS", armed)]));
        let mut again = town.spawner();
        let keeper = tokio::spawn(async move {
            let mut look = tokio::time::interval(Duration::from_millis(20));
            loop {
                look.tick().await;
                if let Some(ended) = server.ended() {
                    assert_eq!(ended.signal(), Some(9), "it ended by itself: {ended}");
                    died.fetch_add(1, Ordering::SeqCst);
                    server = again();
                }
            }
        });
        Self { deaths, _keeper: AbortOnDropHandle::new(keeper) }
    }

    fn deaths(&self) -> u32 {
        self.deaths.load(Ordering::SeqCst)
    }
}

/// Plays a life of `people` in which the server is killed when it passes `place` for the `nth` time.
async fn killed_at(place: &str, nth: u32, people: i64) -> Result<(), String> {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let server = Kept::start(
        &town,
        &format!("{place}={}*off->return", nth.saturating_sub(1)).replace("=0*off->", "="),
    );
    let life = Life::of(&town, people).await;
    life.play(&outline).await;
    at_rest(&town).await;
    if server.deaths() == 0 {
        return Err(format!("{place} was not passed {nth} times"));
    }
    life.check(&outline).await;
    Ok(())
}

/// Waits until nothing is left to do, no lease is held, and all invariants hold.
pub async fn at_rest(town: &Town) {
    let waiting = "SELECT (SELECT COUNT(*) FROM inbound_events WHERE status = 'pending') \
                   + (SELECT COUNT(*) FROM outbound_messages WHERE status = 'pending') \
                   + (SELECT COUNT(*) FROM jobs WHERE status = 'pending') \
                   + (SELECT COUNT(*) FROM lanes WHERE owner IS NOT NULL)";
    eventually(LIMIT, async || town.count(waiting).await == 0).await;
    eventually(LIMIT, async || {
        let mut conn = town.db.pool.acquire().await.unwrap();
        // Now, and not a quarter of an hour later: nothing is under way any more.
        let settled: Timestamp = town.clock.now() - TimeDelta::seconds(2);
        match crud::books::broken(&mut conn, settled).await.unwrap() {
            broken if broken.is_empty() => Ok(()),
            broken => Err(format!("{broken:?}")),
        }
    })
    .await;
}

async fn walk(places: Vec<(String, u32)>, people: i64, at_once: usize) {
    let outcomes = stream::iter(places).map(async |(place, nth)| {
        let begun = std::time::Instant::now();
        let outcome = killed_at(&place, nth, people).await;
        println!("{place} #{nth}: {} s, {outcome:?}", begun.elapsed().as_secs());
        outcome
    });
    let outcomes: Vec<_> = outcomes.buffer_unordered(at_once).collect().await;
    let wrong: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The short form: where money and access change hands.
#[tokio::test(flavor = "multi_thread")]
async fn killed_where_it_matters_most_nothing_is_lost_or_done_twice() {
    let places = [
        ("after:store_events", 9),
        ("before:handle_event", 12),
        ("after:handle_event", 12),
        ("after:place_config", 1),
        ("after:outline:PUT /access-keys", 2),
        ("after:config_applied", 1),
        ("after:qvapay:POST", 1),
        ("before:invoice_made", 1),
        ("after:telegram:sendInvoice", 1),
        ("before:message_sent", 4),
        ("after:payment_observed", 1),
        ("after:telegram:refundStarPayment", 1),
    ];
    let places = places.map(|(place, nth)| (place.to_owned(), nth)).to_vec();
    walk(places, 5, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn killed_at_every_place_nothing_is_lost_or_done_twice() {
    walk(places().into_iter().map(|place| (place, 1)).collect(), 5, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn killed_in_the_middle_of_twenty_people_nothing_is_lost_or_done_twice() {
    let busy = ["store_events", "handle_event", "claim_lanes", "message_sent", "begin_job", "config_applied"];
    let moments = busy.iter().flat_map(|place| ["before", "after"].map(|moment| format!("{moment}:{place}")));
    walk(moments.flat_map(|place| [(place.clone(), 7), (place, 15)]).collect(), 20, 2).await;
}

//! The way into the inbox.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use scoped_futures::ScopedFutureExt;

use crate::crud;
use crate::db;
use crate::ids::EventId;
use crate::models::event::NewEvent;
use crate::models::lane::{Entry, Queue};
use crate::queue::batch::{BatchOptions, Batcher};
use crate::queue::hand::{Leased, Places};
use crate::work::Works;

const BATCHES: BatchOptions<NewEvent> = BatchOptions {
    waiting: 4096,
    most: 256,
    weight: |event| event.body.len(),
    // Well below max_allowed_packet.
    heaviest: 4 << 20,
    abreast: 1,
    // A chat's order does not suffer: Telegram sends its next update after the answer to the one before.
    slow: Duration::from_millis(500),
};
/// Deliveries of a refused batch that are stored at the same time, each for itself.
const ONES_AT_ONCE: usize = 4;

/// Of what is taken in hand the body is kept in memory: no heavy ones,
const LIGHT: usize = 1024;
/// and no more than a few of one chat.
const FEW: usize = 8;

/// The delivery was not stored: the sender must try again.
#[derive(Debug, thiserror::Error)]
pub enum NotStored {
    #[error("too many deliveries are waiting")]
    Overloaded,
    #[error("the database did not take it: {0}")]
    Database(Arc<sqlx::Error>),
}

/// A delivery is in the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    New,
    /// It was there before.
    Duplicate,
}

type Outcome = Result<Stored, Arc<sqlx::Error>>;

/// The way into the inbox.
#[derive(Clone)]
pub struct InboxWriter {
    deliveries: Batcher<NewEvent, Outcome>,
}

impl InboxWriter {
    /// Starts the writing task; it ends when the last handle is dropped.
    pub fn start(works: Works) -> Self {
        let deliveries = Batcher::start(BATCHES, move |events| {
            let works = works.clone();
            async move {
                let together = events.len();
                let stored = store(&works, events).await;
                works.wakers.rush.stored(together, Instant::now());
                stored
            }
        });
        Self { deliveries }
    }

    /// Returns once the delivery is committed (or was stored before).
    pub async fn store(&self, event: NewEvent) -> Result<Stored, NotStored> {
        match self.deliveries.ask(event).await {
            Ok(stored) => stored.map_err(NotStored::Database),
            Err(_) => Err(NotStored::Overloaded),
        }
    }
}

async fn store(works: &Works, events: Vec<NewEvent>) -> Vec<Outcome> {
    match insert(works, &events).await {
        Ok(known) => events.iter().map(|event| Ok(stored(event, &known))).collect(),
        Err(sqlx::Error::Database(_)) if events.len() > 1 => {
            // One row the database refuses, or will not let us have, must not keep the others out.
            let one_by_one = events.into_iter().map(async |event| {
                let known = insert(works, std::slice::from_ref(&event)).await;
                known.map(|known| stored(&event, &known)).map_err(Arc::new)
            });
            stream::iter(one_by_one).buffered(ONES_AT_ONCE).collect().await
        }
        Err(error) => {
            let error = Arc::new(error);
            events.iter().map(|_| Err(error.clone())).collect()
        }
    }
}

fn stored(event: &NewEvent, known: &HashSet<EventId>) -> Stored {
    if known.contains(&event.id) { Stored::Duplicate } else { Stored::New }
}

/// Stores deliveries in one transaction, and takes them in hand; gives those that were there before.
async fn insert(works: &Works, events: &[NewEvent]) -> sqlx::Result<HashSet<EventId>> {
    let by_lane = by_lane(events);
    let mut places = works.wakers.handling.places(by_lane.len());
    let (lease, left) = places.as_ref().map(|places| (places.lease, places.left())).unzip();
    places.iter_mut().for_each(Places::commit);
    let stored = works.db.transaction("store_events", |conn| {
        let by_lane = &by_lane;
        async move {
            let known = crud::event::insert_many(conn, events).await?;
            let mut lanes = entries(by_lane, &known, left.unwrap_or_default());
            let leased = crud::lane::enqueue(conn, &mut lanes, lease).await?;
            Ok::<_, sqlx::Error>((known, leased))
        }
        .scope_boxed()
    });
    let (known, leased) = match stored.await {
        Ok(stored) => stored,
        Err(error) => {
            if let Some(places) = places.filter(|_| !db::is_lost(&error)) {
                places.withdraw();
            }
            return Err(error);
        }
    };
    works.metrics.deliveries_committed();
    if leased.len() < by_lane.len() {
        works.wakers.inbox.notify_one();
    }
    if let Some(places) = places {
        let in_hand = |(lane, version): (String, u64)| {
            let events = &by_lane[lane.as_str()];
            let rows = events.iter().map(|event| event.row()).collect();
            Leased { class: class(events), rows, lane, version }
        };
        places.take(leased.into_iter().map(in_hand).collect());
    }
    Ok(known)
}

fn by_lane(events: &[NewEvent]) -> BTreeMap<&str, Vec<&NewEvent>> {
    let mut lanes: BTreeMap<&str, Vec<&NewEvent>> = BTreeMap::new();
    for event in events {
        lanes.entry(&event.lane).or_default().push(event);
    }
    lanes
}

fn class(events: &[&NewEvent]) -> u8 {
    events.iter().map(|event| event.class).min().unwrap_or_default()
}

/// The lanes in which something was put; as many as there are places are taken in hand.
fn entries(
    by_lane: &BTreeMap<&str, Vec<&NewEvent>>,
    known: &HashSet<EventId>,
    mut places: usize,
) -> Vec<Entry> {
    let fits = |event: &&NewEvent| event.body.len() <= LIGHT && !known.contains(&event.id);
    let entry = |(lane, events): (&&str, &Vec<&NewEvent>)| {
        // What is most urgent has another way, on which nothing holds it up.
        let in_hand = places > 0 && class(events) > 0 && events.len() <= FEW && events.iter().all(fits);
        places -= usize::from(in_hand);
        let due_at = events.iter().map(|event| event.received_at).min().expect("a lane has an event");
        Entry { queue: Queue::Inbox, lane: (*lane).to_owned(), class: class(events), due_at, in_hand }
    };
    by_lane.iter().map(entry).collect()
}

//! The way into the inbox.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use scoped_futures::ScopedFutureExt;

use crate::crud;
use crate::ids::EventId;
use crate::models::event::NewEvent;
use crate::models::lane::{Entry, Queue};
use crate::queue::batch::{BatchOptions, Batcher};
use crate::work::Works;

const BATCHES: BatchOptions<NewEvent> = BatchOptions {
    waiting: 4096,
    most: 256,
    weight: |event| event.body.len(),
    // Well below max_allowed_packet.
    heaviest: 4 << 20,
    // A chat's order does not suffer: Telegram sends its next update after the answer to the one before.
    slow: Duration::from_millis(500),
};
/// Deliveries of a refused batch that are stored at the same time, each for itself.
const ONES_AT_ONCE: usize = 4;

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
                works.wakers.inbox.notify_one();
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

/// Stores deliveries in one transaction; gives those that were there before.
async fn insert(works: &Works, events: &[NewEvent]) -> sqlx::Result<HashSet<EventId>> {
    let known = works
        .db
        .transaction("store_events", |conn| {
            async move {
                let known = crud::event::insert_many(conn, events).await?;
                let mut lanes = events
                    .iter()
                    .map(|event| Entry {
                        queue: Queue::Inbox,
                        lane: event.lane.clone(),
                        class: event.class,
                        due_at: event.received_at,
                    })
                    .collect();
                crud::lane::enqueue(conn, &mut lanes).await?;
                Ok::<_, sqlx::Error>(known)
            }
            .scope_boxed()
        })
        .await?;
    works.metrics.deliveries_committed();
    Ok(known)
}

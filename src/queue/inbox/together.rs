//! What waits in several lanes is handled in one commit: with many people talking at once, that saves the database
//! most of what it has to do for each of them.
//!
//! It is all or nothing. When one event fails, panics, waits for a lock, or was handled by somebody else meanwhile,
//! nothing of the whole is kept, and each lane is handled alone.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use scoped_futures::ScopedFutureExt;

use super::EventHandler;
use super::worker::log_handled;
use crate::crud;
use crate::ids::EventId;
use crate::models::audit::Actor;
use crate::models::event::InboundEvent;
use crate::models::lane::Lease;
use crate::queue::Failure;
use crate::queue::batch::BatchOptions;
use crate::telemetry::metrics::Handled as Outcome;
use crate::work::{Origin, Work, Works};

/// A commit that takes longer is begun anew, each lane alone: nobody waits long for one who waits for a lock.
const PATIENCE: Duration = Duration::from_secs(1);

pub const BUNDLES: BatchOptions<Bundle> =
    BatchOptions { waiting: 1024, most: 64, weight: |_| 0, heaviest: 1, abreast: 2, slow: PATIENCE };

/// What was read of one lane, and the right to handle it.
pub struct Bundle {
    pub events: Vec<InboundEvent>,
    pub lease: Lease,
}

/// What became of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    Done,
    /// The lane was given back in the same commit.
    DoneAndLeft,
    /// Nothing was done: it has to be handled alone.
    Alone,
}

/// Handles the events of several lanes in one commit.
pub async fn handle<H: EventHandler>(works: &Works, handler: &H, bundles: &[Bundle]) -> Vec<Together> {
    works.wakers.sending.let_follow(bundles.len()).await;
    let begun = Instant::now();
    let handling = tokio::time::timeout(PATIENCE, take_effect(works, handler, bundles));
    match AssertUnwindSafe(handling).catch_unwind().await {
        Ok(Ok(Ok(outcomes))) => {
            bundles.iter().flat_map(|bundle| &bundle.events).for_each(|event| log_handled(event, begun));
            outcomes
        }
        // Whose fault it was is found out alone, and noted there.
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => vec![Together::Alone; bundles.len()],
    }
}

async fn take_effect<H: EventHandler>(
    works: &Works,
    handler: &H,
    bundles: &[Bundle],
) -> Result<Vec<Together>, Failure> {
    works
        .run("handle_event", Origin::SYSTEM, |work| {
            async move {
                let events: Vec<&InboundEvent> = bundles.iter().flat_map(|bundle| &bundle.events).collect();
                mark_done(work, &events).await?;
                handler.foresee(work, &events).await?;
                for event in events {
                    work.turn_to(Origin::new(Actor::System, event.id.0));
                    handler.handle(work, event).await?;
                    let source = event.source;
                    work.count(move |metrics| metrics.event(source, Outcome::Done));
                }
                leave(work, bundles).await
            }
            .scope_boxed()
        })
        .await
}

/// The marks first, as with one event.
async fn mark_done(work: &mut Work, events: &[&InboundEvent]) -> Result<(), Failure> {
    let now = work.now();
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    match crud::event::mark_all_done(work.conn(), &ids, now).await? == ids.len() as u64 {
        true => Ok(()),
        false => Err(Failure::not_yet("somebody else has handled some of it", Duration::ZERO)),
    }
}

/// Gives back the lanes to which nothing was added meanwhile.
async fn leave(work: &mut Work, bundles: &[Bundle]) -> Result<Vec<Together>, Failure> {
    let leases: Vec<&Lease> = bundles.iter().map(|bundle| &bundle.lease).collect();
    let kept = crud::lane::remove_many(work.conn(), &leases).await?;
    let outcome = |lease: &&Lease| match kept.contains(&lease.lane) {
        true => Together::Done,
        false => Together::DoneAndLeft,
    };
    Ok(leases.iter().map(outcome).collect())
}

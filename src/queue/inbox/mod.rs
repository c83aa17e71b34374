//! The inbox: every delivery is stored before it is acknowledged, and its effect commits with its mark.
//!
//! [`InboxWriter`] is the way in: requests that arrive together share one transaction and one fsync, and each is
//! answered after that commit. [`InboxWorker`] handles what is stored, a lane (chat) at a time, in order. What waits in
//! several lanes is handled together, in one commit (`together.rs`); whatever goes wrong there is handled alone.

mod together;
mod worker;
mod writer;

use async_trait::async_trait;

use super::failure::Failure;
use crate::models::event::InboundEvent;
use crate::work::Work;

pub use worker::InboxWorker;
pub(super) use worker::{in_chrono, panic_text};
pub use writer::{InboxWriter, NotStored, Stored};

/// What is done with an event. Called inside the unit of work that marks the event done.
#[async_trait]
pub trait EventHandler: Send + Sync + 'static {
    /// Reads at once what the handling of these events is going to need.
    async fn foresee(&self, _work: &mut Work, _events: &[&InboundEvent]) -> sqlx::Result<()> {
        Ok(())
    }
    async fn handle(&self, work: &mut Work, event: &InboundEvent) -> Result<(), Failure>;
    /// The event was given up; tells the admins in the same unit of work.
    async fn gave_up(&self, work: &mut Work, event: &InboundEvent, reason: &str) -> Result<(), Failure>;
}

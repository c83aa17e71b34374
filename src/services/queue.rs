//! What operators do with the queues: look at what was given up, and have it tried again. What failed has left nothing
//! behind. A done event is handled in full once more: money, access and roles have marks of their own and are counted
//! once; answers are given again.

use serde_json::json;

use super::access::{self, AccessError};
use crate::crud;
use crate::ids::{EventId, JobId};
use crate::models::audit::Action;
use crate::models::event::{InboundEvent, QueueStatus};
use crate::models::job::QueuedJob;
use crate::models::lane::{Queue, Standing};
use crate::models::role::Permission;
use crate::work::Work;

/// Class of a lane that was woken by hand.
const ORDINARY: u8 = 1;

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("there is no event {0}; it may have been purged")]
    UnknownEvent(EventId),
    #[error("the event {0} is waiting already")]
    EventWaits(EventId),
    #[error("there is no job {0}; it may have been purged")]
    UnknownJob(JobId),
    #[error("the job {0} is {1}; only a dead one can be retried")]
    NotDead(JobId, QueueStatus),
    #[error("{0}")]
    Access(#[from] AccessError),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// The newest events of one status.
pub async fn events(
    work: &mut Work,
    status: QueueStatus,
    limit: u32,
) -> Result<Vec<InboundEvent>, QueueError> {
    access::require(work, Permission::ReplayEvents).await?;
    Ok(crud::event::list(work.conn(), status, limit).await?)
}

pub async fn event(work: &mut Work, id: EventId) -> Result<InboundEvent, QueueError> {
    access::require(work, Permission::ReplayEvents).await?;
    crud::event::find(work.conn(), id).await?.ok_or(QueueError::UnknownEvent(id))
}

/// Has a dead or done event handled again.
pub async fn replay(work: &mut Work, id: EventId) -> Result<InboundEvent, QueueError> {
    let event = event(work, id).await?;
    if !crud::event::reopen(work.conn(), id).await? {
        return Err(QueueError::EventWaits(id));
    }
    work.wake_lane(Queue::Inbox, event.lane.clone(), ORDINARY);
    let change = json!({ "old": event.status, "new": QueueStatus::Pending, "source": event.source });
    work.audit(Action::EventReplayed, Some(&format!("event:{id}")), change).await?;
    Ok(event)
}

/// The newest jobs of one status.
pub async fn jobs(work: &mut Work, status: QueueStatus, limit: u32) -> Result<Vec<QueuedJob>, QueueError> {
    access::require(work, Permission::ReplayEvents).await?;
    Ok(crud::job::list(work.conn(), status, limit).await?)
}

/// Has a dead job run again.
pub async fn retry(work: &mut Work, id: JobId) -> Result<QueuedJob, QueueError> {
    access::require(work, Permission::ReplayEvents).await?;
    let job = crud::job::find(work.conn(), id).await?.ok_or(QueueError::UnknownJob(id))?;
    if !crud::job::reopen(work.conn(), id).await? {
        return Err(QueueError::NotDead(id, job.status));
    }
    work.wake_lane(Queue::Jobs, job.lane.clone(), ORDINARY);
    let change = json!({ "old": job.status, "new": QueueStatus::Pending, "kind": job.kind });
    work.audit(Action::JobRetried, Some(&format!("job:{id}")), change).await?;
    Ok(job)
}

/// How the three queues stand.
pub async fn standing(work: &mut Work) -> sqlx::Result<[Standing; 3]> {
    crud::queue::standing(work.conn()).await
}

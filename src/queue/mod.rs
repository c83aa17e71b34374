//! Inbox, outbox, jobs and schedules: what keeps the promise that nothing is lost and nothing takes effect twice.
//! The three queues are tables of rows grouped into lanes; [`runner`] is the one lease implementation that
//! serves them.

mod batch;
pub mod failure;
mod front;
pub mod hand;
pub mod inbox;
pub mod jobs;
pub mod outbox;
pub mod pacer;
pub mod runner;
mod rush;
pub mod schedule;
mod waiting;

pub use failure::Failure;
pub use rush::Rush;

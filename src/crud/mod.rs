//! SQL and nothing else: one file per table family. Takes a connection, never a pool, and never commits.

pub mod audit;
pub mod event;
pub mod job;
pub mod lane;
pub mod outgoing;
pub mod pace;
pub mod schedule;

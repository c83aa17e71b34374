//! SQL and nothing else: one file per table family. Takes a connection, never a pool, and never commits.

pub mod address;
pub mod audit;
pub mod book_mark;
pub mod books;
pub mod bot_setup;
pub mod dialog;
pub mod event;
pub mod job;
pub mod lane;
pub mod outgoing;
pub mod pace;
pub mod payment;
pub mod plan;
pub mod queue;
pub mod role;
pub mod schedule;
pub mod server;
pub mod setting;
pub mod stats;
pub mod subscription;
pub mod unmatched;
pub mod user;
pub mod vpn;

//! What every test stands on: a database of its own, units of work over it, waiting without sleeping, skipping without
//! pretending. Nothing here knows the application's rules.

pub mod bot_api;
pub mod browser;
pub mod chats;
pub mod cli;
pub mod db;
pub mod door;
pub mod galera;
pub mod line;
pub mod log;
pub mod nginx;
pub mod ports;
pub mod process;
pub mod recorder;
pub mod skip;
pub mod town;
pub mod wait;
pub mod works;

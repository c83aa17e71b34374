//! The rules. One use case per function; it changes things through the unit of work that its caller opened and
//! will commit. Knows neither Telegram nor HTTP.

pub mod access;
pub mod address;
pub mod audit;
pub mod books;
pub mod catalogue;
pub mod dialog;
pub mod keys;
pub mod overview;
pub mod payment;
pub mod people;
pub mod queue;
pub mod server;
pub mod stats;
pub mod subscription;
pub mod vpn;

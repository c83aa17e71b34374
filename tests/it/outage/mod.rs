//! The outside goes away for a while: the database, Telegram, a VPN server. What came meanwhile is answered so that it
//! comes again or is kept, and afterwards everything has happened once and in order.
//!
//! "A while" is as long as it takes to be seen by everybody concerned, with the house's clock moved on by what a real
//! outage would last: what happens depends on who noticed, and not on how long the test waited.

pub mod database;
mod nodes;
mod telegram;
mod vpn;

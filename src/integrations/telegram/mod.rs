//! Telegram: reading what it delivers and calling its Bot API.

pub mod api;
mod loose;
pub mod update;

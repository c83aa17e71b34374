//! The Telegram bots: what they say (screens) and what their buttons and commands mean.

pub mod callback;
pub mod commands;
pub mod courier;
pub mod screens;
pub mod setup;
pub mod usernames;

pub use crate::i18n::html;

//! Row structs, the enums of their statuses with the allowed transitions, and the JSON shapes that are stored.
//! No input or output happens here.

#[macro_use]
mod text_enum;

pub mod address;
pub mod audit;
pub mod bot;
pub mod dialog;
pub mod event;
pub mod job;
pub mod lane;
pub mod notice;
pub mod outgoing;
pub mod payment;
pub mod plan;
pub mod role;
pub mod server;
pub mod subscription;
pub mod user;
pub mod vpn;

pub use text_enum::UnknownText;
pub(crate) use text_enum::text_enum;

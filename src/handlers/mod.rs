//! The edges: each reads what came in, calls one service and renders the answer. No rule and no SQL here.

pub mod bots;
mod buckets;
pub mod events;
pub mod http;

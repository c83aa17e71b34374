//! WireGuard on this machine: keys, texts, and the interface with its peers.

pub mod keys;
pub mod peers;
pub mod render;
pub mod settings;

pub use settings::{DriverKind, WireGuardSecret, WireGuardSettings};

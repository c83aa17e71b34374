//! WireGuard on this machine: keys, texts, and the interface with its peers.

mod backend;
mod command;
mod conf_file;
mod driver;
pub mod keys;
pub mod peers;
pub mod render;
mod settings;
mod table;
mod tools;
mod userspace;

pub use backend::WireGuard;
pub use settings::{DriverKind, WireGuardSecret, WireGuardSettings};

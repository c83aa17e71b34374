//! Clients of everything outside the process. They know models, and nothing of crud, services or handlers.

pub mod payments;
pub mod telegram;
pub mod vpn;

//! HTTP: what stands between the network and the routes. The routes themselves are in `router.rs`.

pub mod client_ip;
pub mod error;
pub mod flood;
pub mod layers;

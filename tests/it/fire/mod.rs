//! The server under fire: killed at every named place, among copies, and with the outside broken; and what must hold
//! afterwards.

mod copies;
mod crowd;
mod customers;
mod galera;
mod kept;
pub mod life;
mod lives;
mod outages;
mod places;
mod random;
mod upgrade;
pub mod walk;

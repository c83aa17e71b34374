//! The server under fire: killed at every named place, and what must hold afterwards.

pub mod life;
mod places;
mod random;
pub mod walk;

//! The server under fire: killed at every named place, and what must hold afterwards.

mod kept;
pub mod life;
mod lives;
mod places;
mod random;
pub mod walk;

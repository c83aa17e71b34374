//! The server under fire: killed at every named place, and what must hold afterwards.

mod life;
mod places;
mod walk;

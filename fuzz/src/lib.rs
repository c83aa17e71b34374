//! What must hold of everything that comes in from outside, whatever its bytes are. Each module has one function,
//! `check`, which panics where it does not; `fuzz_targets/` hands it to libFuzzer. What counts as right is judged by
//! other means than the code under test uses.

pub mod html;
pub mod http;
mod memory;
pub mod message;
pub mod qvapay;
pub mod stored;
pub mod typed;
pub mod update;

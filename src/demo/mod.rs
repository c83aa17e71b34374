//! The counterparts of the outside: real HTTP servers that answer as Telegram, QvaPay and Outline do.
//! Tests, `usipipo demo` and `make smoke` share them.

pub mod outline;
pub mod qvapay;
pub mod smoke;
pub mod stage;
pub mod telegram;

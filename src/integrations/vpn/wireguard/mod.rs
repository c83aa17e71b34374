//! WireGuard on this machine.

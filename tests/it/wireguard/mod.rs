//! WireGuard: keys and texts, and real tunnels between network namespaces.

mod texts;

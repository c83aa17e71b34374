//! Outline through its management API.

/// A new Shadowsocks password: 128 random bits as hex, safe in every URL and configuration file.
pub fn generate_password() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

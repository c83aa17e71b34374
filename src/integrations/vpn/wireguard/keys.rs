//! WireGuard keys, made in process: no key ever stands on a command line or in a temporary file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x25519_dalek::{PublicKey, StaticSecret};

/// A text that should have been a key was none. Says nothing of the text: it may have been a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a WireGuard key is 32 bytes in base64 (44 characters)")]
pub struct BadKey;

/// 32 bytes: a private, public or preshared key. `Debug` shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// A new private key, clamped as `wg genkey` does it (RFC 7748, section 5), so that other tools show the same text.
    pub fn generate_private() -> Self {
        let mut bytes: [u8; 32] = rand::random();
        bytes[0] &= 248;
        bytes[31] &= 127;
        bytes[31] |= 64;
        Self(bytes)
    }

    /// A new preshared key: 32 random bytes.
    pub fn generate_preshared() -> Self {
        Self(rand::random())
    }

    /// All zeros: how the protocol writes "no preshared key".
    pub(super) fn none() -> Self {
        Self([0; 32])
    }

    /// The public key of a private key.
    pub fn public(&self) -> Self {
        Self(PublicKey::from(&StaticSecret::from(self.0)).to_bytes())
    }

    /// The form every WireGuard tool reads and writes.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl std::str::FromStr for Key {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bytes = STANDARD.decode(text).map_err(|_| BadKey)?;
        Ok(Self(bytes.try_into().map_err(|_| BadKey)?))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(redacted)")
    }
}

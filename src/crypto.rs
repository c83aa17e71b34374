//! Encryption of stored secrets, randomness, and comparison that tells nothing by its duration.
//! Holds keys in memory only; nothing here prints a key, a secret or what was encrypted.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

/// What is stored in place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The key that was used: 1 to 32 of `A-Z a-z 0-9 _ -`.
    pub key_id: String,
    /// Nonce (24 bytes), ciphertext, tag (16 bytes).
    pub bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CryptoError {
    /// The key was taken out of `ENCRYPTION_KEYS` too early.
    #[error("no encryption key has the id {0:?}")]
    UnknownKey(String),
    /// Wrong key under this id, another row's context, or changed bytes.
    #[error("the stored secret does not open: wrong key, wrong place or damaged")]
    NotAuthentic,
}

/// Why `ENCRYPTION_KEYS` cannot be used; entries are counted from 1 and never shown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyringError {
    #[error("has no key")]
    Empty,
    #[error("has an entry without id (entry {0})")]
    NoId(usize),
    #[error("has an id that is not 1 to 32 of A-Z a-z 0-9 _ - (entry {0})")]
    BadId(usize),
    #[error("has an id twice (entry {0})")]
    DuplicateId(usize),
    #[error("has a key that is not base64 (entry {0})")]
    NotBase64(usize),
    #[error("has a key of {1} bytes (entry {0})")]
    WrongLength(usize, usize),
}

/// The keys that secrets are stored under: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), random nonces.
#[derive(Clone)]
pub struct Keyring(Arc<[Key]>);

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl Keyring {
    /// Reads `id:base64,id:base64,…`, each key 32 bytes: the first encrypts, all decrypt.
    pub fn parse(list: &str) -> Result<Self, KeyringError> {
        let mut keys: Vec<Key> = Vec::new();
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for (entry, position) in entries.zip(1..) {
            let key = Key::parse(entry, position)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(KeyringError::DuplicateId(position));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self(keys.into())) }
    }

    /// Encrypts under the first key. `context` names the place (`vpn_config:7`): bytes copied to another place
    /// do not open there.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Sealed {
        let key = &self.0[0];
        let nonce = random_bytes::<NONCE_LEN>();
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let sealed =
            key.cipher.encrypt(&XNonce::from(nonce), payload).expect("256 GiB are never sealed at once");
        Sealed { key_id: key.id.clone(), bytes: [&nonce[..], &sealed].concat() }
    }

    /// Decrypts what [`Keyring::seal`] made under any of the keys; the result is wiped when dropped.
    pub fn open(&self, context: &str, key_id: &str, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = self.0.iter().find(|key| key.id == key_id);
        let key = key.ok_or_else(|| CryptoError::UnknownKey(key_id.to_owned()))?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(CryptoError::NotAuthentic)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let plain =
            key.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| CryptoError::NotAuthentic)?;
        Ok(Zeroizing::new(plain))
    }

    /// Id of the key that encrypts.
    pub fn current_key_id(&self) -> &str {
        &self.0[0].id
    }

    /// Whether a secret stored under `key_id` should be sealed again (`keys rotate`).
    pub fn needs_rotation(&self, key_id: &str) -> bool {
        key_id != self.current_key_id()
    }

    /// Bytes that sealing adds to a secret.
    pub const OVERHEAD: usize = NONCE_LEN + TAG_LEN;
}

impl Key {
    fn parse(entry: &str, position: usize) -> Result<Self, KeyringError> {
        let (id, base64) = entry.split_once(':').ok_or(KeyringError::NoId(position))?;
        let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if id.is_empty() || id.len() > 32 || !id.chars().all(is_id) {
            return Err(KeyringError::BadId(position));
        }
        let bytes = STANDARD_NO_PAD.decode(base64.trim_end_matches('='));
        let bytes = Zeroizing::new(bytes.map_err(|_| KeyringError::NotBase64(position))?);
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes);
        let cipher = cipher.map_err(|_| KeyringError::WrongLength(position, bytes.len()))?;
        Ok(Self { id: id.to_owned(), cipher })
    }
}

/// A new entry for `ENCRYPTION_KEYS`.
pub fn generate_key_entry(id: &str) -> SecretString {
    let key = Zeroizing::new(random_bytes::<32>());
    format!("{id}:{}", STANDARD.encode(key.as_slice())).into()
}

/// Bytes from the operating system's random number generator.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).expect("a system without randomness cannot run at all");
    bytes
}

/// An unguessable text of `A-Z a-z 0-9 _ -` holding `N` random bytes (32 give 43 characters).
pub fn random_token<const N: usize>() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<N>())
}

/// Whether `given` is one of the `accepted` secrets. The time taken depends on neither length nor content: the
/// digests are compared, and all of them.
pub fn matches_any(given: &[u8], accepted: &[SecretString]) -> bool {
    let given = Sha256::digest(given);
    let same = |secret: &SecretString| given.ct_eq(&Sha256::digest(secret.expose_secret()));
    accepted.iter().fold(Choice::from(0), |found, secret| found | same(secret)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, byte: u8) -> String {
        format!("{id}:{}", STANDARD.encode([byte; 32]))
    }

    fn keyring(entries: &[(&str, u8)]) -> Keyring {
        let list: Vec<_> = entries.iter().map(|(id, byte)| entry(id, *byte)).collect();
        Keyring::parse(&list.join(", ")).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let keys = keyring(&[("k1", 1)]);
        let sealed = keys.seal("vpn_config:7", b"private key");
        assert_eq!(sealed.key_id, "k1");
        assert_eq!(sealed.bytes.len(), b"private key".len() + Keyring::OVERHEAD);
        let open = |context: &str, bytes: &[u8]| keys.open(context, "k1", bytes).map(|plain| plain.to_vec());
        assert_eq!(open("vpn_config:7", &sealed.bytes), Ok(b"private key".to_vec()));
        assert_eq!(open("vpn_config:8", &sealed.bytes), Err(CryptoError::NotAuthentic));
        for cut in 0..sealed.bytes.len() {
            assert_eq!(open("vpn_config:7", &sealed.bytes[..cut]), Err(CryptoError::NotAuthentic));
        }
        for position in 0..sealed.bytes.len() {
            let mut changed = sealed.bytes.clone();
            changed[position] ^= 1;
            assert_eq!(open("vpn_config:7", &changed), Err(CryptoError::NotAuthentic));
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let keys = keyring(&[("k1", 1)]);
        assert_ne!(keys.seal("a", b"secret"), keys.seal("a", b"secret"));
    }

    #[test]
    fn rotation_keeps_old_secrets_readable_until_their_key_goes() {
        let sealed = keyring(&[("old", 1)]).seal("a", b"secret");
        let both = keyring(&[("new", 2), ("old", 1)]);
        assert_eq!(both.open("a", "old", &sealed.bytes).unwrap().as_slice(), b"secret");
        assert!(both.needs_rotation("old") && !both.needs_rotation("new"));
        assert_eq!(both.seal("a", b"secret").key_id, "new");
        let gone = keyring(&[("new", 2)]).open("a", "old", &sealed.bytes);
        assert_eq!(gone, Err(CryptoError::UnknownKey("old".into())));
        let replaced = keyring(&[("old", 9)]).open("a", "old", &sealed.bytes);
        assert_eq!(replaced, Err(CryptoError::NotAuthentic));
    }

    #[test]
    fn a_bad_list_is_refused_with_its_place() {
        let good = entry("k1", 1);
        let parse = |list: &str| Keyring::parse(list).map(|_| ());
        assert_eq!(parse(" , "), Err(KeyringError::Empty));
        assert_eq!(parse(&format!("{good},c2VjcmV0")), Err(KeyringError::NoId(2)));
        assert_eq!(parse("a b:c2VjcmV0"), Err(KeyringError::BadId(1)));
        assert_eq!(parse(&format!("{good},{good}")), Err(KeyringError::DuplicateId(2)));
        assert_eq!(parse("k1:not base64!"), Err(KeyringError::NotBase64(1)));
        assert_eq!(parse("k1:c2VjcmV0"), Err(KeyringError::WrongLength(1, 6)));
        assert_eq!(parse(good.trim_end_matches('=')), Ok(()));
    }

    #[test]
    fn a_generated_entry_is_a_key() {
        let entry = generate_key_entry("2026-11");
        assert_eq!(Keyring::parse(entry.expose_secret()).unwrap().current_key_id(), "2026-11");
    }

    #[test]
    fn debug_shows_ids_only() {
        assert_eq!(format!("{:?}", keyring(&[("k1", 1), ("k0", 2)])), r#"["k1", "k0"]"#);
    }

    #[test]
    fn tokens_are_url_safe_and_differ() {
        let token = random_token::<32>();
        assert_eq!(token.len(), 43);
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
        assert_ne!(token, random_token::<32>());
    }

    #[test]
    fn any_accepted_secret_matches_and_nothing_else() {
        let accepted: Vec<SecretString> = vec!["new".into(), "old".into()];
        assert!(matches_any(b"new", &accepted) && matches_any(b"old", &accepted));
        for wrong in [&b""[..], b"ne", b"newold", b"NEW", b"new "] {
            assert!(!matches_any(wrong, &accepted));
        }
        assert!(!matches_any(b"", &[]));
    }
}

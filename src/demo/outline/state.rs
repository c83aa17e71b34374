//! Who the counterpart is and which keys it has, in memory or in a folder.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_util::sync::CancellationToken;

use super::door::Door;

/// The port of keys that no Shadowsocks server listens for.
const PORT_WITHOUT_SERVER: u16 = 12345;

/// Certificate and address.
#[derive(Serialize, Deserialize)]
pub(super) struct Identity {
    /// DER.
    certificate: Vec<u8>,
    /// PKCS #8.
    private_key: Vec<u8>,
    pub secret_path: String,
    /// 0 = any.
    pub port: u16,
}

impl Identity {
    /// The one of the folder, or a new one.
    pub fn load(folder: Option<&Path>) -> io::Result<Self> {
        if let Some(identity) = load(folder, "identity.json")? {
            return Ok(identity);
        }
        let made =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).map_err(io::Error::other)?;
        Ok(Self {
            certificate: made.cert.der().to_vec(),
            private_key: made.signing_key.serialize_der(),
            secret_path: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()),
            port: 0,
        })
    }

    pub fn save(&self, folder: Option<&Path>) -> io::Result<()> {
        save(folder, "identity.json", self)
    }

    pub fn cert_sha256(&self) -> String {
        hex::encode_upper(Sha256::digest(&self.certificate))
    }

    pub fn tls(&self) -> io::Result<ServerConfig> {
        let certificate = CertificateDer::from(self.certificate.clone());
        let private_key = PrivatePkcs8KeyDer::from(self.private_key.clone());
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|versions| {
                versions.with_no_client_auth().with_single_cert(vec![certificate], private_key.into())
            })
            .map_err(io::Error::other)
    }
}

/// An access key.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Key {
    pub id: String,
    pub name: String,
    pub password: String,
    pub method: String,
    pub port: u16,
    pub limit_bytes: Option<u64>,
    /// Bytes before those that the door has counted; not kept, a window may fall.
    #[serde(skip)]
    transferred: u64,
    #[serde(skip)]
    door: Option<Arc<Door>>,
}

impl Key {
    pub fn new(id: String, name: String, password: String, method: String, limit_bytes: Option<u64>) -> Self {
        Self {
            id,
            name,
            password,
            method,
            port: PORT_WITHOUT_SERVER,
            limit_bytes,
            transferred: 0,
            door: None,
        }
    }

    pub fn transferred(&self) -> u64 {
        self.transferred + self.door.as_ref().map_or(0, |door| door.transferred())
    }

    /// Starts the Shadowsocks server behind the key's port: the one it had, or a new one.
    pub async fn open_door(&mut self, ip: IpAddr, stop: &CancellationToken) -> io::Result<()> {
        let port = if self.port == PORT_WITHOUT_SERVER { 0 } else { self.port };
        let door = Door::open(ip, port, &self.password, &self.method, stop.child_token()).await?;
        self.port = door.port();
        self.door = Some(Arc::new(door));
        self.enforce();
        Ok(())
    }

    /// Opens or closes the door by the limit. A limit of zero blocks.
    pub fn enforce(&self) {
        if let Some(door) = &self.door {
            door.set_open(self.limit_bytes.is_none_or(|limit| self.transferred() < limit));
        }
    }
}

/// All access keys, oldest first.
#[derive(Default)]
pub(super) struct Keys {
    keys: Vec<Key>,
    file: Option<PathBuf>,
}

impl Keys {
    pub fn load(folder: Option<&Path>) -> io::Result<Self> {
        let keys = load(folder, "keys.json")?.unwrap_or_default();
        Ok(Self { keys, file: folder.map(Path::to_owned) })
    }

    pub async fn open_doors(&mut self, ip: IpAddr, stop: &CancellationToken) -> io::Result<()> {
        for key in &mut self.keys {
            key.open_door(ip, stop).await?;
        }
        Ok(())
    }

    pub fn all(&self) -> &[Key] {
        &self.keys
    }

    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.id.clone()).collect()
    }

    pub fn get(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The smallest number that is no id yet.
    pub fn next_id(&self) -> String {
        (0_u64..).map(|n| n.to_string()).find(|id| self.get(id).is_none()).expect("fewer keys than numbers")
    }

    pub fn add(&mut self, key: Key) {
        self.keys.push(key);
        self.save();
    }

    /// False when there is no such key.
    pub fn remove(&mut self, id: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.id != id);
        self.save();
        self.keys.len() < before
    }

    /// False when there is no such key.
    pub fn change(&mut self, id: &str, change: impl FnOnce(&mut Key)) -> bool {
        let Some(key) = self.keys.iter_mut().find(|key| key.id == id) else { return false };
        change(key);
        key.enforce();
        self.save();
        true
    }

    pub fn set_transferred(&mut self, id: &str, bytes: u64) -> bool {
        self.change(id, |key| {
            if let Some(door) = &key.door {
                door.count_from_zero();
            }
            key.transferred = bytes;
        })
    }

    pub fn clear(&mut self) {
        self.keys.clear();
        self.save();
    }

    fn save(&self) {
        if let Err(error) = save(self.file.as_deref(), "keys.json", &self.keys) {
            tracing::error!(%error, "the keys of the Outline counterpart are not kept");
        }
    }
}

fn load<T: DeserializeOwned>(folder: Option<&Path>, name: &str) -> io::Result<Option<T>> {
    let Some(folder) = folder else { return Ok(None) };
    match fs::read(folder.join(name)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn save<T: Serialize>(folder: Option<&Path>, name: &str, value: &T) -> io::Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let temporary = folder.join(format!("{name}.new"));
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    serde_json::to_writer(file, value)?;
    fs::rename(temporary, folder.join(name))
}

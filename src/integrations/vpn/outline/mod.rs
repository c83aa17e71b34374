//! Outline through its management API.
//!
//! A key has our own name as its id, so that a request whose answer was lost is repeated safely. Blocked is a data limit
//! of zero: the key stays, and nothing passes. Old servers (before 2024) choose the ids; there the key is found by its
//! name.

mod api;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use futures::{TryStreamExt, stream};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use self::api::{Api, Key, Limit, NewKey, Put};
use super::{
    Access, Backend, BackendError, Counter, Credentials, Desired, Health, Held, Observed, Reconciled,
    UsageKind, backend_name, parse_backend_name,
};
use crate::ids::ConfigId;

/// What every Outline client and server speaks; also the server's own default.
const METHOD: &str = "chacha20-ietf-poly1305";
/// Requests at a time while reconciling: the server handles one after the other.
const AT_ONCE: usize = 4;

/// The JSON of `servers.settings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutlineSettings {
    /// Shown in the person's app as the name of the server.
    pub name: String,
    /// Stands in access links instead of the host that the server gives, e.g. a domain that can move.
    #[serde(default)]
    pub hostname: Option<String>,
}

/// The JSON of `servers.secret`; also reads what Outline's installer prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineSecret {
    /// Address of the management API with its secret path.
    #[serde(alias = "apiUrl")]
    pub api_url: String,
    /// SHA-256 of the server's certificate, hex.
    #[serde(alias = "certSha256")]
    pub cert_sha256: String,
}

impl std::fmt::Debug for OutlineSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutlineSecret(redacted)")
    }
}

/// A new Shadowsocks password: 128 random bits as hex, safe in every URL and configuration file.
pub fn generate_password() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

/// An Outline server.
pub struct Outline {
    settings: OutlineSettings,
    api: Api,
    /// When `ensure` or `revoke` last told a config; until a reconciliation has seen it.
    told: Mutex<HashMap<ConfigId, Instant>>,
}

impl Outline {
    /// Makes no request: a server that is down must not keep ours from starting.
    pub fn new(settings: OutlineSettings, secret: &OutlineSecret) -> Result<Self, BackendError> {
        let outline = Self { settings, api: Api::new(secret)?, told: Mutex::default() };
        outline.link("ss://x@localhost:1/")?;
        Ok(outline)
    }

    fn told(&self) -> MutexGuard<'_, HashMap<ConfigId, Instant>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The access link as the person gets it: with our host, and with the name the app shows (SIP002).
    fn link(&self, access_url: &str) -> Result<String, BackendError> {
        let mut url = Url::parse(access_url)
            .map_err(|_| BackendError::Incompatible("the server gave no access link".to_owned()))?;
        if let Some(hostname) = &self.settings.hostname {
            url.set_host(Some(hostname))
                .map_err(|_| BackendError::Rejected("settings: hostname is no host".to_owned()))?;
        }
        url.set_fragment(Some(&percent_encoded(&self.settings.name)));
        Ok(url.into())
    }

    /// Makes the key be as wanted and gives it as it is then.
    async fn converge(&self, wanted: &Wanted<'_>) -> Result<Key, BackendError> {
        match self.api.put_key(&wanted.name, &wanted.new_key()).await? {
            Put::Made(key) => Ok(key),
            Put::Exists => match self.api.key(&wanted.name).await? {
                Some(key) => self.converge_existing(key, wanted).await,
                None => Err(BackendError::Transient("the key came and went".to_owned())),
            },
            Put::Unknown => {
                let keys = self.api.keys().await?;
                match keys.into_iter().find(|key| key.name == wanted.name) {
                    Some(key) => self.converge_existing(key, wanted).await,
                    None => self.make_with_foreign_id(wanted).await,
                }
            }
        }
    }

    async fn converge_existing(&self, mut key: Key, wanted: &Wanted<'_>) -> Result<Key, BackendError> {
        if key.password != wanted.password || key.method != METHOD {
            // Neither can be changed in place.
            self.api.delete_key(&key.id).await?;
            return match self.api.put_key(&wanted.name, &wanted.new_key()).await? {
                Put::Made(key) => Ok(key),
                Put::Exists => Err(BackendError::Transient("somebody else makes the same key".to_owned())),
                Put::Unknown => self.make_with_foreign_id(wanted).await,
            };
        }
        if key.limit_bytes() != wanted.limit_bytes {
            key.data_limit = wanted.limit();
            self.api.set_limit(&key.id, wanted.limit()).await?;
        }
        Ok(key)
    }

    /// For old servers. What they do not take with the first request is told with more of them.
    async fn make_with_foreign_id(&self, wanted: &Wanted<'_>) -> Result<Key, BackendError> {
        let key = self.api.post_key(&wanted.new_key()).await?;
        if key.name != wanted.name {
            self.api.rename(&key.id, &wanted.name).await?;
        }
        if key.limit_bytes() != wanted.limit_bytes {
            self.api.set_limit(&key.id, wanted.limit()).await?;
        }
        Ok(key)
    }

    async fn remove(&self, key: Key) -> Result<(), BackendError> {
        self.api.delete_key(&key.id).await.map(drop)
    }

    /// Converges one key of many: what the server refuses must not keep the others from theirs.
    async fn mend(&self, wanted: Wanted<'_>) -> Result<(), BackendError> {
        match self.converge(&wanted).await {
            Err(BackendError::Rejected(reason)) => {
                tracing::error!(config_id = %wanted.config_id, reason, "left out of the Outline server");
                Ok(())
            }
            converged => converged.map(drop),
        }
    }

    /// Keys of ours by config. The id is ours, or on an old server the name.
    async fn our_keys(&self) -> Result<BTreeMap<ConfigId, Key>, BackendError> {
        let keys = self.api.keys().await?.into_iter();
        Ok(keys.filter_map(|key| Some((config_of(&key)?, key))).collect())
    }
}

/// The config that a key belongs to; None for keys that the operator made by hand.
fn config_of(key: &Key) -> Option<ConfigId> {
    parse_backend_name(&key.id).or_else(|| parse_backend_name(&key.name))
}

/// A key as it should be.
struct Wanted<'a> {
    config_id: ConfigId,
    name: String,
    password: &'a str,
    limit_bytes: Option<u64>,
}

impl<'a> Wanted<'a> {
    fn of(want: &'a Desired) -> Result<Self, BackendError> {
        let config_id = want.config_id;
        let Credentials::Outline { password, .. } = &want.credentials else {
            return Err(BackendError::Rejected(format!("config {config_id} is not for Outline")));
        };
        let limit_bytes = match want.access {
            Access::Blocked => Some(0),
            Access::Present => want.limit_bytes,
        };
        Ok(Self { config_id, name: backend_name(config_id), password, limit_bytes })
    }

    fn limit(&self) -> Option<Limit> {
        self.limit_bytes.map(|bytes| Limit { bytes })
    }

    fn new_key(&self) -> NewKey<'_> {
        NewKey { name: &self.name, method: METHOD, password: self.password, limit: self.limit() }
    }

    fn is_met_by(&self, key: &Key) -> bool {
        key.password == self.password && key.method == METHOD && key.limit_bytes() == self.limit_bytes
    }
}

#[async_trait]
impl Backend for Outline {
    async fn ensure(&self, want: &Desired) -> Result<Observed, BackendError> {
        let key = self.converge(&Wanted::of(want)?).await?;
        self.told().insert(want.config_id, Instant::now());
        let access_url = self.link(&key.access_url)?;
        Ok(Observed {
            credentials: Credentials::Outline { password: key.password, access_url },
            public_id: key.id,
        })
    }

    async fn revoke(&self, config: ConfigId, _credentials: &Credentials) -> Result<(), BackendError> {
        let name = backend_name(config);
        if !self.api.delete_key(&name).await? {
            // Not there, or on an old server under another id, or the secret path is wrong: the list knows.
            let found = self.api.keys().await?.into_iter().find(|key| key.name == name);
            if let Some(key) = found {
                self.api.delete_key(&key.id).await?;
            }
        }
        self.told().insert(config, Instant::now());
        Ok(())
    }

    async fn usage(&self) -> Result<Vec<Counter>, BackendError> {
        let transfer = self.api.transfer().await?;
        let mut configs: HashMap<&str, ConfigId> =
            transfer.keys().filter_map(|id| Some((id.as_str(), parse_backend_name(id)?))).collect();
        let keys = if configs.len() < transfer.len() { self.our_keys().await? } else { BTreeMap::new() };
        configs.extend(keys.iter().map(|(config, key)| (key.id.as_str(), *config)));
        let counter = |(id, bytes): (&String, &u64)| {
            let config_id = *configs.get(id.as_str())?;
            Some(Counter { config_id, rx: 0, tx: *bytes, last_handshake: None })
        };
        Ok(transfer.iter().filter_map(counter).collect())
    }

    fn usage_kind(&self) -> UsageKind {
        UsageKind::RollingWindow
    }

    async fn health(&self) -> Result<Health, BackendError> {
        let server = self.api.server().await?;
        Ok(Health { detail: format!("Outline {} \"{}\"", server.version, server.name), warning: None })
    }

    async fn held(&self) -> Result<Held, BackendError> {
        let at = Instant::now();
        let ids = self.our_keys().await?.into_values().map(|key| key.id).collect();
        Ok(Held { at, ids })
    }

    /// Keys without a name of ours are the operator's and stay.
    async fn reconcile(&self, held: &Held, all: &[Desired]) -> Result<Reconciled, BackendError> {
        let mut keys = self.our_keys().await?;
        let told = {
            let mut told = self.told();
            told.retain(|_, at| *at > held.at);
            told.clone()
        };
        let mut counts = Reconciled::default();
        let mut differing = Vec::new();
        for want in all.iter().filter(|want| !told.contains_key(&want.config_id)) {
            let wanted = Wanted::of(want)?;
            match keys.remove(&want.config_id) {
                Some(key) if wanted.is_met_by(&key) => continue,
                Some(_) => counts.updated += 1,
                None => counts.added += 1,
            }
            differing.push(wanted);
        }
        keys.retain(|config, key| !told.contains_key(config) && held.ids.contains(&key.id));
        counts.removed = keys.len();
        let remove = stream::iter(keys.into_values().map(Ok));
        remove.try_for_each_concurrent(AT_ONCE, |key| self.remove(key)).await?;
        let mend = stream::iter(differing.into_iter().map(Ok));
        mend.try_for_each_concurrent(AT_ONCE, |wanted| self.mend(wanted)).await?;
        Ok(counts)
    }
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

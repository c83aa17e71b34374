//! The management API (OutlineFoundation/outline-server, `src/shadowbox/server/api.yml`).
//!
//! The path of its address is its only credential, so no address stands in an error or a log. Answers are judged by their
//! status alone: the codes in the bodies differ from the documentation.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::OutlineSecret;
use crate::fault;
use crate::integrations::vpn::{BackendError, pin};

const CONNECT_LIMIT: Duration = Duration::from_secs(3);
const REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// An access key as the server tells it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Key {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub password: String,
    pub method: String,
    pub data_limit: Option<Limit>,
    pub access_url: String,
}

impl Key {
    pub fn limit_bytes(&self) -> Option<u64> {
        self.data_limit.map(|limit| limit.bytes)
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Limit {
    pub bytes: u64,
}

/// A key to be made.
#[derive(Serialize)]
pub(super) struct NewKey<'a> {
    pub name: &'a str,
    pub method: &'a str,
    pub password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyList {
    access_keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transfer {
    bytes_transferred_by_user_id: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
pub(super) struct ServerInfo {
    pub name: String,
    #[serde(default)]
    pub version: String,
}

/// What became of `PUT /access-keys/{id}`.
pub(super) enum Put {
    Made(Key),
    /// A key has this id.
    Exists,
    /// The server is older than keys with an id of our own (before 2024), or the address is wrong.
    Unknown,
}

pub(super) struct Api {
    http: Client,
    base: Url,
}

impl Api {
    pub fn new(secret: &OutlineSecret) -> Result<Self, BackendError> {
        let refuse = |what: &str| BackendError::Rejected(format!("secret: {what}"));
        let base = Url::parse(secret.api_url.trim_end_matches('/'))
            .ok()
            .filter(|url| url.scheme() == "https" && url.host().is_some())
            .ok_or_else(|| refuse("api_url is an https:// address"))?;
        let sha256 = hex::decode(secret.cert_sha256.replace(':', ""))
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| refuse("cert_sha256 is 64 hex digits"))?;
        let tls = pin::client_config(sha256).map_err(|error| refuse(&error.to_string()))?;
        let http = Client::builder()
            .use_preconfigured_tls(tls)
            .https_only(true)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_LIMIT)
            .timeout(REQUEST_LIMIT)
            .build()
            .map_err(|error| refuse(&error.without_url().to_string()))?;
        Ok(Self { http, base })
    }

    pub async fn server(&self) -> Result<ServerInfo, BackendError> {
        self.read(&["server"]).await
    }

    pub async fn keys(&self) -> Result<Vec<Key>, BackendError> {
        self.read::<KeyList>(&["access-keys"]).await.map(|list| list.access_keys)
    }

    /// None when there is no such key.
    pub async fn key(&self, id: &str) -> Result<Option<Key>, BackendError> {
        let answer = self.call(Method::GET, &["access-keys", id], None).await?;
        match answer.status {
            StatusCode::OK => answer.parse().map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(answer.unexpected()),
        }
    }

    pub async fn put_key(&self, id: &str, key: &NewKey<'_>) -> Result<Put, BackendError> {
        let answer = self.call(Method::PUT, &["access-keys", id], Some(json!(key))).await?;
        match answer.status {
            StatusCode::CREATED => answer.parse().map(Put::Made),
            StatusCode::CONFLICT => Ok(Put::Exists),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(Put::Unknown),
            _ => Err(answer.unexpected()),
        }
    }

    /// Makes a key whose id, and on very old servers whose password and name, the server chooses.
    pub async fn post_key(&self, key: &NewKey<'_>) -> Result<Key, BackendError> {
        let answer = self.call(Method::POST, &["access-keys"], Some(json!(key))).await?;
        match answer.status {
            StatusCode::CREATED | StatusCode::OK => answer.parse(),
            _ => Err(answer.unexpected()),
        }
    }

    pub async fn rename(&self, id: &str, name: &str) -> Result<(), BackendError> {
        let body = json!({ "name": name });
        self.call(Method::PUT, &["access-keys", id, "name"], Some(body)).await?.done()
    }

    /// False when there was no such key.
    pub async fn delete_key(&self, id: &str) -> Result<bool, BackendError> {
        let answer = self.call(Method::DELETE, &["access-keys", id], None).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(false),
            _ => answer.done().map(|()| true),
        }
    }

    /// Sets the data limit, or takes it away.
    pub async fn set_limit(&self, id: &str, limit: Option<Limit>) -> Result<(), BackendError> {
        let (method, body) = match limit {
            Some(limit) => (Method::PUT, Some(json!({ "limit": limit }))),
            None => (Method::DELETE, None),
        };
        self.call(method, &["access-keys", id, "data-limit"], body).await?.done()
    }

    /// Bytes of the last 30 days by key id; keys without any are left out.
    pub async fn transfer(&self) -> Result<BTreeMap<String, u64>, BackendError> {
        self.read::<Transfer>(&["metrics", "transfer"])
            .await
            .map(|transfer| transfer.bytes_transferred_by_user_id)
    }

    /// A path that every server has: 404 there means that the secret in the address is wrong.
    async fn read<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, BackendError> {
        let answer = self.call(Method::GET, path, None).await?;
        match answer.status {
            StatusCode::OK => answer.parse(),
            StatusCode::NOT_FOUND => {
                Err(BackendError::AuthExpired("404: the api_url is not this server's".to_owned()))
            }
            _ => Err(answer.unexpected()),
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        body: Option<serde_json::Value>,
    ) -> Result<Answer, BackendError> {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("an https address has a path").extend(path);
        let what = format!("{method} /{}", path.first().unwrap_or(&""));
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        fault::before(format_args!("outline:{what}"));
        let answer = async {
            let response = request.send().await?;
            Ok((response.status(), response.bytes().await?))
        };
        let answer = answer.await;
        fault::after(format_args!("outline:{what}"));
        match answer {
            Ok((status, body)) => Ok(Answer { what, status, body: body.to_vec() }),
            Err(error) => Err(unreachable(&what, error)),
        }
    }
}

/// Why no answer came; a write may have happened all the same.
fn unreachable(what: &str, error: reqwest::Error) -> BackendError {
    let error = error.without_url();
    if pin::is_wrong_certificate(&error) {
        return BackendError::AuthExpired("the certificate is not the one of cert_sha256".to_owned());
    }
    let why = match &error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    };
    BackendError::Transient(format!("{what}: {why}"))
}

struct Answer {
    what: String,
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, BackendError> {
        // The error is not shown: serde repeats what it found, and that may be a password.
        serde_json::from_slice(&self.body)
            .map_err(|_| BackendError::Incompatible(format!("{}: the answer is not Outline's", self.what)))
    }

    fn done(&self) -> Result<(), BackendError> {
        if self.status.is_success() { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> BackendError {
        let text = format!("{} answered {}", self.what, self.status.as_u16());
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => BackendError::AuthExpired(text),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => BackendError::Transient(text),
            status if status.is_server_error() => BackendError::Transient(text),
            _ => BackendError::Rejected(text),
        }
    }
}

//! The routes (outline-server `src/shadowbox/server/api.yml`), with the status codes of the real ones.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router, middleware};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::state::Key;
use super::{Outline, fault};

const METHODS: [&str; 4] = ["aes-256-gcm", "aes-192-gcm", "aes-128-gcm", "chacha20-ietf-poly1305"];
const DEFAULT_METHOD: &str = METHODS[3];

pub(super) fn routes(outline: &Outline, secret_path: &str) -> Router {
    let api = Router::new()
        .route("/server", get(server))
        .route("/access-keys", get(list).post(create))
        .route("/access-keys/{id}", put(create_with_id).get(read).delete(delete))
        .route("/access-keys/{id}/name", put(rename))
        .route("/access-keys/{id}/data-limit", put(set_limit).delete(remove_limit))
        .route("/metrics/transfer", get(transfer))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(outline.clone(), fault::strike))
        .with_state(outline.clone());
    Router::new().nest(&format!("/{secret_path}"), api).fallback(no_such_path)
}

/// The errors of restify, on which the real server is built.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

/// Also the answer to a wrong secret: it does not say what is wrong.
async fn no_such_path(uri: Uri) -> Response {
    error(StatusCode::NOT_FOUND, "ResourceNotFound", &format!("{} does not exist", uri.path()))
}

async fn no_such_method() -> Response {
    error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "this method is not allowed")
}

fn not_found(id: &str) -> Response {
    error(StatusCode::NOT_FOUND, "NotFound", &format!("Access key \"{id}\" not found"))
}

fn invalid(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "InvalidArgument", message)
}

/// 204 where there was such a key.
fn done(found: bool, id: &str) -> Response {
    if found { StatusCode::NO_CONTENT.into_response() } else { not_found(id) }
}

#[derive(Default, Deserialize)]
struct NewKey {
    name: Option<String>,
    method: Option<String>,
    password: Option<String>,
    limit: Option<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    bytes: u64,
}

#[derive(Deserialize)]
struct NewLimit {
    limit: Limit,
}

#[derive(Deserialize)]
struct NewName {
    name: String,
}

/// No body is an empty one.
fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Box::new(invalid(&error.to_string())))
}

impl Outline {
    fn show(&self, key: &Key) -> Value {
        let user = URL_SAFE_NO_PAD.encode(format!("{}:{}", key.method, key.password));
        let host = match self.0.options.ip {
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            ip => ip.to_string(),
        };
        let mut shown = json!({
            "id": key.id,
            "name": key.name,
            "password": key.password,
            "port": key.port,
            "method": key.method,
            "accessUrl": format!("ss://{user}@{host}:{}/?outline=1", key.port),
        });
        if let Some(bytes) = key.limit_bytes {
            shown["dataLimit"] = json!({ "bytes": bytes });
        }
        shown
    }

    /// Makes a key with this id, or with the next number.
    async fn make(&self, id: Option<String>, body: &Bytes) -> Response {
        let new: NewKey = match parse(body) {
            Ok(new) => new,
            Err(refusal) => return *refusal,
        };
        let method = new.method.unwrap_or_else(|| DEFAULT_METHOD.to_owned());
        if !METHODS.contains(&method.as_str()) {
            return invalid("unsupported encryption method");
        }
        let mut keys = self.0.keys.lock().await;
        let id = id.unwrap_or_else(|| keys.next_id());
        if keys.get(&id).is_some() {
            return error(StatusCode::CONFLICT, "Conflict", &format!("Access key {id} already exists"));
        }
        let password = new.password.unwrap_or_else(|| URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()));
        let limit = new.limit.map(|limit| limit.bytes);
        let mut key = Key::new(id, new.name.unwrap_or_default(), password, method, limit);
        if self.0.options.shadowsocks
            && let Err(failure) = key.open_door(self.0.options.ip, &self.0.stop).await
        {
            return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &failure.to_string());
        }
        let shown = self.show(&key);
        keys.add(key);
        (StatusCode::CREATED, Json(shown)).into_response()
    }
}

async fn server(State(outline): State<Outline>) -> Response {
    let options = &outline.0.options;
    Json(json!({
        "name": options.name,
        "serverId": "00000000-0000-4000-8000-000000000000",
        "metricsEnabled": false,
        "createdTimestampMs": 1_700_000_000_000_u64,
        "version": if options.old { "1.6.0" } else { "1.12.3" },
        "portForNewAccessKeys": 12345,
        "hostnameForAccessKeys": options.ip,
    }))
    .into_response()
}

async fn list(State(outline): State<Outline>) -> Response {
    let keys = outline.0.keys.lock().await;
    let shown: Vec<Value> = keys.all().iter().map(|key| outline.show(key)).collect();
    Json(json!({ "accessKeys": shown })).into_response()
}

async fn create(State(outline): State<Outline>, body: Bytes) -> Response {
    outline.make(None, &body).await
}

async fn create_with_id(State(outline): State<Outline>, Path(id): Path<String>, body: Bytes) -> Response {
    if outline.0.options.old { no_such_method().await } else { outline.make(Some(id), &body).await }
}

async fn read(State(outline): State<Outline>, Path(id): Path<String>) -> Response {
    let keys = outline.0.keys.lock().await;
    keys.get(&id).map_or_else(|| not_found(&id), |key| Json(outline.show(key)).into_response())
}

async fn delete(State(outline): State<Outline>, Path(id): Path<String>) -> Response {
    done(outline.0.keys.lock().await.remove(&id), &id)
}

async fn rename(State(outline): State<Outline>, Path(id): Path<String>, body: Bytes) -> Response {
    match parse::<NewName>(&body) {
        Ok(NewName { name }) if !name.is_empty() => {
            done(outline.0.keys.lock().await.change(&id, |key| key.name = name), &id)
        }
        Ok(_) => invalid("name is empty"),
        Err(refusal) => *refusal,
    }
}

async fn set_limit(State(outline): State<Outline>, Path(id): Path<String>, body: Bytes) -> Response {
    match parse::<NewLimit>(&body) {
        Ok(NewLimit { limit }) => {
            let set = |key: &mut Key| key.limit_bytes = Some(limit.bytes);
            done(outline.0.keys.lock().await.change(&id, set), &id)
        }
        Err(refusal) => *refusal,
    }
}

async fn remove_limit(State(outline): State<Outline>, Path(id): Path<String>) -> Response {
    done(outline.0.keys.lock().await.change(&id, |key| key.limit_bytes = None), &id)
}

/// Keys that transferred nothing are left out, as by the real one.
async fn transfer(State(outline): State<Outline>) -> Response {
    let keys = outline.0.keys.lock().await;
    let used =
        keys.all().iter().map(|key| (key.id.as_str(), key.transferred())).filter(|(_, bytes)| *bytes > 0);
    Json(json!({ "bytesTransferredByUserId": used.collect::<BTreeMap<_, _>>() })).into_response()
}

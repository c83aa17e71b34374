//! Where a bot wants its updates, and what the last delivery came to.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, ApiError, Success};
use super::methods::Context;
use crate::clock::Timestamp;

#[derive(Clone)]
pub struct Webhook {
    pub url: String,
    pub secret: Option<String>,
    pub max_connections: usize,
    /// As many as connections are allowed.
    pub permits: Arc<Semaphore>,
    /// Cancelled when another webhook takes its place: waiting for the next attempt ends.
    pub replaced: CancellationToken,
    pub last_error: Option<(Timestamp, String)>,
    /// Since when it has answered nothing but 410.
    pub gone_since: Option<Timestamp>,
}

pub fn set(call: &mut Context) -> Answer {
    let url = call.fields.text_or_empty("url");
    if url.is_empty() {
        return delete(call);
    }
    let parsed =
        reqwest::Url::parse(&url).map_err(|_| ApiError::bad("bad webhook: invalid webhook URL specified"))?;
    let loopback = matches!(parsed.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    if parsed.scheme() != "https" && !loopback {
        return Err(ApiError::bad("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    let secret = call.fields.text("secret_token").filter(|secret| !secret.is_empty());
    if let Some(secret) = &secret {
        check_secret(secret)?;
    }
    let max_connections = usize::try_from(call.fields.integer("max_connections").unwrap_or(40)).unwrap_or(40);
    let max_connections = max_connections.clamp(1, 100);
    let allowed = call.fields.json("allowed_updates")?.map(names).transpose()?;
    let drop_pending = call.fields.flag("drop_pending_updates");

    let account = call.world.bot_mut(call.bot);
    if let Some(allowed) = allowed {
        account.queues.allowed = allowed;
    }
    if drop_pending {
        account.queues.clear();
    }
    let same = account
        .webhook
        .as_ref()
        .is_some_and(|old| old.url == url && old.secret == secret && old.max_connections == max_connections);
    if same {
        return Ok(Success::described("Webhook is already set"));
    }
    if let Some(old) = &account.webhook {
        old.replaced.cancel();
    }
    account.webhook = Some(Webhook {
        url,
        secret,
        max_connections,
        permits: Arc::new(Semaphore::new(max_connections)),
        replaced: CancellationToken::new(),
        last_error: None,
        gone_since: None,
    });
    account.queues.wake();
    Ok(Success::described("Webhook was set"))
}

fn check_secret(secret: &str) -> Result<(), ApiError> {
    if secret.len() > 256 {
        return Err(ApiError::bad("secret token is too long"));
    }
    let allowed = secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if allowed { Ok(()) } else { Err(ApiError::bad("secret token contains unallowed characters")) }
}

fn names(value: Value) -> Result<Vec<String>, ApiError> {
    serde_json::from_value(value)
        .map_err(|_| ApiError::bad("can't parse allowed_updates: expected an Array of String"))
}

pub fn delete(call: &mut Context) -> Answer {
    let drop_pending = call.fields.flag("drop_pending_updates");
    let account = call.world.bot_mut(call.bot);
    if drop_pending {
        account.queues.clear();
    }
    match account.webhook.take() {
        Some(old) => {
            old.replaced.cancel();
            Ok(Success::described("Webhook was deleted"))
        }
        None => Ok(Success::described("Webhook is already deleted")),
    }
}

pub fn info(call: &mut Context) -> Answer {
    let account = call.world.bot(call.bot);
    let mut info = json!({
        "url": "",
        "has_custom_certificate": false,
        "pending_update_count": account.queues.pending(),
    });
    if let Some(webhook) = &account.webhook {
        info["url"] = json!(webhook.url);
        info["max_connections"] = json!(webhook.max_connections);
        info["ip_address"] = json!("127.0.0.1");
        if let Some((at, message)) = &webhook.last_error {
            info["last_error_date"] = json!(at.unix());
            info["last_error_message"] = json!(message);
        }
    }
    if !account.queues.allowed.is_empty() {
        info["allowed_updates"] = json!(account.queues.allowed);
    }
    Ok(Success::new(info))
}

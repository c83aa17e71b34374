//! Callbacks: signed as QvaPay signs them, tried three times, and forged on request.

use std::time::Duration;

use futures::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::Qvapay;
use super::api::iso;
use super::state::{Invoice, Payment, Status};

/// How a callback is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    #[default]
    Signed,
    /// Signed with another key.
    Forged,
    Unsigned,
    /// The body was changed after it was signed.
    Tampered,
    /// Signed right, with a timestamp of an hour ago.
    Stale,
    /// As apps of the first version are called: GET with `id` and `remote_id`.
    Get,
}

/// One callback that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    pub invoice: Uuid,
    pub body: String,
    /// Status of the answer; None when there was none.
    pub status: Option<u16>,
}

impl Attempt {
    fn is_final(&self) -> bool {
        self.status.is_some_and(|status| status < 500 && status != 429)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    transaction_uuid: Uuid,
    remote_id: &'a str,
    status: Status,
    amount: &'a str,
    signed: bool,
    created_at: String,
    updated_at: String,
}

impl Qvapay {
    pub(super) fn pay(&self, id: Uuid, payment: Payment) -> Option<JoinHandle<Vec<Attempt>>> {
        self.mark(id, &payment)?;
        let qvapay = self.clone();
        Some(tokio::spawn(async move {
            if payment.callback { qvapay.deliver_with_retries(id).await } else { Vec::new() }
        }))
    }

    async fn deliver_with_retries(&self, id: Uuid) -> Vec<Attempt> {
        let mut made = Vec::new();
        for pause in &self.settings().attempts {
            tokio::time::sleep(*pause).await;
            let Some(attempt) = self.deliver(id, Style::Signed).await else { break };
            let is_final = attempt.is_final();
            made.push(attempt);
            if is_final {
                break;
            }
        }
        made
    }

    pub(super) async fn deliver(&self, id: Uuid, style: Style) -> Option<Attempt> {
        let invoice = self.state().invoice(id)?.clone();
        let attempt = self.send(&invoice, style).await?;
        self.state().attempts.push(attempt.clone());
        Some(attempt)
    }

    pub(super) async fn deliver_at_once(&self, id: Uuid, times: usize) -> Vec<Attempt> {
        let sent = join_all((0..times).map(|_| self.deliver(id, Style::Signed))).await;
        sent.into_iter().flatten().collect()
    }

    async fn send(&self, invoice: &Invoice, style: Style) -> Option<Attempt> {
        let webhook = invoice.webhook.as_ref()?;
        let mut body = body_of(invoice);
        let request = if style == Style::Get {
            body = format!("id={}&remote_id={}", invoice.uuid, invoice.remote_id);
            self.0.http.get(format!("{webhook}?{body}"))
        } else {
            let secret = self.settings().app_secret.expose_secret();
            let signature = sign(if style == Style::Forged { "a guess" } else { secret }, &body);
            if style == Style::Tampered {
                body = body.replace("\"amount\":\"", "\"amount\":\"9");
            }
            let age = if style == Style::Stale { Duration::from_secs(3600) } else { Duration::ZERO };
            let sent_at = self.settings().clock.now().unix() - age.as_secs().cast_signed();
            let request =
                self.0.http.post(webhook).header("content-type", "application/json").body(body.clone());
            if style == Style::Unsigned {
                request
            } else {
                request.header("x-qvapay-signature", signature).header("x-qvapay-timestamp", sent_at)
            }
        };
        let status = request.send().await.ok().map(|answer| answer.status().as_u16());
        Some(Attempt { invoice: invoice.uuid, body, status })
    }
}

fn body_of(invoice: &Invoice) -> String {
    let body = Body {
        transaction_uuid: invoice.uuid,
        remote_id: &invoice.remote_id,
        status: invoice.status,
        amount: &invoice.amount,
        signed: true,
        created_at: iso(invoice.created_at.utc()),
        updated_at: iso(invoice.updated_at.utc()),
    };
    serde_json::to_string(&body).expect("plain fields have a JSON form")
}

fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

//! HTTP to QvaPay: credentials, rate limit, and what each kind of failure means. Knows nothing of orders.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::pace::{Pace, RateLimit};
use super::wire;
use crate::fault;
use crate::integrations::payments::{ProviderError, Urgency};
use crate::models::payment::ProviderId;

/// Longest answer that is read; a page of a hundred transactions is a tenth of it.
const MAX_ANSWER: usize = 1 << 20;
/// How often a call that was too much is made again before the caller hears of it.
const TRIES_AFTER_429: u32 = 2;
/// A longer pause than this is the caller's business: its job has a lease to give back.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// Why a call brought no answer that can be used.
#[derive(Debug)]
pub(super) enum Failure {
    /// Not sent, because too many calls wait; worth another try after this time.
    Busy(Duration),
    /// It did not leave us: certainly nothing happened at QvaPay.
    NotSent(String),
    /// It left, and no whole answer came: whether it took effect is unknown.
    NoAnswer(String),
    Status {
        code: u16,
        error: wire::ErrorText,
        retry_after: Option<Duration>,
    },
    /// Answered with success, and not as documented.
    Unreadable(String),
}

impl Failure {
    /// The call may have taken effect all the same, now or in an earlier try.
    pub(super) fn may_have_worked(&self) -> bool {
        match self {
            Failure::Busy(_) | Failure::NotSent(_) => false,
            Failure::NoAnswer(_) | Failure::Unreadable(_) => true,
            Failure::Status { code, error, .. } => *code >= 500 || *code == 409 || error.is_duplicate(),
        }
    }

    /// This address failed, and another that tells the same may not.
    pub(super) fn other_address_may_work(&self) -> bool {
        match self {
            Failure::Unreadable(_) => true,
            Failure::Status { code, .. } => matches!(code, 400 | 404 | 405) || *code >= 500,
            Failure::Busy(_) | Failure::NotSent(_) | Failure::NoAnswer(_) => false,
        }
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Failure::Status { code: 404, .. })
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        let provider = ProviderId::Qvapay;
        match failure {
            Failure::Busy(after) => ProviderError::Busy { provider, after },
            Failure::NotSent(reason) | Failure::NoAnswer(reason) => {
                ProviderError::Unavailable { provider, reason, retry_after: None }
            }
            Failure::Unreadable(reason) => ProviderError::Unexpected { provider, reason },
            Failure::Status { code, error, retry_after } => {
                let reason = format!("{code} {error}");
                match code {
                    408 | 429 | 500.. => ProviderError::Unavailable { provider, reason, retry_after },
                    409 | ..400 => ProviderError::Unexpected { provider, reason },
                    _ => ProviderError::Refused { provider, reason },
                }
            }
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let not_sent = error.is_connect() || error.is_builder();
        let reason = with_causes(&error.without_url());
        if not_sent { Failure::NotSent(reason) } else { Failure::NoAnswer(reason) }
    }
}

/// The error and what is behind it: reqwest's own text stops at "error sending request".
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(super) struct Client {
    http: reqwest::Client,
    api_url: String,
    app_id: String,
    app_secret: SecretString,
    pace: Pace,
}

impl Client {
    pub(super) fn new(
        http: reqwest::Client,
        api_url: String,
        app_id: String,
        app_secret: SecretString,
    ) -> Self {
        Self { http, api_url, app_id, app_secret, pace: Pace::new(RateLimit::default()) }
    }

    pub(super) fn set_limit(&mut self, limit: RateLimit) {
        self.pace = Pace::new(limit);
    }

    pub(super) async fn post(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        urgency: Urgency,
    ) -> Result<String, Failure> {
        self.send(self.http.post(format!("{}{path}", self.api_url)).json(body), urgency).await
    }

    pub(super) async fn get(&self, path: &str, urgency: Urgency) -> Result<String, Failure> {
        self.send(self.http.get(format!("{}{path}", self.api_url)), urgency).await
    }

    /// Makes the call in its turn, and again when QvaPay says that it was too much: such a call did nothing.
    async fn send(&self, request: RequestBuilder, urgency: Urgency) -> Result<String, Failure> {
        let request =
            request.header("app-id", &self.app_id).header("app-secret", self.app_secret.expose_secret());
        let mut pause = self.pace.limit().per;
        for _ in 0..TRIES_AFTER_429 {
            let again = request.try_clone().expect("the body is in memory");
            match self.exchange(again, urgency).await {
                Err(Failure::Status { code: 429, retry_after, .. })
                    if retry_after.unwrap_or(pause) <= MAX_PAUSE =>
                {
                    self.pace.hold(retry_after.unwrap_or(pause));
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
        self.exchange(request, urgency).await
    }

    async fn exchange(&self, request: RequestBuilder, urgency: Urgency) -> Result<String, Failure> {
        let _turn = self.pace.turn(urgency).await.map_err(Failure::Busy)?;
        let request = request.build()?;
        let method = request.method().clone();
        fault::before(format_args!("qvapay:{method}"));
        let response = self.http.execute(request).await?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = read_body(response).await?;
        fault::after(format_args!("qvapay:{method}"));
        if status.is_success() {
            return Ok(body);
        }
        Err(Failure::Status { code: status.as_u16(), error: wire::ErrorText::read(&body), retry_after })
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn read_body(mut response: Response) -> Result<String, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::Unreadable(format!("an answer of more than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| Failure::Unreadable("the answer is not UTF-8".to_owned()))
}

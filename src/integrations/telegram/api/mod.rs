//! Calling the Bot API: one [`Telegram`] per bot.
//!
//! Requests are teloxide-core's typed payloads where they serve; they are carried out here and not by its client,
//! because that sleeps ten seconds inside a call on 5xx and reports a message as failed when its answer has a shape
//! that it does not know (Bot API 10.3 has many), so that it would be sent twice. What we read of an answer
//! is a few fields, and a message that Telegram accepted is sent, whatever its answer looks like.
//!
//! One call is one try: pace and repetition are the outbox's. The token is part of every address, so no error, log
//! line or `Debug` of this module may show one.

mod answer;
mod send;
mod setup;
mod stars;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use teloxide_core::requests::Payload;

use crate::fault;
use crate::models::bot::Bot;

pub use answer::SendError;
pub use send::{Rendered, Sent, Upload};
pub use setup::{BotCommand, CommandScope, Me, WebhookInfo};
pub use stars::{StarPage, StarTransaction};

use answer::{About, Failure};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(20);
/// How long a call that carries a file may take.
const UPLOAD: Duration = Duration::from_secs(60);

/// A client as these calls want it: 5 s to connect, no redirects, for one would repeat the token to another host.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// One bot at Telegram. Cheap to clone.
#[derive(Clone)]
pub struct Telegram(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    bot: Bot,
    token: SecretString,
    /// Without a slash at the end.
    api_url: String,
    http: reqwest::Client,
    call: Duration,
    upload: Duration,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Telegram({} at {})", self.0.bot, self.0.api_url)
    }
}

impl Telegram {
    /// `api_url` is `https://api.telegram.org` or a counterpart's; `http` is best made by [`http_client`].
    pub fn new(bot: Bot, token: SecretString, api_url: &str, http: reqwest::Client) -> Self {
        let api_url = api_url.trim_end_matches('/').to_owned();
        Self(Arc::new(Inner { bot, token, api_url, http, call: CALL, upload: UPLOAD }))
    }

    /// The same bot with other limits of time, for a call and for one that carries a file.
    pub fn with_timeouts(self, call: Duration, upload: Duration) -> Self {
        Self(Arc::new(Inner { call, upload, ..Arc::unwrap_or_clone(self.0) }))
    }

    pub fn bot(&self) -> Bot {
        self.0.bot
    }

    /// The bot's own id at Telegram, which its token begins with. It is no secret.
    pub fn id(&self) -> &str {
        self.0.token.expose_secret().split(':').next().unwrap_or_default()
    }

    /// Calls a method that answers with something we need.
    async fn ask<T: DeserializeOwned>(&self, payload: &(impl Payload + Serialize)) -> Result<T, SendError> {
        let result = self.call(payload).await.map_err(|failure| failure.classify(About::Bot))?;
        let text = result.as_deref().map_or("null", RawValue::get);
        serde_json::from_str(text)
            .map_err(|error| SendError::Transient(self.redact(&format!("the answer is unreadable: {error}"))))
    }

    /// Calls a method of which only success matters.
    async fn tell(&self, payload: &(impl Payload + Serialize)) -> Result<(), SendError> {
        self.call(payload).await.map(drop).map_err(|failure| failure.classify(About::Bot))
    }

    async fn call<P: Payload + Serialize>(&self, payload: &P) -> Result<Option<Box<RawValue>>, Failure> {
        self.post(P::NAME, self.0.call, |request| request.json(payload)).await
    }

    /// Posts to a method and reads the answer; None when it succeeded but its result cannot be read.
    async fn post(
        &self,
        method: &str,
        limit: Duration,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Option<Box<RawValue>>, Failure> {
        let method = camel_case(method);
        let address = format!("{}/bot{}/{method}", self.0.api_url, self.0.token.expose_secret());
        let request = fill(self.0.http.post(address).timeout(limit));
        fault::before(format_args!("telegram:{method}"));
        let answer = match request.send().await {
            Ok(response) => answer::read(response).await,
            Err(error) => Err(error.into()),
        };
        fault::after(format_args!("telegram:{method}"));
        answer.map_err(|failure| failure.map_text(|text| self.redact(text)))
    }

    /// Takes the token out of a text of the outside.
    fn redact(&self, text: &str) -> String {
        let token = self.0.token.expose_secret();
        // The part before the colon is the bot's public id; the part after it may stand alone or after "%3A".
        let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
        if secret.is_empty() { text.to_owned() } else { text.replace(secret, "<token>") }
    }
}

/// teloxide-core names methods in PascalCase; Telegram takes any case and documents camelCase.
fn camel_case(method: &str) -> String {
    let mut letters = method.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

//! What Telegram's answer to a call means.

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::loose::loosely;
use crate::ids::ChatId;

/// Why a call did not do what it should, by what has to happen next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Telegram wants a pause: of this chat, or of everything this bot sends.
    #[error("Telegram wants a pause of {seconds} s")]
    RetryAfter { seconds: u64, whole_bot: bool },
    /// The chat cannot be written to: the bot is blocked or removed, the account is gone or never pressed Start.
    #[error("the chat does not take messages of the bot")]
    Blocked,
    /// The group has become a supergroup with this id.
    #[error("the group has moved to {0}")]
    Migrated(ChatId),
    /// Another try will end the same way.
    #[error("Telegram refused: {0}")]
    Permanent(String),
    /// Worth another try: down, slow, cut off. The message may have been sent.
    #[error("Telegram is not reachable: {0}")]
    Transient(String),
    /// The token is wrong or was revoked.
    #[error("Telegram does not accept the bot's token")]
    Unauthorized,
}

/// What a call is about, as far as it decides what a refusal means.
#[derive(Clone, Copy)]
pub(super) enum About {
    /// The bot itself.
    Bot,
    /// An existing message or query of a chat.
    Chat(ChatId),
    /// A new message to a chat.
    NewMessage(ChatId),
}

/// A call that did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Refusal),
    /// No answer, or one that is not the Bot API's.
    Network(String),
}

#[derive(Debug)]
pub(super) struct Refusal {
    pub code: u16,
    pub description: String,
    retry_after: Option<u64>,
    migrate_to: Option<ChatId>,
}

impl From<reqwest::Error> for Failure {
    /// The address holds the token and is taken out.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Failure::Network(text)
    }
}

impl Failure {
    pub fn map_text(self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Failure::Refused(it) => Failure::Refused(Refusal { description: change(&it.description), ..it }),
            Failure::Network(text) => Failure::Network(change(&text)),
        }
    }

    /// Whether Telegram refused with one of these words.
    pub fn says(&self, words: &[&str]) -> bool {
        let Failure::Refused(refusal) = self else { return false };
        refusal.code == 400 && contains(&refusal.description, words)
    }

    pub fn classify(self, about: About) -> SendError {
        let refusal = match self {
            Failure::Network(text) => return SendError::Transient(text),
            Failure::Refused(refusal) => refusal,
        };
        if let Some(chat) = refusal.migrate_to {
            return SendError::Migrated(chat);
        }
        match refusal.code {
            429 => SendError::RetryAfter {
                seconds: refusal.retry_after.unwrap_or(DEFAULT_PAUSE_S).max(1),
                whole_bot: about.pauses_bot(),
            },
            401 => SendError::Unauthorized,
            // A malformed token; an unknown method would say more.
            404 if refusal.description == "Not Found" => SendError::Unauthorized,
            403 => SendError::Blocked,
            400 if about.is_private() && contains(&refusal.description, UNREACHABLE_PERSON) => {
                SendError::Blocked
            }
            500.. => SendError::Transient(refusal.description),
            _ => SendError::Permanent(refusal.description),
        }
    }
}

/// Pause when Telegram names none.
const DEFAULT_PAUSE_S: u64 = 5;

/// How Telegram says 400 where it means a person that the bot cannot write to.
const UNREACHABLE_PERSON: &[&str] =
    &["chat not found", "user not found", "peer_id_invalid", "user_is_blocked", "input_user_deactivated"];

fn contains(description: &str, words: &[&str]) -> bool {
    let description = description.to_ascii_lowercase();
    words.iter().any(|word| description.contains(word))
}

impl About {
    fn is_private(self) -> bool {
        matches!(self, About::Chat(chat) | About::NewMessage(chat) if chat.0 > 0)
    }

    /// Telegram does not say whom a pause is for. A group has a low limit of its own (20 a minute), and edits are
    /// limited by message; to people the outbox sends slower than their limit, so it is the bot that was too fast.
    fn pauses_bot(self) -> bool {
        matches!(self, About::NewMessage(chat) if chat.0 > 0)
    }
}

/// The envelope of every answer, read tolerantly.
#[derive(Deserialize)]
struct Answer<'a> {
    ok: bool,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "loosely")]
    error_code: Option<u16>,
    #[serde(default, deserialize_with = "loosely")]
    description: String,
    #[serde(default, deserialize_with = "loosely")]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    #[serde(deserialize_with = "loosely")]
    retry_after: Option<u64>,
    #[serde(deserialize_with = "loosely")]
    migrate_to_chat_id: Option<ChatId>,
}

/// Reads an answer. Telegram says 200 only for what it did, so an answer that was cut off after that is a success.
pub(super) async fn read(response: reqwest::Response) -> Result<Option<Box<RawValue>>, Failure> {
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    match response.bytes().await {
        Ok(body) => meaning(status, wait, &String::from_utf8_lossy(&body)),
        Err(_) if status.is_success() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn meaning(status: StatusCode, wait: Option<u64>, body: &str) -> Result<Option<Box<RawValue>>, Failure> {
    let answer = match serde_json::from_str::<Answer<'_>>(body) {
        Ok(answer) => answer,
        Err(_) if status.is_success() && begins_ok(body) => return Ok(None),
        Err(_) if status == StatusCode::TOO_MANY_REQUESTS => return Err(refused(status, wait)),
        Err(_) => {
            let text = format!("{status} with a body that is not the Bot API's");
            return Err(Failure::Network(text));
        }
    };
    if answer.ok {
        return Ok(answer.result.map(RawValue::to_owned));
    }
    Err(Failure::Refused(Refusal {
        code: answer.error_code.unwrap_or(status.as_u16()),
        description: answer.description,
        retry_after: answer.parameters.retry_after.or(wait),
        migrate_to: answer.parameters.migrate_to_chat_id,
    }))
}

fn refused(status: StatusCode, wait: Option<u64>) -> Failure {
    let description = status.to_string();
    Failure::Refused(Refusal { code: status.as_u16(), description, retry_after: wait, migrate_to: None })
}

/// Whether a cut-off body had begun with success.
fn begins_ok(body: &str) -> bool {
    let start: String = body.chars().filter(|c| !c.is_ascii_whitespace()).take(10).collect();
    start == r#"{"ok":true"#
}

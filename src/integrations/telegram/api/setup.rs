//! Setting a bot up: who it is, where its updates go, its commands and texts.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use teloxide_core::payloads::{
    DeleteMyCommands, DeleteMyCommandsSetters, DeleteWebhook, DeleteWebhookSetters, GetMe, GetWebhookInfo,
    SetMyCommands, SetMyCommandsSetters, SetMyDescription, SetMyDescriptionSetters, SetMyName,
    SetMyNameSetters, SetMyShortDescription, SetMyShortDescriptionSetters,
};
use teloxide_core::requests::Payload;
use teloxide_core::types::True;

use super::super::loose::{each, loosely};
use super::{SendError, Telegram};
use crate::ids::UserId;
use crate::models::bot::Language;

pub use teloxide_core::types::{BotCommand, BotCommandScope as CommandScope};

/// The bot itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    pub id: UserId,
    /// Without the `@`.
    pub username: String,
    pub first_name: String,
}

/// Where updates go and how that works out, read tolerantly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WebhookInfo {
    /// Empty when no webhook is set.
    pub url: String,
    #[serde(deserialize_with = "loosely")]
    pub pending_update_count: i64,
    /// Seconds since 1970.
    #[serde(deserialize_with = "loosely")]
    pub last_error_date: Option<i64>,
    #[serde(deserialize_with = "loosely")]
    pub last_error_message: Option<String>,
    #[serde(deserialize_with = "loosely")]
    pub ip_address: Option<String>,
    #[serde(deserialize_with = "loosely")]
    pub max_connections: Option<i64>,
    #[serde(deserialize_with = "each")]
    pub allowed_updates: Vec<String>,
}

/// setWebhook with the kinds of updates as texts, because teloxide-core does not know all of them.
#[derive(Serialize)]
struct SetWebhook<'a> {
    url: &'a str,
    secret_token: &'a str,
    allowed_updates: &'a [&'a str],
    max_connections: u8,
}

impl Payload for SetWebhook<'_> {
    type Output = True;
    const NAME: &'static str = "setWebhook";
}

impl Telegram {
    pub async fn get_me(&self) -> Result<Me, SendError> {
        self.ask(&GetMe::new()).await
    }

    pub async fn get_webhook_info(&self) -> Result<WebhookInfo, SendError> {
        self.ask(&GetWebhookInfo::new()).await
    }

    /// Has updates of these kinds delivered to `url`, with `secret` in their header; `max_connections` is 1 to 100.
    pub async fn set_webhook(
        &self,
        url: &str,
        secret: &SecretString,
        allowed_updates: &[&str],
        max_connections: u8,
    ) -> Result<(), SendError> {
        let secret_token = secret.expose_secret();
        self.tell(&SetWebhook { url, secret_token, allowed_updates, max_connections }).await
    }

    /// Takes the webhook away; updates that wait keep waiting.
    pub async fn delete_webhook(&self) -> Result<(), SendError> {
        self.tell(&DeleteWebhook::new().drop_pending_updates(false)).await
    }

    /// Sets the command menu of a scope; `None` is the menu of every language that has none of its own.
    pub async fn set_my_commands(
        &self,
        commands: &[BotCommand],
        scope: CommandScope,
        language: Option<Language>,
    ) -> Result<(), SendError> {
        self.tell(&SetMyCommands::new(commands.to_vec()).scope(scope).language_code(code(language))).await
    }

    /// Takes the command menu of a scope away: a wider scope's is shown again.
    pub async fn delete_my_commands(
        &self,
        scope: CommandScope,
        language: Option<Language>,
    ) -> Result<(), SendError> {
        self.tell(&DeleteMyCommands::new().scope(scope).language_code(code(language))).await
    }

    /// Sets the bot's name, at most 64 characters.
    pub async fn set_my_name(&self, text: &str, language: Option<Language>) -> Result<(), SendError> {
        self.tell(&SetMyName::new().name(text).language_code(code(language))).await
    }

    /// Sets what an empty chat shows, at most 512 characters.
    pub async fn set_my_description(&self, text: &str, language: Option<Language>) -> Result<(), SendError> {
        self.tell(&SetMyDescription::new().description(text).language_code(code(language))).await
    }

    /// Sets what the profile shows, at most 120 characters.
    pub async fn set_my_short_description(
        &self,
        text: &str,
        language: Option<Language>,
    ) -> Result<(), SendError> {
        self.tell(&SetMyShortDescription::new().short_description(text).language_code(code(language))).await
    }
}

/// An empty code stands for every language without texts of its own.
fn code(language: Option<Language>) -> &'static str {
    language.map_or("", Language::as_str)
}

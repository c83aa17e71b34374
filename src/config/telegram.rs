//! Telegram: the bots, and how to speak with the Bot API.

use std::collections::BTreeMap;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::entries;
use super::read::{Reader, base_url};
use crate::models::bot::Bot;

#[derive(Clone, Debug)]
pub struct TelegramConfig {
    /// `TELEGRAM_API_URL`: Telegram's own or a local Bot API server's.
    pub api_url: Url,
    /// `CLIENT_BOT_TOKEN` (always there), `SUPPORT_BOT_TOKEN`, `ADMIN_BOT_TOKEN`.
    pub tokens: BTreeMap<Bot, SecretString>,
    /// `BOT_NAME` of the client bot; None leaves the name that @BotFather was told.
    pub client_name: Option<String>,
    /// `TELEGRAM_WEBHOOK_SECRET`, at least one: the first is set at Telegram, all are accepted.
    pub webhook_secrets: Vec<SecretString>,
    /// `TELEGRAM_MAX_CONNECTIONS`: webhook deliveries at the same time, 1 to 100 (setWebhook).
    pub max_connections: u8,
    /// `TELEGRAM_MESSAGES_PER_SECOND` of one bot over all chats.
    pub messages_per_second: u32,
}

const TOKEN: &str = "the token that @BotFather gave, such as 123456789:AAE2-abcdefghijklmnopqrstuvwxyz012345";

impl TelegramConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let api = "the address of a Bot API server, such as https://api.telegram.org";
        let api_url = env.optional_secret("TELEGRAM_API_URL", api, base_url);
        let client = env.secret("CLIENT_BOT_TOKEN", TOKEN, parse_token);
        let support = env.optional_secret("SUPPORT_BOT_TOKEN", TOKEN, parse_token);
        let admin = env.optional_secret("ADMIN_BOT_TOKEN", TOKEN, parse_token);
        let client_name =
            env.optional("BOT_NAME", "1 to 64 characters on one line, such as Faro VPN", |text| {
                let fits = text.chars().count() <= 64 && !text.chars().any(char::is_control);
                fits.then(|| text.to_owned())
            });
        let secrets = "16 to 256 of A-Z a-z 0-9 _ -, such as from `openssl rand -hex 32` (a comma list while rotating: the first \
                       is set at Telegram, all are accepted)";
        let webhook_secrets = env.secret("TELEGRAM_WEBHOOK_SECRET", secrets, parse_secrets);
        let max_connections = env.number("TELEGRAM_MAX_CONNECTIONS", "connections", 1..=100, 40);
        let messages_per_second = env.number("TELEGRAM_MESSAGES_PER_SECOND", "messages", 1..=30_000, 30);
        let tokens =
            distinct(env, [(Bot::Client, Some(client?)), (Bot::Support, support?), (Bot::Admin, admin?)]);
        Some(Self {
            api_url: api_url?.unwrap_or_else(default_api_url),
            tokens: tokens?,
            client_name: client_name?,
            webhook_secrets: webhook_secrets?,
            max_connections: max_connections?,
            messages_per_second: messages_per_second?,
        })
    }

    /// The token of a bot, if this server hosts it.
    pub fn token(&self, bot: Bot) -> Option<&SecretString> {
        self.tokens.get(&bot)
    }

    /// The secret that is set at Telegram.
    pub fn webhook_secret(&self) -> &SecretString {
        &self.webhook_secrets[0]
    }
}

fn default_api_url() -> Url {
    Url::parse("https://api.telegram.org").expect("a literal address")
}

/// Two bots with one token would take each other's webhook away.
fn distinct(
    env: &mut Reader,
    tokens: [(Bot, Option<SecretString>); 3],
) -> Option<BTreeMap<Bot, SecretString>> {
    let mut found: BTreeMap<Bot, SecretString> = BTreeMap::new();
    for (bot, token) in tokens {
        let Some(token) = token else { continue };
        if found.values().any(|other| other.expose_secret() == token.expose_secret()) {
            env.refuse(variable(bot), "is the token of another bot too", "a bot of its own, or nothing");
            return None;
        }
        found.insert(bot, token);
    }
    Some(found)
}

fn variable(bot: Bot) -> &'static str {
    match bot {
        Bot::Client => "CLIENT_BOT_TOKEN",
        Bot::Support => "SUPPORT_BOT_TOKEN",
        Bot::Admin => "ADMIN_BOT_TOKEN",
    }
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn parse_token(text: &str) -> Result<SecretString, String> {
    let (id, rest) = text.split_once(':').ok_or("is set but has no colon")?;
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_digit()) {
        return Err("is set but does not begin with the bot's number".into());
    }
    if rest.len() < 30 || !rest.chars().all(is_token_char) {
        return Err("is set but cut off or mistyped after the colon".into());
    }
    Ok(text.into())
}

fn parse_secrets(list: &str) -> Result<Vec<SecretString>, String> {
    let fits = |secret: &str| (16..=256).contains(&secret.len()) && secret.chars().all(is_token_char);
    for (secret, position) in entries(list).zip(1..) {
        if !fits(secret) {
            return Err(format!(
                "is set but entry {position} is too short, too long or has other characters"
            ));
        }
    }
    let secrets: Vec<SecretString> = entries(list).map(SecretString::from).collect();
    if secrets.is_empty() { Err("has no entry".into()) } else { Ok(secrets) }
}

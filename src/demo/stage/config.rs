//! The configuration of the demo's house, read as the real one is. Its keys and secrets are public and guard nothing
//! but play money.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::crypto;
use crate::demo::qvapay::{QvapayServer, Settings};
use crate::demo::telegram::{PersonSpec, TelegramServer};
use crate::models::bot::Bot;

const QVAPAY_APP: &str = "0000de30-0000-4000-8000-000000000000";
const QVAPAY_SECRET: &str = "the-demo-has-no-secrets";

/// As the chats name a bot.
pub const fn username(bot: Bot) -> &'static str {
    match bot {
        Bot::Client => "usipipo_bot",
        Bot::Support => "usipipo_support_bot",
        Bot::Admin => "usipipo_admin_bot",
    }
}

/// What its owner named a bot at @BotFather; `serve` gives it a name in each language.
pub const fn title(bot: Bot) -> &'static str {
    match bot {
        Bot::Client => "uSipipo",
        Bot::Support => "uSipipo Support",
        Bot::Admin => "uSipipo Admin",
    }
}

/// Everybody in the chats of the demo; the last one is superadmin.
pub fn people() -> Vec<PersonSpec> {
    let person = |id, name: &str, username: &str, language: &str| PersonSpec {
        username: Some(username.to_owned()),
        ..PersonSpec::new(id, name, language)
    };
    vec![
        person(5_000_000_001, "Ana", "ana_demo", "es"),
        person(5_000_000_002, "Ben", "ben_demo", "en"),
        person(5_000_000_003, "Мила", "mila_demo", "ru"),
        person(5_000_000_004, "Olga (owner)", "owner_demo", "en"),
    ]
}

pub fn token(bot: Bot) -> String {
    let number = match bot {
        Bot::Client => 7_000_000_001_i64,
        Bot::Support => 7_000_000_002,
        Bot::Admin => 7_000_000_003,
    };
    format!("{number}:the-demo-has-no-secrets-{:-<12}", bot.as_str())
}

/// Settings of the counterpart of QvaPay.
pub fn qvapay(bind: SocketAddr, clock: &Clock) -> Settings {
    Settings { bind, ..Settings::new(QVAPAY_APP, QVAPAY_SECRET.into(), clock.clone()) }
}

/// The key that the demo's secrets are stored under, the same in every run.
fn encryption_keys() -> String {
    format!("demo:{}", STANDARD.encode(Sha256::digest("the demo has no secrets")))
}

/// The house between the counterparts.
pub fn house(
    database_url: &str,
    public_url: &str,
    telegram: &TelegramServer,
    qvapay: &QvapayServer,
    superadmin: i64,
) -> Result<Config, ConfigError> {
    let tokens = [
        ("CLIENT_BOT_TOKEN", token(Bot::Client)),
        ("SUPPORT_BOT_TOKEN", token(Bot::Support)),
        ("ADMIN_BOT_TOKEN", token(Bot::Admin)),
    ];
    let others = [
        ("PUBLIC_URL", public_url.to_owned()),
        ("DATABASE_URL", database_url.to_owned()),
        ("TELEGRAM_API_URL", telegram.url()),
        ("TELEGRAM_WEBHOOK_SECRET", crypto::random_token::<32>()),
        ("ENCRYPTION_KEYS", encryption_keys()),
        ("SUPERADMIN_TELEGRAM_IDS", superadmin.to_string()),
        ("SUPPORT_CONTACT", format!("@{}", username(Bot::Support))),
        ("QVAPAY_APP_ID", QVAPAY_APP.to_owned()),
        ("QVAPAY_APP_SECRET", QVAPAY_SECRET.to_owned()),
        ("QVAPAY_API_URL", qvapay.base_url().to_owned()),
        ("SHUTDOWN_GRACE_SECONDS", "5".to_owned()),
    ];
    let variables: BTreeMap<&str, String> = tokens.into_iter().chain(others).collect();
    Config::from_lookup(&|name| variables.get(name).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_one() {
        crypto::Keyring::parse(&encryption_keys()).unwrap();
    }
}

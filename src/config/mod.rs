//! Configuration from the environment: one struct per concern, parsed at the start into types that cannot be
//! invalid. Everything wrong is reported at once, and a secret is never part of a message.
//! `.env.example` documents every variable; a test compares it with what is read here.

mod access;
mod database;
mod logging;
mod payments;
mod people;
mod queue;
mod read;
mod server;
mod telegram;

use secrecy::SecretString;

use crate::crypto::{Keyring, KeyringError};
use crate::models::bot::Language;

pub use access::AccessConfig;
pub use database::DatabaseConfig;
pub use logging::{LogFormat, LoggingConfig};
pub use payments::{PaymentsConfig, QvapayConfig, SignatureRule};
pub use people::{Contact, PeopleConfig};
pub use queue::QueueConfig;
pub use read::{ConfigError, Problem};
pub use server::ServerConfig;
pub use telegram::TelegramConfig;

use read::Reader;

/// Everything the server needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    pub server: ServerConfig,
    pub database: DatabaseConfig,
    pub telegram: TelegramConfig,
    pub people: PeopleConfig,
    pub keyring: Keyring,
    pub payments: PaymentsConfig,
    pub access: AccessConfig,
    /// Language of a person whose own language has no texts.
    pub default_language: Language,
    pub logging: LoggingConfig,
    pub queue: QueueConfig,
}

impl Config {
    /// Reads the process environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(&process_environment)
    }

    /// Reads through `lookup`; a variable set to nothing counts as not set.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        read::all(lookup, Self::read)
    }

    fn read(env: &mut Reader) -> Option<Self> {
        let server = ServerConfig::read(env);
        let database = DatabaseConfig::read(env);
        let telegram = TelegramConfig::read(env);
        let people = PeopleConfig::read(env);
        let keyring = read_keyring(env);
        let payments = PaymentsConfig::read(env);
        let access = AccessConfig::read(env);
        let default_language =
            env.or("DEFAULT_LANGUAGE", "one of es, en, ru", Language::Es, |text| text.parse().ok());
        let logging = LoggingConfig::read(env);
        let queue = QueueConfig::read(env);
        Some(Self {
            server: server?,
            database: database?,
            telegram: telegram?,
            people: people?,
            keyring: keyring?,
            payments: payments?,
            access: access?,
            default_language: default_language?,
            logging: logging?,
            queue: queue?,
        })
    }
}

impl DatabaseConfig {
    /// The database alone, for the commands that need nothing else (`migrate`).
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(&process_environment)
    }

    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        read::all(lookup, Self::read)
    }
}

impl LoggingConfig {
    /// Logging alone: it starts before the rest of the configuration is known to be right.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(&process_environment)
    }

    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        read::all(lookup, Self::read)
    }
}

/// A value that is not UTF-8 is kept as well as it can be, and then refused by whoever parses it.
fn process_environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn read_keyring(env: &mut Reader) -> Option<Keyring> {
    let expected = "a comma list of id:key, each key 32 random bytes in base64, the first one encrypting, \
                    such as k1:$(openssl rand -base64 32)";
    env.secret("ENCRYPTION_KEYS", expected, |list| {
        Keyring::parse(list).map_err(|error: KeyringError| error.to_string())
    })
}

/// The entries of a comma list, trimmed.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// A secret of any form, as long as nothing beside it was copied along.
fn one_word(text: &str) -> Result<SecretString, String> {
    match text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Err("is set but holds blanks or control characters".into()),
        false => Ok(text.into()),
    }
}

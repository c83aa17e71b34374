//! Setting the bots up at Telegram: where their updates go, their ordinary menus of commands, names and descriptions. What
//! was set is remembered by its fingerprint, so that a start changes nothing needlessly. Telegram may be down: it is
//! tried again and again in the background, and the server runs meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::commands::{Assortment, about};
use super::menu;
use super::usernames::Usernames;
use crate::config::Config;
use crate::crud;
use crate::i18n::Texts;
use crate::ids::UserId;
use crate::integrations::telegram::api::{BotCommand, CommandScope, SendError, Telegram};
use crate::integrations::telegram::update;
use crate::models::bot::{Bot, Language};
use crate::models::role::Role;
use crate::queue::failure::backoff;
use crate::services::payment;
use crate::work::Works;

/// Pauses between two rounds: growing from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What the support and the admin bot read so far.
const HANDLED_BY_OTHERS: [&str; 3] = ["message", "callback_query", "my_chat_member"];

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{0}")]
    Telegram(#[from] SendError),
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// One thing that is set at Telegram, for all languages where `language` is None. No `Debug`: one holds a secret.
enum BotSetting {
    Webhook { url: String, secret: SecretString, allowed: &'static [&'static str], connections: u8 },
    Commands { language: Option<Language>, commands: Vec<BotCommand> },
    Description { language: Option<Language>, text: String },
    ShortDescription { language: Option<Language>, text: String },
    Name { text: String },
}

/// Sets up every bot; returns when all is set, or on `stop`.
pub async fn run(
    works: Works,
    telegram: BTreeMap<Bot, Telegram>,
    usernames: Usernames,
    stop: CancellationToken,
) {
    let all = join_all(telegram.values().map(|telegram| set_up(&works, telegram, &usernames)));
    stop.run_until_cancelled(all).await;
}

/// Points a bot's webhook at this server, whatever was set before.
pub async fn webhook_set(works: &Works, telegram: &Telegram) -> Result<(), SetupError> {
    let me = telegram.get_me().await?;
    let webhook = webhook(telegram.bot(), &works.config);
    webhook.set(telegram).await?;
    note(works, telegram.bot(), &webhook, me.id).await
}

/// Takes a bot's webhook away until the next start; updates that wait at Telegram keep waiting.
pub async fn webhook_delete(works: &Works, telegram: &Telegram) -> Result<(), SetupError> {
    telegram.delete_webhook().await?;
    let mut conn = works.db.acquire().await?;
    crud::bot_setup::delete(&mut conn, telegram.bot(), &webhook(telegram.bot(), &works.config).topic())
        .await?;
    Ok(())
}

/// Round after round until nothing is left.
async fn set_up(works: &Works, telegram: &Telegram, usernames: &Usernames) {
    let bot = telegram.bot();
    let mut rounds = 0;
    loop {
        rounds += 1;
        let mut pause = backoff(rounds, FIRST_PAUSE, LONGEST_PAUSE);
        match round(works, telegram, usernames).await {
            Ok(left) if left.is_empty() => {
                tracing::info!(%bot, "the bot is set up");
                return;
            }
            Ok(left) => left.iter().for_each(|(setting, error)| {
                report(bot, setting, error);
                pause = pause.max(asked_pause(error));
            }),
            Err(error) => {
                tracing::error!(%bot, %error, "the bot cannot be set up yet, trying again");
                if let SetupError::Telegram(error) = &error {
                    pause = pause.max(asked_pause(error));
                }
            }
        }
        tokio::time::sleep(pause).await;
    }
}

fn report(bot: Bot, setting: &BotSetting, error: &SendError) {
    tracing::error!(%bot, topic = setting.topic(), %error, "not set at Telegram yet, trying again");
}

fn asked_pause(error: &SendError) -> Duration {
    match error {
        SendError::RetryAfter { seconds, .. } => Duration::from_secs(*seconds),
        _ => Duration::ZERO,
    }
}

/// Sets what is not as it was set last; answers with what could not be set.
async fn round(
    works: &Works,
    telegram: &Telegram,
    usernames: &Usernames,
) -> Result<Vec<(BotSetting, SendError)>, SetupError> {
    let bot = telegram.bot();
    let me = telegram.get_me().await?;
    usernames.learn(bot, me.username);
    if bot == Bot::Client {
        menu::queue_all(works, telegram).await?;
    }
    let known = known(works, bot).await?;
    let sold = assortment(works).await?;
    let mut left = Vec::new();
    for setting in settings(bot, &works.config, &sold) {
        let as_set = known.get(&setting.topic()) == Some(&setting.fingerprint(me.id));
        let outcome = match as_set && setting.still_holds(telegram).await? {
            true => continue,
            false => setting.set(telegram).await,
        };
        match outcome {
            Ok(()) => note(works, bot, &setting, me.id).await?,
            Err(SendError::Unauthorized) => return Err(SendError::Unauthorized.into()),
            Err(error) => left.push((setting, error)),
        }
    }
    Ok(left)
}

async fn known(works: &Works, bot: Bot) -> sqlx::Result<BTreeMap<String, String>> {
    let mut conn = works.db.acquire().await?;
    Ok(crud::bot_setup::list(&mut conn, bot).await?.into_iter().collect())
}

async fn note(works: &Works, bot: Bot, setting: &BotSetting, id: UserId) -> Result<(), SetupError> {
    let (topic, fingerprint, now) = (&*setting.topic(), &*setting.fingerprint(id), works.clock.now());
    let put = works.db.statement("bot_set_up", |conn| {
        crud::bot_setup::put(conn, bot, topic, fingerprint, now).scope_boxed()
    });
    Ok(put.await?)
}

/// Everything that a bot should be, the most needed first: the name comes last, as Telegram lets it change
/// rarely.
fn settings(bot: Bot, config: &Config, sold: &Assortment) -> Vec<BotSetting> {
    let languages = || std::iter::once(None).chain(Language::ALL.iter().copied().map(Some));
    let texts = |language: Option<Language>| Texts::of(language.unwrap_or(config.default_language));
    let about = |language| about(bot, texts(language), sold);
    // The other bots understand nothing but /start yet.
    let menus = languages().filter(|_| bot == Bot::Client);
    let menus = menus.map(|language| {
        let commands = menu::menu(&[Role::User], texts(language));
        BotSetting::Commands { language, commands }
    });
    let descriptions =
        languages().map(|language| BotSetting::Description { language, text: about(language).description });
    let short = languages()
        .map(|language| BotSetting::ShortDescription { language, text: about(language).short_description });
    // One name in every language; the other bots keep what @BotFather was told.
    let name = config.telegram.client_name.iter().filter(|_| bot == Bot::Client);
    let name = name.map(|name| BotSetting::Name { text: name.clone() });
    std::iter::once(webhook(bot, config)).chain(menus).chain(descriptions).chain(short).chain(name).collect()
}

/// What the descriptions may promise.
async fn assortment(works: &Works) -> sqlx::Result<Assortment> {
    let mut conn = works.db.acquire().await?;
    let mut protocols = crud::server::protocols(&mut conn).await?;
    protocols.sort_unstable();
    let providers = payment::providers_of(&works.config);
    Ok(Assortment { trial: works.config.access.trial_days > 0, protocols, providers })
}

fn webhook(bot: Bot, config: &Config) -> BotSetting {
    BotSetting::Webhook {
        url: config.server.public_address(&format!("/telegram/{bot}")),
        secret: config.telegram.webhook_secret().clone(),
        allowed: if bot == Bot::Client { &update::HANDLED } else { &HANDLED_BY_OTHERS },
        connections: config.telegram.max_connections,
    }
}

impl BotSetting {
    /// What it is about: its key in bot_setups.
    fn topic(&self) -> String {
        let of = |what: &str, language: &Option<Language>| match language {
            Some(language) => format!("{what}:{language}"),
            None => format!("{what}:any"),
        };
        match self {
            BotSetting::Webhook { .. } => "webhook".to_owned(),
            BotSetting::Commands { language, .. } => of("commands", language),
            BotSetting::Description { language, .. } => of("description", language),
            BotSetting::ShortDescription { language, .. } => of("short_description", language),
            BotSetting::Name { .. } => "name:any".to_owned(),
        }
    }

    /// SHA-256 in hex of what would be set, for the bot with this id.
    fn fingerprint(&self, bot: UserId) -> String {
        let content = match self {
            BotSetting::Webhook { url, secret, allowed, connections } => {
                json!([url, secret.expose_secret(), allowed, connections])
            }
            BotSetting::Commands { commands, .. } => json!(commands),
            BotSetting::Description { text, .. }
            | BotSetting::ShortDescription { text, .. }
            | BotSetting::Name { text } => {
                json!(text)
            }
        };
        hex::encode(Sha256::digest(json!([bot, self.topic(), content]).to_string()))
    }

    /// Whether Telegram still has what was set. Asked for the webhook alone, which others may change and without
    /// which nothing works.
    async fn still_holds(&self, telegram: &Telegram) -> Result<bool, SendError> {
        let BotSetting::Webhook { url, allowed, connections, .. } = self else { return Ok(true) };
        let info = telegram.get_webhook_info().await?;
        let there: BTreeSet<&str> = info.allowed_updates.iter().map(String::as_str).collect();
        Ok(info.url == *url
            && there == allowed.iter().copied().collect()
            && info.max_connections.is_none_or(|there| there == i64::from(*connections)))
    }

    async fn set(&self, telegram: &Telegram) -> Result<(), SendError> {
        match self {
            BotSetting::Webhook { url, secret, allowed, connections } => {
                telegram.set_webhook(url, secret, allowed, *connections).await
            }
            BotSetting::Commands { language, commands } => {
                telegram.set_my_commands(commands, CommandScope::AllPrivateChats, *language).await
            }
            BotSetting::Description { language, text } => telegram.set_my_description(text, *language).await,
            BotSetting::ShortDescription { language, text } => {
                telegram.set_my_short_description(text, *language).await
            }
            BotSetting::Name { text } => telegram.set_my_name(text, None).await,
        }
    }
}

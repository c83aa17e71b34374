//! The menu of commands in a person's chat. Everybody sees the ordinary one, in the language of their app. Whoever may use
//! more, or chose a language here, has one of their own, and it goes when it is not needed any more. What was set is
//! remembered by its fingerprint, so that nothing is sent needlessly.

use std::collections::{BTreeMap, BTreeSet};

use scoped_futures::ScopedFutureExt;
use serde_json::json;
use sha2::{Digest, Sha256};
use teloxide_core::types::Recipient;

use super::commands::commands_for;
use super::setup::SetupError;
use crate::config::Config;
use crate::crud;
use crate::i18n::Texts;
use crate::ids::{ChatId, UserId};
use crate::integrations::telegram::api::{BotCommand, CommandScope, Telegram};
use crate::models::bot::{Bot, Language};
use crate::models::outgoing::{Body, Class, Outgoing};
use crate::models::role::Role;
use crate::services::{access, people};
use crate::work::{Origin, Work, Works};

/// How the topics of a chat's menus begin in bot_setups.
const OF_CHAT: &str = "commands:chat:";
/// The topic of everything that the menus of all chats are made of.
const OF_ALL: &str = "commands:chats";

/// The menu of somebody with these roles.
pub(super) fn menu(roles: &[Role], t: &Texts) -> Vec<BotCommand> {
    let commands = commands_for(roles).into_iter();
    commands.map(|command| BotCommand::new(command.as_str(), command.description(t))).collect()
}

/// A chat's menu as it should be, and what was set there, by its topic.
struct ChatMenu {
    /// None: the ordinary one.
    own: Option<Vec<BotCommand>>,
    set: BTreeMap<String, String>,
}

/// Makes the menu of a chat what it should be now.
pub(super) async fn bring(works: &Works, telegram: &Telegram, chat: ChatId) -> Result<(), SetupError> {
    let bot = telegram.bot();
    let read = works.run("menu_of_chat", Origin::SYSTEM, |work| {
        async move { menu_of(work, bot, chat).await }.scope_boxed()
    });
    let ChatMenu { own, set } = read.await?;
    let of_any = topic(chat, None);
    // An earlier version set one for each language of the app: it would stand before this one.
    for language in Language::ALL.iter().filter(|language| set.contains_key(&topic(chat, Some(**language)))) {
        telegram.delete_my_commands(scope(chat), Some(*language)).await?;
        note(works, bot, &topic(chat, Some(*language)), None).await?;
    }
    match (own, set.get(&of_any)) {
        (Some(commands), known) => {
            let fingerprint = fingerprint(&json!([telegram.id(), commands]));
            if known != Some(&fingerprint) {
                telegram.set_my_commands(&commands, scope(chat), None).await?;
                note(works, bot, &of_any, Some(&fingerprint)).await?;
            }
        }
        (None, Some(_)) => {
            telegram.delete_my_commands(scope(chat), None).await?;
            note(works, bot, &of_any, None).await?;
        }
        (None, None) => {}
    }
    Ok(())
}

async fn menu_of(work: &mut Work, bot: Bot, chat: ChatId) -> sqlx::Result<ChatMenu> {
    let user = UserId(chat.0);
    let roles = access::roles_of(work, user).await?;
    let may_more = commands_for(&roles) != commands_for(&[Role::User]);
    let chose_language = people::get_setting(work, user, people::LANGUAGE).await?.is_some();
    let person = people::get(work, user).await?;
    let language = person.map_or(work.config().default_language, |person| person.language);
    let own = (may_more || chose_language).then(|| menu(&roles, Texts::of(language)));
    let set = crud::bot_setup::list_under(work.conn(), bot, &format!("{OF_CHAT}{chat}:")).await?;
    Ok(ChatMenu { own, set: set.into_iter().collect() })
}

/// Notes what was set, or that nothing is.
async fn note(works: &Works, bot: Bot, topic: &str, fingerprint: Option<&str>) -> sqlx::Result<()> {
    let now = works.clock.now();
    let noted = works.db.statement("menu_of_chat_set", |conn| {
        async move {
            match fingerprint {
                Some(fingerprint) => crud::bot_setup::put(conn, bot, topic, fingerprint, now).await,
                None => crud::bot_setup::delete(conn, bot, topic).await,
            }
        }
        .scope_boxed()
    });
    noted.await
}

/// Queues the menus of all chats that have one or should, where anything that menus are made of is not as it was: the
/// commands, their words, the team in the environment, the bot.
pub(super) async fn queue_all(works: &Works, telegram: &Telegram) -> sqlx::Result<()> {
    let bot = telegram.bot();
    let made_of = &made_of(&works.config, telegram.id());
    let queue = works.run("queue_menus", Origin::SYSTEM, |work| {
        async move {
            if crud::bot_setup::list_under(work.conn(), bot, OF_ALL)
                .await?
                .iter()
                .any(|(_, set)| set == made_of)
            {
                return Ok(());
            }
            for chat in chats(work, bot).await? {
                work.send(Outgoing::new(bot, chat, Class::Bulk, Body::Menu));
            }
            let now = work.now();
            crud::bot_setup::put(work.conn(), bot, OF_ALL, made_of, now).await
        }
        .scope_boxed()
    });
    queue.await
}

/// Whose menu may be another than the ordinary one, or was.
async fn chats(work: &mut Work, bot: Bot) -> sqlx::Result<BTreeSet<UserId>> {
    let (config, now) = (work.config(), work.now());
    let set = crud::bot_setup::list_under(work.conn(), bot, OF_CHAT).await?;
    let had =
        set.iter().filter_map(|(topic, _)| topic.strip_prefix(OF_CHAT)?.split(':').next()?.parse().ok());
    let mut chats: BTreeSet<UserId> = had.chain(crud::role::holders(work.conn(), now).await?).collect();
    for id in config.people.superadmins.iter().chain(&config.people.admins) {
        // Who has never written has no chat; the first /start brings the menu.
        if people::get(work, *id).await?.is_some() {
            chats.insert(*id);
        }
    }
    Ok(chats)
}

fn made_of(config: &Config, bot_id: &str) -> String {
    let team = [&config.people.superadmins, &config.people.admins];
    let of_role =
        |role: &Role| Language::ALL.iter().map(|of| menu(&[*role], Texts::of(*of))).collect::<Vec<_>>();
    let menus: Vec<_> = Role::ALL.iter().map(of_role).collect();
    fingerprint(&json!([bot_id, team, menus]))
}

fn fingerprint(content: &serde_json::Value) -> String {
    hex::encode(Sha256::digest(content.to_string()))
}

fn topic(chat: ChatId, language: Option<Language>) -> String {
    format!("{OF_CHAT}{chat}:{}", language.map_or("any", Language::as_str))
}

fn scope(chat: ChatId) -> CommandScope {
    CommandScope::Chat { chat_id: Recipient::Id(teloxide_core::types::ChatId(chat.0)) }
}

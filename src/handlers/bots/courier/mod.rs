//! The courier of the outbox: puts a stored message into words and files at the moment it leaves, and hands it to
//! Telegram. What it opens for that (keys, access links) goes into the message alone: never into a log line, an
//! error or the database.

mod config;
mod notice;

use std::collections::BTreeMap;

use async_trait::async_trait;
use scoped_futures::ScopedFutureExt;
use serde_json::Value;

use super::menu;
use super::screens::Screen;
use super::setup::SetupError;
use crate::i18n::Texts;
use crate::ids::{ChatId, UserId};
use crate::integrations::telegram::api::{Rendered, SendError, Sent, Telegram};
use crate::models::audit::Action;
use crate::models::bot::Bot;
use crate::models::notice::{Alert, Notice};
use crate::models::outgoing::{Body, QueuedMessage};
use crate::queue::Failure;
use crate::queue::outbox::{Courier, Delivery};
use crate::services::{audit, people};
use crate::work::{Origin, Work, Works};

pub use notice::order_view;

/// Sends for all bots of the server.
pub struct BotCourier {
    works: Works,
    telegram: BTreeMap<Bot, Telegram>,
}

/// Why a message cannot be made.
#[derive(Debug, thiserror::Error)]
enum Unsendable {
    /// What it speaks of is gone or has changed: nobody waits for it any more.
    #[error("{0}")]
    Moot(&'static str),
    /// Trying again will not help.
    #[error("{0}")]
    Broken(String),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<Unsendable> for Delivery {
    fn from(why: Unsendable) -> Self {
        match why {
            Unsendable::Moot(reason) => Delivery::Moot(reason.to_owned()),
            Unsendable::Broken(reason) => Delivery::Permanent(reason),
            Unsendable::Database(error) => Delivery::Transient(error.to_string()),
        }
    }
}

#[async_trait]
impl Courier for BotCourier {
    async fn deliver(&self, bot: Bot, chat: ChatId, body: &Body) -> Delivery {
        match self.render(chat, body).await {
            Ok(Some(message)) => self.send(bot, chat, &message).await,
            Ok(None) => self.bring_menu(bot, chat).await,
            Err(why) => why.into(),
        }
    }

    async fn blocked(&self, work: &mut Work, bot: Bot, chat: ChatId) -> Result<(), Failure> {
        // Whoever blocks the support bot still uses the shop, and a group is nobody.
        if bot == Bot::Client && chat.0 > 0 {
            people::mark_blocked(work, UserId(chat.0)).await?;
        }
        Ok(())
    }

    async fn gave_up(&self, work: &mut Work, message: &QueuedMessage, reason: &str) -> Result<(), Failure> {
        // An alert about an alert would go the same way, and so on without end.
        if !is_alert(&message.body) {
            let alert = Alert::MessageDead { chat_id: message.chat_id.0, reason: reason.to_owned() };
            audit::notify_admins(work, Action::MessageDead, alert).await?;
        }
        Ok(())
    }
}

impl BotCourier {
    /// `telegram` has a client for every bot with a token.
    pub fn new(works: Works, telegram: BTreeMap<Bot, Telegram>) -> Self {
        Self { works, telegram }
    }

    /// None for the one body that is no message: the menu.
    async fn render(&self, chat: ChatId, body: &Body) -> Result<Option<Rendered>, Unsendable> {
        Ok(Some(match body.clone() {
            Body::Menu => return Ok(None),
            Body::Text { html, keyboard } => Rendered::Text { html, keyboard },
            Body::Edit { message_id, html, keyboard, ack } => {
                Rendered::Edit { message_id, html, keyboard, ack }
            }
            Body::Ack(ack) => Rendered::Ack(ack),
            Body::StarsInvoice { title, description, payload, amount } => {
                Rendered::StarsInvoice { title, description, payload, amount }
            }
            Body::PreCheckout { query_id, error } => Rendered::PreCheckout { query_id, error },
            Body::Notice { notice, replace: None } => new_text(self.word(chat, &notice).await?),
            Body::Notice { notice, replace: Some(message_id) } => {
                let Screen { html, keyboard } = self.word(chat, &notice).await?;
                let html = html.into_string();
                Rendered::Edit { message_id, html, keyboard: Some(keyboard), ack: None }
            }
            Body::Config { config_id, part } => {
                let opened = self.works.run("open_config", Origin::SYSTEM, |work| {
                    async move { config::open(work, chat, config_id).await }.scope_boxed()
                });
                opened.await?.render(part)?
            }
        }))
    }

    async fn bring_menu(&self, bot: Bot, chat: ChatId) -> Delivery {
        let Some(telegram) = self.telegram.get(&bot) else { return no_token(bot) };
        match menu::bring(&self.works, telegram, chat).await {
            Ok(()) => Delivery::Sent { message_id: None },
            Err(SetupError::Database(error)) => Delivery::Transient(error.to_string()),
            // A chat that was never opened has no menu; whoever opens it gets theirs then.
            Err(SetupError::Telegram(SendError::Permanent(reason))) => Delivery::Moot(reason),
            Err(SetupError::Telegram(error)) => delivery_of(Err(error)),
        }
    }

    async fn word(&self, chat: ChatId, notice: &Notice) -> Result<Screen, Unsendable> {
        let support = &self.works.config.people.support_contact;
        let worded = self.works.run("word_notice", Origin::SYSTEM, |work| {
            async move { notice::word(work, chat, notice, support.as_ref()).await }.scope_boxed()
        });
        worded.await
    }

    async fn send(&self, bot: Bot, chat: ChatId, message: &Rendered) -> Delivery {
        let Some(telegram) = self.telegram.get(&bot) else { return no_token(bot) };
        let sent = match telegram.send(chat, message).await {
            Err(SendError::Migrated(new)) => {
                tracing::info!(%bot, chat_id = %chat, new_chat_id = %new, "the group has moved");
                telegram.send(new, message).await
            }
            sent => sent,
        };
        if matches!(sent, Err(SendError::Unauthorized)) {
            tracing::error!(%bot, "Telegram refuses the bot's token: nothing is sent until it is right again");
        }
        delivery_of(sent)
    }
}

fn no_token(bot: Bot) -> Delivery {
    Delivery::Permanent(format!("this server has no token of the {bot} bot"))
}

fn new_text(screen: Screen) -> Rendered {
    Rendered::Text { html: screen.html.into_string(), keyboard: Some(screen.keyboard) }
}

fn delivery_of(sent: Result<Sent, SendError>) -> Delivery {
    match sent {
        Ok(Sent { message_id }) => Delivery::Sent { message_id },
        Err(SendError::RetryAfter { seconds, whole_bot }) => Delivery::RetryAfter { seconds, whole_bot },
        Err(SendError::Blocked) => Delivery::Blocked,
        Err(SendError::Permanent(reason)) => Delivery::Permanent(reason),
        Err(SendError::Transient(reason)) => Delivery::Transient(reason),
        Err(error @ (SendError::Migrated(_) | SendError::Unauthorized)) => {
            Delivery::Transient(error.to_string())
        }
    }
}

/// Whether a stored body is an alert; also of a kind that another version of the server has stored.
fn is_alert(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body.pointer("/notice/notice").is_some_and(|kind| kind == "alert")
}

/// The texts in the language of whoever a chat is with.
async fn texts_for(work: &mut Work, chat: ChatId) -> sqlx::Result<&'static Texts> {
    let person = people::get(work, UserId(chat.0)).await?;
    Ok(Texts::of(person.map_or(work.config().default_language, |person| person.language)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_known_by_its_stored_form() {
        let alert = Alert::MessageDead { chat_id: 1, reason: "x".into() };
        let body = |notice| serde_json::to_string(&Body::Notice { notice, replace: None }).unwrap();
        assert!(is_alert(&body(Notice::Alert(alert))));
        assert!(is_alert(r#"{"kind":"notice","notice":{"notice":"alert","alert":"of_tomorrow"}}"#));
        assert!(!is_alert(&body(Notice::Trouble { reference: "alert".into() })));
        assert!(!is_alert("damaged"));
    }
}

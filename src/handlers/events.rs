//! What a stored delivery means: the inbox worker calls this inside the unit of work that marks it done.

use std::sync::Arc;

use async_trait::async_trait;

use super::bots::Bots;
use super::http::payments::Hint;
use crate::ids::UserId;
use crate::integrations::telegram::update::{self, UpdateKind};
use crate::models::audit::{Action, Actor};
use crate::models::bot::Bot;
use crate::models::event::{InboundEvent, Source};
use crate::models::notice::Alert;
use crate::queue::Failure;
use crate::queue::inbox::EventHandler;
use crate::services::{audit, payment, people};
use crate::work::Work;

pub struct Events {
    pub bots: Arc<Bots>,
}

#[async_trait]
impl EventHandler for Events {
    async fn foresee(&self, work: &mut Work, events: &[&InboundEvent]) -> sqlx::Result<()> {
        let people: Vec<UserId> = events.iter().filter_map(|event| speaker(event)).collect();
        match people.as_slice() {
            [] => Ok(()),
            people => people::look_at(work, people).await,
        }
    }

    async fn handle(&self, work: &mut Work, event: &InboundEvent) -> Result<(), Failure> {
        match event.source {
            Source::ClientBot => self.update(work, Bot::Client, event).await,
            Source::SupportBot => self.update(work, Bot::Support, event).await,
            Source::AdminBot => self.update(work, Bot::Admin, event).await,
            Source::Qvapay => callback(work, event).await,
        }
    }

    async fn gave_up(&self, work: &mut Work, event: &InboundEvent, reason: &str) -> Result<(), Failure> {
        let alert = Alert::EventDead {
            event_id: event.id,
            source: event.source.to_string(),
            reason: reason.to_owned(),
        };
        audit::notify_admins(work, Action::EventDead, alert).await?;
        match waiting(event) {
            Some(person) => tell(work, person, event, reason).await,
            None => Ok(()),
        }
    }
}

impl Events {
    async fn update(&self, work: &mut Work, bot: Bot, event: &InboundEvent) -> Result<(), Failure> {
        let update = update::parse(&event.body).map_err(|e| Failure::give_up(e.reason))?;
        self.bots.handle(work, bot, &update).await
    }
}

/// Whose message or press an event is.
fn speaker(event: &InboundEvent) -> Option<UserId> {
    if event.source == Source::Qvapay {
        return None;
    }
    match update::parse(&event.body).ok()?.kind {
        UpdateKind::Callback(query) => Some(query.from.id),
        UpdateKind::Message(message) => message.from.map(|from| from.id),
        _ => None,
    }
}

/// Who waits for an answer to what was given up. Nobody who has just paid: he would be asked to try again.
fn waiting(event: &InboundEvent) -> Option<UserId> {
    // One that has never failed has ended the process: it is not read again.
    if event.source != Source::ClientBot || event.attempts == 0 {
        return None;
    }
    match update::parse(&event.body).ok()?.kind {
        UpdateKind::Callback(query) => Some(query.from.id),
        UpdateKind::Message(message) if message.chat.is_private() && message.text.is_some() => {
            message.from.map(|from| from.id)
        }
        _ => None,
    }
}

/// What failed was done in the name of who waits: their history shows that something did, and their reference finds it
/// in the log.
async fn tell(work: &mut Work, person: UserId, event: &InboundEvent, reason: &str) -> Result<(), Failure> {
    let actor = work.actor();
    if people::get(work, person).await?.is_some() {
        work.act_as(Actor::User(person));
    }
    let (error, reference) = (Failure::give_up(reason), event.id.to_string());
    audit::log_error_and_notify(work, person, Action::EventDead, &error, &reference).await?;
    work.act_as(actor);
    Ok(())
}

async fn callback(work: &mut Work, event: &InboundEvent) -> Result<(), Failure> {
    let hint: Hint = serde_json::from_str(&event.context)
        .map_err(|error| Failure::give_up(format!("what the route noted cannot be read: {error}")))?;
    payment::callback_received(work, hint.payment_id, &hint.callback).await?;
    Ok(())
}

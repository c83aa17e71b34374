//! The Telegram bots: from a stored update to one service call and one reply. Everything happens inside the unit of
//! work of whoever handles the update: nothing is sent from here, nothing committed, and nothing remembered between
//! two updates but how fast a person is.

pub mod callback;
mod checkout;
mod client;
pub mod commands;
pub mod courier;
mod flood;
mod introduction;
mod menu;
pub mod screens;
pub mod setup;
mod step;
mod talk;
pub mod usernames;

pub use crate::i18n::html;

use crate::config::{AccessConfig, Config};
use crate::ids::UserId;
use crate::integrations::telegram::update::{
    CallbackQuery, ChatMemberChange, Message, Person, Update, UpdateKind,
};
use crate::models::audit::Actor;
use crate::models::bot::Bot;
use crate::models::outgoing::{Class, Outgoing};
use crate::models::user::{User, UserStatus};
use crate::queue::Failure;
use crate::services::people::{self, Sender};
use crate::telemetry::metrics::Limit;
use crate::work::Work;

use flood::{UserFlood, Verdict};
use screens::Reply;
use talk::Talk;
use usernames::Usernames;

/// The bots of the house, built once.
pub struct Bots {
    flood: UserFlood,
    usernames: Usernames,
}

impl Bots {
    /// `usernames` may learn later what the bots are called.
    pub fn new(config: &Config, usernames: Usernames) -> Self {
        let flood = UserFlood::new(config.access.user_actions_per_minute, AccessConfig::BURST);
        Self { flood, usernames }
    }

    /// Handles an update that came to `bot`. Money first: neither a ban nor haste keeps it from being counted.
    pub async fn handle(&self, work: &mut Work, bot: Bot, update: &Update) -> Result<(), Failure> {
        match &update.kind {
            UpdateKind::PreCheckout(query) => checkout::asked(work, bot, query).await,
            UpdateKind::Subscription(change) => checkout::subscription_changed(work, change).await,
            UpdateKind::Message(message) => self.message(work, bot, message).await,
            UpdateKind::Callback(query) => self.press(work, bot, query).await,
            UpdateKind::MyChatMember(change) => standing_changed(work, bot, change).await,
            // What was done by the first version of a message is not done again.
            UpdateKind::EditedMessage(message) => Ok(meet(work, message.from.as_ref()).await.map(drop)?),
            UpdateKind::Other(_) => Ok(()),
        }
    }

    async fn message(&self, work: &mut Work, bot: Bot, message: &Message) -> Result<(), Failure> {
        if let Some(paid) = &message.successful_payment {
            return checkout::paid(work, message, paid).await;
        }
        if let Some(refund) = &message.refunded_payment {
            return checkout::refunded(work, message, refund).await;
        }
        let Some(user) = meet(work, message.from.as_ref()).await? else { return Ok(()) };
        let mut talk = Talk::new(self, work, bot, user, message.chat.id);
        if !message.chat.is_private() {
            let heard = talk.is_called(message) && talk.user.status != UserStatus::Banned;
            if heard && self.paces(&mut talk) == Verdict::Pass {
                talk.say(&Reply::InGroup);
            }
            return Ok(());
        }
        // Service messages (a pin, a topic, a contact that was shared) want no answer.
        let spoken = message.text.is_some() || message.file().is_some();
        if !spoken || !self.admits(&mut talk) {
            return Ok(());
        }
        match bot {
            Bot::Client => client::message(talk, message).await,
            Bot::Support | Bot::Admin => introduction::answer(talk).await,
        }
    }

    async fn press(&self, work: &mut Work, bot: Bot, query: &CallbackQuery) -> Result<(), Failure> {
        let Some(user) = meet(work, Some(&query.from)).await? else { return Ok(()) };
        let mut talk = Talk::of_press(self, work, bot, user, query);
        if !self.admits(&mut talk) {
            return Ok(());
        }
        if query.message.as_ref().is_some_and(|message| !message.chat.is_private()) {
            talk.say(&Reply::InGroup);
            return Ok(());
        }
        match bot {
            Bot::Client => client::press(talk, query.data.as_deref()).await,
            Bot::Support | Bot::Admin => introduction::answer(talk).await,
        }
    }

    /// Whether the person may go on. Who is banned or too fast is told so, but not each time.
    fn admits(&self, talk: &mut Talk<'_>) -> bool {
        if talk.user.status == UserStatus::Banned {
            self.turn_away(talk);
            return false;
        }
        match self.paces(talk) {
            Verdict::Pass => true,
            Verdict::WarnOnce => {
                talk.say(&Reply::SlowDown);
                false
            }
            Verdict::Drop => {
                talk.acknowledge();
                false
            }
        }
    }

    /// Whether the person is too fast.
    fn paces(&self, talk: &mut Talk<'_>) -> Verdict {
        let verdict = self.flood.check(talk.user.id, talk.work.cause());
        if verdict != Verdict::Pass {
            talk.work.count(|metrics| metrics.refused(Limit::User));
        }
        verdict
    }

    /// One notice a day for the banned; otherwise only the spinner of the button stops.
    fn turn_away(&self, talk: &mut Talk<'_>) {
        talk.acknowledge();
        let support = talk.support();
        let body = screens::reply(talk.t, &Reply::Banned, support.as_ref()).message();
        let day = talk.work.now().unix().div_euclid(86_400);
        let notice = Outgoing::new(talk.bot, talk.user.id, Class::Interactive, body);
        talk.work.send(notice.once(format!("banned:{}:{day}", talk.user.id)));
    }
}

/// Makes or refreshes the person behind an update, in whose name everything that follows is done. None for bots.
async fn meet(work: &mut Work, person: Option<&Person>) -> sqlx::Result<Option<User>> {
    let Some(person) = person.filter(|person| !person.is_bot) else { return Ok(None) };
    work.act_as(Actor::User(person.id));
    let sender = Sender {
        id: person.id,
        username: person.username.clone(),
        first_name: person.first_name.clone(),
        last_name: person.last_name.clone(),
        language_code: person.language_code.clone(),
    };
    let (user, _) = people::touch(work, &sender).await?;
    Ok(Some(user))
}

/// Somebody blocked the bot or let it in again. What counts is the bot that sells: it sends everything there is to
/// send.
async fn standing_changed(work: &mut Work, bot: Bot, change: &ChatMemberChange) -> Result<(), Failure> {
    if !change.is_block() {
        meet(work, Some(&change.from)).await?;
    } else if bot == Bot::Client {
        work.act_as(Actor::User(change.from.id));
        people::mark_blocked(work, UserId(change.chat.id.0)).await?;
    }
    Ok(())
}

//! Stored webhook deliveries.

use crate::clock::Timestamp;
use crate::ids::EventId;
use crate::models::bot::Bot;

text_enum! {
    /// Where a delivery came from.
    Source {
        ClientBot = "telegram:client",
        SupportBot = "telegram:support",
        AdminBot = "telegram:admin",
        Qvapay = "qvapay",
    }
}

impl Source {
    pub fn of_bot(bot: Bot) -> Self {
        match bot {
            Bot::Client => Source::ClientBot,
            Bot::Support => Source::SupportBot,
            Bot::Admin => Source::AdminBot,
        }
    }
}

text_enum! {
    /// Where a row of a queue stands.
    QueueStatus {
        Pending = "pending",
        /// Handled (inbox, jobs) or accepted by Telegram (outbox).
        Done = "done",
        /// Given up, with a reason; an admin can replay it.
        Dead = "dead",
        /// Left out without alarm: the chat blocked the bot, the message has lost its sense, the clock queues the job
        /// again.
        Dropped = "dropped",
    }
}

/// A delivery that is about to be stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub id: EventId,
    pub source: Source,
    pub dedupe_key: String,
    pub lane: String,
    /// 0 overtakes everything, 1 is ordinary.
    pub class: u8,
    pub body: Vec<u8>,
    pub context: String,
    /// Why the body cannot be understood, if so: whoever handles it gives it up.
    pub unreadable: Option<String>,
    pub received_at: Timestamp,
}

impl NewEvent {
    /// The row as it is stored.
    pub fn row(&self) -> InboundEvent {
        InboundEvent {
            id: self.id,
            source: self.source,
            dedupe_key: self.dedupe_key.clone(),
            lane: self.lane.clone(),
            status: QueueStatus::Pending,
            body: self.body.clone(),
            context: self.context.clone(),
            attempts: 0,
            error: self.unreadable.clone(),
            received_at: self.received_at,
            done_at: None,
            retry_at: None,
        }
    }
}

/// A row of `inbound_events`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InboundEvent {
    pub id: EventId,
    pub source: Source,
    pub dedupe_key: String,
    pub lane: String,
    pub status: QueueStatus,
    pub body: Vec<u8>,
    pub context: String,
    pub attempts: u32,
    pub error: Option<String>,
    pub received_at: Timestamp,
    pub done_at: Option<Timestamp>,
    /// After a failure: not handled again before.
    pub retry_at: Option<Timestamp>,
}

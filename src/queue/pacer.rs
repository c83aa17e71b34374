//! The rate of each bot. Slots are reserved in the database, a few at a time, so that all copies of the server
//! together stay within what Telegram allows.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use tokio::sync::Mutex;

use crate::clock::Timestamp;
use crate::crud::pace::{self, Slots};
use crate::models::bot::Bot;
use crate::work::Works;

/// Slots this process has reserved and not used.
#[derive(Clone, Copy, Default)]
struct Reserved {
    next: Option<Timestamp>,
    left: u32,
}

/// A slot may be used so much later, as long as what is reserved at once: less, and at a high rate whoever is not
/// quick to the microsecond would wait for new ones again and again.
const LATE: TimeDelta = TimeDelta::milliseconds(100);

/// Hands out the instants at which messages may leave.
pub struct Pacer {
    works: Works,
    interval: TimeDelta,
    /// Slots taken from the database at once: a tenth of a second's worth.
    chunk: u32,
    reserved: Mutex<BTreeMap<Bot, Reserved>>,
    /// Silences that this process knows of, for what takes no slot.
    paused: Mutex<BTreeMap<Bot, Timestamp>>,
}

impl Pacer {
    pub fn new(works: Works, messages_per_second: u32) -> Self {
        let per_second = messages_per_second.max(1);
        Self {
            works,
            interval: TimeDelta::microseconds(1_000_000 / i64::from(per_second)),
            chunk: per_second.div_ceil(10),
            reserved: Mutex::default(),
            paused: Mutex::default(),
        }
    }

    /// Waits for the next slot. Err: Telegram asked the bot for silence until that instant.
    pub async fn slot(&self, bot: Bot) -> sqlx::Result<Result<(), Timestamp>> {
        let slot = match self.next_slot(bot).await? {
            Slots::From(slot) => slot,
            Slots::Paused(until) => {
                self.paused.lock().await.insert(bot, until);
                return Ok(Err(until));
            }
        };
        // One that is further ahead was reserved by the clock as it was before it was set back.
        let ahead = slot.since(self.works.clock.now());
        if let Some(wait) = ahead.to_std().ok().filter(|_| ahead <= pace::CLOCKS_DIFFER) {
            tokio::time::sleep(wait).await;
        }
        Ok(Ok(()))
    }

    /// Until when the bot is to be silent, as far as this process knows; for what takes no slot. Another process
    /// learns of a silence when Telegram tells it, or with its next slot.
    pub async fn paused_until(&self, bot: Bot) -> Option<Timestamp> {
        let now = self.works.clock.now();
        self.paused.lock().await.get(&bot).copied().filter(|until| *until > now)
    }

    async fn next_slot(&self, bot: Bot) -> sqlx::Result<Slots> {
        let mut all = self.reserved.lock().await;
        let reserved = all.entry(bot).or_default();
        let now = self.works.clock.now();
        if let (Some(next), 1..) = (reserved.next, reserved.left) {
            // A slot long past is lost: using it now could make a burst with those of other processes.
            if next + LATE.max(self.interval * 2) >= now && next <= now + pace::CLOCKS_DIFFER {
                *reserved = Reserved { next: Some(next + self.interval), left: reserved.left - 1 };
                return Ok(Slots::From(next));
            }
        }
        let length = self.interval * i32::try_from(self.chunk).unwrap_or(i32::MAX);
        let slots = self
            .works
            .db
            .transaction("reserve_slots", |conn| {
                async move { pace::reserve(conn, bot, now, length).await }.scope_boxed()
            })
            .await?;
        if let Slots::From(first) = slots {
            *reserved = Reserved { next: Some(first + self.interval), left: self.chunk - 1 };
        }
        Ok(slots)
    }

    /// Telegram asked the whole bot to wait: no copy of the server sends before `until`.
    pub async fn pause(&self, bot: Bot, until: Timestamp) -> sqlx::Result<()> {
        self.reserved.lock().await.remove(&bot);
        self.paused.lock().await.insert(bot, until);
        let db = &self.works.db;
        db.statement("pause_bot", |conn| pace::pause(conn, bot, until).scope_boxed()).await
    }
}

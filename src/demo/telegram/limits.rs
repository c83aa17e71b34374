//! Telegram's flood control: 30 messages a second over a bot, one a second in a chat, short bursts forgiven.
//! Off unless a test or the demo switches it on.

use std::collections::HashMap;

use super::answer::ApiError;
use crate::clock::Timestamp;

const BOT_PER_SECOND: f64 = 30.0;
const BOT_BURST: f64 = 30.0;
const CHAT_PER_SECOND: f64 = 1.0;
const CHAT_BURST: f64 = 3.0;

/// The buckets of all bots and chats.
#[derive(Default)]
pub struct Flood {
    pub enabled: bool,
    bots: HashMap<i64, Bucket>,
    chats: HashMap<(i64, i64), Bucket>,
}

impl Flood {
    /// Takes the place of one message, or answers 429.
    pub fn pass(&mut self, bot: i64, chat: i64, now: Timestamp) -> Result<(), ApiError> {
        if !self.enabled {
            return Ok(());
        }
        let chats = self.chats.entry((bot, chat)).or_insert(Bucket { tokens: CHAT_BURST, filled: now });
        chats.take(CHAT_PER_SECOND, CHAT_BURST, now)?;
        let bots = self.bots.entry(bot).or_insert(Bucket { tokens: BOT_BURST, filled: now });
        bots.take(BOT_PER_SECOND, BOT_BURST, now)
    }
}

struct Bucket {
    tokens: f64,
    filled: Timestamp,
}

impl Bucket {
    fn take(&mut self, per_second: f64, burst: f64, now: Timestamp) -> Result<(), ApiError> {
        let passed = now.since(self.filled).num_milliseconds().max(0) as f64 / 1000.0;
        self.tokens = (self.tokens + passed * per_second).min(burst);
        self.filled = now;
        if self.tokens < 1.0 {
            let wait = ((1.0 - self.tokens) / per_second).ceil().max(1.0);
            return Err(ApiError::too_many_requests(wait as u32));
        }
        self.tokens -= 1.0;
        Ok(())
    }
}

//! What Telegram calls the bots of this server: learned at the start, needed to tell `/start@this_bot` from another
//! bot's command and to lead people from one bot to another.

use std::sync::{Arc, OnceLock};

use crate::models::bot::Bot;

/// Usernames without the `@`. Cheap to clone; clones share what they learn.
#[derive(Clone, Debug, Default)]
pub struct Usernames(Arc<[OnceLock<String>; Bot::ALL.len()]>);

impl Usernames {
    /// None until Telegram has told it (`setup` asks first of all), and for a bot without a token.
    pub fn of(&self, bot: Bot) -> Option<&str> {
        self.0[bot as usize].get().map(String::as_str)
    }

    /// The first name learned counts: a bot keeps its name while a process lives.
    pub fn learn(&self, bot: Bot, username: String) {
        let _ = self.0[bot as usize].set(username);
    }
}

//! Failures on demand: what the network and Telegram do to a bot on a bad day.

use std::time::Duration;

use super::answer::ApiError;
use super::world::World;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The connection is closed without an answer; nothing is executed.
    Refuse,
    /// No answer until the caller gives up; nothing is executed.
    Silent,
    /// The method is executed after this time.
    Slow(Duration),
    /// The method is executed at once and answered after this time.
    Late(Duration),
    /// The method is executed, and the connection is cut in the middle of the answer.
    Cut,
    /// 429 with `retry_after` seconds; nothing is executed.
    TooManyRequests { retry_after: u32 },
    /// 502 with an HTML page, as a proxy in front of Telegram answers; nothing is executed.
    ServerError,
    /// An error of Telegram's, e.g. 403; nothing is executed.
    Reject(ApiError),
}

/// Which calls a fault strikes; what is not named matches all.
#[derive(Clone, Debug)]
pub struct FaultRule {
    pub fault: Fault,
    bot: Option<String>,
    methods: Vec<String>,
    chat: Option<i64>,
    times: Option<u32>,
    pub(super) id: u64,
}

impl FaultRule {
    /// `fault` on every call, until cleared.
    pub fn new(fault: Fault) -> Self {
        Self { fault, bot: None, methods: Vec::new(), chat: None, times: None, id: 0 }
    }

    /// Only for the bot of this username.
    pub fn bot(mut self, username: &str) -> Self {
        self.bot = Some(username.to_owned());
        self
    }

    /// Only for these methods.
    pub fn methods(mut self, methods: &[&str]) -> Self {
        self.methods = methods.iter().map(|method| method.to_ascii_lowercase()).collect();
        self
    }

    /// Only for calls into this chat.
    pub fn chat(mut self, chat: i64) -> Self {
        self.chat = Some(chat);
        self
    }

    /// Only for the next `times` calls that match.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn strikes(&self, bot: &str, method: &str, chat: Option<i64>) -> bool {
        self.times != Some(0)
            && self.bot.as_deref().is_none_or(|wanted| wanted == bot)
            && (self.methods.is_empty() || self.methods.contains(&method.to_ascii_lowercase()))
            && self.chat.is_none_or(|wanted| Some(wanted) == chat)
    }
}

impl World {
    /// The fault that strikes this call; one of a limited number is used up.
    pub fn take_fault(&mut self, bot: &str, method: &str, chat: Option<i64>) -> Option<Fault> {
        let rule = self.faults.iter_mut().find(|rule| rule.strikes(bot, method, chat))?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(rule.fault.clone())
    }
}

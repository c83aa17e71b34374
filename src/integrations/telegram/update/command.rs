//! Commands: `/start ref_abc`, `/plans@ThisBot`.

use super::Message;

/// A command to this bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// In lower case and without the slash.
    pub name: String,
    /// What follows, without the white space around it.
    pub args: String,
}

impl Message {
    /// The command that the text begins with. None when it names another bot than `bot_username`; while our own name
    /// is not known, every name is taken for ours. Entities are not asked: only the slash at the start counts.
    pub fn command(&self, bot_username: Option<&str>) -> Option<Command> {
        let text = self.text.as_deref()?.strip_prefix('/')?;
        let (head, args) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (name, bot) = match head.split_once('@') {
            Some((name, bot)) => (name, Some(bot)),
            None => (head, None),
        };
        if let (Some(named), Some(own)) = (bot, bot_username)
            && !named.eq_ignore_ascii_case(own.trim_start_matches('@'))
        {
            return None;
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            return None;
        }
        Some(Command { name: name.to_ascii_lowercase(), args: args.trim().to_owned() })
    }
}

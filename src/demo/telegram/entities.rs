//! Text with its formatting, as Telegram keeps it: positions count UTF-16 code units.

use serde::{Deserialize, Serialize};

/// A text and what is special about parts of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Formatted {
    pub text: String,
    pub entities: Vec<Entity>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// UTF-16 code units from the start of the text.
    pub offset: usize,
    /// UTF-16 code units.
    pub length: usize,
    #[serde(flatten)]
    pub kind: Kind,
}

impl Entity {
    pub fn end(&self) -> usize {
        self.offset + self.length
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    Code,
    Pre {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        language: Option<String>,
    },
    TextLink {
        url: String,
    },
    TextMention {
        user: MentionedUser,
    },
    Blockquote,
    ExpandableBlockquote,
    CustomEmoji {
        custom_emoji_id: String,
    },
    BotCommand,
    Url,
    Mention,
    Email,
}

/// The person a text mention leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MentionedUser {
    pub id: i64,
    pub is_bot: bool,
    pub first_name: String,
}

impl Kind {
    /// A link to `url`, or None when Telegram would not make one of it.
    pub fn link(url: &str) -> Option<Kind> {
        let parsed =
            reqwest::Url::parse(url).or_else(|_| reqwest::Url::parse(&format!("http://{url}"))).ok()?;
        match parsed.scheme() {
            "tg" if parsed.host_str() == Some("user") => {
                let id = parsed.query_pairs().find(|(key, _)| key == "id")?.1.parse().ok()?;
                Some(Kind::TextMention {
                    user: MentionedUser { id, is_bot: false, first_name: String::new() },
                })
            }
            "http" | "https" | "tg" | "ton" => Some(Kind::TextLink { url: parsed.to_string() }),
            _ => None,
        }
    }
}

/// Length as Telegram counts it in positions.
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

impl Formatted {
    pub fn plain(text: impl Into<String>) -> Self {
        let mut formatted = Self { text: text.into(), entities: Vec::new() };
        formatted.tidy();
        formatted
    }

    /// Trims the text, orders the entities outermost first, and drops what cannot be: nothing is formatted
    /// inside code.
    pub fn tidy(&mut self) {
        let leading = self.text.len() - self.text.trim_start().len();
        let cut = utf16_len(&self.text[..leading]);
        self.text = self.text.trim().to_owned();
        let length = utf16_len(&self.text);
        for entity in &mut self.entities {
            let end = entity.end().saturating_sub(cut).min(length);
            entity.offset = entity.offset.saturating_sub(cut);
            entity.length = end.saturating_sub(entity.offset);
        }
        self.entities.retain(|entity| entity.length > 0);
        self.entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
        let code: Vec<(usize, usize)> = self
            .entities
            .iter()
            .filter(|entity| matches!(entity.kind, Kind::Code | Kind::Pre { .. }))
            .map(|entity| (entity.offset, entity.end()))
            .collect();
        self.entities.retain(|entity| {
            matches!(
                entity.kind,
                Kind::Code | Kind::Pre { .. } | Kind::Blockquote | Kind::ExpandableBlockquote
            ) || !code.iter().any(|(begin, end)| entity.offset < *end && entity.end() > *begin)
        });
    }

    /// Adds what Telegram finds by itself: commands, addresses, mentions.
    pub fn detect(mut self) -> Self {
        let mut found = Vec::new();
        let mut position = 0;
        for word in self.text.split_inclusive(char::is_whitespace) {
            let inner = word.trim_start_matches(['(', '"', '«', '[', '\'']);
            let offset = position + utf16_len(word) - utf16_len(inner);
            if let Some((kind, length)) = classify(inner.trim_end()) {
                found.push(Entity { offset, length, kind });
            }
            position += utf16_len(word);
        }
        let taken = |new: &Entity| {
            self.entities.iter().any(|old| {
                let exclusive = matches!(
                    old.kind,
                    Kind::Code
                        | Kind::Pre { .. }
                        | Kind::TextLink { .. }
                        | Kind::TextMention { .. }
                        | Kind::Url
                );
                exclusive && old.offset < new.end() && old.end() > new.offset
            })
        };
        found.retain(|new| !taken(new));
        self.entities.append(&mut found);
        self.entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
        self
    }
}

/// What a word begins with, and how many UTF-16 units of it belong to that.
fn classify(word: &str) -> Option<(Kind, usize)> {
    let name = |text: &str| text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    if let Some(rest) = word.strip_prefix('/') {
        let command = name(rest);
        let addressed = rest[command..].strip_prefix('@').map(name).filter(|length| *length >= 3);
        let length = 1 + command + addressed.map_or(0, |length| length + 1);
        let follows_slash = word[length..].starts_with('/');
        return ((1..=64).contains(&command) && !follows_slash).then_some((Kind::BotCommand, length));
    }
    if let Some(rest) = word.strip_prefix('@') {
        let length = name(rest);
        return (4..=32).contains(&length).then_some((Kind::Mention, length + 1));
    }
    let address = word.trim_end_matches(['.', ',', '!', '?', ':', ';', ')', ']', '"', '»', '\'']);
    let web = ["https://", "http://", "tg://", "t.me/"].iter().any(|start| {
        address.len() > start.len() && address.is_char_boundary(start.len()) && address.starts_with(start)
    });
    if web {
        return Some((Kind::Url, utf16_len(address)));
    }
    let (user, host) = address.split_once('@')?;
    let plausible = !user.is_empty() && host.contains('.') && host.is_ascii() && user.is_ascii();
    plausible.then(|| (Kind::Email, utf16_len(address)))
}

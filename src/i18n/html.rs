//! `Html`, the one escaping type: text that may be sent with `parse_mode=HTML`. It comes from our own Fluent
//! texts or from escaping a value, and there is no third way, so a name cannot smuggle a tag into a message.

use std::fmt;

use crate::clock::Timestamp;
use crate::ids::{ConfigId, PaymentId, PlanId, ServerId, SubscriptionId, UserId};
use crate::money::Money;

/// Text with Telegram's tags, safe to send as HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Takes a rendered text of ours as it is. Only the texts' own module may say so.
    pub(super) fn trusted(text: String) -> Self {
        Self(text)
    }

    /// Escapes `text`; invisible characters that reorder or hide what stands around them are left out.
    pub fn escape(text: &str) -> Self {
        let mut safe = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\n' => safe.push('\n'),
                c if c.is_control() || is_override(c) || is_invisible(c) => {}
                c => safe.push(c),
            }
        }
        Self(safe)
    }

    /// What somebody calls himself or a thing of his, cleaned by [`clean_name`]; None when nothing is left.
    pub fn name(raw: &str) -> Option<Self> {
        let name = clean_name(raw, NAME_CHARS);
        if name.is_empty() {
            return None;
        }
        let safe = Self::escape(&name);
        // An isolate keeps an Arabic or Hebrew name from reordering the digits and marks beside it.
        Some(if name.chars().any(is_right_to_left) { Self(format!("\u{2068}{safe}\u{2069}")) } else { safe })
    }

    /// A value in typewriter letters; a tap on it copies it.
    pub fn code(value: impl fmt::Display) -> Self {
        Self(format!("<code>{}</code>", Self::escape(&value.to_string())))
    }

    /// A block of several lines in typewriter letters, with Telegram's copy button.
    pub fn block(text: &str) -> Self {
        Self(format!("<pre>{}</pre>", Self::escape(text)))
    }

    /// At most `chars` characters of `text`, with an ellipsis when there were more; escaped.
    pub fn short(text: &str, chars: usize) -> Self {
        Self::escape(&shorten(text, chars))
    }

    /// `parts` with `between` between them; empty parts are left out.
    pub fn join(parts: impl IntoIterator<Item = Html>, between: &str) -> Self {
        let between = Self::escape(between).0;
        let parts: Vec<String> = parts.into_iter().map(|p| p.0).filter(|p| !p.is_empty()).collect();
        Self(parts.join(&between))
    }

    /// The same words for a place that shows no tags: a button, an alert, the title of an invoice.
    pub fn to_plain(&self) -> String {
        let mut plain = String::with_capacity(self.0.len());
        let mut in_tag = false;
        for c in self.0.chars() {
            match c {
                '<' => in_tag = true,
                '>' => in_tag = false,
                c if !in_tag => plain.push(c),
                _ => {}
            }
        }
        plain.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&Html> for Html {
    fn from(html: &Html) -> Self {
        html.clone()
    }
}

impl From<&str> for Html {
    fn from(text: &str) -> Self {
        Self::escape(text)
    }
}

macro_rules! escaped_display {
    ($($kind:ty),* $(,)?) => {$(
        impl From<$kind> for Html {
            fn from(value: $kind) -> Self {
                Self::escape(&value.to_string())
            }
        }
    )*};
}

escaped_display!(
    String,
    &String,
    Money,
    &Money,
    UserId,
    PlanId,
    SubscriptionId,
    PaymentId,
    ServerId,
    ConfigId,
    Timestamp
);

/// Characters of a name that are shown.
pub const NAME_CHARS: usize = 32;

/// `raw` on one line without control, invisible and reordering characters, at most `chars` characters long.
/// Empty when nothing visible is left.
pub fn clean_name(raw: &str, chars: usize) -> String {
    let mut name = String::new();
    for c in raw.chars() {
        let last = name.chars().next_back();
        if c.is_whitespace() || is_blank(c) {
            if last.is_some_and(|l| l != ' ') {
                name.push(' ');
            }
        } else if c == ZERO_WIDTH_JOINER {
            // Holds family emoji together; anywhere else it only hides.
            if last.is_some_and(|l| l > '\u{2190}') {
                name.push(c);
            }
        } else if !c.is_control() && !is_override(c) && !is_invisible(c) && !is_tag(c) {
            name.push(c);
        }
    }
    shorten(name.trim_end_matches([' ', ZERO_WIDTH_JOINER]), chars)
}

/// At most `chars` characters of `text`, the last one an ellipsis when something was cut off.
pub fn shorten(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// Changes the direction of what follows (Unicode bidirectional formatting characters).
fn is_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

/// Takes no room, or draws over its neighbours without end.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{180E}' | '\u{200B}' | '\u{200C}' | '\u{2060}'..='\u{2065}'
        | '\u{206A}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Spells a region in a flag such as England's, and anything at all where no flag stands before it.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0000}'..='\u{E0FFF}')
}

/// Looks like a space and is none by its class: Hangul fillers, the empty Braille cell.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

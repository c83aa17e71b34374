//! Telegram's HTML: parsing it as strictly as the Bot API server does, and writing it again from text and
//! entities. Error texts follow the server's (tdlib, `MessageEntity.cpp`), offsets in them are bytes.

use super::entities::{Entity, Formatted, Kind, utf16_len};

/// Parses `source`; the error is what follows "can't parse entities: ".
pub fn parse(source: &str) -> Result<Formatted, String> {
    let mut parser =
        Parser { source, at: 0, text: String::new(), utf16: 0, open: Vec::new(), closed: Vec::new() };
    while parser.at < source.len() {
        match parser.byte() {
            b'<' if parser.peek(1) == b'/' => parser.end_tag()?,
            b'<' => parser.start_tag()?,
            _ => parser.character(),
        }
    }
    if let Some(tag) = parser.open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", tag.name));
    }
    let mut formatted = Formatted {
        text: parser.text,
        entities: parser.closed.into_iter().filter_map(Closed::entity).collect(),
    };
    formatted.tidy();
    Ok(formatted)
}

const TAGS: [&str; 16] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
];

struct Parser<'a> {
    source: &'a str,
    at: usize,
    text: String,
    utf16: usize,
    open: Vec<OpenTag>,
    closed: Vec<Closed>,
}

struct OpenTag {
    name: String,
    argument: String,
    offset: usize,
    /// Where its text begins, in bytes of the result.
    begin: usize,
}

/// An entity whose tag was closed; `argument` is its address, language, emoji or "expandable".
struct Closed {
    name: &'static str,
    argument: String,
    offset: usize,
    length: usize,
}

impl Parser<'_> {
    fn byte(&self) -> u8 {
        self.peek(0)
    }

    /// The byte `ahead` of the cursor, 0 past the end.
    fn peek(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &str {
        let begin = self.at;
        while self.at < self.source.len() && wanted(self.byte()) {
            self.at += 1;
        }
        &self.source[begin..self.at]
    }

    fn character(&mut self) {
        let character = match decode_reference(&self.source[self.at..]) {
            Some((character, length)) => {
                self.at += length;
                character
            }
            None => {
                let character = self.source[self.at..].chars().next().unwrap_or('\u{fffd}');
                self.at += character.len_utf8();
                character
            }
        };
        self.text.push(character);
        self.utf16 += character.len_utf16();
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let unclosed = || format!("Unclosed start tag at byte offset {begin}");
        self.at += 1;
        let name = self.skip_while(|b| !b.is_ascii_whitespace() && b != b'>').to_ascii_lowercase();
        if self.at == self.source.len() {
            return Err(unclosed());
        }
        if !TAGS.contains(&name.as_str()) {
            return Err(format!("Unsupported start tag \"{name}\" at byte offset {begin}"));
        }
        let mut argument = String::new();
        loop {
            self.skip_while(|b| b.is_ascii_whitespace());
            match self.byte() {
                b'>' => break,
                0 if self.at == self.source.len() => return Err(unclosed()),
                _ => self.attribute(&name, begin, &mut argument)?,
            }
        }
        self.at += 1;
        if name == "span" && argument != "spoiler" {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        if name == "tg-emoji" && !argument.parse::<u64>().is_ok_and(|id| id != 0) {
            return Err("Invalid custom emoji identifier specified".into());
        }
        self.open.push(OpenTag { name, argument, offset: self.utf16, begin: self.text.len() });
        Ok(())
    }

    fn attribute(&mut self, tag: &str, tag_begin: usize, argument: &mut String) -> Result<(), String> {
        let unclosed = || format!("Unclosed start tag at byte offset {tag_begin}");
        let name = self.skip_while(|b| !b.is_ascii_whitespace() && b != b'=' && b != b'>').to_owned();
        if name.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {tag_begin}"));
        }
        self.skip_while(|b| b.is_ascii_whitespace());
        if self.byte() != b'=' {
            if tag == "blockquote" && name.eq_ignore_ascii_case("expandable") {
                *argument = "expandable".into();
            }
            return if self.at == self.source.len() { Err(unclosed()) } else { Ok(()) };
        }
        self.at += 1;
        self.skip_while(|b| b.is_ascii_whitespace());
        let value = self.attribute_value()?;
        if self.at == self.source.len() {
            return Err(unclosed());
        }
        match (tag, name.as_str()) {
            ("a", "href") | ("tg-emoji", "emoji-id") => *argument = value,
            ("code", "class") if value.starts_with("language-") => {
                *argument = value["language-".len()..].to_owned()
            }
            ("span", "class") if value.starts_with("tg-") => *argument = value["tg-".len()..].to_owned(),
            ("blockquote", "expandable") => *argument = "expandable".into(),
            _ => {}
        }
        Ok(())
    }

    fn attribute_value(&mut self) -> Result<String, String> {
        let quote = self.byte();
        if quote != b'"' && quote != b'\'' {
            let begin = self.at;
            let token =
                self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-').to_ascii_lowercase();
            let ended =
                self.byte().is_ascii_whitespace() || self.byte() == b'>' || self.at == self.source.len();
            return if ended {
                Ok(token)
            } else {
                Err(format!("Unexpected end of name token at byte offset {begin}"))
            };
        }
        self.at += 1;
        let mut value = String::new();
        while self.at < self.source.len() && self.byte() != quote {
            let rest = &self.source[self.at..];
            let plain = || rest.chars().next().map(|c| (c, c.len_utf8()));
            let (character, length) = decode_reference(rest).or_else(plain).unwrap_or(('\u{fffd}', 1));
            value.push(character);
            self.at += length;
        }
        if self.at < self.source.len() {
            self.at += 1;
        }
        Ok(value)
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some(tag) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        self.at += 2;
        let name = self.skip_while(|b| !b.is_ascii_whitespace() && b != b'>').to_owned();
        self.skip_while(|b| b.is_ascii_whitespace());
        if self.byte() != b'>' {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        if !name.is_empty() && name != tag.name {
            let wanted = &tag.name;
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{wanted}>\", found \"</{name}>\""
            ));
        }
        self.at += 1;
        if self.utf16 > tag.offset {
            self.close(tag);
        }
        Ok(())
    }

    /// Turns a closed tag into an entity; `pre` and `code` around the same text become one.
    fn close(&mut self, tag: OpenTag) {
        let name = TAGS.into_iter().find(|known| *known == tag.name).unwrap_or("b");
        let mut argument = tag.argument;
        if name == "a" && argument.is_empty() {
            argument = self.text[tag.begin..].to_owned();
        }
        let (offset, length) = (tag.offset, self.utf16 - tag.offset);
        if let Some(inner) = self.closed.last_mut()
            && (inner.offset, inner.length) == (offset, length)
        {
            match (inner.name, name) {
                ("code", "pre") if !inner.argument.is_empty() => {
                    inner.name = "pre";
                    return;
                }
                ("pre", "code") if !argument.is_empty() => {
                    inner.argument = argument;
                    return;
                }
                _ => {}
            }
        }
        self.closed.push(Closed { name, argument, offset, length });
    }
}

impl Closed {
    /// None for a link nobody could open, which Telegram shows as plain text.
    fn entity(self) -> Option<Entity> {
        let kind = match self.name {
            "b" | "strong" => Kind::Bold,
            "i" | "em" => Kind::Italic,
            "u" | "ins" => Kind::Underline,
            "s" | "strike" | "del" => Kind::Strikethrough,
            "span" | "tg-spoiler" => Kind::Spoiler,
            "code" => Kind::Code,
            "pre" => Kind::Pre { language: Some(self.argument).filter(|language| !language.is_empty()) },
            "tg-emoji" => Kind::CustomEmoji { custom_emoji_id: self.argument },
            "blockquote" if self.argument.is_empty() => Kind::Blockquote,
            "blockquote" => Kind::ExpandableBlockquote,
            _ => Kind::link(&self.argument)?,
        };
        Some(Entity { offset: self.offset, length: self.length, kind })
    }
}

/// A character reference at the start of `text`, and its length in bytes. Telegram knows four names.
fn decode_reference(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('&')?;
    let (character, length) = if let Some(number) = rest.strip_prefix('#') {
        let (digits, radix, prefix) = match number.strip_prefix('x') {
            Some(digits) => (digits, 16, 2),
            None => (number, 10, 1),
        };
        let count = digits.bytes().take_while(|b| (*b as char).is_digit(radix)).count();
        let code = u32::from_str_radix(&digits[..count], radix).ok().filter(|code| *code != 0)?;
        (char::from_u32(code)?, prefix + count)
    } else {
        let count = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let character = match &rest[..count] {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            _ => return None,
        };
        (character, count)
    };
    let semicolon = rest[length..].starts_with(';') as usize;
    Some((character, 1 + length + semicolon))
}

/// Escapes what has a meaning in HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writes text and entities as Telegram's HTML; entities that Telegram finds by itself are left plain.
pub fn render(formatted: &Formatted) -> String {
    let mut html = String::new();
    let mut open: Vec<&Entity> = Vec::new();
    let mut waiting = formatted.entities.iter().filter(|entity| tag(&entity.kind).is_some()).peekable();
    let mut position = 0;
    for character in formatted.text.chars() {
        close_ended(&mut html, &mut open, position);
        while let Some(entity) = waiting.next_if(|entity| entity.offset <= position) {
            push_open(&mut html, entity);
            open.push(entity);
        }
        html.push_str(&escape(character.encode_utf8(&mut [0; 4])));
        position += character.len_utf16();
    }
    close_ended(&mut html, &mut open, usize::MAX);
    debug_assert_eq!(position, utf16_len(&formatted.text));
    html
}

/// Closes what ends here; what only was opened later and goes on is opened again.
fn close_ended<'a>(html: &mut String, open: &mut Vec<&'a Entity>, position: usize) {
    let Some(outermost) = open.iter().position(|entity| entity.end() <= position) else { return };
    let closing: Vec<&'a Entity> = open.drain(outermost..).collect();
    for entity in closing.iter().rev() {
        push_close(html, entity);
    }
    for entity in closing.into_iter().filter(|entity| entity.end() > position) {
        push_open(html, entity);
        open.push(entity);
    }
}

fn tag(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Bold => "b",
        Kind::Italic => "i",
        Kind::Underline => "u",
        Kind::Strikethrough => "s",
        Kind::Spoiler => "tg-spoiler",
        Kind::Code => "code",
        Kind::Pre { .. } => "pre",
        Kind::TextLink { .. } | Kind::TextMention { .. } => "a",
        Kind::Blockquote | Kind::ExpandableBlockquote => "blockquote",
        Kind::CustomEmoji { .. } => "tg-emoji",
        Kind::BotCommand | Kind::Url | Kind::Mention | Kind::Email => return None,
    })
}

fn push_open(html: &mut String, entity: &Entity) {
    let quoted = |text: &str| escape(text).replace('"', "&quot;");
    let opening = match &entity.kind {
        Kind::TextLink { url } => format!("<a href=\"{}\">", quoted(url)),
        Kind::TextMention { user } => format!("<a href=\"tg://user?id={}\">", user.id),
        Kind::Pre { language: Some(language) } => {
            format!("<pre><code class=\"language-{}\">", quoted(language))
        }
        Kind::ExpandableBlockquote => "<blockquote expandable>".into(),
        Kind::CustomEmoji { custom_emoji_id } => format!("<tg-emoji emoji-id=\"{custom_emoji_id}\">"),
        kind => format!("<{}>", tag(kind).unwrap_or("b")),
    };
    html.push_str(&opening);
}

fn push_close(html: &mut String, entity: &Entity) {
    if matches!(entity.kind, Kind::Pre { language: Some(_) }) {
        html.push_str("</code>");
    }
    html.push_str(&format!("</{}>", tag(&entity.kind).unwrap_or("b")));
}

//! Telegram's own rules for `parse_mode=HTML` (core.telegram.org/bots/api#html-style), as far as we use it.

/// Err says what Telegram would refuse.
pub fn validate(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '>', '&']) {
        rest = &rest[at..];
        if rest.starts_with('&') {
            let known = ["&lt;", "&gt;", "&amp;", "&quot;"].iter().find(|entity| rest.starts_with(**entity));
            rest = &rest[known.ok_or_else(|| format!("bare & at {rest:.20}"))?.len()..];
        } else if rest.starts_with('>') {
            return Err(format!("bare > at {rest:.20}"));
        } else {
            let (tag, after) = rest[1..].split_once('>').ok_or("unclosed tag")?;
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                let top = open.pop();
                if top != Some(name) {
                    return Err(format!("</{name}> closes {top:?}"));
                }
            } else if ["b", "i", "code", "pre"].contains(&tag) {
                if open.iter().any(|outer| ["code", "pre"].contains(outer)) {
                    return Err(format!("<{tag}> inside typewriter letters"));
                }
                open.push(tag);
            } else {
                return Err(format!("unknown tag <{tag}>"));
            }
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("never closed: {open:?}")) }
}

//! Reading variables one after another while collecting everything that is wrong.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use reqwest::Url;

/// One variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub variable: &'static str,
    /// What was there; for a secret only what is wrong with it.
    pub found: String,
    /// What should be there, with an example.
    pub expected: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}; expected {}", self.variable, self.found, self.expected)
    }
}

/// Everything that is wrong with the configuration, in the order it was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n{}", lines(.problems))]
pub struct ConfigError {
    pub problems: Vec<Problem>,
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n")
}

/// Reads a part of the configuration to its end, then fails if anything in it was wrong.
pub(super) fn all<T>(
    lookup: &dyn Fn(&str) -> Option<String>,
    read: impl FnOnce(&mut Reader) -> Option<T>,
) -> Result<T, ConfigError> {
    let mut reader = Reader { lookup, problems: Vec::new() };
    match read(&mut reader) {
        Some(value) if reader.problems.is_empty() => Ok(value),
        _ => Err(ConfigError { problems: reader.problems }),
    }
}

/// Every method answers `None` after noting a problem, so that a caller reads all its variables before `?`.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    /// Notes that `variable` cannot be used.
    pub fn refuse(&mut self, variable: &'static str, found: impl Into<String>, expected: impl Into<String>) {
        self.problems.push(Problem { variable, found: found.into(), expected: expected.into() });
    }

    fn value(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        let trimmed = value.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    fn missing<T>(&mut self, name: &'static str, expected: &str) -> Option<T> {
        let found = if (self.lookup)(name).is_some() { "is empty" } else { "is not set" };
        self.refuse(name, found, expected);
        None
    }

    /// A variable that may be left out.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let Some(text) = self.value(name) else { return Some(None) };
        let parsed = parse(&text);
        if parsed.is_none() {
            self.refuse(name, shown(&text), expected);
        }
        parsed.map(Some)
    }

    /// A variable with a default.
    pub fn or<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        default: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.optional(name, expected, parse).map(|value| value.unwrap_or(default))
    }

    /// A variable that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        match self.optional(name, expected, parse)? {
            Some(value) => Some(value),
            None => self.missing(name, expected),
        }
    }

    /// A secret that may be left out; `parse` tells what is wrong without telling the value.
    pub fn optional_secret<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        let Some(text) = self.value(name) else { return Some(None) };
        match parse(&text) {
            Ok(value) => Some(Some(value)),
            Err(found) => {
                self.refuse(name, found, expected);
                None
            }
        }
    }

    /// A secret that must be there.
    pub fn secret<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.optional_secret(name, expected, parse)? {
            Some(value) => Some(value),
            None => self.missing(name, expected),
        }
    }

    /// A whole number; `what` names its unit.
    pub fn number<T>(
        &mut self,
        name: &'static str,
        what: &str,
        range: RangeInclusive<T>,
        default: T,
    ) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let expected = format!("{what}: a whole number from {} to {}", range.start(), range.end());
        let expected = format!("{expected}, such as {default}");
        self.or(name, &expected, default, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str, default: bool) -> Option<bool> {
        self.or(name, "true or false", default, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        })
    }
}

/// A base address: http(s), no user, no query, no fragment; a slash at its end makes no difference. For
/// [`Reader::secret`], as addresses are where passwords get pasted.
pub(super) fn base_url(text: &str) -> Result<Url, String> {
    if text.contains(['@', '?', '#']) {
        return Err("is set but holds one of @ ? #".into());
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(shown(text)),
    }
}

/// A value that should be no secret, cut to a readable length; one that looks like a secret in the wrong place
/// is not shown.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let of_a_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    if text.split(|c| !of_a_key(c)).any(|word| word.len() >= 20) {
        return "is something long that may be a secret".to_owned();
    }
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("is {short:?}{more}")
}

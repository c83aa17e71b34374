//! Who runs the house.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use reqwest::Url;

use super::entries;
use super::read::Reader;
use crate::ids::UserId;

#[derive(Clone, Debug)]
pub struct PeopleConfig {
    /// `SUPERADMIN_TELEGRAM_IDS`, at least one: alerts go to people, not only into a log.
    pub superadmins: BTreeSet<UserId>,
    /// `ADMIN_TELEGRAM_IDS`.
    pub admins: BTreeSet<UserId>,
    /// `SUPPORT_CONTACT`: shown to people who need a human.
    pub support_contact: Option<Contact>,
    /// `TERMS_URL`: the operator's own terms, in place of those in the texts.
    pub terms_url: Option<Url>,
}

/// Where a human can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// At Telegram, without the `@`.
    Username(String),
    /// An https address.
    Link(String),
    Email(String),
}

impl Display for Contact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Contact::Username(name) => write!(f, "@{name}"),
            Contact::Link(text) | Contact::Email(text) => f.write_str(text),
        }
    }
}

impl Contact {
    const EXPECTED: &'static str =
        "a @username of Telegram, an https:// link or an e-mail address, such as @usipipo_support";

    fn parse(text: &str) -> Option<Self> {
        if text.len() > 200 || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        if let Some(name) = text.strip_prefix('@') {
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            return ((4..=32).contains(&name.len()) && plain).then(|| Contact::Username(name.to_owned()));
        }
        if text.contains("://") {
            let url = Url::parse(text).ok()?;
            let public = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
            return (public && url.has_host()).then(|| Contact::Link(url.into()));
        }
        let (who, host) = text.split_once('@')?;
        let of = |text: &str, marks: &[u8]| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || marks.contains(&b))
        };
        let named = of(who, b"._+-") && of(host, b".-") && host.split('.').count() > 1;
        (named && host.split('.').all(|part| !part.is_empty())).then(|| Contact::Email(text.to_owned()))
    }
}

impl PeopleConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let ids = "a comma list of Telegram user ids, such as 123456789 (@userinfobot tells yours)";
        let superadmins = env
            .required("SUPERADMIN_TELEGRAM_IDS", ids, |list| parse_ids(list).filter(|ids| !ids.is_empty()));
        let admins = env.or("ADMIN_TELEGRAM_IDS", ids, BTreeSet::new(), parse_ids);
        let support_contact = env.optional("SUPPORT_CONTACT", Contact::EXPECTED, Contact::parse);
        let terms = "an https address, such as https://example.com/terms";
        let terms_url = env.optional("TERMS_URL", terms, |text| {
            Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host())
        });
        Some(Self {
            superadmins: superadmins?,
            admins: admins?,
            support_contact: support_contact?,
            terms_url: terms_url?,
        })
    }
}

fn parse_ids(list: &str) -> Option<BTreeSet<UserId>> {
    let id = |entry: &str| entry.parse().ok().filter(|id: &i64| *id > 0).map(UserId);
    entries(list).map(id).collect()
}

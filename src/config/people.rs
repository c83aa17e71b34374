//! Who runs the house.

use std::collections::BTreeSet;

use super::entries;
use super::read::Reader;
use crate::ids::UserId;

#[derive(Clone, Debug)]
pub struct PeopleConfig {
    /// `SUPERADMIN_TELEGRAM_IDS`, at least one: alerts go to people, not only into a log.
    pub superadmins: BTreeSet<UserId>,
    /// `ADMIN_TELEGRAM_IDS`.
    pub admins: BTreeSet<UserId>,
    /// `SUPPORT_CONTACT`: shown to people who need a human; a @name, an address or a link.
    pub support_contact: Option<String>,
}

impl PeopleConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let ids = "a comma list of Telegram user ids, such as 123456789 (@userinfobot tells yours)";
        let superadmins = env
            .required("SUPERADMIN_TELEGRAM_IDS", ids, |list| parse_ids(list).filter(|ids| !ids.is_empty()));
        let admins = env.or("ADMIN_TELEGRAM_IDS", ids, BTreeSet::new(), parse_ids);
        let contact = "at most 100 characters on one line, such as @usipipo_support";
        let support_contact = env.optional("SUPPORT_CONTACT", contact, |text| {
            let fits = text.chars().count() <= 100 && !text.chars().any(char::is_control);
            fits.then(|| text.to_owned())
        });
        Some(Self { superadmins: superadmins?, admins: admins?, support_contact: support_contact? })
    }
}

fn parse_ids(list: &str) -> Option<BTreeSet<UserId>> {
    let id = |entry: &str| entry.parse().ok().filter(|id: &i64| *id > 0).map(UserId);
    entries(list).map(id).collect()
}

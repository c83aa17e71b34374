//! The bots that one server hosts.

text_enum! {
    /// A bot of the house; each has its own token, route, menus and lanes.
    Bot {
        Client = "client",
        Support = "support",
        Admin = "admin",
    }
}

text_enum! {
    /// A language that every text exists in.
    Language {
        Es = "es",
        En = "en",
        Ru = "ru",
    }
}

impl Language {
    /// From an IETF tag as Telegram sends it (`es`, `pt-br`, `ru-RU`); None for a language we have no texts in.
    pub fn from_tag(tag: &str) -> Option<Self> {
        tag.split(['-', '_']).next()?.to_ascii_lowercase().parse().ok()
    }
}

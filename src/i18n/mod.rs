//! Texts in Spanish, English and Russian (Fluent, `locales/`), compiled into the binary and parsed once. A text
//! that is missing is never a panic: Spanish stands in, then the key itself, and it is logged and counted. The
//! tests hold the languages and the keys used in the code together.

mod args;
mod format;
pub mod html;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;
use unic_langid::LanguageIdentifier;

pub use crate::args;
use crate::models::bot::Language;
pub use args::{Args, Value};
pub use html::Html;

macro_rules! sources {
    ($language:literal: $($area:literal),*) => {
        &[$((
            concat!($language, "/", $area, ".ftl"),
            include_str!(concat!("../../locales/", $language, "/", $area, ".ftl")),
        )),*]
    };
    ($($language:literal),*) => {
        [$(sources!($language: "common", "menu", "shop", "vpn", "account", "admin", "notices", "commands")),*]
    };
}

/// A Fluent file: its path below `locales/` and its content.
pub type Source = (&'static str, &'static str);

/// The Fluent files of a language.
pub fn sources(language: Language) -> &'static [Source] {
    static SOURCES: [&[Source]; 3] = sources!("es", "en", "ru");
    let [es, en, ru] = SOURCES;
    match language {
        Language::Es => es,
        Language::En => en,
        Language::Ru => ru,
    }
}

/// All texts of one language.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

static ALL: LazyLock<[Texts; 3]> =
    LazyLock::new(|| [Texts::parse(Language::Es), Texts::parse(Language::En), Texts::parse(Language::Ru)]);

static MISSING: AtomicU64 = AtomicU64::new(0);

/// How often a text or one of its values was missing since the start; anything but 0 is a bug.
pub fn missing_texts() -> u64 {
    MISSING.load(Ordering::Relaxed)
}

impl Texts {
    /// The texts of a language, parsed at the first call.
    pub fn of(language: Language) -> &'static Texts {
        let [es, en, ru] = &*ALL;
        match language {
            Language::Es => es,
            Language::En => en,
            Language::Ru => ru,
        }
    }

    pub fn language(&self) -> Language {
        self.language
    }

    /// A text without values.
    pub fn text(&self, key: &str) -> Html {
        self.render(key, None)
    }

    /// A text with values.
    pub fn with(&self, key: &str, args: Args) -> Html {
        self.render(key, Some(args))
    }

    /// A text for a place that shows no tags: a button, an alert.
    pub fn label(&self, key: &str) -> String {
        self.text(key).to_plain()
    }

    /// Like [`Texts::label`], with values.
    pub fn label_with(&self, key: &str, args: Args) -> String {
        self.with(key, args).to_plain()
    }

    /// A person's name as it may be shown, or the language's word for "friend".
    pub fn person(&self, name: &str) -> Html {
        Html::name(name).unwrap_or_else(|| self.text("friend"))
    }

    fn render(&self, key: &str, args: Option<Args>) -> Html {
        if let Some(text) = self.find(key, args.as_ref()) {
            return text;
        }
        note_missing(self.language, key);
        let stand_in = Texts::of(Language::Es).find(key, args.as_ref());
        stand_in.unwrap_or_else(|| Html::escape(key))
    }

    fn find(&self, key: &str, args: Option<&Args>) -> Option<Html> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args.map(|a| &a.0), &mut errors);
        if !errors.is_empty() {
            note_missing(self.language, key);
        }
        Some(Html::trusted(text.into_owned()))
    }

    fn parse(language: Language) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![identifier(language)]);
        // The marks would show as boxes on old phones; names that need them bring their own (Html::name).
        bundle.set_use_isolating(false);
        for (path, content) in sources(language) {
            let resource =
                FluentResource::try_new((*content).to_owned()).unwrap_or_else(|(usable, errors)| {
                    tracing::error!(path, ?errors, "a locale file is damaged");
                    usable
                });
            if let Err(errors) = bundle.add_resource(resource) {
                tracing::error!(path, ?errors, "a text is defined twice");
            }
        }
        Self { language, bundle }
    }
}

fn note_missing(language: Language, key: &str) {
    MISSING.fetch_add(1, Ordering::Relaxed);
    tracing::error!(%language, key, "a text or one of its values is missing");
}

fn identifier(language: Language) -> LanguageIdentifier {
    language.as_str().parse().expect("two letters are a language tag")
}

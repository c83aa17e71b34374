//! /language: the languages, each in its own words.

use super::{Rows, Screen, button, parts};
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Texts, args};
use crate::models::bot::Language;

/// `t` is the language that is chosen now.
pub fn languages(t: &Texts) -> Screen {
    let choice = |language: &Language| {
        let name = parts::language_name(t, *language);
        let text = if *language == t.language() {
            t.label_with("language-chosen", args! { "language" => name })
        } else {
            name.to_plain()
        };
        button(text, Callback::SetLanguage(*language))
    };
    let rows = Rows::default().column(Language::ALL.iter().map(choice)).home(t);
    Screen::new(t.text("language-title"), rows)
}

/// For the alert after a choice; `t` is the new language.
pub fn language_changed(t: &Texts) -> String {
    t.label("language-changed")
}

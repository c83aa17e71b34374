//! The texts: the same keys with the same values in every language, every key that the code names, real plural
//! rules, and one way only for a value to get into a message.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::Duration;
use usipipo::args;
use usipipo::clock::Timestamp;
use usipipo::i18n::html::clean_name;
use usipipo::i18n::{Html, Texts, sources};
use usipipo::models::audit::Action;
use usipipo::models::bot::Language;

/// Keys of a language with the names of the values that each uses.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, content) in sources(language) {
        let mut current = None;
        for line in content.lines() {
            let key = line.split_once(" =").map(|(key, _)| key).filter(|k| is_key(k));
            if let Some(key) = key {
                let new = messages.insert(key.to_owned(), BTreeSet::new()).is_none();
                assert!(new, "{path}: {key} is defined twice");
                current = Some(key.to_owned());
            }
            if let Some(current) = current.as_ref().filter(|_| !line.starts_with('#')) {
                messages.get_mut(current).unwrap().extend(variables(line));
            }
        }
    }
    messages
}

fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn variables(line: &str) -> impl Iterator<Item = String> {
    line.split('$')
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>())
}

/// Keys that the source names in a call of the texts, or as the description of a command.
fn used_keys(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            used_keys(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for call in ["text(", "label(", "with(", "label_with("] {
                for receiver in ["t.", "self."] {
                    keys_of_calls(&source, &format!("{receiver}{call}"), found);
                }
            }
        }
    }
}

fn keys_of_calls(source: &str, call: &str, found: &mut BTreeSet<String>) {
    for (at, _) in source.match_indices(call) {
        let part_of_a_name = source[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let argument = source[at + call.len()..].trim_start();
        if let Some((key, _)) = argument.strip_prefix('"').and_then(|rest| rest.split_once('"'))
            && !part_of_a_name
            && is_key(key)
        {
            found.insert(key.to_owned());
        }
    }
}

#[test]
fn every_language_has_the_same_texts_with_the_same_values() {
    let spanish = messages(Language::Es);
    for language in [Language::En, Language::Ru] {
        let other = messages(language);
        for (key, variables) in &spanish {
            assert_eq!(other.get(key), Some(variables), "{key} in {language}");
        }
        let more: Vec<_> = other.keys().filter(|k| !spanish.contains_key(*k)).collect();
        assert!(more.is_empty(), "{language} has texts that Spanish lacks: {more:?}");
    }
}

#[test]
fn every_key_in_the_code_exists_and_no_text_is_unused() {
    let mut used = BTreeSet::new();
    used_keys(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut used);
    let known: BTreeSet<String> = messages(Language::Es).into_keys().collect();
    let missing: Vec<_> = used.difference(&known).collect();
    assert!(missing.is_empty(), "keys without a text: {missing:?}");
    let idle: Vec<_> = known.difference(&used).collect();
    assert!(idle.is_empty(), "texts that nobody shows: {idle:?}");
}

#[test]
fn everything_that_is_noted_has_its_words_in_mylogs() {
    for language in Language::ALL {
        let t = Texts::of(*language);
        for action in Action::ALL {
            let words = t.with("logs-action", args! { "action" => action.as_str() });
            assert_ne!(words.as_str(), action.as_str(), "{action} in {language}");
        }
    }
}

#[test]
fn plurals_follow_the_rules_of_each_language() {
    let days = |language, n: i64| Texts::of(language).days(n).into_string();
    assert_eq!(days(Language::Es, 1), "1 día");
    assert_eq!(days(Language::Es, 2), "2 días");
    assert_eq!(days(Language::En, 1), "1 day");
    assert_eq!(days(Language::En, 0), "0 days");
    let russian =
        [(1, "1 день"), (3, "3 дня"), (5, "5 дней"), (11, "11 дней"), (21, "21 день"), (112, "112 дней")];
    for (n, expected) in russian {
        assert_eq!(days(Language::Ru, n), expected);
    }
}

#[test]
fn times_and_sizes_read_naturally() {
    let (es, en, ru) = (Texts::of(Language::Es), Texts::of(Language::En), Texts::of(Language::Ru));
    let at = Timestamp::from_unix(1_796_481_000); // 2026-12-05T14:30:00Z
    assert_eq!(es.moment(at).as_str(), "5 dic 2026, 14:30 UTC");
    assert_eq!(en.moment(at).as_str(), "5 Dec 2026, 14:30 UTC");
    assert_eq!(ru.moment(at).as_str(), "5 дек. 2026, 14:30 UTC");

    assert_eq!(en.span(Duration::days(7) - Duration::seconds(5)).as_str(), "7 days");
    assert_eq!(en.span(Duration::hours(47)).as_str(), "47 hours");
    assert_eq!(en.span(Duration::minutes(89)).as_str(), "89 min");
    assert_eq!(en.span(Duration::seconds(-5)).as_str(), "1 min");
    assert_eq!(es.ago(at, at + Duration::hours(3)).as_str(), "hace 3 horas");
    assert_eq!(ru.ago(at, at + Duration::seconds(5)).as_str(), "только что");

    assert_eq!(es.when(at, at + Duration::hours(23)).as_str(), "hace 23 horas");
    assert_eq!(
        en.when(at, at + Duration::hours(24)).as_str(),
        "5 Dec 2026",
        "no time of day: theirs is unknown"
    );

    let sizes = [
        (0, "0 KB"),
        (1_023, "0.9 KB"),
        (1_000 << 20, "1000 MB"),
        (3 << 29, "1.5 GB"),
        (50 << 30, "50 GB"),
        (2_400 << 30, "2400 GB"),
        (u64::MAX, "16777215 TB"),
    ];
    for (bytes, expected) in sizes {
        assert_eq!(en.bytes(bytes).as_str(), expected);
    }
    assert_eq!(ru.bytes(3 << 29).as_str(), "1,5 ГБ");
    assert_eq!(es.traffic(None).as_str(), "datos ilimitados");
}

#[test]
fn a_missing_text_shows_its_key_and_is_counted() {
    let before = usipipo::i18n::missing_texts();
    assert_eq!(Texts::of(Language::Ru).text("no-such-key").as_str(), "no-such-key");
    assert!(usipipo::i18n::missing_texts() > before);
}

#[test]
fn values_are_escaped_once_and_labels_show_them_as_they_are() {
    let en = Texts::of(Language::En);
    let shown = en.with("ago", args! { "span" => "<b>3 & 4</b>" });
    assert_eq!(shown.as_str(), "&lt;b&gt;3 &amp; 4&lt;/b&gt; ago");
    assert_eq!(shown.to_plain(), "<b>3 & 4</b> ago");
    let again = en.with("ago", args! { "span" => shown });
    assert_eq!(again.to_plain(), "<b>3 & 4</b> ago ago");
    assert_eq!(Html::code("<&>").to_plain(), "<&>");
}

#[test]
fn hostile_names_are_harmless() {
    assert_eq!(clean_name("  Ana \n María\t", 32), "Ana María");
    assert_eq!(clean_name("\u{202E}evil\u{2066}\u{200B}\u{0007}", 32), "evil");
    assert_eq!(clean_name("\u{200B}\u{3164}\u{202E}\u{2800} ", 32), "");
    assert_eq!(clean_name("👨\u{200D}👩\u{200D}👧", 32), "👨\u{200D}👩\u{200D}👧");
    assert_eq!(clean_name("a\u{200D}b\u{200D}", 32), "ab");
    assert_eq!(clean_name(&"ñ".repeat(4096), 32).chars().count(), 32);
    assert_eq!(Html::name("<b>x</b> & co").unwrap().as_str(), "&lt;b&gt;x&lt;/b&gt; &amp; co");
    assert_eq!(Html::name("محمد").unwrap().as_str(), "\u{2068}محمد\u{2069}");
    for (language, friend) in [(Language::Es, "amigo"), (Language::En, "friend"), (Language::Ru, "друг")]
    {
        assert_eq!(Texts::of(language).person("\u{200B} ").as_str(), friend);
    }
}

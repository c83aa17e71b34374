//! Names and texts from people: whatever they hold is stored as it is, and shown so that it changes nothing around it.

use chrono::TimeDelta;
use usipipo::demo::telegram::{PersonHandle, PersonSpec};

use super::Scene;
use crate::support::town::BOT;

/// Nobody is asked to slow down.
const HASTE: (&str, &str) = ("USER_ACTIONS_PER_MINUTE", "6000");

/// A name, and how it is shown.
const NAMES: &[(&str, &str)] = &[
    ("<b>Ana</b>", "<b>Ana</b>"),
    ("<a href=\"tg://user?id=1\">Boss</a>", "<a href=\"tg://user?id=1\">Boss</…"),
    ("</b></code></pre>&lt;&amp;", "</b></code></pre>&lt;&amp;"),
    ("Ana & \"Eva\" <3", "Ana & \"Eva\" <3"),
    ("\u{202e}anA\u{202c}", "anA"),
    ("A\u{200f}n\u{2067}a\u{2069}", "Ana"),
    ("محمد", "\u{2068}محمد\u{2069}"),
    ("👩‍👩‍👧‍👦🇨🇺💜", "👩‍👩‍👧‍👦🇨🇺💜"),
    ("A\0n\u{1b}[31ma\r\n", "An[31ma"),
    ("{ $name } { -brand }", "{ $name } { -brand }"),
    ("%s %n {0}", "%s %n {0}"),
    ("'; DROP TABLE users; --", "'; DROP TABLE users; --"),
];

/// Somebody of this name, who has said /start.
async fn newcomer(scene: &Scene, id: i64, name: &str) -> PersonHandle {
    let spec = PersonSpec { last_name: Some(name.to_owned()), ..PersonSpec::new(id, name, "en") };
    let person = scene.town.telegram.person(spec);
    person.send_text(BOT, "/start").unwrap();
    scene.town.quiet().await;
    person
}

/// What a bot said last to a person: the text, and the same as HTML.
async fn last_words(scene: &Scene, person: &PersonHandle, question: &str) -> (String, String) {
    // The pause between two messages in a chat is over.
    scene.town.clock.advance(TimeDelta::seconds(2));
    let asked = person.send_text(BOT, question).unwrap();
    let answer = person
        .wait_for(BOT, &format!("an answer to {question:.30}"), |chat| {
            chat.messages.iter().find(|it| it.from_bot && it.id > asked).cloned()
        })
        .await;
    let waiting = scene.town.waiting().await;
    let answer = answer.unwrap_or_else(|error| panic!("{}; there wait: {waiting:.300?}", error.brief()));
    assert!(answer.text.encode_utf16().count() <= 4096);
    scene.town.quiet().await;
    (answer.text, answer.html)
}

async fn no_message_was_refused(scene: &Scene) {
    let refused = "SELECT CONCAT(body, ' ', error) FROM outbound_messages WHERE status <> 'done'";
    let refused = scene.town.column(refused).await;
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(scene.dead().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_stored_as_it_is_and_shown_as_a_name() {
    let scene = Scene::with(&[HASTE]).await;
    let boss = newcomer(&scene, 1, "Boss").await;
    for (id, (name, shown)) in (1000..).zip(NAMES) {
        let person = newcomer(&scene, id, name).await;
        let stored = format!("SELECT HEX(first_name) FROM users WHERE id = {id}");
        assert_eq!(scene.town.column(&stored).await, [hex::encode_upper(name)], "{name:?}");
        let (text, html) = last_words(&scene, &person, "/profile").await;
        assert!(text.contains(shown), "{name:?} in {text}");
        assert!(!html.contains("<a "), "{name:?} became a link: {html}");
        let (text, html) = last_words(&scene, &boss, &format!("/whois {id}")).await;
        let start: String = shown.trim_matches(['\u{2068}', '\u{2069}']).chars().take(4).collect();
        assert!(text.contains(&start) && !html.contains("tg://user?id=1\">"), "{name:?} in {html}");
        for line in text.lines() {
            assert!(!line.contains(['\u{202e}', '\u{202c}', '\u{200f}', '\0', '\u{1b}']), "{line:?}");
        }
        let (people, _) = last_words(&scene, &boss, "/users").await;
        assert!(people.contains(&start), "{name:?} in {people}");
    }
    // Of nothing visible, something is said all the same.
    for (id, name) in (2000..).zip(["", " ", "\u{200b}\u{2060}", "\u{3164}"]) {
        let person = newcomer(&scene, id, name).await;
        let (text, _) = last_words(&scene, &person, "/profile").await;
        assert!(text.contains(&id.to_string()), "{name:?} in {text}");
    }
    no_message_was_refused(&scene).await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_longer_than_telegrams_are_cut_and_lose_nobody() {
    let scene = Scene::with(&[HASTE]).await;
    let longest = "💜".repeat(300);
    let spec = PersonSpec {
        last_name: Some("<".repeat(5000)),
        username: Some("u".repeat(500)),
        language_code: Some("x".repeat(500)),
        ..PersonSpec::new(1000, &longest, "en")
    };
    let person = scene.town.telegram.person(spec);
    person.send_text(BOT, "/start").unwrap();
    let (text, _) = last_words(&scene, &person, "/profile").await;
    assert!(text.contains("💜💜💜"), "{text}");
    let boss = newcomer(&scene, 1, "Boss").await;
    last_words(&scene, &boss, "/whois 1000").await;
    let stored = "SELECT CAST(CHAR_LENGTH(first_name) AS SIGNED) FROM users WHERE id = 1000";
    assert_eq!(scene.town.numbers(stored).await, [255]);
    no_message_was_refused(&scene).await;
    scene.close().await;
}

/// Texts of 4,096 units, as long as Telegram lets them be.
fn texts() -> Vec<String> {
    ["<", "&", "\"", "x", "\0", "\u{202e}", "/", "ñ", "م"]
        .iter()
        .map(|unit| unit.repeat(4096))
        .chain(["💜".repeat(2048), "a\n".repeat(2048), "</b>".repeat(1024), "<b><i>".repeat(682)])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_texts_are_answered_and_kept() {
    let scene = Scene::with(&[HASTE]).await;
    let boss = newcomer(&scene, 1, "Boss").await;
    for (id, text) in (1000..).zip(texts()) {
        let person = newcomer(&scene, id, "Ana").await;
        let (answer, _) = last_words(&scene, &person, &text).await;
        assert!(!answer.is_empty());
        let body = "SELECT HEX(body) FROM inbound_events ORDER BY id DESC LIMIT 1";
        let body = hex::decode(scene.town.column(body).await.concat()).unwrap();
        let update: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(update["message"]["text"] == text.trim_end(), "as it came: {text:.20}");
        // As an argument of what takes one.
        let head: String = text.chars().filter(|c| *c != '\n').take(2000).collect();
        last_words(&scene, &person, &format!("/start {head}")).await;
        for command in ["/whois", "/refund", "/grantrole 1"] {
            last_words(&scene, &boss, &format!("{command} {head}")).await;
        }
    }
    no_message_was_refused(&scene).await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_is_called_what_its_owner_likes() {
    let scene = Scene::with(&[HASTE]).await;
    let person = newcomer(&scene, 1000, "Ana").await;
    let press = async |data: &str| {
        scene.town.clock.advance(TimeDelta::seconds(2));
        person.press_data(BOT, 1, data).unwrap();
        assert!(scene.town.telegram.delivered().await);
        scene.town.quiet().await;
    };
    press("trial-take:outline").await;
    person.wait_for_text(BOT, "ss://").await.unwrap();
    let name = async || scene.town.column("SELECT HEX(name) FROM vpn_configs").await.concat();
    let first = name().await;
    press("cfg-name:1").await;
    for text in texts() {
        last_words(&scene, &person, &text).await;
        assert_eq!(name().await, first, "{text:.20} is no name");
    }
    for (given, kept) in [
        ("<b>home</b>", "<b>home</b>"),
        ("  my \n phone\t", "my phone"),
        ("tél\0éphone", "téléphone"),
        ("💜".repeat(32).as_str(), "💜".repeat(32).as_str()),
    ] {
        press("cfg-name:1").await;
        let (answer, _) = last_words(&scene, &person, given).await;
        assert_eq!(name().await, hex::encode_upper(kept), "{given:?}");
        assert!(answer.contains(kept), "{given:?} in {answer}");
        press("vpn").await;
        press("cfg-text:1").await;
        press("cfg-qr:1").await;
    }
    no_message_was_refused(&scene).await;
    scene.close().await;
}

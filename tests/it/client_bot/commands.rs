//! Every command in every language; what is no command; /cancel.

use serde_json::json;
use usipipo::handlers::bots::commands::Command;
use usipipo::handlers::bots::screens::{Reply, reply_text};
use usipipo::i18n::args;
use usipipo::models::bot::Language;
use usipipo::models::outgoing::{Body, Class};

use super::{ANA, BOSS, BRUNO, House, Person, message};

/// A text that the screen of a command shows, by its key.
fn shows(command: Command) -> &'static str {
    match command {
        Command::Start => "home-button-profile",
        Command::Vpn => "vpn-title",
        Command::Plans => "plans-title",
        Command::Trial => "trial-title",
        Command::Profile => "profile-no-subscription",
        Command::Status => "status-title",
        Command::Help => "help-title",
        Command::Language => "language-title",
        Command::PaySupport => "paysupport",
        Command::MyLogs => "logs-title",
        Command::MyRoles => "roles-title",
        Command::Terms => "terms",
        Command::Privacy => "privacy",
        Command::Cancel => "reply-nothing-to-cancel",
        Command::Users => "users-title",
        Command::Stats => "stats-title",
        Command::Audit => "audit-title",
        Command::Reviews => "reviews-title",
        Command::Whois | Command::Refund | Command::GrantRole | Command::RevokeRole => "usage",
        Command::Ban | Command::Unban => "usage",
    }
}

#[tokio::test]
async fn every_command_answers_in_every_language() {
    for language in Language::ALL {
        let boss = BOSS.speaking(*language);
        let t = boss.texts();
        let house = House::with_servers().await;
        for command in Command::ALL {
            let said = house.says(boss, &format!("/{command}")).await;
            let [(chat, Class::Interactive, Body::Text { html, keyboard: Some(keyboard) })] = &said.0[..]
            else {
                panic!("/{command}: {said:?}")
            };
            assert_eq!(*chat, boss.id);
            let expected = match shows(*command) {
                "home-button-profile" => {
                    let labels: Vec<&str> = keyboard.0.iter().flatten().map(|b| b.text.as_str()).collect();
                    assert!(labels.contains(&t.label("home-button-profile").as_str()), "{labels:?}");
                    continue;
                }
                "usage" => command.description(t),
                "users-title" => t.with("users-title", args! { "total" => 1u64 }).into_string(),
                key => t.text(key).into_string(),
            };
            assert!(html.contains(&expected), "/{command} in {language} has no {expected:?}:\n{html}");
        }
    }
    assert_eq!(usipipo::i18n::missing_texts(), 0);
}

#[tokio::test]
async fn a_command_is_known_in_capitals_and_with_the_bots_name() {
    let house = House::new().await;
    let plans = house.says(ANA, "/plans").await.html().to_owned();
    for spelled in ["/PLANS", "/plans@usipipo_test_bot", "/plans@USIPIPO_test_bot now", "/plans\nnow"] {
        assert_eq!(house.says(ANA, spelled).await.html(), plans, "{spelled}");
    }
}

#[tokio::test]
async fn what_is_no_command_gets_a_hint_and_the_menu() {
    let house = House::new().await;
    let hint = |reply| reply_text(ANA.texts(), &reply).into_string();
    for text in ["/", "/nosuch", "/привет", "/plans@other_bot", "/whois 1", "/stats", "/grantrole 1 admin"]
    {
        let said = house.says(ANA, text).await;
        assert!(said.html().starts_with(&hint(Reply::UnknownCommand)), "{text}: {said:?}");
        assert!(said.buttons().contains(&"plans".to_owned()), "the menu follows");
    }
    for text in ["hello", "¿?", "<b>", &"x".repeat(4096), "\u{202e}abc\0"] {
        let said = house.says(ANA, text).await;
        assert!(said.html().starts_with(&hint(Reply::NotUnderstood)), "{text}: {said:?}");
        assert!(said.buttons().contains(&"plans".to_owned()));
    }
}

#[tokio::test]
async fn an_album_gets_one_hint() {
    let house = House::new().await;
    let photo = json!({ "photo": [{ "file_id": "a", "file_unique_id": "b", "width": 1, "height": 1 }] });
    assert_eq!(house.client(message(ANA, photo.clone())).await.0.len(), 1);
    assert!(house.client(message(ANA, photo)).await.nothing());
}

#[tokio::test]
async fn service_messages_and_edits_want_no_answer() {
    let house = House::new().await;
    let pin = json!({ "pinned_message": { "message_id": 1, "chat": ANA.chat(), "date": 0 } });
    assert!(house.client(message(ANA, pin)).await.nothing());
    let mut edited = message(BRUNO, json!({ "text": "/plans" }));
    edited["edited_message"] = edited["message"].take();
    edited.as_object_mut().unwrap().remove("message");
    assert!(house.client(edited).await.nothing());
    assert!(house.user(BRUNO).await.is_some(), "but the person is known from now on");
}

#[tokio::test]
async fn bots_are_not_answered() {
    let house = House::new().await;
    let mut update = message(ANA, json!({ "text": "/start" }));
    update["message"]["from"]["is_bot"] = true.into();
    assert!(house.client(update).await.nothing());
    assert!(house.user(ANA).await.is_none());
}

#[tokio::test]
async fn names_cannot_smuggle_tags() {
    let house = House::with_servers().await;
    let hostile = Person { name: "<b>x</b>&\u{202e}\"", ..ANA };
    for text in ["/start", "/profile", "/nosuch"] {
        let said = house.says(hostile, text).await;
        assert!(!said.html().contains("<b>x"), "{}", said.html());
        assert!(!said.html().contains('\u{202e}'));
    }
    assert!(house.says(hostile, "/start").await.html().contains("&lt;b&gt;x&lt;/b&gt;&amp;"));
    let said = house.says(BOSS, &format!("/whois {}", hostile.id)).await;
    assert!(said.html().contains("&lt;b&gt;x"), "{}", said.html());
    let nameless = Person { id: 9, name: "", ..ANA };
    assert!(house.says(nameless, "/start").await.html().contains(&ANA.texts().label("friend")));
}

#[tokio::test]
async fn the_language_follows_the_person_and_the_button() {
    let house = House::new().await;
    let polish = Person { language: "pl-PL", ..ANA };
    house.says(polish, "/start").await;
    assert_eq!(house.user(ANA).await.unwrap().language, Language::Es, "DEFAULT_LANGUAGE");
    let said = house.presses(polish, "lang:ru").await;
    assert_eq!(house.user(ANA).await.unwrap().language, Language::Ru);
    let russian = ANA.speaking(Language::Ru).texts();
    assert_eq!(said.alert(), Some(russian.label("language-changed").as_str()));
    assert!(house.says(polish, "/terms").await.html().contains(&russian.text("terms").into_string()));
    assert_eq!(house.works.audited("language_set").await.len(), 1);
}

#[tokio::test]
async fn the_history_shows_what_the_person_did() {
    let house = House::with_servers().await;
    house.trial(ANA, usipipo::models::vpn::Protocol::Outline).await;
    let empty = ANA.texts().text("none").into_string();
    assert!(!house.says(ANA, "/mylogs").await.html().contains(&empty));
    assert!(house.presses(ANA, "mylogs:4294967295").await.html().contains(&empty), "a page that nobody has");
}

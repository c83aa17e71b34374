//! What people type, and what their apps send for a press: commands, names, amounts, callback data.

use serde_json::json;
use usipipo::handlers::bots::callback::{Callback, MAX_BYTES};
use usipipo::handlers::bots::commands::Command;
use usipipo::handlers::bots::screens::admin::{self, RoleChange};
use usipipo::i18n::Texts;
use usipipo::i18n::html::{clean_name, shorten};
use usipipo::ids::{PaymentId, PlanId, UserId};
use usipipo::integrations::telegram::update::{Message, UpdateKind, parse};
use usipipo::models::bot::Language;
use usipipo::money::{Currency, parse_plain_decimal};

use crate::html::is_well_formed;

/// Characters of a name.
const NAME: usize = 32;
const OWN_NAME: &str = "uSipipo_bot";

pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    is_a_press_or_none(&text);
    is_a_name(&text);
    is_an_amount_or_none(&text);
    for (what, message) in [("text", sent("text", &text)), ("caption", sent("caption", &text))] {
        let command = message.command(Some(OWN_NAME));
        assert!(what == "text" || command.is_none(), "a caption is no command");
        if let Some(command) = command {
            is_answered(&command.args);
        }
        is_a_command_or_none(&message);
    }
}

/// A message with this text, read as it would be from Telegram.
fn sent(member: &str, text: &str) -> Message {
    let chat = json!({ "id": 7, "type": "private" });
    let body =
        json!({ "update_id": 1, "message": { "message_id": 1, "date": 1, "chat": chat, member: text } });
    match parse(body.to_string().as_bytes()).expect("a plain message").kind {
        UpdateKind::Message(message) => message,
        other => panic!("a message was read as {other:?}"),
    }
}

/// One spelling for each press, and it fits a button.
fn is_a_press_or_none(text: &str) {
    let Some(press) = Callback::decode(text) else { return };
    let written = press.encode();
    assert_eq!(written, text, "another spelling of {press:?} was taken");
    assert!(written.len() <= MAX_BYTES);
    assert_eq!(Callback::decode(&written), Some(press));
}

/// A command has a plain name, and what it is given comes from the text.
pub fn is_a_command_or_none(message: &Message) {
    let ours = message.command(Some(OWN_NAME));
    let anyones = message.command(None);
    assert!(ours.is_none() || ours == anyones, "a name that is known can only rule commands out");
    let Some(command) = anyones else { return };
    let text = message.text.as_deref().expect("a command is a text");
    assert!(text.starts_with('/') && text.contains(&command.args));
    assert_eq!(command.args, command.args.trim());
    assert!((1..=32).contains(&command.name.len()));
    assert!(command.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    if let Ok(known) = command.name.parse::<Command>() {
        assert_eq!(known.as_str(), command.name);
    }
}

/// Whatever stands after /whois, /grantrole or /start plan_, the answers that repeat it can be sent.
fn is_answered(args: &str) {
    let _ = (args.parse::<UserId>(), args.parse::<PaymentId>());
    let _ = args.strip_prefix("plan_").map(str::parse::<PlanId>);
    for language in Language::ALL {
        let t = Texts::of(*language);
        is_well_formed(&admin::no_such_user(t, args).html);
        is_well_formed(&admin::role_change(t, &RoleChange::UnknownRole { given: args.to_owned() }).html);
    }
}

/// A cleaned name stands on one line and has nothing in it that is not seen.
fn is_a_name(text: &str) {
    let name = clean_name(text, NAME);
    assert!(name.chars().count() <= NAME);
    assert!(!name.chars().any(char::is_control), "{name:?}");
    assert_eq!(name.trim(), name);
    assert_eq!(clean_name(&name, NAME), name, "a clean name stays as it is");
    let short = shorten(text, NAME);
    assert!(short.chars().count() <= NAME);
}

/// An amount is digits and a point, and is written back as the same number.
fn is_an_amount_or_none(text: &str) {
    if let Ok(currency) = text.parse::<Currency>() {
        assert_eq!(currency.as_str(), text);
    }
    let Ok(amount) = parse_plain_decimal(text) else { return };
    assert!(text.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    assert!(!amount.is_sign_negative());
    assert_eq!(parse_plain_decimal(&amount.to_string()), Ok(amount));
}

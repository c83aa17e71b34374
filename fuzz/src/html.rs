//! Names and texts of people inside ours: none of it is ever markup. Judged by the parser of the local counterpart of
//! Telegram, which is as strict as the Bot API server's.

use usipipo::clock::Timestamp;
use usipipo::demo::telegram::{Kind, parse_html};
use usipipo::handlers::bots::screens::admin::{UserLine, Users, users};
use usipipo::handlers::bots::screens::{
    ConfigDetail, ConfigView, Delivered, Home, MAX_CAPTION, MAX_TEXT, Screen, SubscriptionView, config,
    document_caption, home, qr_caption, renamed, secret_text,
};
use usipipo::i18n::{Html, Texts};
use usipipo::ids::{ConfigId, PlanId, SubscriptionId, UserId};
use usipipo::models::bot::Language;
use usipipo::models::outgoing::ButtonAction;
use usipipo::models::subscription::SubscriptionStatus;
use usipipo::models::user::UserStatus;
use usipipo::models::vpn::{ConfigStatus, Protocol};

/// A name of which nothing has to be escaped.
const PLAIN: &str = "Ana";

pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    is_only_text(&Html::escape(&text));
    is_only_text(&Html::short(&text, 32));
    let joined = Html::join([Html::escape(&text), Html::from(PLAIN)], &text);
    is_only_text(&joined);
    Html::name(&text).iter().for_each(is_only_text);
    is_only_text(&Html::escape(&Html::escape(&text).to_plain()));
    assert!(kinds(&Html::code(&text)).iter().all(|kind| *kind == Kind::Code));
    assert!(kinds(&Html::block(&text)).len() <= 1);
    // One language each, or most of the time would go into formatting.
    let language = Language::ALL[text.len() % Language::ALL.len()];
    changes_no_markup(Texts::of(language), &text);
}

/// What Telegram would refuse is found here.
pub fn is_well_formed(html: &Html) {
    kinds(html);
}

fn kinds(html: &Html) -> Vec<Kind> {
    let parsed = parse_html(html.as_str()).unwrap_or_else(|error| panic!("{error}: {html}"));
    parsed.entities.into_iter().map(|entity| entity.kind).collect()
}

fn is_only_text(html: &Html) {
    assert_eq!(kinds(html), [], "{html}");
    assert!(!html.as_str().contains(['<', '>', '"']), "{html}");
    let parsed = parse_html(html.as_str()).expect("it was parsed a moment ago");
    assert_eq!(parsed.text.trim(), html.to_plain().trim());
}

/// Each screen that shows a name has the marks that it has for a plain one, fits a message, and keeps its buttons.
fn changes_no_markup(t: &Texts, text: &str) {
    for (screen, limit) in screens() {
        let (shown, plain) = (screen(t, text), screen(t, PLAIN));
        assert_eq!(kinds(&shown.html), kinds(&plain.html), "{}", shown.html);
        let seen = parse_html(shown.html.as_str()).expect("it was parsed a moment ago").text;
        assert!(seen.encode_utf16().count() <= limit, "{seen}");
        assert_eq!(actions(&shown), actions(&plain));
    }
    for protocol in Protocol::ALL {
        let secret = secret_text(t, &delivered(PLAIN, *protocol), text);
        assert!(
            kinds(&secret.html).iter().all(|kind| matches!(kind, Kind::Code | Kind::Pre { .. } | Kind::Bold))
        );
    }
}

fn actions(screen: &Screen) -> Vec<&ButtonAction> {
    screen.keyboard.0.iter().flatten().map(|button| &button.action).collect()
}

type Shown = (fn(&Texts, &str) -> Screen, usize);

fn screens() -> [Shown; 7] {
    [
        (at_home, MAX_TEXT),
        (subscribed, MAX_TEXT),
        (a_config, MAX_TEXT),
        (|t, name| renamed(t, &device(name)), MAX_TEXT),
        (|t, name| document_caption(t, &delivered(name, Protocol::Wireguard)), MAX_CAPTION),
        (|t, name| qr_caption(t, &delivered(name, Protocol::Outline)), MAX_CAPTION),
        (people, MAX_TEXT),
    ]
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_795_262_400)
}

fn at_home(t: &Texts, name: &str) -> Screen {
    let view = Home {
        first_name: name.to_owned(),
        trial: None,
        subscription: None,
        order: None,
        roles: Vec::new(),
        now: now(),
    };
    home(t, &view)
}

fn subscribed(t: &Texts, plan: &str) -> Screen {
    let view = Home {
        first_name: PLAIN.to_owned(),
        trial: None,
        subscription: Some(subscription(plan)),
        order: None,
        roles: Vec::new(),
        now: now(),
    };
    home(t, &view)
}

fn a_config(t: &Texts, name: &str) -> Screen {
    config(t, &ConfigDetail { config: device(name), subscription: subscription(name), now: now() })
}

fn people(t: &Texts, name: &str) -> Screen {
    let line = UserLine {
        id: UserId(7),
        name: name.to_owned(),
        username: Some(PLAIN.to_owned()),
        status: UserStatus::Active,
        last_seen_at: now(),
    };
    users(t, &Users { users: vec![line], total: 1, page: 0, more: false, now: now() })
}

fn subscription(plan: &str) -> SubscriptionView {
    SubscriptionView {
        id: SubscriptionId(3),
        plan: Some(plan.to_owned()),
        renew: Some(PlanId(2)),
        status: SubscriptionStatus::Active,
        ends_at: Timestamp::from_unix(1_797_262_400),
        allowance: None,
        used: 5 << 30,
        renews: false,
        device_limit: 3,
    }
}

fn device(name: &str) -> ConfigView {
    ConfigView {
        id: ConfigId(12),
        name: name.to_owned(),
        protocol: Protocol::Wireguard,
        location: Some(name.to_owned()),
        status: ConfigStatus::Active,
        used: 1 << 30,
        last_handshake_at: None,
        delivered_at: None,
    }
}

fn delivered(name: &str, protocol: Protocol) -> Delivered {
    Delivered { config_id: ConfigId(12), name: name.to_owned(), protocol }
}

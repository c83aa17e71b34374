//! Every screen in every language: its words (snapshots), its HTML, its buttons and its way back.

mod samples;
mod telegram_html;

use usipipo::handlers::bots::callback::{Callback, MAX_BYTES};
use usipipo::handlers::bots::commands::{Assortment, Command, about, commands_for};
use usipipo::handlers::bots::screens::{
    MAX_CAPTION, MAX_TEXT, Screen, language_changed, refusal, reply_alert,
};
use usipipo::i18n::Texts;
use usipipo::ids::ConfigId;
use usipipo::models::bot::{Bot, Language};
use usipipo::models::outgoing::ButtonAction;
use usipipo::models::payment::ProviderId;
use usipipo::models::role::Role;
use usipipo::models::vpn::Protocol;
use usipipo::services::payment::CheckoutRefusal;

use samples::{Names, Sample};

/// The screens as a person would read them, buttons in brackets.
fn transcript(samples: &[Sample]) -> String {
    let shown = samples.iter().map(|sample| {
        let rows = sample.screen.keyboard.0.iter().map(|row| {
            let row = row.iter().map(|button| match &button.action {
                ButtonAction::Callback(data) => format!("[{} → {data}]", button.text),
                ButtonAction::Url(url) => format!("[{} ↗ {url}]", button.text),
                ButtonAction::Copy(text) => format!("[{} ⧉ {text}]", button.text),
            });
            row.collect::<Vec<_>>().join(" ")
        });
        let rows = rows.collect::<Vec<_>>().join("\n");
        format!("━━━ {} ━━━\n{}\n{rows}\n", sample.name, sample.screen.html)
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn screens_read_as_approved() {
    for language in Language::ALL {
        let t = Texts::of(*language);
        for (area, samples) in samples::areas(t, &Names::ordinary()) {
            insta::assert_snapshot!(format!("{area}_{language}"), transcript(&samples));
        }
    }
}

fn everything() -> Assortment {
    Assortment { trial: true, protocols: Protocol::ALL.to_vec(), providers: ProviderId::ALL.to_vec() }
}

#[test]
fn words_outside_screens_read_as_approved() {
    for language in Language::ALL {
        let t = Texts::of(*language);
        let mut text = String::new();
        for role in [Role::User, Role::Finance, Role::Admin] {
            text += &format!("━━━ commands of {role} ━━━\n");
            for command in commands_for(&[role]) {
                text += &format!("/{command} — {}\n", command.description(t));
            }
        }
        for (bot, sold) in
            Bot::ALL.iter().map(|bot| (*bot, everything())).chain([(Bot::Client, Assortment::default())])
        {
            let about = about(bot, t, &sold);
            text += &format!("━━━ {bot} bot ━━━\n{}\n\n{}\n", about.description, about.short_description);
        }
        text += "━━━ alerts ━━━\n";
        for reply in samples::replies() {
            text += &format!("{}\n", reply_alert(t, &reply));
        }
        text += &format!("{}\n━━━ refusals ━━━\n", language_changed(t));
        for why in CheckoutRefusal::ALL {
            text += &format!("{}\n", refusal(t, why));
        }
        insta::assert_snapshot!(format!("words_{language}"), text);
    }
}

fn check(name: &str, screen: &Screen) {
    let html = screen.html.as_str();
    telegram_html::validate(html).unwrap_or_else(|why| panic!("{name}: {why}\n{html}"));
    let limit = if name.contains("caption") { MAX_CAPTION } else { MAX_TEXT };
    let length = screen.html.to_plain().encode_utf16().count();
    assert!(length <= limit, "{name} has {length} characters");
    assert!(!html.trim().is_empty(), "{name} says nothing");
    let unsafe_marks = ['\u{202A}', '\u{202B}', '\u{202D}', '\u{202E}', '\u{2066}', '\u{200B}', '\u{7}'];
    assert!(!html.contains(unsafe_marks), "{name} carries a mark that hides or turns text");
    for button in screen.keyboard.0.iter().flatten() {
        assert!(!button.text.trim().is_empty() && button.text.chars().count() <= 64, "{name}: {button:?}");
        assert!(!button.text.contains(unsafe_marks), "{name}: {button:?}");
        match &button.action {
            ButtonAction::Callback(data) => {
                assert!(data.len() <= MAX_BYTES, "{name}: {data}");
                let callback = Callback::decode(data).unwrap_or_else(|| panic!("{name}: dead button {data}"));
                assert_eq!(callback.encode(), *data, "{name}");
            }
            ButtonAction::Url(url) => assert!(url.starts_with("https://"), "{name}: {url}"),
            ButtonAction::Copy(text) => assert!((1..=256).contains(&text.chars().count()), "{name}"),
        }
    }
    assert!(screen.keyboard.0.iter().all(|row| !row.is_empty() && row.len() <= 8), "{name}: odd rows");
}

/// The menu is the place to go back to; the other bots have no menu, and a banned person has none either.
fn needs_way_back(name: &str) -> bool {
    !["home/", "about/", "reply/banned"].iter().any(|exempt| name.starts_with(exempt))
}

#[test]
fn every_button_works_and_every_screen_has_a_way_back() {
    for language in Language::ALL {
        let t = Texts::of(*language);
        for sample in samples::all(t, &Names::ordinary()) {
            check(&format!("{} {language}", sample.name), &sample.screen);
            assert!(!sample.screen.html.as_str().contains("{$"), "{} misses a value", sample.name);
            let buttons = sample.screen.keyboard.0.iter().flatten();
            let home = buttons.filter(|b| b.action == ButtonAction::Callback(Callback::Home.encode()));
            let ways = home.count();
            assert!(ways > 0 || !needs_way_back(sample.name), "{} has no way back", sample.name);
        }
    }
}

#[test]
fn hostile_names_break_no_screen() {
    for names in Names::hostile() {
        for language in Language::ALL {
            for sample in samples::all(Texts::of(*language), &names) {
                check(&format!("{} {language} {:?}", sample.name, names.person), &sample.screen);
                assert!(!sample.screen.html.as_str().contains("<script"), "{}", sample.name);
            }
        }
    }
}

#[test]
fn every_action_is_reachable_from_some_button() {
    let t = Texts::of(Language::Es);
    let mut shown: Vec<String> = samples::all(t, &Names::ordinary())
        .iter()
        .flat_map(|sample| sample.screen.keyboard.0.iter().flatten())
        .filter_map(|button| match &button.action {
            ButtonAction::Callback(data) => data.split(':').next().map(str::to_owned),
            _ => None,
        })
        .collect();
    shown.sort_unstable();
    shown.dedup();
    let idle: Vec<_> = Callback::TAGS.iter().filter(|tag| !shown.iter().any(|s| s == *tag)).collect();
    assert!(idle.is_empty(), "no button leads to {idle:?}");
}

#[test]
fn what_telegram_shows_about_the_bots_fits() {
    for language in Language::ALL {
        let t = Texts::of(*language);
        for bot in Bot::ALL {
            let about = about(*bot, t, &everything());
            assert!((1..=512).contains(&about.description.chars().count()), "{about:?}");
            assert!((1..=120).contains(&about.short_description.chars().count()), "{about:?}");
        }
        for command in Command::ALL {
            let description = command.description(t);
            assert!((3..=256).contains(&description.chars().count()), "{command}: {description}");
            assert!(command.as_str().len() <= 32, "{command}");
        }
        for reply in samples::replies() {
            assert!(reply_alert(t, &reply).chars().count() <= 200);
        }
        for why in CheckoutRefusal::ALL {
            assert!(refusal(t, why).chars().count() <= 200, "{why:?}");
        }
    }
}

#[test]
fn commands_follow_the_roles() {
    let user = commands_for(&[]);
    assert!(user.contains(&Command::Cancel) && !user.contains(&Command::Whois));
    let team = commands_for(&[Role::Support, Role::Finance]);
    assert!(
        team.contains(&Command::Refund) && team.contains(&Command::Whois) && !team.contains(&Command::Ban)
    );
    assert_eq!(commands_for(&[Role::Superadmin]), Command::ALL);
}

#[test]
fn a_secret_is_shown_whole_and_only_a_short_one_has_a_copy_button() {
    let t = Texts::of(Language::En);
    let config = ConfigId(7);
    let link = samples::secret_text(t, &Names::ordinary(), config, samples::SS_LINK);
    let copy = ButtonAction::Copy(samples::SS_LINK.to_owned());
    assert!(link.keyboard.0.iter().flatten().any(|button| button.action == copy));
    assert!(link.html.to_plain().contains(samples::SS_LINK));
    let long = samples::secret_text(t, &Names::ordinary(), config, &"x".repeat(257));
    assert!(!long.keyboard.0.iter().flatten().any(|b| matches!(b.action, ButtonAction::Copy(_))));
}

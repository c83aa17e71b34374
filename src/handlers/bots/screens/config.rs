//! One config: how it stands, everything to connect it, and what can be done with it.

use chrono::TimeDelta;

use super::parts::{self, ConfigView, SubscriptionView};
use super::{Rows, Screen, button, lines, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::html::NAME_CHARS;
use crate::i18n::{Html, Texts, args};
use crate::models::vpn::{ConfigStatus, Protocol};

pub struct ConfigDetail {
    pub config: ConfigView,
    pub subscription: SubscriptionView,
    pub now: Timestamp,
}

pub fn config(t: &Texts, view: &ConfigDetail) -> Screen {
    let config = &view.config;
    let title = t.with("config-title", args! { "name" => config.name(t) });
    let head = lines([title, status(t, view), place(t, config)]);
    let html = match config.status {
        ConfigStatus::Active | ConfigStatus::Suspended => paragraphs([head, usage(t, view)]),
        ConfigStatus::Preparing | ConfigStatus::Revoked | ConfigStatus::Removed => head,
    };
    Screen::new(html, buttons(t, view))
}

fn status(t: &Texts, view: &ConfigDetail) -> Html {
    match view.config.status {
        ConfigStatus::Preparing => t.text("config-preparing"),
        ConfigStatus::Active => t.text("config-active"),
        ConfigStatus::Suspended if view.subscription.is_trial() => t.text("config-suspended-trial"),
        ConfigStatus::Suspended if view.subscription.renew.is_none() => t.text("config-suspended-unsold"),
        ConfigStatus::Suspended => t.text("config-suspended"),
        ConfigStatus::Revoked | ConfigStatus::Removed => t.text("config-revoked"),
    }
}

fn place(t: &Texts, config: &ConfigView) -> Html {
    let protocol = parts::protocol_name(t, config.protocol);
    match config.location.as_deref() {
        Some(location) => {
            t.with("config-where", args! { "protocol" => protocol, "location" => Html::short(location, 64) })
        }
        None => t.with("config-where-unknown", args! { "protocol" => protocol }),
    }
}

fn usage(t: &Texts, view: &ConfigDetail) -> Html {
    let config = &view.config;
    let used = t.with("config-used", args! { "used" => t.bytes(config.used) });
    let handshake = match (config.last_handshake_at, config.protocol) {
        (Some(at), _) => t.with("config-handshake", args! { "ago" => t.ago(at, view.now) }),
        (None, Protocol::Wireguard) if is_overdue(config, view.now) => t.text("config-handshake-overdue"),
        (None, Protocol::Wireguard) => t.text("config-handshake-never"),
        // Outline servers do not tell.
        (None, Protocol::Outline) => Html::default(),
    };
    let left = parts::traffic(t, &view.subscription);
    lines([used, left, handshake, parts::ending(t, &view.subscription, view.now)])
}

/// Whether a config was handed over so long ago that it should have connected by now.
fn is_overdue(config: &ConfigView, now: Timestamp) -> bool {
    config.delivered_at.is_some_and(|at| now.since(at) >= TimeDelta::hours(1))
}

fn buttons(t: &Texts, view: &ConfigDetail) -> Rows {
    let (config, id) = (&view.config, view.config.id);
    let own = [
        button(t.label("config-button-rename"), Callback::RenameConfig(id)),
        button(t.label("config-button-revoke"), Callback::RevokeConfig(id)),
    ];
    let rows = match config.status {
        ConfigStatus::Active => access(t, config).row(own),
        ConfigStatus::Suspended => {
            Rows::default().row([parts::renew_button(t, Some(&view.subscription))]).row(own)
        }
        ConfigStatus::Preparing => {
            Rows::default().row([button(t.label("config-button-refresh"), Callback::Config(id))]).row(own)
        }
        ConfigStatus::Revoked | ConfigStatus::Removed => {
            Rows::default().row([button(t.label("vpn-button-add"), Callback::AddConfig)])
        }
    };
    rows.back(t, Callback::Vpn)
}

/// The ways to hand it over that its protocol has.
fn access(t: &Texts, config: &ConfigView) -> Rows {
    let id = config.id;
    let qr = button(t.label("config-button-qr"), Callback::ConfigQr(id));
    let handed = match config.protocol {
        Protocol::Wireguard => vec![
            button(t.label("config-button-file"), Callback::ConfigFile(id)),
            qr,
            button(t.label("config-button-text"), Callback::ConfigText(id)),
        ],
        Protocol::Outline => vec![button(t.label("config-button-link"), Callback::ConfigText(id)), qr],
    };
    let help = [
        button(t.label("config-button-guide"), Callback::ConfigGuides(id)),
        button(t.label("button-trouble"), Callback::ConfigTrouble(id)),
    ];
    Rows::default().row(handed).row(help)
}

/// Asks before a config is revoked.
pub fn revoke_question(t: &Texts, config: &ConfigView) -> Screen {
    let rows = Rows::default()
        .row([button(t.label("revoke-button-yes"), Callback::RevokeConfigNow(config.id))])
        .row([button(t.label("revoke-button-no"), Callback::Config(config.id))])
        .home(t);
    Screen::new(t.with("revoke-question", args! { "name" => config.name(t) }), rows)
}

/// It is revoked.
pub fn revoked(t: &Texts, config: &ConfigView) -> Screen {
    let rows =
        Rows::default().row([button(t.label("vpn-button-add"), Callback::AddConfig)]).back(t, Callback::Vpn);
    Screen::new(t.with("revoke-done", args! { "name" => config.name(t) }), rows)
}

/// Asks for a new name; the answer is the person's next message.
pub fn rename_question(t: &Texts, config: &ConfigView) -> Screen {
    let args = args! { "name" => config.name(t), "chars" => NAME_CHARS };
    Screen::new(t.with("rename-question", args), rename_rows(t))
}

/// The answer was no name (nothing visible in it, or too long); the question stays open.
pub fn rename_invalid(t: &Texts) -> Screen {
    Screen::new(t.with("rename-invalid", args! { "chars" => NAME_CHARS }), rename_rows(t))
}

/// It is renamed; `config` carries the new name.
pub fn renamed(t: &Texts, config: &ConfigView) -> Screen {
    let rows = Rows::default().back(t, Callback::Config(config.id));
    Screen::new(t.with("rename-done", args! { "name" => config.name(t) }), rows)
}

fn rename_rows(t: &Texts) -> Rows {
    Rows::default().row([button(t.label("rename-button-cancel"), Callback::Cancel)]).home(t)
}

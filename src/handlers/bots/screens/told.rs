//! What people are told without having asked, and that has no screen elsewhere.

use super::help::{support_button, support_line};
use super::parts::{charge_amount, protocol_name, role_name};
use super::{Rows, Screen, button, paragraphs};
use crate::clock::Timestamp;
use crate::config::Contact;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Texts, args};
use crate::models::payment::UnmatchedCharge;
use crate::models::role::Role;
use crate::models::vpn::Protocol;

/// A config takes longer to make than it should.
pub fn config_delayed(t: &Texts, protocol: Protocol) -> Screen {
    let text = t.with("told-config-delayed", args! { "protocol" => protocol_name(t, protocol) });
    Screen::new(text, Rows::default().vpn_and_home(t))
}

/// A config was given up: it takes the team to go on.
pub fn config_failed(t: &Texts, protocol: Protocol, support: Option<&Contact>) -> Screen {
    let text = t.with("told-config-failed", args! { "protocol" => protocol_name(t, protocol) });
    let rows = Rows::default().row(support_button(t, support)).vpn_and_home(t);
    Screen::new(paragraphs([text, support_line(t, support)]), rows)
}

/// Money that had fitted no order went back.
pub fn charge_sent_back(t: &Texts, charge: &UnmatchedCharge) -> Screen {
    let text = t.with("told-charge-sent-back", args! { "price" => charge_amount(charge) });
    Screen::new(text, Rows::default().row([button(t.label("go-plans"), Callback::Plans)]).home(t))
}

/// Somebody was given a role; `expires_at` None = for good.
pub fn role_granted(t: &Texts, role: Role, expires_at: Option<Timestamp>) -> Screen {
    let role = role_name(t, role);
    let text = match expires_at {
        Some(at) => t.with("told-role-until", args! { "role" => role, "moment" => t.moment(at) }),
        None => t.with("told-role", args! { "role" => role }),
    };
    Screen::new(text, role_rows(t))
}

/// Somebody's role was taken away.
pub fn role_revoked(t: &Texts, role: Role) -> Screen {
    Screen::new(t.with("told-role-over", args! { "role" => role_name(t, role) }), role_rows(t))
}

fn role_rows(t: &Texts) -> Rows {
    Rows::default().row([button(t.label("profile-button-roles"), Callback::MyRoles)]).home(t)
}

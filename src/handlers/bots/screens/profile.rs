//! /profile: what we know about the person, told to the person.

use super::parts::{self, PaymentView, RoleView, SubscriptionView};
use super::{Rows, Screen, button, lines, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::bot::Language;

pub struct Profile {
    pub id: UserId,
    pub first_name: String,
    /// Without `@`.
    pub username: Option<String>,
    pub language: Language,
    pub created_at: Timestamp,
    /// Roles above the ordinary one that are in force.
    pub roles: Vec<RoleView>,
    /// Those that are not over, and the last that ended if there is none.
    pub subscriptions: Vec<SubscriptionView>,
    /// The newest first; five are shown.
    pub payments: Vec<PaymentView>,
    pub now: Timestamp,
}

const PAYMENTS: usize = 5;

pub fn profile(t: &Texts, view: &Profile) -> Screen {
    let rows = Rows::default()
        .row([button(t.label("go-vpn"), Callback::Vpn), button(t.label("go-plans"), Callback::Plans)])
        .row([
            button(t.label("profile-button-logs"), Callback::MyLogs(0)),
            button(t.label("profile-button-roles"), Callback::MyRoles),
        ])
        .row([button(t.label("home-button-language"), Callback::Languages)])
        .home(t);
    let html = paragraphs([person(t, view), subscriptions(t, view), payments(t, &view.payments)]);
    Screen::new(html, rows)
}

fn person(t: &Texts, view: &Profile) -> Html {
    let username = view.username.as_deref().and_then(Html::name);
    let username = username.map(|name| t.with("profile-username", args! { "username" => name }));
    let roles = Html::join(view.roles.iter().map(|held| parts::role_name(t, held.role)), ", ");
    let roles = (!roles.is_empty()).then(|| t.with("profile-roles", args! { "roles" => roles }));
    let language = parts::language_name(t, view.language);
    lines([
        t.with("profile-title", args! { "name" => t.person(&view.first_name) }),
        t.with("profile-id", args! { "id" => Html::code(view.id) }),
        username.unwrap_or_default(),
        t.with("profile-language", args! { "language" => language }),
        t.with("profile-since", args! { "date" => t.date(view.created_at) }),
        roles.unwrap_or_default(),
    ])
}

fn subscriptions(t: &Texts, view: &Profile) -> Html {
    if view.subscriptions.is_empty() {
        return t.text("profile-no-subscription");
    }
    paragraphs(view.subscriptions.iter().map(|held| parts::subscription(t, held, view.now)))
}

fn payments(t: &Texts, payments: &[PaymentView]) -> Html {
    if payments.is_empty() {
        return Html::default();
    }
    let list = payments.iter().take(PAYMENTS).map(|payment| parts::payment(t, payment));
    lines(std::iter::once(t.text("profile-payments")).chain(list))
}

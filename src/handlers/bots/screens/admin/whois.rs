//! /whois: everything about one person on one screen.

use super::{person, user_status};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::parts::{self, PaymentView, RoleView, SubscriptionView, allows};
use crate::handlers::bots::screens::{Rows, Screen, button, lines, paragraphs};
use crate::i18n::html::shorten;
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::bot::Language;
use crate::models::outgoing::Button;
use crate::models::payment::PaymentStatus;
use crate::models::role::{Permission, Role};
use crate::models::user::UserStatus;

pub struct Whois {
    pub id: UserId,
    /// First and last name.
    pub name: String,
    /// Without `@`.
    pub username: Option<String>,
    pub language: Language,
    pub status: UserStatus,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// When the trial was taken.
    pub trial_at: Option<Timestamp>,
    /// Code of the link the person came by.
    pub referrer: Option<String>,
    /// Roles above the ordinary one that are in force.
    pub roles: Vec<RoleView>,
    /// The newest first; three are shown.
    pub subscriptions: Vec<SubscriptionView>,
    /// Configs that are not revoked.
    pub configs: u32,
    /// The newest first; five are shown.
    pub payments: Vec<PaymentView>,
    /// Roles of the one who looks: buttons follow from them.
    pub viewer: Vec<Role>,
    pub now: Timestamp,
}

pub fn whois(t: &Texts, view: &Whois) -> Screen {
    let subscriptions = view.subscriptions.iter().take(3);
    let subscriptions = subscriptions.map(|held| parts::subscription(t, held, view.now));
    let html = paragraphs([card(t, view), paragraphs(subscriptions), payments(t, view)]);
    Screen::new(html, buttons(t, view))
}

fn card(t: &Texts, view: &Whois) -> Html {
    let who = person(t, view.id, &view.name, view.username.as_deref());
    let facts = args! {
        "id" => Html::code(view.id),
        "language" => parts::language_name(t, view.language),
        "status" => user_status(t, view.status),
    };
    let times = args! {
        "date" => t.date(view.created_at),
        "ago" => t.ago(view.last_seen_at, view.now),
    };
    let trial = match view.trial_at {
        Some(at) => t.with("whois-trial-used", args! { "date" => t.date(at) }),
        None => t.text("whois-trial-free"),
    };
    let referrer = view.referrer.as_deref().map(|code| Html::code(shorten(code, 64)));
    let referrer = referrer.map(|code| t.with("whois-referrer", args! { "code" => code }));
    let roles = view.roles.iter().map(|held| parts::role(t, held));
    lines([
        t.with("whois-title", args! { "who" => who }),
        t.with("whois-facts", facts),
        t.with("whois-times", times),
        trial,
        t.with("whois-configs", args! { "devices" => parts::devices(t, view.configs) }),
        referrer.unwrap_or_default(),
        lines(roles),
    ])
}

fn payments(t: &Texts, view: &Whois) -> Html {
    let list = view.payments.iter().take(5);
    lines(list.map(|payment| lines([parts::payment(t, payment), Html::code(&payment.order_ref)])))
}

fn buttons(t: &Texts, view: &Whois) -> Rows {
    let may = |permission| allows(&view.viewer, permission);
    let refunds = view
        .payments
        .iter()
        .take(5)
        .filter(|payment| may(Permission::RefundPayments) && payment.status == PaymentStatus::Completed);
    let refunds: Vec<Button> = refunds
        .map(|payment| {
            let plan = parts::product_name(t, Some(&payment.plan));
            let args = args! { "plan" => plan, "price" => &payment.price };
            button(t.label_with("whois-button-refund", args), Callback::Refund(payment.id))
        })
        .collect();
    let audit = may(Permission::ViewAudit)
        .then(|| button(t.label("whois-button-audit"), Callback::AuditOf(view.id, 0)));
    let ban = may(Permission::BanUsers).then(|| match view.status {
        UserStatus::Banned => button(t.label("whois-button-unban"), Callback::Unban(view.id)),
        _ => button(t.label("whois-button-ban"), Callback::Ban(view.id)),
    });
    Rows::default().column(refunds).row(audit.into_iter().chain(ban)).back(t, Callback::Users(0))
}

//! The menu: what everybody sees first, and what every way back leads to.

use super::parts::{self, SubscriptionView, allows};
use super::{Rows, Screen, button, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Args, Html, Texts, args};
use crate::ids::PaymentId;
use crate::models::outgoing::Button;
use crate::models::role::{Permission, Role};

pub struct Home {
    /// As Telegram gives it: may be empty or hostile.
    pub first_name: String,
    /// What the trial gives, as long as the person may take it.
    pub trial: Option<TrialTerms>,
    /// The subscription that ends last among the pending, active and suspended ones.
    pub subscription: Option<SubscriptionView>,
    /// The order that waits to be paid.
    pub order: Option<PaymentId>,
    /// Everything the person is; buttons of the team follow from it.
    pub roles: Vec<Role>,
    pub now: Timestamp,
}

/// What the trial gives (`TRIAL_DAYS`, `TRIAL_TRAFFIC_MB`).
#[derive(Clone, Copy, Debug)]
pub struct TrialTerms {
    pub days: u32,
    pub traffic_mb: u64,
}

impl TrialTerms {
    pub(super) fn args(self, t: &Texts) -> Args {
        args! { "days" => t.days(self.days), "traffic" => t.traffic(Some(self.traffic_mb)) }
    }
}

pub fn home(t: &Texts, view: &Home) -> Screen {
    let hello = t.with("home-hello", args! { "name" => t.person(&view.first_name) });
    let body = match (&view.subscription, view.trial) {
        (Some(subscription), _) => parts::subscription(t, subscription, view.now),
        (None, Some(trial)) => paragraphs([t.text("home-new"), t.with("home-trial", trial.args(t))]),
        (None, None) => t.text("home-idle"),
    };
    Screen::new(paragraphs([hello, body]), buttons(t, view))
}

fn buttons(t: &Texts, view: &Home) -> Rows {
    let trial = view.trial.map(|_| button(t.label("home-button-trial"), Callback::Trial));
    let vpn = view.subscription.is_some() || view.trial.is_none();
    let mine = vpn.then(|| button(t.label("go-vpn"), Callback::Vpn));
    let order = view.order.map(|order| button(t.label("home-button-order"), Callback::Order(order)));
    Rows::default()
        .row(order)
        .row(trial)
        .row(mine.into_iter().chain([parts::renew_button(t, view.subscription.as_ref())]))
        .row([
            button(t.label("home-button-profile"), Callback::Profile),
            button(t.label("home-button-status"), Callback::Status),
        ])
        .row([
            button(t.label("go-help"), Callback::Help),
            button(t.label("home-button-language"), Callback::Languages),
        ])
        .row(staff(t, &view.roles))
}

fn staff(t: &Texts, roles: &[Role]) -> impl Iterator<Item = Button> {
    let users = allows(roles, Permission::ViewUsers);
    let stats = allows(roles, Permission::ViewStats);
    let users = users.then(|| button(t.label("home-button-users"), Callback::Users(0)));
    let stats = stats.then(|| button(t.label("home-button-stats"), Callback::Stats));
    users.into_iter().chain(stats)
}

/// The menu under words that come first, e.g. why a button does not work any more.
pub fn home_after(t: &Texts, first: Html, view: &Home) -> Screen {
    let screen = home(t, view);
    Screen { html: paragraphs([first, screen.html]), keyboard: screen.keyboard }
}

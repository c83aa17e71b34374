//! /vpn: everything the person has.

use super::parts::{self, ConfigView, SubscriptionView};
use super::{Rows, Screen, button, lines, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::models::outgoing::Button;
use crate::models::subscription::SubscriptionStatus;
use crate::models::vpn::ConfigStatus;

pub struct Vpn {
    /// Each subscription that is not over, with its configs that are not revoked.
    pub subscriptions: Vec<(SubscriptionView, Vec<ConfigView>)>,
    pub trial_available: bool,
    pub now: Timestamp,
}

/// Configs that one screen shows; more than that only an operator can give somebody.
const MOST: usize = 20;

pub fn vpn(t: &Texts, view: &Vpn) -> Screen {
    let title = t.text("vpn-title");
    if view.subscriptions.is_empty() {
        return empty(t, title, view.trial_available);
    }
    let blocks = view.subscriptions.iter().map(|(subscription, configs)| {
        let list = match configs.is_empty() {
            // Only to what is active can a device be added.
            true if subscription.status == SubscriptionStatus::Active => t.text("vpn-no-configs"),
            _ => lines(configs.iter().take(MOST).map(|config| line(t, config))),
        };
        paragraphs([parts::subscription(t, subscription, view.now), list])
    });
    let all = view.subscriptions.iter().flat_map(|(_, configs)| configs).take(MOST);
    let buttons: Vec<_> = all.map(|config| config_button(t, config)).collect();
    let rows = buttons.chunks(2).fold(Rows::default(), |rows, pair| rows.row(pair.to_vec()));
    let rows = rows
        .row([
            button(t.label("vpn-button-add"), Callback::AddConfig),
            button(t.label("vpn-button-guides"), Callback::Guides),
        ])
        .column(renewals(t, view))
        .row([button(t.label("go-plans"), Callback::Plans)])
        .home(t);
    Screen::new(paragraphs(std::iter::once(title).chain(blocks)), rows)
}

/// A way to go on with each plan, by its name where there are several.
fn renewals(t: &Texts, view: &Vpn) -> Vec<Button> {
    let held: Vec<_> =
        view.subscriptions.iter().map(|(held, _)| held).filter(|held| held.renew.is_some()).collect();
    match held[..] {
        [one] => vec![parts::renew_button(t, Some(one))],
        _ => held.into_iter().filter_map(|held| parts::renew_named(t, held)).collect(),
    }
}

fn empty(t: &Texts, title: Html, trial_available: bool) -> Screen {
    let trial = trial_available.then(|| button(t.label("home-button-trial"), Callback::Trial));
    let rows = Rows::default().row(trial).row([button(t.label("go-plans"), Callback::Plans)]).home(t);
    Screen::new(paragraphs([title, t.text("vpn-empty")]), rows)
}

fn line(t: &Texts, config: &ConfigView) -> Html {
    let dot = parts::config_dot(config.status);
    let protocol = parts::protocol_name(t, config.protocol);
    if config.status == ConfigStatus::Preparing {
        let args = args! { "dot" => dot, "name" => config.name(t), "protocol" => protocol };
        return t.with("vpn-config-preparing", args);
    }
    let used = t.bytes(config.used);
    let args = args! { "dot" => dot, "name" => config.name(t), "protocol" => protocol, "used" => used };
    t.with("vpn-config", args)
}

fn config_button(t: &Texts, config: &ConfigView) -> Button {
    let args = args! { "dot" => parts::config_dot(config.status), "name" => config.name(t) };
    button(t.label_with("vpn-button-config", args), Callback::Config(config.id))
}

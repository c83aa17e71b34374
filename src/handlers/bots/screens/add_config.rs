//! One more device: choose how it connects, or learn why there is none to add.

use super::parts::{self, product_name};
use super::{Rows, Screen, button, paragraphs, protocol_choices};
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::SubscriptionId;
use crate::models::vpn::Protocol;

pub enum AddConfig {
    /// At least one subscription with a free place and a protocol with room.
    Choose(Vec<AddChoice>),
    /// No active subscription.
    NoSubscription { trial_available: bool },
    /// Every place is taken; `devices` is how many there are. `another_plan`: one more would bring places of its own.
    LimitReached { devices: u32, another_plan: bool },
    /// No server has room.
    Full,
}

/// A subscription that takes one more device.
pub struct AddChoice {
    pub subscription_id: SubscriptionId,
    /// Name of the plan; None = trial.
    pub plan: Option<String>,
    /// Those that have room.
    pub protocols: Vec<Protocol>,
}

pub fn add_config(t: &Texts, view: &AddConfig) -> Screen {
    let plans = || button(t.label("go-plans"), Callback::Plans);
    let (text, rows) = match view {
        AddConfig::Choose(choices) => choose(t, choices),
        AddConfig::NoSubscription { trial_available } => {
            let trial = trial_available.then(|| button(t.label("home-button-trial"), Callback::Trial));
            (t.text("add-no-subscription"), Rows::default().row(trial).row([plans()]))
        }
        AddConfig::LimitReached { devices, another_plan } => {
            let full = t.with("add-limit", args! { "devices" => parts::devices(t, *devices) });
            match another_plan {
                true => (paragraphs([full, t.text("add-limit-plan")]), Rows::default().row([plans()])),
                false => (full, Rows::default()),
            }
        }
        AddConfig::Full => (t.text("add-full"), Rows::default()),
    };
    Screen::new(paragraphs([t.text("add-title"), text]), rows.back(t, Callback::Vpn))
}

fn choose(t: &Texts, choices: &[AddChoice]) -> (Html, Rows) {
    let mut protocols: Vec<Protocol> = choices.iter().flat_map(|c| c.protocols.iter().copied()).collect();
    protocols.sort_unstable();
    protocols.dedup();
    let text = paragraphs([t.text("add-choose"), protocol_choices(t, &protocols)]);
    let rows = choices.iter().fold(Rows::default(), |rows, choice| {
        rows.row(choice.protocols.iter().map(|protocol| {
            let name = parts::protocol_name(t, *protocol);
            // With several subscriptions the button says which one it goes to.
            let label = match choices.len() {
                1 => name.to_plain(),
                _ => {
                    let plan = product_name(t, choice.plan.as_deref());
                    t.label_with("add-button-of", args! { "protocol" => name, "plan" => plan })
                }
            };
            button(label, Callback::AddConfigTo(choice.subscription_id, *protocol))
        }))
    });
    (text, rows)
}

//! /trial: the offer, or why there is none.

use super::home::TrialTerms;
use super::{Rows, Screen, button, paragraphs, parts, protocol_choices};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::models::vpn::Protocol;

pub enum Trial {
    /// `protocols`: those that have room for one more; none = all servers are full.
    Offer { terms: TrialTerms, protocols: Vec<Protocol> },
    /// The operator offers none.
    NotOffered,
    /// It is one per account for ever.
    Used { on: Timestamp },
}

pub fn trial(t: &Texts, view: &Trial) -> Screen {
    let title = t.text("trial-title");
    match view {
        Trial::Offer { terms, protocols } => offer(t, title, *terms, protocols),
        Trial::NotOffered => {
            let rows = Rows::default().row([button(t.label("go-plans"), Callback::Plans)]).home(t);
            Screen::new(paragraphs([title, t.text("trial-none")]), rows)
        }
        Trial::Used { on } => {
            let used = t.with("trial-used", args! { "date" => t.date(*on) });
            let rows = Rows::default()
                .row([button(t.label("go-plans"), Callback::Plans), button(t.label("go-vpn"), Callback::Vpn)])
                .home(t);
            Screen::new(paragraphs([title, used]), rows)
        }
    }
}

fn offer(t: &Texts, title: Html, terms: TrialTerms, protocols: &[Protocol]) -> Screen {
    let what = t.with("trial-offer", terms.args(t));
    if protocols.is_empty() {
        let rows = Rows::default().row([button(t.label("go-plans"), Callback::Plans)]).home(t);
        return Screen::new(paragraphs([title, what, t.text("trial-full")]), rows);
    }
    let html = paragraphs([title, what, t.text("trial-choose"), protocol_choices(t, protocols)]);
    let take = |protocol: &Protocol| {
        button(parts::protocol_name(t, *protocol).to_plain(), Callback::TakeTrial(*protocol))
    };
    Screen::new(html, Rows::default().row(protocols.iter().map(take)).home(t))
}

/// A config was ordered (trial or added device) and is on its way.
pub fn preparing(t: &Texts, protocol: Protocol) -> Screen {
    let text = t.with("preparing", args! { "protocol" => parts::protocol_name(t, protocol) });
    let rows = Rows::default().vpn_and_home(t);
    Screen::new(text, rows)
}

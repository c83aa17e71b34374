//! /plans and one plan: what is sold, and how it can be paid.

use super::parts::{self, SubscriptionView};
use super::{Rows, Screen, button, lines, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::PlanId;
use crate::models::payment::ProviderId;
use crate::models::plan::Offer;
use crate::models::subscription::SubscriptionStatus;
use crate::models::vpn::Protocol;
use crate::money::{Currency, Money};

/// A plan as it is shown.
#[derive(Clone, Debug)]
pub struct PlanView {
    pub id: PlanId,
    /// In the person's language.
    pub name: String,
    pub description: String,
    pub duration_days: u32,
    /// MiB; None = unlimited.
    pub traffic_mb: Option<u64>,
    pub device_limit: u32,
    pub popular: bool,
    /// How it can be paid today.
    pub pay: Vec<PayOption>,
}

/// A provider that is configured, with the plan's price in its currency.
#[derive(Clone, Debug)]
pub struct PayOption {
    pub provider: ProviderId,
    pub price: Money,
}

impl PlanView {
    /// `providers`: those that are configured, each with its currency; a plan without a price in it is not sold
    /// there.
    pub fn of(offer: &Offer, providers: &[(ProviderId, Currency)]) -> Self {
        let pay = providers.iter().filter_map(|(provider, currency)| {
            let price = offer.prices.iter().find(|price| price.currency == *currency)?;
            Some(PayOption { provider: *provider, price: price.clone() })
        });
        Self {
            id: offer.plan.id,
            name: offer.name.clone(),
            description: offer.description.clone(),
            duration_days: offer.plan.duration_days,
            traffic_mb: offer.plan.traffic_mb,
            device_limit: offer.plan.device_limit,
            popular: offer.plan.popular,
            pay: pay.collect(),
        }
    }

    fn name(&self, t: &Texts) -> Html {
        parts::product_name(t, Some(&self.name))
    }

    /// `250 ⭐ · 4.99 USD`
    fn prices(&self) -> Html {
        let mut prices: Vec<&Money> = self.pay.iter().map(|option| &option.price).collect();
        prices.dedup();
        Html::join(prices.into_iter().map(Html::from), " · ")
    }
}

/// All plans on sale, in their order.
pub fn plans(t: &Texts, plans: &[PlanView]) -> Screen {
    if plans.is_empty() {
        let html = paragraphs([t.text("plans-title"), t.text("plans-empty")]);
        return Screen::new(html, Rows::default().home(t));
    }
    let cards = plans.iter().map(|plan| card(t, plan));
    let html = paragraphs(std::iter::once(t.text("plans-title")).chain(cards).chain([t.text("plans-hint")]));
    let buttons = plans.iter().map(|plan| {
        let args = args! { "name" => plan.name(t), "price" => plan.prices() };
        let text = if plan.popular {
            t.label_with("plan-button-popular", args)
        } else {
            t.label_with("plan-button", args)
        };
        button(text, Callback::Plan(plan.id))
    });
    Screen::new(html, Rows::default().column(buttons).home(t))
}

fn card(t: &Texts, plan: &PlanView) -> Html {
    let name = args! { "name" => plan.name(t) };
    let head = if plan.popular { t.with("plan-card-popular", name) } else { t.with("plan-card-name", name) };
    let facts = args! {
        "days" => t.days(plan.duration_days),
        "traffic" => t.traffic(plan.traffic_mb),
        "devices" => parts::devices(t, plan.device_limit),
    };
    lines([head, t.with("plan-card-facts", facts)])
}

/// One plan.
pub struct PlanDetail {
    pub plan: PlanView,
    /// Ways of connecting that have room today.
    pub protocols: Vec<Protocol>,
    /// What the person has already.
    pub held: Held,
    pub now: Timestamp,
}

/// What a plan is bought on top of.
pub enum Held {
    Nothing,
    /// The same plan: the access would end then.
    Same {
        extends_to: Timestamp,
    },
    /// Another plan, which goes on, or stays as it is, beside the new one.
    Other(SubscriptionView),
}

pub fn plan(t: &Texts, view: &PlanDetail) -> Screen {
    let plan = &view.plan;
    let name = args! { "name" => plan.name(t) };
    let title = if plan.popular { t.with("plan-card-popular", name) } else { t.with("plan-card-name", name) };
    let price = if plan.pay.is_empty() {
        t.text("plan-no-payment")
    } else {
        t.with("plan-prices", args! { "prices" => plan.prices() })
    };
    let html = paragraphs([
        lines([title, Html::escape(&plan.description)]),
        gives(t, view),
        beside(t, view),
        price,
        lines(plan.pay.iter().map(|option| how_to_pay(t, option.provider))),
    ]);
    let pay = plan.pay.iter().map(|option| {
        button(pay_label(t, option.provider, &option.price), Callback::Buy(plan.id, option.provider))
    });
    let renew = match &view.held {
        Held::Other(other) => parts::renew_named(t, other),
        Held::Nothing | Held::Same { .. } => None,
    };
    Screen::new(html, Rows::default().column(pay).row(renew).back(t, Callback::Plans))
}

/// How the purchase goes with what the person has: only the same plan keeps its configurations.
fn beside(t: &Texts, view: &PlanDetail) -> Html {
    match &view.held {
        Held::Nothing => Html::default(),
        Held::Same { extends_to } => t.with("plan-extends", args! { "date" => t.date(*extends_to) }),
        Held::Other(other) => {
            let plan = other.name(t);
            match other.status {
                SubscriptionStatus::Active if other.ends_at > view.now => {
                    t.with("plan-beside", args! { "plan" => plan, "date" => t.date(other.ends_at) })
                }
                _ if other.renew.is_some() => t.with("plan-beside-paused", args! { "plan" => plan }),
                _ => Html::default(),
            }
        }
    }
}

fn how_to_pay(t: &Texts, provider: ProviderId) -> Html {
    match provider {
        ProviderId::Stars => t.text("how-to-pay-stars"),
        ProviderId::Qvapay => t.text("how-to-pay-qvapay"),
    }
}

fn gives(t: &Texts, view: &PlanDetail) -> Html {
    let plan = &view.plan;
    let traffic = match plan.traffic_mb {
        Some(_) => t.with("plan-gives-traffic", args! { "traffic" => t.traffic(plan.traffic_mb) }),
        None => t.text("plan-gives-unlimited"),
    };
    lines([
        t.text("plan-gives"),
        t.with("plan-gives-days", args! { "days" => t.days(plan.duration_days) }),
        traffic,
        t.with("plan-gives-devices", args! { "devices" => parts::devices(t, plan.device_limit) }),
        protocols(t, &view.protocols),
    ])
}

fn protocols(t: &Texts, protocols: &[Protocol]) -> Html {
    let names = protocols.iter().map(|protocol| parts::protocol_name(t, *protocol));
    let both = |one, other| t.with("and", args! { "one" => one, "other" => other });
    let Some(names) = names.reduce(both) else { return Html::default() };
    match protocols.len() {
        1 => t.with("plan-gives-protocol", args! { "protocol" => names }),
        _ => t.with("plan-gives-protocols", args! { "protocols" => names }),
    }
}

/// `Pay 250 ⭐`, `Pay 4.99 USD with QvaPay`
pub(super) fn pay_label(t: &Texts, provider: ProviderId, price: &Money) -> String {
    match provider {
        ProviderId::Stars => t.label_with("pay-stars", args! { "price" => price }),
        other => {
            let args = args! { "price" => price, "provider" => parts::provider_name(other) };
            t.label_with("pay-with", args)
        }
    }
}

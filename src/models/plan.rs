//! What is sold.

use crate::ids::PlanId;
use crate::models::bot::Language;
use crate::money::Money;

/// A row of `plans`.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub id: PlanId,
    pub code: String,
    pub duration_days: u32,
    /// MiB one purchase gives; None = unlimited.
    pub traffic_mb: Option<u64>,
    pub device_limit: u32,
    pub popular: bool,
    pub active: bool,
    pub position: i32,
}

/// A row of `plan_texts`.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanText {
    pub plan_id: PlanId,
    pub language: Language,
    pub name: String,
    pub description: String,
}

/// What a plan is called in one language, also when it is not sold any more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanName {
    pub name: String,
    /// It can be bought today.
    pub on_sale: bool,
}

/// A plan as it is offered: with its words in one language and all its prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub plan: Plan,
    pub name: String,
    pub description: String,
    pub prices: Vec<Money>,
}

impl From<Offer> for PlanName {
    fn from(offer: Offer) -> Self {
        Self { name: offer.name, on_sale: offer.plan.active }
    }
}

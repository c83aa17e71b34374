//! What is sold: the offers people see, and how an operator changes them. A plan that was sold is never changed or
//! deleted, as orders point to it; it goes off sale.

use std::collections::{BTreeMap, BTreeSet};

use crate::crud;
use crate::ids::PlanId;
use crate::models::audit::Action;
use crate::models::bot::Language;
use crate::models::plan::{Offer, Plan, PlanName, PlanText};
use crate::money::{Currency, Money, MoneyError};
use crate::services::access::{self, AccessError};
use crate::work::Work;

const CODE_CHARS: usize = 32;
/// An invoice's title (Bot API, `sendInvoice`).
const NAME_CHARS: usize = 32;
/// An invoice's description (Bot API, `sendInvoice`).
const DESCRIPTION_CHARS: usize = 255;
const MAX_DAYS: u32 = 3650;
/// 1 PB in MiB: the sum over many purchases still fits in 64 bits of bytes.
const MAX_TRAFFIC_MB: u64 = 1_000_000_000;
const MAX_DEVICES: u32 = 100;
/// Above every price, and below what DECIMAL(20, 8) holds.
const MAX_PRICE: i64 = 1_000_000_000;
/// The language that stands in where a plan has no text in the person's own.
const FALLBACK: Language = Language::Es;

/// A plan to be put on sale.
#[derive(Clone, Debug)]
pub struct NewPlan {
    /// Short name for operators, e.g. `month`.
    pub code: String,
    pub days: u32,
    /// MiB one purchase gives; None = unlimited.
    pub traffic_mb: Option<u64>,
    pub device_limit: u32,
    pub popular: bool,
    /// Name and description per language, at least one.
    pub texts: BTreeMap<Language, Words>,
    /// At least one, and one per currency.
    pub prices: Vec<Money>,
}

/// What a plan is called and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// 1 to 32 characters.
    pub name: String,
    /// 1 to 255 characters.
    pub description: String,
}

/// Why the catalogue cannot be changed so.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("{0:?} is no plan code: 1 to {CODE_CHARS} of a-z 0-9 _ -, such as month")]
    Code(String),
    #[error("{0} days: a plan lasts 1 to {MAX_DAYS}")]
    Days(u32),
    #[error("{0} MiB of traffic: 1 to {MAX_TRAFFIC_MB}, or none for unlimited")]
    Traffic(u64),
    #[error("{0} devices: 1 to {MAX_DEVICES}")]
    Devices(u32),
    #[error("a plan needs a name and a description in at least one language")]
    NoTexts,
    #[error("the name in {0} has to be 1 to {NAME_CHARS} characters on one line")]
    Name(Language),
    #[error("the description in {0} has to be 1 to {DESCRIPTION_CHARS} characters")]
    Description(Language),
    #[error("a plan needs at least one price")]
    NoPrice,
    #[error("two prices in {0}")]
    PriceTwice(Currency),
    #[error("the price {0} is above {MAX_PRICE}")]
    PriceTooHigh(Money),
    #[error(transparent)]
    Price(#[from] MoneyError),
    #[error("there is a plan {0:?} already; take another code")]
    Taken(String),
    #[error("there is no plan {0:?}")]
    Unknown(String),
    #[error("{0}")]
    Access(#[from] AccessError),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// The plans in the order in which they are shown, in the words of `language`.
pub async fn offers(work: &mut Work, language: Language, only_active: bool) -> sqlx::Result<Vec<Offer>> {
    let plans = crud::plan::list(work.conn()).await?;
    let texts = crud::plan::texts(work.conn(), None).await?;
    let prices = crud::plan::prices(work.conn(), None).await?;
    let shown = plans.into_iter().filter(|plan| plan.active || !only_active);
    Ok(shown.map(|plan| in_words(plan, &texts, &prices, language)).collect())
}

/// One plan, on sale or not.
pub async fn offer(work: &mut Work, plan_id: PlanId, language: Language) -> sqlx::Result<Option<Offer>> {
    let Some(plan) = crud::plan::find(work.conn(), plan_id).await? else {
        return Ok(None);
    };
    let texts = crud::plan::texts(work.conn(), Some(plan_id)).await?;
    let prices = crud::plan::prices(work.conn(), Some(plan_id)).await?;
    Ok(Some(in_words(plan, &texts, &prices, language)))
}

/// What every plan that ever was is called in `language`.
pub async fn names(work: &mut Work, language: Language) -> sqlx::Result<BTreeMap<PlanId, PlanName>> {
    let plans = crud::plan::list(work.reading()).await?;
    let texts = crud::plan::texts(work.reading(), None).await?;
    let named = plans.into_iter().map(|plan| (plan.id, in_words(plan, &texts, &[], language).into()));
    Ok(named.collect())
}

fn in_words(plan: Plan, texts: &[PlanText], prices: &[(PlanId, Money)], language: Language) -> Offer {
    let texts: Vec<_> = texts.iter().filter(|text| text.plan_id == plan.id).collect();
    let text_in = |language| texts.iter().find(|text| text.language == language);
    let text = text_in(language).or_else(|| text_in(FALLBACK)).or(texts.first());
    let prices = prices.iter().filter(|(plan_id, _)| *plan_id == plan.id);
    Offer {
        name: text.map_or_else(|| plan.code.clone(), |text| text.name.clone()),
        description: text.map_or_else(|| plan.code.clone(), |text| text.description.clone()),
        prices: prices.map(|(_, price)| price.clone()).collect(),
        plan,
    }
}

/// Puts a plan on sale, behind those that are there.
pub async fn add_plan(work: &mut Work, new: &NewPlan) -> Result<PlanId, CatalogueError> {
    access::require_superadmin(work).await?;
    check(new)?;
    if crud::plan::find_by_code(work.conn(), &new.code).await?.is_some() {
        return Err(CatalogueError::Taken(new.code.clone()));
    }
    let plan = Plan {
        id: PlanId(0),
        code: new.code.clone(),
        duration_days: new.days,
        traffic_mb: new.traffic_mb,
        device_limit: new.device_limit,
        popular: new.popular,
        active: true,
        position: 0,
    };
    let now = work.now();
    let plan_id = match crud::plan::insert(work.conn(), &plan, now).await {
        Err(error) if crate::db::is_duplicate(&error) => return Err(CatalogueError::Taken(plan.code)),
        inserted => inserted?,
    };
    for (&language, Words { name, description }) in &new.texts {
        let (name, description) = (name.clone(), description.clone());
        let text = PlanText { plan_id, language, name, description };
        crud::plan::insert_text(work.conn(), &text).await?;
    }
    for price in &new.prices {
        crud::plan::insert_price(work.conn(), plan_id, price).await?;
    }
    let details = serde_json::json!({
        "code": new.code, "days": new.days, "traffic_mb": new.traffic_mb, "devices": new.device_limit, "prices": new.prices,
        "old": null, "new": "active",
    });
    work.audit(Action::PlanAdded, Some(&format!("plan:{plan_id}")), details).await?;
    Ok(plan_id)
}

/// Takes a plan off sale; what was sold of it stays. It may be off already.
pub async fn disable_plan(work: &mut Work, code: &str) -> Result<(), CatalogueError> {
    access::require_superadmin(work).await?;
    let plan = crud::plan::find_by_code(work.conn(), code).await?;
    let plan = plan.ok_or_else(|| CatalogueError::Unknown(code.to_owned()))?;
    if crud::plan::disable(work.conn(), plan.id).await? {
        let change = serde_json::json!({ "code": plan.code, "old": "active", "new": "disabled" });
        work.audit(Action::PlanDisabled, Some(&format!("plan:{}", plan.id)), change).await?;
    }
    Ok(())
}

fn check(new: &NewPlan) -> Result<(), CatalogueError> {
    let code_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if !(1..=CODE_CHARS).contains(&new.code.len()) || !new.code.chars().all(code_char) {
        return Err(CatalogueError::Code(new.code.clone()));
    }
    if !(1..=MAX_DAYS).contains(&new.days) {
        return Err(CatalogueError::Days(new.days));
    }
    if let Some(traffic) = new.traffic_mb.filter(|traffic| !(1..=MAX_TRAFFIC_MB).contains(traffic)) {
        return Err(CatalogueError::Traffic(traffic));
    }
    if !(1..=MAX_DEVICES).contains(&new.device_limit) {
        return Err(CatalogueError::Devices(new.device_limit));
    }
    check_texts(&new.texts)?;
    check_prices(&new.prices)
}

fn check_texts(texts: &BTreeMap<Language, Words>) -> Result<(), CatalogueError> {
    let fits = |text: &str, chars| !text.trim().is_empty() && text.chars().count() <= chars;
    for (&language, Words { name, description }) in texts {
        if !fits(name, NAME_CHARS) || name.chars().any(char::is_control) {
            return Err(CatalogueError::Name(language));
        }
        if !fits(description, DESCRIPTION_CHARS) {
            return Err(CatalogueError::Description(language));
        }
    }
    if texts.is_empty() { Err(CatalogueError::NoTexts) } else { Ok(()) }
}

fn check_prices(prices: &[Money]) -> Result<(), CatalogueError> {
    let mut seen = BTreeSet::new();
    for price in prices {
        Money::price(price.amount, price.currency.clone())?;
        if price.amount > MAX_PRICE.into() {
            return Err(CatalogueError::PriceTooHigh(price.clone()));
        }
        if !seen.insert(&price.currency) {
            return Err(CatalogueError::PriceTwice(price.currency.clone()));
        }
    }
    if prices.is_empty() { Err(CatalogueError::NoPrice) } else { Ok(()) }
}

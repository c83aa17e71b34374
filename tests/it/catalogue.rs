//! What is sold: the catalogue that is there at first, and an operator's own.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use scoped_futures::ScopedFutureExt;
use sqlx::{AssertSqlSafe, Executor};
use usipipo::ids::PlanId;
use usipipo::models::bot::Language;
use usipipo::models::plan::Offer;
use usipipo::money::{Currency, Money};
use usipipo::services::catalogue::{self, CatalogueError, NewPlan, Words};
use usipipo::work::Origin;

use crate::support::works::{ADMIN, SUPERADMIN, TestWorks, by};

async fn offers(test: &TestWorks, language: Language, only_active: bool) -> Vec<Offer> {
    let offers = test.run::<_, sqlx::Error, _>("offers", Origin::SYSTEM, |work| {
        catalogue::offers(work, language, only_active).scope_boxed()
    });
    offers.await.unwrap()
}

async fn offer(test: &TestWorks, id: PlanId, language: Language) -> Option<Offer> {
    let offer = test.run::<_, sqlx::Error, _>("offer", Origin::SYSTEM, |work| {
        catalogue::offer(work, id, language).scope_boxed()
    });
    offer.await.unwrap()
}

async fn add(test: &TestWorks, origin: Origin, plan: &NewPlan) -> Result<PlanId, CatalogueError> {
    test.run("add", origin, |work| catalogue::add_plan(work, plan).scope_boxed()).await
}

async fn disable(test: &TestWorks, origin: Origin, code: &str) -> Result<(), CatalogueError> {
    test.run("disable", origin, |work| catalogue::disable_plan(work, code).scope_boxed()).await
}

fn money(amount: &str, currency: &str) -> Money {
    Money::new(amount.parse().unwrap(), currency.parse().unwrap())
}

fn words(name: &str) -> Words {
    Words { name: name.to_owned(), description: format!("{name}, described") }
}

fn half_year() -> NewPlan {
    NewPlan {
        code: "half-year_1".into(),
        days: 180,
        traffic_mb: None,
        device_limit: 3,
        popular: true,
        texts: BTreeMap::from([(Language::Es, words("Medio año")), (Language::En, words("Half a year"))]),
        prices: vec![money("22.50", "USD"), money("1100", "XTR"), money("0.12345678", "TON")],
    }
}

#[tokio::test]
async fn the_default_catalogue_is_complete_in_each_language() {
    let test = TestWorks::new().await;
    let mut names = BTreeSet::new();
    for language in Language::ALL {
        let offers = offers(&test, *language, true).await;
        let codes: Vec<_> = offers.iter().map(|offer| offer.plan.code.as_str()).collect();
        assert_eq!(codes, ["week", "month", "quarter", "year"]);
        for Offer { name, description, plan, prices } in offers {
            assert!((1..=32).contains(&name.chars().count()), "{name}");
            assert!((1..=255).contains(&description.chars().count()), "{description}");
            assert!(
                !description.contains(|c: char| c.is_ascii_digit()),
                "the facts stand below: {description}"
            );
            assert!(plan.traffic_mb.is_some_and(|mebibytes| mebibytes % 1024 == 0));
            assert_eq!(plan.popular, plan.code == "month");
            let currencies: Vec<_> = prices.iter().map(|price| price.currency.as_str()).collect();
            assert_eq!(currencies, ["RUB", "USD", "XTR"]);
            for price in prices {
                Money::price(price.amount, price.currency).unwrap();
            }
            names.insert(name);
        }
    }
    assert_eq!(names.len(), 12);
}

#[tokio::test]
async fn a_longer_plan_is_cheaper_by_the_day() {
    let test = TestWorks::new().await;
    let offers = offers(&test, Language::Es, true).await;
    for (longer, shorter) in offers.iter().skip(1).zip(&offers) {
        for (long, short) in longer.prices.iter().zip(&shorter.prices) {
            let daily = |offer: &Offer, price: &Money| price.amount / Decimal::from(offer.plan.duration_days);
            assert!(daily(longer, long) < daily(shorter, short), "{long} of {}", longer.plan.code);
        }
    }
}

/// Runs the statements of the default catalogue again.
async fn seed_again(test: &TestWorks) {
    for name in [
        "0025_default_plans",
        "0026_default_plan_texts",
        "0027_default_plan_prices",
        "0043_shorter_plan_texts",
    ] {
        let path = format!("{}/migrations/{name}.sql", env!("CARGO_MANIFEST_DIR"));
        let statement = std::fs::read_to_string(path).unwrap();
        test.db.pool.execute(AssertSqlSafe(statement)).await.unwrap();
    }
}

async fn empty(test: &TestWorks) {
    for statement in ["DELETE FROM plan_prices", "DELETE FROM plan_texts", "DELETE FROM plans"] {
        test.db.pool.execute(statement).await.unwrap();
    }
}

#[tokio::test]
async fn seeding_again_changes_nothing() {
    let test = TestWorks::new().await;
    let before = offers(&test, Language::Ru, false).await;
    disable(&test, Origin::SYSTEM, "week").await.unwrap();
    seed_again(&test).await;
    let after = offers(&test, Language::Ru, false).await;
    assert!(!after[0].plan.active, "what was taken off sale stays off");
    assert_eq!(after[1..], before[1..]);
}

#[tokio::test]
async fn an_operators_catalogue_is_left_alone() {
    let test = TestWorks::new().await;
    empty(&test).await;
    let own = NewPlan { code: "month".into(), ..half_year() };
    add(&test, Origin::SYSTEM, &own).await.unwrap();
    let before = offers(&test, Language::Ru, false).await;
    seed_again(&test).await;
    assert_eq!(offers(&test, Language::Ru, false).await, before);
}

#[tokio::test]
async fn only_words_that_nobody_changed_are_made_shorter() {
    let test = TestWorks::new().await;
    let of = async |language| offers(&test, language, true).await[0].description.clone();
    let shorter = of(Language::Ru).await;
    empty(&test).await;
    seed_again(&test).await;
    assert_eq!(of(Language::Ru).await, shorter, "the seed and what follows it, from nothing");

    let own = "7 days and our best wishes";
    let change = "UPDATE plan_texts SET description = ? WHERE language = 'en'";
    sqlx::query(change).bind(own).execute(&test.db.pool).await.unwrap();
    seed_again(&test).await;
    assert_eq!((of(Language::En).await.as_str(), of(Language::Ru).await), (own, shorter));
}

#[tokio::test]
async fn a_plan_is_added_behind_the_others() {
    let test = TestWorks::new().await;
    let new = half_year();
    let id = add(&test, by(SUPERADMIN), &new).await.unwrap();
    let offers = offers(&test, Language::En, true).await;
    let last = offers.last().unwrap();
    assert_eq!((offers.len(), last.plan.id), (5, id));
    assert_eq!((last.name.as_str(), last.description.as_str()), ("Half a year", "Half a year, described"));
    let plan = &last.plan;
    assert_eq!((plan.duration_days, plan.traffic_mb, plan.device_limit), (180, None, 3));
    assert!(plan.popular && plan.active);
    assert_eq!(last.prices, [money("0.12345678", "TON"), money("22.5", "USD"), money("1100", "XTR")]);
    assert_eq!(offer(&test, id, Language::En).await.as_ref(), Some(last));
    let row = &test.audited("plan_added").await[0];
    assert_eq!((row.user_id, row.target.clone()), (Some(SUPERADMIN), Some(format!("plan:{id}"))));
}

#[tokio::test]
async fn missing_words_are_taken_from_spanish_then_from_any_language() {
    let test = TestWorks::new().await;
    let id = add(&test, Origin::SYSTEM, &half_year()).await.unwrap();
    assert_eq!(offer(&test, id, Language::Ru).await.unwrap().name, "Medio año");
    let texts = BTreeMap::from([(Language::Ru, words("Полгода"))]);
    let russian = NewPlan { code: "ru".into(), texts, ..half_year() };
    let id = add(&test, Origin::SYSTEM, &russian).await.unwrap();
    for language in Language::ALL {
        assert_eq!(offer(&test, id, *language).await.unwrap().name, "Полгода");
    }
    assert_eq!(offer(&test, PlanId(-1), Language::Es).await, None);
}

#[tokio::test]
async fn a_plan_that_makes_no_sense_is_refused_with_the_reason() {
    let test = TestWorks::new().await;
    let named = |language, name: &str| BTreeMap::from([(language, words(name))]);
    let described =
        |description: String| BTreeMap::from([(Language::Es, Words { name: "Plan".into(), description })]);
    let usd = |amount| vec![money(amount, "USD")];
    let cases = [
        NewPlan { code: String::new(), ..half_year() },
        NewPlan { code: "x".repeat(33), ..half_year() },
        NewPlan { code: "Año".into(), ..half_year() },
        NewPlan { code: "week".into(), ..half_year() },
        NewPlan { days: 0, ..half_year() },
        NewPlan { days: 3651, ..half_year() },
        NewPlan { traffic_mb: Some(0), ..half_year() },
        NewPlan { traffic_mb: Some(u64::MAX), ..half_year() },
        NewPlan { device_limit: 0, ..half_year() },
        NewPlan { device_limit: 101, ..half_year() },
        NewPlan { texts: BTreeMap::new(), ..half_year() },
        NewPlan { texts: named(Language::Ru, " "), ..half_year() },
        NewPlan { texts: named(Language::Ru, &"я".repeat(33)), ..half_year() },
        NewPlan { texts: named(Language::En, "a\nb"), ..half_year() },
        NewPlan { texts: described(String::new()), ..half_year() },
        NewPlan { texts: described("я".repeat(256)), ..half_year() },
        NewPlan { prices: vec![], ..half_year() },
        NewPlan { prices: usd("0"), ..half_year() },
        NewPlan { prices: usd("-1"), ..half_year() },
        NewPlan { prices: usd("4.999"), ..half_year() },
        NewPlan { prices: vec![Money::new("2.5".parse().unwrap(), Currency::stars())], ..half_year() },
        NewPlan { prices: usd("1000000001"), ..half_year() },
        NewPlan { prices: vec![money("1", "USD"), money("2", "USD")], ..half_year() },
    ];
    let mut reasons = String::new();
    for case in &cases {
        reasons += &format!("{}\n", add(&test, Origin::SYSTEM, case).await.unwrap_err());
    }
    insta::assert_snapshot!(reasons);
    assert_eq!(offers(&test, Language::Es, false).await.len(), 4);

    let longest = NewPlan {
        code: "x".repeat(32),
        traffic_mb: Some(1_000_000_000),
        texts: BTreeMap::from([(
            Language::Ru,
            Words { name: "я".repeat(32), description: "😀".repeat(255) },
        )]),
        prices: vec![money("1000000000", "XTR"), money("999999999.12345678", "TON")],
        ..half_year()
    };
    add(&test, Origin::SYSTEM, &longest).await.unwrap();
}

#[tokio::test]
async fn a_plan_is_taken_off_sale_and_kept() {
    let test = TestWorks::new().await;
    disable(&test, by(SUPERADMIN), "week").await.unwrap();
    disable(&test, by(SUPERADMIN), "week").await.unwrap();
    let on_sale = offers(&test, Language::Es, true).await;
    assert!(on_sale.len() == 3 && on_sale.iter().all(|offer| offer.plan.code != "week"));
    let all = offers(&test, Language::Es, false).await;
    assert_eq!(all.len(), 4);
    assert!(!offer(&test, all[0].plan.id, Language::Es).await.unwrap().plan.active);
    assert_eq!(test.audited("plan_disabled").await.len(), 1);
    let unknown = disable(&test, by(SUPERADMIN), "decade").await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no plan \"decade\"");
}

#[tokio::test]
async fn only_a_superadmin_changes_the_catalogue() {
    let test = TestWorks::new().await;
    let refused = add(&test, by(ADMIN), &half_year()).await.unwrap_err();
    assert_eq!(refused.to_string(), "this needs the role superadmin");
    assert!(matches!(disable(&test, by(ADMIN), "week").await, Err(CatalogueError::Access(_))));
    assert_eq!(offers(&test, Language::Es, true).await.len(), 4);
}

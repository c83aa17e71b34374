//! One sample of every screen in each of its states.

mod account;
mod shop;
mod team;
mod vpn;

use chrono::Duration;
use usipipo::clock::Timestamp;
use usipipo::config::Contact;
use usipipo::handlers::bots::callback::Os;
use usipipo::handlers::bots::commands::Command;
use usipipo::handlers::bots::screens::admin::*;
use usipipo::handlers::bots::screens::*;
use usipipo::i18n::Texts;
use usipipo::ids::{ChargeId, ConfigId, PaymentId, PlanId, SubscriptionId, UserId};
use usipipo::models::bot::Language;
use usipipo::models::payment::{PaymentStatus, ProviderId, UnmatchedCharge};
use usipipo::models::role::Role;
use usipipo::models::server::ServerHealth;
use usipipo::models::subscription::{ReminderKind, SubscriptionStatus};
use usipipo::models::user::UserStatus;
use usipipo::models::vpn::{ConfigStatus, Protocol};
use usipipo::money::{Currency, Money};

pub use vpn::{SS_LINK, secret_text};

pub struct Sample {
    pub name: &'static str,
    pub screen: Screen,
}

fn sample(name: &'static str, screen: Screen) -> Sample {
    Sample { name, screen }
}

/// What people and operators typed themselves.
pub struct Names {
    pub person: String,
    pub config: String,
    pub plan: String,
    pub location: String,
}

impl Names {
    pub fn ordinary() -> Self {
        Self {
            person: "Ana".to_owned(),
            config: "iPhone".to_owned(),
            plan: "Mes".to_owned(),
            location: "🇩🇪 Frankfurt".to_owned(),
        }
    }

    pub fn hostile() -> Vec<Self> {
        let everywhere = |text: &str| Self {
            person: text.to_owned(),
            config: text.to_owned(),
            plan: text.to_owned(),
            location: text.to_owned(),
        };
        vec![
            everywhere("<script>alert(1)</script></b><a href=\"x\">&amp;"),
            everywhere("\u{202E}\u{2066}\u{200B}abc\u{7}\u{202D}"),
            everywhere("👨\u{200D}👩\u{200D}👧🏳️\u{200D}🌈"),
            everywhere(&"𝕏&<".repeat(1366)[..4096]),
            everywhere(""),
            everywhere("\u{200B}\u{3164}"),
            everywhere("محمد { $name } {\"x\"}"),
        ]
    }
}

const GIB: u64 = 1 << 30;
const ORDER: &str = "ord_01JDX5K8Q2M7V9B3C4D5E6F7G8";
const ANA: UserId = UserId(123_456_789);

pub fn replies() -> Vec<Reply> {
    vec![
        Reply::Cancelled,
        Reply::NothingToCancel,
        Reply::StaleButton,
        Reply::SlowDown,
        Reply::Banned,
        Reply::NotAllowed,
        Reply::NotSold,
        Reply::TooManyOrders { most: 10 },
        Reply::NotFound,
        Reply::UnknownCommand,
        Reply::NotUnderstood,
        Reply::InGroup,
        Reply::Error { reference: "0193-4f2a".to_owned() },
    ]
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_796_481_000) // 2026-12-05T14:30:00Z
}

fn stars() -> Money {
    Money::stars(250)
}

fn usd() -> Money {
    Money::new("4.99".parse().unwrap(), "USD".parse().unwrap())
}

fn terms_of_trial() -> TrialTerms {
    TrialTerms { days: 7, traffic_mb: 1000 }
}

fn subscription(n: &Names, status: SubscriptionStatus) -> SubscriptionView {
    SubscriptionView {
        id: SubscriptionId(5),
        plan: Some(n.plan.clone()),
        renew: Some(PlanId(2)),
        status,
        ends_at: now() + Duration::days(12),
        allowance: Some(50 * GIB),
        used: 12 * GIB,
        renews: false,
        device_limit: 3,
    }
}

fn trial_subscription() -> SubscriptionView {
    SubscriptionView {
        plan: None,
        renew: None,
        ends_at: now() + Duration::hours(23),
        allowance: Some(1000 << 20),
        used: 1000 << 20,
        ..subscription(&Names::ordinary(), SubscriptionStatus::Suspended)
    }
}

fn config_view(n: &Names, protocol: Protocol, status: ConfigStatus) -> ConfigView {
    let placed = status != ConfigStatus::Preparing;
    ConfigView {
        id: ConfigId(12),
        name: n.config.clone(),
        protocol,
        location: placed.then(|| n.location.clone()),
        status,
        used: 3 * GIB / 2,
        last_handshake_at: (placed && protocol == Protocol::Wireguard).then(|| now() - Duration::minutes(5)),
        delivered_at: placed.then(|| now() - Duration::minutes(59)),
    }
}

fn plan_view(n: &Names) -> PlanView {
    PlanView {
        id: PlanId(2),
        name: n.plan.clone(),
        description: "Para navegar, chatear y ver vídeos todos los días.".to_owned(),
        duration_days: 30,
        traffic_mb: Some(51_200),
        device_limit: 3,
        popular: true,
        pay: vec![
            PayOption { provider: ProviderId::Stars, price: stars() },
            PayOption { provider: ProviderId::Qvapay, price: usd() },
        ],
    }
}

fn payment_view(n: &Names, status: PaymentStatus) -> PaymentView {
    PaymentView {
        id: PaymentId(77),
        order_ref: ORDER.to_owned(),
        plan: n.plan.clone(),
        price: stars(),
        provider: ProviderId::Stars,
        status,
        created_at: now() - Duration::days(3),
    }
}

/// Everything, by area.
pub fn areas(t: &Texts, n: &Names) -> Vec<(&'static str, Vec<Sample>)> {
    let all = |parts: Vec<Vec<Sample>>| parts.into_iter().flatten().collect();
    vec![
        ("menu", menu(t, n)),
        (
            "shop",
            all(vec![
                shop::trial_and_plans(t, n),
                shop::orders(t, n),
                shop::receipts(t, n),
                shop::reminders(t, n),
            ]),
        ),
        ("vpn", all(vec![vpn::vpns(t, n), vpn::configs(t, n), vpn::guides_and_delivery(t, n)])),
        ("account", all(vec![account::person(t, n), account::house(t, n)])),
        (
            "team",
            all(vec![team::people(t, n), team::refunds(t, n), team::reviewed(t, n), team::decisions(t, n)]),
        ),
    ]
}

pub fn all(t: &Texts, n: &Names) -> Vec<Sample> {
    areas(t, n).into_iter().flat_map(|(_, samples)| samples).collect()
}

fn home_view(n: &Names, trial: bool, subscription: Option<SubscriptionView>, roles: &[Role]) -> Home {
    Home {
        first_name: n.person.clone(),
        trial: trial.then(terms_of_trial),
        subscription,
        order: None,
        roles: roles.to_vec(),
        now: now(),
    }
}

fn menu(t: &Texts, n: &Names) -> Vec<Sample> {
    let active = || Some(subscription(n, SubscriptionStatus::Active));
    let idle = home_view(n, false, None, &[]);
    let support = Some(Contact::Link("https://example.com/help".to_owned()));
    let finance = Help { roles: vec![Role::Finance], trial_offered: true, support };
    let gone = SubscriptionView { renew: None, ..subscription(n, SubscriptionStatus::Active) };
    let mut samples = vec![
        sample("home/new", home(t, &home_view(n, true, None, &[]))),
        sample("home/idle", home(t, &idle)),
        sample(
            "home/order to pay",
            home(t, &Home { order: Some(PaymentId(77)), ..home_view(n, true, None, &[]) }),
        ),
        sample("home/subscribed, admin", home(t, &home_view(n, false, active(), &[Role::Admin]))),
        sample("home/trial out of traffic", home(t, &home_view(n, false, Some(trial_subscription()), &[]))),
        sample("home/not sold any more", home(t, &home_view(n, false, Some(gone), &[]))),
        sample("home/after a stale button", home_after(t, reply_text(t, &Reply::StaleButton), &idle)),
        sample("help/user", help(t, &Help { roles: vec![], trial_offered: false, support: None })),
        sample("help/finance", help(t, &finance)),
        sample("languages", languages(t)),
        sample("about/support", about_support(t, Some("usipipo_bot"))),
        sample("about/admin", about_admin(t, None)),
    ];
    let names = [
        "reply/cancelled",
        "reply/nothing to cancel",
        "reply/stale",
        "reply/slow down",
        "reply/banned",
        "reply/not allowed",
        "reply/not sold",
        "reply/too many orders",
        "reply/not found",
        "reply/unknown command",
        "reply/not understood",
        "reply/in group",
        "reply/error",
    ];
    let shown = replies().into_iter().zip(names);
    let support = Some(Contact::Username("usipipo_help_bot".to_owned()));
    samples.extend(shown.map(|(view, name)| sample(name, reply(t, &view, support.as_ref()))));
    samples
}

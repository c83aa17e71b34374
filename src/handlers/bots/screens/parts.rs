//! Views that several screens show, and the lines that show them.

use super::{button, lines};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::{ConfigId, PaymentId, PlanId, SubscriptionId};
use crate::models::bot::Language;
use crate::models::outgoing::Button;
use crate::models::payment::{PaymentStatus, ProviderId, UnmatchedCharge};
use crate::models::plan::PlanName;
use crate::models::role::{Permission, Role};
use crate::models::server::ServerHealth;
use crate::models::subscription::{Subscription, SubscriptionStatus};
use crate::models::vpn::{ConfigStatus, Protocol};
use crate::money::Money;

/// A subscription as its owner sees it.
#[derive(Clone, Debug)]
pub struct SubscriptionView {
    pub id: SubscriptionId,
    /// Name of the plan in the person's language; None = trial.
    pub plan: Option<String>,
    /// The plan to buy again, which goes on with the same configurations; None when it is not sold any more, and
    /// for the trial.
    pub renew: Option<PlanId>,
    pub status: SubscriptionStatus,
    pub ends_at: Timestamp,
    /// Bytes in all; None = unlimited.
    pub allowance: Option<u64>,
    /// Bytes used.
    pub used: u64,
    pub renews: bool,
    pub device_limit: u32,
}

impl SubscriptionView {
    /// `plan` is the plan in the person's language; None for the trial.
    pub fn of(row: &Subscription, plan: Option<PlanName>) -> Self {
        Self {
            id: row.id,
            renew: row.plan_id.filter(|_| plan.as_ref().is_some_and(|plan| plan.on_sale)),
            plan: plan.map(|plan| plan.name),
            status: row.status,
            ends_at: row.ends_at,
            allowance: row.allowance,
            used: row.used,
            renews: row.renews,
            device_limit: row.device_limit,
        }
    }

    pub(super) fn name(&self, t: &Texts) -> Html {
        product_name(t, self.plan.as_deref())
    }

    pub(super) fn is_trial(&self) -> bool {
        self.plan.is_none()
    }

    fn traffic_is_out(&self) -> bool {
        self.allowance.is_some_and(|all| self.used >= all)
    }
}

/// One device's access as its owner sees it.
#[derive(Clone, Debug)]
pub struct ConfigView {
    pub id: ConfigId,
    /// The person's own name for it.
    pub name: String,
    pub protocol: Protocol,
    /// `servers.location`; None until a place is found.
    pub location: Option<String>,
    pub status: ConfigStatus,
    /// Bytes in both directions.
    pub used: u64,
    pub last_handshake_at: Option<Timestamp>,
    /// None until it is handed over.
    pub delivered_at: Option<Timestamp>,
}

impl ConfigView {
    pub(super) fn name(&self, t: &Texts) -> Html {
        config_name(t, &self.name, self.protocol)
    }
}

/// A payment in a list.
#[derive(Clone, Debug)]
pub struct PaymentView {
    pub id: PaymentId,
    pub order_ref: String,
    /// Name of the plan.
    pub plan: String,
    pub price: Money,
    pub provider: ProviderId,
    pub status: PaymentStatus,
    pub created_at: Timestamp,
}

/// A role that somebody holds.
#[derive(Clone, Debug)]
pub struct RoleView {
    pub role: Role,
    /// None = for good.
    pub expires_at: Option<Timestamp>,
}

/// Whether one of these roles allows it.
pub(in crate::handlers::bots) fn allows(roles: &[Role], permission: Permission) -> bool {
    roles.iter().any(|role| role.allows(permission))
}

/// Name of what a subscription is of: the plan's own, or the trial's.
pub(super) fn product_name(t: &Texts, plan: Option<&str>) -> Html {
    plan.and_then(Html::name).unwrap_or_else(|| t.text("product-trial"))
}

/// The person's name for a config; an empty one is named after its protocol.
pub(super) fn config_name(t: &Texts, name: &str, protocol: Protocol) -> Html {
    Html::name(name).unwrap_or_else(|| protocol_name(t, protocol))
}

pub(in crate::handlers::bots) fn protocol_name(t: &Texts, protocol: Protocol) -> Html {
    match protocol {
        Protocol::Wireguard => t.text("protocol-wireguard"),
        Protocol::Outline => t.text("protocol-outline"),
    }
}

pub(super) fn language_name(t: &Texts, language: Language) -> Html {
    match language {
        Language::Es => t.text("language-es"),
        Language::En => t.text("language-en"),
        Language::Ru => t.text("language-ru"),
    }
}

/// Brand names are the same in every language.
pub(in crate::handlers::bots) fn provider_name(provider: ProviderId) -> &'static str {
    match provider {
        ProviderId::Stars => "Telegram Stars",
        ProviderId::Qvapay => "QvaPay",
    }
}

/// The amount, or only the currency where it was no plain number.
pub(super) fn charge_amount(charge: &UnmatchedCharge) -> Html {
    charge.money().map_or_else(|| Html::escape(charge.currency.as_str()), |money| Html::from(&money))
}

pub(super) fn devices(t: &Texts, devices: u32) -> Html {
    t.with("devices", args! { "devices" => devices })
}

/// Name and state of a subscription, its end and its traffic, on a line each.
pub(super) fn subscription(t: &Texts, view: &SubscriptionView, now: Timestamp) -> Html {
    let name = args! { "name" => view.name(t) };
    let head = match view.status {
        SubscriptionStatus::Active => t.with("subscription-active", name),
        SubscriptionStatus::Suspended => t.with("subscription-suspended", name),
        SubscriptionStatus::Expired => {
            return lines([t.with("subscription-expired", name), ended(t, view)]);
        }
    };
    lines([head, ending(t, view, now), traffic(t, view)])
}

/// When it ends, or that it did.
pub(super) fn ending(t: &Texts, view: &SubscriptionView, now: Timestamp) -> Html {
    if view.ends_at <= now {
        return ended(t, view);
    }
    let date = t.date(view.ends_at);
    if view.renews {
        return t.with("subscription-renews", args! { "date" => date });
    }
    t.with("subscription-ends", args! { "span" => t.span(view.ends_at.since(now)), "date" => date })
}

fn ended(t: &Texts, view: &SubscriptionView) -> Html {
    t.with("subscription-ended", args! { "date" => t.date(view.ends_at) })
}

/// How much traffic is left.
pub(super) fn traffic(t: &Texts, view: &SubscriptionView) -> Html {
    let Some(all) = view.allowance else {
        return t.text("subscription-unlimited");
    };
    let total = t.bytes(all);
    if view.traffic_is_out() {
        return t.with("subscription-traffic-out", args! { "total" => total });
    }
    t.with("subscription-traffic", args! { "left" => t.bytes(all - view.used), "total" => total })
}

/// Buys the same plan again, or leads to the plans of today where that cannot be.
pub(super) fn renew_button(t: &Texts, view: Option<&SubscriptionView>) -> Button {
    match view.and_then(|view| view.renew) {
        Some(plan) => button(t.label("button-renew"), Callback::Plan(plan)),
        None => button(t.label("go-plans"), Callback::Plans),
    }
}

/// As [`renew_button`], by the name of the plan, where there may be others; None when it is not sold any more.
pub(super) fn renew_named(t: &Texts, view: &SubscriptionView) -> Option<Button> {
    let text = t.label_with("button-renew-plan", args! { "plan" => view.name(t) });
    view.renew.map(|plan| button(text, Callback::Plan(plan)))
}

/// A dot that says how a config stands.
pub(super) fn config_dot(status: ConfigStatus) -> &'static str {
    match status {
        ConfigStatus::Preparing => "⏳",
        ConfigStatus::Active => "🟢",
        ConfigStatus::Suspended => "⏸",
        ConfigStatus::Revoked | ConfigStatus::Removed => "⚪",
    }
}

/// A dot that says how a server or service is.
pub(super) fn health_dot(health: ServerHealth) -> &'static str {
    match health {
        ServerHealth::Up => "🟢",
        ServerHealth::Down => "🔴",
        ServerHealth::Unknown => "⚪",
    }
}

/// A payment on one line.
pub(super) fn payment(t: &Texts, view: &PaymentView) -> Html {
    let args = args! {
        "date" => t.date(view.created_at),
        "plan" => product_name(t, Some(&view.plan)),
        "price" => &view.price,
        "status" => payment_status(t, view.status),
    };
    t.with("payment-line", args)
}

pub(super) fn payment_status(t: &Texts, status: PaymentStatus) -> Html {
    match status {
        PaymentStatus::Pending => t.text("payment-pending"),
        PaymentStatus::Completed => t.text("payment-completed"),
        PaymentStatus::Refunded => t.text("payment-refunded"),
        PaymentStatus::Expired => t.text("payment-expired"),
        PaymentStatus::Failed => t.text("payment-failed"),
        PaymentStatus::Cancelled => t.text("payment-cancelled"),
        PaymentStatus::Review => t.text("payment-review"),
    }
}

/// A role on one line, with its end.
pub(super) fn role(t: &Texts, view: &RoleView) -> Html {
    let role = role_name(t, view.role);
    match view.expires_at {
        Some(at) => t.with("role-until", args! { "role" => role, "moment" => t.moment(at) }),
        None => t.with("role-always", args! { "role" => role }),
    }
}

pub(super) fn role_name(t: &Texts, role: Role) -> Html {
    match role {
        Role::User => t.text("role-user"),
        Role::Support => t.text("role-support"),
        Role::Finance => t.text("role-finance"),
        Role::Admin => t.text("role-admin"),
        Role::Superadmin => t.text("role-superadmin"),
    }
}

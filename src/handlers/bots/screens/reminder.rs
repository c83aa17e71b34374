//! Reminders: what is about to end, and the one button that keeps it going.

use super::parts::SubscriptionView;
use super::{Rows, Screen, button};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Texts, args};
use crate::ids::PlanId;
use crate::models::subscription::ReminderKind;

pub struct Reminder {
    pub kind: ReminderKind,
    pub subscription: SubscriptionView,
    /// The plan to renew, while it is on sale; None leads to all plans.
    pub renew: Option<PlanId>,
    pub now: Timestamp,
}

pub fn reminder(t: &Texts, view: &Reminder) -> Screen {
    let subscription = &view.subscription;
    let plan = subscription.name(t);
    let span = t.span(subscription.ends_at.since(view.now));
    let text = match view.kind {
        ReminderKind::ThreeDays => {
            let date = t.date(subscription.ends_at);
            t.with("reminder-three-days", args! { "plan" => plan, "span" => span, "date" => date })
        }
        ReminderKind::OneDay => {
            let moment = t.moment(subscription.ends_at);
            t.with("reminder-one-day", args! { "plan" => plan, "span" => span, "moment" => moment })
        }
        ReminderKind::Ended => t.with("reminder-ended", args! { "plan" => plan }),
        ReminderKind::TrafficLow => {
            let total = subscription.allowance.unwrap_or_default();
            let left = t.bytes(total.saturating_sub(subscription.used));
            let args = args! { "plan" => plan, "left" => left, "total" => t.bytes(total) };
            t.with("reminder-traffic-low", args)
        }
        ReminderKind::TrafficOut => t.with("reminder-traffic-out", args! { "plan" => plan }),
    };
    let renew = match view.renew {
        Some(plan) => button(t.label("home-button-renew"), Callback::Plan(plan)),
        None => button(t.label("go-plans"), Callback::Plans),
    };
    let rows = Rows::default().row([renew]).row([button(t.label("go-vpn"), Callback::Vpn)]).home(t);
    Screen::new(text, rows)
}

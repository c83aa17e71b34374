//! Reminders: what is about to end, and the one button that keeps it going.

use super::parts::SubscriptionView;
use super::{Rows, Screen, button};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
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
    let text = if view.subscription.is_trial() { of_trial(t, view) } else { of_plan(t, view) };
    let renew = match view.renew {
        Some(plan) => button(t.label("home-button-renew"), Callback::Plan(plan)),
        None => button(t.label("go-plans"), Callback::Plans),
    };
    let rows = Rows::default().row([renew]).vpn_and_home(t);
    Screen::new(text, rows)
}

fn of_plan(t: &Texts, view: &Reminder) -> Html {
    let subscription = &view.subscription;
    let (plan, ends_at) = (subscription.name(t), subscription.ends_at);
    match view.kind {
        ReminderKind::ThreeDays => {
            let args = args! { "plan" => plan, "span" => left(t, view), "date" => t.date(ends_at) };
            t.with("reminder-three-days", args)
        }
        ReminderKind::OneDay => {
            let args = args! { "plan" => plan, "span" => left(t, view), "date" => t.date(ends_at) };
            t.with("reminder-one-day", args)
        }
        ReminderKind::Ended => t.with("reminder-ended", args! { "plan" => plan }),
        ReminderKind::TrafficLow => {
            let total = subscription.allowance.unwrap_or_default();
            let left = t.bytes(total.saturating_sub(subscription.used));
            let args = args! { "plan" => plan, "left" => left, "total" => t.bytes(total) };
            t.with("reminder-traffic-low", args)
        }
        ReminderKind::TrafficOut => t.with("reminder-traffic-out", args! { "plan" => plan }),
    }
}

/// A trial is not renewed: a plan comes after it.
fn of_trial(t: &Texts, view: &Reminder) -> Html {
    match view.kind {
        ReminderKind::ThreeDays | ReminderKind::OneDay => {
            let date = t.date(view.subscription.ends_at);
            t.with("reminder-trial-ends", args! { "span" => left(t, view), "date" => date })
        }
        ReminderKind::Ended => t.text("reminder-trial-ended"),
        ReminderKind::TrafficLow => {
            let left = view.subscription.allowance.unwrap_or_default().saturating_sub(view.subscription.used);
            t.with("reminder-trial-traffic-low", args! { "left" => t.bytes(left) })
        }
        ReminderKind::TrafficOut => t.text("reminder-trial-traffic-out"),
    }
}

fn left(t: &Texts, view: &Reminder) -> Html {
    t.span(view.subscription.ends_at.since(view.now))
}

//! Reminders: what is about to end, and the one button that keeps it going.

use super::parts::{self, SubscriptionView};
use super::{Rows, Screen};
use crate::clock::Timestamp;
use crate::i18n::{Html, Texts, args};
use crate::models::subscription::ReminderKind;

pub struct Reminder {
    pub kind: ReminderKind,
    pub subscription: SubscriptionView,
    /// Until when the configurations are kept after the end; None when they go at once.
    pub kept_until: Option<Timestamp>,
    pub now: Timestamp,
}

pub fn reminder(t: &Texts, view: &Reminder) -> Screen {
    let subscription = &view.subscription;
    let text = match subscription.is_trial() {
        true => of_trial(t, view),
        false => Html::join([of_plan(t, view), advice(t, view)], " "),
    };
    let rows = Rows::default().row([parts::renew_button(t, Some(subscription))]).vpn_and_home(t);
    Screen::new(text, rows)
}

fn of_plan(t: &Texts, view: &Reminder) -> Html {
    let subscription = &view.subscription;
    let plan = subscription.name(t);
    match view.kind {
        ReminderKind::ThreeDays | ReminderKind::OneDay => {
            let date = t.date(subscription.ends_at);
            t.with("reminder-ends", args! { "plan" => plan, "span" => left(t, view), "date" => date })
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

/// What a renewal brings; where there is none, what another plan does.
fn advice(t: &Texts, view: &Reminder) -> Html {
    if view.subscription.renew.is_none() {
        return t.text("renew-unsold");
    }
    match view.kind {
        ReminderKind::ThreeDays => t.text("renew-days"),
        ReminderKind::OneDay => t.text("renew-same"),
        ReminderKind::Ended => match view.kept_until {
            Some(until) => t.with("renew-kept", args! { "date" => t.date(until) }),
            None => t.text("renew-anew"),
        },
        ReminderKind::TrafficLow => t.text("renew-more-data"),
        ReminderKind::TrafficOut => t.text("renew-data"),
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

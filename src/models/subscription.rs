//! Who may use what until when.

use crate::clock::Timestamp;
use crate::ids::{PlanId, SubscriptionId, UserId};

text_enum! {
    /// Life of a subscription. None is ever pending: what waits for money is the order. A subscription begins with its
    /// money, and its time with it, even while its first config is still being prepared.
    SubscriptionStatus {
        Active = "active",
        /// Ended or out of traffic: access is blocked, keys and addresses are kept through the grace time.
        Suspended = "suspended",
        /// Over: keys and addresses are gone.
        Expired = "expired",
    }
}

text_enum! {
    ReminderKind {
        ThreeDays = "three_days",
        OneDay = "one_day",
        Ended = "ended",
        /// Four fifths of the traffic are used.
        TrafficLow = "traffic_80",
        TrafficOut = "traffic_out",
    }
}

impl ReminderKind {
    /// How long before the end it is given; 0 = at the end, or at no fixed time.
    pub const fn days_before(self) -> i32 {
        match self {
            ReminderKind::ThreeDays => 3,
            ReminderKind::OneDay => 1,
            ReminderKind::Ended | ReminderKind::TrafficLow | ReminderKind::TrafficOut => 0,
        }
    }
}

/// A row of `subscriptions`.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub user_id: UserId,
    /// `trial` or `plan:<id>`.
    pub product: String,
    /// None = trial.
    pub plan_id: Option<PlanId>,
    pub status: SubscriptionStatus,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub device_limit: u32,
    /// Bytes that could be used from the last purchase on, with what was left then; None = unlimited.
    pub allowance: Option<u64>,
    /// Bytes used since the last purchase.
    pub used: u64,
    pub renews: bool,
    pub created_at: Timestamp,
}

impl Subscription {
    pub fn is_trial(&self) -> bool {
        self.plan_id.is_none()
    }
    /// Bytes left; None = unlimited.
    pub fn traffic_left(&self) -> Option<u64> {
        self.allowance.map(|a| a.saturating_sub(self.used))
    }
}

/// `subscriptions.product` of the trial.
pub const TRIAL: &str = "trial";

/// `subscriptions.product` of a plan.
pub fn product_of(plan: PlanId) -> String {
    format!("plan:{plan}")
}

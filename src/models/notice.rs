//! What the rules have to tell people. Stored as data and put into words, in the person's language, when sent.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{ChargeId, ConfigId, EventId, JobId, PaymentId, ServerId, SubscriptionId, UserId};
use crate::models::payment::ProviderId;
use crate::models::role::Role;
use crate::models::subscription::ReminderKind;
use crate::money::Money;

/// Something a person is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The order as it stands now: waiting with its pay link, paid, expired, cancelled, in review.
    Order {
        payment_id: PaymentId,
    },
    /// Money came and was credited, in time or late.
    Receipt {
        payment_id: PaymentId,
    },
    /// As [`Notice::Receipt`], for money that a human has looked at first.
    Accepted {
        payment_id: PaymentId,
    },
    Refunded {
        payment_id: PaymentId,
        /// What the money had bought was over by then: no access was taken back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        too_late: bool,
    },
    /// Money that had fitted no order went back.
    ChargeSentBack {
        charge_id: ChargeId,
    },
    /// A config could not be made yet; it is being worked on.
    ConfigDelayed {
        config_id: ConfigId,
    },
    /// A config was given up; somebody of the team has to mend what is in its way.
    ConfigFailed {
        config_id: ConfigId,
    },
    Reminder {
        subscription_id: SubscriptionId,
        kind: ReminderKind,
    },
    RoleGranted {
        role: Role,
        expires_at: Option<Timestamp>,
    },
    RoleRevoked {
        role: Role,
    },
    /// Something went wrong on our side; `reference` finds it in the logs.
    Trouble {
        reference: String,
    },
    /// For admins.
    Alert(Alert),
}

/// Something an admin has to know. Texts in it come from outside or from errors and are shown escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alert", rename_all = "snake_case")]
pub enum Alert {
    EventDead {
        event_id: EventId,
        source: String,
        reason: String,
    },
    JobFailing {
        job_id: Option<JobId>,
        kind: String,
        attempts: u32,
        reason: String,
    },
    JobDead {
        kind: String,
        reason: String,
    },
    MessageDead {
        chat_id: i64,
        reason: String,
    },
    /// Money that came for an order, but not as agreed.
    PaymentReview {
        payment_id: PaymentId,
        #[serde(flatten)]
        money: OddMoney,
    },
    /// Money that came and fits no order of ours.
    PaymentUnmatched {
        charge_id: ChargeId,
        #[serde(flatten)]
        money: OddMoney,
    },
    /// A person's access could not be made for a while.
    ProvisioningDelayed {
        config_id: ConfigId,
        user_id: UserId,
        reason: String,
    },
    /// Somebody has paid, and no server is set up to make a config on.
    NoServer {
        user_id: UserId,
    },
    PoolLow {
        server: String,
        kind: String,
        free: u64,
    },
    ServerDown {
        server_id: ServerId,
        server: String,
        reason: String,
    },
    ServerUp {
        server_id: ServerId,
        server: String,
    },
    /// Invariants of the database that do not hold, each with a count.
    BooksWrong {
        findings: Vec<String>,
    },
    /// How often something happened in the hour before, of which only the first alert was told.
    Repeated {
        topic: String,
        times: u64,
    },
}

/// Money that a human has to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddMoney {
    pub provider: Option<ProviderId>,
    /// None when its provider wrote no plain number, or when none has come yet.
    pub amount: Option<Money>,
    /// Who paid; where the provider does not tell, who ordered.
    pub person: Option<UserId>,
    /// What is odd about it.
    pub reason: String,
}

impl Alert {
    /// What it is about, where that may come in a flood: the first in an hour is told, the others are counted.
    /// None: each one is told, because it is about money or comes seldom.
    pub fn topic(&self) -> Option<String> {
        match self {
            Alert::EventDead { source, .. } => Some(format!("event_dead:{source}")),
            Alert::JobFailing { kind, .. } => Some(format!("job_failing:{kind}")),
            Alert::JobDead { kind, .. } => Some(format!("job_dead:{kind}")),
            Alert::MessageDead { .. } => Some("message_dead".to_owned()),
            Alert::ProvisioningDelayed { .. } => Some("provisioning_delayed".to_owned()),
            Alert::ServerDown { server_id, .. } => Some(format!("server_down:{server_id}")),
            Alert::ServerUp { server_id, .. } => Some(format!("server_up:{server_id}")),
            Alert::PaymentReview { .. }
            | Alert::PaymentUnmatched { .. }
            | Alert::NoServer { .. }
            | Alert::PoolLow { .. }
            | Alert::BooksWrong { .. }
            | Alert::Repeated { .. } => None,
        }
    }
}

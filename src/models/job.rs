//! Work outside the database. The JSON is pinned by a test: rows written by an older version must still parse.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{ChargeId, ConfigId, JobId, PaymentId, ServerId, SubscriptionId};
use crate::models::event::QueueStatus;
use crate::models::payment::ProviderId;

/// A job carries ids only; it reads the rows and drives the outside to what they say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Makes the backend equal to the config's status; delivers a new one to its owner.
    ApplyConfig { config_id: ConfigId },
    /// Asks the provider for an invoice of a pending order.
    CreateInvoice { payment_id: PaymentId },
    /// Asks the provider what became of an order.
    CheckPayment { payment_id: PaymentId },
    /// Gives the money of a completed order back through the provider.
    RefundPayment { payment_id: PaymentId },
    /// Sends money back that fits no order.
    SendBack { charge_id: ChargeId },
    /// Makes one server equal to the database.
    ReconcileServer { server_id: ServerId },
    /// Reads the counters of one server.
    CollectUsage { server_id: ServerId },
    /// Is the server there?
    CheckServer { server_id: ServerId },
    /// Reminders, suspension and removal of subscriptions whose time has come; and roles that have ended.
    ExpireSubscriptions,
    /// Closes orders whose time is over, and has the others looked after.
    PollPayments,
    /// Asks one provider about its orders that wait for money.
    LookAfter { provider: ProviderId },
    /// Compares Telegram's book of Stars with what we were told.
    ReadStarsBook,
    /// Alerts when an address pool runs low.
    WatchPools,
    /// Asks whether everything that must hold over all tables does.
    CheckBooks,
    /// Tells the admins how often things happened of which they heard once.
    SumUpAlerts,
    /// Deletes done rows that are older than the configured time.
    Purge,
    /// Queues the per-server jobs of one tick.
    TickServers { work: ServerWork },
    /// Suspends or resumes the configs of one subscription after its state changed.
    ApplySubscription { subscription_id: SubscriptionId },
}

text_enum! {
    ServerWork {
        Reconcile = "reconcile",
        Usage = "usage",
        Health = "health",
    }
}

impl Job {
    /// Name in the `kind` column and in metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Job::ApplyConfig { .. } => "apply_config",
            Job::CreateInvoice { .. } => "create_invoice",
            Job::CheckPayment { .. } => "check_payment",
            Job::RefundPayment { .. } => "refund_payment",
            Job::SendBack { .. } => "send_back",
            Job::ReconcileServer { .. } => "reconcile_server",
            Job::CollectUsage { .. } => "collect_usage",
            Job::CheckServer { .. } => "check_server",
            Job::ExpireSubscriptions => "expire_subscriptions",
            Job::PollPayments => "poll_payments",
            Job::LookAfter { .. } => "look_after",
            Job::ReadStarsBook => "read_stars_book",
            Job::WatchPools => "watch_pools",
            Job::CheckBooks => "check_books",
            Job::SumUpAlerts => "sum_up_alerts",
            Job::Purge => "purge",
            Job::TickServers { .. } => "tick_servers",
            Job::ApplySubscription { .. } => "apply_subscription",
        }
    }

    /// The lane it runs in: jobs that touch the same thing never run at the same time.
    pub fn lane(&self) -> String {
        match self {
            Job::ApplyConfig { config_id } => format!("config:{config_id}"),
            Job::CreateInvoice { payment_id }
            | Job::CheckPayment { payment_id }
            | Job::RefundPayment { payment_id } => format!("payment:{payment_id}"),
            Job::SendBack { charge_id } => format!("charge:{charge_id}"),
            Job::ReconcileServer { server_id } => format!("server:{server_id}:reconcile"),
            Job::CollectUsage { server_id } => format!("server:{server_id}:usage"),
            Job::CheckServer { server_id } => format!("server:{server_id}:health"),
            Job::ApplySubscription { subscription_id } => format!("subscription:{subscription_id}"),
            Job::TickServers { work } => format!("tick:{work}"),
            Job::LookAfter { provider } => format!("look_after:{provider}"),
            other => other.kind().to_owned(),
        }
    }

    /// Its urgency when it is queued: 0 = somebody waits for it, 1 = routine.
    pub fn class(&self) -> u8 {
        match self {
            Job::ApplyConfig { .. }
            | Job::ApplySubscription { .. }
            | Job::CreateInvoice { .. }
            | Job::RefundPayment { .. } => 0,
            _ => 1,
        }
    }

    /// Whether the clock queues it again soon: then a run that fails is not worth much patience.
    pub fn recurs(&self) -> bool {
        matches!(
            self,
            Job::ReconcileServer { .. }
                | Job::CollectUsage { .. }
                | Job::CheckServer { .. }
                | Job::TickServers { .. }
                | Job::ExpireSubscriptions
                | Job::PollPayments
                | Job::LookAfter { .. }
                | Job::ReadStarsBook
                | Job::WatchPools
                | Job::CheckBooks
                | Job::Purge
        )
    }

    /// Two queued jobs with one key are one job.
    pub fn queued_key(&self) -> String {
        format!("{}/{}", self.kind(), self.lane())
    }
}

/// A row of `jobs`.
#[derive(Clone, Debug)]
pub struct QueuedJob {
    pub id: JobId,
    pub lane: String,
    pub kind: String,
    /// JSON of [`Job`].
    pub payload: String,
    pub status: QueueStatus,
    pub attempts: u32,
    pub error: Option<String>,
    pub created_at: Timestamp,
    /// After a failure: not run again before.
    pub retry_at: Option<Timestamp>,
}

//! Who did what.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::UserId;

/// Who acts. An unregistered actor is SYSTEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    System,
    User(UserId),
}

impl Actor {
    /// `user_id` of an audit row or a log line; None = SYSTEM.
    pub fn user_id(self) -> Option<UserId> {
        match self {
            Actor::System => None,
            Actor::User(id) => Some(id),
        }
    }
}

text_enum! {
    /// What was done. Every one has its words for `/mylogs` in every language.
    Action {
        UserJoined = "user_joined",
        UserReturned = "user_returned",
        UserBlockedBot = "user_blocked_bot",
        UserBanned = "user_banned",
        UserUnbanned = "user_unbanned",
        LanguageSet = "language_set",
        ReferrerSet = "referrer_set",
        RoleGranted = "role_granted",
        RoleRevoked = "role_revoked",
        RoleEnded = "role_ended",

        OrderCreated = "order_created",
        OrderCancelled = "order_cancelled",
        /// Expired, or cancelled by its provider.
        OrderClosed = "order_closed",
        InvoiceFailed = "invoice_failed",
        CallbackIgnored = "callback_ignored",
        PaymentCompleted = "payment_completed",
        PaymentReview = "payment_review",
        ReviewAccepted = "review_accepted",
        PaymentUnmatched = "payment_unmatched",
        ChargeClosed = "charge_closed",
        ChargeSentBack = "charge_sent_back",
        RefundRequested = "refund_requested",
        RefundedByHand = "refunded_by_hand",
        PaymentRefunded = "payment_refunded",
        RenewalChanged = "renewal_changed",

        TrialStarted = "trial_started",
        SubscriptionExtended = "subscription_extended",
        SubscriptionEnded = "subscription_ended",
        /// It was suspended by a clock that was wrong for a while.
        SubscriptionResumed = "subscription_resumed",
        SubscriptionExpired = "subscription_expired",
        SubscriptionTakenBack = "subscription_taken_back",
        TrafficUsedUp = "traffic_used_up",

        ConfigAdded = "config_added",
        ConfigDelivered = "config_delivered",
        ConfigRenamed = "config_renamed",
        /// Its subscription was suspended, resumed or ended.
        ConfigFollows = "config_follows",
        ConfigRevoked = "config_revoked",
        ConfigRemoved = "config_removed",
        FirstConfigMissing = "first_config_missing",
        ProvisioningDelayed = "provisioning_delayed",

        PlanAdded = "plan_added",
        PlanDisabled = "plan_disabled",
        ServerAdded = "server_added",
        ServerUpdated = "server_updated",
        ServerSecretReplaced = "server_secret_replaced",
        ServerRemoved = "server_removed",
        ServerHealth = "server_health",
        PoolLow = "pool_low",
        BooksWrong = "books_wrong",
        SecretsResealed = "secrets_resealed",

        EventDead = "event_dead",
        EventReplayed = "event_replayed",
        JobFailing = "job_failing",
        JobDead = "job_dead",
        JobRetried = "job_retried",
        MessageDead = "message_dead",
        /// In the demo alone.
        ClockTurned = "clock_turned",
    }
}

impl Action {
    /// What may be forgotten after `AUDIT_RETENTION_DAYS`: passing states and reports. What tells of money, access, roles,
    /// keys or the catalogue stays for ever.
    pub const FADING: [Action; 17] = [
        Action::UserReturned,
        Action::UserBlockedBot,
        Action::LanguageSet,
        Action::OrderCreated,
        Action::OrderCancelled,
        Action::OrderClosed,
        Action::InvoiceFailed,
        Action::CallbackIgnored,
        Action::ConfigRenamed,
        Action::ConfigFollows,
        Action::FirstConfigMissing,
        Action::ProvisioningDelayed,
        Action::ServerHealth,
        Action::PoolLow,
        Action::EventDead,
        Action::JobFailing,
        Action::MessageDead,
    ];
}

/// A row of `audit_logs`.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub id: i64,
    pub user_id: Option<UserId>,
    /// An [`Action`], `{action}_error`, or what another version of the server did.
    pub action: String,
    pub target: Option<String>,
    pub details: String,
    pub event_id: Option<Uuid>,
    pub created_at: Timestamp,
}

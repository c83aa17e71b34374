//! Orders and the money that came for them.

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::ids::{ChargeId, ChatId, PaymentId, PlanId, SubscriptionId, UserId};
use crate::money::{Currency, Money};

text_enum! {
    /// Who moves the money.
    ProviderId {
        Stars = "stars",
        Qvapay = "qvapay",
    }
}

impl ProviderId {
    /// Whether its API gives money back; else whoever runs the house does, by hand.
    pub fn gives_back(self) -> bool {
        match self {
            ProviderId::Stars => true,
            ProviderId::Qvapay => false,
        }
    }
}

text_enum! {
    /// Life of an order. Money that arrives late still completes it.
    PaymentStatus {
        Pending = "pending",
        Completed = "completed",
        Refunded = "refunded",
        Expired = "expired",
        Failed = "failed",
        /// The person changed their mind; late money still completes it.
        Cancelled = "cancelled",
        /// Money came, but not as agreed; a human decides.
        Review = "review",
    }
}

impl PaymentStatus {
    /// The transitions that exist; every other change is a bug.
    pub fn may_become(self, next: PaymentStatus) -> bool {
        use PaymentStatus::*;
        match self {
            Pending => matches!(next, Completed | Expired | Failed | Cancelled | Review),
            Expired | Failed | Cancelled => matches!(next, Completed | Review),
            Review => matches!(next, Completed | Refunded | Failed),
            Completed => matches!(next, Refunded),
            Refunded => false,
        }
    }

    /// States from which money that arrives completes the order.
    pub const CREDITABLE: [PaymentStatus; 4] =
        [PaymentStatus::Pending, PaymentStatus::Expired, PaymentStatus::Failed, PaymentStatus::Cancelled];
}

text_enum! {
    LedgerKind {
        Payment = "payment",
        Refund = "refund",
    }
}

/// A row of `payments`.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: PaymentId,
    pub order_ref: String,
    pub user_id: UserId,
    pub plan_id: PlanId,
    pub parent_id: Option<PaymentId>,
    pub provider: ProviderId,
    pub amount: Decimal,
    pub currency: Currency,
    pub duration_days: u32,
    pub traffic_mb: Option<u64>,
    pub device_limit: u32,
    pub status: PaymentStatus,
    pub invoice_id: Option<String>,
    pub invoice_url: Option<String>,
    pub callback_token: Option<String>,
    pub charge_id: Option<String>,
    pub paid_amount: Option<Decimal>,
    pub paid_currency: Option<Currency>,
    /// Who paid, where the provider tells it and somebody looks at it: an order in review.
    pub payer: Option<UserId>,
    pub subscription_id: Option<SubscriptionId>,
    pub chat_id: Option<ChatId>,
    pub message_id: Option<i64>,
    pub note: Option<String>,
    pub expires_at: Timestamp,
    pub checked_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub refunded_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl Payment {
    pub fn price(&self) -> Money {
        Money::new(self.amount, self.currency.clone())
    }

    /// What came for it, as far as that is known; else its price.
    pub fn paid(&self) -> Money {
        match (self.paid_amount, self.paid_currency.clone()) {
            (Some(amount), Some(currency)) => Money::new(amount, currency),
            _ => self.price(),
        }
    }

    /// Whose money it is, and to whom it goes back: not always whose order it is.
    pub fn paid_by(&self) -> UserId {
        self.payer.unwrap_or(self.user_id)
    }
}

/// An order that is about to be stored.
#[derive(Clone, Debug)]
pub struct NewPayment {
    pub order_ref: String,
    pub user_id: UserId,
    pub plan_id: PlanId,
    pub parent_id: Option<PaymentId>,
    pub provider: ProviderId,
    pub price: Money,
    pub duration_days: u32,
    pub traffic_mb: Option<u64>,
    pub device_limit: u32,
    pub open_key: Option<String>,
    pub callback_token: Option<String>,
    pub chat_id: Option<ChatId>,
    pub message_id: Option<i64>,
    pub expires_at: Timestamp,
}

/// A row of `unmatched_charges`: money that came and fits no order.
#[derive(Clone, Debug)]
pub struct UnmatchedCharge {
    pub id: ChargeId,
    pub provider: ProviderId,
    /// The provider's id of the money.
    pub charge_id: String,
    /// None where the provider does not tell Telegram ids.
    pub payer: Option<UserId>,
    /// The order it names.
    pub payment_id: Option<PaymentId>,
    /// None when the provider wrote no plain number.
    pub amount: Option<Decimal>,
    pub currency: Currency,
    /// Why it was not credited.
    pub reason: String,
    pub resolved_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl UnmatchedCharge {
    pub fn money(&self) -> Option<Money> {
        self.amount.map(|amount| Money::new(amount, self.currency.clone()))
    }

    /// Whether its provider can send it back to whoever paid.
    pub fn can_go_back(&self) -> bool {
        self.provider.gives_back() && self.payer.is_some()
    }
}

/// Money that came, as its provider names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Of any length: Stars charge ids pass 100 characters.
    pub id: String,
    /// None when the provider wrote no plain number.
    pub amount: Option<Decimal>,
    pub currency: Currency,
}

impl Charge {
    /// SHA-256 of the id: what makes a charge unique in the database, whatever its length.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.id.as_bytes()).to_vec()
    }

    /// None when the provider wrote no plain number.
    pub fn money(&self) -> Option<Money> {
        self.amount.map(|amount| Money::new(amount, self.currency.clone()))
    }
}

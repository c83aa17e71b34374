//! Payment providers behind one trait. `authenticate` and `decide` are pure, so they run on recorded bodies;
//! money is given only for what `observe` fetched from the provider itself (or Telegram's own update for Stars).

mod decide;
pub mod qvapay;
pub mod stars;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::models::payment::ProviderId;
use crate::money::{Currency, Money};

pub use decide::{Decision, Triage, decide, triage};

/// A callback as it came in.
pub struct CallbackRequest<'a> {
    /// Looks a header up by its lower-case name.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// Raw body; signatures cover these very bytes. A GET carries its query string.
    pub body: &'a [u8],
    pub is_get: bool,
}

/// An authentic callback: a hint that a transaction is worth fetching, and nothing more. See [`triage`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Without a signature the rest is worth nothing: all that it may lead to is asking the provider.
    pub signed: bool,
    /// The provider's id of the transaction, parsed as the type it should be; None in a hint that names only the order.
    pub transaction_id: Option<String>,
    /// The order the body names.
    pub claimed_order: Option<String>,
    /// The state the body claims.
    pub claimed_state: Option<ObservedState>,
    /// The amount as the body wrote it, when that is not a plain number: it sends the order to review.
    pub odd_amount: Option<String>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CallbackError {
    /// Answered 401, nothing stored.
    #[error("the callback is not authentic: {0}")]
    Unauthentic(&'static str),
    /// Answered 400.
    #[error("the callback is authentic but unreadable: {0}")]
    Unreadable(&'static str),
    /// Answered 200, nothing done.
    #[error("the callback is authentic, but of a kind that is not used: {0}")]
    Unused(&'static str),
}

/// What a provider needs to make an invoice.
#[derive(Clone, Debug)]
pub struct InvoiceRequest {
    /// `ord_…`; the provider gives it back.
    pub order_ref: String,
    pub price: Money,
    pub title: String,
    /// Full address the provider calls when the invoice is paid.
    pub callback_url: String,
    pub expires_at: Timestamp,
    /// An earlier try may have reached the provider: its invoice is looked for before a new one is made.
    pub retry: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The provider's id of the invoice.
    pub id: String,
    /// Where the person pays.
    pub url: String,
}

/// What identifies an order at the provider.
#[derive(Clone, Debug)]
pub struct OrderHandle {
    pub order_ref: String,
    /// The provider's id of the invoice, once known.
    pub invoice_id: Option<String>,
    pub charge_id: Option<String>,
}

/// State of a transaction as the provider itself tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub state: ObservedState,
    /// None when the amount was not a plain positive decimal: such money goes to review.
    pub amount: Option<Decimal>,
    pub currency: Currency,
    pub order_ref: Option<String>,
    /// Id of the money, unique for ever at this provider.
    pub charge_id: String,
    /// The payer, where the provider knows Telegram ids (Stars).
    pub payer: Option<UserId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObservedState {
    Paid,
    /// Also every state we do not know: only explicit success is success.
    Pending,
    Cancelled,
}

/// What a question to a provider that limits calls is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A person waits for the answer.
    Now,
    /// Looking after orders: a person's call waits behind one such call at most.
    Whenever,
}

#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Not asked: so many calls wait for their turn that this one would not come soon.
    #[error("{provider} takes no more calls for now")]
    Busy { provider: ProviderId, after: std::time::Duration },
    /// Worth another try: down, slow, 5xx, 429.
    #[error("{provider} is not reachable: {reason}")]
    Unavailable { provider: ProviderId, reason: String, retry_after: Option<std::time::Duration> },
    /// Will not get better by itself: bad credentials, refused order.
    #[error("{provider} refused: {reason}")]
    Refused { provider: ProviderId, reason: String },
    /// The answer was not what the provider documents.
    #[error("{provider} answered something unexpected: {reason}")]
    Unexpected { provider: ProviderId, reason: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    Done,
    /// The provider says that it was refunded before.
    AlreadyDone,
}

/// A movement in a provider's own book: money that came from a person, or went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookEntry {
    /// The order it names, if that can be one of ours.
    pub order_ref: Option<String>,
    /// When, in whole seconds; None when the provider did not say.
    pub at: Option<Timestamp>,
    /// A refund has the id of the money that it gives back.
    pub charge_id: String,
    /// None as in [`Observation`].
    pub amount: Option<Decimal>,
    pub currency: Currency,
    pub payer: UserId,
    pub is_refund: bool,
    /// Set for a subscription that renews itself: the end of the paid time.
    pub subscribed_until: Option<Timestamp>,
}

/// A page of a book, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookPage {
    /// What people paid, and what went back to them.
    pub entries: Vec<BookEntry>,
    /// Rows of the page, whatever they are, to know where the next one begins.
    pub rows: u64,
    pub is_last: bool,
}

/// One way of paying.
#[async_trait]
pub trait Provider: Send + Sync {
    fn id(&self) -> ProviderId;
    /// The currency its prices are in.
    fn currency(&self) -> Currency;
    /// Checks signature and freshness and reads the body. Pure; comparison in constant time.
    fn authenticate(&self, request: &CallbackRequest<'_>, now: Timestamp) -> Result<Callback, CallbackError>;
    /// Makes an invoice, or finds the one that an earlier try made (a time-out means unknown, not failed).
    async fn create_invoice(&self, request: &InvoiceRequest) -> Result<Invoice, ProviderError>;
    /// Fetches the state of an order; None when the provider knows no transaction of it.
    async fn observe(
        &self,
        order: &OrderHandle,
        urgency: Urgency,
    ) -> Result<Option<Observation>, ProviderError>;
    /// Name of the account whose book can be read.
    fn book(&self) -> Option<String> {
        None
    }
    /// Reads the book from its `from`-th row on.
    async fn read_book(&self, _from: u64) -> Result<BookPage, ProviderError> {
        Ok(BookPage { is_last: true, ..BookPage::default() })
    }
    /// Gives a charge back to whoever paid it.
    async fn refund(&self, charge_id: &str, payer: UserId) -> Result<RefundOutcome, ProviderError>;
    /// A cheap authenticated call, for `doctor`.
    async fn check(&self) -> Result<String, ProviderError>;
}

/// The providers that are configured.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<ProviderId, Arc<dyn Provider>>);

impl Providers {
    pub fn with(mut self, provider: impl Provider + 'static) -> Self {
        self.0.insert(provider.id(), Arc::new(provider));
        self
    }
    pub fn get(&self, id: ProviderId) -> Option<&Arc<dyn Provider>> {
        self.0.get(&id)
    }
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.values()
    }
}

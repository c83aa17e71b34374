//! What QvaPay remembers: invoices, the calls it took, the faults it is told to have.

use std::collections::VecDeque;
use std::time::Instant;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Qvapay;
use super::deliver::Attempt;
use super::fault::Fault;
use crate::clock::Timestamp;
use crate::ids::time_ordered;
use crate::integrations::payments::qvapay::RateLimit;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Processing,
    Received,
    Paid,
    Cancelled,
    /// One that no documentation knows.
    #[serde(rename = "settling_v3")]
    Unheard,
}

#[derive(Clone, Debug, Serialize)]
pub struct Invoice {
    pub uuid: Uuid,
    pub remote_id: String,
    /// As it is shown: a plain decimal, unless a payment said otherwise.
    pub amount: String,
    /// Shown only when a payment named one; QvaPay itself counts in dollars and names none.
    pub currency: Option<String>,
    pub description: String,
    pub webhook: Option<String>,
    pub status: Status,
    pub paid_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

impl Invoice {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.status == Status::Pending && self.expires_at.is_some_and(|end| end <= now)
    }
}

/// How an invoice is paid.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payment {
    /// The amount that is shown afterwards, in any spelling; None keeps the invoice's.
    pub amount: Option<String>,
    pub currency: Option<String>,
    pub status: Status,
    pub paid_by: String,
    /// False loses the callback.
    pub callback: bool,
}

impl Default for Payment {
    fn default() -> Self {
        Self { amount: None, currency: None, status: Status::Paid, paid_by: "ana".to_owned(), callback: true }
    }
}

/// The shapes in which the real one is known to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// `{"transaction":…}`, amounts as numbers, `PaidBy`; a repeated `remote_id` is refused.
    #[default]
    V2,
    /// Lists as `{"current_page","data","total"}`, one transaction only by GET as `{"data":…}`, amounts as text,
    /// `transation_uuid`; a repeated `remote_id` makes another invoice.
    Legacy,
}

#[derive(Default)]
pub(super) struct State {
    invoices: Vec<Invoice>,
    recent: VecDeque<Instant>,
    pub calls: Vec<String>,
    pub attempts: Vec<Attempt>,
    pub faults: VecDeque<Fault>,
    pub answers: Answers,
}

impl State {
    pub fn invoices(&self) -> &[Invoice] {
        &self.invoices
    }

    pub fn add(&mut self, invoice: Invoice) {
        self.invoices.push(invoice);
    }

    pub fn invoice(&self, id: Uuid) -> Option<&Invoice> {
        self.invoices.iter().find(|invoice| invoice.uuid == id)
    }

    pub fn invoice_mut(&mut self, id: Uuid) -> Option<&mut Invoice> {
        self.invoices.iter_mut().find(|invoice| invoice.uuid == id)
    }

    pub fn knows_order(&self, remote_id: &str) -> bool {
        self.invoices.iter().any(|invoice| invoice.remote_id == remote_id)
    }

    /// Counts a call; false when it is one too many.
    pub fn admit(&mut self, limit: RateLimit, now: Instant) -> bool {
        self.recent.retain(|earlier| now.duration_since(*earlier) < limit.per);
        let admitted = self.recent.len() < limit.calls;
        if admitted {
            self.recent.push_back(now);
        }
        admitted
    }
}

impl Qvapay {
    /// Makes an invoice as the merchant asked; None when its `remote_id` is taken.
    pub(super) fn create(&self, wanted: NewInvoice) -> Option<Invoice> {
        let now = self.settings().clock.now();
        let mut state = self.state();
        if state.answers == Answers::V2 && state.knows_order(&wanted.remote_id) {
            return None;
        }
        let invoice = Invoice {
            uuid: time_ordered(),
            remote_id: wanted.remote_id,
            amount: format!("{:.2}", wanted.amount),
            currency: None,
            description: wanted.description,
            webhook: wanted.webhook,
            status: Status::Pending,
            paid_by: None,
            created_at: now,
            updated_at: now,
            expires_at: wanted.expires_at,
        };
        state.add(invoice.clone());
        Some(invoice)
    }

    pub(super) fn cancel(&self, id: Uuid) -> bool {
        let now = self.settings().clock.now();
        let mut state = self.state();
        match state.invoice_mut(id) {
            Some(invoice) if invoice.status != Status::Paid => {
                (invoice.status, invoice.updated_at) = (Status::Cancelled, now);
                true
            }
            _ => false,
        }
    }

    /// Marks an invoice as paid; the caller delivers.
    pub(super) fn mark(&self, id: Uuid, payment: &Payment) -> Option<()> {
        let now = self.settings().clock.now();
        let mut state = self.state();
        let invoice = state.invoice_mut(id)?;
        if let Some(amount) = &payment.amount {
            invoice.amount.clone_from(amount);
        }
        invoice.currency.clone_from(&payment.currency);
        (invoice.status, invoice.updated_at) = (payment.status, now);
        invoice.paid_by = Some(payment.paid_by.clone());
        Some(())
    }
}

/// A checked request for an invoice.
pub(super) struct NewInvoice {
    pub remote_id: String,
    pub amount: Decimal,
    pub description: String,
    pub webhook: Option<String>,
    pub expires_at: Option<Timestamp>,
}

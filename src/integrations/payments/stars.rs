//! Telegram Stars (Bot API, currency XTR).
//!
//! The invoice is a message and the proof of payment an update, so there is no HTTP callback and no invoice address
//! here. What remains: looking an order up in the bot's list of transactions when an update was lost, and refunds.

use std::collections::HashMap;

use async_trait::async_trait;
use rust_decimal::Decimal;
use tokio::sync::Mutex;

use super::{
    BookEntry, BookPage, Callback, CallbackError, CallbackRequest, Invoice, InvoiceRequest, Observation,
    ObservedState, OrderHandle, Provider, ProviderError, RefundOutcome, Urgency,
};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::integrations::telegram::api::{SendError, StarTransaction, Telegram};
use crate::models::payment::ProviderId;
use crate::money::Currency;

/// What ends every payload of ours, so that its form can change while old invoices are still open.
const VERSION: &str = ".v1";

/// The payload of an order's invoice. Never a price: that is compared with the stored order.
pub fn payload_of(order_ref: &str) -> String {
    format!("{order_ref}{VERSION}")
}

/// The order that a payload names; None when the payload is not one of ours.
pub fn order_of_payload(payload: &str) -> Option<&str> {
    payload.strip_suffix(VERSION).filter(|order| order.starts_with("ord_"))
}

/// Transactions asked for at once, the most Telegram gives.
const PAGE: u8 = 100;
/// Pages read in one look, so that a far side that repeats itself cannot hold us for ever.
const PAGES: usize = 1_000;

/// Stars through the bot that sells.
pub struct Stars {
    telegram: Telegram,
    /// The list only grows at its end, so each look reads just what is new.
    known: Mutex<Known>,
}

/// What has been read of the list of transactions.
#[derive(Default)]
struct Known {
    rows: u32,
    /// By order; several when an invoice was paid more than once.
    charges: HashMap<String, Vec<Charge>>,
}

struct Charge {
    id: String,
    amount: Option<i64>,
    payer: Option<UserId>,
    refunded: bool,
}

impl Stars {
    pub fn new(telegram: Telegram) -> Self {
        Self { telegram, known: Mutex::default() }
    }
}

impl Known {
    async fn read_on(&mut self, telegram: &Telegram) -> Result<(), ProviderError> {
        for _ in 0..PAGES {
            let page = telegram.star_transactions(self.rows, PAGE).await.map_err(provider_error)?;
            self.rows += page.rows;
            page.transactions.into_iter().for_each(|row| self.note(row));
            if page.rows < u32::from(PAGE) {
                return Ok(());
            }
        }
        let reason = format!("more than {PAGES} pages of transactions");
        Err(ProviderError::Unexpected { provider: ProviderId::Stars, reason })
    }

    /// Notes a payment of ours, or that it went back (a row with the same id in the other direction).
    fn note(&mut self, row: StarTransaction) {
        let Some(order) = row.invoice_payload.as_deref().and_then(order_of_payload) else { return };
        let charges = self.charges.entry(order.to_owned()).or_default();
        match charges.iter_mut().find(|charge| charge.id == row.id) {
            Some(charge) => charge.refunded |= !row.incoming,
            None if row.incoming => {
                charges.push(Charge { id: row.id, amount: row.amount, payer: row.user, refunded: false });
            }
            None => {}
        }
    }

    /// The charge an order names; before it names one, the first that was not given back.
    fn charge(&self, order: &OrderHandle) -> Option<&Charge> {
        let charges = self.charges.get(&order.order_ref)?;
        match &order.charge_id {
            Some(id) => charges.iter().find(|charge| &charge.id == id),
            None => charges.iter().find(|charge| !charge.refunded).or(charges.first()),
        }
    }
}

/// A transaction as our book knows it; None when no person is at its other end.
fn entry(row: StarTransaction) -> Option<BookEntry> {
    Some(BookEntry {
        order_ref: row.invoice_payload.as_deref().and_then(order_of_payload).map(str::to_owned),
        at: row.at,
        charge_id: row.id,
        amount: row.amount.filter(|amount| *amount > 0).map(Decimal::from),
        currency: Currency::stars(),
        payer: row.user?,
        is_refund: !row.incoming,
        subscribed_until: row.subscribed_until,
    })
}

#[async_trait]
impl Provider for Stars {
    fn id(&self) -> ProviderId {
        ProviderId::Stars
    }

    fn currency(&self) -> Currency {
        Currency::stars()
    }

    fn authenticate(&self, _: &CallbackRequest<'_>, _: Timestamp) -> Result<Callback, CallbackError> {
        Err(CallbackError::Unauthentic("Stars come as updates of the bot, never by a callback"))
    }

    async fn create_invoice(&self, _: &InvoiceRequest) -> Result<Invoice, ProviderError> {
        Err(refused("the invoice is a message to the payer"))
    }

    async fn observe(&self, order: &OrderHandle, _: Urgency) -> Result<Option<Observation>, ProviderError> {
        let mut known = self.known.lock().await;
        known.read_on(&self.telegram).await?;
        Ok(known.charge(order).map(|charge| Observation {
            state: if charge.refunded { ObservedState::Cancelled } else { ObservedState::Paid },
            amount: charge.amount.filter(|amount| *amount > 0).map(Decimal::from),
            currency: Currency::stars(),
            order_ref: Some(order.order_ref.clone()),
            charge_id: charge.id.clone(),
            payer: charge.payer,
        }))
    }

    fn book(&self) -> Option<String> {
        Some(format!("{}:{}", self.id(), self.telegram.id()))
    }

    /// The list only grows at its end, so each look reads just what is new.
    async fn read_book(&self, from: u64) -> Result<BookPage, ProviderError> {
        let from = u32::try_from(from).map_err(|_| refused("no list of transactions is that long"))?;
        let page = self.telegram.star_transactions(from, PAGE).await.map_err(provider_error)?;
        let entries = page.transactions.into_iter().filter_map(entry).collect();
        Ok(BookPage { entries, rows: page.rows.into(), is_last: page.rows < u32::from(PAGE) })
    }

    async fn refund(&self, charge_id: &str, payer: UserId) -> Result<RefundOutcome, ProviderError> {
        self.telegram.refund_star_payment(payer, charge_id).await.map_err(provider_error)
    }

    async fn check(&self) -> Result<String, ProviderError> {
        self.telegram.star_transactions(0, 1).await.map_err(provider_error)?;
        Ok("the bot may read its Star transactions".to_owned())
    }
}

fn refused(reason: &str) -> ProviderError {
    ProviderError::Refused { provider: ProviderId::Stars, reason: reason.to_owned() }
}

fn provider_error(error: SendError) -> ProviderError {
    let (provider, reason) = (ProviderId::Stars, error.to_string());
    match error {
        SendError::RetryAfter { seconds, .. } => {
            let retry_after = Some(std::time::Duration::from_secs(seconds));
            ProviderError::Unavailable { provider, reason, retry_after }
        }
        SendError::Transient(_) => ProviderError::Unavailable { provider, reason, retry_after: None },
        _ => ProviderError::Refused { provider, reason },
    }
}

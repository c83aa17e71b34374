//! QvaPay merchant API, version 2: invoices in US dollars that people pay from their QvaPay balance.
//! A callback is only a reason to ask; an order is credited for what QvaPay itself answers.

mod callback;
mod client;
mod pace;
pub mod wire;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use self::client::{Client, Failure};
use self::wire::{AppInfo, MadeInvoice, NewInvoice, Transaction};
use super::{
    Callback, CallbackError, CallbackRequest, Invoice, InvoiceRequest, Observation, ObservedState,
    OrderHandle, Provider, ProviderError, RefundOutcome, Urgency,
};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::models::payment::ProviderId;
use crate::money::Currency;

pub use self::callback::SignatureRule;
pub use self::pace::RateLimit;

/// Transactions asked for at once; QvaPay gives up to a hundred.
const PAGE: u32 = 100;
/// Pages that a search by order looks at, newest first.
const MAX_PAGES: u32 = 20;

/// QvaPay as a way of paying.
pub struct QvaPay {
    client: Client,
    app_secret: SecretString,
    signature: SignatureRule,
    pay_page: String,
}

impl QvaPay {
    /// `api_url` without a path, e.g. `https://api.qvapay.com`; `http` best from [`QvaPay::http_client`].
    pub fn new(
        app_id: impl Into<String>,
        app_secret: SecretString,
        api_url: &str,
        signature: SignatureRule,
        http: reqwest::Client,
    ) -> Self {
        let api_url = api_url.trim_end_matches('/');
        Self {
            client: Client::new(http, api_url.to_owned(), app_id.into(), app_secret.clone()),
            app_secret,
            signature,
            // People pay at www., programs call api.; a stand-in has one name for both.
            pay_page: format!("{}/pay", api_url.replacen("://api.", "://www.", 1)),
        }
    }

    /// Calls within `limit` instead of QvaPay's published one.
    pub fn with_limit(mut self, limit: RateLimit) -> Self {
        self.client.set_limit(limit);
        self
    }

    /// HTTP/1.1 only: QvaPay is said to lose the body of a POST over HTTP/2. Follows no redirect, because that would
    /// hand our credentials to whoever it leads to.
    pub fn http_client() -> reqwest::Result<reqwest::Client> {
        reqwest::Client::builder()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .build()
    }

    /// The transaction with this id; None when QvaPay knows none.
    async fn fetch(&self, id: Uuid, urgency: Urgency) -> Result<Option<Transaction>, Failure> {
        let read = |answer: String| match Transaction::read(&answer) {
            Some(transaction) if transaction.uuid == id => Ok(transaction),
            Some(other) => Err(Failure::Unreadable(format!("asked for {id}, answered about {}", other.uuid))),
            None => Err(Failure::Unreadable("the answer holds no transaction".to_owned())),
        };
        let path = format!("/v2/transactions/{id}");
        match self.client.post(&path, &Empty {}, urgency).await.and_then(read) {
            Ok(transaction) => return Ok(Some(transaction)),
            Err(failure) if failure.other_address_may_work() => {}
            Err(failure) => return Err(failure),
        }
        match self.client.get(&format!("/transaction/{id}"), urgency).await.and_then(read) {
            Ok(transaction) => Ok(Some(transaction)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The transaction of an order, found by our reference; the paid one if there are several.
    /// The list has no known filter by it, so pages are read until one brings nothing new.
    async fn find(&self, order_ref: &str, urgency: Urgency) -> Result<Option<Transaction>, Failure> {
        let mut last_seen = None;
        for page in 1..=MAX_PAGES {
            let answer = self.client.post("/v2/transactions", &Page { page, take: PAGE }, urgency).await?;
            let transactions = Transaction::read_page(&answer)
                .ok_or_else(|| Failure::Unreadable("the answer holds no list of transactions".to_owned()))?;
            let newest = transactions.first().map(|transaction| transaction.uuid);
            if newest.is_none() || newest == last_seen {
                return Ok(None);
            }
            last_seen = newest;
            let mut ours: Vec<_> = transactions
                .into_iter()
                .filter(|found| found.remote_id.as_deref() == Some(order_ref))
                .collect();
            ours.sort_by_key(|found| found.state != ObservedState::Paid);
            if let Some(found) = ours.into_iter().next() {
                return Ok(Some(found));
            }
        }
        tracing::warn!(order_ref, "no transaction of the order among the newest {}", PAGE * MAX_PAGES);
        Ok(None)
    }

    /// Makes an invoice without looking for an earlier one.
    async fn make(&self, request: &InvoiceRequest, body: &NewInvoice<'_>) -> Result<Invoice, Failure> {
        let answer = self.client.post("/v2/create_invoice", body, Urgency::Now).await?;
        let made = MadeInvoice::read(&answer)
            .ok_or_else(|| Failure::Unreadable("the answer holds no transaction_uuid".to_owned()))?;
        if made.amount.is_some_and(|amount| amount != request.price.amount) {
            return Err(Failure::Unreadable("the invoice is over another amount".to_owned()));
        }
        if made.remote_id.as_ref().is_some_and(|order| *order != request.order_ref) {
            return Err(Failure::Unreadable("the invoice is for another order".to_owned()));
        }
        let url = made.url.unwrap_or_else(|| self.pay_url(made.uuid));
        Ok(Invoice { id: made.uuid.to_string(), url })
    }

    /// The invoice that an earlier try made, if one did.
    async fn find_made(&self, request: &InvoiceRequest) -> Result<Option<Invoice>, ProviderError> {
        let Some(found) = self.find(&request.order_ref, Urgency::Now).await? else { return Ok(None) };
        if found.state == ObservedState::Pending && found.amount != Some(request.price.amount) {
            return Err(refused("it holds an invoice for this order over another amount".to_owned()));
        }
        Ok(Some(Invoice { id: found.uuid.to_string(), url: self.pay_url(found.uuid) }))
    }

    fn pay_url(&self, id: Uuid) -> String {
        format!("{}/{id}", self.pay_page)
    }

    async fn transaction_of(
        &self,
        order: &OrderHandle,
        urgency: Urgency,
    ) -> Result<Option<Transaction>, ProviderError> {
        let known = order.charge_id.as_ref().or(order.invoice_id.as_ref());
        match known {
            None => Ok(self.find(&order.order_ref, urgency).await?),
            Some(id) => self.transaction(id, urgency).await,
        }
    }

    async fn transaction(&self, id: &str, urgency: Urgency) -> Result<Option<Transaction>, ProviderError> {
        let id = id.parse().map_err(|_| refused(format!("{id:?} is not a QvaPay transaction")))?;
        Ok(self.fetch(id, urgency).await?)
    }
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Page {
    page: u32,
    take: u32,
}

fn refused(reason: String) -> ProviderError {
    ProviderError::Refused { provider: ProviderId::Qvapay, reason }
}

#[async_trait]
impl Provider for QvaPay {
    fn id(&self) -> ProviderId {
        ProviderId::Qvapay
    }

    fn currency(&self) -> Currency {
        Currency::usd()
    }

    fn authenticate(&self, request: &CallbackRequest<'_>, now: Timestamp) -> Result<Callback, CallbackError> {
        callback::authenticate(request, &self.app_secret, self.signature, now)
    }

    async fn create_invoice(&self, request: &InvoiceRequest) -> Result<Invoice, ProviderError> {
        let body = NewInvoice::of(request).map_err(refused)?;
        if request.retry
            && let Some(made) = self.find_made(request).await?
        {
            return Ok(made);
        }
        match self.make(request, &body).await {
            Ok(invoice) => Ok(invoice),
            // Not made again here: the first call may still be on its way. The caller tries later, with `retry`.
            Err(failure) if failure.may_have_worked() => match self.find_made(request).await {
                Ok(Some(made)) => Ok(made),
                _ => Err(failure.into()),
            },
            Err(failure) => Err(failure.into()),
        }
    }

    async fn observe(
        &self,
        order: &OrderHandle,
        urgency: Urgency,
    ) -> Result<Option<Observation>, ProviderError> {
        let Some(found) = self.transaction_of(order, urgency).await? else { return Ok(None) };
        Ok(Some(Observation {
            state: found.state,
            amount: found.amount.filter(|_| found.currency.is_some()),
            currency: found.currency.unwrap_or_else(Currency::usd),
            order_ref: found.remote_id,
            charge_id: found.uuid.to_string(),
            payer: None,
        }))
    }

    /// QvaPay documents no refund, so this only tells the operator whom to pay back.
    async fn refund(&self, charge_id: &str, _: UserId) -> Result<RefundOutcome, ProviderError> {
        let paid = self.transaction(charge_id, Urgency::Now).await.ok().flatten();
        let whom = match paid.and_then(|paid| paid.paid_by) {
            Some(name) => format!("the QvaPay user {name}"),
            None => "the person".to_owned(),
        };
        Err(refused(format!("its API gives no money back; send it to {whom} by hand")))
    }

    async fn check(&self) -> Result<String, ProviderError> {
        let answer = self.client.post("/v2/info", &Empty {}, Urgency::Now).await?;
        let app = AppInfo::read(&answer)
            .ok_or_else(|| Failure::Unreadable("the answer to /v2/info is not a JSON object".to_owned()))?;
        if !app.is_on() {
            return Err(refused(format!("the app {} is switched off in QvaPay's panel", app.name())));
        }
        Ok(format!("the app {} takes payments", app.name()))
    }
}

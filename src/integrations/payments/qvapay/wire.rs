//! What QvaPay takes and sends. Its answers differ between versions of the API and between sources that describe
//! them, so reading is tolerant of places and names, and strict about money: an amount is taken from the very
//! text of the JSON, never from a floating-point number.

use std::fmt;

use chrono::SecondsFormat;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::integrations::payments::{InvoiceRequest, ObservedState};
use crate::money::{Currency, parse_plain_decimal};

/// Largest amount that QvaPay takes, in USD.
const MAX_AMOUNT: Decimal = Decimal::from_parts(100_000, 0, 0, false, 0);
const MAX_TEXT: usize = 255;

/// Body of `POST /v2/create_invoice`.
#[derive(Debug, Serialize)]
pub(super) struct NewInvoice<'a> {
    amount: Box<RawValue>,
    description: String,
    remote_id: &'a str,
    webhook: &'a str,
    /// Said to be required by one source, with a sum equal to `amount`; harmless for the others.
    products: [Product; 1],
    expire_at: String,
}

#[derive(Debug, Serialize)]
struct Product {
    name: String,
    price: Box<RawValue>,
    quantity: u32,
}

impl<'a> NewInvoice<'a> {
    /// Err says in words why QvaPay cannot make such an invoice.
    pub(super) fn of(request: &'a InvoiceRequest) -> Result<Self, String> {
        let price = &request.price;
        let amount = price.amount.normalize();
        if price.currency != Currency::usd() {
            return Err(format!("QvaPay counts in USD, the price is {price}"));
        }
        if amount <= Decimal::ZERO || amount > MAX_AMOUNT || amount.scale() > 2 {
            return Err(format!("{amount} is not an amount from 0.01 to {MAX_AMOUNT} with two decimals"));
        }
        if request.order_ref.len() > MAX_TEXT {
            return Err("the order's reference is too long".to_owned());
        }
        let title: String = request.title.chars().take(MAX_TEXT).collect();
        let number = || RawValue::from_string(amount.to_string()).expect("a plain decimal is a JSON number");
        Ok(Self {
            amount: number(),
            description: title.clone(),
            remote_id: &request.order_ref,
            webhook: &request.callback_url,
            products: [Product { name: title, price: number(), quantity: 1 }],
            expire_at: request.expires_at.utc().to_rfc3339_opts(SecondsFormat::Millis, true),
        })
    }
}

/// Every member that matters, of a transaction, a new invoice, or a callback.
#[derive(Deserialize)]
pub(super) struct Members<'a> {
    #[serde(borrow)]
    transaction_uuid: Option<&'a RawValue>,
    /// Version 1 spelt it so.
    #[serde(borrow)]
    transation_uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    remote_id: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) amount: Option<&'a RawValue>,
    #[serde(borrow)]
    currency: Option<&'a RawValue>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    #[serde(borrow)]
    paid_by: Option<&'a RawValue>,
    #[serde(borrow, rename = "PaidBy")]
    paid_by_v2: Option<&'a RawValue>,
    #[serde(borrow)]
    p2p: Option<&'a RawValue>,
    #[serde(borrow)]
    operation: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    /// Reads a JSON object; None for anything else.
    pub(super) fn read(json: &'a str) -> Option<Self> {
        read_object(json)
    }

    /// The same, also when the object stands inside `transaction` or `data`.
    fn unwrap(json: &'a str) -> Option<Self> {
        let envelope: Envelope<'_> = read_object(json)?;
        let inner = [envelope.transaction, envelope.data].into_iter().flatten().map(RawValue::get);
        let object = inner.into_iter().find(|inner| inner.starts_with('{')).unwrap_or(json);
        Self::read(object)
    }

    /// Err when an id stands there that is no UUID.
    pub(super) fn transaction(&self) -> Result<Option<Uuid>, ()> {
        let Some(written) = self.transaction_uuid.or(self.transation_uuid).or(self.uuid) else {
            return Ok(None);
        };
        let id = text(written).and_then(|id| id.parse().ok());
        id.map(Some).ok_or(())
    }

    pub(super) fn order(&self) -> Option<String> {
        self.remote_id.and_then(text)
    }

    pub(super) fn state(&self) -> Option<ObservedState> {
        self.status.map(|status| state(&text(status).unwrap_or_default()))
    }

    /// The body of a peer-to-peer offer, which is not about an invoice.
    pub(super) fn is_p2p_offer(&self) -> bool {
        self.p2p.is_some() || self.operation.is_some()
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    transaction: Option<&'a RawValue>,
    #[serde(borrow)]
    transactions: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// A transaction as QvaPay itself shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub uuid: Uuid,
    pub state: ObservedState,
    /// None when it is not a plain number.
    pub amount: Option<Decimal>,
    /// None when a currency stands there that cannot be one.
    pub currency: Option<Currency>,
    pub remote_id: Option<String>,
    /// Name of the QvaPay user who paid.
    pub paid_by: Option<String>,
}

impl Transaction {
    /// From the answer to a question about one transaction.
    pub fn read(json: &str) -> Option<Self> {
        Self::of(&Members::unwrap(json)?)
    }

    /// From a page of the list; what is no transaction in it is passed over.
    pub fn read_page(json: &str) -> Option<Vec<Self>> {
        let items = list(json.trim_start(), 2)?;
        Some(items.into_iter().filter_map(|item| Self::of(&Members::read(item.get())?)).collect())
    }

    fn of(members: &Members<'_>) -> Option<Self> {
        Some(Self {
            uuid: members.transaction().ok()??,
            state: members.state().unwrap_or(ObservedState::Pending),
            amount: members.amount.and_then(|amount| read_amount(amount).ok()),
            currency: match members.currency {
                None => Some(Currency::usd()),
                Some(written) => text(written).and_then(|code| read_currency(&code)),
            },
            remote_id: members.order(),
            paid_by: members.paid_by.or(members.paid_by_v2).and_then(|person| {
                let person: Person<'_> = read_object(person.get())?;
                person.username.and_then(text)
            }),
        })
    }
}

#[derive(Deserialize)]
struct Person<'a> {
    #[serde(borrow)]
    username: Option<&'a RawValue>,
}

/// The answer to `create_invoice`.
#[derive(Debug, PartialEq, Eq)]
pub struct MadeInvoice {
    pub uuid: Uuid,
    pub url: Option<String>,
    /// The amount that QvaPay wrote down; None when it does not say.
    pub amount: Option<Decimal>,
    pub remote_id: Option<String>,
}

impl MadeInvoice {
    pub fn read(json: &str) -> Option<Self> {
        let members = Members::unwrap(json)?;
        Some(Self {
            uuid: members.transaction().ok()??,
            url: members
                .url
                .and_then(text)
                .filter(|url| url.starts_with("https://") || url.starts_with("http://")),
            amount: members.amount.and_then(|amount| read_amount(amount).ok()),
            remote_id: members.order(),
        })
    }
}

/// The answer to `/v2/info`.
#[derive(Deserialize)]
pub struct AppInfo<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    active: Option<&'a RawValue>,
    #[serde(borrow)]
    enabled: Option<&'a RawValue>,
}

impl<'a> AppInfo<'a> {
    pub fn read(json: &'a str) -> Option<Self> {
        let envelope: Envelope<'_> = read_object(json)?;
        let inner = envelope.data.map(RawValue::get).filter(|data| data.starts_with('{'));
        read_object(inner.unwrap_or(json))
    }

    pub fn name(&self) -> String {
        self.name.and_then(text).unwrap_or_else(|| "without a name".to_owned())
    }

    /// False only when QvaPay says so.
    pub fn is_on(&self) -> bool {
        let off = |flag: Option<&RawValue>| flag.is_some_and(|flag| matches!(flag.get(), "false" | "0"));
        !off(self.active) && !off(self.enabled)
    }
}

/// What an error answer says, short enough for a log line.
#[derive(Debug, Default)]
pub struct ErrorText {
    message: String,
    code: String,
}

impl ErrorText {
    pub fn read(body: &str) -> Self {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            error: Option<&'a RawValue>,
            #[serde(borrow)]
            errors: Option<&'a RawValue>,
            #[serde(borrow)]
            message: Option<&'a RawValue>,
            #[serde(borrow)]
            code: Option<&'a RawValue>,
        }
        let Some(said) = read_object::<Body<'_>>(body) else { return Self::default() };
        let message = said.error.or(said.errors).or(said.message);
        let message =
            message.map(|raw| text(raw).unwrap_or_else(|| raw.get().to_owned())).unwrap_or_default();
        Self {
            message: message.chars().filter(|c| !c.is_control()).take(200).collect(),
            code: said.code.and_then(text).unwrap_or_default().chars().take(40).collect(),
        }
    }

    pub fn is_duplicate(&self) -> bool {
        self.code == "DUPLICATE_REQUEST" || self.message.contains("DUPLICATE_REQUEST")
    }
}

impl fmt::Display for ErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.message.as_str(), self.code.as_str()) {
            ("", "") => f.write_str("(no reason given)"),
            (message, "") => f.write_str(message),
            (message, code) => write!(f, "{message} [{code}]"),
        }
    }
}

/// The amount as a decimal, or as it was written when it is not a plain one. Text must be digits with an optional
/// point; a JSON number may carry an exponent, and no sign.
pub(super) fn read_amount(raw: &RawValue) -> Result<Decimal, String> {
    let json = raw.get();
    match text(raw) {
        Some(written) if json.starts_with('"') => parse_plain_decimal(&written).map_err(|_| written),
        Some(number) => parse_plain_decimal(&number)
            .or_else(|_| Decimal::from_scientific(&number))
            .ok()
            .filter(Decimal::is_sign_positive)
            .ok_or(number),
        None => Err(json.chars().take(40).collect()),
    }
}

/// QvaPay's inner balance is called QUSD and is one dollar.
fn read_currency(code: &str) -> Option<Currency> {
    match code {
        "USD" | "QUSD" => Some(Currency::usd()),
        other => other.parse().ok(),
    }
}

fn state(status: &str) -> ObservedState {
    match status {
        "paid" => ObservedState::Paid,
        "cancelled" => ObservedState::Cancelled,
        "pending" | "processing" | "received" => ObservedState::Pending,
        unknown => {
            tracing::warn!(status = %unknown.escape_debug(), "QvaPay tells a status that we do not know; taken as pending");
            ObservedState::Pending
        }
    }
}

/// The value of a JSON string, or a JSON number as it is written.
fn text(raw: &RawValue) -> Option<String> {
    match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str(raw.get()).ok(),
        b'-' | b'0'..=b'9' => Some(raw.get().to_owned()),
        _ => None,
    }
}

/// Derived readers also take an array for a struct; an object is meant here.
fn read_object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    let json = json.trim_start();
    if json.starts_with('{') { serde_json::from_str(json).ok() } else { None }
}

/// The items of a list, bare or inside `transactions` or `data`, which may be one in the other.
fn list(json: &str, depth: u8) -> Option<Vec<&RawValue>> {
    if json.starts_with('[') {
        return serde_json::from_str(json).ok();
    }
    let envelope: Envelope<'_> = read_object(json)?;
    let inner = envelope.transactions.or(envelope.data).filter(|_| depth > 0)?;
    list(inner.get(), depth - 1)
}

#[cfg(test)]
mod tests;

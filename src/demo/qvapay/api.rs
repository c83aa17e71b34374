//! The merchant API, version 2.

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Qvapay;
use super::fault::{HungUp, error, too_many};
use super::state::{Answers, Invoice, NewInvoice, Status};

pub(super) fn routes(qvapay: &Qvapay) -> Router<Qvapay> {
    Router::new()
        .route("/v2/info", post(info))
        .route("/v2/balance", post(balance))
        .route("/v2/create_invoice", post(create_invoice))
        .route("/v2/transactions", post(transactions))
        .route("/v2/transactions/{id}", post(transaction_v2))
        .route("/transaction/{id}", get(transaction))
        .layer(middleware::from_fn_with_state(qvapay.clone(), gate))
}

/// What every call passes: the faults that were asked for, credentials, the rate limit. Notes the call.
async fn gate(State(qvapay): State<Qvapay>, request: Request, next: Next) -> Response {
    let call = format!("{} {}", request.method(), request.uri().path());
    let note = Note { qvapay: qvapay.clone(), call, status: 0 };
    let fault = qvapay.state().faults.pop_front();
    if let Some(fault) = fault
        && let Some(answer) = fault.before().await
    {
        return note.answered(answer);
    }
    let answer = if !authentic(&qvapay, request.headers()) {
        error(StatusCode::UNAUTHORIZED, "Credenciales inválidas", None)
    } else if !qvapay.state().admit(qvapay.settings().limit, std::time::Instant::now()) {
        too_many()
    } else {
        next.run(request).await
    };
    match fault {
        Some(fault) => note.answered(fault.after(answer).await),
        None => note.answered(answer),
    }
}

/// Writes the call down when it ends, also when the caller has gone away before.
struct Note {
    qvapay: Qvapay,
    call: String,
    status: u16,
}

impl Note {
    fn answered(mut self, answer: Response) -> Response {
        if answer.extensions().get::<HungUp>().is_none() {
            self.status = answer.status().as_u16();
        }
        answer
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.qvapay.state().calls.push(format!("{} {}", self.call, self.status));
    }
}

fn authentic(qvapay: &Qvapay, headers: &HeaderMap) -> bool {
    let is =
        |name: &str, value: &str| headers.get(name).is_some_and(|given| given.as_bytes() == value.as_bytes());
    let settings = qvapay.settings();
    is("app-id", &settings.app_id) && is("app-secret", settings.app_secret.expose_secret())
}

#[derive(Serialize)]
struct Info<'a> {
    uuid: &'a str,
    name: &'static str,
    url: &'static str,
    desc: &'static str,
    active: bool,
    enabled: bool,
    card: u8,
}

async fn info(State(qvapay): State<Qvapay>) -> Response {
    let (url, desc) = ("https://example.com", "VPN");
    let uuid = &qvapay.settings().app_id;
    Json(Info { uuid, name: "Demo shop", url, desc, active: true, enabled: true, card: 0 }).into_response()
}

/// The sum of what was paid, where that is a number at all.
async fn balance(State(qvapay): State<Qvapay>) -> Response {
    #[derive(Serialize)]
    struct Balance {
        balance: Box<RawValue>,
    }
    let state = qvapay.state();
    let paid = state.invoices().iter().filter(|invoice| invoice.status == Status::Paid);
    let sum: Decimal = paid.filter_map(|invoice| invoice.amount.parse::<Decimal>().ok()).sum();
    Json(Balance { balance: shown_amount(&sum.to_string(), Answers::V2) }).into_response()
}

#[derive(Deserialize)]
struct InvoiceBody {
    amount: Option<Box<RawValue>>,
    description: Option<String>,
    remote_id: Option<String>,
    webhook: Option<String>,
    products: Option<Vec<Product>>,
    expire_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    price: Box<RawValue>,
    quantity: u32,
}

impl InvoiceBody {
    /// None when a field is missing or not as documented.
    fn checked(self) -> Option<NewInvoice> {
        let text = |text: Option<String>| text.filter(|text| (1..=255).contains(&text.chars().count()));
        let amount: Decimal = self.amount?.get().parse().ok()?;
        let mut sum = Decimal::ZERO;
        for product in self.products? {
            let price: Decimal = product.price.get().parse().ok()?;
            if product.name.is_empty() || price <= Decimal::ZERO || product.quantity == 0 {
                return None;
            }
            sum += price * Decimal::from(product.quantity);
        }
        let payable = amount > Decimal::ZERO && amount <= Decimal::from(100_000) && amount.scale() <= 2;
        if !payable || sum != amount {
            return None;
        }
        Some(NewInvoice {
            remote_id: text(self.remote_id)?,
            amount,
            description: text(self.description)?,
            webhook: self.webhook,
            expires_at: self.expire_at.map(Into::into),
        })
    }
}

#[derive(Serialize)]
struct MadeInvoice<'a> {
    app_id: &'a str,
    amount: Box<RawValue>,
    description: &'a str,
    remote_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_uuid: Option<Uuid>,
    /// As version 1 spelt it.
    #[serde(skip_serializing_if = "Option::is_none")]
    transation_uuid: Option<Uuid>,
    expire_at: Option<String>,
    url: String,
}

async fn create_invoice(State(qvapay): State<Qvapay>, body: Bytes) -> Response {
    let wanted = serde_json::from_slice(&body).ok().and_then(InvoiceBody::checked);
    let Some(wanted) = wanted else {
        return error(StatusCode::BAD_REQUEST, "Faltan campos requeridos", None);
    };
    let Some(invoice) = qvapay.create(wanted) else {
        return error(StatusCode::CONFLICT, "Solicitud duplicada", Some("DUPLICATE_REQUEST"));
    };
    let answers = qvapay.state().answers;
    Json(MadeInvoice {
        app_id: &qvapay.settings().app_id,
        amount: shown_amount(&invoice.amount, answers),
        description: &invoice.description,
        remote_id: &invoice.remote_id,
        transaction_uuid: (answers == Answers::V2).then_some(invoice.uuid),
        transation_uuid: (answers == Answers::Legacy).then_some(invoice.uuid),
        expire_at: invoice.expires_at.map(|end| iso(end.utc())),
        url: format!("{}/pay/{}", qvapay.0.base_url, invoice.uuid),
    })
    .into_response()
}

/// A transaction as it is shown.
#[derive(Serialize)]
struct Shown {
    uuid: Uuid,
    amount: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    description: String,
    remote_id: String,
    status: Status,
    created_at: String,
    updated_at: String,
    #[serde(rename = "PaidBy", skip_serializing_if = "Option::is_none")]
    paid_by_v2: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_by: Option<Person>,
    wallet: Option<()>,
    p2p: Option<()>,
}

#[derive(Clone, Serialize)]
struct Person {
    username: String,
    kyc: bool,
}

impl Shown {
    fn of(invoice: &Invoice, answers: Answers) -> Self {
        let payer = invoice.paid_by.clone().map(|username| Person { username, kyc: true });
        Self {
            uuid: invoice.uuid,
            amount: shown_amount(&invoice.amount, answers),
            currency: invoice.currency.clone(),
            description: invoice.description.clone(),
            remote_id: invoice.remote_id.clone(),
            status: invoice.status,
            created_at: iso(invoice.created_at.utc()),
            updated_at: iso(invoice.updated_at.utc()),
            paid_by_v2: payer.clone().filter(|_| answers == Answers::V2),
            paid_by: payer.filter(|_| answers == Answers::Legacy),
            wallet: None,
            p2p: None,
        }
    }
}

#[derive(Deserialize)]
struct PageBody {
    page: Option<usize>,
    take: Option<usize>,
}

async fn transactions(State(qvapay): State<Qvapay>, body: Bytes) -> Response {
    #[derive(Serialize)]
    struct PageV2 {
        transactions: Vec<Shown>,
    }
    #[derive(Serialize)]
    struct PageLegacy {
        current_page: usize,
        data: Vec<Shown>,
        total: usize,
    }
    let Ok(asked) = serde_json::from_slice::<PageBody>(&body) else {
        return error(StatusCode::BAD_REQUEST, "Faltan campos requeridos", None);
    };
    let (page, take) = (asked.page.unwrap_or(1).max(1), asked.take.unwrap_or(30).clamp(1, 100));
    let state = qvapay.state();
    let newest_first = state.invoices().iter().rev().skip((page - 1) * take).take(take);
    let shown = newest_first.map(|invoice| Shown::of(invoice, state.answers)).collect();
    match state.answers {
        Answers::V2 => Json(PageV2 { transactions: shown }).into_response(),
        Answers::Legacy => {
            Json(PageLegacy { current_page: page, data: shown, total: state.invoices().len() })
                .into_response()
        }
    }
}

async fn transaction_v2(State(qvapay): State<Qvapay>, Path(id): Path<String>) -> Response {
    #[derive(Serialize)]
    struct Answer {
        transaction: Shown,
    }
    let state = qvapay.state();
    match find(state.invoices(), &id).filter(|_| state.answers == Answers::V2) {
        Some(invoice) => Json(Answer { transaction: Shown::of(invoice, Answers::V2) }).into_response(),
        None => error(StatusCode::NOT_FOUND, "Transacción no encontrada", None),
    }
}

async fn transaction(State(qvapay): State<Qvapay>, Path(id): Path<String>) -> Response {
    #[derive(Serialize)]
    struct Answer {
        message: String,
        data: Shown,
    }
    let state = qvapay.state();
    match find(state.invoices(), &id) {
        Some(invoice) => {
            let data = Shown::of(invoice, Answers::Legacy);
            Json(Answer { message: format!("Transaction {id}"), data }).into_response()
        }
        None => error(StatusCode::NOT_FOUND, "Transacción no encontrada", None),
    }
}

fn find<'a>(invoices: &'a [Invoice], id: &str) -> Option<&'a Invoice> {
    let id: Uuid = id.parse().ok()?;
    invoices.iter().find(|invoice| invoice.uuid == id)
}

/// A number where the shape has numbers and the amount is one, else text.
fn shown_amount(amount: &str, answers: Answers) -> Box<RawValue> {
    let number = (answers == Answers::V2).then(|| RawValue::from_string(amount.to_owned()).ok()).flatten();
    number.unwrap_or_else(|| {
        let text = serde_json::to_string(amount).expect("text has a JSON form");
        RawValue::from_string(text).expect("it was made as JSON")
    })
}

pub(super) fn iso(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

//! `/_control`: the handle's methods over HTTP, for the demo's page and for trying things by hand.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use uuid::Uuid;

use super::Qvapay;
use super::deliver::{Attempt, Style};
use super::fault::Fault;
use super::state::{Answers, Invoice, Payment};

pub(super) fn routes() -> Router<Qvapay> {
    Router::new()
        .route("/_control/invoices", get(invoices))
        .route("/_control/invoices/{id}/pay", post(pay))
        .route("/_control/invoices/{id}/cancel", post(cancel))
        .route("/_control/invoices/{id}/deliver", post(deliver))
        .route("/_control/attempts", get(attempts))
        .route("/_control/calls", get(calls))
        .route("/_control/faults", post(fault).delete(clear_faults))
        .route("/_control/answers", post(answers))
}

async fn invoices(State(qvapay): State<Qvapay>) -> Json<Vec<Invoice>> {
    Json(qvapay.state().invoices().to_vec())
}

async fn attempts(State(qvapay): State<Qvapay>) -> Json<Vec<Attempt>> {
    Json(qvapay.state().attempts.clone())
}

async fn calls(State(qvapay): State<Qvapay>) -> Json<Vec<String>> {
    Json(qvapay.state().calls.clone())
}

async fn pay(State(qvapay): State<Qvapay>, Path(id): Path<Uuid>, Json(payment): Json<Payment>) -> StatusCode {
    found(qvapay.pay(id, payment).is_some())
}

async fn cancel(State(qvapay): State<Qvapay>, Path(id): Path<Uuid>) -> StatusCode {
    found(qvapay.cancel(id))
}

fn found(found: bool) -> StatusCode {
    if found { StatusCode::ACCEPTED } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    #[serde(default)]
    style: Style,
    /// More than one go out at once, signed.
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

async fn deliver(
    State(qvapay): State<Qvapay>,
    Path(id): Path<Uuid>,
    Json(wanted): Json<Delivery>,
) -> Json<Vec<Attempt>> {
    Json(match wanted.times {
        0 | 1 => qvapay.deliver(id, wanted.style).await.into_iter().collect(),
        times => qvapay.deliver_at_once(id, times.min(100)).await,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trouble {
    fault: Fault,
    #[serde(default = "once")]
    times: usize,
}

async fn fault(State(qvapay): State<Qvapay>, Json(wanted): Json<Trouble>) -> StatusCode {
    qvapay.state().faults.extend(std::iter::repeat_n(wanted.fault, wanted.times.min(1000)));
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(qvapay): State<Qvapay>) -> StatusCode {
    qvapay.state().faults.clear();
    StatusCode::NO_CONTENT
}

async fn answers(State(qvapay): State<Qvapay>, Json(wanted): Json<Answers>) -> StatusCode {
    qvapay.state().answers = wanted;
    StatusCode::NO_CONTENT
}

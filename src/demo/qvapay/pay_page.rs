//! The page on which a person pays an invoice.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use uuid::Uuid;

use super::Qvapay;
use super::state::{Invoice, Payment, Status};
use crate::clock::Timestamp;

const PAGE: &str = include_str!("pay_page.html");

pub(super) fn routes() -> Router<Qvapay> {
    Router::new().route("/pay/{id}", get(show).post(pay))
}

async fn show(State(qvapay): State<Qvapay>, Path(id): Path<Uuid>) -> Response {
    let now = qvapay.settings().clock.now();
    match qvapay.state().invoice(id) {
        Some(invoice) => Html(render(invoice, now)).into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such invoice.").into_response(),
    }
}

/// A second press of the button finds the invoice paid, and changes nothing.
async fn pay(State(qvapay): State<Qvapay>, Path(id): Path<Uuid>) -> Response {
    let now = qvapay.settings().clock.now();
    let payable =
        qvapay.state().invoice(id).map(|found| found.status == Status::Pending && !found.is_expired(now));
    match payable {
        None => return (StatusCode::NOT_FOUND, "There is no such invoice.").into_response(),
        Some(true) => drop(qvapay.pay(id, Payment::default())),
        Some(false) => {}
    }
    Redirect::to(&format!("/pay/{id}")).into_response()
}

fn render(invoice: &Invoice, now: Timestamp) -> String {
    let action = match invoice.status {
        Status::Pending if invoice.is_expired(now) => state("This invoice has expired."),
        Status::Pending => r#"<form method="post"><button id="pay">Pay</button></form>"#.to_owned(),
        Status::Paid => state("✓ Paid. You can go back to Telegram."),
        Status::Cancelled => state("This invoice was cancelled."),
        Status::Processing | Status::Received | Status::Unheard => state("The payment is being processed."),
    };
    // One pass over the page, so that what stands in a text is never taken for a place of the page.
    let mut page = String::with_capacity(PAGE.len() + 256);
    for (index, part) in PAGE.split("{{").enumerate() {
        let (name, rest) = if index == 0 { ("", part) } else { part.split_once("}}").unwrap_or(("", part)) };
        match name {
            "amount" => page.push_str(&escape(&invoice.amount)),
            "what" => page.push_str(&escape(&invoice.description)),
            "order" => page.push_str(&escape(&invoice.remote_id)),
            "action" => page.push_str(&action),
            _ => {}
        }
        page.push_str(rest);
    }
    page
}

fn state(text: &str) -> String {
    format!(r#"<p class="state">{text}</p>"#)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

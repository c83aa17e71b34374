//! QvaPay: no callback is taken for authentic that its secret did not sign, and no answer of its API is misread.

use std::sync::LazyLock;

use axum::http::Method;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use usipipo::clock::Timestamp;
use usipipo::integrations::payments::qvapay::wire::{AppInfo, ErrorText, MadeInvoice, Transaction};
use usipipo::integrations::payments::qvapay::{QvaPay, SignatureRule};
use usipipo::integrations::payments::{Callback, CallbackError, CallbackRequest, Provider};
use uuid::Uuid;

use crate::memory::bounded;
use crate::message::Message;

/// The secret and the time of the recorded callbacks in tests/fixtures/vectors.
const SECRET: &str = "qv_test_app_secret_0123456789abcdef";
const NOW: i64 = 1_795_262_400;
/// Seconds.
const MAX_SKEW: u64 = 300;

static STRICT: LazyLock<QvaPay> = LazyLock::new(|| provider(SignatureRule::Required));
static LENIENT: LazyLock<QvaPay> = LazyLock::new(|| provider(SignatureRule::IfPresent));

fn provider(rule: SignatureRule) -> QvaPay {
    let http = reqwest::Client::new();
    QvaPay::new("app", SecretString::from(SECRET), "https://qvapay.invalid", rule, http)
}

pub fn check(input: &[u8]) {
    if let Ok(json) = std::str::from_utf8(input) {
        is_read_or_refused(json);
    }
    let Some(message) = Message::read(input) else { return };
    if let Ok(json) = std::str::from_utf8(message.body) {
        is_read_or_refused(json);
    }
    let is_get = message.method == Method::GET;
    let bytes = if is_get { message.uri.query().unwrap_or_default().as_bytes() } else { message.body };
    let (signature, timestamp) = (message.header("x-qvapay-signature"), message.header("x-qvapay-timestamp"));
    let authentic = signature.is_some_and(|it| is_signed(it, bytes)) && timestamp.is_some_and(is_now);
    let strict = ask(&STRICT, &message, bytes, is_get);
    let lenient = ask(&LENIENT, &message, bytes, is_get);
    if is_get {
        assert!(strict.iter().chain(&lenient).all(|hint| !hint.signed && hint.claimed_state.is_none()));
    } else {
        assert!(authentic || is_unauthentic(&strict), "a forgery was taken: {strict:?}");
        assert!(
            authentic || signature.is_none() || is_unauthentic(&lenient),
            "a forgery was taken: {lenient:?}"
        );
        assert!(lenient.iter().all(|callback| callback.signed == authentic));
        signed_by_us(bytes);
    }
    strict.iter().chain(&lenient).for_each(is_small);
}

fn ask<'a>(
    provider: &QvaPay,
    message: &'a Message<'_>,
    body: &'a [u8],
    is_get: bool,
) -> Result<Callback, CallbackError> {
    let header = |name: &str| message.header(name);
    let request = CallbackRequest { header: &header, body, is_get };
    bounded(body.len(), || provider.authenticate(&request, Timestamp::from_unix(NOW)))
}

fn is_unauthentic(result: &Result<Callback, CallbackError>) -> bool {
    matches!(result, Err(CallbackError::Unauthentic(_)))
}

fn tag(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// By writing the right signature and comparing, where the server reads the given one.
fn is_signed(signature: &str, body: &[u8]) -> bool {
    signature.strip_prefix("sha256=").is_some_and(|given| given.eq_ignore_ascii_case(&tag(body)))
}

fn is_now(timestamp: &str) -> bool {
    timestamp.parse::<i64>().is_ok_and(|seconds| seconds.abs_diff(NOW) <= MAX_SKEW)
}

/// With the right signature a body is never refused as a forgery; changed by one byte it always is.
fn signed_by_us(body: &[u8]) {
    let (signature, timestamp) = (format!("sha256={}", tag(body)), NOW.to_string());
    let header = |name: &str| match name {
        "x-qvapay-signature" => Some(signature.as_str()),
        "x-qvapay-timestamp" => Some(timestamp.as_str()),
        _ => None,
    };
    let changed = [body, b" "].concat();
    let answer = |body| {
        let request = CallbackRequest { header: &header, body, is_get: false };
        STRICT.authenticate(&request, Timestamp::from_unix(NOW))
    };
    let ours = answer(body);
    assert!(!is_unauthentic(&ours), "{ours:?}");
    assert!(ours.iter().all(|callback| callback.signed));
    ours.iter().for_each(is_small);
    assert!(is_unauthentic(&answer(&changed)));
}

/// What is kept of a callback is bounded, and an id is one.
fn is_small(callback: &Callback) {
    let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.chars().count() <= 100);
    assert!(short(&callback.claimed_order) && short(&callback.odd_amount));
    assert!(callback.transaction_id.as_ref().is_none_or(|id| id.parse::<Uuid>().is_ok()));
}

/// An answer of QvaPay's API: an amount that is read is one, and a page holds what its items hold.
fn is_read_or_refused(json: &str) {
    if let Some(transaction) = bounded(json.len(), || Transaction::read(json)) {
        is_money(transaction.amount.as_ref().map(ToString::to_string));
    }
    for transaction in bounded(json.len(), || Transaction::read_page(json)).unwrap_or_default() {
        is_money(transaction.amount.as_ref().map(ToString::to_string));
    }
    if let Some(invoice) = bounded(json.len(), || MadeInvoice::read(json)) {
        is_money(invoice.amount.as_ref().map(ToString::to_string));
        let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        assert!(invoice.url.iter().all(web), "a person would be sent to {:?}", invoice.url);
    }
    if let Some(app) = AppInfo::read(json) {
        let _ = (app.name(), app.is_on());
    }
    let error = bounded(json.len(), || ErrorText::read(json));
    assert!(error.to_string().chars().count() <= 250);
    let _ = error.is_duplicate();
}

fn is_money(amount: Option<String>) {
    assert!(amount.is_none_or(|amount| amount.bytes().all(|b| b.is_ascii_digit() || b == b'.')));
}

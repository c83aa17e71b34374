//! Every recorded QvaPay callback gives what its row expects. Pure: the answer of QvaPay is made up here from the row.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;
use usipipo::clock::Timestamp;
use usipipo::ids::UserId;
use usipipo::integrations::payments::qvapay::{QvaPay, SignatureRule};
use usipipo::integrations::payments::{
    Callback, CallbackError, CallbackRequest, Decision, Observation, ObservedState, OrderHandle, Provider,
    Triage, decide, triage,
};
use usipipo::money::{Currency, Money};

const ORDER: &str = "ord_01JD0000000000000000000001";
const INVOICE: &str = "7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44";

#[derive(Deserialize)]
struct Row {
    name: String,
    headers: BTreeMap<String, String>,
    body: String,
    secret: String,
    valid: bool,
    expect: String,
    now: i64,
    order_amount: Option<String>,
}

/// The rows handed to every implementer when they are beside the project, else the project's own copy.
fn rows() -> Vec<Row> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../shared/vectors/qvapay.json", "tests/fixtures/vectors/qvapay.json"];
    let found = places.iter().find_map(|place| std::fs::read_to_string(root.join(place)).ok());
    serde_json::from_str(&found.expect("the vectors")).unwrap()
}

fn provider(secret: &str, rule: SignatureRule) -> QvaPay {
    let http = QvaPay::http_client().unwrap();
    QvaPay::new("app", SecretString::from(secret), "http://127.0.0.1:1", rule, http)
}

fn authenticate(
    rule: SignatureRule,
    secret: &str,
    headers: &BTreeMap<String, String>,
    body: &[u8],
    now: i64,
) -> Result<Callback, CallbackError> {
    let header = |name: &str| headers.get(name).map(String::as_str);
    let request = CallbackRequest { header: &header, body, is_get: false };
    provider(secret, rule).authenticate(&request, Timestamp::from_unix(now))
}

fn order() -> OrderHandle {
    OrderHandle { order_ref: ORDER.to_owned(), invoice_id: Some(INVOICE.to_owned()), charge_id: None }
}

/// What the whole server does with a row, in the words of the vectors.
fn verdict(row: &Row) -> &'static str {
    let callback = match authenticate(
        SignatureRule::Required,
        &row.secret,
        &row.headers,
        row.body.as_bytes(),
        row.now,
    ) {
        Ok(callback) => callback,
        Err(CallbackError::Unauthentic(_)) => return "reject",
        Err(CallbackError::Unreadable(_)) => return "bad_request",
        Err(CallbackError::Unused(_)) => return "ack_no_credit",
    };
    // The rows say "duplicate" where an earlier row of the file was processed before.
    match triage(&callback, &order(), row.expect == "ack_duplicate") {
        Triage::Duplicate => "ack_duplicate",
        Triage::Ignore(_) => "ack_no_credit",
        Triage::Review(_) => "manual_review",
        Triage::Refetch => {
            let amount =
                row.order_amount.as_ref().expect("a row that is fetched has an amount").parse().unwrap();
            let seen = Observation {
                state: ObservedState::Paid,
                amount: Some(amount),
                currency: Currency::usd(),
                order_ref: Some(ORDER.to_owned()),
                charge_id: INVOICE.to_owned(),
                payer: None,
            };
            let price = Money::new(amount, Currency::usd());
            assert_eq!(decide(ORDER, &price, UserId(7), &seen), Decision::Complete, "{}", row.name);
            "refetch_then_credit"
        }
    }
}

#[test]
fn every_row_gives_what_it_expects() {
    let rows = rows();
    assert!(rows.len() >= 28);
    for row in &rows {
        assert_eq!(verdict(row), row.expect, "{}", row.name);
        assert_eq!(verdict(row) != "reject", row.valid, "{}", row.name);
    }
}

#[test]
fn if_present_takes_a_missing_signature_for_a_hint_only() {
    let row = rows().into_iter().find(|row| row.name == "amount_nan_string").unwrap();
    let none = BTreeMap::new();
    let hint =
        authenticate(SignatureRule::IfPresent, &row.secret, &none, row.body.as_bytes(), row.now).unwrap();
    assert!(!hint.signed);
    assert_eq!(triage(&hint, &order(), false), Triage::Refetch, "its claims move nothing");
    assert_eq!(triage(&hint, &order(), true), Triage::Duplicate);
    for row in rows().iter().filter(|row| !row.valid && row.headers.contains_key("x-qvapay-signature")) {
        let got =
            authenticate(SignatureRule::IfPresent, &row.secret, &row.headers, row.body.as_bytes(), row.now);
        assert!(
            matches!(got, Err(CallbackError::Unauthentic(_))),
            "{}: a wrong signature is wrong",
            row.name
        );
    }
}

#[test]
fn a_get_is_a_hint() {
    let read = |query: &str| {
        let request = CallbackRequest { header: &|_| None, body: query.as_bytes(), is_get: true };
        provider("s", SignatureRule::Required).authenticate(&request, Timestamp::from_unix(0))
    };
    let hint = |transaction: Option<&str>, order: Option<&str>| {
        Ok(Callback {
            transaction_id: transaction.map(str::to_owned),
            claimed_order: order.map(str::to_owned),
            ..Callback::default()
        })
    };
    assert_eq!(read(&format!("id={INVOICE}&remote_id={ORDER}")), hint(Some(INVOICE), Some(ORDER)));
    assert_eq!(
        read(&format!("remote_id=a%20b&id=123&uuid={}", INVOICE.to_uppercase())),
        hint(Some(INVOICE), Some("a b"))
    );
    assert_eq!(read(&format!("id=123&remote_id={ORDER}")), hint(None, Some(ORDER)));
    for useless in ["", "id=123", "uuid=../../x", "a=b&&&==", "%ff%fe"] {
        assert!(matches!(read(useless), Err(CallbackError::Unreadable(_))), "{useless}");
    }
}

#[test]
fn bodies_that_are_signed_and_strange() {
    let uuid = format!(r#""uuid":"{INVOICE}""#);
    let unreadable = [
        "".to_owned(),
        "null".to_owned(),
        r#"{"uuid":"7b1c"}"#.to_owned(),
        r#"{"uuid":{"a":1}}"#.to_owned(),
        r#"{"remote_id":"ord_1","status":"paid"}"#.to_owned(),
        format!("{{{uuid}"),
        format!("{{{uuid},{uuid}}}"),
    ];
    for body in unreadable {
        let got = authenticate(SignatureRule::IfPresent, "s", &BTreeMap::new(), body.as_bytes(), 0);
        assert!(matches!(got, Err(CallbackError::Unreadable(_))), "{:.80}: {got:?}", body);
    }
    let not_utf8 = [b"{\"uuid\":\"", INVOICE.as_bytes(), b"\",\"a\":\"\xff\"}"].concat();
    let got = authenticate(SignatureRule::IfPresent, "s", &BTreeMap::new(), &not_utf8, 0);
    assert!(matches!(got, Err(CallbackError::Unreadable(_))));
    let deep = format!(r#"{{{uuid},"amount":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let got = authenticate(SignatureRule::IfPresent, "s", &BTreeMap::new(), deep.as_bytes(), 0);
    assert!(got.is_ok(), "depth is neither a crash nor an amount");
    let p2p = br#"{"operation":"buy","p2p":{"uuid":"x"}}"#;
    let got = authenticate(SignatureRule::IfPresent, "s", &BTreeMap::new(), p2p, 0);
    assert!(matches!(got, Err(CallbackError::Unused(_))));
}

#[test]
fn a_payment_of_another_transaction_for_our_order_is_reviewed_even_when_settled() {
    let other = "11111111-2222-4333-8444-555555555555";
    let callback = Callback {
        signed: true,
        transaction_id: Some(other.to_owned()),
        claimed_order: Some(ORDER.to_owned()),
        claimed_state: Some(ObservedState::Paid),
        odd_amount: None,
    };
    for settled in [false, true] {
        assert!(matches!(triage(&callback, &order(), settled), Triage::Review(_)));
    }
}

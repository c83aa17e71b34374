//! QvaPay's callback: signature, freshness, and what it names. Pure. Nothing it says about money is believed.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

use super::wire::{self, Members};
use crate::clock::Timestamp;
use crate::integrations::payments::{Callback, CallbackError, CallbackRequest};

/// How far the sender's clock may be from ours, in seconds.
const MAX_SKEW: u64 = 300;

/// Characters that are kept of a text a callback holds; our order references have thirty.
const MAX_CLAIM: usize = 100;

/// What to think of a callback without a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureRule {
    /// It is refused.
    #[default]
    Required,
    /// It is a reason to ask QvaPay, and nothing more. A signature that is there must be right all the same.
    IfPresent,
}

pub(super) fn authenticate(
    request: &CallbackRequest<'_>,
    secret: &SecretString,
    rule: SignatureRule,
    now: Timestamp,
) -> Result<Callback, CallbackError> {
    if request.is_get {
        return read_query(request.body);
    }
    let signed = match (request.header)("x-qvapay-signature") {
        Some(signature) => {
            verify(signature, request.body, secret)?;
            check_freshness((request.header)("x-qvapay-timestamp"), now)?;
            true
        }
        None if rule == SignatureRule::IfPresent => false,
        None => return Err(CallbackError::Unauthentic("it carries no signature")),
    };
    read_body(request.body, signed)
}

/// `sha256=` and the hex of HMAC-SHA256 over the raw body with the app's secret as key.
fn verify(signature: &str, body: &[u8], secret: &SecretString) -> Result<(), CallbackError> {
    let hex = signature
        .strip_prefix("sha256=")
        .ok_or(CallbackError::Unauthentic("the signature is of another kind"))?;
    let tag = hex::decode(hex).map_err(|_| CallbackError::Unauthentic("the signature is not hexadecimal"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(body);
    mac.verify_slice(&tag).map_err(|_| CallbackError::Unauthentic("the signature is wrong"))
}

/// The timestamp is not covered by the signature, so it stops no replay; it only bounds honest delays.
fn check_freshness(timestamp: Option<&str>, now: Timestamp) -> Result<(), CallbackError> {
    let written = timestamp.ok_or(CallbackError::Unauthentic("it carries no timestamp"))?;
    let seconds: Option<i64> = Some(written)
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok());
    match seconds {
        Some(seconds) if seconds.abs_diff(now.unix()) <= MAX_SKEW => Ok(()),
        Some(_) => Err(CallbackError::Unauthentic("its timestamp is too far from our clock")),
        None => Err(CallbackError::Unauthentic("its timestamp is not a number of seconds")),
    }
}

fn read_body(body: &[u8], signed: bool) -> Result<Callback, CallbackError> {
    let json = std::str::from_utf8(body).map_err(|_| CallbackError::Unreadable("it is not UTF-8"))?;
    let members = Members::read(json).ok_or(CallbackError::Unreadable("it is not a JSON object"))?;
    let transaction =
        members.transaction().map_err(|()| CallbackError::Unreadable("its transaction id is not a UUID"))?;
    match transaction {
        None if members.is_p2p_offer() => Err(CallbackError::Unused("it is about a peer-to-peer offer")),
        None => Err(CallbackError::Unreadable("it names no transaction")),
        Some(uuid) => Ok(Callback {
            signed,
            transaction_id: Some(uuid.to_string()),
            claimed_order: members.order().map(cut),
            claimed_state: members.state(),
            odd_amount: members.amount.and_then(|amount| wire::read_amount(amount).err()).map(cut),
        }),
    }
}

/// What a callback claims is told to people and stored beside its body: a part of it is enough.
fn cut(claim: String) -> String {
    claim.chars().take(MAX_CLAIM).collect()
}

/// Apps of the first version get a GET without signature: `remote_id` and `id` or `uuid`, where `id` may be a number.
fn read_query(query: &[u8]) -> Result<Callback, CallbackError> {
    let query = std::str::from_utf8(query).map_err(|_| CallbackError::Unreadable("it is not UTF-8"))?;
    let mut url = Url::parse("http://callback/").expect("a constant");
    url.set_query(Some(query));
    let mut hint = Callback::default();
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "uuid" | "id" | "transaction_uuid" => {
                let uuid = value.parse::<Uuid>().ok().map(|uuid| uuid.to_string());
                hint.transaction_id = hint.transaction_id.or(uuid);
            }
            "remote_id" => hint.claimed_order = Some(cut(value.into_owned())),
            _ => {}
        }
    }
    if hint.transaction_id.is_none() && hint.claimed_order.is_none() {
        return Err(CallbackError::Unreadable("it names neither a transaction nor an order"));
    }
    Ok(hint)
}

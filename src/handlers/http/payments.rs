//! `POST` and `GET /payments/{provider}/{token}`: stores a provider's callback for one order and answers.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::store;
use crate::app::App;
use crate::crud;
use crate::ids::{EventId, PaymentId, time_ordered};
use crate::integrations::payments::{Callback, CallbackError, CallbackRequest};
use crate::models::event::{NewEvent, Source};
use crate::models::payment::{Payment, ProviderId};
use crate::queue::inbox::Stored;
use crate::telemetry::metrics::CallbackOutcome;

/// What the route learned of a callback, kept beside its body for the handling.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hint {
    pub payment_id: PaymentId,
    pub callback: Callback,
}

/// Longest token looked up.
const TOKEN: usize = 64;

/// 404 for an address that no order has, 401 for a callback that is not authentic, 400 for one that cannot be
/// read; nothing is stored for these. Else 200 once it is committed.
pub async fn receive(
    State(app): State<App>,
    Path((provider, token)): Path<(String, String)>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let provider: ProviderId = provider.parse().map_err(|_| ApiError::not_found())?;
    let count = |outcome| app.metrics().callback(provider, outcome);
    let Some(order) = order_of(&app, provider, &token).await? else {
        count(CallbackOutcome::Unknown);
        return Err(ApiError::not_found());
    };
    let client = app.providers().get(provider).ok_or_else(ApiError::not_found)?;
    let query = query.unwrap_or_default();
    let is_get = method == Method::GET;
    let bytes = if is_get { query.as_bytes() } else { &body[..] };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let request = CallbackRequest { header: &header, body: bytes, is_get };
    let callback = match client.authenticate(&request, app.works().clock.now()) {
        Ok(callback) => callback,
        Err(why) => {
            count(counted_as(&why));
            return refuse(provider, order.id, why);
        }
    };
    // Any other is counted once it is handled, by what came of it.
    if store(&app, event_of(&app, &order, callback, bytes)).await? == Stored::Duplicate {
        count(CallbackOutcome::Duplicate);
    }
    Ok(StatusCode::OK)
}

fn refuse(provider: ProviderId, order: PaymentId, why: CallbackError) -> Result<StatusCode, ApiError> {
    match why {
        CallbackError::Unauthentic(reason) => {
            tracing::warn!(%provider, payment_id = %order, reason, "callback refused");
            Err(ApiError::unauthorized())
        }
        CallbackError::Unreadable(reason) => Err(ApiError::bad_request(reason)),
        CallbackError::Unused(reason) => {
            tracing::info!(%provider, payment_id = %order, reason, "callback of no use to us");
            Ok(StatusCode::OK)
        }
    }
}

fn counted_as(why: &CallbackError) -> CallbackOutcome {
    match why {
        CallbackError::Unauthentic(_) => CallbackOutcome::Unauthentic,
        CallbackError::Unreadable(_) => CallbackOutcome::Unreadable,
        CallbackError::Unused(_) => CallbackOutcome::Unused,
    }
}

async fn order_of(app: &App, provider: ProviderId, token: &str) -> Result<Option<Payment>, ApiError> {
    let plain =
        token.len() <= TOKEN && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !plain {
        return Ok(None);
    }
    let order = async {
        let mut conn = app.works().db.acquire().await?;
        crud::payment::find_by_token(&mut conn, token).await
    };
    let order = order.await.map_err(super::database_down)?;
    Ok(order.filter(|order| order.provider == provider))
}

fn event_of(app: &App, order: &Payment, callback: Callback, body: &[u8]) -> NewEvent {
    let source = match order.provider {
        ProviderId::Qvapay | ProviderId::Stars => Source::Qvapay,
    };
    let hint = Hint { payment_id: order.id, callback };
    NewEvent {
        id: EventId(time_ordered()),
        source,
        dedupe_key: format!("{}:{}", order.id, hex::encode(Sha256::digest(body))),
        lane: format!("payment:{}", order.id),
        class: 1,
        body: body.to_vec(),
        context: serde_json::to_string(&hint).expect("a hint is plain data"),
        unreadable: None,
        received_at: app.works().clock.now(),
    }
}

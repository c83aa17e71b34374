//! `POST /telegram/{bot}`: stores the update and answers. Nothing is handled here.

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::store;
use crate::app::App;
use crate::clock::Timestamp;
use crate::crypto;
use crate::ids::{EventId, time_ordered};
use crate::integrations::telegram::update::envelope;
use crate::models::bot::Bot;
use crate::models::event::{NewEvent, Source};
use crate::telemetry::metrics::Inbound;

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// A caller that showed the secret of a bot we host. Taken from the head of the request, so that the body of a
/// stranger is never read.
pub struct Authentic(Bot);

impl FromRequestParts<App> for Authentic {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Path(bot) = Path::<String>::from_request_parts(parts, app).await?;
        let bot: Bot = bot.parse().map_err(|_| ApiError::not_found())?;
        if !app.hosts(bot) {
            return Err(ApiError::not_found());
        }
        let secret = parts.headers.get(SECRET_HEADER).map_or(&b""[..], |value| value.as_bytes());
        if !crypto::matches_any(secret, &app.config().telegram.webhook_secrets) {
            app.metrics().delivery(Source::of_bot(bot), Inbound::Unauthentic);
            return Err(ApiError::unauthorized());
        }
        Ok(Self(bot))
    }
}

/// 401 without a good secret, and nothing is stored. With it, 200 once the update is committed, whatever is in
/// it: any other answer would block the chat's queue at Telegram.
pub async fn receive(
    State(app): State<App>,
    Authentic(bot): Authentic,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let event = event_of(bot, &body, app.works().clock.now());
    store(&app, event).await?;
    Ok(StatusCode::OK)
}

/// What is stored of a delivery. A body that cannot be understood has a lane of its kind: it is given up there, and the
/// admins hear of it in the same commit.
fn event_of(bot: Bot, body: &[u8], now: Timestamp) -> NewEvent {
    let source = Source::of_bot(bot);
    let (dedupe_key, lane, class, unreadable) = match envelope(bot, body) {
        Ok(envelope) => (envelope.update_id.to_string(), envelope.lane, envelope.class, None),
        // Its update id, if it shows one, may belong to a whole body that is still to come.
        Err(unreadable) => {
            let hash = hex::encode(Sha256::digest(body));
            (format!("body:{hash}"), format!("{bot}:unreadable"), 1, Some(unreadable.reason))
        }
    };
    NewEvent {
        id: EventId(time_ordered()),
        source,
        dedupe_key,
        lane,
        class,
        body: body.to_vec(),
        context: String::new(),
        unreadable,
        received_at: now,
    }
}

//! HTTP: the routes' handlers, and what stands between the network and them. The paths are in `router.rs`.

pub mod client_ip;
pub mod error;
mod flood;
pub mod health;
pub mod layers;
pub mod metrics;
pub mod payments;
pub mod telegram;

use std::time::Duration;

use crate::app::App;
use crate::models::event::NewEvent;
use crate::queue::inbox::{NotStored, Stored};
use crate::telemetry::metrics::Inbound;

use error::ApiError;

/// Stores a delivery and returns once it is committed. A failure answers 503, so that the sender tries again.
async fn store(app: &App, event: NewEvent) -> Result<Stored, ApiError> {
    let (id, source, unreadable) = (event.id, event.source, event.unreadable.clone());
    tracing::Span::current().record("event_id", tracing::field::display(id));
    let stored = app.inbox().store(event).await;
    let outcome = match &stored {
        Ok(Stored::Duplicate) => Inbound::Duplicate,
        Ok(Stored::New) if unreadable.is_some() => Inbound::Unreadable,
        Ok(Stored::New) => Inbound::Stored,
        Err(_) => Inbound::Failed,
    };
    app.metrics().delivery(source, outcome);
    if let (Ok(Stored::New), Some(reason)) = (&stored, unreadable) {
        tracing::warn!(event_id = %id, %source, reason, "a delivery that cannot be understood is kept");
    }
    stored.map_err(|error| match error {
        NotStored::Overloaded => ApiError::unavailable(Duration::from_secs(1)),
        NotStored::Database(error) => {
            tracing::error!(%error, "a delivery was not stored");
            ApiError::unavailable(Duration::from_secs(2))
        }
    })
}

/// The database did not answer: the caller may come again.
fn database_down(error: sqlx::Error) -> ApiError {
    tracing::error!(%error, "the database does not answer");
    ApiError::unavailable(Duration::from_secs(2))
}

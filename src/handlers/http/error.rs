//! Errors as callers see them: `{"error":{"code","message","request_id"}}`. A 5xx says nothing about its cause;
//! the cause is logged here, once.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::request_id::RequestId;

/// An answer other than success. Becomes JSON in [`render`], which every route passes through.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), retry_after: None, cause: None }
    }

    /// `message` tells the caller what is wrong with the request, without repeating its content.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "missing or wrong credentials")
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this address")
    }

    pub fn too_many_requests(retry_after: Duration) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests");
        Self { retry_after: Some(retry_after), ..error }
    }

    /// Cannot be done now: overloaded, starting, draining, or the database is away.
    pub fn unavailable(retry_after: Duration) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "not available at the moment");
        Self { retry_after: Some(retry_after), ..error }
    }

    /// Logs `cause` with its sources; it must not carry a secret.
    pub fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..Self::of_status(StatusCode::INTERNAL_SERVER_ERROR) }
    }

    /// The error for a status that a library answered.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "the body is too large"),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(status, "this address does not take this method"),
            StatusCode::SERVICE_UNAVAILABLE => Self::unavailable(Duration::from_secs(1)),
            _ if status.is_server_error() => Self::new(status, "something went wrong on our side"),
            _ => Self::new(status, status.canonical_reason().unwrap_or("the request cannot be served")),
        }
    }

    /// `not_found`, `payload_too_large`, …: the status in words.
    fn code(&self) -> String {
        self.status.canonical_reason().unwrap_or("error").to_ascii_lowercase().replace([' ', '-'], "_")
    }

    fn log(&self) {
        let Some(cause) = &self.cause else { return };
        let mut text = cause.to_string();
        let mut source = cause.source();
        while let Some(inner) = source {
            text = format!("{text}: {inner}");
            source = inner.source();
        }
        tracing::error!(error = text, "request failed");
    }
}

/// An error that nobody sorted out is ours: 500.
impl<E: Error + Send + Sync + 'static> From<E> for ApiError {
    fn from(cause: E) -> Self {
        Self::internal(cause)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: gives every error answer, ours or a library's, the JSON body, and logs what caused it. An error
/// answer that is JSON already (`/health`) passes as it is.
pub async fn render(request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let status = response.status();
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let error: ApiError = response.extensions_mut().remove().unwrap_or_else(|| ApiError::of_status(status));
    error.log();
    let request_id = request_id.as_ref().and_then(|id| id.header_value().to_str().ok());
    let body = serde_json::json!({
        "error": { "code": error.code(), "message": error.message, "request_id": request_id }
    });
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    if let Some(retry_after) = error.retry_after {
        let seconds = retry_after.as_millis().div_ceil(1000).max(1);
        parts.headers.insert(RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)));
    }
    (parts, Json(body)).into_response()
}

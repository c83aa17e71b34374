//! What goes wrong on the way to QvaPay and back.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;

/// One way for an API call to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Hangs up without reading.
    HangUp,
    /// Takes the call and never answers; nothing is done.
    Silent,
    /// Answers right, after so many milliseconds.
    Slow(u64),
    /// Answers 500; nothing is done.
    Error500,
    /// Answers 429; nothing is done.
    TooMany,
    /// Does what was asked, and hangs up in the middle of the answer.
    CutAnswer,
    /// Does what was asked, and hangs up without an answer.
    LoseReply,
    /// Does what was asked, and answers 200 with something that is no JSON.
    Garbage,
}

impl Fault {
    /// The part before the call is looked at; Some ends it there.
    pub(super) async fn before(self) -> Option<Response> {
        match self {
            Fault::HangUp => Some(hang_up(Bytes::new())),
            Fault::Silent => {
                std::future::pending::<Infallible>().await;
                None
            }
            Fault::Slow(millis) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                None
            }
            Fault::Error500 => {
                Some(error(StatusCode::INTERNAL_SERVER_ERROR, "Error interno del servidor", None))
            }
            Fault::TooMany => Some(too_many()),
            Fault::CutAnswer | Fault::LoseReply | Fault::Garbage => None,
        }
    }

    /// The part after the call took effect.
    pub(super) async fn after(self, answer: Response) -> Response {
        match self {
            Fault::LoseReply => hang_up(Bytes::new()),
            Fault::Garbage => "<html>maintenance</html>".into_response(),
            Fault::CutAnswer => {
                let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
                hang_up(body.slice(..body.len() / 2))
            }
            _ => answer,
        }
    }
}

/// An answer that breaks off after `start`: hyper closes the connection when a body fails.
fn hang_up(start: Bytes) -> Response {
    let broken = stream::iter([Ok(start), Err(io::Error::other("cut on purpose"))]);
    let mut answer = Response::new(Body::from_stream(broken));
    answer.extensions_mut().insert(HungUp);
    answer
}

/// Marks an answer that nobody will see whole.
#[derive(Clone, Copy)]
pub(super) struct HungUp;

pub(super) fn too_many() -> Response {
    error(StatusCode::TOO_MANY_REQUESTS, "Too many requests", None)
}

/// The body of QvaPay's errors: `{"error":"text"}`, sometimes with a code.
pub(super) fn error(status: StatusCode, error: &str, code: Option<&str>) -> Response {
    #[derive(serde::Serialize)]
    struct Error<'a> {
        error: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a str>,
    }
    (status, axum::Json(Error { error, code })).into_response()
}

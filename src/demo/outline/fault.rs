//! What goes wrong on the way to Outline and back.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use futures::stream;

use super::Outline;
use super::api::error;

/// One way for a request to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Hangs up without an answer; nothing is done.
    HangUp,
    /// Answers right, after this time.
    Slow(Duration),
    /// Answers 500; nothing is done.
    Error500,
    /// Does what was asked, and hangs up without an answer.
    LoseReply,
}

/// Notes every request and lets the planned faults strike.
pub(super) async fn strike(State(outline): State<Outline>, request: Request, next: Next) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    let fault = outline.control().next_fault();
    let answer = match fault {
        Some(Fault::HangUp) => hang_up(),
        Some(Fault::Error500) => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "on purpose"),
        Some(Fault::LoseReply) => {
            next.run(request).await;
            hang_up()
        }
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        None => next.run(request).await,
    };
    let status = if answer.extensions().get::<HungUp>().is_some() { 0 } else { answer.status().as_u16() };
    outline.control().requests.push(format!("{what} {status}"));
    answer
}

impl super::Control {
    fn next_fault(&mut self) -> Option<Fault> {
        let (fault, times) = self.faults.front_mut()?;
        let fault = *fault;
        *times = times.saturating_sub(1);
        if *times == 0 {
            self.faults.pop_front();
        }
        Some(fault)
    }
}

/// Marks an answer that nobody will see.
#[derive(Clone, Copy)]
struct HungUp;

/// hyper closes the connection when a body fails before anything was sent.
fn hang_up() -> Response {
    let broken = stream::iter([Ok(Bytes::new()), Err(io::Error::other("cut on purpose"))]);
    let mut answer = Response::new(Body::from_stream(broken));
    answer.extensions_mut().insert(HungUp);
    answer
}

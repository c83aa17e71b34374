//! The Bot API over HTTP: `/bot<token>/<method>` by POST or GET, with the faults that were asked for.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use tokio::net::TcpListener;

use super::Inner;
use super::answer::{self, Answer, ApiError};
use super::control;
use super::faults::Fault;
use super::journal::Outcome;
use super::line::{Lines, Scissors};
use super::methods;
use super::request::Fields;

/// Larger than any file Telegram takes.
const BODY_LIMIT: usize = 60 << 20;

/// Serves until the counterpart is stopped.
pub async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    let stop = inner.stop.clone();
    let router = Router::new()
        .merge(control::routes())
        .fallback(bot_api)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(inner)
        .into_make_service_with_connect_info::<Scissors>();
    let served = axum::serve(Lines(listener), router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the counterpart of Telegram stopped");
    }
}

async fn bot_api(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let Some((token, name)) = path.strip_prefix("bot").and_then(|rest| rest.split_once('/')) else {
        return respond(&Err(ApiError::new(404, "Not Found")));
    };
    let token = token.replace("%3A", ":").replace("%3a", ":");
    let Some(bot) = inner.read(|world| world.bot_by_token(&token)) else {
        return respond(&Err(ApiError::new(401, "Unauthorized")));
    };
    let Some(method) = methods::canonical(name) else {
        return respond(&Err(ApiError::new(404, "Not Found: method not found")));
    };
    match Fields::read(request).await {
        Ok(fields) => answer(&inner, scissors, bot, method, &fields).await,
        Err(error) => respond(&Err(error)),
    }
}

/// Answers a call, or lets it fail in the way that a fault asks for.
async fn answer(inner: &Arc<Inner>, line: Scissors, bot: i64, method: &str, fields: &Fields) -> Response {
    let call = inner.begin_call(bot, method, fields, false);
    let execute = || inner.execute(call, bot, method, fields);
    let fault = inner.change(|world| {
        let username = world.bot(bot).username.clone();
        world.take_fault(&username, method, fields.integer("chat_id"))
    });
    let Some(fault) = fault else { return respond(&execute()) };
    let failed = |status: u16, description: Option<String>| {
        inner.end_call(call, Outcome { status, description, executed: false });
    };
    match fault {
        Fault::Refuse => {
            failed(0, None);
            line.cut();
            StatusCode::BAD_GATEWAY.into_response()
        }
        Fault::Silent => {
            inner.stop.cancelled().await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        Fault::Slow(time) => {
            tokio::time::sleep(time).await;
            respond(&execute())
        }
        Fault::Late(time) => {
            let answer = execute();
            tokio::time::sleep(time).await;
            respond(&answer)
        }
        Fault::Cut => cut_in_the_middle(&execute()),
        Fault::ServerError => {
            failed(502, None);
            (StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], BAD_GATEWAY).into_response()
        }
        Fault::TooManyRequests { retry_after } => {
            let error = ApiError::too_many_requests(retry_after);
            failed(429, Some(error.description.clone()));
            respond(&Err(error))
        }
        Fault::Reject(error) => {
            failed(error.code, Some(error.description.clone()));
            respond(&Err(error))
        }
    }
}

const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                           <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

fn respond(answer: &Answer) -> Response {
    let (status, body) = answer::body(answer);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Promises the whole answer, sends half of it and closes.
fn cut_in_the_middle(answer: &Answer) -> Response {
    let body = answer::body(answer).1.to_string();
    let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
    let breaks_off = async {
        // Lets the first half go out.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    let parts = futures::stream::once(async { Ok(half) }).chain(futures::stream::once(breaks_off));
    let mut response = Body::from_stream(parts).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

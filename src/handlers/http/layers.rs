//! The layers around the routes: request ids, one log line and metrics for each request, panics, limits.
//! Nothing here logs a path, query, header or body: callback addresses carry tokens. Logs and metrics know the
//! route's pattern.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::{Span, field};

use super::client_ip::{ClientIp, is_trusted};
use super::error::{self, ApiError};
use super::flood::IpFlood;
use crate::config::ServerConfig;
use crate::telemetry::metrics::{Limit, Metrics, Place};

/// Largest body of a Telegram update.
pub const TELEGRAM_BODY: usize = 1 << 20;
/// Largest body of anything else.
pub const PUBLIC_BODY: usize = 64 << 10;

/// How soon a caller may come back after being shed.
const SHED_RETRY: Duration = Duration::from_secs(1);

/// Everything the layers need; built once.
///
/// The listener must serve `router.into_make_service_with_connect_info::<SocketAddr>()`: without it all callers
/// share one address and so one bucket.
#[derive(Clone)]
pub struct Edge(Arc<EdgeInner>);

struct EdgeInner {
    trusted_proxies: Vec<IpNet>,
    max_concurrent: usize,
    timeout: Duration,
    flood: IpFlood,
    metrics: Metrics,
}

impl Edge {
    pub fn new(config: &ServerConfig, metrics: Metrics) -> Self {
        Self(Arc::new(EdgeInner {
            trusted_proxies: config.trusted_proxies.clone(),
            max_concurrent: config.max_concurrent_requests,
            timeout: config.request_timeout,
            flood: IpFlood::new(config.requests_per_second_per_ip),
            metrics,
        }))
    }

    /// For Telegram's routes: all its deliveries come from few addresses, so addresses are not counted. The secret
    /// header must be checked before the body is read.
    pub fn telegram<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        self.limited(routes, TELEGRAM_BODY)
    }

    /// For routes that anybody can call, payment callbacks among them.
    pub fn public<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        self.limited(routes, PUBLIC_BODY).layer(from_fn_with_state(self.clone(), refuse_floods))
    }

    /// The places are shared by the routes given in one call, and by nothing else: a flood of callbacks cannot
    /// shut Telegram out.
    fn limited<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>, largest_body: usize) -> Router<S> {
        let places = Arc::new(Semaphore::new(self.0.max_concurrent));
        let layers = ServiceBuilder::new()
            .layer(from_fn_with_state((self.clone(), places), shed_load))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, self.0.timeout))
            .layer(RequestBodyLimitLayer::new(largest_body));
        routes.layer(layers)
    }

    /// For the whole router, last: every answer gets an id, a log line, numbers, and JSON where it is an error.
    pub fn wrap(&self, router: Router) -> Router {
        let layers = ServiceBuilder::new()
            .layer(from_fn_with_state(self.clone(), observe))
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(
                TraceLayer::new_for_http()
                    .make_span_with(span)
                    .on_request(())
                    .on_response(log_answer)
                    .on_body_chunk(())
                    .on_eos(())
                    .on_failure(()),
            )
            .layer(from_fn(error::render))
            .layer(CatchPanicLayer::custom(PanicAnswer(self.0.metrics.clone())));
        router.fallback(async || ApiError::not_found()).layer(layers)
    }
}

/// Finds out who calls, counts and times the request.
async fn observe(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    if !keeps_request_id(&request, &edge.0.trusted_proxies) {
        request.headers_mut().remove("x-request-id");
    }
    let client_ip = ClientIp::of(&request, &edge.0.trusted_proxies);
    request.extensions_mut().insert(client_ip);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let started = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    edge.0.metrics.http_request(route, response.status().as_u16(), started.elapsed());
    response
}

/// A request id counts only if one of our proxies sent it: it ends up in logs and answers.
fn keeps_request_id(request: &Request, trusted: &[IpNet]) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_proxy = peer.is_some_and(|info| is_trusted(info.0.ip().to_canonical(), trusted));
    let fits = |id: &[u8]| {
        (8..=64).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    is_proxy && request.headers().get("x-request-id").is_some_and(|id| fits(id.as_bytes()))
}

fn span(request: &Request) -> Span {
    let extensions = request.extensions();
    let request_id = extensions.get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let client_ip = extensions.get::<ClientIp>().map(|ip| field::display(ip.0));
    let route = extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let event_id = field::Empty;
    tracing::info_span!("request", request_id, method = %request.method(), route, client_ip, event_id)
}

fn log_answer(response: &Response, took: Duration, _: &Span) {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(status = response.status().as_u16(), milliseconds, "answered");
}

/// A panic was logged by the process's hook; the caller gets a 500 like any other.
#[derive(Clone)]
struct PanicAnswer(Metrics);

impl tower_http::catch_panic::ResponseForPanic for PanicAnswer {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, _: Box<dyn Any + Send>) -> Response {
        self.0.panic(Place::Http);
        ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
    }
}

async fn refuse_floods(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let ClientIp(ip) = ClientIp::of(&request, &edge.0.trusted_proxies);
    match edge.0.flood.check(ip) {
        Ok(()) => next.run(request).await,
        Err(retry_after) => {
            edge.0.metrics.refused(Limit::Ip);
            ApiError::too_many_requests(retry_after).into_response()
        }
    }
}

/// Refuses at once what there is no place for, before any of its body is read.
async fn shed_load(
    State((edge, places)): State<(Edge, Arc<Semaphore>)>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(_place) = places.try_acquire() else {
        edge.0.metrics.refused(Limit::Concurrency);
        return ApiError::unavailable(SHED_RETRY).into_response();
    };
    next.run(request).await
}

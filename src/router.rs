//! Every path of the server, on one page.

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::handlers::http::layers::Edge;
use crate::handlers::http::{health, metrics, payments, telegram};

/// The public routes. Everything else is 404 as JSON.
pub fn router(app: &App, edge: &Edge) -> Router {
    let updates = Router::new().route("/telegram/{bot}", post(telegram::receive));
    let callbacks =
        Router::new().route("/payments/{provider}/{token}", post(payments::receive).get(payments::receive));
    let mut state =
        Router::new().route("/health", get(health::report)).route("/health/ready", get(health::ready));
    if app.config().server.metrics_addr.is_none() {
        state = state.route("/metrics", get(metrics::report));
    }
    // Whether the process lives is told whatever else is asked of it.
    let alive = Router::new().route("/health/live", get(health::live));
    let routes = edge.telegram(updates).merge(edge.public(callbacks)).merge(edge.public(state)).merge(alive);
    edge.wrap(routes.with_state(app.clone()))
}

/// The routes of `METRICS_ADDR`.
pub fn watching(app: &App, edge: &Edge) -> Router {
    let routes = Router::new().route("/metrics", get(metrics::report));
    edge.wrap(routes.with_state(app.clone()))
}

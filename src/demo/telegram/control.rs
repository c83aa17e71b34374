//! The page and the small JSON API behind it.

use std::sync::Arc;

use axum::Router;

use super::Inner;

pub fn routes() -> Router<Arc<Inner>> {
    Router::new()
}

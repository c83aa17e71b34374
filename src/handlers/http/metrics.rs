//! `GET /metrics`: Prometheus text. What happens is counted in memory where it happens; how things stand is read from
//! the database when somebody asks.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sqlx::MySqlConnection;

use crate::app::App;
use crate::clock::Timestamp;
use crate::crud;
use crate::models::server::ServerHealth;
use crate::models::vpn::{ConfigStatus, Protocol};
use crate::telemetry::metrics::{CONTENT_TYPE, Metrics, SubscriptionKind};

/// How long the database may take: what was counted is told while it is away too.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn report(State(app): State<App>) -> Response {
    let read = tokio::time::timeout(PATIENCE, read(&app)).await;
    let metrics = app.metrics();
    metrics.database(matches!(read, Ok(Ok(()))));
    let pool = app.works().db.pool();
    let (open, idle) = (i64::from(pool.size()), i64::try_from(pool.num_idle()).unwrap_or(i64::MAX));
    metrics.connections((open - idle).max(0), idle, i64::from(pool.options().get_max_connections()));
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.render()).into_response()
}

async fn read(app: &App) -> sqlx::Result<()> {
    let mut conn = app.works().db.acquire().await?;
    let now = app.works().clock.now();
    for standing in crud::queue::standing(&mut conn).await? {
        app.metrics().queue(&standing, now);
    }
    read_sales(&mut conn, app.metrics(), now).await?;
    read_servers(&mut conn, app.metrics()).await
}

async fn read_sales(conn: &mut MySqlConnection, metrics: &Metrics, now: Timestamp) -> sqlx::Result<()> {
    let (paid, trials) = crud::stats::subscriptions(conn, now).await?;
    metrics.subscriptions(SubscriptionKind::Paid, paid);
    metrics.subscriptions(SubscriptionKind::Trial, trials);
    let configs = crud::stats::configs(conn).await?;
    for (protocol, status) in every_pair(Protocol::ALL, ConfigStatus::ALL) {
        if status != ConfigStatus::Removed {
            let count = configs.iter().find(|it| (it.0, it.1) == (protocol, status)).map_or(0, |it| it.2);
            metrics.configs(protocol, status, count);
        }
    }
    Ok(())
}

async fn read_servers(conn: &mut MySqlConnection, metrics: &Metrics) -> sqlx::Result<()> {
    let servers = crud::server::list(conn).await?;
    for (protocol, health) in every_pair(Protocol::ALL, ServerHealth::ALL) {
        let such = servers.iter().filter(|it| (it.protocol, it.health) == (protocol, health)).count();
        metrics.servers(protocol, health, i64::try_from(such).unwrap_or(i64::MAX));
    }
    Ok(())
}

/// Those that nothing was found of too: a number that is not set keeps what it was.
fn every_pair<A: Copy, B: Copy>(first: &'static [A], second: &'static [B]) -> impl Iterator<Item = (A, B)> {
    first.iter().flat_map(move |a| second.iter().map(move |b| (*a, *b)))
}

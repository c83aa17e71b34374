//! Health for load balancers and people.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::{App, Stage};
use crate::clock::Timestamp;
use crate::crud;
use crate::db;
use crate::models::lane::Standing;
use crate::models::server::ServerHealth;
use crate::models::vpn::Protocol;

/// How long the database may take; whoever asks waits for seconds only.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process lives.
pub async fn live() -> StatusCode {
    StatusCode::OK
}

/// Whether requests may be sent here: 503 while starting, while draining, and while the database is away or its node
/// has lost the majority of its cluster.
pub async fn ready(State(app): State<App>) -> Response {
    let stage = app.stage();
    if stage != Stage::Serving {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(serde_json::json!({ "status": stage })))
            .into_response();
    }
    let down = match tokio::time::timeout(PATIENCE, app.works().db.check()).await {
        Ok(Ok(())) => return Json(serde_json::json!({ "status": stage })).into_response(),
        Ok(Err(error)) if db::is_without_quorum(&error) => "database_without_quorum",
        Ok(Err(_)) | Err(_) => "database_down",
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(serde_json::json!({ "status": down }))).into_response()
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    version: &'static str,
    stage: Stage,
    uptime_seconds: u64,
    database: &'static str,
    inbox: Option<Backlog>,
    outbox: Option<Backlog>,
    jobs: Option<Backlog>,
    servers: Vec<ServerReport>,
}

#[derive(Serialize)]
struct Backlog {
    waiting: i64,
    oldest_seconds: u64,
}

#[derive(Serialize)]
struct ServerReport {
    name: String,
    protocol: Protocol,
    health: ServerHealth,
    checked_at: Option<Timestamp>,
}

/// Version, uptime, database, backlogs with the age of the oldest, and every VPN server; 200 or 503.
pub async fn report(State(app): State<App>) -> Response {
    let mut report = Report {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        stage: app.stage(),
        uptime_seconds: app.uptime().as_secs(),
        database: "up",
        inbox: None,
        outbox: None,
        jobs: None,
        servers: Vec::new(),
    };
    let filled = tokio::time::timeout(PATIENCE, fill(&app, &mut report)).await;
    if !matches!(filled, Ok(Ok(()))) {
        tracing::warn!(?filled, "health: the database does not answer");
        let alone = matches!(&filled, Ok(Err(error)) if db::is_without_quorum(error));
        (report.status, report.database) = ("unavailable", if alone { "without_quorum" } else { "down" });
    }
    if report.stage != Stage::Serving {
        report.status = "unavailable";
    }
    let code = if report.status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(report)).into_response()
}

async fn fill(app: &App, report: &mut Report) -> sqlx::Result<()> {
    let mut conn = app.works().db.acquire().await?;
    let now = app.works().clock.now();
    let backlog =
        |queue: Standing| Some(Backlog { waiting: queue.waiting, oldest_seconds: queue.age(now).as_secs() });
    [report.inbox, report.outbox, report.jobs] = crud::queue::standing(&mut conn).await?.map(backlog);
    report.servers = crud::server::list(&mut conn)
        .await?
        .into_iter()
        .map(|server| ServerReport {
            name: server.name,
            protocol: server.protocol,
            health: server.health,
            checked_at: server.health_at,
        })
        .collect();
    Ok(())
}

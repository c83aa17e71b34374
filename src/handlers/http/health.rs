//! Health for load balancers and people.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::{App, Stage};
use crate::clock::Timestamp;
use crate::crud;
use crate::models::server::ServerHealth;
use crate::models::vpn::Protocol;
use crate::telemetry::metrics::{CONTENT_TYPE, Queue};

/// The process lives.
pub async fn live() -> StatusCode {
    StatusCode::OK
}

/// Whether requests may be sent here: 503 while starting, while draining, and while the database is away.
pub async fn ready(State(app): State<App>) -> Response {
    let stage = app.stage();
    if stage != Stage::Serving {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(serde_json::json!({ "status": stage })))
            .into_response();
    }
    match ping(&app).await {
        Ok(()) => Json(serde_json::json!({ "status": stage })).into_response(),
        Err(_) => {
            let body = serde_json::json!({ "status": "database_down" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
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
    oldest_seconds: i64,
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
    if let Err(error) = fill(&app, &mut report).await {
        tracing::warn!(%error, "health: the database does not answer");
        (report.status, report.database) = ("unavailable", "down");
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
    let backlog = |(waiting, oldest): (i64, Option<Timestamp>)| {
        let oldest_seconds = oldest.map_or(0, |at| now.since(at).num_seconds().max(0));
        Some(Backlog { waiting, oldest_seconds })
    };
    report.inbox = backlog(crud::event::backlog(&mut conn).await?);
    report.outbox = backlog(crud::outgoing::backlog(&mut conn).await?);
    report.jobs = backlog(crud::job::backlog(&mut conn).await?);
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

async fn ping(app: &App) -> sqlx::Result<()> {
    let mut conn = app.works().db.acquire().await?;
    sqlx::Connection::ping(&mut *conn).await
}

/// `GET /metrics`: Prometheus text.
pub async fn metrics(State(app): State<App>) -> Response {
    refresh_backlogs(&app).await;
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics().render()).into_response()
}

async fn refresh_backlogs(app: &App) {
    let Ok(mut conn) = app.works().db.acquire().await else { return };
    let now = app.works().clock.now();
    for queue in [Queue::Inbox, Queue::Outbox, Queue::Jobs] {
        let backlog = match queue {
            Queue::Inbox => crud::event::backlog(&mut conn).await,
            Queue::Outbox => crud::outgoing::backlog(&mut conn).await,
            Queue::Jobs => crud::job::backlog(&mut conn).await,
        };
        if let Ok((waiting, oldest)) = backlog {
            let age = oldest.and_then(|at| now.since(at).to_std().ok()).unwrap_or_default();
            app.metrics().backlog(queue, waiting, age);
        }
    }
}

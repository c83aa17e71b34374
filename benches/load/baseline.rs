//! What everybody writes first: check the secret, parse, and one transaction per update with a user and an audit row.
//! A process of its own, as the server is.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing::post};
use serde::Deserialize;
use sqlx::MySqlPool;
use sqlx::mysql::MySqlPoolOptions;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use crate::world::{CONNECTIONS, SECRET};

#[derive(Deserialize)]
struct Update {
    update_id: i64,
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    from: Person,
    text: String,
}

#[derive(Deserialize)]
struct Person {
    id: i64,
    first_name: String,
    language_code: String,
}

/// Serves until it is killed; prints its address.
pub async fn serve(database_url: &str) -> anyhow::Result<()> {
    let pool = MySqlPoolOptions::new().max_connections(CONNECTIONS).connect(database_url).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let router = Router::new().route("/telegram/client", post(receive)).with_state(pool);
    Ok(axum::serve(listener, router).await?)
}

async fn receive(State(pool): State<MySqlPool>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let secret = headers.get("x-telegram-bot-api-secret-token").map_or(&b""[..], |value| value.as_bytes());
    if !bool::from(secret.ct_eq(SECRET.as_bytes())) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(update) = serde_json::from_slice::<Update>(&body) else { return StatusCode::BAD_REQUEST };
    match store(&pool, &update).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn store(pool: &MySqlPool, update: &Update) -> sqlx::Result<()> {
    let from = &update.message.from;
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "INSERT INTO users (id, first_name, language, status, created_at, last_seen_at) \
         VALUES (?, ?, ?, 'active', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)) \
         ON DUPLICATE KEY UPDATE first_name = VALUES(first_name), last_seen_at = VALUES(last_seen_at)",
    )
    .bind(from.id)
    .bind(&from.first_name)
    .bind(&from.language_code)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "INSERT INTO audit_logs (user_id, action, target, details, created_at) \
         VALUES (?, 'update', ?, ?, UTC_TIMESTAMP(6))",
    )
    .bind(from.id)
    .bind(format!("update:{}", update.update_id))
    .bind(serde_json::json!({ "text": update.message.text }).to_string())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

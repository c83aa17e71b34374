//! Units of work over a database of the test's own: rules are called as the server calls them, and what they queued
//! and noted is read back.

use std::ops::Deref;
use std::sync::Arc;

use scoped_futures::ScopedFutureExt;
use serde::Serialize;
use usipipo::clock::Clock;
use usipipo::config::Config;
use usipipo::crud;
use usipipo::db::Db;
use usipipo::ids::{ChatId, UserId};
use usipipo::models::audit::{Actor, AuditEntry};
use usipipo::models::notice::Notice;
use usipipo::models::outgoing::Body;
use usipipo::models::user::User;
use usipipo::services::people::{self, Sender};
use usipipo::telemetry::metrics::Metrics;
use usipipo::work::{Origin, Work, Works};

use super::db::TestDb;

/// Named in `SUPERADMIN_TELEGRAM_IDS`.
pub const SUPERADMIN: UserId = UserId(1);
/// Named in `ADMIN_TELEGRAM_IDS`.
pub const ADMIN: UserId = UserId(2);

/// [`Works`] as the server has them, with the database they stand on.
pub struct TestWorks {
    works: Works,
    pub db: TestDb,
}

impl Deref for TestWorks {
    type Target = Works;
    fn deref(&self) -> &Works {
        &self.works
    }
}

impl TestWorks {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With variables set otherwise than [`config`] sets them.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let db = TestDb::new().await;
        let url = db.url().to_owned();
        Self::on(db, &url, variables)
    }

    /// On a database of somebody's own, by an address of it.
    pub fn on(db: TestDb, url: &str, variables: &[(&str, &str)]) -> Self {
        let config = Arc::new(config(url, variables));
        let pool = Db::open(url, 20).unwrap();
        let (clock, wakers, metrics) = (Clock::default(), Arc::default(), Metrics::default());
        let works = Works { db: pool, clock, config, wakers, metrics };
        Self { works, db }
    }

    /// A person who has written to the bot.
    pub async fn person(&self, id: i64) -> User {
        let sender = sender(id);
        let touch = self.run("touch", Origin::SYSTEM, |work| people::touch(work, &sender).scope_boxed());
        touch.await.unwrap().0
    }

    /// Everything queued for a chat, in order.
    pub async fn sent_to(&self, chat: impl Into<ChatId>) -> Vec<Body> {
        let bodies: Vec<String> =
            sqlx::query_scalar("SELECT body FROM outbound_messages WHERE chat_id = ? ORDER BY id")
                .bind(chat.into())
                .fetch_all(&self.db.pool)
                .await
                .unwrap();
        bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// What a person is told, in order.
    pub async fn notices_to(&self, user: UserId) -> Vec<Notice> {
        let notice = |body| match body {
            Body::Notice { notice, .. } => Some(notice),
            _ => None,
        };
        self.sent_to(user).await.into_iter().filter_map(notice).collect()
    }

    /// The audit rows of one action, oldest first.
    pub async fn audited(&self, action: &str) -> Vec<AuditEntry> {
        let mut conn = self.db.pool.acquire().await.unwrap();
        let mut rows = crud::audit::list(&mut conn, None, 0, 1000).await.unwrap();
        rows.retain(|row| row.action == action);
        rows.reverse();
        rows
    }
}

/// Somebody with a plain name, who speaks Spanish.
pub fn sender(id: i64) -> Sender {
    Sender {
        id: UserId(id),
        username: Some(format!("person_{id}")),
        first_name: "Ana".to_owned(),
        last_name: None,
        language_code: Some("es".to_owned()),
    }
}

/// An audit row of the test's own, in the name of whoever acts: an effect that can be counted.
pub async fn mark(
    work: &mut Work,
    action: &str,
    target: Option<&str>,
    details: impl Serialize,
) -> sqlx::Result<()> {
    let details = serde_json::to_string(&details).unwrap();
    let (actor, cause, now) = (work.actor().user_id(), work.cause(), work.now());
    crud::audit::insert(work.conn(), actor, action, target, &details, cause, now).await
}

/// A person acts, caused by no event.
pub fn by(user: UserId) -> Origin {
    Origin { actor: Actor::User(user), cause: None }
}

/// The least that must be set, with [`SUPERADMIN`] and [`ADMIN`], and `variables` over it.
pub fn config(database_url: &str, variables: &[(&str, &str)]) -> Config {
    let least = |name: &str| match name {
        "PUBLIC_URL" => Some("https://vpn.example.com".to_owned()),
        "DATABASE_URL" => Some(database_url.to_owned()),
        "CLIENT_BOT_TOKEN" => Some(format!("1001:{}", "c".repeat(35))),
        "TELEGRAM_WEBHOOK_SECRET" => Some("0123456789abcdef".to_owned()),
        "SUPERADMIN_TELEGRAM_IDS" => Some(SUPERADMIN.to_string()),
        "ADMIN_TELEGRAM_IDS" => Some(ADMIN.to_string()),
        "ENCRYPTION_KEYS" => Some(format!("k1:{}=", "A".repeat(43))),
        _ => None,
    };
    let lookup = |name: &str| match variables.iter().find(|(set, _)| *set == name) {
        Some((_, value)) => Some((*value).to_owned()),
        None => least(name),
    };
    Config::from_lookup(&lookup).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_unit_of_work_did_can_be_read_back() {
        let test = TestWorks::with(&[("TRIAL_DAYS", "3")]).await;
        assert_eq!(test.config.access.trial_days, 3);
        let notice = Notice::Trouble { reference: "r1".into() };
        let run = test.run::<_, sqlx::Error, _>("tell", by(ADMIN), |work| {
            async move {
                work.notify(UserId(42), Notice::Trouble { reference: "r1".into() });
                mark(work, "told", Some("user:42"), ()).await
            }
            .scope_boxed()
        });
        run.await.unwrap();
        assert_eq!(test.notices_to(UserId(42)).await, [notice]);
        assert_eq!(test.audited("told").await[0].user_id, Some(ADMIN));
        assert!(TestWorks::new().await.audited("told").await.is_empty());
    }
}

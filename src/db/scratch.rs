//! A database that is there for a while, beside another one.

use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};
use uuid::Uuid;

/// A new, empty database on the server of another one. [`Scratch::drop`] has to be called at the end.
pub struct Scratch {
    name: String,
    url: Url,
    server: Url,
}

impl Scratch {
    pub async fn create(beside: &Url) -> sqlx::Result<Self> {
        let name = format!("scratch_{}", Uuid::now_v7().simple());
        let (mut server, mut url) = (beside.clone(), beside.clone());
        server.set_path("");
        url.set_path(&name);
        run(&server, format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await?;
        Ok(Self { name, url, server })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// For DATABASE_URL.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    pub async fn drop(self) -> sqlx::Result<()> {
        run(&self.server, format!("DROP DATABASE {}", self.name)).await
    }
}

/// The only variable part is the name, which was made here.
async fn run(server: &Url, statement: String) -> sqlx::Result<()> {
    let mut conn = MySqlConnection::connect(server.as_str()).await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut conn).await?;
    conn.close().await
}

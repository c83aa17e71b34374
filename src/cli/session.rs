//! What most commands stand on: the configuration, and a database that answers and has today's tables.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scoped_futures::ScopedBoxFuture;
use secrecy::ExposeSecret;

use super::Failure;
use crate::clock::Clock;
use crate::config::{Config, DatabaseConfig};
use crate::db::{Db, migrate, probe};
use crate::ids::time_ordered;
use crate::models::audit::Actor;
use crate::telemetry::metrics::Metrics;
use crate::work::{Origin, Work, Works};

/// How long the database may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sets what `.env` in the working directory says and the environment does not.
pub fn read_dotenv() -> Result<(), Failure> {
    let path = Path::new(".env");
    match dotenvy::from_path(path) {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The line itself may hold a secret.
        Err(dotenvy::Error::LineParse(line, _)) => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let number = text.lines().position(|found| found.trim() == line.trim()).map_or(0, |at| at + 1);
            let expected = "NAME=value, quoted where the value holds blanks, is expected";
            Err(Failure::Input(format!(".env, line {number}: {expected}")))
        }
        Err(error) => Err(Failure::Failed(format!(".env cannot be read: {error}"))),
    }
}

/// A connection of its own: its error says what is wrong, where a pool's would say that it waited.
pub async fn connect(config: &DatabaseConfig) -> Result<sqlx::MySqlConnection, Failure> {
    let connecting = probe::connect(config.url.expose_secret());
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(conn)) => Ok(conn),
        Ok(Err(error)) => {
            Err(Failure::Failed(format!("the database of DATABASE_URL is not usable: {error}")))
        }
        Err(_) => Err(Failure::Failed("the database of DATABASE_URL does not answer".to_owned())),
    }
}

/// Opens units of work for a command.
pub struct Session {
    pub works: Works,
    /// This run of a command, as the audit names it.
    origin: Origin,
}

impl Session {
    /// Reads the whole configuration and looks at the database.
    pub async fn open() -> Result<Self, Failure> {
        let config = Config::from_env()?;
        let mut conn = connect(&config.database).await?;
        match migrate::pending(&mut conn).await.map_err(Failure::refused)? {
            0 => {}
            missing => {
                let text = format!("the database lacks {missing} migrations; run `usipipo migrate` first");
                return Err(Failure::Failed(text));
            }
        }
        let db = Db::open(config.database.url.expose_secret(), config.database.max_connections);
        let db = db.map_err(Failure::refused)?;
        db.find_node().await;
        let (clock, wakers, metrics) = (Clock::default(), Arc::default(), Metrics::default());
        let works = Works { db, clock, config: Arc::new(config), wakers, metrics };
        let origin = Origin::new(Actor::System, time_ordered());
        Ok(Self { works, origin })
    }

    /// Runs a unit of work as SYSTEM.
    pub async fn run<'a, T, E, F>(&self, name: &'static str, body: F) -> Result<T, Failure>
    where
        F: for<'r> Fn(&'r mut Work) -> ScopedBoxFuture<'a, 'r, Result<T, E>> + Send + Sync + 'a,
        E: From<sqlx::Error> + std::error::Error + Send + 'static,
        T: Send + 'a,
    {
        self.works.run(name, self.origin, body).await.map_err(Failure::refused)
    }
}

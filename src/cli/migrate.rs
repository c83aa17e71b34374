//! `usipipo migrate`.

use std::process::ExitCode;

use secrecy::ExposeSecret;

use super::{Failure, Outcome, out, session};
use crate::config::DatabaseConfig;
use crate::db::{Db, migrate};

/// Create the tables, or bring them up to date.
///
/// Needs only DATABASE_URL. May run while servers run, from several machines at once, and again after it was killed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo migrate
  DATABASE_URL=mysql://usipipo:secret@localhost/usipipo usipipo migrate")]
pub struct Args {}

impl Args {
    pub async fn run(self) -> Outcome {
        let config = DatabaseConfig::from_env()?;
        let mut conn = session::connect(&config).await?;
        let missing = migrate::pending(&mut conn).await.map_err(Failure::refused)?;
        let db = Db::open(config.url.expose_secret(), config.max_connections).map_err(Failure::refused)?;
        migrate::run(&db).await.map_err(|error| Failure::Failed(error.to_string()))?;
        out::line(match missing {
            0 => "The database is up to date.".to_owned(),
            missing => format!("The database is up to date; {missing} migrations were missing."),
        });
        Ok(ExitCode::SUCCESS)
    }
}

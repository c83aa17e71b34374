//! `usipipo jobs`: work that waits, or was given up.

use std::process::ExitCode;

use clap::Subcommand;
use scoped_futures::ScopedFutureExt;

use super::events::statuses;
use super::out::{self, Table, or_dash};
use super::session::Session;
use super::{Failure, Outcome};
use crate::ids::JobId;
use crate::models::event::QueueStatus;
use crate::services::queue;

/// Look at the work that is done in the background, and have it tried again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo jobs list
  usipipo jobs retry 019a6f7e-0c3b-7d11-8a52-3c1f0e5b9a77")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List jobs, the newest first.
    #[command(after_help = "\
Examples:
  usipipo jobs list
  usipipo jobs list --status pending")]
    List {
        /// dead: given up after many tries
        #[arg(long, default_value = "dead", value_parser = statuses(&["dead", "pending", "done"]))]
        status: QueueStatus,
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// Run a dead job again.
    #[command(after_help = "\
Example:
  usipipo jobs retry 019a6f7e-0c3b-7d11-8a52-3c1f0e5b9a77")]
    Retry {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<JobId>,
    },
}

impl Args {
    pub async fn run(self) -> Outcome {
        let session = Session::open().await?;
        match self.action {
            Action::List { status, limit } => list(&session, status, limit).await?,
            Action::Retry { ids } => {
                for id in ids {
                    let job = session.run("retry_job", |work| queue::retry(work, id).scope_boxed()).await?;
                    out::line(format_args!("{id} ({}, {}) runs again", job.kind, job.lane));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(session: &Session, status: QueueStatus, limit: u32) -> Result<(), Failure> {
    let jobs = session.run("list_jobs", |work| queue::jobs(work, status, limit).scope_boxed()).await?;
    let mut table = Table::new(["ID", "QUEUED", "KIND", "ABOUT", "RUNS", "LAST ERROR"]);
    for job in jobs {
        table.row([
            job.id.to_string(),
            job.created_at.to_string(),
            job.kind,
            job.lane,
            job.attempts.to_string(),
            or_dash(job.error),
        ]);
    }
    table.print(&format!("No {status} jobs."));
    Ok(())
}

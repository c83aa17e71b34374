//! `usipipo demo`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use reqwest::Url;

use super::serve::Signals;
use super::{Failure, Outcome, out};
use crate::db::scratch::Scratch;
use crate::demo::smoke;
use crate::demo::stage::{Options, Stage, StageError, people};

/// Run the whole thing on this machine: the real server between local counterparts of Telegram, QvaPay and Outline.
///
/// Prints an address; the page there is a chat in the browser. Needs no account, no token and no domain. `make demo` starts
/// it with a database of its own; by hand, DATABASE_URL names one that holds nothing else. The rest of the environment
/// and .env are not looked at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  make demo
  make demo ARGS='--port 9000'
  make smoke")]
pub struct Args {
    /// Play the whole story without a browser, print it as a chat, and fail at the first thing that is wrong; in a
    /// database of its own beside that of DATABASE_URL, which is dropped at the end
    #[arg(long)]
    smoke: bool,
    /// Port of the page; the next two are the server's and QvaPay's, and free ones stand in for those that are taken.
    /// 0 takes free ones
    #[arg(long, default_value_t = 8100, conflicts_with = "smoke")]
    port: u16,
    /// Where the VPN backends keep what they have
    #[arg(long, default_value = "var/demo", value_name = "FOLDER")]
    folder: PathBuf,
    #[arg(long, env = "DATABASE_URL", hide = true, hide_env_values = true)]
    database_url: Option<String>,
}

impl Args {
    pub async fn run(self) -> Outcome {
        let database_url = self.database_url.as_deref().filter(|url| !url.is_empty()).ok_or_else(|| {
            Failure::Input("DATABASE_URL is not set; `make demo` brings a database along".to_owned())
        })?;
        match self.smoke {
            true => play(database_url).await,
            false => show(database_url, self.port, &self.folder).await,
        }
    }
}

fn failed(error: StageError) -> Failure {
    match error {
        StageError::RealHouse(_) | StageError::Config(_) => Failure::Input(error.to_string()),
        _ => Failure::Failed(error.to_string()),
    }
}

async fn show(database_url: &str, port: u16, folder: &Path) -> Outcome {
    let mut signals = Signals::listen()?;
    let options = Options {
        database_url: database_url.to_owned(),
        folder: folder.to_owned(),
        port: Some(port).filter(|port| *port > 0),
        people: people(),
        patience: Duration::from_secs(30),
    };
    let stage = tokio::select! {
        stage = Stage::start(options) => stage.map_err(failed)?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    welcome(&stage);
    signals.next().await;
    tokio::select! {
        () = stage.stop() => Ok(ExitCode::SUCCESS),
        () = signals.next() => Ok(ExitCode::FAILURE),
    }
}

fn welcome(stage: &Stage) {
    out::line(format_args!("\nuSipipo is running. Open this page:\n\n    {}/\n", stage.telegram.url()));
    out::line(
        "It is Telegram as Ana, Ben and Мила see it, and Olga, who owns the place. Press Start, take the trial,",
    );
    out::line("buy a plan, turn the clock forward. The server behind it is the real one.\n");
    for server in &stage.servers {
        out::line(format_args!("    {:<10} {}", server.protocol.title(), out::printable(&server.detail)));
    }
    out::line(format_args!("    {:<10} {}", "QvaPay", stage.qvapay.base_url()));
    out::line(format_args!("    {:<10} http://{}/health", "server", stage.address()));
    out::line("\nCtrl-C stops everything.");
}

async fn play(database_url: &str) -> Outcome {
    let mut signals = Signals::listen()?;
    let url: Url =
        database_url.parse().map_err(|_| Failure::Input("DATABASE_URL is no address".to_owned()))?;
    let scratch = Scratch::create(&url).await.map_err(|error| {
        Failure::Failed(format!("no database can be made beside the one of DATABASE_URL: {error}"))
    })?;
    let folder = std::env::temp_dir().join(scratch.name());
    let played = tokio::select! {
        played = play_in(scratch.url(), &folder) => played,
        () = signals.next() => Err(Failure::Failed("stopped".to_owned())),
    };
    let _ = std::fs::remove_dir_all(&folder);
    scratch.drop().await.map_err(Failure::refused)?;
    played.map(|()| ExitCode::SUCCESS)
}

async fn play_in(database_url: &str, folder: &Path) -> Result<(), Failure> {
    let options = Options {
        database_url: database_url.to_owned(),
        folder: folder.to_owned(),
        port: None,
        people: people(),
        patience: Duration::from_secs(30),
    };
    let stage = Stage::start(options).await.map_err(failed)?;
    for server in &stage.servers {
        out::line(format_args!("{}: {}", server.protocol.title(), out::printable(&server.detail)));
    }
    let played = smoke::play(&stage, |line| out::line(line)).await;
    stage.stop().await;
    match played {
        Ok(()) => {
            out::line("\n✓ Everything went as it should.");
            Ok(())
        }
        Err(wrong) => Err(Failure::Failed(format!("✗ {wrong}"))),
    }
}

//! `usipipo serve`.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, Outcome, out};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;

/// Run the server until SIGTERM or Ctrl-C.
///
/// Brings the tables up to date, sets the webhooks and the commands of the bots, and works. On SIGTERM it refuses new
/// work, ends or hands back what runs, and exits with 0; a second signal ends it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo serve
  LOG_FORMAT=pretty RUST_LOG=info,usipipo=debug usipipo serve")]
pub struct Args {}

impl Args {
    pub async fn run(self) -> Outcome {
        let app = App::build(Config::from_env()?, Clock::default()).map_err(failed)?;
        let mut signals = Signals::listen()?;
        let running = tokio::select! {
            running = app.start() => running.map_err(failed)?,
            () = signals.next() => return Ok(ExitCode::SUCCESS),
        };
        signals.next().await;
        tracing::info!("stopping");
        tokio::select! {
            () = running.stop() => Ok(ExitCode::SUCCESS),
            () = signals.next() => {
                out::complain(&"stopped at once; others take over what it was doing");
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

/// The ways in which a process is asked to end.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub fn listen() -> Result<Self, Failure> {
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt()).map_err(failed)? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

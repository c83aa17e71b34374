//! The command line: one more entrance to the services, beside the bots and the routes. Each command is a file;
//! it acts as SYSTEM, so that what it changes is audited like everything else. No business rule and no SQL here.

mod demo;
mod doctor;
mod events;
mod jobs;
mod keys;
mod migrate;
mod out;
mod plan;
mod serve;
mod server;
mod session;
mod user;
mod webhook;

use std::error::Error as StdError;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{ConfigError, LogFormat, LoggingConfig};
use crate::{db, fault, telemetry};

/// uSipipo: Telegram bots that sell, deliver and look after VPN access.
#[derive(Debug, Parser)]
#[command(name = "usipipo", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
The configuration comes from the environment, and from the file .env in the working directory if
there is one; .env.example lists all of it.

Exit codes: 0 done, 1 it did not work, 2 wrong input or configuration.

Examples:
  usipipo migrate              create or update the tables
  usipipo doctor               check everything, say what to mend
  usipipo serve                run the server";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Migrate(migrate::Args),
    Demo(demo::Args),
    Doctor(doctor::Args),
    Webhook(webhook::Args),
    Server(server::Args),
    Plan(plan::Args),
    User(user::Args),
    Events(events::Args),
    Jobs(jobs::Args),
    Keys(keys::Args),
}

/// Why a command ended early, as it is shown.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// What was asked or configured cannot be: exit code 2.
    #[error("{0}")]
    Input(String),
    /// It was right, and did not work: exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// What a service refused. Behind a database that failed there is nothing wrong with the input.
    fn refused(error: impl StdError + 'static) -> Self {
        let text = error.to_string();
        if db::is_behind(&error) { Failure::Failed(text) } else { Failure::Input(text) }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Input(_) => ExitCode::from(2),
            Failure::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::Input(error.to_string())
    }
}

/// How a command that was understood ended; `Ok(FAILURE)` has said all there is to say.
type Outcome = Result<ExitCode, Failure>;

/// Runs the program.
pub fn run() -> ExitCode {
    let command = Cli::parse().command;
    command.run().unwrap_or_else(|failure| {
        out::complain(&failure);
        failure.exit_code()
    })
}

impl Command {
    fn run(self) -> Outcome {
        // Before any thread is there to read the environment. What stands in .env is a real house's.
        if !matches!(self, Command::Demo(_)) {
            session::read_dotenv()?;
        }
        telemetry::init(&self.logging()?);
        fault::arm();
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::Failed(format!("the system gives no threads: {error}")))?;
        runtime.block_on(async {
            match self {
                Command::Serve(args) => args.run().await,
                Command::Migrate(args) => args.run().await,
                Command::Demo(args) => args.run().await,
                Command::Doctor(args) => args.run().await,
                Command::Webhook(args) => args.run().await,
                Command::Server(args) => args.run().await,
                Command::Plan(args) => args.run().await,
                Command::User(args) => args.run().await,
                Command::Events(args) => args.run().await,
                Command::Jobs(args) => args.run().await,
                Command::Keys(args) => args.run().await,
            }
        })
    }

    /// The server logs as configured; other commands speak for themselves and log only what went wrong inside.
    fn logging(&self) -> Result<LoggingConfig, ConfigError> {
        match self {
            // What is wrong with the rest of the configuration is told together with this.
            Command::Serve(_) => Ok(LoggingConfig::from_env().unwrap_or_else(|_| quiet())),
            _ if std::env::var_os("RUST_LOG").is_some() => {
                Ok(LoggingConfig { format: LogFormat::Pretty, ..LoggingConfig::from_env()? })
            }
            _ => Ok(quiet()),
        }
    }
}

fn quiet() -> LoggingConfig {
    LoggingConfig { format: LogFormat::Pretty, filter: "error".to_owned() }
}

//! `usipipo keys`: the keys that stored secrets are encrypted with.

use std::process::ExitCode;

use clap::Subcommand;
use scoped_futures::ScopedFutureExt;
use secrecy::ExposeSecret;

use super::session::Session;
use super::{Failure, Outcome, out};
use crate::clock::Clock;
use crate::crypto;
use crate::services::keys::{self, SecretKind};

/// Make and rotate the keys that VPN secrets are stored under.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo keys new
  usipipo keys rotate")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print a fresh entry for ENCRYPTION_KEYS.
    ///
    /// The entry goes to standard output and nowhere else. Keep a copy apart from the database's backups: without it
    /// no stored VPN key can be read.
    #[command(after_help = "\
Examples:
  usipipo keys new
  usipipo keys new --id k2")]
    New {
        /// Name of the key, stored beside what it encrypts [default: k and today's date]
        #[arg(long)]
        id: Option<String>,
    },
    /// Encrypt every stored secret anew under the first key of ENCRYPTION_KEYS.
    ///
    /// In small batches, while the server runs. It may be stopped and started again at any time, and a second run changes
    /// nothing. Every copy of the server must know the new key before, be it first or not.
    #[command(after_help = "\
Examples:
  ENCRYPTION_KEYS=k2:NEW,k1:OLD usipipo keys rotate

Then take the old key out of ENCRYPTION_KEYS and restart.")]
    Rotate,
}

impl Args {
    pub async fn run(self) -> Outcome {
        match self.action {
            Action::New { id } => new(id),
            Action::Rotate => rotate().await,
        }
    }
}

fn new(id: Option<String>) -> Outcome {
    let id = id.unwrap_or_else(|| format!("k{}", Clock::default().now().utc().format("%Y%m%d")));
    let entry = crypto::generate_key_entry(&id);
    crypto::Keyring::parse(entry.expose_secret())
        .map_err(|_| Failure::Input(format!("{id:?} is no id: 1 to 32 of A-Z a-z 0-9 _ -, such as k2")))?;
    out::line(entry.expose_secret());
    Ok(ExitCode::SUCCESS)
}

async fn rotate() -> Outcome {
    let session = Session::open().await?;
    let mut failed = 0;
    for kind in SecretKind::ALL {
        failed += rotate_kind(&session, kind).await?;
    }
    if failed > 0 {
        return Err(Failure::Failed(format!(
            "{failed} secrets do not open and stay as they are; is a key missing in ENCRYPTION_KEYS?"
        )));
    }
    let current = session.works.config.keyring.current_key_id();
    out::line(format_args!("Every stored secret is under the key {current}; older keys can go."));
    Ok(ExitCode::SUCCESS)
}

/// Walks all secrets of a kind; answers with how many do not open.
async fn rotate_kind(session: &Session, kind: SecretKind) -> Result<usize, Failure> {
    let (mut after, mut resealed, mut failed) = (0, 0, 0);
    loop {
        let batch =
            session.run("rotate_keys", |work| keys::rotate_batch(work, kind, after).scope_boxed()).await?;
        let Some(last) = batch.last else { break };
        after = last;
        resealed += batch.resealed;
        failed += batch.unreadable.len();
        for (name, error) in batch.unreadable {
            out::complain(&format_args!("{name}: {error}"));
        }
        out::line(format_args!("{}: {resealed} encrypted anew", kind.title()));
    }
    if resealed == 0 && failed == 0 {
        out::line(format_args!("{}: nothing to do", kind.title()));
    }
    Ok(failed)
}

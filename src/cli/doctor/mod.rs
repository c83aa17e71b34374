//! `usipipo doctor`: looks at everything that the server depends on, and says what to mend. Each check has a limit of
//! its own, so that one silent peer does not keep the others from being looked at.

mod bots;
mod clock;
mod database;
mod foundations;
mod invariants;
mod report;

use std::process::ExitCode;

use secrecy::ExposeSecret;

use super::{Failure, Outcome, out};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, DatabaseConfig};
use report::{Finding, Report};

/// Check everything: configuration, database, clock, bots, webhooks, VPN servers, payment providers, queues.
///
/// Every line says ✓ (good), ! (worth a look) or ✗ (to be mended), and what to do. Exit code 1 if there is a ✗. Run it as
/// the user that the server runs as, with the same environment. Changes nothing, apart from a table that it makes and drops
/// to try its rights, and WireGuard interfaces, which are brought up as `serve` would.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo doctor
  usipipo doctor --invariants      also the books: money, access, addresses, queues, servers
  usipipo-run doctor               as the service runs, see docs/deploying.md")]
pub struct Args {
    /// Also check what must hold over the whole database and at the VPN servers: every payment has exactly one effect,
    /// nothing is lost or leased twice, servers hold what the database says. Reads much; changes nothing.
    #[arg(long)]
    invariants: bool,
}

impl Args {
    pub async fn run(self) -> Outcome {
        let mut report = Report::default();
        match Config::from_env() {
            Ok(config) => self.examine(config, &mut report).await?,
            Err(error) => {
                for problem in &error.problems {
                    report.note(Finding::bad(
                        "configuration",
                        problem,
                        "correct it in the environment or in .env",
                    ));
                }
                // The database may be looked at all the same.
                if let Ok(database) = DatabaseConfig::from_env() {
                    report.extend(database::check(database.url.expose_secret(), &Clock::default()).await);
                }
            }
        }
        out::line(report.verdict());
        Ok(if report.is_bad() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn examine(&self, config: Config, report: &mut Report) -> Result<(), Failure> {
        report.note(Finding::good("configuration", "complete"));
        let clock = Clock::default();
        let usable = database::check(config.database.url.expose_secret(), &clock).await;
        let has_tables = database::has_tables(&usable);
        report.extend(usable);
        let app = App::build(config, clock).map_err(|error| Failure::Failed(error.to_string()))?;
        report.extend(clock::check(&app).await);
        report.extend(bots::check(&app).await);
        report.extend(foundations::providers(&app).await);
        report.note(foundations::support(&app));
        if has_tables {
            report.extend(foundations::servers(&app).await);
            report.extend(foundations::secrets(&app).await);
            report.extend(foundations::queues(&app).await);
        }
        if has_tables && self.invariants {
            report.extend(invariants::check(&app).await);
        }
        Ok(())
    }
}

//! `usipipo events`: deliveries of Telegram and the payment providers, as they were stored.

use std::process::ExitCode;

use clap::{Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};
use scoped_futures::ScopedFutureExt;

use super::out::{self, Table, or_dash};
use super::session::Session;
use super::{Failure, Outcome};
use crate::ids::EventId;
use crate::models::event::{InboundEvent, QueueStatus};
use crate::services::queue;

/// Look at stored deliveries, and have them handled again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo events list
  usipipo events replay 019a6f7e-0c3b-7d11-8a52-3c1f0e5b9a77")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries, the newest first.
    #[command(after_help = "\
Examples:
  usipipo events list
  usipipo events list --status done --limit 100")]
    List {
        /// dead: could not be understood or handled
        #[arg(long, default_value = "dead", value_parser = statuses(&["dead", "pending", "done"]))]
        status: QueueStatus,
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// Show a delivery with its whole body.
    #[command(after_help = "\
Example:
  usipipo events show 019a6f7e-0c3b-7d11-8a52-3c1f0e5b9a77")]
    Show { id: EventId },
    /// Handle a dead or past delivery again.
    ///
    /// It takes its turn in its chat, as if it came now. Money, access and roles are counted once, however often: a payment
    /// that was credited buys nothing more. Anything else happens again: the bot answers again, and a pressed "buy" makes
    /// another order, which costs nothing while nobody pays it.
    #[command(after_help = "\
Example:
  usipipo events replay 019a6f7e-0c3b-7d11-8a52-3c1f0e5b9a77")]
    Replay {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<EventId>,
    },
}

/// Takes some of the statuses.
pub fn statuses(names: &'static [&'static str]) -> impl TypedValueParser<Value = QueueStatus> {
    PossibleValuesParser::new(names).try_map(|name| name.parse::<QueueStatus>())
}

impl Args {
    pub async fn run(self) -> Outcome {
        let session = Session::open().await?;
        match self.action {
            Action::List { status, limit } => list(&session, status, limit).await?,
            Action::Show { id } => {
                show(&session.run("show_event", |work| queue::event(work, id).scope_boxed()).await?);
            }
            Action::Replay { ids } => {
                for id in ids {
                    let event =
                        session.run("replay_event", |work| queue::replay(work, id).scope_boxed()).await?;
                    out::line(format_args!(
                        "{id} ({}, it was {}) is handled again",
                        event.source, event.status
                    ));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(session: &Session, status: QueueStatus, limit: u32) -> Result<(), Failure> {
    let events = session.run("list_events", |work| queue::events(work, status, limit).scope_boxed()).await?;
    let mut table = Table::new(["ID", "RECEIVED", "SOURCE", "ATTEMPTS", "REASON"]);
    for event in events {
        table.row([
            event.id.to_string(),
            event.received_at.to_string(),
            event.source.to_string(),
            event.attempts.to_string(),
            or_dash(event.error),
        ]);
    }
    table.print(&format!("No {status} events."));
    Ok(())
}

fn show(event: &InboundEvent) {
    let mut table = Table::new(["EVENT", &event.id.to_string()]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("source", event.source.to_string());
    row("key", event.dedupe_key.clone());
    row("lane", event.lane.clone());
    row("status", event.status.to_string());
    row("attempts", event.attempts.to_string());
    row("reason", or_dash(event.error.as_ref()));
    row("received", event.received_at.to_string());
    row("done", or_dash(event.done_at));
    row("context", event.context.clone());
    table.print("");
    out::line("");
    out::line(body(&event.body, event.status));
}

/// A body for reading: JSON on many lines, anything else as it came, without control characters. What is dead stays as
/// it came too: reading could hide what is wrong with it, such as a key that is there twice.
fn body(bytes: &[u8], status: QueueStatus) -> String {
    let text = match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(json) if status != QueueStatus::Dead => format!("{json:#}"),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    text.lines().map(out::printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{QueueStatus, body};

    #[test]
    fn a_body_is_shown_for_reading() {
        assert_eq!(body(br#"{"update_id":1}"#, QueueStatus::Done), "{\n  \"update_id\": 1\n}");
        assert_eq!(body(b"{\"a\":\x1b[31m\xff", QueueStatus::Done), "{\"a\": [31m\u{fffd}");
        assert_eq!(body(br#"{"a":1,"a":2}"#, QueueStatus::Dead), r#"{"a":1,"a":2}"#);
    }
}

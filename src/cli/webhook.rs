//! `usipipo webhook`: where Telegram delivers to.

use std::process::ExitCode;

use clap::{Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};

use super::out::{self, Table, or_dash};
use super::session::Session;
use super::{Failure, Outcome};
use crate::clock::Timestamp;
use crate::handlers::bots::setup;
use crate::integrations::telegram::api::{self, Telegram};
use crate::models::bot::Bot;

/// Set, delete or look at the webhooks. `serve` sets them by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo webhook info
  usipipo webhook set client")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Point the bots at PUBLIC_URL, with the first TELEGRAM_WEBHOOK_SECRET.
    #[command(after_help = "\
Examples:
  usipipo webhook set            every bot that has a token
  usipipo webhook set client")]
    Set(Which),
    /// Take the webhooks away; updates wait at Telegram, up to 24 hours.
    #[command(after_help = "\
Example:
  usipipo webhook delete support")]
    Delete(Which),
    /// Show where updates go, how many wait, and what went wrong last.
    #[command(after_help = "\
Example:
  usipipo webhook info")]
    Info(Which),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// [default: every bot that has a token]
    #[arg(value_parser = bots())]
    bot: Option<Bot>,
}

fn bots() -> impl TypedValueParser<Value = Bot> {
    PossibleValuesParser::new(Bot::ALL.iter().map(|bot| bot.as_str())).try_map(|name| name.parse::<Bot>())
}

impl Args {
    pub async fn run(self) -> Outcome {
        let session = Session::open().await?;
        let (Action::Set(which) | Action::Delete(which) | Action::Info(which)) = &self.action;
        let bots = which.bots(&session)?;
        match self.action {
            Action::Set(_) => {
                for bot in &bots {
                    setup::webhook_set(&session.works, bot).await.map_err(|error| failed(bot, error))?;
                    let url = session.works.config.server.public_address(&format!("/telegram/{}", bot.bot()));
                    out::line(format_args!("{}: {url}", bot.bot()));
                }
            }
            Action::Delete(_) => {
                for bot in &bots {
                    setup::webhook_delete(&session.works, bot).await.map_err(|error| failed(bot, error))?;
                    out::line(format_args!(
                        "{}: deleted; the next start of `serve` sets it again",
                        bot.bot()
                    ));
                }
            }
            Action::Info(_) => info(&bots).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Which {
    fn bots(&self, session: &Session) -> Result<Vec<Telegram>, Failure> {
        let config = &session.works.config.telegram;
        let http = api::http_client().map_err(|error| Failure::Failed(error.to_string()))?;
        let wanted = config.tokens.iter().filter(|(bot, _)| self.bot.is_none_or(|wanted| wanted == **bot));
        let bots: Vec<Telegram> = wanted
            .map(|(bot, token)| Telegram::new(*bot, token.clone(), config.api_url.as_str(), http.clone()))
            .collect();
        match (self.bot, bots.is_empty()) {
            (Some(bot), true) => Err(Failure::Input(format!("the {bot} bot has no token"))),
            _ => Ok(bots),
        }
    }
}

fn failed(bot: &Telegram, error: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("{} bot: {error}", bot.bot()))
}

async fn info(bots: &[Telegram]) -> Result<(), Failure> {
    let mut table = Table::new(["BOT", "ADDRESS", "WAITING", "CONNECTIONS", "LAST ERROR"]);
    for bot in bots {
        let info = bot.get_webhook_info().await.map_err(|error| failed(bot, error))?;
        let at = info.last_error_date.map(Timestamp::from_unix);
        let error = info.last_error_message.map(|message| format!("{} {message}", or_dash(at)));
        table.row([
            bot.bot().to_string(),
            if info.url.is_empty() { "none is set".to_owned() } else { info.url },
            info.pending_update_count.to_string(),
            or_dash(info.max_connections),
            or_dash(error),
        ]);
    }
    table.print("");
    Ok(())
}

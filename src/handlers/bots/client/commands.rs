//! What each command leads to. A command leaves the question that was open.

use super::steps::{account, admin, configs, menu, orders, trial};
use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::Reply;
use crate::handlers::bots::step::{Step, StepError};
use crate::handlers::bots::talk::Talk;
use crate::integrations::telegram::update::Message;
use crate::models::bot::Bot;
use crate::models::dialog::Dialog;
use crate::services::{access, dialog};

pub(super) async fn command(talk: &mut Talk<'_>, message: &Message) -> Step {
    let left = dialog::leave(talk.work, talk.bot, talk.chat).await?;
    let Some(written) = message.command(talk.bots.usernames.of(Bot::Client)) else {
        return Err(StepError::Tell(Reply::UnknownCommand));
    };
    let Ok(command) = written.name.parse::<Command>() else {
        return Err(StepError::Tell(Reply::UnknownCommand));
    };
    // The services ask again; asked here, even the usage is hidden from those who may not.
    if let Some(permission) = command.permission() {
        access::require(talk.work, permission).await?;
    }
    run(talk, command, &written.args, left).await
}

/// `left` is the question that the command left open.
async fn run(talk: &mut Talk<'_>, command: Command, args: &str, left: Option<Dialog>) -> Step {
    match command {
        Command::Start => menu::start(talk, args).await,
        Command::Vpn => configs::list(talk).await,
        Command::Plans => orders::plans(talk).await,
        Command::Trial => trial::offer(talk).await,
        Command::Profile => account::profile(talk).await,
        Command::Status => menu::status(talk).await,
        Command::Help => menu::help(talk).await,
        Command::Language => menu::languages(talk),
        Command::PaySupport => account::pay_support(talk).await,
        Command::MyLogs => account::logs(talk, 0).await,
        Command::MyRoles => account::roles(talk).await,
        Command::Terms => menu::terms(talk),
        Command::Privacy => menu::privacy(talk),
        Command::Cancel => menu::cancel(talk, left).await,
        Command::Whois => admin::whois_command(talk, args).await,
        Command::Users => admin::users(talk, 0).await,
        Command::Stats => admin::stats(talk).await,
        Command::Audit => admin::audit_command(talk, args).await,
        Command::Refund => admin::refund_command(talk, args).await,
        Command::Reviews => admin::reviews_command(talk, args).await,
        Command::GrantRole => admin::grant_role(talk, args).await,
        Command::RevokeRole => admin::revoke_role(talk, args).await,
        Command::Ban => admin::ban_command(talk, args).await,
        Command::Unban => admin::unban_command(talk, args).await,
    }
}

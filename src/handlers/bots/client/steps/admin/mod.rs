//! What the team does here until the admin bot has work of its own. The services ask who may do what.

mod bans;
mod overview;
mod refunds;
mod reviews;
mod roles;

pub use bans::{ask_ban, ban, ban_command, unban, unban_command};
pub use overview::{audit, audit_command, stats, users, whois, whois_command};
pub use refunds::{ask_refund, refund, refund_command, refunded_by_hand};
pub use reviews::{accept, charge, review, reviews, reviews_command, send_back};
pub use roles::{grant_role, revoke_role};

use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::admin as screens;
use crate::handlers::bots::step::StepError;
use crate::handlers::bots::talk::Talk;
use crate::ids::UserId;
use crate::models::user::User;
use crate::services::access::AccessError;
use crate::services::people;

/// The person named by an id or a @username; None when there is none, and then the reply says so.
async fn known(talk: &mut Talk<'_>, given: &str) -> Result<Option<User>, StepError> {
    let found = people::find(talk.work, given).await?;
    if found.is_none() {
        talk.show(screens::no_such_user(talk.t, given));
    }
    Ok(found)
}

/// As [`known`], by the id of a button.
async fn known_by_id(talk: &mut Talk<'_>, id: UserId) -> Result<User, StepError> {
    let found = people::find(talk.work, &id.to_string()).await?;
    Ok(found.ok_or(AccessError::UnknownUser(id))?)
}

/// As [`known`], for a command that takes nothing but a person; written otherwise, its usage is the reply.
async fn named(talk: &mut Talk<'_>, command: Command, args: &str) -> Result<Option<User>, StepError> {
    if args.is_empty() || args.contains(char::is_whitespace) {
        talk.show(screens::usage(talk.t, command));
        return Ok(None);
    }
    known(talk, args).await
}

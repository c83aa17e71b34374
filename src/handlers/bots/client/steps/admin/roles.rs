//! /grantrole and /revokerole.

use chrono::TimeDelta;

use super::known;
use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::RoleView;
use crate::handlers::bots::screens::admin::{self as screens, RoleChange};
use crate::handlers::bots::step::{Step, StepError};
use crate::handlers::bots::talk::Talk;
use crate::ids::UserId;
use crate::models::role::Role;
use crate::services::access::{self, AccessError};

/// The longest grant that is not for ever: ten years.
const MAX_DAYS: i64 = 3650;

/// `/grantrole <id|@name> <role> [days]`
pub async fn grant_role(talk: &mut Talk<'_>, args: &str) -> Step {
    let words: Vec<&str> = args.split_whitespace().collect();
    let (whom, role, days) = match words[..] {
        [whom, role] => (whom, role, None),
        [whom, role, days] => match days.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days)) {
            Some(days) => (whom, role, Some(TimeDelta::days(days))),
            None => return usage(talk, Command::GrantRole),
        },
        _ => return usage(talk, Command::GrantRole),
    };
    let Some((user, role)) = whom_and_what(talk, whom, role).await? else { return Ok(()) };
    let expires_at = days.map(|days| talk.work.now() + days);
    let done = access::grant_role(talk.work, user, role, expires_at).await;
    let granted = RoleChange::Granted { user, role: RoleView { role, expires_at } };
    show(talk, user, role, done.map(|()| granted))
}

/// `/revokerole <id|@name> <role>`
pub async fn revoke_role(talk: &mut Talk<'_>, args: &str) -> Step {
    let words: Vec<&str> = args.split_whitespace().collect();
    let [whom, role] = words[..] else { return usage(talk, Command::RevokeRole) };
    let Some((user, role)) = whom_and_what(talk, whom, role).await? else { return Ok(()) };
    let done = access::revoke_role(talk.work, user, role).await;
    show(talk, user, role, done.map(|()| RoleChange::Revoked { user, role }))
}

fn usage(talk: &mut Talk<'_>, command: Command) -> Step {
    talk.show(screens::usage(talk.t, command));
    Ok(())
}

/// None when there is no such person or role, and then the reply says so.
async fn whom_and_what(
    talk: &mut Talk<'_>,
    whom: &str,
    role: &str,
) -> Result<Option<(UserId, Role)>, StepError> {
    let named = role.to_ascii_lowercase().parse().ok().filter(|role| *role != Role::User);
    let Some(named) = named else {
        talk.show(screens::role_change(talk.t, &RoleChange::UnknownRole { given: role.to_owned() }));
        return Ok(None);
    };
    Ok(known(talk, whom).await?.map(|user| (user.id, named)))
}

fn show(talk: &mut Talk<'_>, user: UserId, role: Role, done: Result<RoleChange, AccessError>) -> Step {
    let view = match done {
        Ok(change) => change,
        Err(AccessError::NotHeld(_)) => RoleChange::NotHeld { user, role },
        Err(AccessError::FromEnvironment(_)) => RoleChange::Fixed { user },
        Err(AccessError::Oneself | AccessError::Protected | AccessError::AboveOwn(_)) => {
            RoleChange::NotAllowed
        }
        Err(error) => return Err(error.into()),
    };
    talk.show(screens::role_change(talk.t, &view));
    Ok(())
}

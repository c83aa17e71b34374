//! /ban and /unban.

use super::{known_by_id, named};
use crate::handlers::bots::client::views;
use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::admin::{self as screens, BanResult};
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;
use crate::ids::UserId;
use crate::models::role::Permission;
use crate::models::user::{User, UserStatus};
use crate::services::access::{self, AccessError};
use crate::services::people;

pub async fn ban_command(talk: &mut Talk<'_>, args: &str) -> Step {
    let Some(user) = named(talk, Command::Ban, args).await? else { return Ok(()) };
    ask(talk, &user)
}

pub async fn ask_ban(talk: &mut Talk<'_>, id: UserId) -> Step {
    access::require(talk.work, Permission::BanUsers).await?;
    let user = known_by_id(talk, id).await?;
    ask(talk, &user)
}

fn ask(talk: &mut Talk<'_>, user: &User) -> Step {
    let target = views::ban_target(user);
    talk.show(match user.status {
        UserStatus::Banned => screens::ban_result(talk.t, &target, BanResult::Unchanged),
        UserStatus::Active | UserStatus::Blocked => screens::ban_question(talk.t, &target),
    });
    Ok(())
}

pub async fn ban(talk: &mut Talk<'_>, id: UserId) -> Step {
    access::require(talk.work, Permission::BanUsers).await?;
    let user = known_by_id(talk, id).await?;
    let done = people::ban(talk.work, id).await;
    let changed = user.status != UserStatus::Banned;
    show(talk, &user, done, if changed { BanResult::Banned } else { BanResult::Unchanged })
}

pub async fn unban_command(talk: &mut Talk<'_>, args: &str) -> Step {
    match named(talk, Command::Unban, args).await? {
        Some(user) => unban(talk, user.id).await,
        None => Ok(()),
    }
}

pub async fn unban(talk: &mut Talk<'_>, id: UserId) -> Step {
    access::require(talk.work, Permission::BanUsers).await?;
    let user = known_by_id(talk, id).await?;
    let done = people::unban(talk.work, id).await;
    let changed = user.status == UserStatus::Banned;
    show(talk, &user, done, if changed { BanResult::Unbanned } else { BanResult::Unchanged })
}

fn show(talk: &mut Talk<'_>, user: &User, done: Result<(), AccessError>, result: BanResult) -> Step {
    let result = match done {
        Ok(()) => result,
        Err(AccessError::Oneself | AccessError::Protected | AccessError::FromEnvironment(_)) => {
            BanResult::Protected
        }
        Err(error) => return Err(error.into()),
    };
    talk.show(screens::ban_result(talk.t, &views::ban_target(user), result));
    Ok(())
}

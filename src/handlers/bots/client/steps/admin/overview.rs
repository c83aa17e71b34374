//! /users, /whois, /audit and /stats.

use super::{known_by_id, named};
use crate::handlers::bots::client::views;
use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::admin as screens;
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;
use crate::ids::UserId;
use crate::models::user::User;

/// `page` counts from 0.
pub async fn users(talk: &mut Talk<'_>, page: u32) -> Step {
    let view = views::users(talk, page).await?;
    talk.show(screens::users(talk.t, &view));
    Ok(())
}

pub async fn whois_command(talk: &mut Talk<'_>, args: &str) -> Step {
    match named(talk, Command::Whois, args).await? {
        Some(user) => show(talk, user).await,
        None => Ok(()),
    }
}

pub async fn whois(talk: &mut Talk<'_>, id: UserId) -> Step {
    let user = known_by_id(talk, id).await?;
    show(talk, user).await
}

async fn show(talk: &mut Talk<'_>, user: User) -> Step {
    let view = views::whois(talk, user).await?;
    talk.show(screens::whois(talk.t, &view));
    Ok(())
}

/// Everybody's rows, or those of the person who is named.
pub async fn audit_command(talk: &mut Talk<'_>, args: &str) -> Step {
    if args.is_empty() {
        return audit(talk, None, 0).await;
    }
    match named(talk, Command::Audit, args).await? {
        Some(user) => audit(talk, Some(user.id), 0).await,
        None => Ok(()),
    }
}

/// `page` counts from 0.
pub async fn audit(talk: &mut Talk<'_>, of: Option<UserId>, page: u32) -> Step {
    let view = views::audit(talk, of, page).await?;
    talk.show(screens::audit(talk.t, &view));
    Ok(())
}

pub async fn stats(talk: &mut Talk<'_>) -> Step {
    let view = views::stats(talk).await?;
    talk.show(screens::stats(talk.t, &view));
    Ok(())
}

//! Who may do what. Roles come from the environment, for ever, and from the database, until they expire. Every use
//! case that not everybody may call asks here, so that each entrance obeys the same rule.

use crate::clock::Timestamp;
use crate::config::Config;
use crate::crud;
use crate::ids::UserId;
use crate::models::audit::{Action, Actor};
use crate::models::bot::Bot;
use crate::models::notice::Notice;
use crate::models::outgoing::{Body, Class, Outgoing};
use crate::models::role::{Permission, Role, UserRole};
use crate::models::user::{User, UserStatus};
use crate::services::{audit, people};
use crate::work::Work;

/// Why somebody may not do something.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("this needs the permission {0}")]
    Forbidden(Permission),
    #[error("this needs the role {0}")]
    RoleNeeded(Role),
    #[error("nobody can do this to himself")]
    Oneself,
    #[error("only a superadmin can do this to an admin or superadmin")]
    Protected,
    #[error("the role {0} is above your own")]
    AboveOwn(Role),
    #[error("{0} is a role that the environment gives; change it there")]
    FromEnvironment(Role),
    #[error("nobody with the id {0} has written to the bot")]
    UnknownUser(UserId),
    #[error("everybody is a user: that role is neither granted nor revoked")]
    NoSuchGrant,
    #[error("this person does not have the role {0}")]
    NotHeld(Role),
    #[error("the role would end at {0}, which is over")]
    AlreadyOver(Timestamp),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// The roles that work at this instant, the weakest first and never empty: everybody is a user.
pub async fn roles_of(work: &mut Work, user: UserId) -> sqlx::Result<Vec<Role>> {
    let now = work.now();
    let mut roles = match work.glance_at(user) {
        Some(person) if !person.has_grants => Vec::new(),
        _ => crud::role::active(work.reading(), user, now).await?,
    };
    roles.extend(environment_role(&work.config(), user));
    roles.push(Role::User);
    roles.sort();
    roles.dedup();
    Ok(roles)
}

/// The rows behind a person's roles, expired ones too, for those who may see people and for the person.
pub async fn grants_of(work: &mut Work, user: UserId) -> Result<Vec<UserRole>, AccessError> {
    if work.actor() != Actor::User(user) {
        require(work, Permission::ViewUsers).await?;
    }
    Ok(crud::role::list(work.conn(), user).await?)
}

/// The role that the environment names a person for.
pub fn environment_role(config: &Config, user: UserId) -> Option<Role> {
    match () {
        () if config.people.superadmins.contains(&user) => Some(Role::Superadmin),
        () if config.people.admins.contains(&user) => Some(Role::Admin),
        () => None,
    }
}

/// Lets the actor go on only with this permission. The command line may do everything.
pub async fn require(work: &mut Work, permission: Permission) -> Result<(), AccessError> {
    let roles = roles_of_actor(work).await?;
    let allowed = roles.iter().any(|role| role.allows(permission));
    if allowed { Ok(()) } else { Err(AccessError::Forbidden(permission)) }
}

/// Lets the actor go on only as a superadmin, or from the command line.
pub async fn require_superadmin(work: &mut Work) -> Result<(), AccessError> {
    let superadmin = roles_of_actor(work).await?.contains(&Role::Superadmin);
    if superadmin { Ok(()) } else { Err(AccessError::RoleNeeded(Role::Superadmin)) }
}

/// What the actor can make use of: nothing while banned, everything on the command line.
async fn roles_of_actor(work: &mut Work) -> sqlx::Result<Vec<Role>> {
    let Actor::User(actor) = work.actor() else {
        return Ok(vec![Role::Superadmin]);
    };
    let known = crud::user::find(work.reading(), actor).await?;
    if known.is_some_and(|user| user.status == UserStatus::Banned) {
        return Ok(vec![Role::User]);
    }
    roles_of(work, actor).await
}

/// The person that the actor wants to change, held until the commit: not himself, and nobody above his reach.
pub(super) async fn lock_target(work: &mut Work, target: UserId) -> Result<User, AccessError> {
    if work.actor() == Actor::User(target) {
        return Err(AccessError::Oneself);
    }
    let user = crud::user::lock(work.conn(), target).await?.ok_or(AccessError::UnknownUser(target))?;
    let protected = highest(&roles_of(work, target).await?) >= Role::Admin;
    if protected && highest(&roles_of_actor(work).await?) < Role::Superadmin {
        return Err(AccessError::Protected);
    }
    Ok(user)
}

fn highest(roles: &[Role]) -> Role {
    roles.last().copied().unwrap_or(Role::User)
}

/// Grants a role until `expires_at`, for ever if None; of a role that is there already, the expiry changes.
pub async fn grant_role(
    work: &mut Work,
    target: UserId,
    role: Role,
    expires_at: Option<Timestamp>,
) -> Result<(), AccessError> {
    require(work, Permission::GrantRoles).await?;
    if role == Role::User {
        return Err(AccessError::NoSuchGrant);
    }
    if role > highest(&roles_of_actor(work).await?) {
        return Err(AccessError::AboveOwn(role));
    }
    if let Some(over) = expires_at.filter(|end| *end <= work.now()) {
        return Err(AccessError::AlreadyOver(over));
    }
    lock_target(work, target).await?;
    let old = crud::role::find(work.conn(), target, role).await?;
    if old.as_ref().is_some_and(|old| old.expires_at == expires_at) {
        return Ok(());
    }
    let (granted_by, granted_at) = (work.actor().user_id(), work.now());
    let new = UserRole { user_id: target, role, granted_by, granted_at, expires_at };
    crud::role::put(work.conn(), &new).await?;
    let change = serde_json::json!({ "role": role, "old": old.as_ref().map(shown), "new": shown(&new) });
    let notice = Notice::RoleGranted { role, expires_at };
    audit::log_and_notify(work, target, Action::RoleGranted, Some(&people::target(target)), change, notice)
        .await?;
    menu_follows(work, target);
    Ok(())
}

/// Roles whose end is written down in one transaction.
const ENDED_AT_ONCE: u32 = 200;

/// Writes down which roles have ended: they stopped working at that instant, and the menu of commands follows. True when
/// there may be more.
pub async fn end_roles(work: &mut Work) -> sqlx::Result<bool> {
    let now = work.now();
    let ended = crud::role::lock_ended(work.conn(), now, ENDED_AT_ONCE).await?;
    for grant in &ended {
        crud::role::set_ended(work.conn(), grant, now).await?;
        let change = serde_json::json!({ "role": grant.role, "old": shown(grant), "new": null });
        work.audit(Action::RoleEnded, Some(&people::target(grant.user_id)), change).await?;
        menu_follows(work, grant.user_id);
    }
    Ok(ended.len() == ENDED_AT_ONCE as usize)
}

/// Has the menu of commands in a person's chat follow what they may do and the language they chose. What that is, is
/// looked at when it leaves.
pub fn menu_follows(work: &mut Work, user: UserId) {
    work.send(Outgoing::new(Bot::Client, user, Class::Notice, Body::Menu));
}

/// Takes a role away.
pub async fn revoke_role(work: &mut Work, target: UserId, role: Role) -> Result<(), AccessError> {
    require(work, Permission::GrantRoles).await?;
    if role == Role::User {
        return Err(AccessError::NoSuchGrant);
    }
    lock_target(work, target).await?;
    if environment_role(&work.config(), target) == Some(role) {
        return Err(AccessError::FromEnvironment(role));
    }
    let old = crud::role::find(work.conn(), target, role).await?.ok_or(AccessError::NotHeld(role))?;
    crud::role::delete(work.conn(), target, role).await?;
    let change = serde_json::json!({ "role": role, "old": shown(&old), "new": null });
    let notice = Notice::RoleRevoked { role };
    audit::log_and_notify(work, target, Action::RoleRevoked, Some(&people::target(target)), change, notice)
        .await?;
    menu_follows(work, target);
    Ok(())
}

/// A grant as an audit row shows it.
fn shown(grant: &UserRole) -> serde_json::Value {
    serde_json::json!({ "granted_by": grant.granted_by, "expires_at": grant.expires_at })
}

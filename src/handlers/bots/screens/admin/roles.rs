//! /grantrole and /revokerole: what came of it.

use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::parts::{self, RoleView};
use crate::handlers::bots::screens::{Rows, Screen, lines};
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::role::Role;

pub enum RoleChange {
    Granted {
        user: UserId,
        role: RoleView,
    },
    Revoked {
        user: UserId,
        role: Role,
    },
    /// `given`: what was written in place of a role.
    UnknownRole {
        given: String,
    },
    /// Nobody can raise himself, nor touch somebody at or above his own power.
    NotAllowed,
    /// The person does not hold it.
    NotHeld {
        user: UserId,
        role: Role,
    },
    /// The end that was asked for is past.
    AlreadyOver,
    /// The person is an admin by the server's environment; only the environment takes that away.
    Fixed {
        user: UserId,
    },
}

pub fn role_change(t: &Texts, view: &RoleChange) -> Screen {
    let (text, user) = match view {
        RoleChange::Granted { user, role } => {
            let done = t.with("role-granted", args! { "id" => Html::code(user) });
            (lines([done, parts::role(t, role)]), Some(*user))
        }
        RoleChange::Revoked { user, role } => {
            let args = args! { "id" => Html::code(user), "role" => parts::role_name(t, *role) };
            (t.with("role-revoked", args), Some(*user))
        }
        RoleChange::UnknownRole { given } => {
            let known = Role::ALL.iter().filter(|role| **role != Role::User).map(Html::code);
            let args = args! { "given" => Html::short(given, 32), "roles" => Html::join(known, ", ") };
            (t.with("role-unknown", args), None)
        }
        RoleChange::NotAllowed => (t.text("role-not-allowed"), None),
        RoleChange::AlreadyOver => (t.text("role-over"), None),
        RoleChange::NotHeld { user, role } => {
            let args = args! { "id" => Html::code(user), "role" => parts::role_name(t, *role) };
            (t.with("role-not-held", args), Some(*user))
        }
        RoleChange::Fixed { user } => (t.with("role-fixed", args! { "id" => Html::code(user) }), Some(*user)),
    };
    let back = user.map_or(Callback::Users(0), Callback::Whois);
    Screen::new(text, Rows::default().back(t, back))
}

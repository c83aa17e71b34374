//! /myroles: what the person is, until when, and what that allows.

use super::parts::{self, RoleView};
use super::{Rows, Screen, lines, paragraphs};
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::commands::commands_for;
use crate::i18n::{Html, Texts, args};
use crate::models::role::Role;

/// `roles`: those above the ordinary one that are in force.
pub fn my_roles(t: &Texts, roles: &[RoleView]) -> Screen {
    let held = match roles.is_empty() {
        true => t.text("roles-only-user"),
        false => lines(roles.iter().map(|held| parts::role(t, held))),
    };
    let roles: Vec<Role> = roles.iter().map(|held| held.role).collect();
    let commands = commands_for(&roles).into_iter().filter(|command| command.permission().is_some());
    let commands: Vec<Html> = commands.map(|command| Html::from(format!("/{command}"))).collect();
    let allowed = match commands.is_empty() {
        true => Html::default(),
        false => t.with("roles-allow", args! { "commands" => Html::join(commands, " ") }),
    };
    let html = paragraphs([t.text("roles-title"), held, allowed]);
    Screen::new(html, Rows::default().back(t, Callback::Profile))
}

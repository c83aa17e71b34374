//! The steps that commands and buttons lead to: each calls a service and shows a screen.

pub(super) mod account;
pub(super) mod admin;
pub(super) mod configs;
pub(super) mod guides;
pub(super) mod menu;
pub(super) mod orders;
pub(super) mod trial;

//! People.

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::models::bot::Language;

text_enum! {
    UserStatus {
        Active = "active",
        /// Banned by an admin: no bot answers.
        Banned = "banned",
        /// Blocked the bot: nothing is sent until they write again.
        Blocked = "blocked",
    }
}

/// A person, and what there is of theirs besides: whoever knows that there is nothing need not look for it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Glance {
    #[sqlx(flatten)]
    pub user: User,
    /// Whether a question of the client bot waits for their answer.
    pub has_dialog: bool,
    /// Whether a role was ever granted to them.
    pub has_grants: bool,
    pub has_subscriptions: bool,
    pub took_trial: bool,
    pub has_pending_order: bool,
    /// Whether an order is shown in one of their messages.
    pub shows_order: bool,
}

impl Glance {
    /// Somebody who has just come has nothing.
    pub fn of_newcomer(user: User) -> Self {
        Self {
            user,
            has_dialog: false,
            has_grants: false,
            has_subscriptions: false,
            took_trial: false,
            has_pending_order: false,
            shows_order: false,
        }
    }
}

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct User {
    pub id: UserId,
    pub username: Option<String>,
    pub first_name: String,
    pub last_name: Option<String>,
    pub language: Language,
    pub status: UserStatus,
    pub referrer: Option<String>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

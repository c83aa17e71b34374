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

/// A row of `users`.
#[derive(Clone, Debug, PartialEq)]
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

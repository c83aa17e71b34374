//! Who did what.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::UserId;

/// Who acts. An unregistered actor is SYSTEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    System,
    User(UserId),
}

impl Actor {
    /// `user_id` of an audit row or a log line; None = SYSTEM.
    pub fn user_id(self) -> Option<UserId> {
        match self {
            Actor::System => None,
            Actor::User(id) => Some(id),
        }
    }
}

/// A row of `audit_logs`.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub id: i64,
    pub user_id: Option<UserId>,
    pub action: String,
    pub target: Option<String>,
    pub details: String,
    pub event_id: Option<Uuid>,
    pub created_at: Timestamp,
}

//! Roles and what they allow.

use crate::clock::Timestamp;
use crate::ids::UserId;

text_enum! {
    /// Ordered by power: everybody is a user; the named roles allow single things.
    Role {
        User = "user",
        Support = "support",
        Finance = "finance",
        Admin = "admin",
        Superadmin = "superadmin",
    }
}

text_enum! {
    /// One per use case that not everybody may call.
    Permission {
        ViewUsers = "view_users",
        ViewAudit = "view_audit",
        ViewStats = "view_stats",
        BanUsers = "ban_users",
        GrantRoles = "grant_roles",
        RefundPayments = "refund_payments",
        ReplayEvents = "replay_events",
    }
}

impl Role {
    pub fn allows(self, permission: Permission) -> bool {
        use Permission::*;
        match self {
            Role::User => false,
            Role::Support => matches!(permission, ViewUsers),
            Role::Finance => matches!(permission, ViewUsers | ViewStats | RefundPayments),
            Role::Admin | Role::Superadmin => true,
        }
    }
}

/// A row of `user_roles`.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRole {
    pub user_id: UserId,
    pub role: Role,
    pub granted_by: Option<UserId>,
    pub granted_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

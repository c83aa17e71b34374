//! All that the house knows of one person, for those who may see people.

use super::access::{self, AccessError};
use crate::crud;
use crate::models::payment::Payment;
use crate::models::role::{Permission, Role, UserRole};
use crate::models::subscription::Subscription;
use crate::models::user::User;
use crate::models::vpn::VpnConfig;
use crate::work::Work;

/// Payments that are shown, the newest.
const PAYMENTS: u32 = 20;

#[derive(Debug)]
pub struct Overview {
    /// Those that work now, the weakest first.
    pub roles: Vec<Role>,
    /// Granted ones, expired ones too.
    pub grants: Vec<UserRole>,
    pub subscriptions: Vec<Subscription>,
    /// Those that are not gone.
    pub configs: Vec<VpnConfig>,
    /// The newest first.
    pub payments: Vec<Payment>,
}

/// Gathers it.
pub async fn of(work: &mut Work, user: &User) -> Result<Overview, AccessError> {
    access::require(work, Permission::ViewUsers).await?;
    let roles = access::roles_of(work, user.id).await?;
    let conn = work.conn();
    Ok(Overview {
        roles,
        grants: crud::role::list(conn, user.id).await?,
        subscriptions: crud::subscription::list_of_user(conn, user.id).await?,
        configs: crud::vpn::list_of_user(conn, user.id).await?,
        payments: crud::payment::list_of_user(conn, user.id, PAYMENTS).await?,
    })
}

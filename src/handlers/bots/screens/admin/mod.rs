//! Screens for the team, in the client bot until the admin bot has its own. Whether somebody may see one is
//! decided by the services; a screen only leaves out the buttons that would be refused.

mod audit;
mod bans;
mod refund;
mod review;
mod reviews;
mod roles;
mod stats;
mod usage;
mod users;
mod whois;

pub use audit::{Audit, AuditLine, audit};
pub use bans::{BanResult, BanTarget, ban_question, ban_result};
pub use refund::{AccessAfter, RefundPreview, RefundResult, refund_preview, refund_result};
pub use review::{Review, ReviewResult, review, review_result};
pub use reviews::{ChargeResult, Reviews, charge, charge_result, reviews};
pub use roles::{RoleChange, role_change};
pub use stats::{Queues, Sales, Stats, stats};
pub use usage::{no_such_user, usage};
pub use users::{UserLine, Users, users};
pub use whois::{Whois, whois};

use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::user::UserStatus;

/// `Ana Pérez (@ana)`, or the id where there is no name.
fn person(t: &Texts, id: UserId, name: &str, username: Option<&str>) -> Html {
    let name = Html::name(name).unwrap_or_else(|| Html::from(id));
    match username.and_then(Html::name) {
        Some(username) => t.with("admin-person", args! { "name" => name, "username" => username }),
        None => name,
    }
}

fn user_status(t: &Texts, status: UserStatus) -> Html {
    match status {
        UserStatus::Active => t.text("user-active"),
        UserStatus::Banned => t.text("user-banned"),
        UserStatus::Blocked => t.text("user-blocked"),
    }
}

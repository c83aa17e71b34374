//! What the screens show, loaded through the services.

mod access;
mod account;
mod shop;
mod team;

pub(super) use access::{add_config, config, config_detail, status, vpn};
pub(super) use account::{my_logs, payments, profile, roles};
pub(super) use shop::{home, plan, plans, trial};
pub(super) use team::{audit, ban_target, refund_preview, review, reviews, stats, users, whois};

use crate::models::subscription::SubscriptionStatus;

/// Whether a subscription may still be used or renewed with what it holds.
fn is_open(status: SubscriptionStatus) -> bool {
    status != SubscriptionStatus::Expired
}

//! Typed ids, so that a payment's number cannot be taken for a person's.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = <$inner as std::str::FromStr>::Err;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }
    )*};
}

ids! {
    /// A person: the Telegram user id, chosen by Telegram.
    UserId(i64);
    /// A Telegram chat; equal to the user's id in a private chat, negative for groups and channels.
    ChatId(i64);
    PlanId(i64);
    SubscriptionId(i64);
    PaymentId(i64);
    /// Money that fits no order.
    ChargeId(i64);
    ServerId(i64);
    PoolId(i64);
    /// One device's access.
    ConfigId(i64);
    /// A stored webhook delivery.
    EventId(Uuid);
    /// A queued Telegram message.
    MessageId(Uuid);
    JobId(Uuid);
}

/// A new id for a row of a queue: time-ordered and made in process, so that a batch knows its ids before the
/// insert and order of ids is order of arrival (RFC 9562, version 7, monotonic within the process).
pub fn time_ordered() -> Uuid {
    Uuid::now_v7()
}

impl From<UserId> for ChatId {
    /// The private chat with a person has the person's id.
    fn from(user: UserId) -> Self {
        ChatId(user.0)
    }
}

//! A lane is what is handled in order: a chat's updates, a chat's messages, the jobs on one thing. Whoever holds
//! the lane's lease drains it; that one mechanism gives order, parallelism and many copies.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::Timestamp;

/// Which queue a lane belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Queue {
    Inbox = 0,
    Outbox = 1,
    Jobs = 2,
}

impl Queue {
    pub const ALL: [Queue; 3] = [Queue::Inbox, Queue::Outbox, Queue::Jobs];

    pub const fn name(self) -> &'static str {
        match self {
            Queue::Inbox => "inbox",
            Queue::Outbox => "outbox",
            Queue::Jobs => "jobs",
        }
    }
}

/// Work was added to a lane: it is due at `due_at` at the latest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub queue: Queue,
    pub lane: String,
    /// Urgency of the work, 0 first.
    pub class: u8,
    pub due_at: Timestamp,
}

/// A lane as it was when this process leased it.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub lane: String,
    pub version: u64,
    /// Claims since the last progress, this one included: a lane that kills its process shows it here.
    pub attempts: u32,
    /// The next paced message may not leave before this.
    pub not_before: Timestamp,
}

/// A server process, as its leases name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(u64);

impl Holder {
    /// One that no other process is.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The owner of this process's `number`-th lease. Each claim has one of its own, so that what is left of an older
    /// one in the same process can change nothing.
    pub fn lease(self, number: u64) -> Uuid {
        Uuid::from_u64_pair(self.0, number)
    }
}

/// The right to drain a lane until the lease ends.
#[derive(Clone, Debug)]
pub struct Lease {
    pub queue: Queue,
    pub lane: String,
    pub owner: Uuid,
    /// Version of the lane when it was last read.
    pub version: u64,
}

/// An id of the outside as part of a lane's name: itself, or its hash when it is long or holds more than letters,
/// digits, `-` and `_`.
pub fn name_part(id: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !id.is_empty() && id.len() <= 64 && id.bytes().all(plain) {
        return id.to_owned();
    }
    hex::encode(&Sha256::digest(id.as_bytes())[..16])
}

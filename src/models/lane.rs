//! A lane is what is handled in order: a chat's updates, a chat's messages, the jobs on one thing. Whoever holds
//! the lane's lease drains it; that one mechanism gives order, parallelism and many copies.

use std::ops::RangeInclusive;
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::machine::Machine;

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

/// The first of the classes of jobs that only the copies on one machine claim.
pub const OF_MACHINES: u8 = 128;
/// So many machines are told apart.
const SLOTS: u8 = (u8::MAX - OF_MACHINES) / 2 + 1;

/// Class of jobs of this urgency that only the copies on one machine do. Machines may share one: their copies hand a
/// job to and fro, until the right one has it.
pub fn class_at(machine: &Machine, urgency: u8) -> u8 {
    let slot = machine.id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % SLOTS;
    OF_MACHINES + slot * 2 + urgency.min(1)
}

/// The classes of jobs that are for copies on this machine, each with its urgency, 0 first.
pub fn classes_at(machine: &Machine) -> [(u8, u8); 4] {
    [(0, 0), (class_at(machine, 0), 0), (1, 1), (class_at(machine, 1), 1)]
}

/// How a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub queue: Queue,
    pub waiting: i64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
    /// Given up: a human has to look.
    pub dead: i64,
}

impl Standing {
    /// For how long the oldest has waited.
    pub fn age(&self, now: Timestamp) -> Duration {
        self.oldest.and_then(|at| now.since(at).to_std().ok()).unwrap_or_default()
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
    /// Who queues it wants to work on it at once: leased to them, if nobody else has anything to do with the lane.
    pub in_hand: bool,
}

/// The lease under which lanes are queued.
#[derive(Clone, Copy, Debug)]
pub struct NewLease {
    pub owner: Uuid,
    pub now: Timestamp,
    pub until: Timestamp,
}

/// A message or job that is about to be queued, and the event or job that made it.
#[derive(Clone, Debug)]
pub struct Caused<I, T> {
    pub id: I,
    pub cause: Option<Uuid>,
    pub what: T,
}

/// Where to look for lanes that are due.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub class: u8,
    /// Lanes that have been due since before are not looked at.
    pub from: Timestamp,
}

/// A lane as it was when this process leased it.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub lane: String,
    /// Since when it had been due.
    pub due_at: Timestamp,
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

    /// The owners of all its leases.
    pub fn leases(self) -> RangeInclusive<Uuid> {
        self.lease(0)..=self.lease(u64::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_a_machine_is_for_its_copies_alone() {
        let (home, other) = (Machine::this(Some("home")), Machine::this(Some("other")));
        for urgency in [0, 1] {
            let class = class_at(&home, urgency);
            assert!(classes_at(&home).contains(&(class, urgency)));
            assert!(!classes_at(&other).iter().any(|(of, _)| *of == class));
            assert!(classes_at(&home).contains(&(urgency, urgency)));
        }
        let of_any = |n: u16| class_at(&Machine::this(Some(&n.to_string())), 1);
        assert!((0..1000).map(of_any).all(|class| class > OF_MACHINES));
    }
}

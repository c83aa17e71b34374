//! Inbox, outbox and jobs.

use chrono::Duration;

use super::read::Reader;

#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// `LEASE_SECONDS`: work of a process that died is taken over after this.
    pub lease: Duration,
    /// `RETENTION_DAYS`: how long events, messages and jobs that are done are kept.
    pub retention: Duration,
}

impl QueueConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let lease = env.number("LEASE_SECONDS", "seconds", 5..=3600, 60);
        let retention = env.number("RETENTION_DAYS", "days", 1..=3650, 30);
        Some(Self { lease: Duration::seconds(lease?), retention: Duration::days(retention?) })
    }
}

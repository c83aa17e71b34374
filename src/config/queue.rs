//! Inbox, outbox and jobs.

use chrono::Duration;

use super::read::Reader;

#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// `LEASE_SECONDS`: work of a process that died is taken over after this.
    pub lease: Duration,
    /// `RETENTION_DAYS`: how long events, messages and jobs that are done are kept.
    pub retention: Duration,
    /// `AUDIT_RETENTION_DAYS`: how long the audit keeps what is neither money nor access; None = for ever.
    pub audit_retention: Option<Duration>,
}

impl QueueConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let lease = env.number("LEASE_SECONDS", "seconds", 5..=3600, 60);
        let retention = env.number("RETENTION_DAYS", "days", 1..=3650, 30);
        let audit = env.number("AUDIT_RETENTION_DAYS", "days, 0 for ever", 0..=36_500, 0);
        Some(Self {
            lease: Duration::seconds(lease?),
            retention: Duration::days(retention?),
            audit_retention: audit.map(|days| (days > 0).then(|| Duration::days(days)))?,
        })
    }
}

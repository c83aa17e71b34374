//! The trial, and what people may hold.

use chrono::Duration;

use super::read::Reader;

#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// `TRIAL_DAYS`; 0 offers no trial.
    pub trial_days: u32,
    /// `TRIAL_TRAFFIC_MB`, in MiB.
    pub trial_traffic_mb: u64,
    /// `MAX_CONFIGS_PER_USER` under plans, whatever these allow.
    pub max_configs_per_user: u32,
    /// `GRACE_DAYS`: between the end of a subscription and the removal of its configs.
    pub grace: Duration,
    /// `ADDRESS_REST_HOURS`: before a released tunnel address is handed out again.
    pub address_rest: Duration,
    /// `USER_ACTIONS_PER_MINUTE` that one person may do in a bot on average; see [`AccessConfig::BURST`].
    pub user_actions_per_minute: u32,
}

impl AccessConfig {
    /// Actions that a person may do at once before the average counts.
    pub const BURST: u32 = 20;

    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let trial_days = env.number("TRIAL_DAYS", "days, 0 for no trial", 0..=365, 7);
        let trial_traffic_mb = env.number("TRIAL_TRAFFIC_MB", "MiB", 1..=1_000_000, 1000);
        let max_configs = env.number("MAX_CONFIGS_PER_USER", "configs", 1..=100, 5);
        let grace = env.number("GRACE_DAYS", "days", 0..=90, 3);
        let address_rest = env.number("ADDRESS_REST_HOURS", "hours", 0..=720, 24);
        let actions = env.number("USER_ACTIONS_PER_MINUTE", "actions", 1..=6000, 60);
        Some(Self {
            trial_days: trial_days?,
            trial_traffic_mb: trial_traffic_mb?,
            max_configs_per_user: max_configs?,
            grace: Duration::days(grace?),
            address_rest: Duration::hours(address_rest?),
            user_actions_per_minute: actions?,
        })
    }
}

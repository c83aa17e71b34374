//! The one source of time. Everything stored or compared comes from [`Clock`], so that tests and the demo can
//! move it; calling the system's clock elsewhere is denied by clippy.toml.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, NaiveDateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::{MySql, MySqlTypeInfo, MySqlValueRef};
use sqlx::{Decode, Encode, Type};

/// An instant in UTC with microseconds, as DATETIME(6) holds it.
///
/// Bound as a date and time without zone: sqlx sends `DateTime<Utc>` as TIMESTAMP, which MySQL turns into NULL
/// past 2038-01-19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Later than anything real: the `due_at` of an idle lane.
    pub fn never() -> Self {
        Self::from_unix(253_370_764_800) // 9999-01-01T00:00:00Z
    }

    /// Earlier than anything real.
    pub fn long_ago() -> Self {
        Self::from_unix(946_684_800) // 2000-01-01T00:00:00Z
    }

    /// From seconds since 1970; seconds no calendar knows give the epoch.
    pub fn from_unix(seconds: i64) -> Self {
        Self(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.0.timestamp()
    }

    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// Time from `earlier` to `self`; negative when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        self.0 - earlier.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value.trunc_subsecs(6))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, rhs: Duration) -> Timestamp {
        Timestamp(self.0 + rhs)
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, rhs: Duration) -> Timestamp {
        Timestamp(self.0 - rhs)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl Type<MySql> for Timestamp {
    fn type_info() -> MySqlTypeInfo {
        <NaiveDateTime as Type<MySql>>::type_info()
    }
    fn compatible(ty: &MySqlTypeInfo) -> bool {
        <NaiveDateTime as Type<MySql>>::compatible(ty)
    }
}

impl Encode<'_, MySql> for Timestamp {
    fn encode_by_ref(&self, buf: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        Encode::<MySql>::encode_by_ref(&self.0.naive_utc(), buf)
    }
}

impl<'r> Decode<'r, MySql> for Timestamp {
    fn decode(value: MySqlValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<NaiveDateTime as Decode<MySql>>::decode(value)?.and_utc()))
    }
}

/// The system's time plus an offset that only tests and the demo change.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_micros: Arc<AtomicI64>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn now(&self) -> Timestamp {
        let offset = Duration::microseconds(self.offset_micros.load(Ordering::Relaxed));
        Timestamp::from(Utc::now() + offset)
    }

    /// Moves the clock forward. For tests and the demo's "fast-forward" only.
    pub fn advance(&self, by: Duration) {
        let micros = by.num_microseconds().unwrap_or(0);
        self.offset_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

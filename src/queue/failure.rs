//! How the handling of an event or a job fails: worth another try, or not.

use std::error::Error as StdError;
use std::time::Duration;

/// Why an event or a job was not handled.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Try again, with growing pauses.
    #[error("{0}")]
    Retry(#[source] Box<dyn StdError + Send + Sync>),
    /// Try again, not before this time has passed.
    #[error("{reason}")]
    Later { reason: String, after: Duration },
    /// What it needs is taken by others: the run counts as none, and the next is after this time.
    #[error("{reason}")]
    NotYet { reason: String, after: Duration },
    /// Trying again will not help: a human has to look.
    #[error("{0}")]
    GiveUp(String),
}

impl Failure {
    pub fn retry(error: impl StdError + Send + Sync + 'static) -> Self {
        Failure::Retry(Box::new(error))
    }

    pub fn later(reason: impl Into<String>, after: Duration) -> Self {
        Failure::Later { reason: reason.into(), after }
    }

    pub fn not_yet(reason: impl Into<String>, after: Duration) -> Self {
        Failure::NotYet { reason: reason.into(), after }
    }

    pub fn give_up(reason: impl Into<String>) -> Self {
        Failure::GiveUp(reason.into())
    }

    /// Why, in a length that rows, alerts and log lines hold: an error may quote what came from outside.
    pub fn reason(&self) -> String {
        shorten(&self.to_string()).to_owned()
    }
}

/// Characters of a reason that are kept.
const REASON_CHARS: usize = 1000;

/// The beginning of a reason.
pub(super) fn shorten(reason: &str) -> &str {
    reason.char_indices().nth(REASON_CHARS).map_or(reason, |(end, _)| &reason[..end])
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::retry(error)
    }
}

/// Pause before try number `attempts` + 1: `first`, doubling up to `longest`, with up to a quarter more at random.
pub fn backoff(attempts: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(1u32 << attempts.saturating_sub(1).min(20));
    let pause = doubled.min(longest);
    pause + pause.mul_f64(rand::random_range(0.0..0.25))
}

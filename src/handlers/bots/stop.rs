//! Why a step ends before its end: the person has to be told something, or the update has to be tried again.

use super::screens::Reply;
use crate::queue::Failure;
use crate::services::access::AccessError;
use crate::services::payment::{self, PaymentError};
use crate::services::subscription::TrialError;
use crate::services::vpn::ConfigError;

/// What a step of the dispatch gives; its reply is queued by then.
pub(super) type Step = Result<(), Stop>;

pub(super) enum Stop {
    /// The person is told, and shown the menu. What the step changed until here stays.
    Tell(Reply),
    /// Not for this person: nothing tells them that there is anything.
    Hidden,
    /// Nothing of this update happens; it is tried again or looked at by a human.
    Fail(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Fail(failure)
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Stop::Fail(error.into())
    }
}

impl From<AccessError> for Stop {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Forbidden(_) | AccessError::RoleNeeded(_) => Stop::Hidden,
            AccessError::UnknownUser(_) => Stop::Tell(Reply::NotFound),
            AccessError::Database(error) => error.into(),
            _ => Stop::Tell(Reply::NotAllowed),
        }
    }
}

impl From<ConfigError> for Stop {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Unknown => Stop::Tell(Reply::NotFound),
            ConfigError::NotActive => Stop::Tell(Reply::StaleButton),
            ConfigError::Database(error) => error.into(),
            error => Stop::Fail(Failure::retry(error)),
        }
    }
}

impl From<PaymentError> for Stop {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Unknown => Stop::Tell(Reply::NotFound),
            PaymentError::NotSold | PaymentError::NoPrice(_) | PaymentError::ProviderOff(_) => {
                Stop::Tell(Reply::NotSold)
            }
            PaymentError::WrongState(_)
            | PaymentError::NoCharge
            | PaymentError::NothingCame
            | PaymentError::RefundByHand(_)
            | PaymentError::RefundThroughApi(_) => Stop::Tell(Reply::StaleButton),
            PaymentError::TooMany => {
                Stop::Tell(Reply::TooManyOrders { most: payment::MOST_UNPAID.unsigned_abs() })
            }
            PaymentError::Access(error) => error.into(),
            PaymentError::Database(error) => error.into(),
        }
    }
}

impl From<TrialError> for Stop {
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::NotOffered | TrialError::Used => Stop::Tell(Reply::StaleButton),
            // The trial is marked as used by now: nothing of it may stay without its config.
            TrialError::Config(error) => Stop::Fail(Failure::retry(error)),
            TrialError::Database(error) => error.into(),
        }
    }
}

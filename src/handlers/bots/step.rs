//! Why a step ends before its end: the person has to be told something, or the update has to be tried again.

use super::screens::Reply;
use crate::queue::Failure;
use crate::services::access::AccessError;
use crate::services::payment::{self, PaymentError};
use crate::services::subscription::TrialError;
use crate::services::vpn::ConfigError;

/// What a step of the dispatch gives; its reply is queued by then.
pub(super) type Step = Result<(), StepError>;

pub(super) enum StepError {
    /// The person is told, and shown the menu. What the step changed until here stays.
    Tell(Reply),
    /// Not for this person: nothing tells them that there is anything.
    Hidden,
    /// Nothing of this update happens; it is tried again or looked at by a human.
    Fail(Failure),
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        StepError::Fail(failure)
    }
}

impl From<sqlx::Error> for StepError {
    fn from(error: sqlx::Error) -> Self {
        StepError::Fail(error.into())
    }
}

impl From<AccessError> for StepError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Forbidden(_) | AccessError::RoleNeeded(_) => StepError::Hidden,
            AccessError::UnknownUser(_) => StepError::Tell(Reply::NotFound),
            AccessError::Database(error) => error.into(),
            _ => StepError::Tell(Reply::NotAllowed),
        }
    }
}

impl From<ConfigError> for StepError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Unknown => StepError::Tell(Reply::NotFound),
            ConfigError::NotActive => StepError::Tell(Reply::StaleButton),
            ConfigError::Database(error) => error.into(),
            error => StepError::Fail(Failure::retry(error)),
        }
    }
}

impl From<PaymentError> for StepError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Unknown => StepError::Tell(Reply::NotFound),
            PaymentError::NotSold | PaymentError::NoPrice(_) | PaymentError::ProviderOff(_) => {
                StepError::Tell(Reply::NotSold)
            }
            PaymentError::WrongState(_)
            | PaymentError::NoCharge
            | PaymentError::NothingCame
            | PaymentError::RefundByHand(_)
            | PaymentError::RefundThroughApi(_) => StepError::Tell(Reply::StaleButton),
            PaymentError::TooMany => {
                StepError::Tell(Reply::TooManyOrders { most: payment::MOST_UNPAID.unsigned_abs() })
            }
            PaymentError::Access(error) => error.into(),
            PaymentError::Database(error) => error.into(),
        }
    }
}

impl From<TrialError> for StepError {
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::NotOffered | TrialError::Used => StepError::Tell(Reply::StaleButton),
            // The trial is marked as used by now: nothing of it may stay without its config.
            TrialError::Config(error) => StepError::Fail(Failure::retry(error)),
            TrialError::Database(error) => error.into(),
        }
    }
}

//! The one rule of what an observation means for an order.

use rust_decimal::Decimal;

use super::{Observation, ObservedState};
use crate::ids::UserId;
use crate::money::Money;

/// What to do with an order after asking its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Paid as agreed: give what was bought.
    Complete,
    /// Nothing has happened yet.
    Wait,
    /// The provider cancelled it.
    Cancel,
    /// Money came, but not as agreed; a human decides. The text says what differs.
    Review(String),
}

/// Compares what the provider says with the order that we stored. The provider never decides the price.
pub fn decide(order_ref: &str, price: &Money, payer: UserId, seen: &Observation) -> Decision {
    match seen.state {
        ObservedState::Pending => return Decision::Wait,
        ObservedState::Cancelled => return Decision::Cancel,
        ObservedState::Paid => {}
    }
    if seen.order_ref.as_deref() != Some(order_ref) {
        let named = seen.order_ref.as_deref().unwrap_or("no order");
        return Decision::Review(format!("the provider names {named} instead of {order_ref}"));
    }
    if seen.currency != price.currency {
        return Decision::Review(format!("paid in {}, the price is in {}", seen.currency, price.currency));
    }
    match seen.amount {
        None => return Decision::Review("the paid amount is not a plain number".to_owned()),
        Some(amount) if amount < price.amount || amount <= Decimal::ZERO => {
            return Decision::Review(format!("paid {amount}, the price is {}", price.amount));
        }
        Some(_) => {}
    }
    match seen.payer {
        Some(other) if other != payer => Decision::Review(format!("paid by {other}, ordered by {payer}")),
        _ => Decision::Complete,
    }
}

//! The one rule of what a callback and an observation mean for an order. Pure.

use rust_decimal::Decimal;

use super::{Callback, Observation, ObservedState, OrderHandle};
use crate::ids::UserId;
use crate::money::Money;

/// What an authentic callback asks for, before its provider is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Triage {
    /// Ask the provider, then [`decide`].
    Refetch,
    /// The money was credited before; nothing to do.
    Duplicate,
    /// Nothing for this order; acknowledged and logged.
    Ignore(String),
    /// A human decides; the text says why.
    Review(String),
}

/// Reads a callback that came for `order`. `settled` is true once money was credited to it.
pub fn triage(callback: &Callback, order: &OrderHandle, settled: bool) -> Triage {
    if !callback.signed {
        return if settled { Triage::Duplicate } else { Triage::Refetch };
    }
    if let Some(other) = callback.claimed_order.as_ref().filter(|named| **named != order.order_ref) {
        return Triage::Ignore(format!("it names the order {other}"));
    }
    if let Some(state) = callback.claimed_state.as_ref().filter(|state| **state != ObservedState::Paid) {
        return Triage::Ignore(format!("it claims no payment, but {state:?}"));
    }
    match (&callback.transaction_id, &order.invoice_id) {
        (Some(paid), Some(ours)) if paid != ours => {
            return Triage::Review(format!("paid as the transaction {paid}, the invoice is {ours}"));
        }
        _ => {}
    }
    if settled {
        return Triage::Duplicate;
    }
    match &callback.odd_amount {
        Some(odd) => Triage::Review(format!("the amount is written as {odd:?}")),
        None => Triage::Refetch,
    }
}

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

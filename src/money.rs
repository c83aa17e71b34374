//! Exact money. No floating point touches an amount anywhere.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Largest amount that there is: what the database's columns hold before the point.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 0);

/// A currency code: three to eight capital letters or digits, e.g. `XTR` (Telegram Stars), `USD`, `USDT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Currency(String);

impl Currency {
    /// Telegram Stars; only whole ones exist.
    pub fn stars() -> Self {
        Self("XTR".to_owned())
    }
    pub fn usd() -> Self {
        Self("USD".to_owned())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Digits after the point that the currency has.
    pub fn decimals(&self) -> u32 {
        match self.0.as_str() {
            "XTR" => 0,
            "USD" | "EUR" | "RUB" | "CUP" | "MXN" => 2,
            _ => 8,
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let ok = (3..=8).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if ok { Ok(Self(text.to_owned())) } else { Err(MoneyError::Currency(text.to_owned())) }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    #[error("{0:?} is not a currency code (three to eight capital letters or digits, e.g. USD)")]
    Currency(String),
    #[error("{0:?} is not a plain positive decimal amount such as 4.99")]
    Amount(String),
    #[error("{0} has more decimals than {1} knows")]
    Precision(Decimal, Currency),
}

/// An amount with its currency. Amounts of different currencies never compare equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

impl Money {
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    pub fn stars(amount: i64) -> Self {
        Self::new(Decimal::from(amount), Currency::stars())
    }

    /// A price: positive and with no more decimals than the currency has.
    pub fn price(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount <= Decimal::ZERO {
            return Err(MoneyError::Amount(amount.to_string()));
        }
        if amount.normalize().scale() > currency.decimals() {
            return Err(MoneyError::Precision(amount, currency));
        }
        Ok(Self { amount, currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency.as_str() {
            "XTR" => write!(f, "{} ⭐", self.amount.normalize()),
            _ => {
                let shown = self.amount.round_dp(self.currency.decimals());
                write!(f, "{shown:.2} {}", self.currency)
            }
        }
    }
}

/// Parses the decimal text of a provider: digits with an optional point. A sign, an exponent, NaN or blanks are
/// refused, and more than [`MAX_AMOUNT`] too, because an amount written so goes to review and is never credited (payment rules of every provider).
pub fn parse_plain_decimal(text: &str) -> Result<Decimal, MoneyError> {
    let refuse = || MoneyError::Amount(text.to_owned());
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.as_bytes()[0].is_ascii_digit();
    if !plain {
        return Err(refuse());
    }
    Decimal::from_str(text).ok().filter(|amount| *amount <= MAX_AMOUNT).ok_or_else(refuse)
}

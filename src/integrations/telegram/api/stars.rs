//! The bot's Telegram Stars: what came, what went, and giving back.

use serde::Deserialize;
use teloxide_core::payloads::{GetStarTransactions, GetStarTransactionsSetters, RefundStarPayment};
use teloxide_core::types::{self as tg, TelegramTransactionId};

use super::super::loose::{each, loosely};
use super::answer::About;
use super::{SendError, Telegram};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::integrations::payments::RefundOutcome;

/// A movement of Stars, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarTransaction {
    /// The charge id; a refund has the id of its payment.
    pub id: String,
    pub at: Option<Timestamp>,
    /// Whole Stars; None when it is not a plain whole number.
    pub amount: Option<i64>,
    /// Whether it came in (a payment) or went out (a refund, a withdrawal).
    pub incoming: bool,
    /// The person at the other end.
    pub user: Option<UserId>,
    pub invoice_payload: Option<String>,
    /// Set for a payment of a subscription: the end of the paid time.
    pub subscribed_until: Option<Timestamp>,
}

/// A page of transactions, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarPage {
    /// Those that could be read.
    pub transactions: Vec<StarTransaction>,
    /// How many there were, to ask for the next page.
    pub rows: u32,
}

impl Telegram {
    /// Gives Stars back to the person who paid them.
    pub async fn refund_star_payment(
        &self,
        user: UserId,
        charge_id: &str,
    ) -> Result<RefundOutcome, SendError> {
        let user = u64::try_from(user.0)
            .map_err(|_| SendError::Permanent(format!("{user} is not a person's id")))?;
        let refund = RefundStarPayment::new(tg::UserId(user), TelegramTransactionId(charge_id.to_owned()));
        match self.call(&refund).await {
            Ok(_) => Ok(RefundOutcome::Done),
            Err(failure) if failure.says(&["charge_already_refunded"]) => Ok(RefundOutcome::AlreadyDone),
            Err(failure) => Err(failure.classify(About::Bot)),
        }
    }

    /// Transactions in the order they happened, from the `offset`-th on, at most `limit` (1 to 100). Partners of
    /// unknown types cost only what they would have told.
    pub async fn star_transactions(&self, offset: u32, limit: u8) -> Result<StarPage, SendError> {
        let page: Page = self.ask(&GetStarTransactions::new().offset(offset).limit(limit)).await?;
        let rows = u32::try_from(page.transactions.len()).unwrap_or(u32::MAX);
        let transactions =
            page.transactions.into_iter().filter_map(|Readable(row)| row).map(Row::read).collect();
        Ok(StarPage { transactions, rows })
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(deserialize_with = "each")]
    transactions: Vec<Readable>,
}

/// A row, or None where it has no readable id: it still counts for the offset of the next page.
#[derive(Deserialize)]
struct Readable(#[serde(deserialize_with = "loosely")] Option<Row>);

#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default, deserialize_with = "loosely")]
    date: Option<i64>,
    #[serde(default, deserialize_with = "loosely")]
    amount: Option<i64>,
    #[serde(default, deserialize_with = "loosely")]
    source: Option<Partner>,
    #[serde(default, deserialize_with = "loosely")]
    receiver: Option<Partner>,
}

#[derive(Deserialize)]
struct Partner {
    #[serde(default, deserialize_with = "loosely")]
    user: Option<Person>,
    #[serde(default, deserialize_with = "loosely")]
    invoice_payload: Option<String>,
    /// Seconds.
    #[serde(default, deserialize_with = "loosely")]
    subscription_period: Option<i64>,
}

#[derive(Deserialize)]
struct Person {
    id: UserId,
}

impl Row {
    fn read(self) -> StarTransaction {
        let incoming = self.source.is_some();
        let partner = self.source.or(self.receiver);
        let period = partner.as_ref().and_then(|it| it.subscription_period);
        let subscribed_until = self.date.zip(period).and_then(|(date, period)| date.checked_add(period));
        let (user, invoice_payload) =
            partner.map_or((None, None), |it| (it.user.map(|user| user.id), it.invoice_payload));
        StarTransaction {
            id: self.id,
            at: self.date.map(Timestamp::from_unix),
            amount: self.amount,
            incoming,
            user,
            invoice_payload,
            subscribed_until: subscribed_until.map(Timestamp::from_unix),
        }
    }
}

//! Paying with Telegram Stars, from the side of the person.

use std::sync::Arc;

use serde_json::json;

use super::Inner;
use super::people::PersonHandle;
use super::queues::person_queue;
use super::world::{Charge, ChatKey, Checkout, Content, Invoice, NewMessage, Payment, World};
use crate::clock::Timestamp;
use crate::ids;

/// A payment that went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub charge_id: String,
    /// Stars.
    pub amount: i64,
    /// The message that says so in the chat.
    pub message_id: i64,
}

/// Why a payment did not go through; no Stars were taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PayError {
    #[error("there is no such invoice")]
    NoSuchInvoice,
    #[error("the invoice is paid already")]
    AlreadyPaid,
    #[error("{0} Stars are missing")]
    NotEnoughStars(i64),
    /// The bot refused, in these words.
    #[error("{0}")]
    Declined(String),
    #[error("the bot did not answer in time")]
    NotAnswered,
}

/// What is being paid, and the message that asked for it.
struct Bill {
    key: ChatKey,
    invoice: Invoice,
    message: Option<i64>,
}

impl PersonHandle {
    /// Pays an invoice: asks the bot (`pre_checkout_query`), waits for its answer as long as Telegram does, takes
    /// the Stars and tells the bot (`successful_payment`).
    pub async fn pay(&self, bot: &str, message_id: i64) -> Result<Receipt, PayError> {
        let bill = self.inner.read(|world| world.bill(bot, self.id, message_id))?;
        self.inner.settle(bill).await
    }

    /// Pays the invoice behind a link made by `createInvoiceLink`.
    pub async fn pay_link(&self, link: &str) -> Result<Receipt, PayError> {
        let slug = link.rsplit('$').next().unwrap_or("");
        let (bot, invoice) =
            self.inner.read(|world| world.links.get(slug).cloned()).ok_or(PayError::NoSuchInvoice)?;
        self.inner.settle(Bill { key: (bot, self.id), invoice, message: None }).await
    }
}

impl Inner {
    async fn settle(self: &Arc<Self>, bill: Bill) -> Result<Receipt, PayError> {
        let query = self.change(|world| world.ask_checkout(&bill, self.now()))?;
        let answer = |world: &World| world.checkouts.get(&query).and_then(|checkout| checkout.answer.clone());
        match self.watch(self.options.checkout_limit, || self.read(answer)).await {
            Some(Ok(())) => self.change(|world| world.charge(bill, self.now())),
            Some(Err(words)) => {
                self.change(|world| world.tell(bill.key, &format!("    ✗ {words}")));
                Err(PayError::Declined(words))
            }
            None => {
                self.change(|world| world.give_up(&query, bill.key));
                Err(PayError::NotAnswered)
            }
        }
    }
}

impl World {
    fn bill(&self, bot: &str, person: i64, message_id: i64) -> Result<Bill, PayError> {
        let key = (self.bot_by_username(bot).ok_or(PayError::NoSuchInvoice)?, person);
        match self.message(key, message_id).map(|message| &message.content) {
            Some(Content::Invoice { receipt: Some(_), .. }) => Err(PayError::AlreadyPaid),
            Some(Content::Invoice { invoice, .. }) => {
                Ok(Bill { key, invoice: invoice.clone(), message: Some(message_id) })
            }
            _ => Err(PayError::NoSuchInvoice),
        }
    }

    /// Asks the bot whether the person may pay; returns the id of the question.
    fn ask_checkout(&mut self, bill: &Bill, now: Timestamp) -> Result<String, PayError> {
        let (bot, person) = bill.key;
        let left = self.person(person).map_or(0, |person| person.stars);
        if left < bill.invoice.amount {
            return Err(PayError::NotEnoughStars(bill.invoice.amount - left));
        }
        let id = self.next_number().to_string();
        let line = format!("{} pays ⭐{}", self.person_name(person), bill.invoice.amount);
        self.tell(bill.key, &line);
        let question = json!({
            "id": id,
            "from": self.person_wire(person),
            "currency": "XTR",
            "total_amount": bill.invoice.amount,
            "invoice_payload": bill.invoice.payload,
        });
        self.checkouts.insert(id.clone(), Checkout { bot, at: now, given_up: false, answer: None });
        self.push_update(bot, "pre_checkout_query", &person_queue("checkout", person), now, &question);
        Ok(id)
    }

    fn give_up(&mut self, query: &str, key: ChatKey) {
        if let Some(checkout) = self.checkouts.get_mut(query) {
            checkout.given_up = true;
        }
        self.tell(key, "    ✗ the bot did not answer in time");
    }

    /// Moves the Stars and tells both sides; an invoice that was paid meanwhile is not paid twice.
    fn charge(&mut self, bill: Bill, now: Timestamp) -> Result<Receipt, PayError> {
        let Bill { key, invoice, message } = bill;
        if let Some(id) = message {
            let username = self.bot(key.0).username.clone();
            self.bill(&username, key.1, id)?;
        }
        let payment = Payment {
            payload: invoice.payload,
            amount: invoice.amount,
            charge_id: Self::charge_id(),
            subscribed_until: invoice
                .subscription_period
                .map(|seconds| now + chrono::Duration::seconds(seconds)),
        };
        let payer = self.person_mut(key.1).ok_or(PayError::NoSuchInvoice)?;
        payer.stars -= payment.amount;
        self.bot_mut(key.0).stars += payment.amount;
        let (charge_id, amount) = (payment.charge_id.clone(), payment.amount);
        let paid = self.moment(now);
        self.charges.push(Charge {
            bot: key.0,
            person: key.1,
            payment: payment.clone(),
            paid,
            refunded: None,
        });
        self.chat(key).opened = true;
        let message_id = self.post(key, NewMessage::new(false, now, Content::Paid(payment)));
        if let Some(id) = message {
            self.mark_paid(key, id, message_id);
        }
        self.deliver_message(key, message_id, now);
        Ok(Receipt { charge_id, amount, message_id })
    }

    fn mark_paid(&mut self, key: ChatKey, invoice: i64, receipt: i64) {
        if let Some(message) = self.chat(key).messages.get_mut(&invoice)
            && let Content::Invoice { receipt: slot, .. } = &mut message.content
        {
            *slot = Some(receipt);
        }
    }

    /// Ids of charges are longer than 100 characters.
    fn charge_id() -> String {
        let noise: String = (0..4).map(|_| ids::time_ordered().simple().to_string()).collect();
        format!("stx{noise}")
    }
}

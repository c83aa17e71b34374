//! What people and providers do with money, rightly and wrongly.

use chrono::TimeDelta;
use serde_json::{Value, json};
use usipipo::demo::qvapay::{Answers, Invoice, Payment, Status, Style};
use usipipo::demo::telegram::{MessageView, PersonHandle};
use usipipo::ids;

use super::life::{Life, Odd, Paying};
use super::steps::Step;
use crate::support::town::{BOT, TOKEN};

/// Orders are looked after for two days: whoever pays later is known by the callback alone.
const LOOKED_AFTER: TimeDelta = TimeDelta::hours(40);

impl Life {
    /// Pays one of the invoices of the chat, paid or not: Telegram says which can be.
    pub fn pay_stars(&mut self, step: Step) -> String {
        let person = self.customer(step);
        let messages = person.messages(BOT).unwrap();
        let is_open = |message: &&MessageView| match &message.invoice {
            Some(invoice) => !invoice.paid || step.how.is_multiple_of(5),
            None => false,
        };
        let invoices: Vec<i64> = messages.iter().filter(is_open).map(|it| it.id).collect();
        let newest = &invoices[invoices.len().saturating_sub(4)..];
        let Some(invoice) = step.pick_of(newest).copied() else { return "there is no invoice".to_owned() };
        // The same order may be paid at once from two invoices.
        let again = step.dice(4) == 0;
        for message in newest.iter().filter(|message| **message == invoice || again) {
            let (person, message) = (person.clone(), *message);
            self.paying.spawn(async move {
                let outcome = person.pay(BOT, message).await;
                Paying { person: person.id, wrong: None, outcome }
            });
        }
        format!("{} pays invoice {invoice}, and what is beside it: {again}", person.id)
    }

    /// An order of somebody else's, or for another amount: a link to an invoice with its payload.
    pub async fn pay_wrong_stars(&mut self, step: Step) -> String {
        let sql = "SELECT CONCAT(order_ref, ' ', user_id, ' ', CAST(amount AS SIGNED)) FROM payments \
                   WHERE provider = 'stars' ORDER BY id DESC LIMIT 8";
        let Some(order) = self.one_of(step, sql).await else { return "there is no order".to_owned() };
        let mut words = order.split(' ');
        let reference = words.next().unwrap_or_default().to_owned();
        let mut number = || words.next().and_then(|word| word.parse::<i64>().ok()).unwrap_or_default();
        let (owner, price) = (number(), number());
        let payer = self.customer(step);
        let (amount, wrong) = match payer.id == owner {
            true => (price - 1, "it is not the price"),
            false => (price, "it is somebody else's order"),
        };
        let Some(link) = self.link(&format!("{reference}.v1"), amount).await else {
            return "Telegram makes no link".to_owned();
        };
        let said = format!("{} pays {amount} for {reference} of {owner}", payer.id);
        self.paying.spawn(async move {
            let outcome = payer.pay_link(&link).await;
            Paying { person: payer.id, wrong: Some(wrong), outcome }
        });
        said
    }

    /// None while Telegram is in trouble.
    async fn link(&self, payload: &str, amount: i64) -> Option<String> {
        let prices = json!([{ "label": "VPN", "amount": amount }]);
        let fields = json!({ "title": "VPN", "description": "VPN", "payload": payload, "currency": "XTR",
            "provider_token": "", "prices": prices });
        let url = format!("{}/bot{TOKEN}/createInvoiceLink", self.town.telegram.url());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.post(url).json(&fields).send().await.ok()?.text().await.ok()?;
        serde_json::from_str::<Value>(&answer).ok()?["result"].as_str().map(str::to_owned)
    }

    /// Money that Telegram has never asked about: too little, in another currency, from somebody else, for nothing.
    pub async fn odd_stars(&mut self, step: Step) -> String {
        let sql = "SELECT order_ref FROM payments WHERE provider = 'stars' ORDER BY id DESC LIMIT 6";
        let order = self.one_of(step, sql).await.unwrap_or_else(|| "ord_NONE".to_owned());
        let payer = self.customer(step);
        let (currency, amount, order) = match step.how % 4 {
            0 => ("XTR", 1, order),
            1 => ("EUR", 100_000, order),
            2 => ("XTR", 1, "ord_01UNKNOWN".to_owned()),
            _ => ("XTR", 2, format!("{order}0")),
        };
        let charge = format!("odd{}", ids::time_ordered().simple());
        let update = self.tell_paid(&payer, currency, amount, &order, &charge);
        let said = format!("{} has paid {amount} {currency} for {order}, says Telegram", payer.id);
        self.odd.push(Odd { charge, update });
        said
    }

    fn tell_paid(
        &self,
        payer: &PersonHandle,
        currency: &str,
        amount: i64,
        order: &str,
        charge: &str,
    ) -> Option<i64> {
        let message = paid_message(payer.id, currency, amount, order, charge, self.town.clock.now().unix());
        self.town.telegram.inject(BOT, &format!("chat:{}", payer.id), "message", &message)
    }

    /// Pays an invoice as agreed, otherwise, or not yet.
    pub async fn pay_qvapay(&mut self, step: Step) -> String {
        let mut open = self.town.qvapay.invoices();
        open.retain(|invoice| invoice.status != Status::Paid);
        let newest = &open[open.len().saturating_sub(6)..];
        let Some(invoice) = step.pick_of(newest) else { return "there is no invoice".to_owned() };
        if step.dice(12) == 0 {
            self.town.qvapay.cancel(invoice.uuid);
            return format!("QvaPay cancels {}", invoice.uuid);
        }
        let odd = |amount: &str, currency: Option<&str>| Payment {
            amount: Some(amount.to_owned()),
            currency: currency.map(str::to_owned),
            ..Payment::default()
        };
        let mut payment = match step.how % 12 {
            0 => odd("0.01", None),
            1 => odd("100 USD", None),
            2 => odd(&invoice.amount, Some("EUR")),
            3 => odd("999.99", None),
            4 => Payment { status: Status::Processing, ..Payment::default() },
            5 => Payment { status: Status::Unheard, ..Payment::default() },
            _ => Payment::default(),
        };
        payment.callback = false;
        let said = format!("{} is paid: {payment:?}", invoice.remote_id);
        let paid = payment.status == Status::Paid;
        drop(self.town.qvapay.pay(invoice.uuid, payment));
        if paid && self.town.clock.now().since(invoice.created_at).abs() > LOOKED_AFTER {
            self.late.insert(invoice.uuid);
        }
        // One in three callbacks is lost, or comes much later.
        if step.dice(3) > 0 {
            self.call_back(invoice, Style::Signed, 1).await;
        }
        said
    }

    /// Sends a callback as QvaPay would; one that was taken must be in the inbox.
    pub async fn call_back(&mut self, invoice: &Invoice, style: Style, times: usize) {
        let made = match times {
            0 | 1 => self.town.qvapay.deliver(invoice.uuid, style).await.into_iter().collect(),
            times => self.town.qvapay.deliver_at_once(invoice.uuid, times).await,
        };
        let taken = made.into_iter().filter(|attempt| attempt.status == Some(200));
        self.callbacks.extend(taken.map(|attempt| attempt.body));
    }

    pub async fn callback(&mut self, step: Step) -> String {
        if step.dice(10) == 0 {
            let answers = [Answers::V2, Answers::Legacy][step.pick as usize % 2];
            self.town.qvapay.answer_as(answers);
            return format!("QvaPay answers as {answers:?}");
        }
        let invoices = self.town.qvapay.invoices();
        let Some(invoice) = step.pick_of(&invoices) else { return "there is no invoice".to_owned() };
        let style = if step.dice(6) == 0 { Style::Get } else { Style::Signed };
        let times = 1 + step.how as usize % 4;
        let times = if style == Style::Get { 1 } else { times };
        self.call_back(invoice, style, times).await;
        format!("{times} callbacks of {}, {style:?}", invoice.remote_id)
    }
}

/// The content of an update that tells of money in Stars.
pub fn paid_message(payer: i64, currency: &str, amount: i64, order: &str, charge: &str, at: i64) -> Value {
    let person = json!({ "id": payer, "is_bot": false, "first_name": "P" });
    json!({
        "message_id": 1,
        "from": person,
        "chat": { "id": payer, "type": "private", "first_name": "P" },
        "date": at,
        "successful_payment": {
            "currency": currency,
            "total_amount": amount,
            "invoice_payload": format!("{order}.v1"),
            "telegram_payment_charge_id": charge,
            "provider_payment_charge_id": "",
        },
    })
}

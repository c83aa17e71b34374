//! Telegram Stars: invoices, the answer to the pre-checkout question, refunds, the list of transactions.

use serde_json::{Value, json};

use super::Context;
use super::messages::post;
use crate::demo::telegram::answer::{Answer, ApiError, Success};
use crate::demo::telegram::keyboard::{Action, Button};
use crate::demo::telegram::queues::chat_queue;
use crate::demo::telegram::wire;
use crate::demo::telegram::world::{Charge, Content, Invoice, NewMessage};

/// Seconds; the only length a subscription in Stars can have.
const MONTH: i64 = 2_592_000;

pub fn send_invoice(call: &mut Context) -> Answer {
    let key = call.destination()?;
    let invoice = invoice(call)?;
    if invoice.subscription_period.is_some() {
        return Err(ApiError::bad("SUBSCRIPTION_PERIOD_INVALID"));
    }
    let pay =
        || vec![vec![Button { text: format!("Pay ⭐️{}", invoice.amount), action: Action::Pay(true) }]];
    let keyboard = call.keyboard(true)?.unwrap_or_else(pay);
    let reply_to = call.reply_to(key)?;
    let content = Content::Invoice { invoice, receipt: None };
    let new = NewMessage { keyboard: Some(keyboard), reply_to, ..NewMessage::new(true, call.now, content) };
    Ok(Success::new(post(call, key, new)))
}

pub fn create_link(call: &mut Context) -> Answer {
    let invoice = invoice(call)?;
    let slug = format!("demo{:06}", call.world.next_number());
    call.world.links.insert(slug.clone(), (call.bot, invoice));
    Ok(Success::new(json!(format!("https://t.me/${slug}"))))
}

fn invoice(call: &Context) -> Result<Invoice, ApiError> {
    let text = |name: &str| call.fields.text_or_empty(name);
    let (title, description, payload) = (text("title"), text("description"), text("payload"));
    let within = |text: &str, limit: usize| !text.trim().is_empty() && text.chars().count() <= limit;
    if !within(&title, 32) {
        return Err(ApiError::bad("INVOICE_TITLE_INVALID"));
    }
    if !within(&description, 255) {
        return Err(ApiError::bad("INVOICE_DESCRIPTION_INVALID"));
    }
    if payload.is_empty() || payload.len() > 128 {
        return Err(ApiError::bad("INVOICE_PAYLOAD_INVALID"));
    }
    if text("currency") != "XTR" {
        return Err(ApiError::bad("CURRENCY_INVALID"));
    }
    if !text("provider_token").is_empty() {
        return Err(ApiError::bad("PAYMENT_PROVIDER_INVALID"));
    }
    let prices =
        call.fields.json("prices")?.ok_or_else(|| ApiError::bad("can't parse prices JSON object"))?;
    let amount = match prices.as_array().map(Vec::as_slice) {
        Some([price])
            if price.get("label").and_then(Value::as_str).is_some_and(|label| !label.is_empty()) =>
        {
            price.get("amount").and_then(Value::as_i64).filter(|amount| (1..=100_000).contains(amount))
        }
        _ => return Err(ApiError::bad("STARS_INVOICE_INVALID")),
    };
    let amount = amount.ok_or_else(|| ApiError::bad("CURRENCY_TOTAL_AMOUNT_INVALID"))?;
    let subscription_period = call.fields.integer("subscription_period");
    if subscription_period.is_some_and(|period| period != MONTH || amount > 10_000) {
        return Err(ApiError::bad("SUBSCRIPTION_PERIOD_INVALID"));
    }
    Ok(Invoice { title, description, payload, amount, subscription_period })
}

pub fn answer_checkout(call: &mut Context) -> Answer {
    let id = call.fields.text_or_empty("pre_checkout_query_id");
    let words = call.fields.text("error_message").filter(|words| !words.is_empty());
    let answer = match (call.fields.flag("ok"), words) {
        (true, _) => Ok(()),
        (false, Some(words)) => Err(words),
        (false, None) => return Err(ApiError::bad("error message can't be empty")),
    };
    let (bot, now, limit) = (call.bot, call.now, call.rules.checkout_limit);
    let checkout = call
        .world
        .checkouts
        .get_mut(&id)
        .filter(|open| {
            open.bot == bot && open.answer.is_none() && !open.given_up && now.since(open.at) <= limit
        })
        .ok_or_else(|| {
            ApiError::bad("query is too old and response timeout expired or query ID is invalid")
        })?;
    checkout.answer = Some(answer);
    Ok(Success::yes())
}

pub fn refund(call: &mut Context) -> Answer {
    let charge_id = call.fields.text_or_empty("telegram_payment_charge_id");
    let person = call.fields.integer("user_id").filter(|id| call.world.person(*id).is_some());
    let person = person.ok_or_else(|| ApiError::bad("invalid user_id specified"))?;
    let (bot, now) = (call.bot, call.now);
    let moment = call.world.moment(now);
    let charge = call
        .world
        .charges
        .iter_mut()
        .find(|charge| charge.bot == bot && charge.person == person && charge.payment.charge_id == charge_id)
        .ok_or_else(|| ApiError::bad("CHARGE_NOT_FOUND"))?;
    if charge.refunded.is_some() {
        return Err(ApiError::bad("CHARGE_ALREADY_REFUNDED"));
    }
    charge.refunded = Some(moment);
    let payment = charge.payment.clone();
    let amount = payment.amount;
    call.world.bot_mut(bot).stars -= amount;
    if let Some(person) = call.world.person_mut(person) {
        person.stars += amount;
    }
    let key = (bot, person);
    let id = call.world.post(key, NewMessage::new(false, now, Content::Refunded(payment)));
    if let Some(message) = call.world.message(key, id) {
        let message = call.world.message_wire(key, message);
        call.world.push_update(bot, "message", &chat_queue(person), now, &message);
    }
    Ok(Success::yes())
}

/// In the order in which they happened; a refund has the id of its payment.
pub fn transactions(call: &mut Context) -> Answer {
    let offset = usize::try_from(call.fields.integer("offset").unwrap_or(0)).unwrap_or(0);
    let limit = call.fields.integer("limit").unwrap_or(100).clamp(1, 100);
    let mut all: Vec<(u64, Value)> = Vec::new();
    for charge in call.world.charges.iter().filter(|charge| charge.bot == call.bot) {
        all.push((charge.paid.place, transaction(call, charge, charge.paid.at, "source")));
        if let Some(refunded) = charge.refunded {
            all.push((refunded.place, transaction(call, charge, refunded.at, "receiver")));
        }
    }
    all.sort_by_key(|(place, _)| *place);
    let page: Vec<Value> =
        all.into_iter().skip(offset).take(limit as usize).map(|(_, value)| value).collect();
    Ok(Success::new(json!({"transactions": page})))
}

fn transaction(call: &Context, charge: &Charge, at: crate::clock::Timestamp, side: &str) -> Value {
    let mut partner = json!({
        "type": "user",
        "transaction_type": "invoice_payment",
        "user": call.world.person(charge.person).map(wire::person),
        "invoice_payload": charge.payment.payload,
    });
    if charge.payment.subscribed_until.is_some() {
        partner["subscription_period"] = json!(MONTH);
    }
    let mut transaction =
        json!({"id": charge.payment.charge_id, "amount": charge.payment.amount, "date": at.unix()});
    transaction[side] = partner;
    transaction
}

pub fn balance(call: &mut Context) -> Answer {
    Ok(Success::new(json!({"amount": call.world.bot(call.bot).stars})))
}

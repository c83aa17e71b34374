//! The JSON shapes in which Telegram writes users, chats and messages.

use serde_json::{Value, json};

use super::entities::{Entity, Formatted, Kind};
use super::keyboard;
use super::world::{BotAccount, ChatKey, Content, Invoice, Message, Payment, Person, World};

pub fn person(person: &Person) -> Value {
    let mut user = json!({"id": person.id, "is_bot": false, "first_name": person.first_name});
    add(&mut user, "last_name", &person.last_name);
    add(&mut user, "username", &person.username);
    add(&mut user, "language_code", &person.language_code);
    user
}

pub fn bot(bot: &BotAccount) -> Value {
    let name = bot.texts.get(&("name", String::new())).unwrap_or(&bot.name);
    json!({"id": bot.id, "is_bot": true, "first_name": name, "username": bot.username})
}

/// The private chat with a person.
pub fn chat(person: &Person) -> Value {
    let mut chat = json!({"id": person.id, "type": "private", "first_name": person.first_name});
    add(&mut chat, "last_name", &person.last_name);
    add(&mut chat, "username", &person.username);
    chat
}

fn add(object: &mut Value, name: &str, value: &Option<String>) {
    if let Some(value) = value {
        object[name] = json!(value);
    }
}

impl World {
    pub fn person_wire(&self, id: i64) -> Value {
        self.person(id).map(person).unwrap_or_default()
    }

    /// A message as the Bot API shows it, with the message it replies to.
    pub fn message_wire(&self, key: ChatKey, message: &Message) -> Value {
        let mut wire = self.bare_message(key, message);
        if let Some(replied) = message.reply_to.and_then(|id| self.message(key, id)) {
            wire["reply_to_message"] = self.bare_message(key, replied);
        }
        wire
    }

    fn author(&self, from_bot: bool, id: i64) -> Value {
        if from_bot { bot(self.bot(id)) } else { self.person_wire(id) }
    }

    fn bare_message(&self, key: ChatKey, message: &Message) -> Value {
        let author = if message.from_bot { key.0 } else { key.1 };
        let mut wire = json!({
            "message_id": message.id,
            "from": self.author(message.from_bot, author),
            "chat": self.person(key.1).map(chat),
            "date": message.date.unix(),
        });
        if let Some(edited) = message.edited {
            wire["edit_date"] = json!(edited.unix());
        }
        if let Some(origin) = &message.forwarded {
            let author = self.author(origin.from_bot, origin.author);
            let date = origin.date.unix();
            wire["forward_origin"] = json!({"type": "user", "sender_user": author, "date": date});
            wire["forward_from"] = author;
            wire["forward_date"] = json!(date);
        }
        self.add_content(&mut wire, &message.content);
        if let Some(buttons) = &message.keyboard {
            wire["reply_markup"] = keyboard::wire(buttons);
        }
        wire
    }

    fn add_content(&self, wire: &mut Value, content: &Content) {
        match content {
            Content::Text(text) => self.add_words(wire, "text", "entities", text),
            Content::Photo { file, caption } => {
                let (width, height) = self.files[*file].size.unwrap_or_default();
                let mut photo = self.file_wire(*file);
                photo["width"] = json!(width);
                photo["height"] = json!(height);
                wire["photo"] = json!([photo]);
                self.add_words(wire, "caption", "caption_entities", caption);
            }
            Content::Document { file, caption } => {
                let stored = &self.files[*file];
                let mut document = self.file_wire(*file);
                document["file_name"] = json!(stored.name);
                document["mime_type"] = json!(stored.mime);
                wire["document"] = document;
                self.add_words(wire, "caption", "caption_entities", caption);
            }
            Content::Invoice { invoice, .. } => wire["invoice"] = invoice_wire(invoice),
            Content::Paid(payment) => wire["successful_payment"] = payment_wire(payment, true),
            Content::Refunded(payment) => wire["refunded_payment"] = payment_wire(payment, false),
        }
    }

    fn add_words(&self, wire: &mut Value, text: &str, entities: &str, words: &Formatted) {
        if words.text.is_empty() {
            return;
        }
        wire[text] = json!(words.text);
        let listed: Vec<Value> = words.entities.iter().map(|entity| self.entity_wire(entity)).collect();
        if !listed.is_empty() {
            wire[entities] = json!(listed);
        }
    }

    fn entity_wire(&self, entity: &Entity) -> Value {
        let mut wire = json!(entity);
        if let Kind::TextMention { user } = &entity.kind
            && let Some(known) = self.person(user.id)
        {
            wire["user"] = person(known);
        }
        wire
    }

    /// What every kind of file has: ids and size.
    pub fn file_wire(&self, file: usize) -> Value {
        json!({
            "file_id": file_id(file),
            "file_unique_id": format!("AgADdemo{file}"),
            "file_size": self.files[file].bytes.len(),
        })
    }
}

/// The `file_id` of a stored file.
pub fn file_id(file: usize) -> String {
    format!("BQACAgEAAxkDdemo{file}")
}

/// The stored file that a `file_id` names.
pub fn file_number(file_id: &str) -> Option<usize> {
    file_id.strip_prefix("BQACAgEAAxkDdemo")?.parse().ok()
}

fn invoice_wire(invoice: &Invoice) -> Value {
    json!({
        "title": invoice.title,
        "description": invoice.description,
        "start_parameter": "",
        "currency": "XTR",
        "total_amount": invoice.amount,
    })
}

fn payment_wire(payment: &Payment, successful: bool) -> Value {
    let mut wire = json!({
        "currency": "XTR",
        "total_amount": payment.amount,
        "invoice_payload": payment.payload,
        "telegram_payment_charge_id": payment.charge_id,
    });
    if successful {
        wire["provider_payment_charge_id"] = json!("0_0");
        if let Some(until) = payment.subscribed_until {
            wire["subscription_expiration_date"] = json!(until.unix());
            wire["is_recurring"] = json!(true);
            wire["is_first_recurring"] = json!(true);
        }
    }
    wire
}

/// JSON text with everything beyond ASCII as `\uXXXX`, as Telegram's server writes bodies.
pub fn ascii(value: &Value) -> String {
    let mut written = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() {
            written.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                written.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    written
}

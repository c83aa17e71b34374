//! A chat as the person sees it, and the story of how it came to be, told as a readable transcript.

use serde::Serialize;

use super::entities::{Entity, Formatted};
use super::html;
use super::keyboard::{Action, Button, Keyboard};
use super::wire;
use super::world::{ChatKey, Content, Message, World};

/// Lines of what was said and done, oldest first.
pub type Story = Vec<String>;

/// Seconds for which "typing" is shown.
const TYPING_SECONDS: i64 = 5;

#[derive(Clone, Debug, Serialize)]
pub struct ChatView {
    /// Username of the bot.
    pub bot: String,
    pub blocked: bool,
    /// Whether the person has written yet; a chat begins with a Start button.
    pub opened: bool,
    pub typing: bool,
    /// Oldest first.
    pub messages: Vec<MessageView>,
    #[serde(skip)]
    pub story: Story,
}

#[derive(Clone, Debug, Serialize)]
pub struct MessageView {
    pub id: i64,
    pub from_bot: bool,
    /// Seconds since 1970.
    pub date: i64,
    pub edited: bool,
    /// Text or caption without its formatting.
    pub text: String,
    pub entities: Vec<Entity>,
    /// Text or caption as Telegram's HTML.
    pub html: String,
    pub keyboard: Keyboard,
    pub photo: Option<FileView>,
    pub document: Option<FileView>,
    pub invoice: Option<InvoiceView>,
    /// Stars of a successful payment.
    pub paid: Option<PaymentView>,
    pub refunded: Option<PaymentView>,
    pub reply_to: Option<i64>,
    pub forwarded: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct FileView {
    pub name: String,
    pub mime: String,
    pub size: usize,
    /// Pixels, for pictures.
    pub pixels: Option<(u32, u32)>,
    /// Path at this counterpart.
    pub path: String,
    #[serde(skip)]
    pub bytes: axum::body::Bytes,
}

#[derive(Clone, Debug, Serialize)]
pub struct InvoiceView {
    pub title: String,
    pub description: String,
    /// Stars.
    pub amount: i64,
    pub payload: String,
    pub paid: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct PaymentView {
    /// Stars.
    pub amount: i64,
    pub charge_id: String,
    pub payload: String,
}

impl ChatView {
    /// The newest message.
    pub fn last(&self) -> Option<&MessageView> {
        self.messages.last()
    }

    pub fn message(&self, id: i64) -> Option<&MessageView> {
        self.messages.iter().find(|message| message.id == id)
    }

    /// The newest message of the bot.
    pub fn last_from_bot(&self) -> Option<&MessageView> {
        self.messages.iter().rev().find(|message| message.from_bot)
    }

    /// The newest message of the bot whose text contains `part`.
    pub fn saying(&self, part: &str) -> Option<&MessageView> {
        self.messages.iter().rev().find(|message| message.from_bot && message.text.contains(part))
    }

    /// The newest message with a button whose text or data is, or contains, `button`.
    pub fn with_button(&self, button: &str) -> Option<&MessageView> {
        self.messages.iter().rev().find(|message| message.button(button).is_some())
    }

    /// The newest invoice that is not paid.
    pub fn open_invoice(&self) -> Option<&MessageView> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.invoice.as_ref().is_some_and(|invoice| !invoice.paid))
    }

    /// The story of the chat, a line for everything said and done.
    pub fn transcript(&self) -> String {
        self.story.join("\n")
    }
}

impl MessageView {
    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        self.keyboard.iter().flatten()
    }

    /// The button with this text or callback data; else the first whose text contains it.
    pub fn button(&self, wanted: &str) -> Option<&Button> {
        let is = |button: &&Button| {
            button.text == wanted || matches!(&button.action, Action::CallbackData(data) if data == wanted)
        };
        self.buttons().find(is).or_else(|| self.buttons().find(|button| button.text.contains(wanted)))
    }
}

impl World {
    /// The chat of a person with a bot, as the person sees it.
    pub fn chat_view(&self, key: ChatKey, now: crate::clock::Timestamp) -> ChatView {
        let chat = self.chats.get(&key);
        let typing = chat.and_then(|chat| chat.typing);
        ChatView {
            bot: self.bot(key.0).username.clone(),
            blocked: chat.is_some_and(|chat| chat.blocked),
            opened: chat.is_some_and(|chat| chat.opened),
            typing: typing.is_some_and(|since| now.since(since).num_seconds() < TYPING_SECONDS),
            messages: chat
                .iter()
                .flat_map(|chat| chat.messages.values())
                .map(|m| self.message_view(m))
                .collect(),
            story: chat.map(|chat| chat.story.clone()).unwrap_or_default(),
        }
    }

    fn message_view(&self, message: &Message) -> MessageView {
        let none = Formatted::default();
        let words = message.content.words().unwrap_or(&none);
        let mut view = MessageView {
            id: message.id,
            from_bot: message.from_bot,
            date: message.date.unix(),
            edited: message.edited.is_some(),
            text: words.text.clone(),
            entities: words.entities.clone(),
            html: html::render(words),
            keyboard: message.keyboard.clone().unwrap_or_default(),
            photo: None,
            document: None,
            invoice: None,
            paid: None,
            refunded: None,
            reply_to: message.reply_to,
            forwarded: message.forwarded.is_some(),
        };
        let payment = |payment: &super::world::Payment| PaymentView {
            amount: payment.amount,
            charge_id: payment.charge_id.clone(),
            payload: payment.payload.clone(),
        };
        match &message.content {
            Content::Text(_) => {}
            Content::Photo { file, .. } => view.photo = Some(self.file_view(*file)),
            Content::Document { file, .. } => view.document = Some(self.file_view(*file)),
            Content::Invoice { invoice, receipt } => {
                view.invoice = Some(InvoiceView {
                    title: invoice.title.clone(),
                    description: invoice.description.clone(),
                    amount: invoice.amount,
                    payload: invoice.payload.clone(),
                    paid: receipt.is_some(),
                });
            }
            Content::Paid(paid) => view.paid = Some(payment(paid)),
            Content::Refunded(refunded) => view.refunded = Some(payment(refunded)),
        }
        view
    }

    fn file_view(&self, file: usize) -> FileView {
        let stored = &self.files[file];
        FileView {
            name: stored.name.clone(),
            mime: stored.mime.clone(),
            size: stored.bytes.len(),
            pixels: stored.size,
            path: format!("/_demo/files/{}", wire::file_id(file)),
            bytes: stored.bytes.clone(),
        }
    }

    /// Adds a line to a chat's story.
    pub fn tell(&mut self, key: ChatKey, line: &str) {
        self.chat(key).story.push(line.to_owned());
    }

    /// Tells a message: who, what (`doing` after the name), and the buttons under it.
    pub fn tell_message(&mut self, key: ChatKey, message: &Message, doing: &str) {
        let name = if message.from_bot { self.bot(key.0).name.clone() } else { self.person_name(key.1) };
        let said = self.told(&message.content);
        let mut lines = said.lines();
        self.tell(key, &format!("{name}{doing}: {}", lines.next().unwrap_or("")));
        for line in lines {
            self.tell(key, &format!("    {line}"));
        }
        for row in message.keyboard.iter().flatten() {
            let buttons: Vec<String> = row.iter().map(|button| format!("[{}]", button.text)).collect();
            self.tell(key, &format!("    {}", buttons.join(" ")));
        }
    }

    /// A message's content in words.
    pub fn told(&self, content: &Content) -> String {
        let with_caption = |label: String, caption: &Formatted| {
            if caption.text.is_empty() { label } else { format!("{label}\n{}", caption.text) }
        };
        match content {
            Content::Text(text) => text.text.clone(),
            Content::Photo { file, caption } => {
                let (width, height) = self.files[*file].size.unwrap_or_default();
                with_caption(format!("🖼 picture, {width}×{height}"), caption)
            }
            Content::Document { file, caption } => {
                let file = &self.files[*file];
                with_caption(format!("📄 {} ({} bytes)", file.name, file.bytes.len()), caption)
            }
            Content::Invoice { invoice, .. } => {
                format!("🧾 {}: {} — ⭐{}", invoice.title, invoice.description, invoice.amount)
            }
            Content::Paid(payment) => format!("paid ⭐{}", payment.amount),
            Content::Refunded(payment) => format!("got ⭐{} back", payment.amount),
        }
    }
}

//! Sending messages of the outbox.

use std::fmt;

use futures::future::join;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::value::RawValue;
use teloxide_core::payloads::{
    AnswerCallbackQuery, AnswerCallbackQuerySetters, AnswerPreCheckoutQuery, AnswerPreCheckoutQuerySetters,
    EditMessageText, EditMessageTextSetters, SendInvoice, SendInvoiceSetters, SendMessage,
    SendMessageSetters,
};
use teloxide_core::types::{
    self as tg, CallbackQueryId, CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, LabeledPrice,
    LinkPreviewOptions, ParseMode, PreCheckoutQueryId,
};

use super::answer::{About, Failure};
use super::{SendError, Telegram};
use crate::ids::ChatId;
use crate::models::outgoing::{Ack, Button, ButtonAction, Keyboard};
use crate::money::Currency;

/// What a `models::outgoing::Body` becomes at the moment it is sent, with every word, key and file made. It may hold
/// secrets, so it prints as its kind alone.
#[derive(Clone, PartialEq)]
pub enum Rendered {
    Text { html: String, keyboard: Option<Keyboard> },
    Edit { message_id: i64, html: String, keyboard: Option<Keyboard>, ack: Option<Ack> },
    Ack(Ack),
    Document { file: Upload, caption: String, keyboard: Option<Keyboard> },
    Photo { file: Upload, caption: String, keyboard: Option<Keyboard> },
    StarsInvoice { title: String, description: String, payload: String, amount: i64 },
    PreCheckout { query_id: String, error: Option<String> },
}

/// A file to send.
#[derive(Clone, PartialEq)]
pub struct Upload {
    pub file_name: String,
    pub bytes: Vec<u8>,
    /// Its type, e.g. `image/png`.
    pub mime: &'static str,
}

/// A message that Telegram accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Of the message that now shows the text; None when the answer did not say, or nothing is shown.
    pub message_id: Option<i64>,
}

/// Answers after which a message cannot be edited any more, but could be sent anew.
const UNEDITABLE: &[&str] = &[
    "message can't be edited",
    "message to edit not found",
    "message_id_invalid",
    "message identifier is not specified",
    "there is no text in the message to edit",
];
/// The person does not wait for the answer any more.
const QUERY_IS_OVER: &[&str] = &["query is too old", "query id is invalid", "query_id_invalid"];

impl Telegram {
    /// Sends once. An edit that changes nothing and an answer that nobody waits for any more count as done; an edit of
    /// what cannot be edited becomes a new message.
    pub async fn send(&self, chat: ChatId, message: &Rendered) -> Result<Sent, SendError> {
        match message {
            Rendered::Text { html, keyboard } => self.send_text(chat, html, keyboard.as_ref()).await,
            Rendered::Edit { message_id, html, keyboard, ack } => {
                let edit = self.edit(chat, *message_id, html, keyboard.as_ref());
                match ack {
                    // The answer to the press only stops a spinner: its failure must not repeat the edit.
                    Some(ack) => join(edit, self.acknowledge(chat, ack)).await.0,
                    None => edit.await,
                }
            }
            Rendered::Ack(ack) => self.acknowledge(chat, ack).await,
            Rendered::Document { file, caption, keyboard } => {
                self.upload(chat, "sendDocument", "document", file, caption, keyboard.as_ref()).await
            }
            Rendered::Photo { file, caption, keyboard } => {
                self.upload(chat, "sendPhoto", "photo", file, caption, keyboard.as_ref()).await
            }
            Rendered::StarsInvoice { title, description, payload, amount } => {
                self.send_invoice(chat, title, description, payload, *amount).await
            }
            Rendered::PreCheckout { query_id, error } => {
                self.answer_pre_checkout(chat, query_id, error.as_deref()).await
            }
        }
    }

    async fn send_text(
        &self,
        chat: ChatId,
        html: &str,
        keyboard: Option<&Keyboard>,
    ) -> Result<Sent, SendError> {
        let mut message =
            SendMessage::new(to(chat), html).parse_mode(ParseMode::Html).link_preview_options(no_preview());
        if let Some(keyboard) = keyboard {
            message = message.reply_markup(markup(keyboard)?);
        }
        let result =
            self.call(&message).await.map_err(|failure| failure.classify(About::NewMessage(chat)))?;
        Ok(Sent::of(result.as_deref()))
    }

    async fn edit(
        &self,
        chat: ChatId,
        message_id: i64,
        html: &str,
        keyboard: Option<&Keyboard>,
    ) -> Result<Sent, SendError> {
        let same = Sent { message_id: Some(message_id) };
        let mut message = EditMessageText::new(to(chat), message(message_id)?, html)
            .parse_mode(ParseMode::Html)
            .link_preview_options(no_preview());
        if let Some(keyboard) = keyboard {
            message = message.reply_markup(markup(keyboard)?);
        }
        match self.call(&message).await {
            Ok(_) => Ok(same),
            Err(failure) if failure.says(&["message is not modified"]) => Ok(same),
            Err(failure) if failure.says(UNEDITABLE) => self.send_text(chat, html, keyboard).await,
            Err(failure) => Err(failure.classify(About::Chat(chat))),
        }
    }

    async fn acknowledge(&self, chat: ChatId, ack: &Ack) -> Result<Sent, SendError> {
        let mut answer = AnswerCallbackQuery::new(CallbackQueryId(ack.callback_id.clone()));
        if let Some(text) = &ack.text {
            answer = answer.text(text.clone()).show_alert(ack.alert);
        }
        done_or_over(self.call(&answer).await.map(drop), chat)
    }

    async fn answer_pre_checkout(
        &self,
        chat: ChatId,
        query_id: &str,
        error: Option<&str>,
    ) -> Result<Sent, SendError> {
        let query_id = PreCheckoutQueryId(query_id.to_owned());
        let mut answer = AnswerPreCheckoutQuery::new(query_id, error.is_none());
        if let Some(error) = error {
            answer = answer.error_message(error);
        }
        done_or_over(self.call(&answer).await.map(drop), chat)
    }

    async fn send_invoice(
        &self,
        chat: ChatId,
        title: &str,
        description: &str,
        payload: &str,
        amount: i64,
    ) -> Result<Sent, SendError> {
        let amount =
            u32::try_from(amount).map_err(|_| permanent(format!("{amount} is not a price in Stars")))?;
        let price = LabeledPrice { label: title.to_owned(), amount };
        let stars = Currency::stars();
        let invoice = SendInvoice::new(to(chat), title, description, payload, stars.as_str(), [price])
            .provider_token("");
        let result =
            self.call(&invoice).await.map_err(|failure| failure.classify(About::NewMessage(chat)))?;
        Ok(Sent::of(result.as_deref()))
    }

    async fn upload(
        &self,
        chat: ChatId,
        method: &str,
        field: &'static str,
        file: &Upload,
        caption: &str,
        keyboard: Option<&Keyboard>,
    ) -> Result<Sent, SendError> {
        let part = Part::bytes(file.bytes.clone()).file_name(file.file_name.clone());
        let part = part.mime_str(file.mime).map_err(|error| permanent(error.to_string()))?;
        let mut form = Form::new().text("chat_id", chat.to_string()).part(field, part);
        if !caption.is_empty() {
            form = form.text("caption", caption.to_owned()).text("parse_mode", "HTML");
        }
        if let Some(keyboard) = keyboard {
            let markup =
                serde_json::to_string(&markup(keyboard)?).map_err(|error| permanent(error.to_string()))?;
            form = form.text("reply_markup", markup);
        }
        let result = self.post(method, self.0.upload, |request| request.multipart(form)).await;
        let result = result.map_err(|failure| failure.classify(About::NewMessage(chat)))?;
        Ok(Sent::of(result.as_deref()))
    }
}

impl Sent {
    /// From the message that Telegram answers with, of which only the id is read.
    fn of(result: Option<&RawValue>) -> Self {
        #[derive(Deserialize)]
        struct Message {
            message_id: i64,
        }
        let message: Option<Message> = result.and_then(|raw| serde_json::from_str(raw.get()).ok());
        Self { message_id: message.map(|it| it.message_id) }
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rendered::Text { .. } => "Text",
            Rendered::Edit { .. } => "Edit",
            Rendered::Ack(_) => "Ack",
            Rendered::Document { .. } => "Document",
            Rendered::Photo { .. } => "Photo",
            Rendered::StarsInvoice { .. } => "StarsInvoice",
            Rendered::PreCheckout { .. } => "PreCheckout",
        })
    }
}

/// The answer to a question that may be over by now, which is as good as done.
fn done_or_over(result: Result<(), Failure>, chat: ChatId) -> Result<Sent, SendError> {
    match result {
        Err(failure) if !failure.says(QUERY_IS_OVER) => Err(failure.classify(About::Chat(chat))),
        _ => Ok(Sent { message_id: None }),
    }
}

fn permanent(reason: String) -> SendError {
    SendError::Permanent(reason)
}

fn to(chat: ChatId) -> tg::ChatId {
    tg::ChatId(chat.0)
}

fn message(id: i64) -> Result<tg::MessageId, SendError> {
    let id = i32::try_from(id).map_err(|_| permanent(format!("{id} is not a message id")))?;
    Ok(tg::MessageId(id))
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

fn markup(keyboard: &Keyboard) -> Result<InlineKeyboardMarkup, SendError> {
    let row = |buttons: &Vec<Button>| buttons.iter().map(button).collect::<Result<Vec<_>, _>>();
    Ok(InlineKeyboardMarkup::new(keyboard.0.iter().map(row).collect::<Result<Vec<_>, _>>()?))
}

fn button(button: &Button) -> Result<InlineKeyboardButton, SendError> {
    let text = button.text.clone();
    Ok(match &button.action {
        ButtonAction::Callback(data) => InlineKeyboardButton::callback(text, data.clone()),
        ButtonAction::Copy(copied) => {
            InlineKeyboardButton::copy_text_button(text, CopyTextButton { text: copied.clone() })
        }
        ButtonAction::Url(url) => {
            let url = url.parse().map_err(|error| permanent(format!("the address of a button: {error}")))?;
            InlineKeyboardButton::url(text, url)
        }
    })
}

//! The Bot API methods, each a function from a call to its answer.

mod callbacks;
mod edits;
mod messages;
mod payments;
mod profile;

use super::Rules;
use super::answer::{Answer, ApiError};
use super::entities::Formatted;
use super::html;
use super::keyboard::{self, Keyboard};
use super::request::Fields;
use super::webhook;
use super::world::{ChatKey, Message, World};
use crate::clock::Timestamp;

/// One call while it is executed.
pub struct Context<'a> {
    pub world: &'a mut World,
    /// The bot that calls.
    pub bot: i64,
    pub now: Timestamp,
    pub fields: &'a Fields,
    pub rules: Rules,
}

type Method = fn(&mut Context) -> Answer;

const METHODS: &[(&str, Method)] = &[
    ("getMe", profile::get_me),
    ("setWebhook", webhook::set),
    ("deleteWebhook", webhook::delete),
    ("getWebhookInfo", webhook::info),
    ("setMyCommands", profile::set_commands),
    ("getMyCommands", profile::get_commands),
    ("deleteMyCommands", profile::delete_commands),
    ("setMyName", profile::set_name),
    ("getMyName", profile::get_name),
    ("setMyDescription", profile::set_description),
    ("getMyDescription", profile::get_description),
    ("setMyShortDescription", profile::set_short_description),
    ("getMyShortDescription", profile::get_short_description),
    ("getChat", profile::get_chat),
    ("setChatMenuButton", profile::set_menu_button),
    ("sendMessage", messages::send_message),
    ("sendPhoto", messages::send_photo),
    ("sendDocument", messages::send_document),
    ("forwardMessage", messages::forward_message),
    ("copyMessage", messages::copy_message),
    ("sendChatAction", messages::send_chat_action),
    ("editMessageText", edits::edit_text),
    ("editMessageCaption", edits::edit_caption),
    ("editMessageReplyMarkup", edits::edit_keyboard),
    ("deleteMessage", edits::delete_message),
    ("deleteMessages", edits::delete_messages),
    ("answerCallbackQuery", callbacks::answer),
    ("sendInvoice", payments::send_invoice),
    ("createInvoiceLink", payments::create_link),
    ("answerPreCheckoutQuery", payments::answer_checkout),
    ("refundStarPayment", payments::refund),
    ("getStarTransactions", payments::transactions),
    ("getMyStarBalance", payments::balance),
    // What the server must not be surprised by, answered as Telegram does for a bot with a webhook.
    ("getUpdates", profile::get_updates),
    ("logOut", profile::log_out),
    ("close", profile::log_out),
];

/// The documented spelling of a method; case does not matter to Telegram.
pub fn canonical(name: &str) -> Option<&'static str> {
    METHODS.iter().map(|(known, _)| *known).find(|known| known.eq_ignore_ascii_case(name))
}

/// Executes a method.
pub fn execute(name: &str, call: &mut Context) -> Answer {
    match METHODS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((_, method)) => method(call),
        None => Err(ApiError::new(404, "Not Found: method not found")),
    }
}

impl Context<'_> {
    /// The private chat in `field`, which must exist and not have blocked the bot.
    fn chat(&self, field: &str) -> Result<ChatKey, ApiError> {
        if self.fields.text(field).is_none_or(|id| id.is_empty()) {
            return Err(ApiError::bad(format!("{field} is empty")));
        }
        let person = self.fields.integer(field).ok_or_else(|| ApiError::bad("chat not found"))?;
        let key = (self.bot, person);
        match self.world.chats.get(&key) {
            Some(chat) if chat.blocked => Err(ApiError::forbidden("bot was blocked by the user")),
            Some(chat) if chat.opened => Ok(key),
            _ => Err(ApiError::bad("chat not found")),
        }
    }

    /// The chat that a new message goes to, if flood control lets it.
    fn destination(&mut self) -> Result<ChatKey, ApiError> {
        let key = self.chat("chat_id")?;
        self.world.flood.pass(key.0, key.1, self.now)?;
        Ok(key)
    }

    /// A formatted text of at most `limit` characters, counted after its formatting was taken out.
    fn words(
        &self,
        field: &str,
        entities: &str,
        limit: usize,
        too_long: &str,
    ) -> Result<Formatted, ApiError> {
        let text = self.fields.text_or_empty(field);
        let mode = self.fields.text_or_empty("parse_mode");
        let formatted = match mode.to_ascii_lowercase().as_str() {
            "html" => {
                html::parse(&text).map_err(|why| ApiError::bad(format!("can't parse entities: {why}")))?
            }
            "" => {
                let mut formatted = Formatted { text, entities: self.entities(entities)? };
                formatted.tidy();
                formatted
            }
            _ => return Err(ApiError::bad("unsupported parse_mode")),
        };
        if formatted.text.chars().count() > limit {
            return Err(ApiError::bad(too_long));
        }
        Ok(formatted.detect())
    }

    fn entities(&self, field: &str) -> Result<Vec<super::entities::Entity>, ApiError> {
        let Some(value) = self.fields.json(field)? else { return Ok(Vec::new()) };
        serde_json::from_value(value).map_err(|_| ApiError::bad("can't parse entities"))
    }

    fn caption(&self) -> Result<Formatted, ApiError> {
        self.words("caption", "caption_entities", 1024, "message caption is too long")
    }

    /// `reply_markup`; a pay button belongs under invoices only, and there it comes first.
    fn keyboard(&self, under_invoice: bool) -> Result<Option<Keyboard>, ApiError> {
        let keyboard = keyboard::parse(self.fields.json("reply_markup")?)?;
        let pays = |button: &keyboard::Button| matches!(button.action, keyboard::Action::Pay(_));
        let buttons: Vec<bool> = keyboard.iter().flatten().flatten().map(pays).collect();
        let misplaced = buttons.iter().skip(under_invoice as usize).any(|pay| *pay);
        let missing = under_invoice && buttons.first() == Some(&false);
        if misplaced || missing { Err(ApiError::bad("BUTTON_TYPE_INVALID")) } else { Ok(keyboard) }
    }

    /// The message that the new one answers.
    fn reply_to(&self, key: ChatKey) -> Result<Option<i64>, ApiError> {
        let parameters = self.fields.json("reply_parameters")?;
        let number = |name: &str| parameters.as_ref().and_then(|p| p.get(name)).and_then(|id| id.as_i64());
        let Some(id) = number("message_id").or_else(|| self.fields.integer("reply_to_message_id")) else {
            return Ok(None);
        };
        let lenient =
            |value: &serde_json::Value| value.get("allow_sending_without_reply") == Some(&true.into());
        if self.world.message(key, id).is_some() {
            Ok(Some(id))
        } else if parameters.as_ref().is_some_and(lenient) || self.fields.flag("allow_sending_without_reply")
        {
            Ok(None)
        } else {
            Err(ApiError::bad("message to be replied not found"))
        }
    }

    /// A message of this bot in the chat that the call names.
    fn own_message(&self, absent: &str, foreign: &str) -> Result<(ChatKey, Message), ApiError> {
        let key = self.chat("chat_id")?;
        let id = self
            .fields
            .integer("message_id")
            .ok_or_else(|| ApiError::bad("message identifier is not specified"))?;
        let message = self.world.message(key, id).ok_or_else(|| ApiError::bad(absent))?;
        if message.from_bot { Ok((key, message.clone())) } else { Err(ApiError::bad(foreign)) }
    }
}

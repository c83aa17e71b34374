//! Changing and deleting what a bot sent.

use chrono::Duration;

use super::Context;
use crate::demo::telegram::answer::{Answer, ApiError, Success};
use crate::demo::telegram::keyboard::Keyboard;
use crate::demo::telegram::world::{ChatKey, Content, Message};

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the \
                            same as a current content and reply markup of the message";

pub fn edit_text(call: &mut Context) -> Answer {
    let (key, message) = editable(call)?;
    let text = call.words("text", "entities", 4096, "message is too long")?;
    if text.text.is_empty() {
        return Err(ApiError::bad("message text is empty"));
    }
    if !matches!(message.content, Content::Text(_)) {
        return Err(ApiError::bad("there is no text in the message to edit"));
    }
    let keyboard = call.keyboard(false)?;
    replace(call, key, message, Content::Text(text), keyboard)
}

pub fn edit_caption(call: &mut Context) -> Answer {
    let (key, message) = editable(call)?;
    let caption = call.caption()?;
    let content = match message.content {
        Content::Photo { file, .. } => Content::Photo { file, caption },
        Content::Document { file, .. } => Content::Document { file, caption },
        _ => return Err(ApiError::bad("there is no caption in the message to edit")),
    };
    let keyboard = call.keyboard(false)?;
    replace(call, key, message, content, keyboard)
}

pub fn edit_keyboard(call: &mut Context) -> Answer {
    let (key, message) = editable(call)?;
    let keyboard = call.keyboard(matches!(message.content, Content::Invoice { .. }))?;
    let content = message.content.clone();
    replace(call, key, message, content, keyboard)
}

fn editable(call: &Context) -> Result<(ChatKey, Message), ApiError> {
    call.own_message("message to edit not found", "message can't be edited")
}

fn replace(
    call: &mut Context,
    key: ChatKey,
    mut message: Message,
    content: Content,
    keyboard: Option<Keyboard>,
) -> Answer {
    if message.content == content && message.keyboard == keyboard {
        return Err(ApiError::bad(NOT_MODIFIED));
    }
    if message.forwarded.is_some() || matches!(content, Content::Paid(_) | Content::Refunded(_)) {
        return Err(ApiError::bad("message can't be edited"));
    }
    call.world.flood.pass(key.0, key.1, call.now)?;
    // New buttons alone do not mark a message as edited.
    if message.content != content {
        message.edited = Some(call.now);
    }
    message.content = content;
    message.keyboard = keyboard;
    call.world.tell_message(key, &message, " (edits)");
    let wire = call.world.message_wire(key, &message);
    call.world.chat(key).messages.insert(message.id, message);
    Ok(Success::new(wire))
}

pub fn delete_message(call: &mut Context) -> Answer {
    let key = call.chat("chat_id")?;
    let id = call
        .fields
        .integer("message_id")
        .ok_or_else(|| ApiError::bad("message identifier is not specified"))?;
    let message = call.world.message(key, id).ok_or_else(|| ApiError::bad("message to delete not found"))?;
    if call.now.since(message.date) > Duration::hours(48) {
        return Err(ApiError::bad("message can't be deleted for everyone"));
    }
    call.world.chat(key).messages.remove(&id);
    call.world.tell(key, "(a message is deleted)");
    Ok(Success::yes())
}

/// Deletes what can be deleted and passes over the rest.
pub fn delete_messages(call: &mut Context) -> Answer {
    let key = call.chat("chat_id")?;
    let ids = call.fields.json("message_ids")?.and_then(|ids| serde_json::from_value::<Vec<i64>>(ids).ok());
    let ids = ids.ok_or_else(|| ApiError::bad("message identifiers are not specified"))?;
    let oldest = call.now - Duration::hours(48);
    call.world.chat(key).messages.retain(|id, message| !ids.contains(id) || message.date < oldest);
    Ok(Success::yes())
}

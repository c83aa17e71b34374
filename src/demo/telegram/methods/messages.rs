//! Sending: texts, files, forwards.

use serde_json::json;

use super::Context;
use crate::demo::telegram::answer::{Answer, ApiError, Success};
use crate::demo::telegram::files;
use crate::demo::telegram::request::InputFile;
use crate::demo::telegram::wire;
use crate::demo::telegram::world::{ChatKey, Content, Message, NewMessage, Origin};

pub fn send_message(call: &mut Context) -> Answer {
    let key = call.destination()?;
    let text = call.words("text", "entities", 4096, "message is too long")?;
    if text.text.is_empty() {
        return Err(ApiError::bad("message text is empty"));
    }
    send(call, key, Content::Text(text))
}

pub fn send_photo(call: &mut Context) -> Answer {
    let key = call.destination()?;
    let caption = call.caption()?;
    let file = file(call, "photo", 10 << 20)?;
    if call.world.files[file].size.is_none() {
        return Err(ApiError::bad("IMAGE_PROCESS_FAILED"));
    }
    send(call, key, Content::Photo { file, caption })
}

pub fn send_document(call: &mut Context) -> Answer {
    let key = call.destination()?;
    let caption = call.caption()?;
    let file = file(call, "document", 50 << 20)?;
    send(call, key, Content::Document { file, caption })
}

/// The number of the stored file in `field`; an upload of at most `limit` bytes is stored.
fn file(call: &mut Context, field: &str, limit: usize) -> Result<usize, ApiError> {
    match call.fields.file(field) {
        None => Err(ApiError::bad(format!("there is no {field} in the request"))),
        Some(InputFile::Upload(upload)) if upload.bytes.is_empty() => {
            Err(ApiError::bad("file must be non-empty"))
        }
        Some(InputFile::Upload(upload)) if upload.bytes.len() > limit => {
            Err(ApiError::new(413, "Request Entity Too Large"))
        }
        Some(InputFile::Upload(upload)) => {
            call.world.files.push(files::store(upload));
            Ok(call.world.files.len() - 1)
        }
        Some(InputFile::Reference(reference)) if reference.contains("://") => {
            Err(ApiError::bad("failed to get HTTP URL content"))
        }
        Some(InputFile::Reference(reference)) => wire::file_number(&reference)
            .filter(|number| *number < call.world.files.len())
            .ok_or_else(|| ApiError::bad("wrong remote file identifier specified")),
    }
}

/// Posts what a bot sends, with the buttons and the reply that the call asks for.
fn send(call: &mut Context, key: ChatKey, content: Content) -> Answer {
    let keyboard = call.keyboard(false)?;
    let reply_to = call.reply_to(key)?;
    let new = NewMessage { keyboard, reply_to, ..NewMessage::new(true, call.now, content) };
    Ok(Success::new(post(call, key, new)))
}

/// Posts a message and shows it as the answer to the call.
pub fn post(call: &mut Context, key: ChatKey, new: NewMessage) -> serde_json::Value {
    let id = call.world.post(key, new);
    call.world.chat(key).typing = None;
    call.world.message(key, id).map(|message| call.world.message_wire(key, message)).unwrap_or_default()
}

pub fn forward_message(call: &mut Context) -> Answer {
    let key = call.destination()?;
    let source = source(call, "forward")?;
    let origin = Origin { from_bot: source.1.from_bot, author: source.0, date: source.1.date };
    let forwarded = source.1.forwarded.clone().or(Some(origin));
    let new = NewMessage {
        keyboard: source.1.keyboard,
        forwarded,
        ..NewMessage::new(true, call.now, unpaid(source.1.content))
    };
    Ok(Success::new(post(call, key, new)))
}

pub fn copy_message(call: &mut Context) -> Answer {
    let key = call.destination()?;
    let (_, source) = source(call, "copy")?;
    let mut content = unpaid(source.content);
    if call.fields.text("caption").is_some()
        && let Content::Photo { caption, .. } | Content::Document { caption, .. } = &mut content
    {
        *caption = call.caption()?;
    }
    let keyboard = call.keyboard(false)?;
    let reply_to = call.reply_to(key)?;
    let id =
        call.world.post(key, NewMessage { keyboard, reply_to, ..NewMessage::new(true, call.now, content) });
    Ok(Success::new(json!({"message_id": id})))
}

/// The author and the message that `from_chat_id` and `message_id` name; service messages cannot be passed on.
fn source(call: &Context, verb: &str) -> Result<(i64, Message), ApiError> {
    let key = call.chat("from_chat_id")?;
    let id = call
        .fields
        .integer("message_id")
        .ok_or_else(|| ApiError::bad("message identifier is not specified"))?;
    let message = call.world.message(key, id);
    let message = message.ok_or_else(|| ApiError::bad(format!("message to {verb} not found")))?;
    if matches!(message.content, Content::Paid(_) | Content::Refunded(_)) {
        return Err(ApiError::bad(format!("message can't be {verb}ed")));
    }
    Ok((if message.from_bot { key.0 } else { key.1 }, message.clone()))
}

/// A passed-on invoice can be paid again.
fn unpaid(content: Content) -> Content {
    match content {
        Content::Invoice { invoice, .. } => Content::Invoice { invoice, receipt: None },
        other => other,
    }
}

pub fn send_chat_action(call: &mut Context) -> Answer {
    let key = call.chat("chat_id")?;
    let action = call.fields.text_or_empty("action");
    let known = ["typing", "upload_photo", "upload_document", "choose_sticker", "find_location"];
    if !known.contains(&action.as_str()) && !action.starts_with("record_") && !action.starts_with("upload_") {
        return Err(ApiError::bad("wrong parameter action in request"));
    }
    call.world.chat(key).typing = Some(call.now);
    Ok(Success::yes())
}

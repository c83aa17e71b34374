//! What a bot says about itself: name, descriptions, commands; and questions about chats.

use serde_json::{Value, json};

use super::Context;
use crate::demo::telegram::answer::{Answer, ApiError, Success};
use crate::demo::telegram::wire;
use crate::demo::telegram::world::World;

pub fn get_me(call: &mut Context) -> Answer {
    let mut me = wire::bot(call.world.bot(call.bot));
    me["can_join_groups"] = json!(true);
    for ability in [
        "can_read_all_group_messages",
        "supports_inline_queries",
        "can_connect_to_business",
        "has_main_web_app",
    ] {
        me[ability] = json!(false);
    }
    Ok(Success::new(me))
}

pub fn get_chat(call: &mut Context) -> Answer {
    let key = call.chat("chat_id")?;
    let mut chat = call.world.person(key.1).map(wire::chat).unwrap_or_default();
    chat["accent_color_id"] = json!(0);
    chat["max_reaction_count"] = json!(11);
    Ok(Success::new(chat))
}

pub fn set_menu_button(call: &mut Context) -> Answer {
    call.fields.json("menu_button")?;
    Ok(Success::yes())
}

pub fn get_updates(_: &mut Context) -> Answer {
    Err(ApiError::new(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    ))
}

pub fn log_out(_: &mut Context) -> Answer {
    Ok(Success::yes())
}

pub fn set_commands(call: &mut Context) -> Answer {
    let key = scope(call)?;
    let commands = call.fields.json("commands")?.unwrap_or_else(|| json!([]));
    let listed =
        commands.as_array().ok_or_else(|| ApiError::bad("can't parse commands: expected an Array"))?;
    if listed.len() > 100 {
        return Err(ApiError::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in listed {
        let text = |name: &str| command.get(name).and_then(Value::as_str).unwrap_or("");
        let (name, description) = (text("command").trim_start_matches('/'), text("description"));
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(valid) {
            return Err(ApiError::bad("BOT_COMMAND_INVALID"));
        }
        if description.trim().is_empty() || description.chars().count() > 256 {
            return Err(ApiError::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    call.world.bot_mut(call.bot).commands.insert(key, commands);
    Ok(Success::yes())
}

pub fn get_commands(call: &mut Context) -> Answer {
    let key = scope(call)?;
    let commands = call.world.bot(call.bot).commands.get(&key).cloned();
    Ok(Success::new(commands.unwrap_or_else(|| json!([]))))
}

pub fn delete_commands(call: &mut Context) -> Answer {
    let key = scope(call)?;
    call.world.bot_mut(call.bot).commands.remove(&key);
    Ok(Success::yes())
}

/// Scope and language that a command method is about; a chat in it must be known.
fn scope(call: &Context) -> Result<(String, String), ApiError> {
    let scope = call.fields.json("scope")?.unwrap_or_else(|| json!({"type": "default"}));
    let kind = scope.get("type").and_then(Value::as_str).unwrap_or("");
    let name = match kind {
        "default" | "all_private_chats" | "all_group_chats" | "all_chat_administrators" => kind.to_owned(),
        "chat" => {
            let id = scope.get("chat_id").and_then(|id| id.as_i64().or_else(|| id.as_str()?.parse().ok()));
            let known =
                id.filter(|id| call.world.chats.get(&(call.bot, *id)).is_some_and(|chat| chat.opened));
            chat_scope(known.ok_or_else(|| ApiError::bad("chat not found"))?)
        }
        "chat_administrators" | "chat_member" => return Err(ApiError::bad("chat not found")),
        _ => return Err(ApiError::bad("can't parse BotCommandScope: Unsupported type specified")),
    };
    let language = call.fields.text_or_empty("language_code");
    let two_letters = language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase());
    if !language.is_empty() && !two_letters {
        return Err(ApiError::bad("LANG_CODE_INVALID"));
    }
    Ok((name, language))
}

fn chat_scope(chat: i64) -> String {
    format!("chat:{chat}")
}

impl World {
    /// The command menu of a bot as a person sees it: the narrowest scope first, the own language before all.
    pub fn commands_for(&self, bot: i64, person: i64) -> Value {
        let code = self.person(person).and_then(|person| person.language_code.clone()).unwrap_or_default();
        let language = code.split('-').next().unwrap_or("").to_owned();
        let commands = &self.bot(bot).commands;
        for scope in [chat_scope(person), "all_private_chats".into(), "default".into()] {
            for language in [language.as_str(), ""] {
                if let Some(found) = commands.get(&(scope.clone(), language.to_owned())) {
                    return found.clone();
                }
            }
        }
        json!([])
    }
}

pub fn set_name(call: &mut Context) -> Answer {
    set_text(call, "name", 64)
}

pub fn get_name(call: &mut Context) -> Answer {
    let name = call.world.bot(call.bot).name.clone();
    get_text(call, "name", name)
}

pub fn set_description(call: &mut Context) -> Answer {
    set_text(call, "description", 512)
}

pub fn get_description(call: &mut Context) -> Answer {
    get_text(call, "description", String::new())
}

pub fn set_short_description(call: &mut Context) -> Answer {
    set_text(call, "short_description", 120)
}

pub fn get_short_description(call: &mut Context) -> Answer {
    get_text(call, "short_description", String::new())
}

/// Stores a text for a language; an empty one removes it, so that the one for all languages is shown again.
fn set_text(call: &mut Context, kind: &'static str, limit: usize) -> Answer {
    let text = call.fields.text_or_empty(kind);
    if text.chars().count() > limit {
        return Err(ApiError::bad(format!("bot {} is too long", kind.replace('_', " "))));
    }
    let key = (kind, call.fields.text_or_empty("language_code"));
    let texts = &mut call.world.bot_mut(call.bot).texts;
    if text.is_empty() {
        texts.remove(&key)
    } else {
        texts.insert(key, text)
    };
    Ok(Success::yes())
}

fn get_text(call: &Context, kind: &'static str, otherwise: String) -> Answer {
    let text = call.world.bot(call.bot).text_for(kind, &call.fields.text_or_empty("language_code")).cloned();
    Ok(Success::new(json!({kind: text.unwrap_or(otherwise)})))
}

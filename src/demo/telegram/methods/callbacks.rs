//! Answering button presses.

use chrono::Duration;

use super::Context;
use crate::demo::telegram::answer::{Answer, ApiError, Success};
use crate::demo::telegram::world::PressAnswer;

/// How long a press can be answered. Telegram does not publish it; it is well under a minute.
const PRESS_LIFETIME: Duration = Duration::seconds(30);

const TOO_OLD: &str = "query is too old and response timeout expired or query ID is invalid";

pub fn answer(call: &mut Context) -> Answer {
    let id = call.fields.text_or_empty("callback_query_id");
    let text = call.fields.text("text").filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > 200) {
        return Err(ApiError::bad("MESSAGE_TOO_LONG"));
    }
    let answer =
        PressAnswer { text, show_alert: call.fields.flag("show_alert"), url: call.fields.text("url") };
    let (bot, now) = (call.bot, call.now);
    let press = call
        .world
        .presses
        .get_mut(&id)
        .filter(|press| press.bot == bot && press.answer.is_none() && now.since(press.at) <= PRESS_LIFETIME)
        .ok_or_else(|| ApiError::bad(TOO_OLD))?;
    press.answer = Some(answer.clone());
    let key = (bot, press.person);
    if let Some(text) = answer.text {
        let sign = if answer.show_alert { "⚠" } else { "ⓘ" };
        call.world.tell(key, &format!("    {sign} {text}"));
    }
    Ok(Success::yes())
}

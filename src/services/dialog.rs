//! Conversations: which answer a bot waits for in a chat. They live in the database, so a restart loses none.

use crate::crud;
use crate::ids::{ChatId, UserId};
use crate::models::bot::Bot;
use crate::models::dialog::Dialog;
use crate::work::Work;

/// The open question of a chat. One that this version cannot read counts as none.
pub async fn current(work: &mut Work, bot: Bot, chat: ChatId) -> sqlx::Result<Option<Dialog>> {
    if asks_nothing(work, bot, chat) {
        return Ok(None);
    }
    let state = crud::dialog::find(work.conn(), bot, chat).await?;
    Ok(state.and_then(|state| serde_json::from_str(&state).ok()))
}

/// Asks: the next message in the chat is the answer.
pub async fn ask(work: &mut Work, bot: Bot, chat: ChatId, dialog: Dialog) -> sqlx::Result<()> {
    let state = serde_json::to_string(&dialog).expect("a dialog is plain data");
    let now = work.now();
    crud::dialog::put(work.conn(), bot, chat, &state, now).await
}

/// Leaves the open question, and tells which it was.
pub async fn leave(work: &mut Work, bot: Bot, chat: ChatId) -> sqlx::Result<Option<Dialog>> {
    if asks_nothing(work, bot, chat) {
        return Ok(None);
    }
    let Some(state) = crud::dialog::find(work.conn(), bot, chat).await? else { return Ok(None) };
    crud::dialog::delete(work.conn(), bot, chat).await?;
    Ok(serde_json::from_str(&state).ok())
}

/// Whether it is known at a glance that no question is open in a private chat.
fn asks_nothing(work: &Work, bot: Bot, chat: ChatId) -> bool {
    bot == Bot::Client && work.glance_at(UserId(chat.0)).is_some_and(|person| !person.has_dialog)
}

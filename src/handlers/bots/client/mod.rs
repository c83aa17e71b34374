//! The client bot in private chats: what commands, buttons and answers lead to. It loads what a screen shows, calls
//! one service, and shows a screen; the rules are the services'.

mod commands;
mod dialogs;
mod presses;
mod steps;
mod views;

use super::callback::Callback;
use super::screens::{self, Reply};
use super::step::{Step, StepError};
use super::talk::Talk;
use crate::integrations::telegram::update::Message;
use crate::models::outgoing::{Class, Outgoing};
use crate::queue::Failure;
use crate::services::dialog;

/// A message: a command, an answer to a question of ours, or something we do not understand.
pub(super) async fn message(mut talk: Talk<'_>, message: &Message) -> Result<(), Failure> {
    let step = match &message.text {
        Some(text) if text.starts_with('/') => commands::command(&mut talk, message).await,
        text => match dialog::current(talk.work, talk.bot, talk.chat).await? {
            Some(question) => dialogs::answer(&mut talk, question, text.as_deref()).await,
            None => return not_understood(&mut talk, message).await,
        },
    };
    finish(talk, step).await
}

/// A pressed button. It leaves the question that was open, unless it asks one itself.
pub(super) async fn press(mut talk: Talk<'_>, data: Option<&str>) -> Result<(), Failure> {
    let left = dialog::leave(talk.work, talk.bot, talk.chat).await?;
    let step = match data.and_then(Callback::decode) {
        Some(callback) => presses::press(&mut talk, callback, left).await,
        None => Err(StepError::Tell(Reply::StaleButton)),
    };
    finish(talk, step).await
}

/// Says why a step ended early, over the menu as it is now, and sees to it that every press is answered.
async fn finish(mut talk: Talk<'_>, step: Step) -> Result<(), Failure> {
    let notice = match step {
        Ok(()) => {
            talk.acknowledge();
            return Ok(());
        }
        Err(StepError::Fail(failure)) => return Err(failure),
        Err(StepError::Tell(notice)) => notice,
        Err(StepError::Hidden) if talk.is_press() => Reply::StaleButton,
        Err(StepError::Hidden) => Reply::UnknownCommand,
    };
    let home = views::home(&mut talk).await?;
    if talk.is_press() {
        talk.show_warning(screens::home(talk.t, &home), &notice);
    } else {
        talk.show(screens::home_after(talk.t, screens::reply_text(talk.t, &notice), &home));
    }
    Ok(())
}

/// A hint and the menu; once for the many messages that an album is.
async fn not_understood(talk: &mut Talk<'_>, message: &Message) -> Result<(), Failure> {
    let home = views::home(talk).await?;
    let hint = screens::reply_text(talk.t, &Reply::NotUnderstood);
    let body = screens::home_after(talk.t, hint, &home).message();
    let reply = Outgoing::new(talk.bot, talk.chat, Class::Interactive, body);
    talk.work.send(match message.text {
        Some(_) => reply,
        None => reply.once(format!("hint:{}:{}", talk.chat, message.date)),
    });
    Ok(())
}

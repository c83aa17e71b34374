//! The menu, help, status, texts and the language.

use reqwest::Url;

use super::{configs, orders};
use crate::handlers::bots::client::views;
use crate::handlers::bots::screens::{self, Help, Reply};
use crate::handlers::bots::step::{Step, StepError};
use crate::handlers::bots::talk::Talk;
use crate::ids::PlanId;
use crate::models::bot::Language;
use crate::models::dialog::Dialog;
use crate::models::role::Role;
use crate::services::{access, catalogue, payment, people};

/// /start, by itself or by a link: `plan_<id>` opens a plan, `ref_<code>` tells by whose link the person came.
/// Anything else after it is not ours and means nothing.
pub async fn start(talk: &mut Talk<'_>, payload: &str) -> Step {
    // Telegram keeps no menu for a chat that was never opened: the team's comes now.
    if access::roles_of(talk.work, talk.user.id).await?.iter().any(|role| *role > Role::User) {
        access::menu_follows(talk.work, talk.user.id);
    }
    if let Some(code) = payload.strip_prefix("ref_") {
        note_referrer(talk, code).await?;
    }
    if let Some(plan) = payload.strip_prefix("plan_").and_then(|id| id.parse().ok())
        && on_sale(talk, plan).await?
    {
        return orders::plan(talk, plan).await;
    }
    home(talk).await
}

async fn note_referrer(talk: &mut Talk<'_>, code: &str) -> sqlx::Result<()> {
    let user = &talk.user;
    let own = code == user.id.to_string()
        || user.username.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(code));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !own && !code.is_empty() && code.bytes().all(plain) {
        people::set_referrer(talk.work, talk.user.id, code).await?;
    }
    Ok(())
}

async fn on_sale(talk: &mut Talk<'_>, plan: PlanId) -> sqlx::Result<bool> {
    let offer = catalogue::offer(talk.work, plan, talk.user.language).await?;
    Ok(offer.is_some_and(|offer| offer.plan.active))
}

/// The menu. It is the one way out of an open order that leaves it open, so the order is shown there no more.
pub async fn home(talk: &mut Talk<'_>) -> Step {
    if let Some(shown) = talk.shown_in() {
        payment::left(talk.work, talk.user.id, shown).await?;
    }
    let view = views::home(talk).await?;
    talk.show(screens::home(talk.t, &view));
    Ok(())
}

pub async fn help(talk: &mut Talk<'_>) -> Step {
    let roles = access::roles_of(talk.work, talk.user.id).await?;
    let trial_offered = talk.work.config().access.trial_days > 0;
    let view = Help { roles, trial_offered, support: talk.support() };
    talk.show(screens::help(talk.t, &view));
    Ok(())
}

pub async fn status(talk: &mut Talk<'_>) -> Step {
    let view = views::status(talk).await?;
    talk.show(screens::status(talk.t, &view));
    Ok(())
}

pub fn terms(talk: &mut Talk<'_>) -> Step {
    let config = talk.work.config();
    talk.show(screens::terms(talk.t, config.people.terms_url.as_ref().map(Url::as_str)));
    Ok(())
}

pub fn privacy(talk: &mut Talk<'_>) -> Step {
    talk.show(screens::privacy(talk.t));
    Ok(())
}

pub fn languages(talk: &mut Talk<'_>) -> Step {
    talk.show(screens::languages(talk.t));
    Ok(())
}

pub async fn set_language(talk: &mut Talk<'_>, language: Language) -> Step {
    people::set_language(talk.work, talk.user.id, language).await?;
    talk.speak(language);
    let view = views::home(talk).await?;
    talk.show_noting(screens::home(talk.t, &view), screens::language_changed(talk.t));
    Ok(())
}

/// Back to where the question came from; `left` is the question, None if there was none.
pub async fn cancel(talk: &mut Talk<'_>, left: Option<Dialog>) -> Step {
    match left {
        Some(Dialog::RenameConfig { config_id }) if talk.is_press() => configs::config(talk, config_id).await,
        Some(Dialog::RenameConfig { .. }) => Err(StepError::Tell(Reply::Cancelled)),
        None => Err(StepError::Tell(Reply::NothingToCancel)),
    }
}

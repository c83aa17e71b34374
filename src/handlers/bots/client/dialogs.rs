//! Answers to what the bot asked. The questions are rows of `dialogs`, so they outlive a restart.

use super::views;
use crate::handlers::bots::screens;
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;
use crate::i18n::Html;
use crate::ids::ConfigId;
use crate::models::dialog::Dialog;
use crate::services::dialog;
use crate::services::vpn::{self, ConfigError};

/// `text` is None when something other than a text came.
pub(super) async fn answer(talk: &mut Talk<'_>, question: Dialog, text: Option<&str>) -> Step {
    match question {
        Dialog::RenameConfig { config_id } => rename(talk, config_id, text).await,
    }
}

/// A new name for a config; what is no name leaves the question open.
async fn rename(talk: &mut Talk<'_>, id: ConfigId, text: Option<&str>) -> Step {
    let Some(name) = text.filter(|text| Html::name(text).is_some()) else {
        talk.show(screens::rename_invalid(talk.t));
        return Ok(());
    };
    let renamed = match vpn::rename_config(talk.work, talk.user.id, id, name).await {
        Err(ConfigError::BadName) => {
            talk.show(screens::rename_invalid(talk.t));
            return Ok(());
        }
        renamed => renamed,
    };
    dialog::leave(talk.work, talk.bot, talk.chat).await?;
    let config = views::config(talk, &renamed?).await?;
    talk.show(screens::renamed(talk.t, &config));
    Ok(())
}

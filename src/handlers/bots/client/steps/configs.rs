//! The person's configs: list, hand over, rename, revoke, add.

use crate::handlers::bots::client::views;
use crate::handlers::bots::screens;
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;
use crate::ids::{ConfigId, SubscriptionId};
use crate::models::dialog::Dialog;
use crate::models::outgoing::ConfigPart;
use crate::models::vpn::{ConfigStatus, Protocol, VpnConfig};
use crate::services::vpn::{self, ConfigError};
use crate::services::{dialog, server, subscription};

pub async fn list(talk: &mut Talk<'_>) -> Step {
    let view = views::vpn(talk).await?;
    talk.show(screens::vpn(talk.t, &view));
    Ok(())
}

pub async fn config(talk: &mut Talk<'_>, id: ConfigId) -> Step {
    let config = vpn::own_config(talk.work, talk.user.id, id).await?;
    show(talk, &config).await
}

async fn show(talk: &mut Talk<'_>, config: &VpnConfig) -> Step {
    let view = views::config_detail(talk, config).await?;
    talk.show(screens::config(talk.t, &view));
    Ok(())
}

/// Hands over a part of a config that works; of others it shows how they stand.
pub async fn part(talk: &mut Talk<'_>, id: ConfigId, part: ConfigPart) -> Step {
    let config = vpn::own_config(talk.work, talk.user.id, id).await?;
    let no_file = part == ConfigPart::File && config.protocol == Protocol::Outline;
    if config.status != ConfigStatus::Active || no_file {
        return show(talk, &config).await;
    }
    talk.acknowledge();
    vpn::send_part(talk.work, &config, part);
    Ok(())
}

/// Asks for a new name; the next message is the answer.
pub async fn ask_name(talk: &mut Talk<'_>, id: ConfigId) -> Step {
    let config = vpn::own_config(talk.work, talk.user.id, id).await?;
    dialog::ask(talk.work, talk.bot, talk.chat, Dialog::RenameConfig { config_id: id }).await?;
    let view = views::config(talk, &config).await?;
    talk.show(screens::rename_question(talk.t, &view));
    Ok(())
}

pub async fn ask_revoke(talk: &mut Talk<'_>, id: ConfigId) -> Step {
    let config = vpn::own_config(talk.work, talk.user.id, id).await?;
    let view = views::config(talk, &config).await?;
    talk.show(screens::revoke_question(talk.t, &view));
    Ok(())
}

pub async fn revoke(talk: &mut Talk<'_>, id: ConfigId) -> Step {
    let config = vpn::drop_config(talk.work, talk.user.id, id).await?;
    let view = views::config(talk, &config).await?;
    talk.show(screens::revoked(talk.t, &view));
    Ok(())
}

/// What can be added, or why nothing can.
pub async fn add(talk: &mut Talk<'_>) -> Step {
    let view = views::add_config(talk).await?;
    talk.show(screens::add_config(talk.t, &view));
    Ok(())
}

pub async fn add_to(talk: &mut Talk<'_>, id: SubscriptionId, protocol: Protocol) -> Step {
    let held = subscription::own(talk.work, talk.user.id, id).await?.ok_or(ConfigError::Unknown)?;
    if !server::open_protocols(talk.work).await?.contains(&protocol) {
        return add(talk).await;
    }
    match vpn::add_config(talk.work, &held, protocol).await {
        Ok(_) => {
            talk.show(screens::preparing(talk.t, protocol));
            Ok(())
        }
        // The screen of what can be added says which of them it is.
        Err(ConfigError::NotActive | ConfigError::Limit(_) | ConfigError::NoServer(_)) => add(talk).await,
        Err(error) => Err(error.into()),
    }
}

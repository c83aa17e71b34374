//! Guides per way of connecting and system, and help when it does not connect. The system that somebody picks is remembered for the configs that
//! come later.

use crate::handlers::bots::callback::Os;
use crate::handlers::bots::screens::{self, GuideFor, Trouble};
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;
use crate::ids::ConfigId;
use crate::models::vpn::{Protocol, VpnConfig};
use crate::services::{people, server, vpn};

pub fn protocols(talk: &mut Talk<'_>) -> Step {
    talk.show(screens::guides(talk.t));
    Ok(())
}

pub fn systems(talk: &mut Talk<'_>, protocol: Protocol) -> Step {
    talk.show(screens::guide_systems(talk.t, GuideFor { protocol, config: None }));
    Ok(())
}

pub async fn steps(talk: &mut Talk<'_>, protocol: Protocol, os: Os) -> Step {
    show(talk, GuideFor { protocol, config: None }, os).await
}

pub async fn of_config(talk: &mut Talk<'_>, id: ConfigId) -> Step {
    let config = vpn::own_config(talk.work, talk.user.id, id).await?;
    talk.show(screens::guide_systems(talk.t, GuideFor { protocol: config.protocol, config: Some(id) }));
    Ok(())
}

pub async fn steps_of_config(talk: &mut Talk<'_>, id: ConfigId, os: Os) -> Step {
    let config = vpn::own_config(talk.work, talk.user.id, id).await?;
    show(talk, GuideFor { protocol: config.protocol, config: Some(id) }, os).await
}

/// What to do when it does not connect.
pub async fn trouble(talk: &mut Talk<'_>) -> Step {
    show_trouble(talk, None).await
}

pub async fn trouble_of_config(talk: &mut Talk<'_>, id: ConfigId) -> Step {
    let config = vpn::own_config(talk.work, talk.user.id, id).await?;
    show_trouble(talk, Some(&config)).await
}

async fn show_trouble(talk: &mut Talk<'_>, config: Option<&VpnConfig>) -> Step {
    let other = config.is_none_or(|config| config.protocol != Protocol::Outline);
    let view = Trouble {
        config: config.map(|config| config.id),
        try_outline: other && server::open_protocols(talk.work).await?.contains(&Protocol::Outline),
        id: talk.user.id,
        support: talk.support(),
    };
    talk.show(screens::trouble(talk.t, &view));
    Ok(())
}

async fn show(talk: &mut Talk<'_>, view: GuideFor, os: Os) -> Step {
    people::set_setting(talk.work, talk.user.id, Os::SETTING, os.as_str()).await?;
    talk.show(screens::guide(talk.t, view, os));
    Ok(())
}

//! Guides per kind of connection and system. The system that somebody picks is remembered for the configs that
//! come later.

use crate::handlers::bots::callback::Os;
use crate::handlers::bots::screens::{self, GuideFor};
use crate::handlers::bots::stop::Step;
use crate::handlers::bots::talk::Talk;
use crate::ids::ConfigId;
use crate::models::vpn::Protocol;
use crate::services::{people, vpn};

/// The setting that holds the person's system.
const DEVICE_OS: &str = "device_os";

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

async fn show(talk: &mut Talk<'_>, view: GuideFor, os: Os) -> Step {
    people::set_setting(talk.work, talk.user.id, DEVICE_OS, os.as_str()).await?;
    talk.show(screens::guide(talk.t, view, os));
    Ok(())
}

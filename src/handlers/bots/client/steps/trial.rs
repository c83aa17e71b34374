//! The trial.

use crate::handlers::bots::client::views;
use crate::handlers::bots::screens;
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;
use crate::models::vpn::Protocol;
use crate::services::subscription::{self, TrialError};
use crate::services::vpn::ConfigError;

/// What the trial gives, or why there is none.
pub async fn offer(talk: &mut Talk<'_>) -> Step {
    let view = views::trial(talk).await?;
    talk.show(screens::trial(talk.t, &view));
    Ok(())
}

/// Starts it; the config follows when it is made.
pub async fn take(talk: &mut Talk<'_>, protocol: Protocol) -> Step {
    let screen = match subscription::start_trial(talk.work, talk.user.id, protocol).await {
        Ok(_) => screens::preparing(talk.t, protocol),
        Err(TrialError::Used | TrialError::NotOffered | TrialError::Config(ConfigError::NoServer(_))) => {
            return offer(talk).await;
        }
        Err(error) => return Err(error.into()),
    };
    talk.show(screen);
    Ok(())
}

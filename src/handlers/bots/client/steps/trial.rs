//! The trial.

use crate::handlers::bots::client::views;
use crate::handlers::bots::screens;
use crate::handlers::bots::stop::Step;
use crate::handlers::bots::talk::Talk;
use crate::models::vpn::Protocol;
use crate::services::server;
use crate::services::subscription::{self, TrialError};

/// What the trial gives, or why there is none.
pub async fn offer(talk: &mut Talk<'_>) -> Step {
    let view = views::trial(talk).await?;
    talk.show(screens::trial(talk.t, &view));
    Ok(())
}

/// Starts it; the config follows when it is made.
pub async fn take(talk: &mut Talk<'_>, protocol: Protocol) -> Step {
    // Asked first: a trial that finds no room must not count as taken.
    if !server::open_protocols(talk.work).await?.contains(&protocol) {
        return offer(talk).await;
    }
    match subscription::start_trial(talk.work, talk.user.id, protocol).await {
        Ok(_) => {
            talk.show(screens::preparing(talk.t, protocol));
            Ok(())
        }
        Err(TrialError::Used | TrialError::NotOffered) => offer(talk).await,
        Err(error) => Err(error.into()),
    }
}

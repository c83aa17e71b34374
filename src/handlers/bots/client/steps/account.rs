//! The person's own data: profile, history, roles, help with payments.

use crate::handlers::bots::client::views;
use crate::handlers::bots::screens::{self, PaySupport};
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;

pub async fn profile(talk: &mut Talk<'_>) -> Step {
    let view = views::profile(talk).await?;
    talk.show(screens::profile(talk.t, &view));
    Ok(())
}

pub async fn roles(talk: &mut Talk<'_>) -> Step {
    let roles = views::roles(talk, talk.user.id).await?;
    talk.show(screens::my_roles(talk.t, &roles));
    Ok(())
}

/// `page` counts from 0.
pub async fn logs(talk: &mut Talk<'_>, page: u32) -> Step {
    let view = views::my_logs(talk, page).await?;
    talk.show(screens::my_logs(talk.t, &view));
    Ok(())
}

pub async fn pay_support(talk: &mut Talk<'_>) -> Step {
    let id = talk.user.id;
    let payments = views::payments(talk, id).await?;
    let view = PaySupport { id, payments, support: talk.support() };
    talk.show(screens::pay_support(talk.t, &view));
    Ok(())
}

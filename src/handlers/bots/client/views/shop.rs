//! The menu, the trial, plans and orders.

use chrono::TimeDelta;

use super::{account, is_open};
use crate::handlers::bots::screens::{Home, PlanDetail, PlanView, Trial, TrialTerms};
use crate::handlers::bots::talk::Talk;
use crate::ids::PlanId;
use crate::models::payment::ProviderId;
use crate::money::Currency;
use crate::services::{access, catalogue, payment, server, subscription};
use crate::work::Work;

pub async fn home(talk: &mut Talk<'_>) -> sqlx::Result<Home> {
    let held = account::subscriptions(talk, talk.user.id).await?;
    Ok(Home {
        first_name: talk.user.first_name.clone(),
        trial: open_trial(talk).await?,
        // They come with the latest end first.
        subscription: held.into_iter().find(|held| is_open(held.status)),
        roles: access::roles_of(talk.work, talk.user.id).await?,
        now: talk.work.now(),
    })
}

/// What the trial gives, as long as the person may take it.
pub async fn open_trial(talk: &mut Talk<'_>) -> sqlx::Result<Option<TrialTerms>> {
    let Some(terms) = trial_terms(talk.work) else { return Ok(None) };
    let taken = subscription::trial_taken_at(talk.work, talk.user.id).await?;
    Ok(taken.is_none().then_some(terms))
}

fn trial_terms(work: &Work) -> Option<TrialTerms> {
    let config = work.config();
    let (days, traffic_mb) = (config.access.trial_days, config.access.trial_traffic_mb);
    (days > 0).then_some(TrialTerms { days, traffic_mb })
}

pub async fn trial(talk: &mut Talk<'_>) -> sqlx::Result<Trial> {
    if let Some(on) = subscription::trial_taken_at(talk.work, talk.user.id).await? {
        return Ok(Trial::Used { on });
    }
    let Some(terms) = trial_terms(talk.work) else { return Ok(Trial::NotOffered) };
    let protocols = server::open_protocols(talk.work).await?;
    Ok(Trial::Offer { terms, protocols })
}

pub async fn plans(talk: &mut Talk<'_>) -> sqlx::Result<Vec<PlanView>> {
    let offers = catalogue::offers(talk.work, talk.user.language, true).await?;
    let providers = providers(talk.work);
    Ok(offers.iter().map(|offer| PlanView::of(offer, &providers)).collect())
}

/// A plan that is on sale.
pub async fn plan(talk: &mut Talk<'_>, id: PlanId) -> sqlx::Result<Option<PlanDetail>> {
    let offer = catalogue::offer(talk.work, id, talk.user.language).await?;
    let Some(offer) = offer.filter(|offer| offer.plan.active) else { return Ok(None) };
    let held = subscription::list_of_user(talk.work, talk.user.id).await?;
    let held = held.into_iter().find(|held| held.plan_id == Some(id) && is_open(held.status));
    let (now, days) = (talk.work.now(), TimeDelta::days(i64::from(offer.plan.duration_days)));
    Ok(Some(PlanDetail {
        plan: PlanView::of(&offer, &providers(talk.work)),
        extends_to: held.map(|held| held.ends_at.max(now) + days),
    }))
}

fn providers(work: &Work) -> Vec<(ProviderId, Currency)> {
    let on = payment::providers(work).into_iter();
    on.map(|provider| (provider, payment::currency_of(provider))).collect()
}

//! The menu, the trial, plans and orders.

use chrono::TimeDelta;

use super::{account, is_open};
use crate::handlers::bots::screens::{Held, Home, PlanDetail, PlanView, Trial, TrialTerms};
use crate::handlers::bots::talk::Talk;
use crate::ids::PlanId;
use crate::models::payment::ProviderId;
use crate::models::plan::Plan;
use crate::money::Currency;
use crate::services::{access, catalogue, payment, server, subscription};
use crate::work::Work;

pub async fn home(talk: &mut Talk<'_>) -> sqlx::Result<Home> {
    let held = account::subscriptions(talk, talk.user.id).await?;
    Ok(Home {
        first_name: talk.user.first_name.clone(),
        trial: open_trial(talk).await?,
        order: payment::open_order_of(talk.work, talk.user.id).await?.map(|order| order.id),
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
    Ok(Some(PlanDetail {
        plan: PlanView::of(&offer, &providers(talk.work)),
        protocols: server::open_protocols(talk.work).await?,
        held: held(talk, &offer.plan).await?,
        now: talk.work.now(),
    }))
}

/// What the person has already: the same plan counts first, then what ends last.
async fn held(talk: &mut Talk<'_>, plan: &Plan) -> sqlx::Result<Held> {
    let mut open = account::subscriptions(talk, talk.user.id).await?;
    open.retain(|held| held.plan.is_some() && is_open(held.status));
    if let Some(same) = open.iter().find(|held| held.renew == Some(plan.id)) {
        let days = TimeDelta::days(i64::from(plan.duration_days));
        return Ok(Held::Same { extends_to: same.ends_at.max(talk.work.now()) + days });
    }
    Ok(open.into_iter().next().map_or(Held::Nothing, Held::Other))
}

fn providers(work: &Work) -> Vec<(ProviderId, Currency)> {
    let on = payment::providers(work).into_iter();
    on.map(|provider| (provider, payment::currency_of(provider))).collect()
}

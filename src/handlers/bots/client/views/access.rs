//! Configs, what can be added to them, and how the servers are.

use crate::handlers::bots::screens::{
    AddChoice, AddConfig, ConfigDetail, ConfigView, ServerView, Service, Status, SubscriptionView, Vpn,
};
use crate::handlers::bots::talk::Talk;
use crate::models::payment::ProviderId;
use crate::models::server::{Server, ServerHealth};
use crate::models::subscription::SubscriptionStatus;
use crate::models::vpn::VpnConfig;
use crate::services::{catalogue, payment, server, subscription, vpn as configs};

use super::{account, is_open, shop};

fn view_of(config: &VpnConfig, servers: &[Server]) -> ConfigView {
    let server = servers.iter().find(|server| Some(server.id) == config.server_id);
    ConfigView {
        id: config.id,
        name: config.name.clone(),
        protocol: config.protocol,
        location: server.map(|server| server.location.clone()),
        status: config.status,
        used: config.total_rx.saturating_add(config.total_tx),
        last_handshake_at: config.last_handshake_at,
        delivered_at: config.delivered_at,
    }
}

pub async fn config(talk: &mut Talk<'_>, config: &VpnConfig) -> sqlx::Result<ConfigView> {
    let servers = server::list(talk.work).await?;
    Ok(view_of(config, &servers))
}

pub async fn config_detail(talk: &mut Talk<'_>, held: &VpnConfig) -> sqlx::Result<ConfigDetail> {
    let row = subscription::own(talk.work, held.user_id, held.subscription_id).await?;
    let row = row.ok_or(sqlx::Error::RowNotFound)?;
    let plan = match row.plan_id {
        Some(plan) => catalogue::offer(talk.work, plan, talk.user.language).await?.map(Into::into),
        None => None,
    };
    Ok(ConfigDetail {
        config: config(talk, held).await?,
        subscription: SubscriptionView::of(&row, plan),
        now: talk.work.now(),
    })
}

pub async fn vpn(talk: &mut Talk<'_>) -> sqlx::Result<Vpn> {
    let held = account::subscriptions(talk, talk.user.id).await?;
    let configs = configs::list_of_user(talk.work, talk.user.id).await?;
    let servers = server::list(talk.work).await?;
    let of = |subscription: &SubscriptionView| {
        let own = configs.iter().filter(|config| config.subscription_id == subscription.id);
        own.map(|config| view_of(config, &servers)).collect()
    };
    let open = held.into_iter().filter(|held| is_open(held.status));
    Ok(Vpn {
        subscriptions: open.map(|held| (held.clone(), of(&held))).collect(),
        trial_available: shop::open_trial(talk).await?.is_some(),
        now: talk.work.now(),
    })
}

/// What can be added, or the first reason why nothing can.
pub async fn add_config(talk: &mut Talk<'_>) -> sqlx::Result<AddConfig> {
    let now = talk.work.now();
    let mut active = account::subscriptions(talk, talk.user.id).await?;
    active.retain(|held| held.status == SubscriptionStatus::Active && held.ends_at > now);
    if active.is_empty() {
        let trial_available = shop::open_trial(talk).await?.is_some();
        return Ok(AddConfig::NoSubscription { trial_available });
    }
    let configs = configs::list_of_user(talk.work, talk.user.id).await?;
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let held =
        |view: &SubscriptionView| count(configs.iter().filter(|c| c.subscription_id == view.id).count());
    let left = configs::places_left(talk.work, talk.user.id).await?;
    let cap = talk.work.config().access.max_configs_per_user;
    let places: u32 = active.iter().map(|view| view.device_limit).fold(0, u32::saturating_add);
    active.retain(|view| held(view) < view.device_limit && (left > 0 || view.plan.is_none()));
    if active.is_empty() {
        return Ok(AddConfig::LimitReached { devices: places.min(cap), another_plan: places < cap });
    }
    let protocols = server::open_protocols(talk.work).await?;
    if protocols.is_empty() {
        return Ok(AddConfig::Full);
    }
    let choice = |view: SubscriptionView| AddChoice {
        subscription_id: view.id,
        plan: view.plan,
        protocols: protocols.clone(),
    };
    Ok(AddConfig::Choose(active.into_iter().map(choice).collect()))
}

pub async fn status(talk: &mut Talk<'_>) -> sqlx::Result<Status> {
    let servers = server::list(talk.work).await?;
    let open = server::with_room(talk.work).await?;
    // Whoever reads this was answered by the bot out of the database.
    let mut services = vec![(Service::Bot, ServerHealth::Up)];
    let waiting = configs::is_delivery_stuck(talk.work).await?;
    services.push((Service::Delivery, delivery(&servers, waiting)));
    for provider in payment::providers(talk.work) {
        services.push((Service::Payments(provider), payments(talk, provider).await?));
    }
    let view = |server: &Server| ServerView {
        location: server.location.clone(),
        protocol: server.protocol,
        health: server.health,
        has_room: open.contains(&server.id),
        checked_at: server.health_at,
    };
    Ok(Status { services, servers: servers.iter().map(view).collect(), now: talk.work.now() })
}

fn delivery(servers: &[Server], waiting: bool) -> ServerHealth {
    let any = |health| servers.iter().any(|server| server.health == health);
    match () {
        () if waiting => ServerHealth::Down,
        () if any(ServerHealth::Up) => ServerHealth::Up,
        () if any(ServerHealth::Unknown) || servers.is_empty() => ServerHealth::Unknown,
        () => ServerHealth::Down,
    }
}

async fn payments(talk: &mut Talk<'_>, provider: ProviderId) -> sqlx::Result<ServerHealth> {
    let stuck = payment::is_invoicing_stuck(talk.work, provider).await?;
    Ok(if stuck { ServerHealth::Down } else { ServerHealth::Up })
}

//! /status: services and servers as they were last seen.

use super::parts::{self, health_dot};
use super::{Rows, Screen, button, lines, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::models::payment::ProviderId;
use crate::models::server::ServerHealth;
use crate::models::vpn::Protocol;

pub struct Status {
    pub services: Vec<(Service, ServerHealth)>,
    pub servers: Vec<ServerView>,
    pub now: Timestamp,
}

/// A part of the house that people depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The bot and its database.
    Bot,
    /// New connections are made and handed over.
    Delivery,
    Payments(ProviderId),
}

pub struct ServerView {
    /// Shown to people, e.g. a flag and a city.
    pub location: String,
    pub protocol: Protocol,
    pub health: ServerHealth,
    /// False: full or closed to new configs.
    pub has_room: bool,
    pub checked_at: Option<Timestamp>,
}

/// Servers that one message shows.
const MOST: usize = 30;

pub fn status(t: &Texts, view: &Status) -> Screen {
    let services = view.services.iter().map(|(service, health)| {
        let args = args! { "dot" => health_dot(*health), "service" => service_name(t, *service) };
        t.with("status-service", args)
    });
    let servers = match view.servers.is_empty() {
        true => t.text("status-no-servers"),
        false => lines(view.servers.iter().take(MOST).map(|server| server_line(t, server))),
    };
    let checked = view.servers.iter().filter_map(|server| server.checked_at).max();
    let checked = checked.map(|at| t.with("status-checked", args! { "ago" => t.ago(at, view.now) }));
    let html = paragraphs([
        t.text("status-title"),
        lines(services),
        lines([t.text("status-servers"), servers]),
        checked.unwrap_or_default(),
    ]);
    let rows = Rows::default()
        .row([button(t.label("config-button-refresh"), Callback::Status)])
        .row([button(t.label("go-help"), Callback::Help)])
        .home(t);
    Screen::new(html, rows)
}

fn service_name(t: &Texts, service: Service) -> Html {
    match service {
        Service::Bot => t.text("status-bot"),
        Service::Delivery => t.text("status-delivery"),
        Service::Payments(provider) => {
            t.with("status-payments", args! { "provider" => parts::provider_name(provider) })
        }
    }
}

fn server_line(t: &Texts, server: &ServerView) -> Html {
    let args = args! {
        "dot" => health_dot(server.health),
        "location" => Html::short(&server.location, 64),
        "protocol" => parts::protocol_name(t, server.protocol),
    };
    match (server.health, server.has_room) {
        (ServerHealth::Up, true) => t.with("status-server", args),
        (ServerHealth::Up, false) => t.with("status-server-full", args),
        (ServerHealth::Down, _) => t.with("status-server-down", args),
        (ServerHealth::Unknown, _) => t.with("status-server-unknown", args),
    }
}

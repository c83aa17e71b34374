//! /stats: the numbers of the business.

use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::{Rows, Screen, button, lines, paragraphs};
use crate::i18n::{Args, Html, Texts, args};
use crate::money::Money;

pub struct Stats {
    pub people: u64,
    /// First seen today.
    pub new_today: u64,
    /// Seen in the last 7 days.
    pub active_week: u64,
    /// Subscriptions that work now.
    pub paid: u64,
    pub trials: u64,
    /// Configs that work now.
    pub configs: u64,
    pub today: Sales,
    /// In the last 30 days.
    pub month: Sales,
    pub servers_up: u64,
    pub servers: u64,
    pub queues: Queues,
}

/// What came in over a while.
pub struct Sales {
    pub orders: u64,
    /// One sum per currency; refunds are taken off.
    pub sums: Vec<Money>,
}

/// What waits, and what was given up.
pub struct Queues {
    pub events: u64,
    pub messages: u64,
    pub jobs: u64,
    pub dead: u64,
    /// Payments that a human has to look at.
    pub reviews: u64,
}

pub fn stats(t: &Texts, view: &Stats) -> Screen {
    let people = args! { "people" => view.people, "today" => view.new_today, "week" => view.active_week };
    let access = args! { "paid" => view.paid, "trials" => view.trials, "configs" => view.configs };
    let queues = &view.queues;
    let waiting = args! {
        "events" => queues.events, "messages" => queues.messages, "jobs" => queues.jobs,
    };
    let dead = (queues.dead > 0).then(|| t.with("stats-dead", args! { "dead" => queues.dead }));
    let reviews =
        (queues.reviews > 0).then(|| t.with("stats-reviews", args! { "reviews" => queues.reviews }));
    let html = paragraphs([
        t.text("stats-title"),
        t.with("stats-people", people),
        t.with("stats-access", access),
        lines([t.with("stats-today", sales(t, &view.today)), t.with("stats-month", sales(t, &view.month))]),
        lines([
            t.with("stats-servers", args! { "up" => view.servers_up, "all" => view.servers }),
            t.with("stats-queues", waiting),
            dead.unwrap_or_default(),
            reviews.unwrap_or_default(),
        ]),
    ]);
    let look = (queues.reviews > 0).then(|| button(t.label("reviews-button-all"), Callback::Reviews));
    let rows = Rows::default()
        .row(look)
        .row([button(t.label("config-button-refresh"), Callback::Stats)])
        .row([button(t.label("home-button-users"), Callback::Users(0))])
        .home(t);
    Screen::new(html, rows)
}

fn sales(t: &Texts, sales: &Sales) -> Args {
    let sums = Html::join(sales.sums.iter().map(Html::from), " · ");
    let sums = if sums.is_empty() { t.text("stats-nothing") } else { sums };
    args! { "orders" => sales.orders, "sums" => sums }
}

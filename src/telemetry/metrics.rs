//! Metrics in the OpenMetrics text format. The doc comment of a metric is its help text.
//! Labels are few and fixed: no user, chat, order or address ever becomes one. What can be told before it happens is
//! there from the start, at zero, so that an alert on a growth sees the first one too.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::clock::Timestamp;
use crate::models::bot::Bot;
use crate::models::event::Source;
use crate::models::lane::{Queue, Standing};
use crate::models::payment::ProviderId;
use crate::models::server::ServerHealth;
use crate::models::vpn::{ConfigStatus, Protocol};

/// Content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Label names and values in order.
type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Gauges<const N: usize> = Family<Labels<N>, Gauge>;
type Durations<L = Labels<1>> = Family<L, Histogram, fn() -> Histogram>;

macro_rules! metrics {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $help:literal])+ $metric:ident: $type:ty = $new:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            registry: Arc<Registry>,
            $($(#[doc = $help])+ $metric: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                let mut registry = Registry::with_prefix("usipipo");
                $(
                    let $metric: $type = $new;
                    registry.register(stringify!($metric), concat!($($help),+).trim(), $metric.clone());
                )*
                Self { registry: Arc::new(registry), $($metric,)* }
            }
        }
    };
}

metrics! {
    /// Every metric of the server; clones share their numbers.
    Metrics {
        /// HTTP requests by route pattern and status
        http_requests: Family<HttpLabels, Counter> = Family::default();
        /// Time to answer an HTTP request by route pattern
        http_request_seconds: Durations<RouteLabels> = Family::new_with_constructor(durations);
        /// Requests and actions refused for being too many, by the limit that refused them
        rate_limited: Counters<1> = each("limit", Limit::ALL, Limit::as_str);
        /// Deliveries at the webhooks by source, and whether they were stored
        deliveries: Counters<2> = pairs("source", &texts(Source::ALL, Source::as_str), "outcome", &texts(Inbound::ALL, Inbound::as_str));
        /// Transactions in which deliveries were stored; those that come together share one
        delivery_commits: Counter = Counter::default();
        /// Stored deliveries by source and how their handling ended
        events: Counters<2> = pairs("source", &texts(Source::ALL, Source::as_str), "outcome", &texts(Handled::ALL, Handled::as_str));
        /// Telegram messages by bot and what became of them
        messages: Counters<2> = pairs("bot", &texts(Bot::ALL, Bot::as_str), "outcome", &texts(Outbound::ALL, Outbound::as_str));
        /// Time to word a message and hand it to Telegram, by bot
        message_seconds: Durations = Family::new_with_constructor(durations);
        /// Job runs by kind and how they ended
        jobs: Counters<2> = pairs("kind", &[UNKNOWN_JOB], "outcome", &texts(JobOutcome::ALL, JobOutcome::as_str));
        /// Time a job ran, calls to VPN servers and payment providers included, by kind
        job_seconds: Durations = Family::new_with_constructor(durations);
        /// Money by provider and what became of it
        payments: Counters<2> = pairs("provider", &texts(ProviderId::ALL, ProviderId::as_str), "outcome", &texts(MoneyOutcome::ALL, MoneyOutcome::as_str));
        /// Callbacks of payment providers by what came of them
        payment_callbacks: Counters<2> = pairs("provider", &texts(ProviderId::ALL, ProviderId::as_str), "outcome", &texts(CallbackOutcome::ALL, CallbackOutcome::as_str));
        /// Panics that were caught, by place
        panics: Counters<1> = each("place", Place::ALL, Place::as_str);
        /// Rows of a queue that wait to be handled
        queue_waiting: Gauges<1> = each("queue", &Queue::ALL, Queue::name);
        /// Age of the oldest row of a queue that waits to be handled
        queue_oldest_seconds: Gauges<1> = each("queue", &Queue::ALL, Queue::name);
        /// Rows of a queue that were given up and wait for a human
        queue_dead: Gauges<1> = each("queue", &Queue::ALL, Queue::name);
        /// Subscriptions that run: to plans, and trials
        subscriptions_active: Gauges<1> = each("kind", SubscriptionKind::ALL, SubscriptionKind::as_str);
        /// VPN configs that are not gone, by protocol and status
        configs: Gauges<2> = pairs("protocol", &texts(Protocol::ALL, Protocol::as_str), "status", &kept_statuses());
        /// VPN servers by protocol and health
        servers: Gauges<2> = pairs("protocol", &texts(Protocol::ALL, Protocol::as_str), "health", &texts(ServerHealth::ALL, ServerHealth::as_str));
        /// Whether the database answered when these numbers were asked for; else those read from it are old
        database_up: Gauge = Gauge::default();
        /// Connections to the database by what they do
        database_connections: Gauges<1> = each("state", Connections::ALL, Connections::as_str);
        /// Connections to the database that there may be
        database_connections_max: Gauge = Gauge::default();
    }
}

macro_rules! label_values {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
    )*};
}

label_values! {
    /// What became of a delivery at the door.
    Inbound {
        /// Committed to the inbox.
        Stored = "stored",
        /// Was in the inbox already.
        Duplicate = "duplicate",
        /// Cannot be understood: kept for an admin.
        Unreadable = "unreadable",
        /// Wrong secret or signature; nothing stored.
        Unauthentic = "unauthentic",
        /// Not stored, the sender tries again.
        Failed = "failed",
    }
    /// How the handling of a stored delivery ended.
    Handled {
        Done = "done",
        /// Failed, to be tried again.
        Retried = "retried",
        /// Given up; waits for an admin.
        Dead = "dead",
    }
    /// What became of a message.
    Outbound {
        Sent = "sent",
        Retried = "retried",
        /// Telegram asked to wait.
        Throttled = "throttled",
        /// The chat blocked the bot, or the message had lost its sense.
        Dropped = "dropped",
        Dead = "dead",
    }
    /// How a run of a job ended.
    JobOutcome {
        Done = "done",
        Retried = "retried",
        /// Left to the clock, which queues it again.
        Dropped = "dropped",
        Dead = "dead",
    }
    /// What became of money.
    MoneyOutcome {
        /// It bought what was ordered.
        Credited = "credited",
        /// Its order waits for a human.
        Review = "review",
        /// It fits no order, and waits for a human.
        Unmatched = "unmatched",
        Refunded = "refunded",
    }
    /// What came of a payment provider's callback.
    CallbackOutcome {
        /// No order has this address.
        Unknown = "unknown",
        Unauthentic = "unauthentic",
        Unreadable = "unreadable",
        /// Says nothing that matters to us.
        Unused = "unused",
        /// The same one was stored before.
        Duplicate = "duplicate",
        /// The provider is asked about the order.
        Checked = "checked",
        /// The order was settled before.
        Settled = "settled",
        Ignored = "ignored",
        /// The order waits for a human.
        Review = "review",
    }
    SubscriptionKind {
        Paid = "paid",
        Trial = "trial",
    }
    /// What a connection to the database does.
    Connections {
        Used = "used",
        Idle = "idle",
    }
    /// Where a panic was caught.
    Place {
        Http = "http",
        Event = "event",
        Message = "message",
        Job = "job",
    }
    /// The limit that refused something.
    Limit {
        /// Requests of one address.
        Ip = "ip",
        /// Actions of one person.
        User = "user",
        /// Requests at the same time.
        Concurrency = "concurrency",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    route: String,
    status: u16,
}

/// Kind of a job that this version does not know.
pub const UNKNOWN_JOB: &str = "unknown";

impl Metrics {
    /// `route` is the pattern (`/payments/qvapay/{token}`), never the path.
    pub fn http_request(&self, route: &str, status: u16, took: Duration) {
        self.http_requests.get_or_create(&HttpLabels { route: route.to_owned(), status }).inc();
        let labels = RouteLabels { route: route.to_owned() };
        self.http_request_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub fn refused(&self, limit: Limit) {
        self.rate_limited.get_or_create(&[("limit", limit.as_str())]).inc();
    }

    pub fn delivery(&self, source: Source, outcome: Inbound) {
        let labels = [("source", source.as_str()), ("outcome", outcome.as_str())];
        self.deliveries.get_or_create(&labels).inc();
    }

    /// A transaction with deliveries was committed.
    pub fn deliveries_committed(&self) {
        self.delivery_commits.inc();
    }

    pub fn event(&self, source: Source, outcome: Handled) {
        self.events.get_or_create(&[("source", source.as_str()), ("outcome", outcome.as_str())]).inc();
    }

    pub fn messages(&self, bot: Bot, outcome: Outbound, count: u64) {
        let labels = [("bot", bot.as_str()), ("outcome", outcome.as_str())];
        self.messages.get_or_create(&labels).inc_by(count);
    }

    pub fn message_took(&self, bot: Bot, took: Duration) {
        self.message_seconds.get_or_create(&[("bot", bot.as_str())]).observe(took.as_secs_f64());
    }

    /// `kind` is `Job::kind()`.
    pub fn job(&self, kind: &'static str, outcome: JobOutcome) {
        self.jobs.get_or_create(&[("kind", kind), ("outcome", outcome.as_str())]).inc();
    }

    pub fn job_took(&self, kind: &'static str, took: Duration) {
        self.job_seconds.get_or_create(&[("kind", kind)]).observe(took.as_secs_f64());
    }

    pub fn money(&self, provider: ProviderId, outcome: MoneyOutcome) {
        self.payments.get_or_create(&[("provider", provider.as_str()), ("outcome", outcome.as_str())]).inc();
    }

    pub fn callback(&self, provider: ProviderId, outcome: CallbackOutcome) {
        let labels = [("provider", provider.as_str()), ("outcome", outcome.as_str())];
        self.payment_callbacks.get_or_create(&labels).inc();
    }

    pub fn panic(&self, place: Place) {
        self.panics.get_or_create(&[("place", place.as_str())]).inc();
    }

    pub fn queue(&self, standing: &Standing, now: Timestamp) {
        let labels = [("queue", standing.queue.name())];
        self.queue_waiting.get_or_create(&labels).set(standing.waiting);
        let seconds = i64::try_from(standing.age(now).as_secs()).unwrap_or(i64::MAX);
        self.queue_oldest_seconds.get_or_create(&labels).set(seconds);
        self.queue_dead.get_or_create(&labels).set(standing.dead);
    }

    pub fn subscriptions(&self, kind: SubscriptionKind, count: i64) {
        self.subscriptions_active.get_or_create(&[("kind", kind.as_str())]).set(count);
    }

    pub fn configs(&self, protocol: Protocol, status: ConfigStatus, count: i64) {
        let labels = [("protocol", protocol.as_str()), ("status", status.as_str())];
        self.configs.get_or_create(&labels).set(count);
    }

    pub fn servers(&self, protocol: Protocol, health: ServerHealth, count: i64) {
        let labels = [("protocol", protocol.as_str()), ("health", health.as_str())];
        self.servers.get_or_create(&labels).set(count);
    }

    pub fn database(&self, up: bool) {
        self.database_up.set(i64::from(up));
    }

    pub fn connections(&self, used: i64, idle: i64, max: i64) {
        for (state, count) in [(Connections::Used, used), (Connections::Idle, idle)] {
            self.database_connections.get_or_create(&[("state", state.as_str())]).set(count);
        }
        self.database_connections_max.set(max);
    }

    /// All metrics as text; see [`CONTENT_TYPE`].
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

/// The statuses of configs that are counted: one that is gone is not.
pub fn kept_statuses() -> Vec<&'static str> {
    let kept = ConfigStatus::ALL.iter().filter(|status| **status != ConfigStatus::Removed);
    kept.map(|status| status.as_str()).collect()
}

fn texts<T: Copy>(all: &[T], text: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|it| text(*it)).collect()
}

/// One series for each value of a label.
fn each<T: Copy, M: Default>(
    label: &'static str,
    all: &[T],
    text: fn(T) -> &'static str,
) -> Family<Labels<1>, M> {
    let family = Family::<Labels<1>, M>::default();
    for value in texts(all, text) {
        drop(family.get_or_create(&[(label, value)]));
    }
    family
}

/// One series for each pair of values of two labels.
fn pairs<M: Default>(
    first: &'static str,
    values: &[&'static str],
    second: &'static str,
    others: &[&'static str],
) -> Family<Labels<2>, M> {
    let family = Family::<Labels<2>, M>::default();
    for (value, other) in values.iter().flat_map(|value| others.iter().map(move |other| (*value, *other))) {
        drop(family.get_or_create(&[(first, value), (second, other)]));
    }
    family
}

/// From a millisecond to the longest that a request or a job may take.
fn durations() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

//! Metrics in the OpenMetrics text format. The doc comment of a metric is its help text.
//! Labels are few and fixed: no user, chat, order or address ever becomes one.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::models::bot::Bot;
use crate::models::event::Source;
use crate::models::payment::{PaymentStatus, ProviderId};

/// Content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Label names and values in order.
type Labels<const N: usize> = [(&'static str, &'static str); N];
type Durations = Family<Labels<1>, Histogram, fn() -> Histogram>;

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
        http_request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram> = Family::new_with_constructor(durations);
        /// Requests and actions refused for being too many, by the limit that refused them
        rate_limited: Family<Labels<1>, Counter> = Family::default();
        /// Webhook deliveries by source and what became of them
        inbound_events: Family<Labels<2>, Counter> = Family::default();
        /// Telegram messages by bot and what became of them
        outbound_messages: Family<Labels<2>, Counter> = Family::default();
        /// Job runs by kind and how they ended
        jobs: Family<Labels<2>, Counter> = Family::default();
        /// Time a job ran by kind
        job_seconds: Durations = Family::new_with_constructor(durations);
        /// Rows of a queue that wait to be handled
        queue_waiting: Family<Labels<1>, Gauge> = Family::default();
        /// Age in seconds of the oldest row of a queue that waits to be handled
        queue_oldest_seconds: Family<Labels<1>, Gauge> = Family::default();
        /// Payments that came to a status, by provider
        payments: Family<Labels<2>, Counter> = Family::default();
        /// Panics that were caught, by place
        panics: Family<Labels<1>, Counter> = Family::default();
    }
}

macro_rules! label_values {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
    )*};
}

label_values! {
    /// What became of a webhook delivery; one delivery may be counted at several stations.
    Inbound {
        /// Committed to the inbox.
        Stored = "stored",
        /// Was in the inbox already.
        Duplicate = "duplicate",
        /// Wrong secret or signature; nothing stored.
        Unauthentic = "unauthentic",
        /// Not stored, the sender tries again.
        Failed = "failed",
        /// Handled.
        Done = "done",
        /// Handling failed, to be tried again.
        Retried = "retried",
        /// Given up; waits for an admin.
        Dead = "dead",
    }
    /// What became of an attempt to send a message.
    Outbound {
        Sent = "sent",
        Retried = "retried",
        /// Telegram answered 429.
        Throttled = "throttled",
        /// The chat blocked the bot.
        Dropped = "dropped",
        Dead = "dead",
    }
    /// How a run of a job ended.
    JobOutcome {
        Done = "done",
        Retried = "retried",
        Dead = "dead",
    }
    Queue {
        Inbox = "inbox",
        Outbox = "outbox",
        Jobs = "jobs",
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

    pub fn inbound(&self, source: Source, outcome: Inbound) {
        self.inbound_events
            .get_or_create(&[("source", source.as_str()), ("outcome", outcome.as_str())])
            .inc();
    }

    pub fn outbound(&self, bot: Bot, outcome: Outbound) {
        self.outbound_messages.get_or_create(&[("bot", bot.as_str()), ("outcome", outcome.as_str())]).inc();
    }

    /// `kind` is `Job::kind()`.
    pub fn job(&self, kind: &'static str, outcome: JobOutcome, took: Duration) {
        self.jobs.get_or_create(&[("kind", kind), ("outcome", outcome.as_str())]).inc();
        self.job_seconds.get_or_create(&[("kind", kind)]).observe(took.as_secs_f64());
    }

    /// How many rows of a queue wait, and for how long the oldest has.
    pub fn backlog(&self, queue: Queue, waiting: i64, oldest: Duration) {
        self.queue_waiting.get_or_create(&[("queue", queue.as_str())]).set(waiting);
        let seconds = i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX);
        self.queue_oldest_seconds.get_or_create(&[("queue", queue.as_str())]).set(seconds);
    }

    pub fn payment(&self, provider: ProviderId, status: PaymentStatus) {
        self.payments.get_or_create(&[("provider", provider.as_str()), ("status", status.as_str())]).inc();
    }

    pub fn panic(&self, place: Place) {
        self.panics.get_or_create(&[("place", place.as_str())]).inc();
    }

    /// All metrics as text; see [`CONTENT_TYPE`].
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

/// From a millisecond to the longest that a request may take.
fn durations() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_doc_comment_as_help() {
        let metrics = Metrics::default();
        let millisecond = Duration::from_millis(1);
        metrics.http_request("/payments/qvapay/{token}", 200, millisecond);
        metrics.refused(Limit::Ip);
        metrics.inbound(Source::ClientBot, Inbound::Stored);
        metrics.inbound(Source::ClientBot, Inbound::Stored);
        metrics.outbound(Bot::Client, Outbound::Sent);
        metrics.job("purge", JobOutcome::Done, millisecond);
        metrics.backlog(Queue::Inbox, 3, Duration::from_secs(61));
        metrics.payment(ProviderId::Qvapay, PaymentStatus::Completed);
        metrics.panic(Place::Http);
        insta::assert_snapshot!(metrics.render());
    }
}

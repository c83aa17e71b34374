//! What the server tells its operators: logs and metrics. Neither may carry a secret: call sites log ids and
//! counts, never bodies, headers, addresses with tokens or configs.

pub mod metrics;

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::{LogFormat, LoggingConfig};

/// Starts logging to standard error for the whole process; a second call changes nothing.
pub fn init(config: &LoggingConfig) {
    let colours = std::io::stderr().is_terminal();
    if subscriber(config, std::io::stderr, colours).try_init().is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// What [`init`] installs, writing wherever the caller likes.
pub fn subscriber<W>(config: &LoggingConfig, writer: W, colours: bool) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_ansi(colours);
    let lines = match config.format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Pretty => lines.compact().boxed(),
    };
    tracing_subscriber::registry().with(EnvFilter::new(&config.filter)).with(lines)
}

/// A panic becomes a log line like any other, with the fields of the request or job it happened in.
fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("no message");
    tracing::error!(location, "panicked: {message}");
}

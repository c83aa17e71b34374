//! Logging.

use tracing_subscriber::EnvFilter;

use super::read::Reader;

#[derive(Clone, Debug)]
pub struct LoggingConfig {
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `RUST_LOG`, a valid filter; see [`LoggingConfig::DEFAULT_FILTER`].
    pub filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people at a terminal.
    Pretty,
}

impl LoggingConfig {
    /// sqlx reports every slow statement with its text, which is no news at `info`.
    pub const DEFAULT_FILTER: &str = "info,sqlx=warn";

    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let format = env.or("LOG_FORMAT", "json or pretty", LogFormat::Json, |text| match text {
            "json" => Some(LogFormat::Json),
            "pretty" => Some(LogFormat::Pretty),
            _ => None,
        });
        let expected = "a filter, such as info or info,usipipo=debug";
        let filter = env.or("RUST_LOG", expected, Self::DEFAULT_FILTER.to_owned(), |text| {
            EnvFilter::builder().parse(text).is_ok().then(|| text.to_owned())
        });
        Some(Self { format: format?, filter: filter? })
    }
}

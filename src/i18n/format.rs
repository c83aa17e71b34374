//! Dates, spans of time and amounts of data, as each language writes them. Nobody tells a bot in which time zone they
//! live: people read dates and spans, the team reads moments in UTC that say so.

use chrono::{Datelike, Duration};

use super::{Html, Texts, args};
use crate::clock::Timestamp;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const TIB: u64 = 1024 * GIB;
/// Below this a number of GB is told as it was sold: a plan of 2400 GB has no "2.3 TB".
const FIRST_TIB: u64 = 10 * TIB;

impl Texts {
    /// `5 Dec 2026`
    pub fn date(&self, at: Timestamp) -> Html {
        let day = at.utc();
        let month = self.with("month-short", args! { "month" => day.month() });
        self.with("date", args! { "day" => day.day(), "month" => month, "year" => day.year().to_string() })
    }

    /// `5 Dec 2026, 14:30 UTC`
    pub fn moment(&self, at: Timestamp) -> Html {
        let time = at.utc().format("%H:%M").to_string();
        self.with("moment", args! { "date" => self.date(at), "time" => time })
    }

    /// `3 days`
    pub fn days(&self, days: impl Into<i64>) -> Html {
        self.with("days", args! { "days" => days.into() })
    }

    /// A span in its largest fitting unit: days from two days on, then hours, then minutes; at least one minute.
    pub fn span(&self, span: Duration) -> Html {
        let minutes = (span.num_seconds() + 59) / 60;
        // Rounded, so that seven days that began a moment ago are still seven.
        match (minutes + 30) / 60 {
            48.. => self.days((minutes + 12 * 60) / (24 * 60)),
            hours @ 2.. => self.with("hours", args! { "hours" => hours }),
            _ => self.with("minutes", args! { "minutes" => minutes.max(1) }),
        }
    }

    /// How long ago something was: `5 minutes ago`, or `just now` under two minutes.
    pub fn ago(&self, at: Timestamp, now: Timestamp) -> Html {
        let span = now.since(at);
        if span < Duration::minutes(2) {
            return self.text("just-now");
        }
        self.with("ago", args! { "span" => self.span(span) })
    }

    /// When something was, for somebody whose time zone nobody knows: how long ago within a day, else the date.
    pub fn when(&self, at: Timestamp, now: Timestamp) -> Html {
        if now.since(at) < Duration::days(1) { self.ago(at, now) } else { self.date(at) }
    }

    /// Bytes in the unit people know, one decimal at most: `1.5 GB` (units of 1024, as phones count).
    pub fn bytes(&self, bytes: u64) -> Html {
        let (unit, name) = match bytes {
            FIRST_TIB.. => (TIB, "tb"),
            GIB.. => (GIB, "gb"),
            MIB.. => (MIB, "mb"),
            _ => (KIB, "kb"),
        };
        let tenths = u128::from(bytes) * 10 / u128::from(unit);
        let (whole, tenth) = (tenths / 10, tenths % 10);
        let number = if tenth == 0 || whole >= 100 {
            whole.to_string()
        } else {
            format!("{whole}{}{tenth}", self.text("decimal-point"))
        };
        self.with("size", args! { "number" => number, "unit" => name })
    }

    /// Traffic of a plan in MiB; None = unlimited.
    pub fn traffic(&self, mebibytes: Option<u64>) -> Html {
        match mebibytes {
            Some(mebibytes) => self.bytes(mebibytes.saturating_mul(MIB)),
            None => self.text("unlimited"),
        }
    }
}

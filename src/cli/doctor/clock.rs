//! This machine's clock against Telegram's: signatures, leases and expiries rest on it.

use std::time::Duration;

use reqwest::header::DATE;

use super::database::clock_finding;
use super::report::{Finding, within};
use crate::app::App;
use crate::clock::Timestamp;
use crate::integrations::telegram::api::http_client;

const SUBJECT: &str = "clock";
const LIMIT: Duration = Duration::from_secs(8);
const MEND: &str = "see that TELEGRAM_API_URL can be reached from here";

pub async fn check(app: &App) -> Vec<Finding> {
    within(LIMIT, SUBJECT, MEND, async { vec![compare(app).await] }).await
}

/// Whole seconds is all that an answer tells, and Telegram tells its time in every answer, whatever was asked.
async fn compare(app: &App) -> Finding {
    let api = app.config().telegram.api_url.clone();
    let clock = &app.works().clock;
    let before = clock.now();
    let asked = async { http_client()?.get(api).send().await };
    let answer = match asked.await {
        Ok(answer) => answer,
        Err(error) => return Finding::bad(SUBJECT, format!("Telegram: {}", error.without_url()), MEND),
    };
    let ours = before + clock.now().since(before) / 2;
    let date = answer.headers().get(DATE).and_then(|value| value.to_str().ok());
    // RFC 9110, 5.6.7: the format of mails, in GMT.
    match date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok()) {
        Some(theirs) => clock_finding(SUBJECT, Timestamp::from(theirs.to_utc()).since(ours), "this machine"),
        None => Finding::look(SUBJECT, "Telegram's answer tells no time", "compare the clock by hand"),
    }
}

//! The bots: whether their tokens work, and whether Telegram's deliveries arrive.

use std::time::Duration;

use futures::future::join_all;

use super::report::{Finding, within};
use crate::app::App;
use crate::cli::out::span;
use crate::clock::Timestamp;
use crate::integrations::telegram::api::{SendError, Telegram, WebhookInfo};

const LIMIT: Duration = Duration::from_secs(15);
/// Errors of the last hour are today's trouble, older ones are history.
const RECENT: chrono::Duration = chrono::Duration::hours(1);
/// Updates that wait in ordinary operation.
const FEW: i64 = 20;

pub async fn check(app: &App) -> Vec<Finding> {
    let checks = app.telegram().values().map(|telegram| {
        let subject = format!("{} bot", telegram.bot());
        async move {
            let mend = "see that TELEGRAM_API_URL can be reached from here";
            within(LIMIT, &subject, mend, check_bot(app, telegram, &subject)).await
        }
    });
    join_all(checks).await.into_iter().flatten().collect()
}

async fn check_bot(app: &App, telegram: &Telegram, subject: &str) -> Vec<Finding> {
    let me = match telegram.get_me().await {
        Ok(me) => Finding::good(subject, format!("@{}", me.username)),
        Err(error) => return vec![refused(subject, &error)],
    };
    let webhook = match telegram.get_webhook_info().await {
        Ok(info) => {
            let url = app.config().server.public_address(&format!("/telegram/{}", telegram.bot()));
            judge_webhook(&format!("{} webhook", telegram.bot()), &info, &url, app.works().clock.now())
        }
        Err(error) => refused(subject, &error),
    };
    vec![me, webhook]
}

fn refused(subject: &str, error: &SendError) -> Finding {
    let mend = match error {
        SendError::Unauthorized => "copy the token again from @BotFather, or make a new one there",
        SendError::RetryAfter { .. } => "wait, and run doctor again",
        _ => "see that TELEGRAM_API_URL can be reached from here",
    };
    Finding::bad(subject, error, mend)
}

fn judge_webhook(subject: &str, info: &WebhookInfo, url: &str, now: Timestamp) -> Finding {
    if info.url != url {
        let there = if info.url.is_empty() { "none is set" } else { &info.url };
        let mend = "usipipo webhook set (`serve` does it by itself); is another server using this bot?";
        return Finding::bad(subject, format!("{there}, where {url} should be"), mend);
    }
    let waiting = format!("{} waiting", info.pending_update_count);
    let error = info.last_error_date.map(Timestamp::from_unix).zip(info.last_error_message.as_deref());
    match error {
        Some((at, message)) if now.since(at) < RECENT => {
            let ago = span(now.since(at).num_seconds());
            let detail = format!("{waiting}; {ago} ago: {message}");
            // An error that was got over leaves nothing waiting.
            match info.pending_update_count {
                0 => Finding::look(subject, detail, what_to_mend(message)),
                _ => Finding::bad(subject, detail, what_to_mend(message)),
            }
        }
        _ if info.pending_update_count > FEW => {
            Finding::look(subject, waiting, "the server is slow or was away; look again in a minute")
        }
        _ => Finding::good(subject, format!("{url}, {waiting}")),
    }
}

/// Telegram's words for what it met, and what they mean for the operator.
fn what_to_mend(message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match () {
        () if says(&["401", "unauthorized"]) => {
            "the secret at Telegram is not among TELEGRAM_WEBHOOK_SECRET: usipipo webhook set"
        }
        () if says(&["ssl", "certificate", "tls"]) => {
            "the certificate of PUBLIC_URL is not one that Telegram trusts: renew it, with its whole chain"
        }
        () if says(&["resolve", "dns"]) => "the name of PUBLIC_URL does not resolve: check its DNS record",
        () if says(&["refused", "timed out", "timeout", "unreachable", "reset"]) => {
            "nothing answers at PUBLIC_URL: check nginx, and the firewall for port 443"
        }
        () if says(&["404", "not found"]) => "nginx does not pass /telegram/ on: see nginx/usipipo.conf",
        () if says(&["502", "503", "504", "gateway"]) => {
            "nginx does not reach the server: is `usipipo serve` running?"
        }
        () if says(&["500"]) => "see the server's log",
        () if says(&["403", "forbidden"]) => {
            "something in front refuses Telegram: see the allow list of nginx"
        }
        () => "see the logs of nginx and of the server",
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Mark;
    use super::*;

    const URL: &str = "https://vpn.example.com/telegram/client";

    fn judged(info: WebhookInfo) -> (Mark, String) {
        let finding = judge_webhook("webhook", &info, URL, Timestamp::from_unix(1_000_000));
        (finding.mark, finding.mend)
    }

    fn info(waiting: i64, error: Option<(i64, &str)>) -> WebhookInfo {
        WebhookInfo {
            url: URL.to_owned(),
            pending_update_count: waiting,
            last_error_date: error.map(|(at, _)| at),
            last_error_message: error.map(|(_, message)| message.to_owned()),
            ..WebhookInfo::default()
        }
    }

    #[test]
    fn a_webhook_is_judged_by_where_it_points_and_how_it_fares() {
        assert_eq!(judged(info(0, None)).0, Mark::Good);
        assert_eq!(judged(info(21, None)).0, Mark::Look);
        assert_eq!(judged(WebhookInfo::default()).0, Mark::Bad);
        assert_eq!(judged(WebhookInfo { url: "https://old/".into(), ..info(0, None) }).0, Mark::Bad);
        assert_eq!(judged(info(3, Some((999_990, "Connection refused")))).0, Mark::Bad);
        assert_eq!(judged(info(0, Some((999_990, "Connection refused")))).0, Mark::Look);
        assert_eq!(judged(info(3, Some((900_000, "Connection refused")))).0, Mark::Good);
    }

    #[test]
    fn each_error_of_telegram_says_what_to_mend() {
        let mended = |message: &str| judged(info(1, Some((999_999, message)))).1;
        assert!(
            mended("Wrong response from the webhook: 401 Unauthorized").contains("TELEGRAM_WEBHOOK_SECRET")
        );
        assert!(
            mended("SSL error {error:0A000086:SSL routines::certificate verify failed}")
                .contains("certificate")
        );
        assert!(mended("Failed to resolve host: Name or service not known").contains("DNS"));
        assert!(mended("Connection refused").contains("443"));
        assert!(mended("Connection timed out").contains("443"));
        assert!(mended("Wrong response from the webhook: 502 Bad Gateway").contains("usipipo serve"));
        assert!(mended("Wrong response from the webhook: 404 Not Found").contains("/telegram/"));
    }
}

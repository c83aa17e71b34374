//! Ways of paying.

use chrono::Duration;
use reqwest::Url;
use secrecy::SecretString;

use super::one_word;
use super::read::{Reader, base_url};

use crate::integrations::payments::qvapay::RateLimit;

pub use crate::integrations::payments::qvapay::SignatureRule;

#[derive(Clone, Debug)]
pub struct PaymentsConfig {
    /// `STARS_ENABLED`: Telegram Stars.
    pub stars: bool,
    /// QvaPay, when both its credentials are set.
    pub qvapay: Option<QvapayConfig>,
    /// `ORDER_EXPIRY_MINUTES`: how long an order is shown as open; later money still counts.
    pub order_expiry: Duration,
}

#[derive(Clone, Debug)]
pub struct QvapayConfig {
    /// `QVAPAY_APP_ID`.
    pub app_id: SecretString,
    /// `QVAPAY_APP_SECRET`; also the key that callbacks are signed with.
    pub app_secret: SecretString,
    /// `QVAPAY_API_URL`, without the `/v2`.
    pub api_url: Url,
    /// `QVAPAY_WEBHOOK_SIGNATURE`.
    pub signature: SignatureRule,
    /// `QVAPAY_CALLS_IN_FIVE_SECONDS`: how many calls it takes.
    pub limit: RateLimit,
}

impl PaymentsConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let stars = env.flag("STARS_ENABLED", true);
        let qvapay = read_qvapay(env);
        let order_expiry = env.number("ORDER_EXPIRY_MINUTES", "minutes", 5..=1440, 60);
        Some(Self { stars: stars?, qvapay: qvapay?, order_expiry: Duration::minutes(order_expiry?) })
    }
}

fn read_qvapay(env: &mut Reader) -> Option<Option<QvapayConfig>> {
    let shown = "what QvaPay shows for your app, in one word";
    let app_id = env.optional_secret("QVAPAY_APP_ID", shown, one_word);
    let app_secret = env.optional_secret("QVAPAY_APP_SECRET", shown, one_word);
    let api = "the address of QvaPay's API without the version, such as https://api.qvapay.com";
    let api_url = env.optional_secret("QVAPAY_API_URL", api, base_url);
    let rule = "required or if_present";
    let rule = env.or("QVAPAY_WEBHOOK_SIGNATURE", rule, SignatureRule::Required, |text| match text {
        "required" => Some(SignatureRule::Required),
        "if_present" => Some(SignatureRule::IfPresent),
        _ => None,
    });
    let expected = "what QvaPay shows for your app, or neither of QVAPAY_APP_ID and QVAPAY_APP_SECRET";
    let published = RateLimit::default();
    let calls = env.number("QVAPAY_CALLS_IN_FIVE_SECONDS", "calls", 1..=10_000, published.calls);
    match (app_id?, app_secret?) {
        (Some(app_id), Some(app_secret)) => {
            let api_url = api_url?.unwrap_or_else(default_api_url);
            let limit = RateLimit { calls: calls?, ..published };
            Some(Some(QvapayConfig { app_id, app_secret, api_url, signature: rule?, limit }))
        }
        (None, None) => Some(None),
        (None, Some(_)) => {
            env.refuse("QVAPAY_APP_ID", "is not set, but QVAPAY_APP_SECRET is", expected);
            None
        }
        (Some(_), None) => {
            env.refuse("QVAPAY_APP_SECRET", "is not set, but QVAPAY_APP_ID is", expected);
            None
        }
    }
}

fn default_api_url() -> Url {
    Url::parse("https://api.qvapay.com").expect("a literal address")
}

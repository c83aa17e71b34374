//! What comes from nobody honest, and what comes twice. None of it may be taken for what it is not.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use usipipo::demo::qvapay::Style;

use super::life::Life;
use super::money::paid_message;
use super::steps::Step;
use crate::support::door::SECRET_HEADER;
use crate::support::town::APP_SECRET;

const NONSENSE: &[&str] =
    &["", "{", "null", "[]", "{\"update_id\":\"x\",\"message\":{}}", "\u{0}\u{0}", "🦀"];

impl Life {
    /// Telegram's words from somebody who does not know the secret.
    pub async fn forge_update(&mut self, step: Step) -> String {
        if step.how.is_multiple_of(4) {
            let body = NONSENSE[step.pick as usize % NONSENSE.len()];
            assert_eq!(self.door.raw(body).await.status, 200, "{body:?}");
            self.nonsense.insert(body.to_owned());
            return format!("Telegram brings {body:?}");
        }
        let sql = "SELECT CONCAT(order_ref, ' ', CAST(amount AS SIGNED)) FROM payments \
                   WHERE provider = 'stars' AND status = 'pending' ORDER BY id";
        let order = self.one_of(step, sql).await.unwrap_or_else(|| "ord_NONE 1".to_owned());
        let (order, price) = order.split_once(' ').unwrap_or_default();
        let price = price.parse().unwrap_or(1);
        let payer = self.customer(step).id;
        let content = paid_message(payer, "XTR", price, order, "forged", self.town.clock.now().unix());
        let body = json!({ "update_id": step.pick, "message": content }).to_string();
        let headers: &[(&str, &str)] = match step.how % 4 {
            1 => &[],
            2 => &[(SECRET_HEADER, "0123456789abcdee")],
            _ => &[(SECRET_HEADER, "")],
        };
        let answer = self.door.post("/telegram/client", headers, body).await;
        assert_eq!(answer.status, 401, "forged money for {order}: {answer:?}");
        format!("somebody forges the payment of {order}")
    }

    /// What was delivered before, byte for byte.
    pub async fn replay(&mut self, step: Step) -> String {
        let stored = "SELECT dedupe_key FROM inbound_events WHERE source = 'telegram:client' ORDER BY id";
        let Some(key) = self.one_of(step, stored).await else { return "nothing came yet".to_owned() };
        let body: Vec<u8> = sqlx::query_scalar(
            "SELECT body FROM inbound_events WHERE source = 'telegram:client' AND dedupe_key = ?",
        )
        .bind(&key)
        .fetch_one(&self.town.db.pool)
        .await
        .unwrap();
        let again = (0..=step.how % 3).map(|_| self.door.raw(body.clone()));
        for answer in futures::future::join_all(again).await {
            assert_eq!(answer.status, 200, "{key} comes again: {answer:?}");
        }
        format!("Telegram brings {key} again")
    }

    /// QvaPay's words from somebody else, or to another address than they were meant for.
    pub async fn forge_callback(&mut self, step: Step) -> String {
        let invoices = self.town.qvapay.invoices();
        let Some(invoice) = step.pick_of(&invoices) else { return "there is no invoice".to_owned() };
        if step.how.is_multiple_of(3) {
            return self.send_elsewhere(step).await;
        }
        let style = *step.how_of(&[Style::Forged, Style::Unsigned, Style::Tampered, Style::Stale]);
        let attempt = self.town.qvapay.deliver(invoice.uuid, style).await;
        let status = attempt.and_then(|attempt| attempt.status);
        assert_eq!(status, Some(401), "a callback that is {style:?}");
        format!("a callback of {} that is {style:?}", invoice.remote_id)
    }

    /// A true callback, signed anew: recorded days ago, or for another order.
    async fn send_elsewhere(&mut self, step: Step) -> String {
        let (invoices, attempts) = (self.town.qvapay.invoices(), self.town.qvapay.attempts());
        let recorded: Vec<String> = attempts.into_iter().map(|attempt| attempt.body).collect();
        let signed: Vec<&String> = recorded.iter().filter(|body| body.starts_with('{')).collect();
        let Some(body) = step.pick_of(&signed) else { return "nothing was recorded".to_owned() };
        let target = &invoices[step.who as usize % invoices.len()];
        let Some(webhook) = &target.webhook else { return "it has no webhook".to_owned() };
        let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let path = reqwest::Url::parse(webhook).unwrap().path().to_owned();
        let at = self.town.clock.now().unix().to_string();
        let headers = [("x-qvapay-signature", &*signature), ("x-qvapay-timestamp", &*at)];
        let answer = self.door.post(&path, &headers, (*body).clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.callbacks.push((*body).clone());
        format!("at the address of {}: {body}", target.remote_id)
    }
}

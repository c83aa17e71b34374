//! What the house lives through: its admin, the clock, trouble outside, restarts.

use std::time::Duration;

use chrono::TimeDelta;
use rand::SeedableRng;
use rand::rngs::StdRng;
use usipipo::demo::telegram::{Fault, FaultRule};
use usipipo::demo::{outline, qvapay};
use uuid::Uuid;

use super::life::{Life, Shut};
use super::steps::{Kind, Step};
use crate::support::town::BOT;

/// What Telegram may do badly while the rest of it works; nothing named means everything.
const METHODS: &[&[&str]] = &[
    &[],
    &["sendMessage", "sendPhoto", "sendDocument"],
    &["editMessageText", "answerCallbackQuery"],
    &["answerPreCheckoutQuery"],
    &["refundStarPayment", "getStarTransactions"],
];

impl Life {
    async fn admin_presses(&mut self, step: Step, data: &str) -> String {
        let admin = self.people[0].clone();
        self.press_anyway(step, &admin, data).await
    }

    pub async fn refund(&mut self, step: Step) -> String {
        let paid = "SELECT CONCAT(IF(provider = 'stars', 'refund-yes:', 'refund-hand:'), id) FROM payments \
                    WHERE status IN ('completed', 'review') ORDER BY id DESC LIMIT 10";
        match self.one_of(step, paid).await {
            Some(data) => self.admin_presses(step, &data).await,
            None => "nothing was paid".to_owned(),
        }
    }

    pub async fn review(&mut self, step: Step) -> String {
        let open = "SELECT CONCAT('review-yes:', id) FROM payments WHERE status = 'review' \
                    UNION ALL SELECT CONCAT('charge-back:', id) FROM unmatched_charges WHERE resolved_at IS NULL";
        let Some(data) = self.one_of(step, open).await else { return "nothing is in review".to_owned() };
        match data.strip_prefix("charge-back:").filter(|_| step.dice(3) == 0) {
            Some(charge) => {
                self.people[0].send_text(BOT, &format!("/reviews {charge} settled by hand")).unwrap();
                format!("the admin closes charge {charge}")
            }
            None => self.admin_presses(step, &data).await,
        }
    }

    pub async fn ban(&mut self, step: Step) -> String {
        let person = self.customer(step).id;
        if !self.settle_if_possible().await {
            return "the house is too busy".to_owned();
        }
        let said = self.admin_presses(step, &format!("ban-yes:{person}")).await;
        let banned = format!("SELECT COUNT(*) FROM users WHERE id = {person} AND status = 'banned'");
        if self.settle_if_possible().await && self.town.count(&banned).await == 1 {
            let audit = self.town.count("SELECT MAX(id) FROM audit_logs").await;
            self.shut.push(Shut { person, after: Uuid::now_v7(), audit });
        }
        said
    }

    pub async fn unban(&mut self, step: Step) -> String {
        let banned = "SELECT CAST(id AS CHAR) FROM users WHERE status = 'banned' ORDER BY id";
        match self.one_of(step, banned).await {
            Some(person) => self.admin_presses(step, &format!("unban:{person}")).await,
            None => "nobody is banned".to_owned(),
        }
    }

    pub fn pass(&mut self, time: TimeDelta) -> String {
        self.town.clock.advance(time);
        format!("{} minutes pass", time.num_minutes())
    }

    pub fn trouble(&mut self, step: Step) -> String {
        let moment = Duration::from_millis(30);
        let times = 1 + step.pick % 12;
        match step.who % 3 {
            0 => {
                use outline::Fault::{Error500, HangUp, LoseReply, Slow};
                let fault = *step.how_of(&[HangUp, Error500, LoseReply, Slow(moment)]);
                self.outline.fault(fault, times as usize);
                format!("Outline: {fault:?}, {times} times")
            }
            1 => {
                use qvapay::Fault::{CutAnswer, Error500, Garbage, HangUp, LoseReply, Slow};
                let fault = *step.how_of(&[HangUp, Error500, CutAnswer, LoseReply, Garbage, Slow(30)]);
                self.town.qvapay.fault(fault, times as usize);
                format!("QvaPay: {fault:?}, {times} times")
            }
            _ => {
                let pause = Fault::TooManyRequests { retry_after: 1 + step.pick % 40 };
                let faults = [
                    Fault::Refuse,
                    Fault::ServerError,
                    Fault::Cut,
                    Fault::Late(moment),
                    Fault::Slow(moment),
                    pause,
                ];
                let (fault, methods) = (step.how_of(&faults).clone(), METHODS[step.dice(5) as usize]);
                self.town.telegram.fault(FaultRule::new(fault.clone()).methods(methods).times(times));
                format!("Telegram: {fault:?}, {times} times at {methods:?}")
            }
        }
    }

    pub fn mend(&mut self) -> String {
        self.outline.clear_faults();
        self.town.qvapay.clear_faults();
        self.town.telegram.mend_all();
        "all is well".to_owned()
    }

    pub async fn use_vpn(&mut self, step: Step) -> String {
        let keys = self.outline.key_ids().await;
        let Some(key) = step.pick_of(&keys) else { return "there is no key".to_owned() };
        let bytes = u64::from(step.how) / 2;
        self.outline.set_transferred(key, bytes).await;
        format!("{key} has transferred {bytes} bytes")
    }

    /// The server is away, for a moment or for a day, and people go on.
    pub async fn restart(&mut self, step: Step) -> String {
        self.close().await;
        let mut rng = StdRng::seed_from_u64(step.how.into());
        let mut said = Vec::new();
        for _ in 0..step.pick % 5 {
            let step = Step::draw(&mut rng);
            said.push(match step.kind {
                Kind::PayStars => self.pay_stars(step),
                Kind::PayQvapay => self.pay_qvapay(step).await,
                Kind::Block => self.block(step),
                Kind::Trial => self.take_trial(step).await,
                Kind::Press => self.press(step).await,
                _ => self.write(step),
            });
        }
        let away = match step.how % 5 {
            0 => TimeDelta::hours(25),
            1 => TimeDelta::hours(10),
            2 => -TimeDelta::hours(1),
            _ => TimeDelta::seconds(20),
        };
        said.push(self.pass(away));
        self.open().await;
        format!("the server is away: {}", said.join("; "))
    }

    pub async fn wait_a_while(&mut self) -> String {
        match self.settle_if_possible().await {
            true => "everything is done".to_owned(),
            false => "something is left to do".to_owned(),
        }
    }
}

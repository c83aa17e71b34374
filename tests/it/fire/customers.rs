//! Customers who want to try and to buy, and who ask again when nothing comes of it: also while half of the world is
//! broken. However often they ask, each gets one trial and what was paid for, once.

use std::time::Duration;

use futures::future::join_all;
use usipipo::demo::outline::OutlineServer;
use usipipo::demo::qvapay::Payment;
use usipipo::demo::telegram::{PayError, PersonHandle};

use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

/// Telegram ids of the customers begin here.
const FIRST: i64 = 800_000;
/// Until somebody asks again.
const PATIENCE: Duration = Duration::from_secs(8);
/// Everything here happens while something may be away for a minute and more.
const LIMIT: Duration = Duration::from_secs(300);

pub struct Customers<'a> {
    town: &'a Town,
    plan: i64,
    people: Vec<PersonHandle>,
}

impl<'a> Customers<'a> {
    pub async fn of(town: &'a Town, count: i64) -> Self {
        let plan = town.popular_plan().await;
        Self { town, plan, people: (0..count).map(|n| town.person(FIRST + n, "Bea", "en")).collect() }
    }

    /// They come one after the other, spread over so long, and pay with Stars and with QvaPay in turn.
    pub async fn buy(&self, length: Duration) {
        let count = self.people.len() as f64;
        let lives = self.people.iter().enumerate().map(async |(n, person)| {
            tokio::time::sleep(length.mul_f64(n as f64 / count)).await;
            let life = async {
                person.send_text(BOT, "/start").unwrap();
                let trial = "SELECT COUNT(*) FROM trials WHERE user_id = ?";
                self.insist(person, "trial-take:outline", async || self.one(trial, person).await >= 1).await;
                match n % 2 {
                    0 => self.pay_with_qvapay(person).await,
                    _ => self.pay_with_stars(person).await,
                }
            };
            tokio::time::timeout(LIMIT, life).await.unwrap_or_else(|_| panic!("{} got nothing", person.id));
        });
        join_all(lives).await;
    }

    /// Presses a button, and again after a while, until it has shown an effect.
    async fn insist(&self, person: &PersonHandle, data: &str, mut there: impl AsyncFnMut() -> bool) {
        loop {
            person.press_data(BOT, 1, data).unwrap();
            let looked = async {
                while !there().await {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            if tokio::time::timeout(PATIENCE, looked).await.is_ok() {
                return;
            }
        }
    }

    async fn pay_with_qvapay(&self, person: &PersonHandle) {
        let invoice = "SELECT COUNT(*) FROM payments WHERE user_id = ? AND invoice_url IS NOT NULL";
        let data = format!("buy:{}:qvapay", self.plan);
        self.insist(person, &data, async || self.one(invoice, person).await >= 1).await;
        let order = format!("SELECT order_ref FROM payments WHERE user_id = {}", person.id);
        let order = self.town.column(&order).await.concat();
        let invoices = self.town.qvapay.invoices();
        let invoice = invoices.iter().find(|invoice| invoice.remote_id == order).unwrap();
        self.town.qvapay.pay(invoice.uuid, Payment::default());
        self.paid(person).await;
    }

    /// An invoice may come twice; whoever taps the one of an order that is paid is refused.
    async fn pay_with_stars(&self, person: &PersonHandle) {
        let data = format!("buy:{}:stars", self.plan);
        let invoice = || person.chat(BOT).unwrap().open_invoice().map(|message| message.id);
        self.insist(person, &data, async || invoice().is_some()).await;
        loop {
            match person.pay(BOT, invoice().unwrap()).await {
                // Telegram took nothing, and they try again.
                Err(PayError::NotAnswered) => {}
                paid => {
                    paid.unwrap();
                    return self.paid(person).await;
                }
            }
        }
    }

    async fn paid(&self, person: &PersonHandle) {
        let paid = "SELECT COUNT(*) FROM payments WHERE user_id = ? AND status = 'completed'";
        eventually(LIMIT, async || self.one(paid, person).await == 1).await;
    }

    async fn one(&self, sql: &'static str, person: &PersonHandle) -> i64 {
        sqlx::query_scalar(sql).bind(person.id).fetch_one(&self.town.db.pool).await.unwrap()
    }

    /// What must have come of it: to each of them, once.
    pub async fn check(&self, outline: &OutlineServer) {
        let each = i64::try_from(self.people.len()).unwrap();
        let count = async |sql| self.town.count(sql).await;
        assert_eq!(count("SELECT COUNT(*) FROM trials").await, each, "trials");
        assert_eq!(count("SELECT COUNT(*) FROM subscriptions").await, each * 2, "subscriptions");
        assert_eq!(count("SELECT COUNT(*) FROM payments WHERE status = 'completed'").await, each, "payments");
        assert_eq!(count("SELECT COUNT(*) FROM ledger_entries").await, each, "money in the ledger");
        assert_eq!(count("SELECT COUNT(*) FROM unmatched_charges").await, 0, "money that fits nothing");
        let open = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active' AND applied = 'present'";
        assert_eq!(count(open).await, each * 2, "configs");
        let handed = "SELECT COUNT(*) FROM audit_logs WHERE action = 'config_delivered'";
        assert_eq!(count(handed).await, each * 2, "configs handed over");
        let receipts = "SELECT COUNT(*) FROM outbound_messages WHERE status = 'done' \
                        AND body LIKE '%\"notice\":\"receipt\"%'";
        assert_eq!(count(receipts).await, each, "receipts");
        assert_eq!(count("SELECT COUNT(*) FROM jobs WHERE status = 'dead'").await, 0, "dead jobs");
        assert_eq!(i64::try_from(outline.key_ids().await.len()).unwrap(), each * 2, "keys at the VPN server");
        for person in &self.people {
            let chat = person.chat(BOT).unwrap().transcript();
            assert!(chat.contains("ss://"), "{} never saw a link: {chat}", person.id);
        }
    }
}

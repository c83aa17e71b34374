//! A life of the house, played by people of several kinds at once: everything that the server can be doing when it is
//! killed. What the clock would bring in days is brought by turning back the rows and queueing what the clock queues.

use std::time::Duration;

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use usipipo::demo::outline::OutlineServer;
use usipipo::demo::qvapay::Payment;
use usipipo::demo::telegram::{Action, PayError, PersonHandle};
use usipipo::models::job::{Job, ServerWork};
use usipipo::work::Origin;

use crate::story::{press, take_trial};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

/// Everything here happens while the server may be dead for a while.
const LIMIT: Duration = Duration::from_secs(120);
/// The owner, named in the configuration.
const OWNER: i64 = 1;

/// What the five kinds of people do.
#[derive(Clone, Copy)]
enum Kind {
    /// Tries, and pays with QvaPay.
    Tries,
    /// Buys with Stars, and again.
    Renews,
    /// Buys with Stars, and gets the money back.
    Regrets,
    /// Tries until it ends.
    Ends,
    /// Buys, adds a second config and drops it.
    Changes,
}

const KINDS: [Kind; 5] = [Kind::Tries, Kind::Renews, Kind::Regrets, Kind::Ends, Kind::Changes];

/// Who lives, and what must have come of it.
pub struct Life<'a> {
    town: &'a Town,
    plan: i64,
    owner: PersonHandle,
    people: Vec<(Kind, PersonHandle)>,
}

impl<'a> Life<'a> {
    pub async fn of(town: &'a Town, people: i64) -> Self {
        let languages = ["es", "en", "ru"];
        let person = |n: i64| {
            let at = usize::try_from(n).unwrap();
            (KINDS[at % KINDS.len()], town.person(9000 + n, "Ana <b>&", languages[at % 3]))
        };
        let plan = town.popular_plan().await;
        Self {
            town,
            plan,
            owner: town.person(OWNER, "Olga", "en"),
            people: (0..people).map(person).collect(),
        }
    }

    /// Lives it, from the first word to the last.
    pub async fn play(&self, outline: &OutlineServer) {
        self.owner.send_text(BOT, "/start").unwrap();
        join_all(self.people.iter().map(|(kind, person)| self.live(*kind, person))).await;
        self.refund_all().await;
        self.end_trials().await;
        for work in [ServerWork::Health, ServerWork::Usage, ServerWork::Reconcile] {
            self.queue(Job::TickServers { work }).await;
        }
        for id in outline.key_ids().await {
            outline.set_transferred(&id, 1_000_000).await;
        }
        self.queue(Job::TickServers { work: ServerWork::Usage }).await;
        for job in [Job::PollPayments, Job::WatchPools, Job::CheckBooks, Job::Purge] {
            self.queue(job).await;
        }
    }

    async fn live(&self, kind: Kind, person: &PersonHandle) {
        match kind {
            Kind::Tries => {
                take_trial(person).await;
                self.pay_with_qvapay(person).await;
            }
            Kind::Renews => {
                self.buy_with_stars(person).await;
                self.completed(person, 1).await;
                self.buy_with_stars(person).await;
                self.completed(person, 2).await;
            }
            Kind::Regrets => {
                self.buy_with_stars(person).await;
                self.completed(person, 1).await;
            }
            Kind::Ends => take_trial(person).await,
            Kind::Changes => {
                self.buy_with_stars(person).await;
                self.completed(person, 1).await;
                self.drop_config(person).await;
            }
        }
    }

    /// A server that died after a send may send an invoice twice: who taps the one of an order that is paid already is
    /// refused, and goes on to the next.
    async fn buy_with_stars(&self, person: &PersonHandle) {
        person.send_text(BOT, "/plans").unwrap();
        press(person, &format!("plan:{}", self.plan)).await;
        press(person, &format!("buy:{}:stars", self.plan)).await;
        let mut refused = 0;
        loop {
            let invoice = eventually(LIMIT, async || {
                let chat = person.chat(BOT).ok()?;
                chat.open_invoice().map(|message| message.id).filter(|id| *id > refused)
            })
            .await;
            match person.pay(BOT, invoice).await {
                Ok(_) => return,
                Err(PayError::Declined(_)) => refused = invoice,
                // Telegram waits 10 s for the bot, and a lease may end later than that: so people tap again.
                Err(PayError::NotAnswered) => {}
                Err(error) => panic!("{} could not pay: {error}", person.id),
            }
        }
    }

    async fn pay_with_qvapay(&self, person: &PersonHandle) {
        person.send_text(BOT, "/plans").unwrap();
        press(person, &format!("plan:{}", self.plan)).await;
        press(person, &format!("buy:{}:qvapay", self.plan)).await;
        let base = self.town.qvapay.base_url().to_owned();
        let url = eventually(LIMIT, async || {
            let chat = person.chat(BOT).ok()?;
            let buttons =
                chat.messages.iter().rev().flat_map(|message| message.buttons().collect::<Vec<_>>());
            buttons.into_iter().find_map(|button| match &button.action {
                Action::Url(url) if url.starts_with(&base) => Some(url.clone()),
                _ => None,
            })
        })
        .await;
        let invoices = self.town.qvapay.invoices();
        let invoice = invoices.iter().find(|invoice| url.contains(&invoice.uuid.to_string())).unwrap();
        self.town.qvapay.pay(invoice.uuid, Payment::default());
        self.completed(person, 1).await;
    }

    /// Adds nothing and takes away what was bought first: its key has to go.
    async fn drop_config(&self, person: &PersonHandle) {
        let active =
            "SELECT id FROM vpn_configs WHERE user_id = ? AND status = 'active' AND delivered_at IS NOT NULL";
        let id = eventually(LIMIT, async || self.one(active, person.id).await).await;
        person.send_text(BOT, "/vpn").unwrap();
        press(person, &format!("cfg:{id}")).await;
        press(person, &format!("cfg-revoke:{id}")).await;
        press(person, &format!("cfg-revoke-yes:{id}")).await;
    }

    async fn refund_all(&self) {
        for person in self.of_kind(|kind| matches!(kind, Kind::Regrets)) {
            let order: (i64, String) = sqlx::query_as("SELECT id, order_ref FROM payments WHERE user_id = ?")
                .bind(person.id)
                .fetch_one(&self.town.db.pool)
                .await
                .unwrap();
            self.owner.send_text(BOT, &format!("/refund {}", order.1)).unwrap();
            press(&self.owner, &format!("refund-yes:{}", order.0)).await;
            let refunded = "SELECT id FROM payments WHERE user_id = ? AND status = 'refunded'";
            eventually(LIMIT, async || self.one(refunded, person.id).await).await;
        }
    }

    async fn end_trials(&self) {
        for person in self.of_kind(|kind| matches!(kind, Kind::Ends)) {
            let past = "UPDATE subscriptions SET starts_at = starts_at - INTERVAL 8 DAY, \
                        ends_at = ends_at - INTERVAL 8 DAY WHERE user_id = ?";
            sqlx::query(past).bind(person.id).execute(&self.town.db.pool).await.unwrap();
        }
        self.queue(Job::ExpireSubscriptions).await;
        let blocked = "SELECT id FROM vpn_configs WHERE user_id = ? AND applied = 'blocked'";
        for person in self.of_kind(|kind| matches!(kind, Kind::Ends)) {
            eventually(LIMIT, async || self.one(blocked, person.id).await).await;
        }
    }

    fn of_kind(&self, is: impl Fn(Kind) -> bool) -> impl Iterator<Item = &PersonHandle> {
        self.people.iter().filter(move |(kind, _)| is(*kind)).map(|(_, person)| person)
    }

    async fn completed(&self, person: &PersonHandle, times: i64) {
        let done = "SELECT COUNT(*) FROM payments WHERE user_id = ? AND status IN ('completed', 'refunded')";
        eventually(LIMIT, async || self.one(done, person.id).await == Some(times)).await;
    }

    async fn one(&self, sql: &'static str, person: i64) -> Option<i64> {
        sqlx::query_scalar(sql).bind(person).fetch_optional(&self.town.db.pool).await.ok()?
    }

    /// What the clock would queue.
    async fn queue(&self, job: Job) {
        let works = self.town.works();
        let queue = works.run("queue", Origin::SYSTEM, |work| {
            let job = job.clone();
            async move {
                work.enqueue(job);
                Ok::<_, sqlx::Error>(())
            }
            .scope_boxed()
        });
        queue.await.unwrap();
    }

    /// What must have come of it once everything is at rest: each person's trials, purchases and configs, and what they
    /// were told, once in the database and at least once in the chat.
    pub async fn check(&self, outline: &OutlineServer) {
        for (kind, person) in &self.people {
            let (trials, paid, open) = match kind {
                Kind::Tries => (1, 1, 2),
                Kind::Renews => (0, 2, 1),
                Kind::Regrets | Kind::Changes => (0, 1, 0),
                Kind::Ends => (1, 0, 0),
            };
            let count = async |sql| self.one(sql, person.id).await.unwrap_or_default();
            let who = person.id;
            assert_eq!(
                count("SELECT COUNT(*) FROM trials WHERE user_id = ?").await,
                trials,
                "trials of {who}"
            );
            let bought = "SELECT COUNT(*) FROM ledger_entries WHERE user_id = ? AND kind = 'payment'";
            assert_eq!(count(bought).await, paid, "purchases of {who}");
            let working = "SELECT COUNT(*) FROM vpn_configs WHERE user_id = ? AND status = 'active' AND applied = 'present'";
            assert_eq!(count(working).await, open, "open configs of {who}");
            let receipts = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = ? AND status = 'done' \
                            AND body LIKE '%\"notice\":\"receipt\"%'";
            assert_eq!(count(receipts).await, paid, "receipts of {who}");
            let handed = "SELECT COUNT(*) FROM audit_logs a JOIN vpn_configs c ON a.target = CONCAT('config:', c.id) \
                          WHERE c.user_id = ? AND a.action = 'config_delivered'";
            let made = "SELECT COUNT(*) FROM vpn_configs WHERE user_id = ?";
            assert_eq!(count(handed).await, count(made).await, "configs handed to {who}");
            let chat = person.chat(BOT).unwrap().transcript();
            assert!(chat.contains("ss://"), "{who} never saw a link: {chat}");
        }
        let open = "SELECT COUNT(*) FROM vpn_configs WHERE status IN ('active', 'suspended')";
        let keys = i64::try_from(outline.key_ids().await.len()).unwrap();
        assert_eq!(keys, self.town.count(open).await, "the server holds what the database says");
        let kept = "SELECT CAST(COALESCE(SUM(IF(kind = 'payment', amount, -amount)), 0) AS SIGNED) \
                    FROM ledger_entries WHERE currency = 'XTR'";
        assert_eq!(
            self.town.telegram.stars_of(BOT),
            self.town.count(kept).await,
            "Stars in the ledger and at Telegram"
        );
    }
}

//! The town of a random life: who is in it, what is under way, and what the test itself knows of what it did.

use std::collections::BTreeSet;
use std::ops::Add;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinSet;
use usipipo::app::Running;
use usipipo::clock::Timestamp;
use usipipo::demo::outline::OutlineServer;
use usipipo::demo::telegram::{PayError, PersonHandle, Receipt};
use usipipo::integrations::payments::qvapay::RateLimit;
use uuid::Uuid;

use super::steps::{Kind, Step};
use crate::support::door::Door;
use crate::support::town::{BOT, LIMIT, Town, WireGuardHouse};
use crate::support::wait::eventually;

/// The owner, named in the configuration: the one who may do everything.
pub const ADMIN: i64 = 1;

/// What was done, for whoever reads how it went wrong.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<(usize, Vec<String>)>>);

impl Log {
    fn begin(&self, number: usize, step: Step) {
        let mut log = self.0.lock().unwrap();
        log.0 = number + 1;
        log.1.push(format!("#{number} {:?}", step.kind));
    }

    /// Adds to what the step is said to be.
    fn note(&self, text: &str) {
        if let Some(line) = self.0.lock().unwrap().1.last_mut() {
            line.push_str(": ");
            line.push_str(text);
        }
    }

    pub fn last(&self, count: usize) -> Vec<String> {
        let log = self.0.lock().unwrap();
        log.1[log.1.len().saturating_sub(count)..].to_vec()
    }

    /// Steps that were begun.
    pub fn taken(&self) -> usize {
        self.0.lock().unwrap().0
    }
}

/// How much of what matters has happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub trials: i64,
    pub stars: i64,
    pub qvapay: i64,
    pub refunds: i64,
    pub odd: i64,
    pub bans: i64,
}

impl Tally {
    pub fn named(self) -> [(&'static str, i64); 6] {
        let Self { trials, stars, qvapay, refunds, odd, bans } = self;
        [
            ("a trial", trials),
            ("a purchase with Stars", stars),
            ("a purchase at QvaPay", qvapay),
            ("a refund", refunds),
            ("odd money", odd),
            ("a ban", bans),
        ]
    }
}

impl Add for Tally {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            trials: self.trials + other.trials,
            stars: self.stars + other.stars,
            qvapay: self.qvapay + other.qvapay,
            refunds: self.refunds + other.refunds,
            odd: self.odd + other.odd,
            bans: self.bans + other.bans,
        }
    }
}

/// From when on a person is known to be shut out: until the audit says that they were let in again.
pub struct Shut {
    pub person: i64,
    /// Later events than this came when the ban was committed.
    pub after: Uuid,
    /// The newest audit row then.
    pub audit: i64,
}

/// Money in Stars of which Telegram told, and which was never to buy anything by itself.
pub struct Odd {
    pub charge: String,
    /// The update that told; None: the bot was not told.
    pub update: Option<i64>,
}

/// A payment in Stars under way.
pub struct Paying {
    pub person: i64,
    /// It should be refused, for this reason.
    pub wrong: Option<&'static str>,
    pub outcome: Result<Receipt, PayError>,
}

pub struct Life {
    pub town: Town,
    pub outline: OutlineServer,
    pub wireguard: WireGuardHouse,
    pub door: Door,
    /// The admin first.
    pub people: Vec<PersonHandle>,
    pub plans: Vec<i64>,
    pub paying: JoinSet<Paying>,
    pub receipts: Vec<(i64, Receipt)>,
    /// Who has ever asked for the trial.
    pub tried: BTreeSet<i64>,
    pub shut: Vec<Shut>,
    pub odd: Vec<Odd>,
    /// Invoices whose payment only a callback can tell of: they were paid when nobody asks about them any more.
    pub late: BTreeSet<Uuid>,
    /// Bodies of callbacks that were taken.
    pub callbacks: Vec<String>,
    /// Nonsense that was taken.
    pub nonsense: BTreeSet<String>,
    running: Option<Running>,
    log: Log,
    calm: bool,
}

impl Life {
    pub async fn begin(people: i64, log: Log) -> Self {
        let mut town = Town::beside(
            |telegram| telegram.checkout_limit = Duration::from_secs(3),
            |qvapay| qvapay.limit = RateLimit { calls: 10_000, per: Duration::from_secs(5) },
        )
        .await;
        for (name, value) in [
            ("QVAPAY_CALLS_IN_FIVE_SECONDS", "10000"),
            ("REQUESTS_PER_SECOND_PER_IP", "10000"),
            // What people do is to take effect, however fast the machine.
            ("USER_ACTIONS_PER_MINUTE", "6000"),
            // Nothing is purged that the end looks at.
            ("RETENTION_DAYS", "3650"),
        ] {
            town.set(name, value);
        }
        let outline = town.add_outline().await;
        let wireguard = town.add_wireguard().await;
        let running = Some(town.open().await);
        let door = Door::of(&town);
        let languages = ["es", "en", "ru"];
        let person = |n: i64| {
            let id = if n == 0 { ADMIN } else { 9000 + n };
            town.person(id, &format!("P{n} <b>&"), languages[usize::try_from(n).unwrap_or_default() % 3])
        };
        let people: Vec<PersonHandle> = (0..=people).map(person).collect();
        let plans = town.numbers("SELECT id FROM plans WHERE active ORDER BY id").await;
        let mut life = Self {
            town,
            outline,
            wireguard,
            door,
            people,
            plans,
            paying: JoinSet::new(),
            receipts: Vec::new(),
            tried: BTreeSet::new(),
            shut: Vec::new(),
            odd: Vec::new(),
            late: BTreeSet::new(),
            callbacks: Vec::new(),
            nonsense: BTreeSet::new(),
            running,
            log,
            calm: std::env::var("FIRE_CALM").is_ok(),
        };
        for person in &life.people {
            person.send_text(BOT, &format!("/start ref_{}_first", person.id)).unwrap();
        }
        life.settle().await;
        life
    }

    /// Lets one thing happen.
    pub async fn take(&mut self, number: usize, step: Step) {
        self.log.begin(number, step);
        let said = match step.kind {
            Kind::Press => self.press(step).await,
            Kind::Type => self.write(step),
            Kind::Trial => self.take_trial(step).await,
            Kind::Order => self.order(step).await,
            Kind::ForeignPress => self.press_foreign(step).await,
            Kind::Block => self.block(step),
            Kind::PayStars => self.pay_stars(step),
            Kind::PayWrongStars => self.pay_wrong_stars(step).await,
            Kind::OddStars => self.odd_stars(step).await,
            Kind::PayQvapay => self.pay_qvapay(step).await,
            Kind::Callback => self.callback(step).await,
            Kind::ForgedCallback => self.forge_callback(step).await,
            Kind::ForgedUpdate => self.forge_update(step).await,
            Kind::Replay => self.replay(step).await,
            Kind::Refund => self.refund(step).await,
            Kind::Review => self.review(step).await,
            Kind::Ban => self.ban(step).await,
            Kind::Unban => self.unban(step).await,
            Kind::Minutes => self.pass(TimeDelta::seconds(30 + i64::from(step.how % 1200))),
            Kind::Hours => self.pass(TimeDelta::minutes(30 + i64::from(step.how % 700))),
            Kind::Days => self.pass(TimeDelta::hours(20 + i64::from(step.how % 80))),
            Kind::Back => self.pass(-TimeDelta::minutes(2 + i64::from(step.how % 300))),
            Kind::Trouble => self.trouble(step),
            Kind::Mend => self.mend(),
            Kind::Traffic => self.use_vpn(step).await,
            Kind::Restart => self.restart(step).await,
            Kind::Calm => self.wait_a_while().await,
        };
        self.log.note(&said);
        // People take a moment between two things.
        self.town.clock.advance(TimeDelta::milliseconds(i64::from(step.how % 2000)));
        self.collect();
        if self.calm {
            self.mend();
            self.settle().await;
        }
    }

    /// Notes what has become of payments; none that should be refused may go through.
    fn collect(&mut self) {
        while let Some(paid) = self.paying.try_join_next() {
            self.paid(paid.unwrap());
        }
    }

    fn paid(&mut self, paid: Paying) {
        let Ok(receipt) = paid.outcome else { return };
        if let Some(why) = paid.wrong {
            panic!("{} was let pay, though {why}", paid.person);
        }
        self.receipts.push((paid.person, receipt));
    }

    pub async fn close(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    pub async fn open(&mut self) {
        self.running = Some(self.town.open().await);
    }

    /// What is still to be done. Where all of it waits for an hour to come, that hour comes.
    async fn left(&self) -> Vec<String> {
        let held = self.town.column("SELECT CONCAT('held ', lane) FROM lanes WHERE owner IS NOT NULL").await;
        let mut left = self.town.waiting().await;
        if held.is_empty() && !left.is_empty() && self.town.telegram.pending(BOT) == 0 {
            let next = "SELECT MIN(due_at) FROM lanes WHERE due_at < '9000-01-01'";
            let next: Option<Timestamp> =
                sqlx::query_scalar(next).fetch_one(&self.town.db.pool).await.unwrap();
            let wait = next.map_or(TimeDelta::zero(), |next| next.since(self.town.clock.now()));
            if wait > TimeDelta::zero() {
                self.town.clock.advance(wait);
            }
        }
        left.extend(held);
        left
    }

    /// Waits until nothing is left to do; nothing may be broken meanwhile.
    pub async fn settle(&mut self) {
        while let Some(paid) = self.paying.join_next().await {
            self.paid(paid.unwrap());
        }
        eventually(LIMIT, async || match self.left().await.as_slice() {
            [] => Ok(()),
            left => Err(format!("{}; {}", left.join(", "), self.lanes().await)),
        })
        .await;
    }

    /// How the lanes in which something waits stand, and those that are due.
    async fn lanes(&self) -> String {
        let lanes = "SELECT CONCAT('lane ', queue, ' ', lane, ' class ', class, ' due ', due_at, ' not before ', not_before, \
                     ' version ', version, ' attempts ', attempts) FROM lanes WHERE due_at < '9000-01-01' OR lane IN \
                     (SELECT lane FROM outbound_messages WHERE status = 'pending')";
        let open = "SELECT CONCAT('open transaction since ', trx_started, ', rows locked ', trx_rows_locked, ': ', \
                    COALESCE(trx_query, '')) FROM information_schema.innodb_trx";
        let mut all = vec![format!("now {:?}", self.town.clock.now())];
        all.extend(self.town.column(lanes).await);
        all.extend(self.town.column(open).await);
        all.join(", ")
    }

    /// As [`Life::settle`], but what cannot be done now is left; true when nothing is.
    pub async fn settle_if_possible(&mut self) -> bool {
        for _ in 0..60 {
            if self.left().await.is_empty() {
                return true;
            }
            // Not a wait for something: how long people have patience.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// One row of a query of the test's own, of those that there are, by `pick`.
    pub async fn one_of(&self, step: Step, sql: &str) -> Option<String> {
        step.pick_of(&self.town.column(sql).await).cloned()
    }
}

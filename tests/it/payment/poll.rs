//! Orders that nobody pays: they are looked after by their age, one call after the other, and keep nobody waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use sqlx::{AssertSqlSafe, MySql, MySqlPool, QueryBuilder};
use usipipo::clock::{Clock, Timestamp};
use usipipo::demo::outline::{self, OutlineServer};
use usipipo::demo::qvapay::{Invoice as Made, Payment as Paying, QvapayServer, Settings, Status};
use usipipo::ids::{PaymentId, UserId};
use usipipo::integrations::payments::qvapay::{QvaPay, RateLimit, SignatureRule};
use usipipo::integrations::payments::{
    Callback, CallbackError, CallbackRequest, Invoice, InvoiceRequest, Observation, OrderHandle, Provider,
    ProviderError, Providers, RefundOutcome, Urgency,
};
use usipipo::jobs::{Backends, Jobs};
use usipipo::models::job::Job;
use usipipo::models::payment::{Payment, ProviderId};
use usipipo::models::vpn::Protocol;
use usipipo::money::Currency;
use usipipo::queue::jobs::JobWorker;
use usipipo::queue::runner::RunnerOptions;
use usipipo::services::payment;
use usipipo::services::subscription;
use usipipo::work::Origin;
use uuid::Uuid;

use super::{ANA, Shop};
use crate::queue::{OPTIONS, Process};
use crate::support::town::Town;
use crate::support::wait::eventually;
use crate::support::works::{ADMIN, TestWorks};
use crate::usage::add_server;

const LIMIT: Duration = Duration::from_secs(120);
const BRUNO: UserId = UserId(6_000_000_002);

/// Somebody's order, made `age` ago and last looked at `looked` ago.
struct Old {
    status: &'static str,
    age: TimeDelta,
    looked: Option<TimeDelta>,
    invoice: Uuid,
}

/// Puts orders into the books; the n-th is `ord_{n}` and belongs to the n-th person.
async fn put_orders(pool: &MySqlPool, now: Timestamp, orders: &[Old]) {
    let mut people = QueryBuilder::<MySql>::new(
        "INSERT INTO users (id, first_name, language, status, created_at, last_seen_at) ",
    );
    people.push_values(1..=orders.len(), |mut row, n| {
        row.push(format!("{}, 'Luz', 'es', 'active', NOW(6), NOW(6)", 10_000 + n));
    });
    people.build().execute(pool).await.unwrap();
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO payments (order_ref, user_id, plan_id, provider, amount, currency, duration_days, \
         device_limit, status, invoice_id, expires_at, checked_at, created_at, updated_at) ",
    );
    query.push_values(orders.iter().enumerate(), |mut row, (n, order)| {
        let made = now - order.age;
        row.push_bind(format!("ord_{n}"))
            .push_bind(10_001 + i64::try_from(n).unwrap())
            .push("2, 'qvapay', 4.99, 'USD', 30, 3")
            .push_bind(order.status)
            .push_bind(order.invoice.to_string())
            .push_bind(made + TimeDelta::hours(1))
            .push_bind(order.looked.map(|ago| now - ago))
            .push_bind(made)
            .push_bind(made);
    });
    query.build().execute(pool).await.unwrap();
}

/// Orders of every age up to two days, in every state that waits for money.
fn of_every_age(count: i32, looked: impl Fn(i32, TimeDelta) -> Option<TimeDelta>) -> Vec<Old> {
    let order = |n: i32| {
        let age = TimeDelta::minutes(2) + TimeDelta::hours(47) / count * n;
        let status =
            if age < TimeDelta::hours(1) { "pending" } else { ["expired", "cancelled"][n as usize % 2] };
        Old { status, age, looked: looked(n, age), invoice: Uuid::now_v7() }
    };
    (0..count).map(order).collect()
}

async fn enqueue(works: &TestWorks, job: Job) {
    let queue = works.run("enqueue", Origin::SYSTEM, |work| {
        let job = job.clone();
        async move {
            work.enqueue(job);
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    queue.await.unwrap();
}

fn start(works: &TestWorks, providers: Providers) -> Process {
    // While a run goes on, the clock is moved by more than any real run takes.
    let lease = Duration::from_secs(7 * 86_400);
    Process::start_with(works, worker(works, providers), RunnerOptions { lease, ..OPTIONS })
}

fn worker(works: &TestWorks, providers: Providers) -> JobWorker<Jobs> {
    let handler = Jobs { works: (**works).clone(), providers, backends: Arc::<Backends>::default() };
    JobWorker { works: (**works).clone(), handler, max_attempts: 5 }
}

async fn number(works: &TestWorks, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&works.db.pool).await.unwrap()
}

const LOOKED_AT: &str =
    "SELECT COUNT(*) FROM payments WHERE order_ref LIKE 'ord\\_%' AND checked_at IS NOT NULL";
const AT_WORK: &str = "SELECT COUNT(*) FROM jobs WHERE status = 'pending'";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_unpaid_orders_keep_nobody_waiting() {
    let works = TestWorks::with(&[("QVAPAY_APP_ID", "app"), ("QVAPAY_APP_SECRET", "secret")]).await;
    let outline = OutlineServer::start(outline::Options::default()).await.unwrap();
    add_server(&works, &outline).await;
    let limit = RateLimit { calls: 20, per: Duration::from_millis(500) };
    let qvapay = start_qvapay(&works, limit).await;
    let orders = of_every_age(1000, |_, _| None);
    for (n, order) in orders.iter().enumerate() {
        qvapay.put(made(n, order, works.clock.now()));
    }
    put_orders(&works.db.pool, works.clock.now(), &orders).await;
    // The callback of the least urgent one is lost.
    let paying = Paying { callback: false, ..Paying::default() };
    qvapay.pay(orders[0].invoice, paying).unwrap().await.unwrap();
    let process = start(&works, Providers::default().with(client(&qvapay, limit)));
    enqueue(&works, Job::PollPayments).await;
    eventually(LIMIT, async || qvapay.calls().len() > 50).await;

    // Now somebody orders, and somebody takes the trial.
    let before = qvapay.calls().len();
    let order = buy(&works, ANA).await;
    take_trial(&works).await;
    let linked = format!("SELECT COUNT(*) FROM payments WHERE id = {} AND invoice_url IS NOT NULL", order.id);
    let delivered = "SELECT COUNT(*) FROM vpn_configs WHERE delivered_at IS NOT NULL";
    eventually(LIMIT, async || (number(&works, &linked).await, number(&works, delivered).await) == (1, 1))
        .await;
    let looked = number(&works, LOOKED_AT).await;
    assert!(looked < 900, "they had to wait for {looked} others");
    let calls = qvapay.calls();
    let asked = calls.iter().position(|call| call.starts_with("POST /v2/create_invoice")).unwrap();
    assert!(asked - before < 200, "{} calls went before", asked - before);

    // All are looked at, once each, within the limit; the money whose callback was lost buys.
    eventually(LIMIT, async || match number(&works, LOOKED_AT).await {
        1000 => Ok(()),
        other => Err(other),
    })
    .await;
    eventually(LIMIT, async || {
        number(&works, "SELECT COUNT(*) FROM payments WHERE status = 'completed'").await == 1
    })
    .await;
    let calls = qvapay.calls();
    assert!(calls.iter().all(|call| call.ends_with(" 200")), "QvaPay had to refuse: {calls:?}");
    let mut looks: Vec<&String> =
        calls.iter().filter(|call| call.starts_with("POST /v2/transactions/")).collect();
    looks.sort();
    looks.dedup();
    assert_eq!((looks.len(), calls.len()), (1000, 1001));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rush_of_buyers_keeps_nobody_else_waiting_and_asks_for_each_invoice_once() {
    let works = TestWorks::with(&[("QVAPAY_APP_ID", "app"), ("QVAPAY_APP_SECRET", "secret")]).await;
    let outline = OutlineServer::start(outline::Options::default()).await.unwrap();
    add_server(&works, &outline).await;
    let limit = RateLimit { calls: 3, per: Duration::from_millis(500) };
    let qvapay = start_qvapay(&works, limit).await;
    for n in 1..=40 {
        buy(&works, UserId(20_000 + n)).await;
    }
    take_trial(&works).await;
    let process = start(&works, Providers::default().with(client(&qvapay, limit)));
    let delivered = "SELECT COUNT(*) FROM vpn_configs WHERE delivered_at IS NOT NULL";
    eventually(LIMIT, async || number(&works, delivered).await == 1).await;
    assert!(qvapay.invoices().len() < 35, "it waited for {} invoices", qvapay.invoices().len());
    let linked = "SELECT COUNT(*) FROM payments WHERE invoice_url IS NOT NULL";
    eventually(LIMIT, async || number(&works, linked).await == 40).await;
    // None was looked for, as one would be that may have been made by an earlier try.
    assert_eq!(qvapay.calls(), vec!["POST /v2/create_invoice 200"; 40]);
    assert_eq!(number(&works, "SELECT CAST(MAX(attempts) AS SIGNED) FROM jobs").await, 1);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_looks_after_what_was_paid_while_it_was_away() {
    let town = Town::found().await;
    let orders = of_every_age(1, |_, _| None);
    put_orders(&town.db.pool, town.clock.now(), &orders).await;
    town.qvapay.put(made(0, &orders[0], town.clock.now()));
    let paying = Paying { callback: false, ..Paying::default() };
    town.qvapay.pay(orders[0].invoice, paying).unwrap().await.unwrap();
    let mut server = town.spawner()();
    let completed = "SELECT COUNT(*) FROM payments WHERE status = 'completed'";
    eventually(LIMIT, async || town.count(completed).await == 1).await;
    assert_eq!(server.ended(), None, "and goes on");
}

async fn start_qvapay(works: &TestWorks, limit: RateLimit) -> QvapayServer {
    let settings = Settings { limit, ..Settings::new("app", "secret".into(), works.clock.clone()) };
    QvapayServer::start(settings).await.unwrap()
}

fn client(qvapay: &QvapayServer, limit: RateLimit) -> QvaPay {
    let http = QvaPay::http_client().unwrap();
    QvaPay::new("app", "secret".into(), qvapay.base_url(), SignatureRule::Required, http).with_limit(limit)
}

fn made(n: usize, order: &Old, now: Timestamp) -> Made {
    Made {
        uuid: order.invoice,
        remote_id: format!("ord_{n}"),
        amount: "4.99".to_owned(),
        currency: None,
        description: "VPN".to_owned(),
        webhook: None,
        status: Status::Pending,
        paid_by: None,
        created_at: now - order.age,
        updated_at: now - order.age,
        expires_at: None,
    }
}

async fn buy(works: &TestWorks, who: UserId) -> Payment {
    works.person(who.0).await;
    let plan = sqlx::query_scalar("SELECT id FROM plans WHERE popular ORDER BY id LIMIT 1");
    let plan = plan.fetch_one(&works.db.pool).await.unwrap();
    let buy = works.run("buy", Origin::SYSTEM, |work| {
        payment::create_order(work, who, plan, ProviderId::Qvapay, None).scope_boxed()
    });
    buy.await.unwrap()
}

async fn take_trial(works: &TestWorks) {
    works.person(BRUNO.0).await;
    let trial = works.run("trial", Origin::SYSTEM, |work| {
        subscription::start_trial(work, BRUNO, Protocol::Outline).scope_boxed()
    });
    trial.await.unwrap();
}

/// QvaPay as its answers are told here, each of which takes time on the clock of the house.
#[derive(Clone)]
struct Told {
    clock: Clock,
    takes: TimeDelta,
    /// The order that was asked about, and when.
    asked: Arc<Mutex<Vec<(usize, Timestamp)>>>,
    answer: fn(usize) -> Result<Option<Observation>, ProviderError>,
}

impl Told {
    fn new(works: &TestWorks, takes: TimeDelta) -> Self {
        Self { clock: works.clock.clone(), takes, asked: Arc::default(), answer: |_| Ok(None) }
    }

    fn asked(&self) -> Vec<(usize, Timestamp)> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Provider for Told {
    fn id(&self) -> ProviderId {
        ProviderId::Qvapay
    }
    fn currency(&self) -> Currency {
        Currency::usd()
    }
    fn authenticate(&self, _: &CallbackRequest<'_>, _: Timestamp) -> Result<Callback, CallbackError> {
        unreachable!("no callback comes")
    }
    async fn create_invoice(&self, _: &InvoiceRequest) -> Result<Invoice, ProviderError> {
        unreachable!("nobody buys")
    }
    async fn observe(&self, order: &OrderHandle, _: Urgency) -> Result<Option<Observation>, ProviderError> {
        let n = order.order_ref.trim_start_matches("ord_").parse().unwrap();
        self.asked.lock().unwrap().push((n, self.clock.now()));
        self.clock.advance(self.takes);
        (self.answer)(n)
    }
    async fn refund(&self, _: &str, _: UserId) -> Result<RefundOutcome, ProviderError> {
        unreachable!("nothing is given back")
    }
    async fn check(&self) -> Result<String, ProviderError> {
        Ok("told".to_owned())
    }
}

/// An hour and a half of a shop with a thousand unpaid orders, where a call takes so long. Gives for each look, and for
/// the time from the last one to the end, how long it was after the one before, and how long it should have been.
async fn an_hour_and_a_half(takes: TimeDelta) -> Vec<(TimeDelta, TimeDelta)> {
    let works = TestWorks::new().await;
    let looked = |n: i32, age: TimeDelta| Some(age / 5 * (n % 10) / 10);
    let orders = of_every_age(1000, looked);
    let begin = works.clock.now();
    put_orders(&works.db.pool, works.clock.now(), &orders).await;
    let told = Told::new(&works, takes);
    let process = start(&works, Providers::default().with(told.clone()));
    while works.clock.now() < begin + TimeDelta::minutes(90) {
        let next = works.clock.now() + TimeDelta::minutes(1);
        enqueue(&works, Job::PollPayments).await;
        eventually(LIMIT, async || works.clock.now() >= next || number(&works, AT_WORK).await == 0).await;
        works.clock.advance((next.since(works.clock.now())).max(TimeDelta::zero()));
    }
    process.stop().await;
    let end = works.clock.now();
    let mut looks: BTreeMap<usize, Vec<Timestamp>> = BTreeMap::new();
    for (n, at) in told.asked() {
        looks.entry(n).or_default().push(at);
    }
    let mut gaps = Vec::new();
    for (n, order) in orders.iter().enumerate() {
        let made = begin - order.age;
        let mut last = begin - order.looked.unwrap();
        for at in looks.remove(&n).unwrap_or_default() {
            assert!(last.since(made) < TimeDelta::hours(48), "left alone after two days");
            gaps.push((at.since(last), should_be(made, last)));
            last = at;
        }
        if last.since(made) < TimeDelta::hours(48) {
            gaps.push((end.since(last).max(should_be(made, last)), should_be(made, last)));
        }
    }
    gaps
}

fn should_be(made: Timestamp, last: Timestamp) -> TimeDelta {
    TimeDelta::minutes(1).max(last.since(made) / 4)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_looked_at_by_its_age() {
    // QvaPay's limit: three calls in five seconds.
    let gaps = an_hour_and_a_half(TimeDelta::milliseconds(1700)).await;
    assert!(gaps.len() > 1300, "{} looks", gaps.len());
    for (gap, should_be) in gaps {
        assert!(gap >= should_be - TimeDelta::seconds(1), "{gap} instead of {should_be}: too early");
        assert!(gap <= should_be + TimeDelta::minutes(3), "{gap} instead of {should_be}: too late");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_more_than_can_be_asked_makes_all_wait_alike() {
    // Twice as slow as would be needed.
    let gaps = an_hour_and_a_half(TimeDelta::seconds(10)).await;
    for (gap, should_be) in gaps {
        assert!(gap <= should_be * 4 + TimeDelta::minutes(3), "{gap} instead of {should_be}");
    }
}

fn three_orders() -> Vec<Old> {
    let old = |minutes| Old {
        status: "expired",
        age: TimeDelta::minutes(minutes),
        looked: None,
        invoice: Uuid::now_v7(),
    };
    vec![old(300), old(200), old(100)]
}

async fn minutes_pass(works: &TestWorks, minutes: usize) {
    for _ in 0..minutes {
        enqueue(works, Job::PollPayments).await;
        let at_work =
            "SELECT COUNT(*) FROM jobs WHERE status = 'pending' AND (attempts = 0 OR kind = 'poll_payments')";
        eventually(LIMIT, async || number(works, at_work).await == 0).await;
        works.clock.advance(TimeDelta::minutes(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_that_the_provider_chokes_on_keeps_no_other_waiting() {
    let works = TestWorks::new().await;
    put_orders(&works.db.pool, works.clock.now(), &three_orders()).await;
    let mut told = Told::new(&works, TimeDelta::zero());
    told.answer = |n| match n {
        0 => {
            let reason = "no JSON".to_owned();
            Err(ProviderError::Unexpected { provider: ProviderId::Qvapay, reason })
        }
        _ => Ok(None),
    };
    let process = start(&works, Providers::default().with(told.clone()));
    minutes_pass(&works, 2).await;
    eventually(LIMIT, async || {
        works.clock.advance(TimeDelta::seconds(5));
        number(&works, LOOKED_AT).await == 3
    })
    .await;
    let first: Vec<usize> = told.asked().iter().map(|(n, _)| *n).collect();
    assert_eq!(first[..3], [0, 1, 2], "the one that fails is asked about first, and once");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refuses_us_is_asked_once_a_minute() {
    let works = TestWorks::new().await;
    put_orders(&works.db.pool, works.clock.now(), &of_every_age(100, |_, _| None)).await;
    let mut told = Told::new(&works, TimeDelta::zero());
    told.answer = |_| {
        let reason = "401 bad credentials".to_owned();
        Err(ProviderError::Refused { provider: ProviderId::Qvapay, reason })
    };
    let process = start(&works, Providers::default().with(told.clone()));
    minutes_pass(&works, 5).await;
    eventually(LIMIT, async || number(&works, AT_WORK).await == 0).await;
    assert_eq!(told.asked().len(), 5);
    assert_eq!(number(&works, LOOKED_AT).await, 5);
    // A person who asks is not told by a job that is tried for days, and the order counts as looked at.
    enqueue(&works, Job::CheckPayment { payment_id: PaymentId(1) }).await;
    let given_up = "SELECT COUNT(*) FROM jobs WHERE kind = 'check_payment' AND status = 'dead'";
    eventually(LIMIT, async || number(&works, given_up).await == 1).await;
    assert_eq!(
        number(&works, "SELECT COUNT(*) FROM payments WHERE id = 1 AND checked_at IS NOT NULL").await,
        1
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_was_switched_off_is_asked_nothing_and_alarms_nobody() {
    let works = TestWorks::new().await;
    put_orders(&works.db.pool, works.clock.now(), &of_every_age(100, |_, _| None)).await;
    let process = start(&works, Providers::default());
    minutes_pass(&works, 60).await;
    enqueue(&works, Job::CheckPayment { payment_id: PaymentId(1) }).await;
    eventually(LIMIT, async || number(&works, AT_WORK).await == 0).await;
    assert_eq!(number(&works, "SELECT COUNT(*) FROM jobs WHERE status <> 'done'").await, 0);
    assert_eq!(works.notices_to(ADMIN).await, []);
    assert_eq!(
        number(&works, "SELECT COUNT(*) FROM payments WHERE status = 'pending'").await,
        0,
        "they are closed"
    );
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_presses_again_and_again_makes_us_ask_once() {
    let shop = Shop::open().await;
    let order = shop.order(ProviderId::Qvapay).await;
    let look = async || {
        let id = order.id;
        let look = shop
            .works
            .run("look", Origin::SYSTEM, |work| payment::look_again(work, ANA, id, None).scope_boxed());
        look.await.unwrap();
        // As if each check had run since.
        sqlx::query("UPDATE jobs SET queued_key = NULL").execute(&shop.works.db.pool).await.unwrap();
        shop.count("SELECT COUNT(*) FROM jobs WHERE kind = 'check_payment'").await
    };
    assert_eq!(look().await, 0, "nobody can have paid without a link");
    sqlx::query("UPDATE payments SET invoice_id = 'i'").execute(&shop.works.db.pool).await.unwrap();
    assert_eq!([look().await, look().await, look().await], [1, 1, 1]);
    shop.works.clock.advance(TimeDelta::seconds(10));
    assert_eq!([look().await, look().await], [2, 2]);
}

//! Money: once, twice, at once, late, wrong, and sent back. What counts is what the database holds afterwards.

mod order;
mod poll;
mod refund;
mod review;
mod routes;
mod settle;
mod unmatched;

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use scoped_futures::ScopedFutureExt;
use tokio_util::sync::{CancellationToken, DropGuard};
use usipipo::crud;
use usipipo::ids::{PlanId, UserId};
use usipipo::integrations::payments::stars::Stars;
use usipipo::integrations::payments::{Observation, ObservedState, Providers};
use usipipo::jobs::Jobs;
use usipipo::models::audit::Actor;
use usipipo::models::lane::Holder;
use usipipo::models::payment::{Charge, Payment, ProviderId};
use usipipo::models::server::NewServer;
use usipipo::models::vpn::Protocol;
use usipipo::money::Currency;
use usipipo::queue::jobs::JobWorker;
use usipipo::queue::runner::{Runner, RunnerOptions};
use usipipo::services::payment::{self, Credit, PaymentError, StarsPayment};
use usipipo::services::server;
use usipipo::work::{Origin, Works};

use crate::support::bot_api::Api;
use crate::support::works::{ADMIN, TestWorks, by};

pub const ANA: UserId = UserId(6_123_456_789);

/// A shop with the default catalogue, one Outline server, QvaPay switched on, and a customer.
pub struct Shop {
    pub works: TestWorks,
    pub plan: PlanId,
}

impl Shop {
    pub async fn open() -> Self {
        let qvapay =
            [("QVAPAY_APP_ID", "c2ffb4b5-0000-4000-8000-000000000001"), ("QVAPAY_APP_SECRET", "secret")];
        let works = TestWorks::with(&qvapay).await;
        works.person(ANA.0).await;
        let new = NewServer {
            name: "de1".to_owned(),
            protocol: Protocol::Outline,
            location: "Frankfurt".to_owned(),
            settings: "{}".to_owned(),
            capacity: 100,
        };
        let add = works.run("add_server", Origin::SYSTEM, |work| {
            let new = new.clone();
            async move { server::add(work, &new, "{}", &[]).await }.scope_boxed()
        });
        add.await.unwrap();
        let plan = sqlx::query_scalar("SELECT id FROM plans WHERE popular ORDER BY id LIMIT 1");
        let plan = plan.fetch_one(&works.db.pool).await.unwrap();
        Self { works, plan }
    }

    pub async fn order(&self, provider: ProviderId) -> Payment {
        let origin = Origin { actor: Actor::User(ANA), cause: None };
        let (plan, run) = (self.plan, &self.works);
        run.run("order", origin, |work| {
            async move { payment::create_order(work, ANA, plan, provider, None).await }.scope_boxed()
        })
        .await
        .unwrap()
    }

    /// Money in Stars arrives as Telegram tells it.
    pub async fn stars(&self, paid: &StarsPayment) -> Credit {
        self.works
            .run("stars", Origin::SYSTEM, |work| payment::stars_paid(work, paid).scope_boxed())
            .await
            .unwrap()
    }

    /// QvaPay says this of an order.
    pub async fn observed(&self, order: &Payment, seen: &Observation) -> Credit {
        let id = order.id;
        self.works
            .run("observed", Origin::SYSTEM, |work| payment::observed(work, id, Some(seen)).scope_boxed())
            .await
            .unwrap()
    }

    /// Somebody of the team asks for the money of an order to be sent back.
    pub async fn request_refund(&self, order: &Payment) -> Result<Payment, PaymentError> {
        let id = order.id;
        self.works.run("refund", by(ADMIN), |work| payment::request_refund(work, id).scope_boxed()).await
    }

    /// Does the jobs that are queued, with Stars at this Telegram, until the guard is dropped.
    pub fn work(&self, telegram: &Api) -> DropGuard {
        let works = Works::clone(&self.works);
        let providers = Providers::default().with(Stars::new(telegram.bot()));
        let handler = Jobs { works: works.clone(), providers, backends: Arc::default() };
        let worker = JobWorker { works: works.clone(), handler, max_attempts: 3 };
        let poll = Duration::from_millis(20);
        let options =
            RunnerOptions { lease: Duration::from_secs(30), parallel: 8, urgent: 2, in_hand: 0, poll };
        let stop = CancellationToken::new();
        tokio::spawn(Runner::new(works, worker, options, Holder::random(), stop.clone()).run());
        stop.drop_guard()
    }

    pub async fn payment(&self, order: &Payment) -> Payment {
        let mut conn = self.works.db.pool.acquire().await.unwrap();
        crud::payment::find(&mut conn, order.id).await.unwrap().unwrap()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.works.db.pool).await.unwrap()
    }

    /// Days of access Ana has from now, rounded.
    pub async fn days_left(&self) -> i64 {
        let mut conn = self.works.db.pool.acquire().await.unwrap();
        let all = crud::subscription::list_of_user(&mut conn, ANA).await.unwrap();
        let end = all.iter().map(|s| s.ends_at).max();
        end.map_or(0, |end| (end.since(self.works.clock.now()).num_hours() + 12).div_euclid(24))
    }
}

pub fn stars_for(order: &Payment, charge: &str) -> StarsPayment {
    StarsPayment {
        payer: order.user_id,
        order_ref: Some(order.order_ref.clone()),
        charge: Charge { id: charge.to_owned(), amount: Some(order.amount), currency: Currency::stars() },
        subscribed_until: None,
    }
}

pub fn paid(order: &Payment, amount: &str) -> Observation {
    Observation {
        state: ObservedState::Paid,
        amount: Some(amount.parse::<Decimal>().unwrap()),
        currency: Currency::usd(),
        order_ref: Some(order.order_ref.clone()),
        charge_id: format!("tx-{}", order.id),
        payer: None,
    }
}

//! The numbers of `/stats`.

use chrono::{Duration, NaiveTime};

use crate::clock::Timestamp;
use crate::crud;
use crate::models::lane::Standing;
use crate::models::role::Permission;
use crate::models::vpn::{ConfigStatus, Protocol};
use crate::money::Money;
use crate::services::access::{self, AccessError};
use crate::work::Work;

/// How the house stands at one instant. Days are UTC's.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    pub people: i64,
    /// First seen today.
    pub people_new_today: i64,
    /// Seen in the last 7 days.
    pub people_active_7_days: i64,
    /// Active subscriptions to plans.
    pub subscriptions: i64,
    /// Active trials.
    pub trials: i64,
    pub income_today: Vec<Income>,
    /// In the last 30 days.
    pub income_30_days: Vec<Income>,
    /// Orders and money without an order that a human has to look at.
    pub reviews: i64,
    /// Configs that are not gone.
    pub configs: Vec<(Protocol, ConfigStatus, i64)>,
    pub inbox: Backlog,
    pub outbox: Backlog,
    pub jobs: Backlog,
    /// Events, messages and jobs that were given up.
    pub dead: i64,
}

/// Completed orders in one currency, without those refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Income {
    pub payments: i64,
    pub sum: Money,
}

/// What waits in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: i64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
}

/// Counts everything.
pub async fn collect(work: &mut Work) -> Result<Stats, AccessError> {
    access::require(work, Permission::ViewStats).await?;
    let now = work.now();
    let today = Timestamp::from(now.utc().date_naive().and_time(NaiveTime::MIN).and_utc());
    let conn = work.conn();
    let (people, people_new_today, people_active_7_days) =
        crud::stats::people(conn, today, now - Duration::days(7)).await?;
    let queues = crud::queue::standing(conn).await?;
    let [inbox, outbox, jobs] = queues;
    let (subscriptions, trials) = crud::stats::subscriptions(conn, now).await?;
    Ok(Stats {
        people,
        people_new_today,
        people_active_7_days,
        subscriptions,
        trials,
        income_today: incomes(crud::stats::completed_payments(conn, today).await?),
        income_30_days: incomes(crud::stats::completed_payments(conn, now - Duration::days(30)).await?),
        reviews: crud::stats::open_reviews(conn).await?,
        configs: crud::stats::configs(conn).await?,
        inbox: backlog(inbox),
        outbox: backlog(outbox),
        jobs: backlog(jobs),
        dead: queues.iter().map(|queue| queue.dead).sum(),
    })
}

fn incomes(rows: Vec<(i64, Money)>) -> Vec<Income> {
    rows.into_iter().map(|(payments, sum)| Income { payments, sum }).collect()
}

fn backlog(Standing { waiting, oldest, .. }: Standing) -> Backlog {
    Backlog { waiting, oldest }
}

use std::time::Duration;

use chrono::TimeDelta;
use sqlx::Connection;
use usipipo::models::bot::Bot;
use usipipo::queue::pacer::Pacer;

use crate::support::wait::eventually;
use crate::support::works::TestWorks;

const LIMIT: Duration = Duration::from_secs(30);

/// It was counted by a clock that was an hour ahead, and is not an hour away.
#[tokio::test]
async fn a_slot_that_was_reserved_while_the_clock_was_set_back_is_not_waited_for() {
    let works = TestWorks::new().await;
    let pacer = Pacer::new((*works).clone(), 1000);
    pacer.slot(Bot::Client).await.unwrap().unwrap();
    // What was reserved is lost by now: the next slot comes from the database, which makes it wait.
    works.clock.advance(TimeDelta::hours(1));
    let mut other = works.db.pool.acquire().await.unwrap();
    let mut held = other.begin().await.unwrap();
    sqlx::query("SELECT bot FROM send_pace FOR UPDATE").fetch_all(&mut *held).await.unwrap();
    let sets_clock_back = async {
        let asked = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() \
                     AND id <> CONNECTION_ID() AND info LIKE '%send_pace%'";
        eventually(LIMIT, async || {
            sqlx::query_scalar::<_, i64>(asked).fetch_one(&works.db.pool).await.unwrap() == 1
        })
        .await;
        works.clock.advance(TimeDelta::hours(-1));
        held.rollback().await.unwrap();
    };
    let both = async { tokio::join!(pacer.slot(Bot::Client), sets_clock_back) };
    let (slot, ()) = tokio::time::timeout(LIMIT, both).await.expect("it waits for an hour");
    slot.unwrap().unwrap();
}

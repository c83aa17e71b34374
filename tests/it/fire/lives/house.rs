//! The owner's day: somebody joins the team and leaves it, the books are found wrong, and the server is restarted.

use usipipo::models::job::Job;

use super::beside;
use crate::fire::kept::Kept;
use crate::fire::walk::{LIMIT, sound};
use crate::story::take_trial;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LEO: i64 = 9601;

pub async fn play(town: &Town, kept: &Kept) {
    let _outline = town.add_outline().await;
    let (owner, leo) = (town.person(1, "Olga", "en"), town.person(LEO, "Leo", "es"));
    for person in [&owner, &leo] {
        person.send_text(BOT, "/start").unwrap();
        person.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    }
    owner.send_text(BOT, &format!("/grantrole {LEO} admin")).unwrap();
    let menu = "SELECT COUNT(*) FROM bot_setups WHERE topic = 'commands:chat:9601:any'";
    eventually(LIMIT, async || town.count(menu).await == 1).await;
    owner.send_text(BOT, &format!("/revokerole {LEO} admin")).unwrap();
    eventually(LIMIT, async || town.count(menu).await == 0).await;
    take_trial(&leo).await;
    kept.restart().await;
    wrong_books(town).await;
    old_rows(town).await;
    sound(town).await;
}

/// A rule is broken on purpose: the admins hear which, and it is mended.
async fn wrong_books(town: &Town) {
    town.sql("CREATE TABLE trials_away AS SELECT * FROM trials").await;
    town.sql("DELETE FROM trials").await;
    beside(town, |work| work.enqueue(Job::CheckBooks)).await;
    let told = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 1 AND body LIKE '%books_wrong%' \
                AND body LIKE '%1 trials beside the one of each account%' AND status = 'done'";
    eventually(LIMIT, async || town.count(told).await == 1).await;
    town.sql("INSERT INTO trials SELECT * FROM trials_away").await;
    town.sql("DROP TABLE trials_away").await;
}

/// More that is old than one run of the purge takes away.
async fn old_rows(town: &Town) {
    town.sql(
        "INSERT INTO jobs (id, lane, kind, payload, status, created_at, done_at) \
         SELECT UNHEX(LPAD(HEX(seq), 32, '0')), 'old', 'purge', '{\"job\":\"purge\"}', 'done', '2020-01-01', '2020-01-01' \
         FROM seq_1_to_20500",
    )
    .await;
    beside(town, |work| work.enqueue(Job::Purge)).await;
    eventually(LIMIT, async || town.count("SELECT COUNT(*) FROM jobs WHERE lane = 'old'").await == 0).await;
}

//! Deliveries that cannot be handled: once for want of a table, and once for ever.

use crate::fire::walk::{LIMIT, sound};
use crate::support::door::SECRET_HEADER;
use crate::support::town::{BOT, SECRET, Town};
use crate::support::wait::eventually;

pub async fn play(town: &Town) {
    let (owner, ana) = (town.person(1, "Olga", "en"), town.person(9301, "Ana", "es"));
    for person in [&owner, &ana] {
        person.send_text(BOT, "/start").unwrap();
        person.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    }
    town.quiet().await;
    town.sql("RENAME TABLE users TO users_away").await;
    ana.send_text(BOT, "/help").unwrap();
    let failed =
        "SELECT COUNT(*) FROM inbound_events WHERE status = 'pending' AND attempts > 0 AND error IS NOT NULL";
    eventually(LIMIT, async || town.count(failed).await == 1).await;
    town.sql("RENAME TABLE users_away TO users").await;
    let done = "SELECT COUNT(*) FROM inbound_events WHERE status = 'done' AND attempts > 0";
    eventually(LIMIT, async || town.count(done).await == 1).await;

    // An authentic delivery that is none: kept with its reason, and told once.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/telegram/client", town.address);
    eventually(LIMIT, async || {
        let post = http.post(&url).header(SECRET_HEADER, SECRET).body("{\"update_id\":7");
        post.send().await.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    let dead =
        "SELECT COUNT(*) FROM inbound_events WHERE status = 'dead' AND error <> '' AND done_at IS NOT NULL";
    eventually(LIMIT, async || town.count(dead).await == 1).await;
    let told = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 1 AND body LIKE '%\"event_dead\"%' \
                AND status = 'done'";
    eventually(LIMIT, async || town.count(told).await == 1).await;
    sound(town).await;
}

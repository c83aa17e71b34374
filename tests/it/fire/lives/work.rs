//! Jobs that fail: a server that is down, of an old kind besides, and jobs of another version.

use usipipo::demo::outline::{self, Fault, OutlineServer};
use usipipo::models::lane::Queue;

use super::{hurry, queue_row};
use crate::fire::walk::{LIMIT, sound};
use crate::story::press;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

pub async fn play(town: &Town) {
    let options = outline::Options { old: true, ..outline::Options::default() };
    let outline = OutlineServer::start(options).await.unwrap();
    town.sell_from(&outline).await;
    down_for_a_while(town, &outline).await;
    of_tomorrow(town).await;
    sound(town).await;
    assert_eq!(outline.key_ids().await.len(), 0, "what was dropped is gone at the server");
}

/// Ana waits for a server that is down, gets her config from it, and drops it.
async fn down_for_a_while(town: &Town, outline: &OutlineServer) {
    let ana = town.person(9401, "Ana", "en");
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    outline.fault(Fault::Error500, usize::MAX);
    press(&ana, "trial-take:outline").await;
    let failed =
        "SELECT COUNT(*) FROM jobs WHERE kind = 'apply_config' AND attempts > 0 AND error IS NOT NULL";
    eventually(LIMIT, async || town.count(failed).await == 1).await;
    outline.clear_faults();
    let handed = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active' AND delivered_at IS NOT NULL";
    eventually(LIMIT, async || {
        hurry(town).await;
        town.count(handed).await == 1
    })
    .await;
    ana.wait_for_text(BOT, "ss://").await.unwrap();
    let id = town.count("SELECT id FROM vpn_configs").await;
    ana.send_text(BOT, "/vpn").unwrap();
    for button in ["cfg", "cfg-revoke", "cfg-revoke-yes"] {
        press(&ana, &format!("{button}:{id}")).await;
    }
}

/// One job is known to a newer version, one to none.
async fn of_tomorrow(town: &Town) {
    let insert = |n: u8, lane: &str, hours: u8| {
        format!(
            "INSERT INTO jobs (id, lane, kind, payload, status, created_at) \
             VALUES (UNHEX('FF0000000000700080000000000000{n:02}'), '{lane}', 'of_tomorrow', \
             '{{\"job\":\"of_tomorrow\"}}', 'pending', NOW(6) - INTERVAL {hours} HOUR)"
        )
    };
    queue_row(town, &insert(1, "tomorrow:1", 0), Queue::Jobs, "tomorrow:1").await;
    let noted = "SELECT COUNT(*) FROM jobs WHERE lane = 'tomorrow:1' AND error LIKE '%this version%'";
    eventually(LIMIT, async || town.count(noted).await == 1).await;
    town.sql("UPDATE jobs SET payload = '{\"job\":\"watch_pools\"}' WHERE lane = 'tomorrow:1'").await;
    let done = "SELECT COUNT(*) FROM jobs WHERE lane = 'tomorrow:1' AND status = 'done'";
    eventually(LIMIT, async || {
        hurry(town).await;
        town.count(done).await == 1
    })
    .await;
    queue_row(town, &insert(2, "tomorrow:2", 2), Queue::Jobs, "tomorrow:2").await;
    let dead = "SELECT COUNT(*) FROM jobs WHERE lane = 'tomorrow:2' AND status = 'dead' AND error LIKE '%this version%'";
    eventually(LIMIT, async || town.count(dead).await == 1).await;
}

//! `usipipo keys rotate` while servers work.

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use usipipo::services::keys;
use usipipo::work::Origin;

use crate::story::{press, take_trial};
use crate::support::cli::Shell;
use crate::support::town::{BOT, Town};

/// What is still asked of the database afterwards: nothing may have failed on the way, not even once.
const FAILED: &str = "SELECT CONCAT('job ', error) FROM jobs WHERE error IS NOT NULL \
                      UNION ALL SELECT CONCAT('message ', error) FROM outbound_messages WHERE error IS NOT NULL \
                      UNION ALL SELECT CONCAT('event ', error) FROM inbound_events WHERE error IS NOT NULL";

#[tokio::test(flavor = "multi_thread")]
async fn keys_move_while_copies_with_either_order_of_them_hand_out_configs() {
    let (old, new) = (format!("k1:{}=", "A".repeat(43)), format!("k2:{}=", "E".repeat(43)));
    let mut town = Town::found().await;
    town.set("ENCRYPTION_KEYS", format!("{old},{new}"));
    let outline = town.add_outline().await;
    let behind = town.open().await;
    town.set("ENCRYPTION_KEYS", format!("{new},{old}"));
    let ahead = town.open_copy().await;
    let shell = Shell::new(town.variables.clone());

    let people: Vec<_> = (600..612).map(|id| town.person(id, "Ana", "en")).collect();
    let rotating = async {
        loop {
            shell.run(&["keys", "rotate"]).await.ok();
        }
    };
    tokio::select! {
        _ = join_all(people.iter().map(take_trial)) => {}
        () = rotating => {}
    }
    town.quiet().await;
    behind.stop().await;
    shell.run(&["keys", "rotate"]).await.ok();
    ahead.stop().await;

    assert_eq!(town.column(FAILED).await, [""; 0]);
    assert_eq!(outline.key_ids().await.len(), people.len());
    let keys = "SELECT secret_key_id FROM servers UNION SELECT secret_key_id FROM vpn_configs";
    assert_eq!(town.column(keys).await, ["k2"]);
    // The old key is gone for good, and everything can be read.
    town.set("ENCRYPTION_KEYS", new);
    let works = town.works();
    let checked =
        works.run("check_keys", Origin::SYSTEM, |work| keys::check(work).scope_boxed()).await.unwrap();
    assert!(matches!(&checked[..], [all] if all.trouble.is_none() && all.secrets == 13), "{checked:?}");
    let running = town.open().await;
    for person in &people {
        let links = |chat: &usipipo::demo::telegram::ChatView| {
            chat.messages.iter().filter(|message| message.text.contains("ss://")).count()
        };
        person.send_text(BOT, "/vpn").unwrap();
        let before = links(&person.chat(BOT).unwrap());
        let config = town.count(&format!("SELECT id FROM vpn_configs WHERE user_id = {}", person.id)).await;
        press(person, &format!("cfg:{config}")).await;
        press(person, &format!("cfg-text:{config}")).await;
        person.wait_for(BOT, "the link", |chat| (links(chat) > before).then_some(())).await.unwrap();
    }
    running.stop().await;
}

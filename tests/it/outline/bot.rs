//! The whole way: an `ss://` link that the bot handed out, in a real Shadowsocks client.

use chrono::TimeDelta;
use usipipo::demo::outline::{Options, OutlineServer};
use usipipo::demo::telegram::PersonHandle;

use super::connect::{App, is_missing, web_server};
use crate::story::press;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

/// The link that stands in the chat, as a person copies it.
async fn link(person: &PersonHandle) -> String {
    let message = person.wait_for_text(BOT, "ss://").await.unwrap();
    let start = message.text.find("ss://").unwrap();
    message.text[start..].split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_the_bot_connects_is_counted_paused_at_its_end_and_resumed_by_buying_again() {
    if is_missing() {
        return;
    }
    let town = Town::found().await;
    let outline = OutlineServer::start(Options { shadowsocks: true, ..Options::default() }).await.unwrap();
    town.sell_from(&outline).await;
    let (running, web) = (town.open().await, web_server().await);
    let ana = town.person(1701, "Ana", "en");
    let plan = town.count("SELECT id FROM plans WHERE code = 'week'").await;
    crate::story::buy_with_stars(&ana, plan).await;
    let app = App::start(&link(&ana).await).await;
    let page = async || app.fetch(web).await;
    assert!(eventually(LIMIT, page).await.ends_with("through the tunnel"));

    town.pass(TimeDelta::minutes(1)).await;
    let used = town.count("SELECT CAST(used AS SIGNED) FROM subscriptions").await;
    assert!(used > 100, "{used}");
    ana.send_text(BOT, "/vpn").unwrap();
    town.settled().await;
    press(&ana, "cfg:1").await;
    town.settled().await;
    let shown = ana.chat(BOT).unwrap().last_from_bot().unwrap().text.clone();
    assert!(shown.contains("This device used") && !shown.contains("used 0 KB"), "{shown}");

    town.pass(TimeDelta::days(7)).await;
    assert_eq!(app.fetch(web).await, None, "the week is over");
    crate::story::buy_with_stars(&ana, plan).await;
    assert!(eventually(LIMIT, page).await.ends_with("through the tunnel"), "with the link it has");

    town.settled().await;
    press(&ana, "cfg-revoke:1").await;
    press(&ana, "cfg-revoke-yes:1").await;
    eventually(LIMIT, async || town.column("SELECT status FROM vpn_configs").await == ["removed"]).await;
    assert_eq!(app.fetch(web).await, None);
    running.stop().await;
}

//! The whole way: a configuration that the bot handed out, used as it is by a client in another network namespace.

use chrono::TimeDelta;
use usipipo::demo::telegram::PersonHandle;

use super::Fixture;
use super::hosts::Hosts;
use super::tunnel::{TUNNEL4, TUNNEL6, hosts};
use crate::story::press;
use crate::support::cli::Shell;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

/// A house that sells tunnels of its own machine.
async fn house(variables: &[(&'static str, &str)]) -> Option<(Town, Hosts, Fixture)> {
    let (hosts, mut fixture) = hosts()?;
    // As on a real server: a tunnel outlives the process that made it.
    fixture.settings.down_on_close = false;
    let town = Town::with(variables).await;
    town.add_tunnels(&fixture.settings, &fixture.secret).await;
    Some((town, hosts, fixture))
}

/// Takes the trial in the chat; gives the document that came, to the byte.
async fn handed_out(person: &PersonHandle) -> String {
    person.send_text(BOT, "/start").unwrap();
    press(person, "trial").await;
    press(person, "trial-take:wireguard").await;
    let file = person.wait_for(BOT, "the .conf", |chat| {
        chat.messages.iter().rev().find_map(|message| message.document.clone())
    });
    let file = file.await.unwrap();
    assert!(file.name.ends_with(".conf"), "{}", file.name);
    String::from_utf8(file.bytes.to_vec()).unwrap()
}

/// What the bot shows of the only config.
async fn shown(town: &Town, person: &PersonHandle) -> String {
    person.send_text(BOT, "/vpn").unwrap();
    town.settled().await;
    press(person, "cfg:1").await;
    town.settled().await;
    person.chat(BOT).unwrap().last_from_bot().unwrap().text.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_hands_out_connects_is_counted_shown_and_cut_by_its_button() {
    let Some((town, hosts, fixture)) = house(&[]).await else { return };
    let running = town.open().await;
    let ana = town.person(1601, "Ana", "en");
    let conf = handed_out(&ana).await;
    let before = shown(&town, &ana).await;
    assert!(before.contains("Has not connected yet"), "{before}");

    hosts.connect(&conf).await;
    hosts.pings(TUNNEL4).await;
    hosts.pings(TUNNEL6).await;
    hosts.flood(TUNNEL4, 40);
    town.pass(TimeDelta::minutes(1)).await;
    // 40 echo requests of 1,000 bytes each way, and some more.
    let counted = town.count("SELECT CAST(LEAST(total_rx, total_tx) AS SIGNED) FROM vpn_configs").await;
    assert!((40_000..120_000).contains(&counted), "{counted}");
    let used = town.count("SELECT CAST(used AS SIGNED) FROM subscriptions").await;
    assert!(used >= counted * 2, "both directions count: {used}");
    assert_eq!(town.count("SELECT COUNT(*) FROM vpn_configs WHERE last_handshake_at IS NOT NULL").await, 1);
    let after = shown(&town, &ana).await;
    assert!(after.contains("Last connected:") && !after.contains("used 0 KB"), "{after}");

    mended(&town, &hosts).await;
    hosts.pings(TUNNEL4).await;

    press(&ana, "cfg-revoke:1").await;
    press(&ana, "cfg-revoke-yes:1").await;
    eventually(LIMIT, async || town.column("SELECT status FROM vpn_configs").await == ["removed"]).await;
    assert!(!hosts.ping(TUNNEL4));
    assert_eq!(hosts.wg(&["show", &hosts.server_interface, "peers"]), "");
    running.stop().await;
    assert!(!fixture.file().contains("[Peer]"));
}

/// Somebody changed the interface by hand: the next reconciliation takes what is foreign and puts what is missing.
async fn mended(town: &Town, hosts: &Hosts) {
    let interface = hosts.server_interface.as_str();
    let ours = hosts.wg(&["show", interface, "peers"]).trim().to_owned();
    let foreign = "SA2QBT9QPi9XcXOTowyCn/2fQu/airMmo2j58pbFi0w=";
    hosts.wg(&["set", interface, "peer", foreign, "allowed-ips", "10.66.9.9/32"]);
    hosts.wg(&["set", interface, "peer", &ours, "remove"]);
    assert!(!hosts.ping(TUNNEL4));
    town.pass(TimeDelta::minutes(10)).await;
    assert_eq!(hosts.wg(&["show", interface, "peers"]).trim(), ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_traffic_ends_the_tunnel() {
    let Some((town, hosts, _fixture)) = house(&[("TRIAL_TRAFFIC_MB", "1")]).await else { return };
    let running = town.open().await;
    let ana = town.person(1611, "Ana", "en");
    hosts.connect(&handed_out(&ana).await).await;
    hosts.pings(TUNNEL4).await;
    town.pass(TimeDelta::minutes(1)).await;
    hosts.pings(TUNNEL4).await;
    // More than a MiB in both directions together.
    hosts.flood(TUNNEL4, 600);
    town.pass(TimeDelta::minutes(1)).await;
    assert_eq!(town.column("SELECT status FROM subscriptions").await, ["suspended"]);
    assert_eq!(town.column("SELECT applied FROM vpn_configs").await, ["blocked"]);
    assert!(!hosts.ping(TUNNEL4));
    ana.wait_for_text(BOT, "The data of your free trial is used up").await.unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_outlives_the_server_and_comes_back_after_a_reboot() {
    let Some((town, hosts, fixture)) = house(&[]).await else { return };
    let server = town.spawn();
    town.until_connected().await;
    let ana = town.person(1621, "Ana", "es");
    hosts.connect(&handed_out(&ana).await).await;
    hosts.pings(TUNNEL4).await;
    // Killed, and started again.
    server.kill();
    hosts.pings(TUNNEL4).await;
    let reconciled = async |times: i64| {
        let sql = "SELECT COUNT(*) FROM jobs WHERE kind = 'reconcile_server' AND status = 'done'";
        eventually(LIMIT, async || town.count(sql).await >= times).await;
    };
    let before =
        town.count("SELECT COUNT(*) FROM jobs WHERE kind = 'reconcile_server' AND status = 'done'").await;
    let server = town.spawn();
    reconciled(before + 1).await;
    hosts.pings(TUNNEL4).await;
    // The machine goes down with it, and what was written for the next boot is lost as well.
    server.kill();
    hosts.kill_tunnel().await;
    assert!(!hosts.ping(TUNNEL4));
    std::fs::remove_file(fixture.path()).unwrap();
    let server = town.spawn();
    hosts.pings(TUNNEL4).await;
    assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["active"]);
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_server_is_taken_down_while_the_program_runs() {
    let Some((town, hosts, fixture)) = house(&[]).await else { return };
    let (running, copy) = (town.open().await, town.open_copy().await);
    let ana = town.person(1631, "Ana", "en");
    hosts.connect(&handed_out(&ana).await).await;
    hosts.pings(TUNNEL4).await;
    let shell = Shell::new(town.variables.clone());
    shell.run(&["server", "remove", "wireguard-1", "--force"]).await.ok();
    let interface = hosts.server_interface.as_str();
    let gone = || hosts.on_server(&["ip", "link", "show", "dev", interface]).is_err();
    eventually(LIMIT, async || gone() && town.count("SELECT COUNT(*) FROM server_homes").await == 0).await;
    assert!(!hosts.ping(TUNNEL4) && !fixture.path().exists());
    // Whatever the clocks bring, nobody makes it again.
    for _ in 0..2 {
        let now = town.clock.now();
        town.clock.advance(TimeDelta::minutes(10));
        let ticked =
            "SELECT COUNT(*) FROM jobs WHERE kind = 'tick_servers' AND status = 'done' AND created_at > ?";
        let ticked = async || {
            sqlx::query_scalar::<_, i64>(ticked).bind(now).fetch_one(&town.db.pool).await.unwrap() >= 3
        };
        eventually(LIMIT, ticked).await;
    }
    assert!(gone() && !fixture.path().exists());
    tokio::join!(running.stop(), copy.stop());
    assert!(gone());
}

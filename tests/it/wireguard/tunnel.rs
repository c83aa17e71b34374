//! Real tunnels: a server in one network namespace, a client that uses the handed-out text as it is in another.

use std::time::Duration;

use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuard, WireGuardSettings, render};
use usipipo::integrations::vpn::{Backend, Desired, Reconciled, config_text};

use super::hosts::{BEYOND, Hosts, NEIGHBOUR, SERVER, SERVER_INSIDE};
use super::{Fixture, blocked, counted, desired, many, public_key};
use crate::support::skip::skip;
use crate::support::wait::eventually;

pub const TUNNEL4: &str = "10.66.0.1";
pub const TUNNEL6: &str = "fd42:66::1";
const LIMIT: Duration = Duration::from_secs(60);

/// Two hosts and the settings of a server on the first.
pub fn hosts() -> Option<(Hosts, Fixture)> {
    let hosts = Hosts::new()?;
    let mut fixture = Fixture::new();
    fixture.settings = WireGuardSettings {
        driver: DriverKind::Auto,
        interface: hosts.server_interface.clone(),
        endpoint_host: SERVER.to_owned(),
        netns: Some(hosts.server.clone()),
        // wg-quick names the interface after the file.
        config_path: Some(fixture.folder.join(format!("{}.conf", hosts.server_interface))),
        down_on_close: true,
        ..fixture.settings.clone()
    };
    Some((hosts, fixture))
}

async fn handed_out(server: &WireGuard, fixture: &Fixture, want: &Desired) -> String {
    let observed = server.ensure(want).await.unwrap();
    let settings = serde_json::to_string(&fixture.settings).unwrap();
    config_text(&settings, &observed.credentials, want.addresses).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_connects_is_counted_and_is_cut_by_revocation() {
    let Some((hosts, fixture)) = hosts() else { return };
    let server = fixture.open().await;
    let want = desired(7);
    hosts.connect(&handed_out(&server, &fixture, &want).await).await;
    hosts.pings(TUNNEL4).await;
    hosts.pings(TUNNEL6).await;

    let usage = server.usage().await.unwrap();
    assert_eq!(usage.len(), 1);
    assert_eq!(usage[0].config_id, want.config_id);
    // Two echo requests and a handshake each way.
    assert!(usage[0].rx > 200 && usage[0].tx > 200, "{usage:?}");
    assert!(usage[0].last_handshake.is_some());
    let health = server.health().await.unwrap().detail;
    assert!(health.starts_with(&hosts.server_interface) && health.ends_with("1 peers"), "{health}");

    server.revoke(want.config_id, &want.credentials).await.unwrap();
    assert!(!hosts.ping(TUNNEL4));
    assert_eq!(counted(&server).await, [0_i64; 0]);
    server.revoke(want.config_id, &want.credentials).await.unwrap();
    server.close().await;
    assert!(
        hosts.on_server(&["wg", "show", &hosts.server_interface]).is_err(),
        "close took the interface down"
    );
    assert!(!std::path::Path::new(&format!("/var/run/wireguard/{}.sock", hosts.server_interface)).exists());
}

/// As [`hosts`], with a way out.
pub fn hosts_with_a_way_out() -> Option<(Hosts, Fixture)> {
    let (hosts, mut fixture) = hosts()?;
    if hosts.on_server(&["iptables", "-t", "nat", "-S"]).is_err() {
        skip("`iptables` is not installed");
        return None;
    }
    hosts.add_host_beyond();
    fixture.settings.nat = true;
    Some((hosts, fixture))
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_let_out_under_the_address_of_the_server_and_not_to_its_neighbours() {
    let Some((hosts, mut fixture)) = hosts_with_a_way_out() else { return };
    fixture.settings.down_on_close = false;
    drop(fixture.open().await);
    let server = fixture.open().await;
    assert_eq!(server.health().await.unwrap().warning, None);
    hosts.connect(&handed_out(&server, &fixture, &desired(7)).await).await;
    hosts.pings(BEYOND).await;
    let rules = hosts.on_server(&["iptables-save"]).unwrap();
    for once in ["MASQUERADE", "-A FORWARD", "-A INPUT", "--dport 25 -j DROP"] {
        assert_eq!(rules.matches(once).count(), 1, "opening again repeats nothing: {once} in {rules}");
    }
    hosts.on_server(&["ping", "-c1", "-W5", NEIGHBOUR]).unwrap();
    assert!(!hosts.ping(NEIGHBOUR), "customers do not reach what stands beside the server");
    hosts.listen_on_server(8080).await;
    assert!(!hosts.connects(TUNNEL4, 8080) && !hosts.connects(SERVER_INSIDE, 8080), "nor what listens there");
    assert!(hosts.connects("203.0.113.1", 8080), "its public address is the internet's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firewall_that_was_loaded_anew_is_mended_by_the_next_look() {
    let Some((hosts, fixture)) = hosts_with_a_way_out() else { return };
    let server = fixture.open().await;
    hosts.connect(&handed_out(&server, &fixture, &desired(7)).await).await;
    hosts.pings(BEYOND).await;
    hosts
        .on_server(&["sh", "-ec", "iptables -F; iptables -X; iptables -t nat -F; iptables -P FORWARD DROP"])
        .unwrap();
    assert!(!hosts.ping(BEYOND));
    server.health().await.unwrap();
    hosts.pings(BEYOND).await;
    server.close().await;
}

/// As in a container: the switches are set when it is made, and cannot be written inside.
#[tokio::test]
async fn switches_that_are_on_need_not_be_writable() {
    let Some((hosts, fixture)) = hosts_with_a_way_out() else { return };
    let lines = render::forwarding4(&fixture.settings).join("\n");
    let read_only =
        "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec sh -ec \"$1\"";
    let run = || hosts.on_server(&["unshare", "-m", "sh", "-c", read_only, "sh", &lines]);
    hosts.on_server(&["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"]).unwrap();
    assert!(run().is_err());
    hosts.on_server(&["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]).unwrap();
    run().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_config_passes_nothing_and_resumes_with_the_same_keys() {
    let Some((hosts, fixture)) = hosts() else { return };
    let server = fixture.open().await;
    let want = desired(7);
    hosts.connect(&handed_out(&server, &fixture, &want).await).await;
    hosts.pings(TUNNEL4).await;
    server.ensure(&blocked(&want)).await.unwrap();
    assert!(!hosts.ping(TUNNEL4));
    let conf = handed_out(&server, &fixture, &want).await;
    // A person would wait for the next handshake; setting the same text again starts one at once.
    hosts.connect(&conf).await;
    hosts.pings(TUNNEL4).await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_keeps_tunnels_and_a_reboot_brings_them_back() {
    let Some((hosts, mut fixture)) = hosts_with_a_way_out() else { return };
    fixture.settings.down_on_close = false;
    let server = fixture.open().await;
    let conf = handed_out(&server, &fixture, &desired(7)).await;
    hosts.connect(&conf).await;
    hosts.pings(BEYOND).await;
    drop(server);
    hosts.pings(BEYOND).await;

    let adopting = fixture.open().await;
    assert!(adopting.usage().await.unwrap()[0].rx > 0, "its counters went on");
    hosts.pings(TUNNEL4).await;
    drop(adopting);

    // At boot wg-quick may come before us.
    hosts.kill_tunnel().await;
    assert!(!hosts.ping(TUNNEL4));
    hosts.on_server(&["sh", "-ec", "iptables -F; iptables -X; iptables -t nat -F"]).unwrap();
    hosts.wg_quick_up(fixture.path());
    hosts.connect(&conf).await;
    hosts.pings(BEYOND).await;
    assert_eq!(counted(&fixture.open().await).await, [7]);

    // Or not at all.
    hosts.kill_tunnel().await;
    let rebooted = fixture.open().await;
    assert_eq!(counted(&rebooted).await, [7]);
    hosts.connect(&conf).await;
    hosts.pings(TUNNEL4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_dies_is_brought_back() {
    let Some((hosts, fixture)) = hosts() else { return };
    let server = fixture.open().await;
    let want = desired(7);
    let conf = handed_out(&server, &fixture, &want).await;
    hosts.kill_tunnel().await;
    let back = async || {
        let peers = hosts.on_server(&["wg", "show", &hosts.server_interface, "peers"])?;
        if peers.contains(public_key(&want)) { Ok(()) } else { Err(peers) }
    };
    eventually(LIMIT, back).await;
    hosts.connect(&conf).await;
    hosts.pings(TUNNEL4).await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_tunnel_that_dies_is_brought_back_by_the_next_call() {
    let Some((hosts, mut fixture)) = hosts() else { return };
    fixture.settings.down_on_close = false;
    let first = fixture.open().await;
    let conf = handed_out(&first, &fixture, &desired(7)).await;
    drop(first);
    let adopting = fixture.open().await;
    hosts.kill_tunnel().await;
    assert_eq!(counted(&adopting).await, [7]);
    hosts.connect(&conf).await;
    hosts.pings(TUNNEL4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reconciliation_mends_what_was_changed_by_hand() {
    let Some((hosts, fixture)) = hosts() else { return };
    let server = fixture.open().await;
    let (missing, changed, kept, foreign) = (desired(7), desired(8), desired(9), desired(10));
    for want in [&missing, &changed, &kept] {
        server.ensure(want).await.unwrap();
    }
    let interface = hosts.server_interface.as_str();
    hosts.wg(&["set", interface, "peer", public_key(&missing), "remove"]);
    hosts.wg(&["set", interface, "peer", public_key(&changed), "allowed-ips", "10.66.9.9/32"]);
    hosts.wg(&["set", interface, "peer", public_key(&foreign), "allowed-ips", "10.66.0.10/32"]);

    let all = [missing.clone(), changed, kept];
    let held = server.held().await.unwrap();
    let reconciled = server.reconcile(&held, &all).await.unwrap();
    assert_eq!(reconciled, Reconciled { added: 1, updated: 1, removed: 1 });
    let dump = hosts.wg(&["show", interface, "dump"]);
    assert!(!dump.contains(public_key(&foreign)));
    assert_eq!(server.reconcile(&held, &all).await.unwrap(), Reconciled::default());

    let settings = serde_json::to_string(&fixture.settings).unwrap();
    hosts.connect(&config_text(&settings, &missing.credentials, missing.addresses).unwrap()).await;
    hosts.pings(TUNNEL4).await;
    let held = server.held().await.unwrap();
    let reconciled = server.reconcile(&held, &[]).await.unwrap();
    assert_eq!(reconciled, Reconciled { added: 0, updated: 0, removed: 3 });
    assert!(!hosts.ping(TUNNEL4));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_peers_come_and_go() {
    let Some((hosts, fixture)) = hosts() else { return };
    let server = fixture.open().await;
    let all = many(2000);
    let held = server.held().await.unwrap();
    assert_eq!(server.reconcile(&held, &all).await.unwrap().added, 2000);
    assert_eq!(counted(&server).await.len(), 2000);
    let held = server.held().await.unwrap();
    let less = server.reconcile(&held, &all[..100]).await.unwrap();
    assert_eq!(less, Reconciled { added: 0, updated: 0, removed: 1900 });
    assert_eq!(hosts.wg(&["show", &hosts.server_interface, "peers"]).lines().count(), 100);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dismantling_takes_away_the_interface_its_rules_and_its_file() {
    let Some((hosts, mut fixture)) = hosts_with_a_way_out() else { return };
    fixture.settings.down_on_close = false;
    let (settings, secret) = (fixture.settings.clone(), &fixture.secret);
    let before = hosts.on_server(&["iptables-save"]).unwrap();
    let (one, other) = (fixture.open().await, fixture.open().await);
    one.ensure(&desired(7)).await.unwrap();
    assert!(hosts.on_server(&["iptables-save"]).unwrap().contains("usipipo-"));
    // Who has a server open lets it go first, and nothing of theirs comes after.
    one.retire().await;
    WireGuard::dismantle(settings.clone(), secret).await.unwrap();
    assert!(one.ensure(&desired(9)).await.is_err());
    drop((one, other));
    assert!(hosts.on_server(&["wg", "show", &hosts.server_interface]).is_err(), "the interface is gone");
    let rules = |text: &str| text.lines().filter(|line| line.starts_with("-A")).count();
    let after = hosts.on_server(&["iptables-save"]).unwrap();
    assert!(!after.contains("usipipo-") && rules(&after) == rules(&before), "{after}");
    let after6 = hosts.on_server(&["ip6tables-save"]).unwrap();
    assert!(!after6.contains("usipipo-") && !after6.contains("MASQUERADE"), "{after6}");
    assert!(!fixture.path().exists());
    WireGuard::dismantle(settings, secret).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_interface_stays_when_its_server_is_dismantled() {
    let Some((hosts, mut fixture)) = hosts_with_a_way_out() else { return };
    fixture.settings.down_on_close = false;
    let theirs = "[Interface]\nPrivateKey = theirs\n";
    std::fs::create_dir_all(&fixture.folder).unwrap();
    std::fs::write(fixture.path(), theirs).unwrap();
    let server = fixture.open().await;
    let want = desired(7);
    hosts.connect(&handed_out(&server, &fixture, &want).await).await;
    hosts.pings(TUNNEL4).await;
    server.retire().await;
    drop(server);
    let stranger = Fixture::new();
    let other_key = WireGuardSettings {
        public_key: stranger.secret.public_key().unwrap(),
        config_path: stranger.settings.config_path.clone(),
        ..fixture.settings.clone()
    };
    WireGuard::dismantle(other_key, &stranger.secret).await.unwrap();
    hosts.pings(TUNNEL4).await;

    fixture.settings.adopted = true;
    WireGuard::dismantle(fixture.settings.clone(), &fixture.secret).await.unwrap();
    assert_eq!(hosts.wg(&["show", &hosts.server_interface, "peers"]), "", "only the interface is left");
    assert!(!hosts.on_server(&["iptables-save"]).unwrap().contains("usipipo-"));
    assert_eq!(fixture.file(), theirs, "what was there before is back");
}

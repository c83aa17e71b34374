//! Real tunnels: a server in one network namespace, a client that uses the handed-out text as it is in another.

use std::time::Duration;

use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuard, WireGuardSettings};
use usipipo::integrations::vpn::{Backend, Desired, Reconciled, config_text};

use super::hosts::{BEYOND, Hosts, SERVER};
use super::{Fixture, blocked, counted, desired, many, public_key};
use crate::support::skip::skip;
use crate::support::wait::eventually;

const TUNNEL4: &str = "10.66.0.1";
const TUNNEL6: &str = "fd42:66::1";
const LIMIT: Duration = Duration::from_secs(60);

/// Two hosts and the settings of a server on the first.
pub(super) fn hosts() -> Option<(Hosts, Fixture)> {
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

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_let_out_under_the_address_of_the_server() {
    let Some((hosts, mut fixture)) = hosts() else { return };
    if hosts.on_server(&["iptables", "-t", "nat", "-S"]).is_err() {
        return skip("`iptables` is not installed");
    }
    hosts.add_host_beyond();
    fixture.settings.nat = true;
    fixture.settings.down_on_close = false;
    drop(fixture.open().await);
    let server = fixture.open().await;
    let health = server.health().await.unwrap().detail;
    assert!(!health.contains("forwarding"), "{health}");
    hosts.connect(&handed_out(&server, &fixture, &desired(7)).await).await;
    hosts.pings(BEYOND).await;
    let rules = hosts.on_server(&["iptables", "-t", "nat", "-S"]).unwrap();
    assert_eq!(rules.matches("MASQUERADE").count(), 1, "opening again repeats nothing: {rules}");
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
    let Some((hosts, mut fixture)) = hosts() else { return };
    fixture.settings.down_on_close = false;
    let server = fixture.open().await;
    let conf = handed_out(&server, &fixture, &desired(7)).await;
    hosts.connect(&conf).await;
    hosts.pings(TUNNEL4).await;
    drop(server);
    hosts.pings(TUNNEL4).await;

    let adopting = fixture.open().await;
    assert!(adopting.usage().await.unwrap()[0].rx > 0, "its counters went on");
    hosts.pings(TUNNEL4).await;
    drop(adopting);

    // At boot wg-quick may come before us.
    hosts.kill_tunnel().await;
    assert!(!hosts.ping(TUNNEL4));
    hosts.wg_quick_up(fixture.path());
    hosts.connect(&conf).await;
    hosts.pings(TUNNEL4).await;
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

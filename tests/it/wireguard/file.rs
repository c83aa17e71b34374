//! The server where no tunnel can be made: peers are kept in the configuration file.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;
use std::time::Duration;

use usipipo::ids::ConfigId;
use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuard};
use usipipo::integrations::vpn::{self, Backend, BackendError, Credentials, Reconciled, UsageKind};
use usipipo::models::vpn::Protocol;

use super::{Fixture, blocked, counted, desired, many, public_key};
use crate::support::wait::eventually;

fn reconciled(added: usize, updated: usize, removed: usize) -> Reconciled {
    Reconciled { added, updated, removed }
}

#[tokio::test]
async fn the_file_is_private_and_says_so_in_health() {
    let fixture = Fixture::new();
    let server = fixture.open().await;
    assert_eq!(std::fs::metadata(fixture.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&fixture.folder).unwrap().permissions().mode() & 0o777, 0o700);
    let health = server.health().await.unwrap();
    let detail = "no tunnel, only the configuration file (as the settings ask), UDP port 51820, 0 peers";
    assert_eq!(health.detail, detail);
    assert!(health.warning.is_some(), "it is no server that people can use");
}

#[tokio::test]
async fn changes_reach_the_file_by_themselves_and_at_the_end() {
    let fixture = Fixture::new();
    let server = fixture.open().await;
    let (first, second) = (desired(2), desired(3));
    server.ensure(&first).await.unwrap();
    eventually(Duration::from_secs(20), async || fixture.file().contains(public_key(&first))).await;
    server.ensure(&second).await.unwrap();
    server.close().await;
    assert!(fixture.file().contains(public_key(&second)));
    server.revoke(first.config_id, &first.credentials).await.unwrap();
    drop(server);
    assert!(!fixture.file().contains(public_key(&first)));
}

#[tokio::test]
async fn peers_survive_a_restart_with_their_names() {
    let fixture = Fixture::new();
    let server = fixture.open().await;
    let all = [desired(2), desired(300), blocked(&desired(4))];
    for want in &all {
        server.ensure(want).await.unwrap();
    }
    drop(server);
    let server = fixture.open().await;
    assert_eq!(counted(&server).await, [2, 300]);
    let held = server.held().await.unwrap();
    assert_eq!(server.reconcile(&held, &all).await.unwrap(), reconciled(0, 0, 0));
}

#[tokio::test]
async fn ensure_repeats_blocks_resumes_and_changes_keys() {
    let fixture = Fixture::new();
    let server = fixture.open().await;
    let want = desired(2);
    for _ in 0..2 {
        assert_eq!(server.ensure(&want).await.unwrap().public_id, public_key(&want));
    }
    server.ensure(&blocked(&want)).await.unwrap();
    assert_eq!(counted(&server).await, [0_i64; 0]);
    server.ensure(&want).await.unwrap();
    assert_eq!(counted(&server).await, [2]);
    let renewed = desired(2);
    server.ensure(&renewed).await.unwrap();
    drop(server);
    assert!(fixture.file().contains(public_key(&renewed)) && !fixture.file().contains(public_key(&want)));
}

#[tokio::test]
async fn reconciliation_makes_the_server_equal_to_the_list() {
    let fixture = Fixture::new();
    let server = fixture.open().await;
    let (kept, gone, moved, new) = (desired(2), desired(3), desired(4), desired(5));
    for want in [&kept, &gone, &moved] {
        server.ensure(want).await.unwrap();
    }
    let mut elsewhere = moved.clone();
    elsewhere.addresses = desired(3).addresses;
    let held = server.held().await.unwrap();
    let all = [kept, elsewhere, new.clone(), blocked(&desired(6))];
    assert_eq!(server.reconcile(&held, &all).await.unwrap(), reconciled(1, 1, 1));
    assert_eq!(counted(&server).await, [2, 4, 5]);
    assert_eq!(server.reconcile(&held, &all).await.unwrap(), reconciled(0, 0, 0));
    let held = server.held().await.unwrap();
    assert_eq!(server.reconcile(&held, &[]).await.unwrap(), reconciled(0, 0, 3));
}

#[tokio::test]
async fn reconciliation_leaves_alone_what_is_newer_than_its_list() {
    let fixture = Fixture::new();
    let server = fixture.open().await;
    let (revoked, made) = (desired(2), desired(3));
    server.ensure(&revoked).await.unwrap();
    let held = server.held().await.unwrap();
    let read_then = [revoked.clone()];
    server.ensure(&made).await.unwrap();
    server.revoke(revoked.config_id, &revoked.credentials).await.unwrap();
    assert_eq!(server.reconcile(&held, &read_then).await.unwrap(), reconciled(0, 0, 0));
    assert_eq!(counted(&server).await, [3]);
}

#[tokio::test]
async fn a_file_of_somebody_else_is_kept_beside() {
    let fixture = Fixture::new();
    std::fs::create_dir_all(&fixture.folder).unwrap();
    std::fs::write(fixture.path(), "[Interface]\nPrivateKey = mine\n").unwrap();
    drop(fixture.open().await);
    let before = std::fs::read_to_string(fixture.folder.join("wg0.conf.before")).unwrap();
    assert_eq!(before, "[Interface]\nPrivateKey = mine\n");
    assert!(fixture.file().starts_with("# Written by uSipipo"));
}

#[tokio::test]
async fn what_cannot_work_is_refused_without_a_secret_in_the_text() {
    let mut fixture = Fixture::new();
    let stranger = Fixture::new();
    let refused = WireGuard::open(fixture.settings.clone(), &stranger.secret).await.err().unwrap();
    assert!(refused.to_string().contains("public_key does not belong"), "{refused}");
    assert!(!refused.to_string().contains(&stranger.secret.private_key));
    fixture.settings.config_path = Some("/proc/nowhere/wg0.conf".into());
    let refused = WireGuard::open(fixture.settings.clone(), &fixture.secret).await.err().unwrap();
    assert!(matches!(&refused, BackendError::Rejected(text) if text.contains("/proc/nowhere")), "{refused}");

    let server = stranger.open().await;
    let mut want = desired(2);
    want.addresses = None;
    assert!(matches!(server.ensure(&want).await, Err(BackendError::Rejected(_))));
    let want = vpn::Desired { credentials: Credentials::generate(Protocol::Outline), ..desired(2) };
    assert!(matches!(server.ensure(&want).await, Err(BackendError::Rejected(_))));
    assert!(matches!(server.revoke(ConfigId(2), &want.credentials).await, Err(BackendError::Rejected(_))));
}

#[tokio::test]
async fn thousands_of_peers_survive_a_restart() {
    let fixture = Fixture::new();
    let server = fixture.open().await;
    let held = server.held().await.unwrap();
    assert_eq!(server.reconcile(&held, &many(5000)).await.unwrap(), reconciled(5000, 0, 0));
    drop(server);
    assert_eq!(counted(&fixture.open().await).await.len(), 5000);
}

#[tokio::test]
async fn connects_from_the_rows_of_the_database() {
    let fixture = Fixture::new();
    let settings = serde_json::to_string(&fixture.settings).unwrap();
    let secret = serde_json::to_string(&fixture.secret).unwrap();
    let server = vpn::connect(Protocol::Wireguard, &settings, &secret).await.unwrap();
    let want = desired(2);
    let observed = server.ensure(&want).await.unwrap();
    let text = vpn::config_text(&settings, &observed.credentials, want.addresses).unwrap();
    assert!(text.contains(&format!("PublicKey = {}", fixture.settings.public_key)));
    let refused = vpn::connect(Protocol::Wireguard, &settings, "{\"private_key\": 5}").await.err().unwrap();
    assert!(!refused.to_string().contains('5'), "{refused}");
    let refused = vpn::connect(Protocol::Wireguard, "{\"dsn\": []}", &secret).await.err().unwrap();
    assert!(refused.to_string().contains("unknown field `dsn`"), "{refused}");
}

/// As the demo of somebody who is not root; root runs it again without any capability.
#[tokio::test]
async fn without_rights_peers_are_kept_in_the_file() {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if root && std::env::var_os("WITHOUT_RIGHTS").is_none() {
        let name = std::thread::current().name().unwrap().to_owned();
        let child = Command::new("setpriv")
            .args(["--bounding-set=-all", "--inh-caps=-all"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--nocapture"])
            .env("WITHOUT_RIGHTS", "1")
            .output()
            .unwrap();
        assert!(child.status.success(), "{child:?}");
        return;
    }
    let mut fixture = Fixture::new();
    fixture.settings.driver = DriverKind::AutoOrFile;
    fixture.settings.interface = "usi-norights".to_owned();
    let server = fixture.open().await;
    let detail = server.health().await.unwrap().detail;
    assert!(detail.starts_with("no tunnel, only the configuration file (`ip link add"), "{detail}");
    assert!(detail.contains("peration not permitted"), "{detail}");
    server.ensure(&desired(2)).await.unwrap();
    drop(server);
    assert!(fixture.file().contains("# usi_c2\n[Peer]"));
    for driver in [DriverKind::Auto, DriverKind::Kernel] {
        fixture.settings.driver = driver;
        let refused = WireGuard::open(fixture.settings.clone(), &fixture.secret).await.err().unwrap();
        assert!(matches!(refused, BackendError::Incompatible(_)), "{driver:?}: {refused}");
        assert!(refused.to_string().contains("no tunnel can be made here"), "{refused}");
    }
}

#[test]
fn counters_that_start_again_and_windows_that_fall() {
    assert_eq!(UsageKind::Counter.delta(100, 150), 50);
    assert_eq!(UsageKind::Counter.delta(100, 30), 30);
    assert_eq!(UsageKind::RollingWindow.delta(100, 150), 50);
    assert_eq!(UsageKind::RollingWindow.delta(100, 30), 0);
}

//! `usipipo server`: against the counterpart of Outline, and WireGuard kept in a file.

use std::time::Duration;

use usipipo::demo::outline::OutlineServer;
use usipipo::demo::telegram::MessageView;
use usipipo::integrations::vpn::wireguard::WireGuardSettings;

use crate::story::take_trial;
use crate::support::cli::Shell;
use crate::support::db::TestDb;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;
use crate::support::works::TestWorks;

const LIMIT: Duration = Duration::from_secs(60);

fn installer_line(outline: &OutlineServer) -> String {
    let (url, cert) = (outline.api_url(), outline.cert_sha256());
    format!("CONGRATULATIONS!\n{{\"apiUrl\":\"{url}\",\"certSha256\":\"{cert}\"}}\n")
}

#[tokio::test]
async fn an_outline_server_is_tried_before_it_is_stored() {
    let test = TestWorks::new().await;
    let outline = OutlineServer::start(Default::default()).await.unwrap();
    let shell = Shell::over(test.db.url());
    let add = ["server", "add", "outline", "nl-1", "--location", "🇳🇱 Amsterdam", "--from-json"];
    let wrong =
        format!("{{\"apiUrl\":\"{}/x\",\"certSha256\":\"{}\"}}", outline.api_url(), outline.cert_sha256());
    let told = shell.pipe(&add, &wrong).await;
    assert_ne!(told.code, 0);
    assert!(!told.err.contains(outline.api_url()), "the address is a secret: {}", told.err);
    assert!(shell.run(&["server", "list"]).await.ok().starts_with("No servers."));

    let added = shell.pipe(&add, &installer_line(&outline)).await.ok();
    assert!(added.contains("nl-1 is in use: 1000 configs at most, shown as 🇳🇱 Amsterdam"), "{added}");
    assert!(shell.pipe(&add, &installer_line(&outline)).await.failed(2).contains("already"));
    let listed = shell.run(&["server", "list"]).await.ok();
    assert!(listed.contains("nl-1") && listed.contains("0/1000"), "{listed}");
    assert!(shell.run(&["server", "test", "nl-1"]).await.ok().contains("nl-1 works"));
    assert_eq!(test.audited("server_added").await.len(), 1);

    drop(outline);
    assert!(shell.run(&["server", "test", "nl-1"]).await.failed(1).contains("cannot be used"));
    let removed = shell.run(&["server", "remove", "nl-1"]).await;
    assert!(
        removed.out.contains("out of use") && removed.code == 0,
        "gone, and removed all the same: {removed:?}"
    );
    assert!(shell.run(&["server", "remove", "nl-1"]).await.failed(2).contains("no server"));
    assert!(shell.run(&["server", "test", "nl-1"]).await.failed(2).contains("no server"));
}

#[tokio::test]
async fn by_force_the_configs_of_a_server_are_made_anew_elsewhere() {
    let town = Town::found().await;
    let (lost, other) = (town.add_outline().await, OutlineServer::start(Default::default()).await.unwrap());
    let running = town.open().await;
    let ana = town.person(77, "Ana", "es");
    take_trial(&ana).await;
    let shell = Shell::new(town.variables.clone());
    let add = ["server", "add", "outline", "nl-1", "--from-json"];
    shell.pipe(&add, &installer_line(&other)).await.ok();
    let told = shell.run(&["server", "remove", "outline-1"]).await.failed(2);
    assert!(told.contains("still holds 1 configs"), "{told}");
    assert_eq!(other.key_ids().await, [""; 0]);
    let removed = shell.run(&["server", "remove", "outline-1", "--force"]).await.ok();
    assert!(removed.contains("1 keys were deleted there"), "{removed}");
    let link = |message: &&MessageView| message.text.contains("ss://");
    ana.wait_for(BOT, "a link of the other server", |chat| {
        (chat.messages.iter().filter(link).count() == 2).then_some(())
    })
    .await
    .unwrap();
    assert_eq!((lost.key_ids().await.len(), other.key_ids().await.len()), (0, 1));
    let listed = shell.run(&["server", "list"]).await.ok();
    assert!(listed.contains("1/1000") && !listed.contains("outline-1"), "{listed}");
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_moved_is_found_under_its_new_address_with_its_keys() {
    let town = Town::found().await;
    let (old, new) = (town.add_outline().await, OutlineServer::start(Default::default()).await.unwrap());
    let running = town.open().await;
    take_trial(&town.person(77, "Ana", "es")).await;
    assert_eq!(old.key_ids().await.len(), 1);
    let shell = Shell::new(town.variables.clone());
    let update = ["server", "update", "outline-1", "--from-json"];
    let wrong = format!("{{\"apiUrl\":\"{}/x\",\"certSha256\":\"{}\"}}", new.api_url(), new.cert_sha256());
    assert_ne!(shell.pipe(&update, &wrong).await.code, 0, "it is tried first");
    shell.pipe(&update, &installer_line(&new)).await.ok();
    // The server that runs drives the new one from now on.
    eventually(LIMIT, async || new.key_ids().await == old.key_ids().await).await;
    shell.run(&["server", "update", "outline-1", "--capacity", "7", "--location", "Riga"]).await.ok();
    let listed = shell.run(&["server", "list"]).await.ok();
    assert!(listed.contains("1/7") && listed.contains("Riga"), "{listed}");
    assert!(shell.run(&["server", "update", "outline-1"]).await.failed(2).contains("nothing to change"));
    let told = shell.run(&["server", "update", "outline-1", "--here"]).await.failed(2);
    assert!(told.contains("from anywhere"), "{told}");
    running.stop().await;
}

#[tokio::test]
async fn outlines_address_may_come_from_the_environment() {
    let db = TestDb::new().await;
    let outline = OutlineServer::start(Default::default()).await.unwrap();
    let mut shell = Shell::over(db.url());
    assert!(shell.run(&["server", "add", "outline", "nl-1"]).await.failed(2).contains("--from-json"));
    assert!(!shell.run(&["server", "add", "outline", "--help"]).await.ok().contains(outline.api_url()));
    shell.set("OUTLINE_API_URL", outline.api_url());
    shell.set("OUTLINE_CERT_SHA256", outline.cert_sha256());
    shell.run(&["server", "add", "outline", "nl-1", "--capacity", "7"]).await.ok();
    assert!(shell.run(&["server", "list"]).await.ok().contains("0/7"));
}

/// Arguments of a server that is only kept in a file.
fn wireguard<'a>(name: &'a str, conf: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["server", "add", "wireguard", name, "--driver", "config-file", "--conf", conf, "--endpoint"];
    let more = if more.is_empty() { &["203.0.113.5:443", "--interface", "usitest0"] } else { more };
    words.into_iter().chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn a_wireguard_server_is_made_and_stored_with_its_networks() {
    let test = TestWorks::new().await;
    let shell = Shell::over(test.db.url());
    let own = ["[2001:db8::5]:443", "--interface", "usitest0", "--network", "10.7.0.0/22"];
    let trials = ["--trial-network", "10.7.4.0/24", "--dns", "9.9.9.9", "--mtu", "1400"];
    let args = wireguard("de-1", "wg.conf", &[&own[..], &trials].concat());
    let added = shell.run(&args).await.ok();
    assert!(added.contains("de-1 is in use: 1274 configs at most, shown as de-1"), "{added}");

    let conf = std::fs::read_to_string(shell.folder.join("wg.conf")).unwrap();
    assert!(conf.contains("ListenPort = 443") && conf.contains("10.7.0.1/21"), "{conf}");
    let settings: String =
        sqlx::query_scalar("SELECT settings FROM servers").fetch_one(&test.db.pool).await.unwrap();
    assert!(!settings.contains("private"), "{settings}");
    let settings: WireGuardSettings = serde_json::from_str(&settings).unwrap();
    assert_eq!((settings.endpoint_host.as_str(), settings.mtu), ("2001:db8::5", 1400));
    let listed = shell.run(&["server", "list"]).await.ok();
    assert!(
        listed.contains("0/1274") && listed.contains("1021/1021") && listed.contains("253/253"),
        "{listed}"
    );
    assert!(shell.run(&["server", "test", "de-1"]).await.ok().contains("only the configuration file"));

    let told = shell.run(&wireguard("de-2", "wg2.conf", &[])).await.failed(2);
    assert!(told.contains("de-1 uses the interface usitest0 already"), "{told}");
    shell.run(&["server", "remove", "de-1"]).await.ok();
    shell.run(&wireguard("de-2", "wg2.conf", &[])).await.ok();
}

#[tokio::test]
async fn what_cannot_be_a_wireguard_server_is_refused() {
    let db = TestDb::new().await;
    let shell = Shell::over(db.url());
    let told = async |more: &[&str]| shell.run(&wireguard("de-1", "wg.conf", more)).await.failed(2);
    assert!(told(&["https://x"]).await.contains("HOST"));
    assert!(told(&["x", "--network", "10.7.0.0/33"]).await.contains("10.7.0.0/33"));
    assert!(told(&["x", "--interface", "usitest0", "--network", "10.7.0.0/8"]).await.contains("/16"));
    assert!(told(&["x", "--interface", "a b"]).await.contains("interface"));
    let told_lo = told(&["x", "--interface", "lo"]).await;
    assert!(told_lo.contains("lo is there already"), "{told_lo}");
    let overlapping =
        ["x", "--interface", "usitest0", "--network", "10.7.0.0/22", "--trial-network", "10.7.1.0/24"];
    assert!(told(&overlapping).await.contains("overlap"));
    let key = wireguard("de-1", "wg.conf", &["x", "--interface", "usitest0", "--private-key-stdin"]);
    let refused = shell.pipe(&key, "hidden").await.failed(2);
    assert!(refused.contains("44 characters") && !refused.contains("hidden"), "{refused}");
    let bad_name = shell.run(&wireguard("DE 1", "wg.conf", &[])).await.failed(2);
    assert!(bad_name.contains("de-1"), "{bad_name}");
    assert!(shell.run(&["server", "list"]).await.ok().starts_with("No servers."));
}

#[tokio::test]
async fn a_private_key_may_be_brought_along() {
    let db = TestDb::new().await;
    let shell = Shell::over(db.url());
    let key = usipipo::integrations::vpn::wireguard::WireGuardSecret::generate();
    let args = wireguard("de-1", "wg.conf", &["x", "--interface", "usitest0", "--private-key-stdin"]);
    shell.pipe(&args, &format!("{}\n", key.private_key)).await.ok();
    let conf = std::fs::read_to_string(shell.folder.join("wg.conf")).unwrap();
    assert!(conf.contains(&key.private_key));
}

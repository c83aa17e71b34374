use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use usipipo::demo::outline::{Fault, Options, OutlineServer};
use usipipo::ids::ConfigId;
use usipipo::integrations::vpn::outline::{Outline, OutlineSecret, OutlineSettings};
use usipipo::integrations::vpn::{self, Backend, BackendError, Credentials, Desired, Reconciled, UsageKind};
use usipipo::models::vpn::Protocol;

use super::{blocked, client, desired, link, password, secret, settings};

async fn start() -> OutlineServer {
    OutlineServer::start(Options::default()).await.unwrap()
}

async fn start_old() -> OutlineServer {
    OutlineServer::start(Options { old: true, ..Options::default() }).await.unwrap()
}

fn reconciled(added: usize, updated: usize, removed: usize) -> Reconciled {
    Reconciled { added, updated, removed }
}

#[tokio::test]
async fn ensure_makes_a_key_under_our_name_and_hands_out_its_link() {
    let server = start().await;
    let want = desired(42);
    let observed = client(&server).ensure(&want).await.unwrap();
    assert_eq!(observed.public_id, "usi_c42");
    let user = URL_SAFE_NO_PAD.encode(format!("chacha20-ietf-poly1305:{}", password(&want)));
    let expected =
        format!("ss://{user}@127.0.0.1:12345/?outline=1#%F0%9F%87%A9%F0%9F%87%AA%20Berlin%20100%25");
    assert_eq!(link(&observed.credentials), expected);
    let text = vpn::config_text("{\"name\": \"x\"}", &observed.credentials, None).unwrap();
    assert_eq!(text, expected);
    assert!(vpn::config_text("{\"name\": \"x\"}", &want.credentials, None).is_err(), "no link yet");
}

#[tokio::test]
async fn ensure_is_repeated_without_a_second_key() {
    let server = start().await;
    let (client, want) = (client(&server), desired(1));
    let first = client.ensure(&want).await.unwrap();
    let again = client.ensure(&want).await.unwrap();
    assert_eq!(first.credentials, again.credentials);
    assert_eq!(
        server.requests(),
        ["PUT /access-keys/usi_c1 201", "PUT /access-keys/usi_c1 409", "GET /access-keys/usi_c1 200",]
    );
}

#[tokio::test]
async fn a_lost_reply_is_unknown_and_a_retry_finds_the_key() {
    let server = start().await;
    let (client, want) = (client(&server), desired(1));
    server.fault(Fault::LoseReply, 1);
    assert!(client.ensure(&want).await.unwrap_err().is_transient());
    assert_eq!(server.key_ids().await, ["usi_c1"], "it was made all the same");
    client.ensure(&want).await.unwrap();
    assert_eq!(server.key_ids().await, ["usi_c1"]);
    server.fault(Fault::LoseReply, 1);
    assert!(client.revoke(ConfigId(1), &want.credentials).await.unwrap_err().is_transient());
    client.revoke(ConfigId(1), &want.credentials).await.unwrap();
    assert_eq!(server.key_ids().await, [""; 0]);
}

#[tokio::test]
async fn another_password_replaces_the_key() {
    let server = start().await;
    let client = client(&server);
    client.ensure(&desired(1)).await.unwrap();
    let renewed = desired(1);
    let observed = client.ensure(&renewed).await.unwrap();
    assert!(
        matches!(&observed.credentials, Credentials::Outline { password: p, .. } if p == password(&renewed))
    );
    assert_eq!(server.key_ids().await, ["usi_c1"]);
}

#[tokio::test]
async fn blocked_is_a_limit_of_zero_and_the_limit_comes_back() {
    let server = start().await;
    let client = client(&server);
    let want = Desired { limit_bytes: Some(1_000_000), ..desired(1) };
    for (want, expected) in [
        (&want, "PUT /access-keys/usi_c1 201"),
        (&blocked(&want), "PUT /access-keys/usi_c1/data-limit 204"),
        (&blocked(&want), "GET /access-keys/usi_c1 200"),
        (&want, "PUT /access-keys/usi_c1/data-limit 204"),
        (&Desired { limit_bytes: None, ..want.clone() }, "DELETE /access-keys/usi_c1/data-limit 204"),
    ] {
        client.ensure(want).await.unwrap();
        assert_eq!(server.requests().last().unwrap(), expected);
    }
}

#[tokio::test]
async fn usage_is_the_window_of_our_keys() {
    let server = start().await;
    let client = client(&server);
    client.ensure(&desired(1)).await.unwrap();
    client.ensure(&desired(2)).await.unwrap();
    assert!(server.set_transferred("usi_c1", 5_000).await);
    let usage = client.usage().await.unwrap();
    assert_eq!(usage.len(), 1, "a key without traffic is not there, which is not zero");
    assert_eq!((usage[0].config_id, usage[0].rx, usage[0].tx), (ConfigId(1), 0, 5_000));
    assert_eq!(client.usage_kind(), UsageKind::RollingWindow);
    assert_eq!(client.health().await.unwrap().detail, "Outline 1.12.3 \"Outline Server\"");
}

#[tokio::test]
async fn reconciliation_makes_the_server_equal_to_the_list() {
    let server = start().await;
    let client = client(&server);
    let (kept, gone, changed, new) = (desired(1), desired(2), desired(3), desired(4));
    for want in [&kept, &gone, &changed] {
        client.ensure(want).await.unwrap();
    }
    // What the operator made by hand is not ours to remove.
    by_hand(&server).await;
    let held = client.held().await.unwrap();
    let all = [kept, blocked(&changed), new];
    assert_eq!(client.reconcile(&held, &all).await.unwrap(), reconciled(1, 1, 1));
    assert_eq!(server.key_ids().await, ["usi_c1", "usi_c3", "0", "usi_c4"]);
    assert_eq!(client.reconcile(&held, &all).await.unwrap(), reconciled(0, 0, 0));
    server.forget_keys().await;
    assert_eq!(client.reconcile(&held, &all).await.unwrap(), reconciled(3, 0, 0));
}

async fn by_hand(server: &OutlineServer) {
    let http = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let answer = http.post(format!("{}/access-keys", server.api_url())).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn reconciliation_leaves_alone_what_is_newer_than_its_list() {
    let server = start().await;
    let (here, elsewhere) = (client(&server), client(&server));
    let revoked = desired(1);
    here.ensure(&revoked).await.unwrap();
    let held = here.held().await.unwrap();
    let read_then = [revoked.clone()];
    here.revoke(revoked.config_id, &revoked.credentials).await.unwrap();
    here.ensure(&desired(2)).await.unwrap();
    // By another process of ours.
    elsewhere.ensure(&desired(3)).await.unwrap();
    assert_eq!(here.reconcile(&held, &read_then).await.unwrap(), reconciled(0, 0, 0));
    assert_eq!(server.key_ids().await, ["usi_c2", "usi_c3"]);
}

#[tokio::test]
async fn an_old_server_chooses_ids_and_keys_are_found_by_name() {
    let server = start_old().await;
    let client = client(&server);
    let want = desired(7);
    server.fault(Fault::Slow(Duration::from_millis(1)), 1);
    let first = client.ensure(&want).await.unwrap();
    assert_eq!(first.public_id, "0");
    let again = client.ensure(&want).await.unwrap();
    assert_eq!(again.credentials, first.credentials);
    client.ensure(&blocked(&want)).await.unwrap();
    assert!(server.set_transferred("0", 9).await);
    assert_eq!(client.usage().await.unwrap()[0].config_id, ConfigId(7));
    let held = client.held().await.unwrap();
    assert_eq!(client.reconcile(&held, &[blocked(&want), desired(8)]).await.unwrap(), reconciled(1, 0, 0));
    client.revoke(ConfigId(7), &want.credentials).await.unwrap();
    assert_eq!(server.key_ids().await, ["1"]);
    client.revoke(ConfigId(7), &want.credentials).await.unwrap();
}

#[tokio::test]
async fn failures_say_what_to_do_and_nothing_secret() {
    let server = start().await;
    let client = client(&server);
    let want = desired(1);
    let path = server.api_url().rsplit('/').next().unwrap().to_owned();
    let mut texts = Vec::new();
    for fault in [Fault::HangUp, Fault::Error500, Fault::LoseReply] {
        server.fault(fault, 1);
        let error = client.ensure(&want).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        texts.push(format!("{error} {error:?}"));
    }
    let other_path = OutlineSecret { api_url: format!("{}x", server.api_url()), ..secret(&server) };
    let stranger = Outline::new(settings(), &other_path).unwrap();
    for error in [
        stranger.ensure(&want).await.err().unwrap(),
        stranger.revoke(ConfigId(1), &want.credentials).await.err().unwrap(),
        stranger.usage().await.err().unwrap(),
        stranger.health().await.err().unwrap(),
    ] {
        assert!(matches!(error, BackendError::AuthExpired(_)), "{error}");
        texts.push(format!("{error} {error:?}"));
    }
    let port = secret(&server).api_url;
    drop(server);
    let down = client.health().await.unwrap_err();
    assert!(down.is_transient(), "{down} at {port}");
    texts.push(format!("{down} {down:?} {:?}", secret_debug(&port)));
    for text in texts {
        assert!(!text.contains(&path) && !text.contains(password(&want)), "{text}");
    }
}

fn secret_debug(api_url: &str) -> OutlineSecret {
    OutlineSecret { api_url: api_url.to_owned(), cert_sha256: String::new() }
}

#[tokio::test]
async fn another_certificate_is_refused_before_anything_is_asked() {
    let server = start().await;
    let stranger = start().await;
    let wrong_pin = OutlineSecret { cert_sha256: stranger.cert_sha256().to_owned(), ..secret(&server) };
    let error = Outline::new(settings(), &wrong_pin).unwrap().health().await.unwrap_err();
    assert!(matches!(&error, BackendError::AuthExpired(text) if text.contains("certificate")), "{error}");
    assert_eq!(server.requests(), [""; 0]);
    // Case and colons are those of many tools.
    let colons: Vec<String> = server.cert_sha256().to_lowercase().as_bytes().chunks(2).map(text).collect();
    let same_pin = OutlineSecret { cert_sha256: colons.join(":"), ..secret(&server) };
    Outline::new(settings(), &same_pin).unwrap().health().await.unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn settings_and_secrets_are_checked_when_a_server_is_added() {
    let server = start().await;
    let printed_by_the_installer =
        format!(r#"{{"apiUrl":"{}","certSha256":"{}"}}"#, server.api_url(), server.cert_sha256());
    let settings = r#"{"name": "Berlin", "hostname": "vpn.example.net"}"#;
    let backend = vpn::connect(Protocol::Outline, settings, &printed_by_the_installer).await.unwrap();
    let observed = backend.ensure(&desired(1)).await.unwrap();
    assert!(link(&observed.credentials).ends_with("@vpn.example.net:12345/?outline=1#Berlin"));

    for (api_url, cert_sha256) in [
        ("http://127.0.0.1:1/SecretPath", server.cert_sha256()),
        ("SecretPath", server.cert_sha256()),
        (server.api_url(), "ABCD"),
    ] {
        let secret = OutlineSecret { api_url: api_url.to_owned(), cert_sha256: cert_sha256.to_owned() };
        let refused = Outline::new(super::settings(), &secret).err().unwrap();
        assert!(matches!(refused, BackendError::Rejected(_)) && !refused.to_string().contains("SecretPath"));
    }
    let bad = OutlineSettings { hostname: Some("a b".to_owned()), ..super::settings() };
    assert!(matches!(Outline::new(bad, &secret(&server)), Err(BackendError::Rejected(_))));
}

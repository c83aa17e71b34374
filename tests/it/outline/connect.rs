//! A handed-out `ss://` link through a real Shadowsocks client and server to a web server of ours.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use usipipo::demo::outline::{Options, OutlineServer};
use usipipo::integrations::vpn::Backend;

use super::{blocked, client, desired, link};
use crate::support::skip::skip;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);
/// A Shadowsocks server does not say no: it says nothing.
const REFUSAL: Duration = Duration::from_secs(2);

pub fn is_missing() -> bool {
    for program in ["ss-server", "ss-local"] {
        let found =
            Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            skip(&format!("`{program}` is not installed"));
            return true;
        }
    }
    false
}

/// `ss-local` with a link, as an app has it.
pub struct App {
    process: Child,
    socks: SocketAddr,
}

impl App {
    pub async fn start(link: &str) -> Self {
        let url = Url::parse(link).unwrap();
        let user = String::from_utf8(URL_SAFE_NO_PAD.decode(url.username()).unwrap()).unwrap();
        let (method, password) = user.split_once(':').unwrap();
        let socks = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        let process = Command::new("ss-local")
            .args(["-s", url.host_str().unwrap(), "-p", &url.port().unwrap().to_string()])
            .args(["-k", password, "-m", method, "-b", "127.0.0.1", "-l", &socks.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let app = Self { process, socks };
        eventually(LIMIT, async || TcpStream::connect(socks).await).await;
        app
    }

    /// Fetches the page through the proxy (SOCKS5, RFC 1928); None when nothing comes back.
    pub async fn fetch(&self, target: SocketAddr) -> Option<String> {
        tokio::time::timeout(REFUSAL, self.try_fetch(target)).await.ok()?.ok().filter(|text| !text.is_empty())
    }

    async fn try_fetch(&self, target: SocketAddr) -> std::io::Result<String> {
        let SocketAddr::V4(target) = target else { panic!("the web server is on IPv4") };
        let mut stream = TcpStream::connect(self.socks).await?;
        stream.write_all(&[5, 1, 0]).await?;
        let mut reply = [0; 2];
        stream.read_exact(&mut reply).await?;
        assert_eq!(reply, [5, 0]);
        stream
            .write_all(&[&[5, 1, 0, 1][..], &target.ip().octets(), &target.port().to_be_bytes()].concat())
            .await?;
        let mut reply = [0; 10];
        stream.read_exact(&mut reply).await?;
        assert_eq!(reply[..2], [5, 0]);
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub async fn web_server() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { "through the tunnel" }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_connects_is_counted_blocked_resumed_and_cut_by_revocation() {
    if is_missing() {
        return;
    }
    let server = OutlineServer::start(Options { shadowsocks: true, ..Options::default() }).await.unwrap();
    let (backend, web) = (client(&server), web_server().await);
    let want = desired(1);
    let observed = backend.ensure(&want).await.unwrap();
    let app = App::start(link(&observed.credentials)).await;
    let page = async || app.fetch(web).await;
    assert!(eventually(LIMIT, page).await.ends_with("through the tunnel"));

    let usage = backend.usage().await.unwrap();
    assert_eq!(usage[0].config_id, want.config_id);
    assert!(usage[0].tx > 100, "{usage:?}");

    backend.ensure(&blocked(&want)).await.unwrap();
    assert_eq!(app.fetch(web).await, None);
    let resumed = backend.ensure(&want).await.unwrap();
    assert_eq!(resumed.credentials, observed.credentials);
    eventually(LIMIT, page).await;

    backend.revoke(want.config_id, &want.credentials).await.unwrap();
    assert_eq!(app.fetch(web).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_another_password_does_not_connect() {
    if is_missing() {
        return;
    }
    let server = OutlineServer::start(Options { shadowsocks: true, ..Options::default() }).await.unwrap();
    let (backend, web) = (client(&server), web_server().await);
    let observed = backend.ensure(&desired(1)).await.unwrap();
    let mut forged = Url::parse(link(&observed.credentials)).unwrap();
    forged.set_username(&URL_SAFE_NO_PAD.encode("chacha20-ietf-poly1305:guessed")).unwrap();
    assert_eq!(App::start(forged.as_str()).await.fetch(web).await, None);
}

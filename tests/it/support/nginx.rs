//! The files of nginx/ in a real nginx, with nothing changed but paths, ports, certificate and the copies behind it.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Response};
use tokio::net::TcpStream;

use super::ports;
use super::wait::eventually;

pub const HTTP: &str = include_str!("../../../nginx/usipipo-http.conf");
/// Both, as they stand side by side.
pub const CONF: &str =
    concat!(include_str!("../../../nginx/usipipo-http.conf"), include_str!("../../../nginx/usipipo.conf"));
pub const DOMAIN: &str = "vpn.example.com";
const LIMIT: Duration = Duration::from_secs(20);

/// Where the program is; Debian keeps it outside an ordinary user's PATH.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin";
    std::env::split_paths(&path).map(|folder| folder.join("nginx")).find(|file| file.exists())
}

/// A folder with everything that nginx reads and writes, gone afterwards.
pub struct Prefix(pub PathBuf);

impl Prefix {
    pub fn new(conf: &str, http: u16, https: u16, copies: &[SocketAddr]) -> Self {
        let folder = std::env::temp_dir().join(format!("usipipo-nginx-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let certificate = rcgen::generate_simple_self_signed([DOMAIN.to_owned()]).unwrap();
        std::fs::write(folder.join("fullchain.pem"), pem("CERTIFICATE", certificate.cert.der())).unwrap();
        std::fs::write(
            folder.join("privkey.pem"),
            pem("PRIVATE KEY", &certificate.signing_key.serialize_der()),
        )
        .unwrap();
        std::fs::write(folder.join("usipipo.conf"), adapted(conf, &folder, http, https, copies)).unwrap();
        std::fs::write(folder.join("nginx.conf"), main_conf(&folder)).unwrap();
        Self(folder)
    }

    pub fn nginx(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program().unwrap());
        command.arg("-p").arg(&self.0).arg("-c").arg(self.0.join("nginx.conf"));
        command.args(["-e", "stderr", "-g", "daemon off; master_process off;"]).args(arguments);
        command
    }

    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Every text that is replaced must be there: a test of a file that has changed under it would test nothing.
fn adapted(conf: &str, folder: &Path, http: u16, https: u16, copies: &[SocketAddr]) -> String {
    let folder = folder.display();
    let copies: Vec<_> = copies.iter().map(|copy| format!("server {copy} max_fails=0;")).collect();
    let replacements = [
        ("listen 80;", format!("listen 127.0.0.1:{http};")),
        ("listen [::]:80;", String::new()),
        ("listen 443 ssl;", format!("listen 127.0.0.1:{https} ssl;")),
        ("listen [::]:443 ssl;", String::new()),
        ("server 127.0.0.1:8080 max_fails=3 fail_timeout=5s;", copies.join("\n")),
        ("/etc/letsencrypt/live/vpn.example.com/", format!("{folder}/")),
        ("/var/log/nginx/", format!("{folder}/")),
        ("/var/www/letsencrypt", format!("{folder}/www")),
    ];
    replacements.iter().fold(conf.to_owned(), |conf, (from, to)| {
        assert!(CONF.contains(from), "nginx/ has no {from:?} any more");
        conf.replace(from, to)
    })
}

fn main_conf(folder: &Path) -> String {
    let user = if std::fs::metadata(folder).unwrap().uid() == 0 { "user root;" } else { "" };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("{kind}_temp_path {}/{kind};", folder.display())).join("\n");
    let folder = folder.display();
    // A crowd has a connection for each, and nginx as many more to the copies.
    format!(
        "{user}\npid {folder}/pid;\nevents {{ worker_connections 4096; }}\nhttp {{\n{temporary}\ninclude {folder}/usipipo.conf;\n}}\n"
    )
}

/// A running nginx.
pub struct Nginx {
    pub prefix: Prefix,
    process: Child,
    /// Where it is found, by `client`.
    pub base: String,
    pub client: Client,
}

impl Nginx {
    /// With the very parameters that the file has for a copy, for each of them.
    pub async fn in_front_of(copies: &[SocketAddr]) -> Self {
        let written = "server 127.0.0.1:8080 ";
        let line = CONF.lines().find(|line| line.trim().starts_with(written)).unwrap();
        let line_of = |copy: &SocketAddr| line.replace(written, &format!("server {copy} "));
        let lines: Vec<String> = copies.iter().map(line_of).collect();
        Self::start(&CONF.replace(line, &lines.join("\n")), &[]).await
    }

    pub async fn start(conf: &str, copies: &[SocketAddr]) -> Self {
        Self::start_with(conf, "https", copies).await
    }

    /// Ports are free when they are chosen, and may be taken when nginx comes: then others are tried.
    pub async fn start_with(conf: &str, scheme: &str, copies: &[SocketAddr]) -> Self {
        for _ in 0..5 {
            let (http, https) = (ports::address(), ports::address());
            let prefix = Prefix::new(conf, http.port(), https.port(), copies);
            let door = if scheme == "https" { https } else { http };
            let mut process = prefix.nginx(&[]).stderr(Stdio::null()).spawn().unwrap();
            let ended = eventually(LIMIT, || {
                let ended = process.try_wait().unwrap().is_some();
                async move {
                    if ended { Some(true) } else { TcpStream::connect(door).await.is_ok().then_some(false) }
                }
            });
            if ended.await {
                continue;
            }
            let client = Client::builder().danger_accept_invalid_certs(true).resolve(DOMAIN, door);
            let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
            return Self { prefix, process, base: format!("{scheme}://{DOMAIN}:{}", door.port()), client };
        }
        panic!("nginx does not start");
    }

    /// What its logs say of answers with this status, and of trouble.
    pub fn tells_of(&self, status: u16) -> String {
        let access = self.prefix.log("usipipo.access.log");
        let answers = access.lines().filter(|line| line.contains(&format!(" {status} ")));
        let trouble = self.prefix.log("usipipo.error.log");
        answers.chain(trouble.lines()).take(40).collect::<Vec<_>>().join("\n")
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, length: usize) -> Response {
        self.client.post(format!("{}{path}", self.base)).body(vec![b'x'; length]).send().await.unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

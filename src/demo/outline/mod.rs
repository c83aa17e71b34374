//! The counterpart of Outline: a real HTTPS server with a certificate of its own and the management API behind a secret
//! path. With Shadowsocks its keys truly connect. Its handle also breaks it, and tells what it was asked.
//!
//! It shares no code with the client that it is there to check.

mod api;
mod door;
mod fault;
mod state;
mod tls;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::fault::Fault;
use self::state::{Identity, Key, Keys};

/// What a counterpart is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the server.
    pub name: String,
    /// Where it listens, and where its access links point.
    pub ip: IpAddr,
    /// Runs a `ss-server` of shadowsocks-libev for every key, so that keys connect (TCP only).
    pub shadowsocks: bool,
    /// Answers as servers of before 2024: an id cannot be chosen.
    pub old: bool,
    /// Keeps certificate, address and keys here from one start to the next.
    pub folder: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "Outline Server".to_owned(),
            ip: Ipv4Addr::LOCALHOST.into(),
            shadowsocks: false,
            old: false,
            folder: None,
        }
    }
}

/// A running counterpart; it stops, and everything it started with it, when the last handle is dropped.
#[derive(Clone)]
pub struct OutlineServer {
    outline: Outline,
    api_url: String,
    cert_sha256: String,
    _running: Arc<DropGuard>,
}

/// What its routes share.
#[derive(Clone)]
struct Outline(Arc<Shared>);

struct Shared {
    options: Options,
    /// Requests take turns, as at the real one.
    keys: tokio::sync::Mutex<Keys>,
    control: Mutex<Control>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Control {
    /// The next faults, each with how often it still strikes.
    faults: VecDeque<(Fault, usize)>,
    requests: Vec<String>,
}

impl Outline {
    fn control(&self) -> MutexGuard<'_, Control> {
        self.0.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutlineServer {
    /// Listens and answers until the last handle is dropped.
    pub async fn start(options: Options) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let running = Arc::new(stop.clone().drop_guard());
        let mut identity = Identity::load(options.folder.as_deref())?;
        let listener = bind(options.ip, identity.port).await?;
        identity.port = listener.local_addr()?.port();
        identity.save(options.folder.as_deref())?;
        let cert_sha256 = identity.cert_sha256();
        let api_url = format!("https://{}/{}", listener.local_addr()?, identity.secret_path);
        let listener = tls::Listener::new(listener, identity.tls()?, stop.clone())?;

        let mut keys = Keys::load(options.folder.as_deref())?;
        if options.shadowsocks {
            keys.open_doors(options.ip, &stop).await?;
        }
        let outline = Outline(Arc::new(Shared {
            options,
            keys: tokio::sync::Mutex::new(keys),
            control: Mutex::default(),
            stop: stop.clone(),
        }));
        let router = api::routes(&outline, &identity.secret_path);
        tokio::spawn(
            axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).into_future(),
        );
        Ok(Self { outline, api_url, cert_sha256, _running: running })
    }

    /// `https://127.0.0.1:PORT/SECRET`, as Outline's installer prints it.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// SHA-256 of the certificate: 64 upper-case hex digits.
    pub fn cert_sha256(&self) -> &str {
        &self.cert_sha256
    }

    /// Ids of all keys.
    pub async fn key_ids(&self) -> Vec<String> {
        self.outline.0.keys.lock().await.ids()
    }

    /// Adds a key as if it had been made and used elsewhere.
    pub async fn put_key(&self, id: &str, transferred: u64) {
        let (id, method) = (id.to_owned(), "chacha20-ietf-poly1305".to_owned());
        let mut keys = self.outline.0.keys.lock().await;
        keys.add(Key::new(id.clone(), id.clone(), "password".to_owned(), method, None));
        keys.set_transferred(&id, transferred);
    }

    /// Sets what a key has transferred in the last 30 days, and enforces limits as the hourly job does; false when
    /// there is no such key.
    pub async fn set_transferred(&self, id: &str, bytes: u64) -> bool {
        self.outline.0.keys.lock().await.set_transferred(id, bytes)
    }

    /// Loses all keys, as a server whose folder of state was lost.
    pub async fn forget_keys(&self) {
        self.outline.0.keys.lock().await.clear();
    }

    /// The requests that came, without the secret path, as `PUT /access-keys/usi_c1 201`; 0 stands for an answer that was
    /// never given.
    pub fn requests(&self) -> Vec<String> {
        self.outline.control().requests.clone()
    }

    /// The next `times` requests meet this fault.
    pub fn fault(&self, fault: Fault, times: usize) {
        self.outline.control().faults.push_back((fault, times));
    }

    pub fn clear_faults(&self) {
        self.outline.control().faults.clear();
    }
}

/// The port it had, when that is free.
async fn bind(ip: IpAddr, port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(SocketAddr::new(ip, port)).await {
        Err(_) if port != 0 => TcpListener::bind(SocketAddr::new(ip, 0)).await,
        bound => bound,
    }
}

//! The line to the database, to be cut or held: a TCP port in front of the tests' server that forwards while it may.

use std::path::PathBuf;

use reqwest::Url;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// What the line does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    /// Nothing passes and nobody hangs up: a server that stands still (SIGSTOP, a full disk, a network that drops).
    Held,
    /// Every connection is closed, and each new one at once: a server that is gone or restarts.
    Cut,
}

/// A line that carries bytes until it is dropped.
pub struct DbLine {
    /// For DATABASE_URL.
    pub url: String,
    state: watch::Sender<State>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Clone)]
enum Upstream {
    Socket(PathBuf),
    Tcp(String),
}

impl DbLine {
    /// A line to the database of this address.
    pub async fn to(database_url: &str) -> Self {
        let mut url: Url = database_url.parse().unwrap();
        let socket = url.query_pairs().find(|(name, _)| name == "socket").map(|(_, path)| path.into_owned());
        let upstream = match socket {
            Some(path) => Upstream::Socket(path.into()),
            None => Upstream::Tcp(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(3306))),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_query(None);
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (state, seen) = watch::channel(State::Open);
        let task = tokio::spawn(accept(listener, upstream, seen));
        Self { url: url.into(), state, _task: AbortOnDropHandle::new(task) }
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn accept(listener: TcpListener, upstream: Upstream, state: watch::Receiver<State>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (upstream, mut state) = (upstream.clone(), state.clone());
        tokio::spawn(async move {
            let mut cut = state.clone();
            tokio::select! {
                _ = cut.wait_for(|state| *state == State::Cut) => {}
                () = carry(client, upstream, &mut state) => {}
            }
        });
    }
}

/// Carries bytes both ways until one side hangs up.
async fn carry(client: TcpStream, upstream: Upstream, state: &mut watch::Receiver<State>) {
    if state.wait_for(|state| *state == State::Open).await.is_err() {
        return;
    }
    match upstream {
        Upstream::Socket(path) => between(client, UnixStream::connect(path).await.unwrap(), state).await,
        Upstream::Tcp(address) => between(client, TcpStream::connect(address).await.unwrap(), state).await,
    }
}

async fn between(client: TcpStream, server: impl AsyncRead + AsyncWrite, state: &watch::Receiver<State>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = tokio::io::split(server);
    tokio::select! {
        () = pump(from_client, to_server, state.clone()) => {}
        () = pump(from_server, to_client, state.clone()) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if state.wait_for(|state| *state == State::Open).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

//! A line to something outside the server, to be broken in the ways that networks and machines break: a TCP port of its
//! own that carries bytes to a database, to Telegram, to a payment provider or to a VPN server while it may. It knows
//! nothing of what it carries, so it stands below TLS too.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// What the line does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    /// Nothing passes and nobody hangs up: a server that stands still (SIGSTOP, a full disk, a network that drops).
    Held,
    /// Every connection is closed, and each new one is refused: a server that is gone or restarts.
    Cut,
    /// Every answer comes so much later.
    Slow(Duration),
    /// Every connection breaks in the middle of an answer: of its first one, its second, and so on, in turn.
    Breaking,
}

/// A line that carries bytes until it is dropped.
pub struct Line {
    /// The address that it was made for, by way of the line.
    pub url: String,
    state: watch::Sender<State>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Clone)]
enum Upstream {
    Socket(PathBuf),
    Tcp(String),
}

impl Line {
    /// A line to whatever is at this address; of a database that may be a socket.
    pub async fn to(url: &str) -> Self {
        let mut url: Url = url.parse().unwrap();
        let socket = url.query_pairs().find(|(name, _)| name == "socket").map(|(_, path)| path.into_owned());
        let upstream = match socket {
            Some(path) => Upstream::Socket(path.into()),
            None => {
                let port = url.port_or_known_default().unwrap_or(3306);
                Upstream::Tcp(format!("{}:{port}", url.host_str().unwrap()))
            }
        };
        // Nobody else gets the port while the line takes no connection.
        let place = bind(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = place.local_addr().unwrap();
        url.set_query(None);
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let (state, seen) = watch::channel(State::Open);
        let listener = listen(address);
        let task = tokio::spawn(async move {
            let _place = place;
            accept(listener, address, upstream, seen).await;
        });
        Self { url: url.into(), state, _task: AbortOnDropHandle::new(task) }
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

fn bind(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

fn listen(address: SocketAddr) -> TcpListener {
    bind(address).listen(1024).unwrap()
}

async fn accept(
    mut listener: TcpListener,
    address: SocketAddr,
    upstream: Upstream,
    mut state: watch::Receiver<State>,
) {
    let mut number = 0;
    loop {
        let mut cut = state.clone();
        let taken = tokio::select! {
            _ = cut.wait_for(|state| *state == State::Cut) => None,
            taken = listener.accept() => taken.ok(),
        };
        let Some((client, _)) = taken else {
            drop(listener);
            if state.wait_for(|state| *state != State::Cut).await.is_err() {
                return;
            }
            listener = listen(address);
            continue;
        };
        let (upstream, state) = (upstream.clone(), state.clone());
        tokio::spawn(async move {
            let mut cut = state.clone();
            tokio::select! {
                _ = cut.wait_for(|state| *state == State::Cut) => {}
                () = carry(client, upstream, state, number) => {}
            }
        });
        number += 1;
    }
}

/// Carries bytes both ways until one side hangs up.
async fn carry(client: TcpStream, upstream: Upstream, mut state: watch::Receiver<State>, number: usize) {
    let _ = client.set_nodelay(true);
    if state.wait_for(|state| *state != State::Held).await.is_err() {
        return;
    }
    match upstream {
        Upstream::Socket(path) => {
            let Ok(server) = UnixStream::connect(path).await else { return };
            between(client, server, &state, number).await;
        }
        Upstream::Tcp(address) => {
            let Ok(server) = TcpStream::connect(address).await else { return };
            let _ = server.set_nodelay(true);
            between(client, server, &state, number).await;
        }
    }
}

async fn between(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    state: &watch::Receiver<State>,
    number: usize,
) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = tokio::io::split(server);
    // As many as a handshake, a statement or two and a commit need.
    let whole = number * 5 % 12;
    tokio::select! {
        () = requests(from_client, to_server, state.clone()) => {}
        () = answers(from_server, to_client, state.clone(), whole) => {}
    }
}

async fn requests(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if state.wait_for(|state| *state != State::Held).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// What the server says, each part at its time. A line that breaks lets so many of them pass `whole`.
async fn answers(
    mut from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
    mut whole: usize,
) {
    let (parts, queue) = mpsc::channel(64);
    let read = async move {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let Ok(now) = state.wait_for(|state| *state != State::Held).await.map(|state| *state) else {
                return;
            };
            let part: Arc<[u8]> = match now {
                State::Breaking if whole == 0 => bytes[..count / 2].into(),
                _ => bytes[..count].into(),
            };
            let late = if let State::Slow(by) = now { by } else { Duration::ZERO };
            if parts.send((Instant::now() + late, part)).await.is_err() {
                return;
            }
            if now == State::Breaking {
                let Some(left) = whole.checked_sub(1) else { return };
                whole = left;
            }
        }
    };
    tokio::join!(read, write(queue, to));
}

/// Ends when there is nothing more to come: `to` is closed then.
async fn write(mut queue: mpsc::Receiver<(Instant, Arc<[u8]>)>, mut to: impl AsyncWrite + Unpin) {
    while let Some((due, part)) = queue.recv().await {
        tokio::time::sleep_until(due).await;
        if to.write_all(&part).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says back what it hears, and what a person behind a line to it gets within a moment.
    async fn echo() -> (Line, AbortOnDropHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((mut heard, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = heard.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        (Line::to(&url).await, AbortOnDropHandle::new(task))
    }

    async fn call(line: &Line) -> std::io::Result<TcpStream> {
        let url: Url = line.url.parse().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await?;
        stream.write_all(b"how are you?").await?;
        Ok(stream)
    }

    async fn heard(mut stream: TcpStream, bytes: usize) -> String {
        let mut text = vec![0; bytes];
        stream.read_exact(&mut text).await.unwrap();
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn a_line_carries_refuses_and_is_silent() {
        let (line, _echo) = echo().await;
        assert_eq!(heard(call(&line).await.unwrap(), 12).await, "how are you?");
        line.set(State::Held);
        let mut waiting = call(&line).await.unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(100), waiting.read_u8()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        line.set(State::Open);
        assert_eq!(heard(waiting, 12).await, "how are you?", "it comes late");
        let mut open = call(&line).await.unwrap();
        line.set(State::Cut);
        let mut rest = Vec::new();
        // Closed, with or without what was on its way.
        let _ = open.read_to_end(&mut rest).await;
        let refused =
            super::super::wait::eventually(Duration::from_secs(5), async || call(&line).await.err());
        assert_eq!(refused.await.kind(), std::io::ErrorKind::ConnectionRefused);
        line.set(State::Open);
        let again = super::super::wait::eventually(Duration::from_secs(5), async || call(&line).await);
        assert_eq!(heard(again.await, 12).await, "how are you?");
    }

    #[tokio::test]
    async fn a_line_is_slow_and_breaks_in_the_middle() {
        let (line, _echo) = echo().await;
        line.set(State::Slow(Duration::from_millis(300)));
        let asked = Instant::now();
        assert_eq!(heard(call(&line).await.unwrap(), 12).await, "how are you?");
        assert!(asked.elapsed() >= Duration::from_millis(300));
        line.set(State::Breaking);
        // The second connection: five answers pass.
        let mut stream = call(&line).await.unwrap();
        let mut text = Vec::new();
        for _ in 0..5 {
            let mut whole = [0; 12];
            stream.read_exact(&mut whole).await.unwrap();
            stream.write_all(&whole).await.unwrap();
        }
        stream.read_to_end(&mut text).await.unwrap();
        assert_eq!(text, b"how ar");
    }
}

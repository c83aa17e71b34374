//! A key that truly connects: a port of its own that leads to a Shadowsocks server, counts what passes, and can be shut.

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const START_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
/// A port that was free may be taken when the server comes to it.
const TRIES: usize = 5;

/// Dropping it ends the server and cuts every connection.
pub(super) struct Door {
    port: u16,
    transferred: Arc<AtomicU64>,
    open: watch::Sender<bool>,
    _stop: DropGuard,
}

impl Door {
    /// Listens on `port` if that is free, else on another; open at once.
    pub async fn open(
        ip: IpAddr,
        port: u16,
        password: &str,
        method: &str,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let listener = super::bind(ip, port).await?;
        let port = listener.local_addr()?.port();
        let (server, behind) = start_server(password, method).await?;
        let (open, is_open) = watch::channel(true);
        let transferred = Arc::new(AtomicU64::new(0));
        let relay = Relay { behind, transferred: transferred.clone(), is_open };
        let stopped = stop.clone();
        tokio::spawn(async move {
            stopped.run_until_cancelled(relay.serve(listener)).await;
            drop(server);
        });
        Ok(Self { port, transferred, open, _stop: stop.drop_guard() })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes in both directions, encrypted.
    pub fn transferred(&self) -> u64 {
        self.transferred.load(Ordering::Relaxed)
    }

    pub fn count_from_zero(&self) {
        self.transferred.store(0, Ordering::Relaxed);
    }

    /// Shut, it cuts what is connected and takes nothing new.
    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }
}

#[derive(Clone)]
struct Relay {
    behind: SocketAddr,
    transferred: Arc<AtomicU64>,
    is_open: watch::Receiver<bool>,
}

impl Relay {
    async fn serve(self, listener: TcpListener) {
        // Dropped with this future, and every connection with it.
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    connections.spawn(self.clone().pass(stream));
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Passes one connection on until it ends or the door is shut.
    async fn pass(mut self, stream: TcpStream) {
        if !*self.is_open.borrow() {
            return;
        }
        let Ok(behind) = TcpStream::connect(self.behind).await else { return };
        let ((from, to), (back_from, back_to)) = (stream.into_split(), behind.into_split());
        let both = async {
            tokio::join!(count(from, back_to, &self.transferred), count(back_from, to, &self.transferred))
        };
        tokio::select! {
            _ = both => {}
            _ = self.is_open.wait_for(|open| !open) => {}
        }
    }
}

/// Copies to the end of the stream and counts as it goes.
async fn count(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    transferred: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        transferred.fetch_add(read as u64, Ordering::Relaxed);
        to.write_all(&buffer[..read]).await?;
    }
}

/// Starts a `ss-server` on a free port of the loopback address and waits until it listens.
async fn start_server(password: &str, method: &str) -> io::Result<(Child, SocketAddr)> {
    for _ in 0..TRIES {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?;
        let file = write_config(free, password, method)?;
        let mut command = Command::new("ss-server");
        command.arg("-c").arg(&file).kill_on_drop(true).process_group(0);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let ready = match child {
            Ok(mut child) => listens(&mut child, free).await.map(|listens| listens.then_some(child)),
            Err(error) => Err(error),
        };
        let _ = fs::remove_file(file);
        if let Some(child) = ready? {
            return Ok((child, free));
        }
    }
    Err(io::Error::other("ss-server ends at once"))
}

/// False when the server ended instead.
async fn listens(child: &mut Child, address: SocketAddr) -> io::Result<bool> {
    let connects = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::select! {
        ended = child.wait() => ended.map(|_| false),
        () = connects => Ok(true),
        () = tokio::time::sleep(START_LIMIT) => Err(io::Error::other("ss-server does not listen")),
    }
}

/// A file and not arguments: those can be read by everybody on the machine.
fn write_config(address: SocketAddr, password: &str, method: &str) -> io::Result<std::path::PathBuf> {
    let path = std::env::temp_dir().join(format!("usipipo-ss-{}.json", Uuid::now_v7()));
    let config = serde_json::json!({
        "server": address.ip(),
        "server_port": address.port(),
        "password": password,
        "method": method,
        "timeout": 60,
    });
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(config.to_string().as_bytes())?;
    Ok(path)
}

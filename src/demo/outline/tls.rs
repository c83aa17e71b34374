//! HTTPS for axum.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Finished handshakes that wait for axum.
const BACKLOG: usize = 64;

/// Connections whose handshake is done; one that hangs in it holds up no other.
pub(super) struct Listener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener {
    /// Accepts until `stop`.
    pub fn new(listener: TcpListener, config: ServerConfig, stop: CancellationToken) -> io::Result<Self> {
        let (sender, ready) = mpsc::channel(BACKLOG);
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move { stop.run_until_cancelled(accept(listener, acceptor, sender)).await });
        Ok(Self { ready, address })
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        // Out of descriptors, at worst: the next one may have luck.
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            // A client that does not like the certificate hangs up here.
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
                let _ = ready.send((stream, peer)).await;
            }
        });
    }
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // Stopped: the server ends by the same token.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

//! The load: raw HTTP/1.1 over kept connections, so that the machine's time goes to the server and not to its caller.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One kept connection.
pub struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
    address: String,
}

impl Line {
    pub async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096), address: address.to_owned() })
    }

    /// POSTs a JSON body as Telegram does; gives the status.
    pub async fn post(&mut self, path: &str, secret: &str, body: &str) -> io::Result<u16> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nx-telegram-bot-api-secret-token: {secret}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    pub async fn get(&mut self, path: &str) -> io::Result<u16> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    /// Reads one answer to its end; gives its status.
    async fn answer(&mut self) -> io::Result<u16> {
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let field = |name: &str| text.split(name).nth(1)?.split_whitespace().next()?.parse::<usize>().ok();
        let status = field("http/1.1 ").ok_or(io::ErrorKind::InvalidData)?;
        let length = field("content-length:").unwrap_or(0);
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        u16::try_from(status).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

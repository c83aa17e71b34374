//! A `wireguard-go` process of ours.
//!
//! It outlives the server on purpose (a new version of the bot must not cut everybody's tunnel) and is adopted by the
//! next one; only `down_on_close` ends it with us.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::command::Commands;
use crate::fault;
use crate::integrations::vpn::BackendError;

/// How long it may take from start to the first answer.
const START_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);
/// Where a test ends the process.
const PLACE: &str = "wireguard:wireguard-go";

/// The control socket of an interface (the WireGuard cross-platform interface).
pub(super) fn socket(interface: &str) -> String {
    format!("/var/run/wireguard/{interface}.sock")
}

pub(super) struct Userspace {
    interface: String,
    commands: Commands,
    ends_with_us: bool,
    ended: Arc<Notify>,
    running: Mutex<Option<Running>>,
}

struct Running {
    /// Its end is ours: nothing to mend.
    released: Arc<AtomicBool>,
    watch: JoinHandle<()>,
}

impl Userspace {
    pub fn new(interface: &str, commands: Commands, ends_with_us: bool) -> Self {
        let interface = interface.to_owned();
        Self { interface, commands, ends_with_us, ended: Arc::default(), running: Mutex::default() }
    }

    /// Starts the process and waits until it answers.
    pub async fn start(&self) -> Result<(), BackendError> {
        let socket = socket(&self.interface);
        if UnixStream::connect(&socket).await.is_ok() {
            let text = format!("{socket} belongs to an interface of that name in another network namespace");
            return Err(BackendError::Rejected(text));
        }
        let mut command = self.commands.command("wireguard-go", &["--foreground", &self.interface]);
        // A group of its own: Ctrl-C in the server's terminal is not meant for the tunnels.
        command.process_group(0).kill_on_drop(self.ends_with_us).env("LOG_LEVEL", "error");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        fault::before(PLACE);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                BackendError::Incompatible("`wireguard-go` is not installed".to_owned())
            }
            _ => BackendError::Transient(format!("`wireguard-go`: {error}")),
        })?;
        let answers = async {
            while UnixStream::connect(&socket).await.is_err() {
                tokio::time::sleep(POLL).await;
            }
        };
        let ended = tokio::select! {
            () = answers => None,
            status = child.wait() => Some(format!("{:?}", status.ok().and_then(|status| status.code()))),
            () = tokio::time::sleep(START_LIMIT) => Some("does not answer".to_owned()),
        };
        fault::after(PLACE);
        if let Some(how) = ended {
            let _ = child.kill().await;
            return Err(self.failure(&how));
        }
        self.watch(child);
        Ok(())
    }

    /// Why it did not start. Its own message goes nowhere: a pipe would end it together with us.
    fn failure(&self, how: &str) -> BackendError {
        match std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
            Err(error) => BackendError::Incompatible(format!("/dev/net/tun: {error}")),
            Ok(_) => BackendError::Incompatible(format!("`wireguard-go {}` ended: {how}", self.interface)),
        }
    }

    fn watch(&self, mut child: Child) {
        let released = Arc::new(AtomicBool::new(false));
        let (expected, ended) = (released.clone(), self.ended.clone());
        let watch = tokio::spawn(async move {
            let _ = child.wait().await;
            if !expected.load(Ordering::Acquire) {
                ended.notify_one();
            }
        });
        *self.running() = Some(Running { released, watch });
    }

    /// Ends when the process has ended by itself.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Called before the interface is deleted, which ends the process; the answer is there when it has ended.
    pub fn release(&self) -> Option<JoinHandle<()>> {
        let Running { released, watch } = self.running().take()?;
        released.store(true, Ordering::Release);
        Some(watch)
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The WireGuard server: makes interface, table and configuration file agree.
//!
//! The interface changes at once. The file follows within seconds, written as a whole by a task of its own, so that one
//! more peer costs the same with fifty peers and with five thousand; it serves the next boot. If the machine dies in between,
//! the file is old: reconciliation with the database comes after every start and is the truth.
//!
//! One process should own an interface: the file and the counters of another one lack its newest peers until the other
//! has reconciled, too.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::conf_file;
use super::driver::{self, Driver};
use super::keys::Key;
use super::peers::{Dump, Peer};
use super::render;
use super::settings::{WireGuardSecret, WireGuardSettings};
use super::table::{Entry, Table};
use crate::ids::ConfigId;
use crate::integrations::vpn::{
    Access, Backend, BackendError, Counter, Credentials, Desired, Health, Held, Observed, Reconciled,
    UsageKind,
};

/// Changes within this time become one write of the file.
const WRITE_DELAY: Duration = Duration::from_secs(2);
/// Between two tries to bring back an interface that has gone.
const RESTORE_DELAY: Duration = Duration::from_secs(5);

/// A WireGuard server on this machine.
pub struct WireGuard {
    inner: Arc<Inner>,
    _caretaker: AbortOnDropHandle<()>,
}

struct Inner {
    settings: WireGuardSettings,
    private_key: Key,
    driver: Box<dyn Driver>,
    table: Mutex<Table>,
    /// Out of use: what is gone stays gone.
    retired: AtomicBool,
    /// Held while the interface is changed.
    turn: tokio::sync::Mutex<()>,
    /// The table is newer than the file.
    dirty: AtomicBool,
    changed: Notify,
    /// Held while the file is written; why the last write failed.
    file: Mutex<Option<String>>,
}

impl WireGuard {
    /// Creates the interface or adopts the one that is there, and restores the peers of the configuration file.
    pub async fn open(settings: WireGuardSettings, secret: &WireGuardSecret) -> Result<Self, BackendError> {
        settings.validate()?;
        let private_key = secret.key()?;
        if private_key.public().to_base64() != settings.public_key {
            let text = "settings: public_key does not belong to the secret's private key";
            return Err(BackendError::Rejected(text.to_owned()));
        }
        let path = settings.config_path();
        let unusable = |error: std::io::Error| BackendError::Rejected(format!("{}: {error}", path.display()));
        let mut table = Table::default();
        for (config, peer) in conf_file::read(&path).map_err(unusable)? {
            table.tell(config, Entry { public_key: peer.public_key, peer: Some(peer), told_at: None });
        }
        // Before the interface is made: where the file cannot be kept, nothing is begun.
        conf_file::write(&path, &render::server_conf(&settings, &private_key, table.present()))
            .map_err(unusable)?;
        let inner = Arc::new(Inner {
            driver: driver::open(&settings, private_key).await?,
            settings,
            private_key,
            table: Mutex::new(table),
            retired: AtomicBool::new(false),
            turn: tokio::sync::Mutex::default(),
            dirty: AtomicBool::new(false),
            changed: Notify::new(),
            file: Mutex::default(),
        });
        inner.put_missing().await?;
        let caretaker = tokio::spawn(look_after(inner.clone()));
        Ok(Self { inner, _caretaker: AbortOnDropHandle::new(caretaker) })
    }
}

impl WireGuard {
    /// Takes away what a server has on this machine that is out of use. Nothing is opened for that.
    pub async fn dismantle(
        settings: WireGuardSettings,
        secret: &WireGuardSecret,
    ) -> Result<(), BackendError> {
        settings.validate()?;
        let path = settings.config_path();
        // First the file: another process that sees the interface go brings it back as long as this is there.
        conf_file::remove(&path, settings.adopted)
            .map_err(|error| BackendError::Rejected(format!("{}: {error}", path.display())))?;
        driver::dismantle(&settings, secret.key()?).await
    }

    /// Takes the interface away, with a server that was not taken into use.
    pub async fn take_down(&self) {
        if let Err(error) = self.inner.driver.down().await {
            tracing::warn!(%error, "the interface could not be taken down");
        }
    }
}

/// What was told within the last seconds is written when the server ends, too.
impl Drop for WireGuard {
    fn drop(&mut self) {
        self.inner.write_or_log();
    }
}

/// Writes the file after changes and brings back a lost interface; aborted with the server.
async fn look_after(inner: Arc<Inner>) {
    loop {
        tokio::select! {
            () = inner.changed.notified() => {
                tokio::time::sleep(WRITE_DELAY).await;
                inner.write_aside().await;
            }
            () = inner.driver.lost() => {
                // Without its file it was taken away on purpose, by another process.
                if !inner.settings.config_path().exists() {
                    continue;
                }
                tracing::error!(interface = inner.settings.interface, "the interface has gone; bringing it back");
                while let Err(error) = inner.restore_in_turn().await {
                    tracing::error!(%error, "the interface could not be brought back");
                    tokio::time::sleep(RESTORE_DELAY).await;
                }
            }
        }
    }
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, config: ConfigId, public_key: Key, peer: Option<Peer>) {
        self.table().tell(config, Entry { public_key, peer, told_at: Some(Instant::now()) });
        self.mark_dirty();
    }

    fn mark_dirty(&self) {
        self.dirty.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Writes the file if the table is newer.
    fn write(&self) -> std::io::Result<()> {
        let mut failure = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if self.retired.load(Ordering::Acquire) || !self.dirty.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let path = self.settings.config_path();
        // It was there when the server was opened: another process has taken it away, with the server.
        if !path.exists() {
            return Ok(());
        }
        let text = render::server_conf(&self.settings, &self.private_key, self.table().present());
        let written = conf_file::write(&path, &text);
        *failure = written.as_ref().err().map(ToString::to_string);
        if written.is_err() {
            self.mark_dirty();
        }
        written
    }

    fn write_or_log(&self) {
        if let Err(error) = self.write() {
            tracing::error!(%error, "the WireGuard configuration file could not be written");
        }
    }

    /// Writes without holding up the other tasks of this thread.
    async fn write_aside(self: &Arc<Self>) {
        let inner = self.clone();
        // It fails only when the runtime ends, and then the drop writes.
        let _ = tokio::task::spawn_blocking(move || inner.write_or_log()).await;
    }

    /// Adds what the interface lacks and removes nothing.
    async fn put_missing(&self) -> Result<(), BackendError> {
        let found = self.driver.dump().await?;
        let changes = self.table().changes(&found);
        self.driver.change(&[], &changes.put).await
    }

    async fn restore(&self) -> Result<(), BackendError> {
        if self.retired.load(Ordering::Acquire) {
            return Err(BackendError::Transient("the server is out of use".to_owned()));
        }
        self.driver.open().await?;
        self.put_missing().await
    }

    async fn restore_in_turn(&self) -> Result<(), BackendError> {
        let _turn = self.turn.lock().await;
        self.restore().await
    }

    /// After a failed call: brings the interface back if it has gone, else the failure stands.
    async fn recover(&self, error: BackendError) -> Result<(), BackendError> {
        if self.driver.is_there().await {
            return Err(error);
        }
        tracing::error!(%error, interface = self.settings.interface, "the interface has gone; bringing it back");
        self.restore().await
    }

    /// Changes the interface, in the caller's turn.
    async fn change(&self, remove: &[Key], put: &[Peer]) -> Result<(), BackendError> {
        if let Err(error) = self.driver.change(remove, put).await {
            self.recover(error).await?;
            self.driver.change(remove, put).await?;
        }
        Ok(())
    }

    /// What the interface shows, in the caller's turn.
    async fn dump(&self) -> Result<Dump, BackendError> {
        match self.driver.dump().await {
            Ok(found) => Ok(found),
            Err(error) => {
                self.recover(error).await?;
                self.driver.dump().await
            }
        }
    }
}

#[async_trait]
impl Backend for WireGuard {
    /// Blocked means off the interface: the same keys and addresses come back later, and the counter starts again.
    async fn ensure(&self, want: &Desired) -> Result<Observed, BackendError> {
        let peer = Peer::of(want)?;
        let public_key = peer.public_key;
        let _turn = self.inner.turn.lock().await;
        let old_key = self.inner.table().public_key(want.config_id).filter(|old| *old != public_key);
        let present = want.access == Access::Present;
        let gone: Vec<Key> = old_key.into_iter().chain((!present).then_some(public_key)).collect();
        let put = if present { std::slice::from_ref(&peer) } else { &[] };
        self.inner.change(&gone, put).await?;
        self.inner.tell(want.config_id, public_key, present.then_some(peer));
        Ok(Observed { credentials: want.credentials.clone(), public_id: public_key.to_base64() })
    }

    async fn revoke(&self, config: ConfigId, credentials: &Credentials) -> Result<(), BackendError> {
        let Credentials::WireGuard { public_key, .. } = credentials else {
            return Err(BackendError::Rejected(format!("config {config} is not for WireGuard")));
        };
        let bad = |error| BackendError::Rejected(format!("config {config}: {error}"));
        let public_key: Key = public_key.parse().map_err(bad)?;
        let _turn = self.inner.turn.lock().await;
        let known = self.inner.table().public_key(config).filter(|known| *known != public_key);
        let gone: Vec<Key> = known.into_iter().chain([public_key]).collect();
        self.inner.change(&gone, &[]).await?;
        self.inner.tell(config, public_key, None);
        Ok(())
    }

    async fn usage(&self) -> Result<Vec<Counter>, BackendError> {
        let _turn = self.inner.turn.lock().await;
        let found = self.inner.dump().await?;
        let configs = self.inner.table().by_key();
        let counter = |(key, state): (&Key, &super::peers::PeerState)| {
            let config_id = *configs.get(key)?;
            Some(Counter { config_id, rx: state.rx, tx: state.tx, last_handshake: state.last_handshake })
        };
        Ok(found.peers.iter().filter_map(counter).collect())
    }

    fn usage_kind(&self) -> UsageKind {
        UsageKind::Counter
    }

    async fn health(&self) -> Result<Health, BackendError> {
        let _turn = self.inner.turn.lock().await;
        let found = self.inner.dump().await?;
        self.inner.driver.forward().await?;
        let detail = format!(
            "{}, UDP port {}, {} peers",
            self.inner.driver.describe(),
            found.listen_port,
            found.peers.len()
        );
        let failure = self.inner.file.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let path = self.inner.settings.config_path();
        let unwritten = failure.map(|failure| format!("{}: {failure}", path.display()));
        let warning = self.inner.driver.warning().or(unwritten);
        Ok(Health { detail, warning })
    }

    async fn held(&self) -> Result<Held, BackendError> {
        let at = Instant::now();
        let _turn = self.inner.turn.lock().await;
        let ids = self.inner.dump().await?.peers.keys().map(Key::to_base64).collect();
        Ok(Held { at, ids })
    }

    async fn reconcile(&self, held: &Held, all: &[Desired]) -> Result<Reconciled, BackendError> {
        let entries = all.iter().filter_map(|want| match Peer::of(want) {
            Err(error) => {
                tracing::error!(config_id = %want.config_id, %error, "left out of the WireGuard interface");
                None
            }
            Ok(peer) => {
                let public_key = peer.public_key;
                let peer = (want.access == Access::Present).then_some(peer);
                Some((want.config_id, Entry { public_key, peer, told_at: None }))
            }
        });
        let _turn = self.inner.turn.lock().await;
        self.inner.table().take_over(entries, held.at);
        self.inner.mark_dirty();
        let found = self.inner.dump().await?;
        let mut changes = self.inner.table().changes(&found);
        changes.remove.retain(|key| held.ids.contains(&key.to_base64()));
        changes.counts.removed = changes.remove.len();
        self.inner.change(&changes.remove, &changes.put).await?;
        Ok(changes.counts)
    }

    async fn retire(&self) {
        let _turn = self.inner.turn.lock().await;
        self.inner.retired.store(true, Ordering::Release);
        // Whoever writes just now has ended after this.
        drop(self.inner.file.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn close(&self) {
        self.inner.write_aside().await;
        if self.inner.settings.down_on_close {
            self.take_down().await;
        }
    }
}

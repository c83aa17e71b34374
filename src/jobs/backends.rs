//! Open connections to VPN servers, one a server, opened when first needed, and only where the server lives.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::crud;
use crate::ids::ServerId;
use crate::integrations::vpn::{self, Backend, BackendError};
use crate::machine::Machine;
use crate::models::server::Server;
use crate::queue::Failure;
use crate::services::server::open_secret;
use crate::work::Works;

/// The servers this process talks to.
#[derive(Default)]
pub struct Backends {
    open: Mutex<HashMap<ServerId, Arc<Slot>>>,
}

/// One server; its lock is held while it is opened, so that a slow one keeps nobody else waiting.
#[derive(Default)]
struct Slot {
    backend: Mutex<Option<(Fingerprint, Arc<dyn Backend>)>>,
}

/// SHA-256 of what a server was opened with. Of the secret itself: one that is only sealed anew changes nothing.
type Fingerprint = [u8; 32];

fn fingerprint(settings: &str, secret: &str) -> Fingerprint {
    Sha256::new().chain_update(settings).chain_update("\0").chain_update(secret).finalize().into()
}

impl Backends {
    /// The backend of a server, opened anew when its settings or its secret have changed.
    pub async fn of(&self, works: &Works, id: ServerId) -> Result<(Server, Arc<dyn Backend>), Failure> {
        let slot = self.open.lock().await.entry(id).or_default().clone();
        let mut held = slot.backend.lock().await;
        // Read under the lock: whoever waited for it must not bring back what was true before.
        let server = find(works, id).await?;
        if let Some(reason) = out_of_reach(&server, &works.config.server.machine) {
            retire(&mut held).await;
            return Err(Failure::not_yet(reason, Duration::ZERO));
        }
        let secret = open_secret(&works.config.keyring, &server).map_err(Failure::retry)?;
        let wanted = fingerprint(&server.settings, &secret);
        if let Some((opened, backend)) = &*held
            && *opened == wanted
        {
            return Ok((server, backend.clone()));
        }
        // First the old one goes: what it still writes must not come after the new one.
        drop(held.take());
        let backend = vpn::connect(server.protocol, &server.settings, &secret).await.map_err(into_failure)?;
        *held = Some((wanted, backend.clone()));
        Ok((server, backend))
    }

    /// Takes away what a server leaves on this machine, or at its own, that is out of use.
    pub async fn dismantle(&self, works: &Works, server: &Server, successor: bool) -> Result<(), Failure> {
        let slot = self.open.lock().await.entry(server.id).or_default().clone();
        let mut held = slot.backend.lock().await;
        retire(&mut held).await;
        // What it left is another server's now, which drives it to what it should be.
        if successor {
            return Ok(());
        }
        let secret = open_secret(&works.config.keyring, server).map_err(Failure::retry)?;
        vpn::dismantle(server.protocol, &server.settings, &secret).await.map_err(into_failure)
    }

    /// Closes every open server, at shutdown.
    pub async fn close(&self) {
        for (_, slot) in self.open.lock().await.drain() {
            if let Some((_, backend)) = slot.backend.lock().await.take() {
                backend.close().await;
            }
        }
    }
}

/// Why a server is not to be opened here. Jobs look at that before they ask; it may have changed since.
fn out_of_reach(server: &Server, here: &Machine) -> Option<String> {
    let name = &server.name;
    match server.elsewhere(here) {
        _ if server.removed_at.is_some() => Some(format!("{name} is out of use")),
        Some(home) => Some(format!("{name} lives on the machine {}", home.name)),
        None => None,
    }
}

/// Lets an open server go, so that nothing here works on it any more.
async fn retire(held: &mut Option<(Fingerprint, Arc<dyn Backend>)>) {
    if let Some((_, backend)) = held.take() {
        backend.retire().await;
    }
}

/// The row of a server.
pub(super) async fn find(works: &Works, id: ServerId) -> Result<Server, Failure> {
    let mut conn = works.db.acquire().await?;
    let server = crud::server::find(&mut conn, id).await?;
    server.ok_or_else(|| Failure::give_up(format!("there is no server {id}")))
}

/// A backend that refuses is tried again too: what it refuses may be mended by the operator, and a person waits.
pub(super) fn into_failure(error: BackendError) -> Failure {
    Failure::retry(error)
}

//! The demo's VPN servers: added once, and found again by every later run.

use scoped_futures::ScopedFutureExt;
use sha2::{Digest, Sha256};

use super::{Options, StageError, VpnServer};
use crate::app::App;
use crate::demo::outline::OutlineServer;
use crate::integrations::vpn::outline::{OutlineSecret, OutlineSettings};
use crate::integrations::vpn::wireguard::{DriverKind, WireGuardSecret, WireGuardSettings};
use crate::models::address::PoolKind;
use crate::models::server::NewServer;
use crate::models::vpn::Protocol;
use crate::services::server::{self, Change, NewPool, ServerError};
use crate::work::{Origin, Works};

const WIREGUARD: &str = "demo";
const OUTLINE: &str = "demo-outline";

/// Whether keys of the counterpart of Outline can truly connect here.
pub fn has_shadowsocks() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("ss-server").is_file())
}

/// Refuses a database whose servers another key guards: it is not the demo's.
pub async fn ensure_ours(works: &Works) -> Result<(), StageError> {
    for known in list(works).await? {
        if server::open_secret(&works.config.keyring, &known.server).is_err() {
            return Err(StageError::RealHouse(known.server.name));
        }
    }
    Ok(())
}

async fn list(works: &Works) -> sqlx::Result<Vec<server::Level>> {
    works.run("list_servers", Origin::SYSTEM, |work| server::levels(work).scope_boxed()).await
}

/// Interface and UDP port of a database's own: houses that stand side by side do not meet.
fn tunnel_of(database_url: &str) -> (String, u16) {
    let digest = Sha256::digest(database_url);
    let number = u16::from_be_bytes([digest[4], digest[5]]) % 12_000;
    (format!("usi-{}", hex::encode(&digest[..4])), 20_000 + number)
}

/// Adds the WireGuard server. It leaves the machine's firewall alone and is taken down with the demo.
pub async fn put_wireguard(works: &Works, options: &Options) -> Result<(), StageError> {
    let (interface, listen_port) = tunnel_of(&options.database_url);
    let secret = WireGuardSecret::generate();
    let public_key = secret.public_key().expect("a key that was just made");
    let settings = WireGuardSettings {
        interface,
        listen_port,
        address4: "10.213.0.1/20".parse().expect("a network"),
        address6: Some("fd42:213::1/64".parse().expect("a network")),
        nat: false,
        down_on_close: true,
        driver: DriverKind::AutoOrFile,
        config_path: Some(options.folder.join("wireguard.conf")),
        ..WireGuardSettings::new("127.0.0.1", public_key)
    };
    let pool = |kind, v4: &str, v6: &str| NewPool {
        kind,
        v4: v4.parse().expect("a network"),
        v6: Some(v6.parse().expect("a network")),
    };
    let pools = [
        pool(PoolKind::Paid, "10.213.0.0/22", "fd42:213::/112"),
        pool(PoolKind::Trial, "10.213.4.0/22", "fd42:213::1:0/112"),
    ];
    let new = NewServer {
        name: WIREGUARD.to_owned(),
        protocol: Protocol::Wireguard,
        location: "🏠 Demo".to_owned(),
        settings: to_json(&settings),
        capacity: 2000,
    };
    add_once(works, &new, &to_json(&secret), &pools).await?;
    let known =
        works.run("find_server", Origin::SYSTEM, |work| server::find(work, WIREGUARD).scope_boxed()).await?;
    // The folder may have been carried here from another machine.
    if known.elsewhere(&works.config.server.machine).is_some() {
        let here = &Change { here: true, ..Change::default() };
        works
            .run("settle", Origin::SYSTEM, |work| server::update(work, WIREGUARD, here).scope_boxed())
            .await?;
    }
    Ok(())
}

/// Adds the Outline server, or tells where it is now.
pub async fn put_outline(works: &Works, outline: &OutlineServer) -> Result<(), StageError> {
    let secret = OutlineSecret {
        api_url: outline.api_url().to_owned(),
        cert_sha256: outline.cert_sha256().to_owned(),
    };
    let new = NewServer {
        name: OUTLINE.to_owned(),
        protocol: Protocol::Outline,
        location: "🏡 Demo".to_owned(),
        settings: to_json(&OutlineSettings { name: "uSipipo demo".to_owned(), hostname: None }),
        capacity: 2000,
    };
    let secret = to_json(&secret);
    add_once(works, &new, &secret, &[]).await?;
    let moved = works.run("move_server", Origin::SYSTEM, |work| {
        server::replace_secret(work, OUTLINE, &secret).scope_boxed()
    });
    Ok(moved.await?)
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("settings and secrets are plain data")
}

async fn add_once(works: &Works, new: &NewServer, secret: &str, pools: &[NewPool]) -> Result<(), StageError> {
    let added =
        works.run("add_server", Origin::SYSTEM, |work| server::add(work, new, secret, pools).scope_boxed());
    match added.await {
        Ok(_) | Err(ServerError::Exists(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens the servers, and asks each what it is.
pub async fn describe(app: &App) -> Result<Vec<VpnServer>, StageError> {
    let mut described = Vec::new();
    for known in list(app.works()).await? {
        let (server, backend) = app.backends().of(app.works(), known.server.id).await?;
        let detail = match backend.health().await {
            Ok(health) => health.text(),
            Err(error) => error.to_string(),
        };
        described.push(VpnServer { id: server.id, protocol: server.protocol, detail });
    }
    Ok(described)
}

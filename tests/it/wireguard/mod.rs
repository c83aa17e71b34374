//! WireGuard: keys and texts, the server without a tunnel device, and real tunnels between network namespaces.

mod bot;
mod file;
mod growth;
pub mod hosts;
mod operator;
mod texts;
pub mod tunnel;
mod usage;

use std::path::{Path, PathBuf};

use usipipo::ids::ConfigId;
use usipipo::integrations::vpn::wireguard::keys::Key;
use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuard, WireGuardSecret, WireGuardSettings};
use usipipo::integrations::vpn::{Access, Addresses, Backend, Credentials, Desired};
use usipipo::models::vpn::Protocol;

/// A server with a folder of its own for its configuration file.
pub struct Fixture {
    pub settings: WireGuardSettings,
    pub secret: WireGuardSecret,
    folder: PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let secret = WireGuardSecret::generate();
        let folder = std::env::temp_dir().join(format!("usipipo-wg-{}", uuid::Uuid::now_v7()));
        let settings = WireGuardSettings {
            driver: DriverKind::ConfigFile,
            config_path: Some(folder.join("wg0.conf")),
            nat: false,
            ..WireGuardSettings::new("vpn.example.net", secret.public_key().unwrap())
        };
        Self { settings, secret, folder }
    }

    async fn open(&self) -> WireGuard {
        WireGuard::open(self.settings.clone(), &self.secret).await.unwrap()
    }

    fn path(&self) -> &Path {
        self.settings.config_path.as_deref().unwrap()
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Config `n` with fresh keys and the addresses 10.66.x.y and fd42:66::n.
fn desired(n: u16) -> Desired {
    with_credentials(n, Credentials::generate(Protocol::Wireguard))
}

/// Configs from 2 on that nobody connects with: public keys are random, as making real ones takes a debug build long.
fn many(count: u16) -> Vec<Desired> {
    let random = || Key::generate_preshared().to_base64();
    let credentials = || Credentials::WireGuard {
        private_key: String::new(),
        public_key: random(),
        preshared_key: random(),
    };
    (2..count + 2).map(|n| with_credentials(n, credentials())).collect()
}

fn with_credentials(n: u16, credentials: Credentials) -> Desired {
    let [high, low] = n.to_be_bytes();
    Desired {
        config_id: ConfigId(n.into()),
        credentials,
        addresses: Some(Addresses {
            v4: [10, 66, high, low].into(),
            v6: Some([0xfd42, 0x66, 0, 0, 0, 0, 0, n].into()),
        }),
        access: Access::Present,
        limit_bytes: None,
    }
}

fn blocked(want: &Desired) -> Desired {
    Desired { access: Access::Blocked, ..want.clone() }
}

fn public_key(want: &Desired) -> &str {
    match &want.credentials {
        Credentials::WireGuard { public_key, .. } => public_key,
        other => panic!("{other:?} is not for WireGuard"),
    }
}

/// The configs that the server counts, i.e. that it knows on its interface.
async fn counted(server: &WireGuard) -> Vec<i64> {
    let mut ids: Vec<i64> = server.usage().await.unwrap().iter().map(|counter| counter.config_id.0).collect();
    ids.sort_unstable();
    ids
}

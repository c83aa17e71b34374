//! A real interface, driven by `ip` and `wg`: the kernel's, or a `wireguard-go` process where the kernel has none.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::command::Commands;
use super::driver::Driver;
use super::keys::Key;
use super::peers::{Dump, Peer};
use super::render;
use super::settings::{DriverKind, WireGuardSettings};
use super::userspace::{self, Userspace};
use crate::integrations::vpn::BackendError;

/// Public keys per `wg set`: far below what a command line may hold.
const REMOVE_AT_ONCE: usize = 500;

/// How long a userspace process may take to notice that its interface has gone.
const END_LIMIT: Duration = Duration::from_secs(5);

pub(super) struct Tools {
    settings: WireGuardSettings,
    private_key: Key,
    commands: Commands,
    userspace: Userspace,
    missing: Mutex<Missing>,
}

/// What could not be set up although the tunnel works. Many machines have IPv6 switched off: theirs carry IPv4.
#[derive(Default)]
struct Missing {
    address6: Option<String>,
    forwarding6: Option<String>,
}

impl Tools {
    pub fn new(settings: WireGuardSettings, private_key: Key) -> Self {
        let commands = Commands { netns: settings.netns.clone() };
        let userspace = Userspace::new(&settings.interface, commands.clone(), settings.down_on_close);
        Self { settings, private_key, commands, userspace, missing: Mutex::default() }
    }

    async fn ip(&self, args: &[&str]) -> Result<String, BackendError> {
        self.commands.run("ip", args, None).await
    }

    async fn wg(&self, args: &[&str], stdin: Option<&str>) -> Result<String, BackendError> {
        self.commands.run("wg", args, stdin).await
    }

    fn missing(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the interface by the first means that works here.
    async fn create(&self) -> Result<(), BackendError> {
        let name = &self.settings.interface;
        let kernel = match self.settings.driver {
            DriverKind::Userspace => None,
            _ => Some(self.ip(&["link", "add", "dev", name, "type", "wireguard"]).await),
        };
        match (kernel, self.settings.driver) {
            (Some(Err(BackendError::Incompatible(kernel))), DriverKind::Auto | DriverKind::AutoOrFile) => {
                self.userspace.start().await.map_err(|userspace| match userspace {
                    BackendError::Incompatible(reason) => {
                        BackendError::Incompatible(format!("{kernel}; {reason}"))
                    }
                    other => other,
                })
            }
            (Some(made), _) => made.map(drop),
            (None, _) => self.userspace.start().await,
        }
    }

    /// Key and port, where they differ: setting a port again would rebind the socket.
    async fn configure(&self) -> Result<(), BackendError> {
        let found = self.dump().await?;
        let name = &self.settings.interface;
        if found.private_key != Some(self.private_key) {
            let key = self.private_key.to_base64();
            self.wg(&["set", name, "private-key", "/dev/stdin"], Some(&key)).await?;
        }
        if found.listen_port != self.settings.listen_port {
            self.wg(&["set", name, "listen-port", &self.settings.listen_port.to_string()], None).await?;
        }
        Ok(())
    }

    async fn bring_up(&self) -> Result<(), BackendError> {
        let name = &self.settings.interface;
        self.ip(&["address", "replace", &self.settings.address4.to_string(), "dev", name]).await?;
        self.ip(&["link", "set", "dev", name, "mtu", &self.settings.mtu.to_string(), "up"]).await?;
        if let Some(address6) = self.settings.address6 {
            let set = self.ip(&["-6", "address", "replace", &address6.to_string(), "dev", name]).await;
            self.missing().address6 = set.err().map(|error| format!("no IPv6: {error}"));
        }
        // The tunnel can be managed all the same; its health tells.
        if let Err(error) = self.forward().await {
            tracing::error!(interface = name, %error, "the tunnel is up, but it lets nothing out");
        }
        Ok(())
    }

    /// Takes away what `forward` put there.
    pub async fn unforward(&self) -> Result<(), BackendError> {
        self.shell(&render::unforwarding(&self.settings)).await
    }

    async fn shell(&self, lines: &[String]) -> Result<(), BackendError> {
        self.commands.run("sh", &["-e", "-c", &lines.join("\n")], None).await.map(drop)
    }
}

#[async_trait]
impl Driver for Tools {
    async fn open(&self) -> Result<(), BackendError> {
        let made = !self.is_there().await;
        if made {
            self.create().await?;
        }
        let opened = async {
            self.configure().await?;
            self.bring_up().await
        };
        let opened = opened.await;
        // Half an interface would be in the way of the next try.
        if made && opened.is_err() {
            let _ = self.down().await;
        }
        opened
    }

    async fn is_there(&self) -> bool {
        self.ip(&["link", "show", "dev", &self.settings.interface]).await.is_ok()
    }

    async fn dump(&self) -> Result<Dump, BackendError> {
        Dump::parse(&self.wg(&["show", &self.settings.interface, "dump"], None).await?)
    }

    async fn change(&self, remove: &[Key], put: &[Peer]) -> Result<(), BackendError> {
        let name = &self.settings.interface;
        for some in remove.chunks(REMOVE_AT_ONCE) {
            let keys: Vec<String> = some.iter().map(Key::to_base64).collect();
            let mut args = vec!["set", name];
            args.extend(keys.iter().flat_map(|key| ["peer", key, "remove"]));
            self.wg(&args, None).await?;
        }
        if !put.is_empty() {
            let text: String = put.iter().map(render::peer_section).collect();
            // Unlike setconf and syncconf, addconf takes nothing away, whatever the text holds.
            self.wg(&["addconf", name, "/dev/stdin"], Some(&text)).await?;
        }
        Ok(())
    }

    async fn lost(&self) {
        self.userspace.ended().await
    }

    async fn down(&self) -> Result<(), BackendError> {
        let process = self.userspace.release();
        self.ip(&["link", "delete", "dev", &self.settings.interface]).await?;
        if let Some(process) = process {
            let _ = tokio::time::timeout(END_LIMIT, process).await;
        }
        Ok(())
    }

    async fn forward(&self) -> Result<(), BackendError> {
        self.shell(&render::forwarding4(&self.settings)).await?;
        if self.missing().address6.is_none() {
            let let_out = self.shell(&render::forwarding6(&self.settings)).await;
            self.missing().forwarding6 = let_out.err().map(|error| format!("IPv6 is not let out: {error}"));
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let kind = if Path::new(&userspace::socket(&self.settings.interface)).exists() {
            "userspace"
        } else {
            "kernel"
        };
        format!("{} ({kind})", self.settings.interface)
    }

    fn warning(&self) -> Option<String> {
        let missing = self.missing();
        missing.address6.clone().or_else(|| missing.forwarding6.clone())
    }
}

//! `usipipo server add wireguard` as an operator runs it, on a host of the test's own.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::hosts::Hosts;
use crate::support::cli::{Ended, Shell};
use crate::support::db::TestDb;
use crate::support::skip::skip;

struct Host {
    hosts: Hosts,
    shell: Shell,
    _db: TestDb,
}

impl Host {
    async fn new() -> Option<Self> {
        let hosts = Hosts::new()?;
        if hosts.on_server(&["iptables", "-t", "nat", "-S"]).is_err() {
            skip("`iptables` is not installed");
            return None;
        }
        let db = TestDb::new().await;
        Some(Self { hosts, shell: Shell::over(db.url()), _db: db })
    }

    /// Adds a server, with what a wrapper leaves of the machine.
    fn add(&self, wrapper: &[&str]) -> Ended {
        let conf = self.shell.folder.join("wg.conf");
        let (interface, conf) = (self.hosts.server_interface.as_str(), conf.to_str().unwrap());
        let words =
            ["server", "add", "wireguard", "de-1", "--endpoint", "203.0.113.1", "--interface", interface];
        let usipipo = self.shell.command(&words);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.hosts.server]).args(wrapper);
        command.arg(usipipo.get_program()).args(usipipo.get_args()).args(["--conf", conf]);
        command.envs(usipipo.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.current_dir(&self.shell.folder).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    fn has_interface(&self) -> bool {
        self.hosts.on_server(&["ip", "link", "show", "dev", &self.hosts.server_interface]).is_ok()
    }
}

/// A folder with the machine's tools but without `missing`.
fn tools_without(folder: &Path, missing: &str) -> String {
    let tools = folder.join("tools");
    std::fs::create_dir(&tools).unwrap();
    for tool in ["ip", "wg", "wireguard-go", "sh", "sysctl", "iptables", "iptables-restore", "env", "setpriv"]
    {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        if !tool.starts_with(missing) {
            symlink(found.trim(), tools.join(tool)).unwrap();
        }
    }
    format!("PATH={}", tools.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lets_nothing_out_is_not_added_and_leaves_no_interface() {
    let Some(host) = Host::new().await else { return };
    let path = tools_without(&host.shell.folder, "iptables");
    let told = host.add(&["env", &path]).failed(1);
    assert!(told.contains("cannot be used") && told.contains("iptables"), "{told}");
    assert!(!host.has_interface());
    assert!(host.shell.run(&["server", "list"]).await.ok().starts_with("No servers."));

    let added = host.add(&[]).ok();
    assert!(added.contains("de-1 is in use") && !added.contains("no tunnel"), "{added}");
    assert!(host.has_interface());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rights_no_server_is_added() {
    let Some(host) = Host::new().await else { return };
    let told = host.add(&["setpriv", "--bounding-set=-all", "--inh-caps=-all"]).failed(1);
    assert!(told.contains("no tunnel can be made here") && told.contains("not permitted"), "{told}");
    assert!(told.contains("usipipo-run"), "{told}");
    assert!(host.shell.run(&["server", "list"]).await.ok().starts_with("No servers."));
}

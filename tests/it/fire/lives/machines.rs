//! WireGuard on a machine of its own: the server that dies is first the one that is elsewhere, then the one at home.

use std::path::PathBuf;
use std::process::Stdio;

use usipipo::models::job::{Job, ServerWork};

use super::beside;
use crate::fire::walk::{LIMIT, sound};
use crate::story::press;
use crate::support::cli::Shell;
use crate::support::process::Process;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

/// A shell at home.
fn home(town: &Town) -> Shell {
    let mut shell = Shell::new(town.variables.clone());
    shell.set("MACHINE_ID", "home");
    shell
}

async fn add_wireguard(shell: &Shell) {
    let words = ["server", "add", "wireguard", "de-1", "--driver", "config-file", "--interface", "usitest0"];
    // The whole path: the process that dies stands in another folder.
    let conf = conf_of(shell);
    let more = ["--endpoint", "203.0.113.1", "--conf", conf.to_str().unwrap()];
    shell.run(&words.into_iter().chain(more).collect::<Vec<_>>()).await.ok();
}

fn conf_of(shell: &Shell) -> PathBuf {
    shell.folder.join("wg.conf")
}

fn peers(shell: &Shell) -> Option<usize> {
    let conf = std::fs::read_to_string(conf_of(shell)).ok()?;
    Some(conf.matches("[Peer]").count())
}

/// It takes the updates and hands over what it cannot do; another copy, at home, does it.
pub async fn stranger(town: &Town) {
    let shell = home(town);
    add_wireguard(&shell).await;
    let mut command = shell.command(&["serve"]);
    command.env("BIND_ADDR", "127.0.0.1:0").stderr(Stdio::null());
    let ana = town.person(9501, "Ana", "es");
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    press(&ana, "trial-take:wireguard").await;
    // Only a run that a death has ended is counted as a try.
    let handed = "SELECT COUNT(*) FROM lanes JOIN jobs USING (lane) WHERE queue = 2 AND class >= 128 \
                  AND owner IS NULL AND status = 'pending' AND jobs.attempts <= 1 AND kind = 'apply_config'";
    eventually(LIMIT, async || town.count(handed).await == 1).await;
    let at_home = Process::start(command);
    eventually(LIMIT, async || peers(&shell) == Some(1)).await;
    town.quiet().await;
    assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["active"]);
    sound(town).await;
    drop(at_home);
}

/// It takes away what a removed server has left.
pub async fn dismantled(town: &Town) {
    let shell = home(town);
    add_wireguard(&shell).await;
    let conf = conf_of(&shell);
    beside(town, |work| work.enqueue(Job::TickServers { work: ServerWork::Reconcile })).await;
    town.quiet().await;
    assert!(conf.exists());
    shell.run(&["server", "remove", "de-1", "--force"]).await.ok();
    eventually(LIMIT, async || !conf.exists()).await;
    eventually(LIMIT, async || town.count("SELECT COUNT(*) FROM server_homes").await == 0).await;
    sound(town).await;
}

//! Copies on several machines: a WireGuard server is driven only where it lives.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;

use crate::story::press;
use crate::support::cli::Shell;
use crate::support::process::Process;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// A shell on a machine of this name; what is written to a relative path stays on it.
fn machine(town: &Town, name: &str) -> Shell {
    let mut shell = Shell::new(town.variables.clone());
    shell.set("MACHINE_ID", name);
    shell
}

/// A copy on this machine.
fn serve(shell: &Shell, bind: &str) -> Process {
    let mut command = shell.command(&["serve"]);
    command.env("BIND_ADDR", bind).stderr(Stdio::null());
    Process::start(command)
}

async fn add_wireguard(shell: &Shell, conf: &str) {
    let words = ["server", "add", "wireguard", "de-1", "--driver", "config-file", "--interface", "usitest0"];
    let more = ["--endpoint", "203.0.113.1", "--conf", conf];
    shell.run(&words.into_iter().chain(more).collect::<Vec<_>>()).await.ok();
}

fn conf_of(shell: &Shell) -> PathBuf {
    shell.folder.join("wg.conf")
}

/// Jobs of this kind that wait for the copies on some machine, and were not counted as tried.
async fn handed_over(town: &Town, kind: &str) -> i64 {
    let waiting = "SELECT COUNT(*) FROM lanes JOIN jobs USING (lane) WHERE queue = 2 AND class >= 128
                   AND owner IS NULL AND status = 'pending' AND jobs.attempts = 0 AND kind = ?";
    sqlx::query_scalar(waiting).bind(kind).fetch_one(&town.db.pool).await.unwrap()
}

#[tokio::test]
async fn a_copy_elsewhere_makes_no_second_interface_and_hands_the_work_over() {
    let town = Town::found().await;
    let (home, other) = (machine(&town, "home"), machine(&town, "other"));
    home.run(&["migrate"]).await.ok();
    add_wireguard(&home, "wg.conf").await;
    assert!(conf_of(&home).exists());

    // The wrong copy alone takes Telegram's updates; what has to be done at home waits.
    let at_the_door = serve(&other, &town.address.to_string());
    town.until_connected().await;
    let ana = town.person(77, "Ana", "es");
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    press(&ana, "trial-take:wireguard").await;
    eventually(LIMIT, async || handed_over(&town, "apply_config").await == 1).await;
    assert!(!conf_of(&other).exists(), "no second interface");

    let at_home = serve(&home, "127.0.0.1:0");
    let document = |chat: &usipipo::demo::telegram::ChatView| {
        chat.messages.iter().any(|message| message.document.is_some()).then_some(())
    };
    ana.wait_for(BOT, "a config", document).await.unwrap();
    let peers = async || std::fs::read_to_string(conf_of(&home)).unwrap().matches("[Peer]").count() == 1;
    eventually(LIMIT, peers).await;
    assert!(!conf_of(&other).exists(), "no second interface");

    // One that is removed from elsewhere is dismantled at home, and nobody drives it any more.
    let removed = other.run(&["server", "remove", "de-1", "--force"]).await.ok();
    assert!(removed.contains("home"), "{removed}");
    eventually(LIMIT, async || !conf_of(&home).exists()).await;
    eventually(LIMIT, async || town.count("SELECT COUNT(*) FROM server_homes").await == 0).await;
    drop((at_the_door, at_home));
    assert!(!conf_of(&home).exists() && !conf_of(&other).exists());
}

#[tokio::test]
async fn a_machine_that_is_gone_is_told_of_and_another_takes_its_place() {
    let mut town = Town::found().await;
    town.variables.push(("MACHINE_ID", "other".to_owned()));
    let (home, other) = (machine(&town, "home"), machine(&town, "other"));
    home.run(&["migrate"]).await.ok();
    add_wireguard(&home, conf_of(&home).to_str().unwrap()).await;
    let running = town.open().await;
    eventually(LIMIT, async || handed_over(&town, "check_server").await >= 1).await;
    town.clock.advance(TimeDelta::minutes(6));
    let health = async |is: &str| {
        let found: String =
            sqlx::query_scalar("SELECT health FROM servers").fetch_one(&town.db.pool).await.unwrap();
        if found == is { Ok(()) } else { Err(found) }
    };
    eventually(LIMIT, async || health("down").await).await;
    let told = "SELECT COUNT(*) FROM outbound_messages WHERE body LIKE '%server_down%machine home%'";
    assert_eq!(town.count(told).await, 1);
    let refused = other.run(&["server", "test", "de-1"]).await.failed(2);
    assert!(refused.contains("lives on the machine home") && refused.contains("--here"), "{refused}");
    let report = other.run(&["doctor"]).await.out;
    assert!(report.contains("✗ server de-1        lives on home: down"), "{report}");

    other.run(&["server", "update", "de-1", "--here"]).await.ok();
    eventually(LIMIT, async || health("up").await).await;
    let listed = other.run(&["server", "list"]).await.ok();
    assert!(listed.contains("other") && !listed.contains("home"), "{listed}");
    let refused = home.run(&["server", "test", "de-1"]).await.failed(2);
    assert!(refused.contains("lives on the machine other"), "{refused}");
    running.stop().await;
}

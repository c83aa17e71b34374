//! `usipipo serve` as a process: it starts on an empty database, and ends when it is asked to.

use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use usipipo::demo::telegram::{Fault, FaultRule};

use crate::support::cli::Shell;
use crate::support::db::TestDb;
use crate::support::process::Process;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

fn serve(shell: &Shell) -> Process {
    let mut command = shell.command(&["serve"]);
    command.stderr(Stdio::null());
    Process::start(command)
}

#[tokio::test]
async fn sigterm_ends_it_with_0_and_leaves_no_lease() {
    let town = Town::found().await;
    let shell = Shell::new(town.variables.clone());
    for signal in ["TERM", "INT"] {
        let mut server = serve(&shell);
        town.until_connected().await;
        town.person(77, "Ana", "es").send_text(BOT, "/start").unwrap();
        assert!(town.telegram.delivered().await);
        server.signal(signal);
        assert_eq!(server.ended().await.code(), Some(0), "{}", server.out());
        assert_eq!(town.count("SELECT COUNT(*) FROM lanes WHERE owner IS NOT NULL").await, 0);
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let town = Town::with(&[("SHUTDOWN_GRACE_SECONDS", "600")]).await;
    let mut server = serve(&Shell::new(town.variables.clone()));
    town.until_connected().await;
    // An answer that Telegram keeps waiting for: so long does the first signal wait too.
    town.telegram.fault(FaultRule::new(Fault::Silent).methods(&["sendMessage"]));
    town.person(77, "Ana", "es").send_text(BOT, "/start").unwrap();
    eventually(LIMIT, async || !town.telegram.calls_of("sendMessage").is_empty()).await;
    server.signal("TERM");
    // It was heard: nobody is let in any more.
    eventually(LIMIT, async || TcpStream::connect(town.address).is_err()).await;
    assert!(server.runs(), "{}", server.out());
    server.signal("INT");
    assert_eq!(server.ended().await.code(), Some(1), "it did not wait for its work: {}", server.out());
}

#[tokio::test]
async fn two_copies_start_at_once_on_an_empty_database() {
    let (mut town, empty) = (Town::found().await, TestDb::empty().await);
    town.variables.retain(|(name, _)| *name != "DATABASE_URL");
    town.variables.push(("DATABASE_URL", empty.url().to_owned()));
    town.db = empty;
    let one = Shell::new(town.variables.clone());
    let mut other = Shell::new(town.variables.clone());
    other.set("BIND_ADDR", "127.0.0.1:0");
    let (mut first, mut second) = (serve(&one), serve(&other));
    town.until_connected().await;
    let ana = town.person(77, "Ana", "es");
    ana.send_text(BOT, "/start").unwrap();
    ana.wait_for(BOT, "an answer", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    for server in [&mut first, &mut second] {
        server.signal("TERM");
        assert_eq!(server.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_one_clear_line() {
    let town = Town::found().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut shell = Shell::new(town.variables.clone());
    shell.set("BIND_ADDR", taken.local_addr().unwrap().to_string());
    let told = shell.run(&["serve"]).await.failed(1);
    assert!(told.contains("cannot listen") && told.lines().count() == 1, "{told}");
}

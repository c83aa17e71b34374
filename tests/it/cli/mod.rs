//! The command line, run as a process: what it prints, where, and how it ends.

mod catalogue;
mod demo;
mod machines;
mod migrate;
mod queues;
mod rotation;
mod serve;
mod servers;
mod webhook;

use crate::support::cli::Shell;
use crate::support::db::TestDb;

/// Every command, as it is typed.
const COMMANDS: &[&str] = &[
    "",
    "serve",
    "migrate",
    "demo",
    "doctor",
    "webhook",
    "webhook set",
    "webhook delete",
    "webhook info",
    "server",
    "server add",
    "server add wireguard",
    "server add outline",
    "server list",
    "server test",
    "server update",
    "server remove",
    "plan",
    "plan list",
    "plan add",
    "plan disable",
    "user",
    "user show",
    "user grant",
    "user revoke",
    "events",
    "events list",
    "events show",
    "events replay",
    "jobs",
    "jobs list",
    "jobs retry",
    "keys",
    "keys new",
    "keys rotate",
];

#[tokio::test]
async fn every_command_explains_itself() {
    let shell = Shell::new(vec![("COLUMNS", "100".to_owned())]);
    let mut all = String::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = shell.run(&words).await.ok();
        assert!(help.contains("Example"), "`usipipo {command} --help` shows no example");
        all.push_str(&format!("$ usipipo {}\n\n{help}\n", words.join(" ")));
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn wrong_arguments_are_input_errors() {
    let shell = Shell::new(Vec::new());
    for wrong in [
        &["nonsense"][..],
        &["serve", "--fast"],
        &["events", "show", "no-id"],
        &["user", "grant", "1", "user"],
    ] {
        assert!(shell.run(wrong).await.failed(2).contains("error:"));
    }
}

#[tokio::test]
async fn everything_wrong_with_the_configuration_is_told_at_once_and_no_secret() {
    let mut shell = Shell::over("postgres://u:hidden@localhost/usipipo");
    shell.set("ENCRYPTION_KEYS", "k1:hidden");
    shell.set("TRIAL_DAYS", "many");
    shell.set("CLIENT_BOT_TOKEN", "");
    for command in [&["serve"][..], &["plan", "list"], &["webhook", "info"], &["keys", "rotate"]] {
        let told = shell.run(command).await.failed(2);
        for name in ["DATABASE_URL", "ENCRYPTION_KEYS", "TRIAL_DAYS", "CLIENT_BOT_TOKEN"] {
            assert!(told.contains(name), "{command:?} does not tell of {name}: {told}");
        }
        assert!(!told.contains("hidden"), "{told}");
    }
}

#[tokio::test]
async fn a_file_in_the_working_directory_adds_to_the_environment() {
    let db = TestDb::new().await;
    let mut shell = Shell::over(db.url());
    shell.variables.retain(|(name, _)| *name != "PUBLIC_URL");
    assert!(shell.run(&["plan", "list"]).await.failed(2).contains("PUBLIC_URL"));
    std::fs::write(shell.folder.join(".env"), "# mine\nPUBLIC_URL=https://vpn.example.com\nDATABASE_URL=x\n")
        .unwrap();
    shell.run(&["plan", "list"]).await.ok();
    std::fs::write(shell.folder.join(".env"), "PUBLIC_URL=https://vpn.example.com\nhidden secret\n").unwrap();
    let told = shell.run(&["plan", "list"]).await.failed(2);
    assert!(told.contains(".env, line 2") && !told.contains("hidden"), "{told}");
}

#[tokio::test]
async fn a_database_that_is_not_there_or_not_ready_is_named() {
    let shell = Shell::over("mysql://u:hidden@127.0.0.1:1/usipipo");
    for command in [&["plan", "list"][..], &["migrate"]] {
        let told = shell.run(command).await.failed(1);
        assert!(told.contains("DATABASE_URL") && !told.contains("hidden"), "{told}");
    }
    let empty = TestDb::empty().await;
    let told = Shell::over(empty.url()).run(&["plan", "list"]).await.failed(1);
    assert!(told.contains("usipipo migrate"), "{told}");
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_failure() {
    let shell = Shell::new(Vec::new());
    let mut child = shell.command(&["keys", "new"]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

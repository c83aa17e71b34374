//! `usipipo doctor`: what it finds in a house that is well, and in one that is not.

use usipipo::demo::telegram::{Fault, FaultRule};

use crate::support::cli::{Ended, Shell};
use crate::support::db::TestDb;
use crate::support::town::Town;

async fn doctor(shell: &Shell) -> Ended {
    let ended = shell.run(&["doctor"]).await;
    for (name, secret) in &shell.variables {
        let is_secret = ["TOKEN", "SECRET", "KEYS"].iter().any(|part| name.contains(part));
        assert!(
            !is_secret || secret.is_empty() || !ended.out.contains(secret.as_str()),
            "{name} is shown: {}",
            ended.out
        );
    }
    ended
}

/// The lines of a report that begin with `mark`, each with what to do.
fn marked(report: &str, mark: char) -> Vec<&str> {
    report.lines().filter(|line| line.starts_with(mark)).collect()
}

#[tokio::test]
async fn a_house_that_is_well_has_nothing_to_mend() {
    let town = Town::found().await;
    let running = town.open().await;
    let _outline = town.add_outline().await;
    let mut shell = Shell::new(town.variables.clone());
    assert!(doctor(&shell).await.out.contains("→ set SUPPORT_CONTACT"));
    shell.set("SUPPORT_CONTACT", "@usipipo_help");
    let report = doctor(&shell).await.ok();
    // The tests' database is quick and forgets when the power is cut; that is all there is to say.
    assert!(marked(&report, '!').iter().all(|line| line.contains("durability")), "{report}");
    let subjects = [
        "configuration",
        "database",
        "schema",
        "clock",
        "client bot",
        "qvapay",
        "stars",
        "outline-1",
        "inbox",
    ];
    for subject in subjects {
        assert!(marked(&report, '✓').iter().any(|line| line.contains(subject)), "no {subject}: {report}");
    }
    running.stop().await;
}

#[tokio::test]
async fn every_problem_of_the_configuration_is_told_and_the_database_looked_at_all_the_same() {
    let db = TestDb::new().await;
    let mut shell = Shell::over(db.url());
    shell.set("CLIENT_BOT_TOKEN", "");
    shell.set("TRIAL_DAYS", "many");
    let ended = doctor(&shell).await;
    assert_eq!(ended.code, 1);
    let bad = marked(&ended.out, '✗');
    assert!(
        bad.len() == 2 && bad[0].contains("CLIENT_BOT_TOKEN") && bad[1].contains("TRIAL_DAYS"),
        "{}",
        ended.out
    );
    assert!(marked(&ended.out, '✓').iter().any(|line| line.contains("schema")), "{}", ended.out);
}

#[tokio::test]
async fn what_is_down_is_named_with_what_to_do() {
    let town = Town::found().await;
    let mut shell = Shell::new(town.variables.clone());
    shell.set("DATABASE_URL", "mysql://u:p4ssw0rd@127.0.0.1:1/usipipo");
    shell.set("QVAPAY_API_URL", "http://127.0.0.1:1");
    let ended = doctor(&shell).await;
    assert_eq!(ended.code, 1);
    let bad = marked(&ended.out, '✗');
    assert!(bad.iter().any(|line| line.contains("database")), "{}", ended.out);
    assert!(bad.iter().any(|line| line.contains("qvapay")), "{}", ended.out);
    assert!(
        bad.iter().any(|line| line.contains("client webhook") && line.contains("none is set")),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains("p4ssw0rd"), "{}", ended.out);
    assert_eq!(ended.out.matches("→").count(), bad.len() + marked(&ended.out, '!').len(), "{}", ended.out);
}

#[tokio::test]
async fn a_house_without_tables_servers_or_a_good_token_is_told_so() {
    let mut town = Town::found().await;
    town.db = TestDb::empty().await;
    let mut shell = Shell::new(town.variables.clone());
    shell.set("DATABASE_URL", town.db.url());
    shell.set("CLIENT_BOT_TOKEN", format!("1002:{}", "x".repeat(35)));
    let report = doctor(&shell).await.out;
    assert!(report.contains("→ usipipo migrate"), "{report}");
    assert!(report.contains("@BotFather"), "{report}");
    shell.run(&["migrate"]).await.ok();
    let report = doctor(&shell).await.out;
    assert!(report.contains("→ usipipo server add --help"), "{report}");
}

#[tokio::test]
async fn a_webhook_that_fails_says_why() {
    let town = Town::found().await;
    let shell = Shell::new(town.variables.clone());
    shell.run(&["webhook", "set"]).await.ok();
    // Nobody listens there.
    town.person(77, "Ana", "es").send_text(crate::support::town::BOT, "/start").unwrap();
    crate::support::wait::eventually(std::time::Duration::from_secs(30), async || {
        !town.telegram.deliveries().is_empty()
    })
    .await;
    let report = doctor(&shell).await.out;
    let line = marked(&report, '✗').into_iter().find(|line| line.contains("client webhook"));
    assert!(line.is_some_and(|line| line.contains("1 waiting")), "{report}");
    assert!(report.contains("firewall"), "{report}");
}

#[tokio::test]
async fn a_silent_telegram_keeps_nothing_else_from_being_looked_at() {
    let town = Town::found().await;
    town.telegram.fault(FaultRule::new(Fault::Silent));
    let shell = Shell::new(town.variables.clone());
    let ended = doctor(&shell).await;
    assert_eq!(ended.code, 1);
    let bad = marked(&ended.out, '✗');
    assert!(
        bad.iter().any(|line| line.contains("client bot") && line.contains("no answer")),
        "{}",
        ended.out
    );
    assert!(marked(&ended.out, '✓').iter().any(|line| line.contains("qvapay")), "{}", ended.out);
}

#[tokio::test]
async fn a_key_that_is_gone_and_work_that_was_given_up_are_found() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let mut shell = Shell::new(town.variables.clone());
    let old = format!("k1:{}=", "A".repeat(43));
    let new = format!("k2:{}=", "E".repeat(43));
    shell.set("ENCRYPTION_KEYS", new.clone());
    let report = doctor(&shell).await.out;
    assert!(report.contains("no encryption key has the id \"k1\""), "{report}");
    shell.set("ENCRYPTION_KEYS", format!("{new},{old}"));
    let report = doctor(&shell).await.out;
    assert!(report.contains("→ it is not the first one any more: usipipo keys rotate"), "{report}");
    sqlx::query("UPDATE jobs SET status = 'dead'").execute(&town.db.pool).await.unwrap();
    let report = doctor(&shell).await.out;
    assert!(report.contains("1 dead") && report.contains("→ usipipo jobs list"), "{report}");
}

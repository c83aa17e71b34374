//! `usipipo webhook` against the counterpart of Telegram.

use crate::support::cli::Shell;
use crate::support::town::{BOT, Town};

#[tokio::test]
async fn a_webhook_is_set_shown_and_deleted() {
    let town = Town::found().await;
    let shell = Shell::new(town.variables.clone());
    assert!(shell.run(&["webhook", "info"]).await.ok().contains("none is set"));
    let set = shell.run(&["webhook", "set"]).await.ok();
    let (url, secret) = town.telegram.webhook_of(BOT).unwrap();
    assert_eq!(set, format!("client: {url}\n"));
    assert!(url.ends_with("/telegram/client") && secret.as_deref() == Some("0123456789abcdef"));
    assert!(shell.run(&["webhook", "info", "client"]).await.ok().contains(&url));
    shell.run(&["webhook", "delete", "client"]).await.ok();
    assert!(town.telegram.webhook_of(BOT).is_none());
    assert!(shell.run(&["webhook", "set", "admin"]).await.failed(2).contains("the admin bot has no token"));
}

#[tokio::test]
async fn a_token_that_telegram_does_not_know_is_named_and_not_shown() {
    let town = Town::found().await;
    let mut shell = Shell::new(town.variables.clone());
    shell.set("CLIENT_BOT_TOKEN", format!("1002:{}", "hidden".repeat(6)));
    let told = shell.run(&["webhook", "set"]).await.failed(1);
    assert!(told.contains("client bot") && told.contains("token") && !told.contains("hidden"), "{told}");
}

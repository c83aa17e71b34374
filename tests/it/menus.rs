//! Menus of commands in single chats: they follow roles and languages while the server runs.

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use usipipo::demo::telegram::{Call, PersonHandle};
use usipipo::ids::UserId;
use usipipo::models::role::Role;
use usipipo::services::access;
use usipipo::work::Origin;

use crate::story::press;
use crate::support::cli::Shell;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

/// What Telegram shows somebody of one command.
fn shown(person: &PersonHandle, command: &str) -> Option<String> {
    person.commands(BOT).unwrap().into_iter().find(|(name, _)| name == command).map(|(_, words)| words)
}

/// Until a command is shown in a menu in these words, or is not there.
async fn until_shown(person: &PersonHandle, command: &str, words: Option<&str>) {
    eventually(LIMIT, async || match shown(person, command) {
        found if found.as_deref() == words => Ok(()),
        found => Err(format!("/{command} is {found:?}")),
    })
    .await;
}

/// How often the menu of this chat was set or taken away.
fn changes(town: &Town, chat: i64) -> usize {
    let calls =
        ["setMyCommands", "deleteMyCommands"].into_iter().flat_map(|method| town.telegram.calls_of(method));
    let of_chat = |call: &Call| call.fields.get("scope").is_some_and(|scope| scope["chat_id"] == chat);
    calls.filter(|call| call.succeeded() && of_chat(call)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_of_the_environment_gets_the_menu_with_the_first_start() {
    let town = Town::with(&[("SUPERADMIN_TELEGRAM_IDS", "1401")]).await;
    let running = town.open().await;
    town.quiet().await;
    let rosa = town.person(1401, "Rosa", "es");
    assert_eq!(shown(&rosa, "whois"), None, "Telegram has no menu for a chat that is not there");
    rosa.send_text(BOT, "/start").unwrap();
    until_shown(&rosa, "whois", Some("Ver a una persona")).await;
    rosa.send_text(BOT, "/start").unwrap();
    town.quiet().await;
    running.stop().await;
    let running = town.open().await;
    town.quiet().await;
    assert_eq!(changes(&town, 1401), 1, "once, however often she comes and the server starts");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_follows_roles_and_language() {
    let town = Town::with(&[("SUPERADMIN_TELEGRAM_IDS", "1411")]).await;
    let running = town.open().await;
    let (boss, ana) = (town.person(1411, "Boss", "en"), town.person(1412, "Ana", "en"));
    for person in [&boss, &ana] {
        person.send_text(BOT, "/start").unwrap();
    }
    town.quiet().await;
    assert_eq!(
        (shown(&ana, "refund"), changes(&town, 1412)),
        (None, 0),
        "the ordinary menu is no menu of hers"
    );

    boss.send_text(BOT, "/grantrole 1412 finance").unwrap();
    until_shown(&ana, "refund", Some("Refund a payment")).await;
    assert_eq!(shown(&ana, "ban"), None, "what the role allows, and no more");
    let shell = Shell::new(town.variables.clone());
    shell.run(&["user", "grant", "1412", "admin"]).await.ok();
    until_shown(&ana, "ban", Some("Ban somebody")).await;

    ana.send_text(BOT, "/language").unwrap();
    press(&ana, "lang:ru").await;
    until_shown(&ana, "refund", Some("Вернуть оплату")).await;

    shell.run(&["user", "revoke", "1412", "admin"]).await.ok();
    until_shown(&ana, "ban", None).await;
    boss.send_text(BOT, "/revokerole 1412 finance").unwrap();
    until_shown(&ana, "refund", None).await;
    until_shown(&ana, "plans", Some("Тарифы и цены")).await;
    town.quiet().await;
    assert_eq!(changes(&town, 1412), 5);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_ends_takes_its_menu_with_it() {
    let town = Town::found().await;
    let running = town.open().await;
    let ana = town.person(1421, "Ana", "en");
    ana.send_text(BOT, "/start").unwrap();
    town.quiet().await;
    let works = town.works();
    let end = town.clock.now() + TimeDelta::hours(5);
    let grant = works.run("grant", Origin::SYSTEM, |work| {
        access::grant_role(work, UserId(1421), Role::Support, Some(end)).scope_boxed()
    });
    grant.await.unwrap();
    until_shown(&ana, "users", Some("List of people")).await;
    town.pass(TimeDelta::hours(4)).await;
    assert!(shown(&ana, "users").is_some());
    town.pass(TimeDelta::hours(2)).await;
    until_shown(&ana, "users", None).await;
    town.pass(TimeDelta::hours(1)).await;
    let audited = "SELECT COUNT(*) FROM audit_logs WHERE action = 'role_ended' AND target = 'user:1421' AND user_id IS NULL";
    assert_eq!(town.count(audited).await, 1);
    assert_eq!(changes(&town, 1421), 2, "it came and went");
    let end = town.clock.now() + TimeDelta::hours(1);
    let grant = works.run("grant", Origin::SYSTEM, |work| {
        access::grant_role(work, UserId(1421), Role::Support, Some(end)).scope_boxed()
    });
    grant.await.unwrap();
    until_shown(&ana, "users", Some("List of people")).await;
    town.pass(TimeDelta::hours(2)).await;
    until_shown(&ana, "users", None).await;
    assert_eq!(town.count(audited).await, 2, "a second grant has an end of its own");
    running.stop().await;
}

//! The bots at Telegram: what a start sets, what the next one leaves alone, and a Telegram that is not there.

use std::sync::Arc;
use std::time::Duration;

use teloxide_core::types::{ChatId, Recipient};
use tokio_util::sync::{CancellationToken, DropGuard};
use usipipo::crud;
use usipipo::demo::telegram::{Fault, FaultRule, PersonSpec};
use usipipo::handlers::bots::setup;
use usipipo::integrations::telegram::api::{BotCommand, CommandScope};
use usipipo::integrations::telegram::update::HANDLED;
use usipipo::models::bot::{Bot, Language};
use usipipo::models::server::NewServer;
use usipipo::models::vpn::Protocol;
use usipipo::work::Works;

use crate::support::chats::{BOT, Chats, SUPPORT_BOT, clients};
use crate::support::wait::eventually;
use crate::support::works::{ADMIN, SUPERADMIN, config};

const LIMIT: Duration = Duration::from_secs(20);
const SECRET: &str = "0123456789abcdef";

/// A world in which both admins have opened the chat.
async fn with_admins() -> Chats {
    let chats = Chats::new().await;
    for (id, name, language) in [(SUPERADMIN, "Rosa", "es"), (ADMIN, "Igor", "ru")] {
        chats.person(id.0, name, language).await;
    }
    chats
}

/// A start that goes to its end.
async fn start(chats: &Chats, works: &Works) {
    let done = setup::run(works.clone(), clients(works), chats.usernames.clone(), CancellationToken::new());
    tokio::time::timeout(LIMIT, done).await.unwrap();
    let _sending = chats.start_sending_as(works);
    let waiting = "SELECT COUNT(*) FROM outbound_messages WHERE status = 'pending'";
    eventually(LIMIT, async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&chats.db.pool).await.unwrap() == 0
    })
    .await;
}

/// A start that goes on in the background until the result is dropped.
fn start_in_background(chats: &Chats) -> DropGuard {
    let stop = CancellationToken::new();
    let works: Works = (**chats).clone();
    tokio::spawn(setup::run(works, chats.clients(), chats.usernames.clone(), stop.clone()));
    stop.drop_guard()
}

/// The same database with other variables.
fn with_variables(chats: &Chats, variables: &[(&str, &str)]) -> Works {
    let url = chats.telegram.url();
    let support = format!("1002:{}", "s".repeat(35));
    let mut all = vec![
        ("TELEGRAM_API_URL", url.as_str()),
        ("PUBLIC_URL", "http://127.0.0.1:9"),
        ("SUPPORT_BOT_TOKEN", &support),
    ];
    all.retain(|(name, _)| variables.iter().all(|(other, _)| other != name));
    all.extend(variables);
    Works { config: Arc::new(config(chats.db.url(), &all)), ..(**chats).clone() }
}

/// What was set so far, method by method.
fn set_calls(chats: &Chats) -> Vec<String> {
    let calls = chats.telegram.calls().into_iter().filter(|call| call.method.starts_with("set"));
    calls.map(|call| call.method).collect()
}

#[tokio::test]
async fn a_start_sets_everything() {
    let chats = with_admins().await;
    let ana = chats.telegram.person(PersonSpec::new(42, "Ana", "en"));
    start(&chats, &chats).await;

    let webhook = |name: &str| format!("http://127.0.0.1:9/telegram/{name}");
    assert_eq!(chats.telegram.webhook_of(BOT), Some((webhook("client"), Some(SECRET.to_owned()))));
    assert_eq!(chats.telegram.webhook_of(SUPPORT_BOT), Some((webhook("support"), Some(SECRET.to_owned()))));
    let info = chats.clients()[&Bot::Client].get_webhook_info().await.unwrap();
    assert_eq!(info.allowed_updates, HANDLED);
    assert_eq!(info.max_connections, Some(40));

    let ours = ana.commands(BOT).unwrap();
    assert_eq!(ours[0], ("start".to_owned(), "Main menu".to_owned()));
    assert!(ours.iter().all(|(command, _)| command != "whois"));
    ana.set_language(Some("de"));
    assert_eq!(ana.commands(BOT).unwrap()[0].1, "Menú principal", "the default language");
    let people = chats.telegram.people();
    let of = |id: i64| people.iter().find(|person| person.id == id).unwrap().commands(BOT).unwrap();
    let whois = |id| of(id).into_iter().find(|(command, _)| command == "whois").unwrap().1;
    assert!(whois(ADMIN.0).starts_with("Найти"), "{}", whois(ADMIN.0));
    assert!(whois(SUPERADMIN.0).starts_with("Ver"), "{}", whois(SUPERADMIN.0));
    assert!(ana.commands(SUPPORT_BOT).unwrap().is_empty());

    let texts = chats.telegram.calls_of("setMyDescription");
    assert!(texts.iter().any(|call| call.bot == BOT && call.text("language_code") == "ru"));
    assert!(texts.iter().any(|call| call.bot == SUPPORT_BOT && call.text("language_code").is_empty()));
    assert!(chats.telegram.calls_of("setMyName").is_empty(), "what the bots are called is their owner's");
    assert!(chats.telegram.calls().iter().all(|call| call.succeeded()));
    assert_eq!(chats.usernames.of(Bot::Client), Some(BOT));
    assert_eq!(chats.usernames.of(Bot::Support), Some(SUPPORT_BOT));
    assert_eq!(chats.usernames.of(Bot::Admin), None);
}

/// The client bot's description in English, as it was set last.
fn description(chats: &Chats) -> String {
    let calls = chats.telegram.calls_of("setMyDescription");
    let mut english = calls.iter().filter(|call| call.bot == BOT && call.text("language_code") == "en");
    english.next_back().unwrap().text("description").to_owned()
}

#[tokio::test]
async fn a_name_is_given_where_the_operator_has_one() {
    let chats = with_admins().await;
    start(&chats, &with_variables(&chats, &[("BOT_NAME", "Faro VPN")])).await;
    let names = chats.telegram.calls_of("setMyName");
    let [name] = &names[..] else { panic!("{names:?}") };
    assert_eq!((name.bot.as_str(), name.text("name")), (BOT, "Faro VPN"));
    assert_eq!(name.text("language_code"), "", "the same in every language");
}

#[tokio::test]
async fn a_description_promises_what_there_is() {
    let chats = with_admins().await;
    start(&chats, &chats).await;
    let bare = description(&chats);
    assert!(bare.contains("free") && bare.contains("Telegram Stars"), "{bare}");
    assert!(!bare.contains("WireGuard") && !bare.contains("QvaPay"), "{bare}");

    let new = NewServer {
        name: "hav-1".into(),
        protocol: Protocol::Wireguard,
        location: "Havana".into(),
        settings: "{}".into(),
        capacity: 10,
    };
    let sealed = chats.config.keyring.seal("server:hav-1", b"{}");
    let mut conn = chats.db.pool.acquire().await.unwrap();
    crud::server::insert(&mut conn, &new, &sealed, chats.clock.now()).await.unwrap();
    let others = [("TRIAL_DAYS", "0"), ("QVAPAY_APP_ID", "app"), ("QVAPAY_APP_SECRET", "secret")];
    start(&chats, &with_variables(&chats, &others)).await;
    let full = description(&chats);
    assert!(full.contains("WireGuard") && full.contains("QvaPay") && !full.contains("Outline"), "{full}");
    assert!(!full.contains("free"), "{full}");
}

#[tokio::test]
async fn the_next_start_changes_nothing() {
    let chats = with_admins().await;
    start(&chats, &chats).await;
    let before = set_calls(&chats).len();
    start(&chats, &chats).await;
    assert_eq!(set_calls(&chats)[before..], [] as [String; 0]);
}

#[tokio::test]
async fn only_what_differs_is_set_again() {
    let chats = with_admins().await;
    start(&chats, &chats).await;

    let before = set_calls(&chats).len();
    let rotated = with_variables(&chats, &[("TELEGRAM_WEBHOOK_SECRET", "fedcba9876543210,0123456789abcdef")]);
    start(&chats, &rotated).await;
    assert_eq!(set_calls(&chats)[before..], ["setWebhook", "setWebhook"]);
    assert_eq!(chats.telegram.webhook_of(BOT).unwrap().1.unwrap(), "fedcba9876543210");

    let before = set_calls(&chats).len();
    clients(&rotated)[&Bot::Client].delete_webhook().await.unwrap();
    start(&chats, &rotated).await;
    assert_eq!(set_calls(&chats)[before..], ["setWebhook"], "somebody else took it away");
}

#[tokio::test]
async fn another_bot_is_set_up_from_the_beginning() {
    let chats = with_admins().await;
    start(&chats, &chats).await;
    let token = format!("1009:{}", "n".repeat(35));
    chats.telegram.add_bot(&token, "other_bot", "Other");
    for person in chats.telegram.people() {
        person.open("other_bot").unwrap();
    }
    start(&chats, &with_variables(&chats, &[("CLIENT_BOT_TOKEN", &token)])).await;
    assert!(chats.telegram.webhook_of("other_bot").is_some());
    assert!(chats.telegram.calls_of("setMyDescription").iter().any(|call| call.bot == "other_bot"));
}

#[tokio::test]
async fn a_former_admin_gets_the_ordinary_menu_back() {
    let chats = with_admins().await;
    start(&chats, &chats).await;
    let before = set_calls(&chats).len();
    start(&chats, &with_variables(&chats, &[("ADMIN_TELEGRAM_IDS", "")])).await;
    let people = chats.telegram.people();
    let igor = people.iter().find(|person| person.id == ADMIN.0).unwrap();
    assert!(igor.commands(BOT).unwrap().iter().all(|(command, _)| command != "whois"));
    assert_eq!(set_calls(&chats)[before..], [] as [String; 0]);
    let [taken] = &chats.telegram.calls_of("deleteMyCommands")[..] else { panic!("one") };
    assert!(taken.succeeded());
}

#[tokio::test]
async fn what_an_earlier_version_set_for_a_chat_does_not_stay_before_its_menu() {
    let chats = with_admins().await;
    let client = &chats.clients()[&Bot::Client];
    let scope = || CommandScope::Chat { chat_id: Recipient::Id(ChatId(ADMIN.0)) };
    let mut conn = chats.db.pool.acquire().await.unwrap();
    for (language, topic) in [(None, "any"), (Some(Language::Ru), "ru")] {
        client.set_my_commands(&[BotCommand::new("old", "Old")], scope(), language).await.unwrap();
        let topic = format!("commands:chat:{ADMIN}:{topic}");
        crud::bot_setup::put(&mut conn, Bot::Client, &topic, "f", chats.clock.now()).await.unwrap();
    }
    start(&chats, &chats).await;
    let people = chats.telegram.people();
    let igor = people.iter().find(|person| person.id == ADMIN.0).unwrap();
    assert!(igor.commands(BOT).unwrap().iter().any(|(command, _)| command == "whois"));
    let topics = "SELECT topic FROM bot_setups WHERE topic LIKE 'commands:chat:2:%'";
    let topics: Vec<String> = sqlx::query_scalar(topics).fetch_all(&chats.db.pool).await.unwrap();
    assert_eq!(topics, ["commands:chat:2:any"]);
}

#[tokio::test]
async fn a_telegram_that_is_down_is_waited_for() {
    let chats = with_admins().await;
    let down = chats.telegram.fault(FaultRule::new(Fault::Refuse));
    let _running = start_in_background(&chats);
    eventually(LIMIT, async || chats.telegram.calls_of("getMe").len() >= 3).await;
    assert_eq!(chats.telegram.webhook_of(BOT), None);
    chats.telegram.mend(down);
    eventually(LIMIT, async || chats.telegram.webhook_of(BOT)).await;
    eventually(LIMIT, async || chats.usernames.of(Bot::Support).is_some()).await;
}

#[tokio::test]
async fn one_thing_refused_holds_up_nothing_else() {
    let chats = with_admins().await;
    chats.telegram.fault(FaultRule::new(Fault::ServerError).methods(&["setMyCommands"]).times(1));
    start(&chats, &chats).await;
    let menus = chats.telegram.calls_of("setMyCommands");
    assert_eq!(menus.iter().filter(|call| !call.succeeded()).count(), 1);
    // One menu for everybody in three languages and for the others, one for each admin; one of them twice.
    assert_eq!(menus.len(), 4 + 2 + 1);
    assert_eq!(chats.telegram.calls_of("setWebhook").len(), 2);
}

#[tokio::test]
async fn the_command_line_sets_shows_and_deletes_the_webhook() {
    let chats = with_admins().await;
    let client = &chats.clients()[&Bot::Client];
    setup::webhook_set(&chats, client).await.unwrap();
    let info = client.get_webhook_info().await.unwrap();
    assert_eq!(info.url, "http://127.0.0.1:9/telegram/client");
    setup::webhook_delete(&chats, client).await.unwrap();
    assert_eq!(client.get_webhook_info().await.unwrap().url, "");
    start(&chats, &chats).await;
    assert!(chats.telegram.webhook_of(BOT).is_some());
}

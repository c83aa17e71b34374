//! The server in the year 2099: every instant it stores is later than 2038-01-19, where TIMESTAMP columns and sqlx's
//! `DateTime<Utc>` end without an error.

use chrono::TimeDelta;
use serde_json::json;
use usipipo::clock::Timestamp;
use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuardSecret, WireGuardSettings};

use crate::story::{buy_with_stars, press};
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

const Y2099: i64 = 4_070_908_800;

/// Columns that may hold NULL and must not here.
const FILLED: &[&str] = &[
    "inbound_events.done_at",
    "jobs.done_at",
    "outbound_messages.done_at",
    "payments.checked_at",
    "payments.completed_at",
    "payments.refunded_at",
    "servers.health_at",
    "user_roles.expires_at",
    "vpn_configs.delivered_at",
];

/// Tables in which an instant still to come stands, or one that ends something.
const WITH_EXPIRY: &[&str] = &[
    "addresses",
    "dialogs",
    "lanes",
    "payments",
    "reminders",
    "schedule_ticks",
    "send_pace",
    "subscriptions",
    "trials",
    "user_roles",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_instant_of_a_whole_life_in_2099_is_stored_as_it_is() {
    let town = Town::found().await;
    town.clock.advance(Timestamp::from_unix(Y2099 + 86_400 * 150).since(town.clock.now()));
    let folder = std::env::temp_dir().join(format!("calendar-{}", uuid::Uuid::now_v7()));
    live(&town, &folder).await;
    let columns: Vec<(String, String, String, Option<u64>)> = sqlx::query_as(
        "SELECT table_name, column_name, data_type, CAST(datetime_precision AS UNSIGNED) \
         FROM information_schema.columns WHERE table_schema = DATABASE() \
         AND data_type IN ('datetime', 'timestamp', 'date', 'time', 'year') AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&town.db.pool)
    .await
    .unwrap();
    assert!(columns.len() > 40, "{columns:?}");
    for (table, column, kind, precision) in &columns {
        let name = format!("{table}.{column}");
        assert_eq!((kind.as_str(), *precision), ("datetime", Some(6)), "{name}");
        // Migrations seed plans by the database's own clock; a free lane's pace is in the year 2000.
        let old = format!(
            "SELECT COUNT(*) FROM {table} WHERE {column} < '2099-01-01' AND {column} > '2000-01-01 00:00:00'"
        );
        if table != "plans" {
            assert_eq!(town.count(&old).await, 0, "{name}");
        }
        if FILLED.contains(&name.as_str()) {
            let filled = format!("SELECT COUNT({column}) FROM {table}");
            assert!(town.count(&filled).await > 0, "{name} is NULL everywhere");
        }
    }
    for table in WITH_EXPIRY {
        assert!(town.count(&format!("SELECT COUNT(*) FROM {table}")).await > 0, "{table} is empty");
    }
    let ends = "SELECT COUNT(*) FROM subscriptions WHERE ends_at > TIMESTAMPADD(DAY, 6, starts_at)";
    assert_eq!(town.count(ends).await, 1, "the trial's end is where it was put");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Everything that stores an instant, once.
async fn live(town: &Town, folder: &std::path::Path) {
    let secret = WireGuardSecret::generate();
    let settings = WireGuardSettings {
        driver: DriverKind::ConfigFile,
        config_path: Some(folder.join("wg0.conf")),
        nat: false,
        ..WireGuardSettings::new("vpn.example.net", secret.public_key().unwrap())
    };
    town.add_tunnels(&settings, &secret).await;
    let running = town.open().await;
    let (ana, boss) = (town.person(1301, "Ana", "en"), town.person(1, "Boss", "en"));
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    press(&ana, "trial-take:wireguard").await;
    ana.wait_for(BOT, "the file", |chat| chat.messages.iter().find_map(|m| m.document.clone()))
        .await
        .unwrap();
    let plan = town.popular_plan().await;
    buy_with_stars(&ana, plan).await;
    let completed = "SELECT COUNT(*) FROM payments WHERE status = 'completed'";
    eventually(LIMIT, async || town.count(completed).await == 1).await;
    town.settled().await;
    // An order that is looked at, a role with an end, a refund, and a question that stays open.
    ana.send_text(BOT, "/plans").unwrap();
    press(&ana, &format!("plan:{plan}")).await;
    press(&ana, &format!("buy:{plan}:qvapay")).await;
    eventually(LIMIT, async || town.qvapay.invoices().len() == 1).await;
    boss.send_text(BOT, "/grantrole 1301 support 30").unwrap();
    boss.send_text(BOT, "/refund 1").unwrap();
    press(&boss, "refund-yes:1").await;
    let refunded = "SELECT COUNT(*) FROM payments WHERE status = 'refunded'";
    eventually(LIMIT, async || town.count(refunded).await == 1).await;
    town.pass(TimeDelta::minutes(6)).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM payments WHERE checked_at IS NOT NULL").await, 1);
    // Money of no order, and the trial's last days.
    let stray = json!({ "message_id": 99, "date": 0, "chat": { "id": 1301, "type": "private" },
        "from": { "id": 1301, "is_bot": false, "first_name": "Ana" },
        "successful_payment": { "currency": "XTR", "total_amount": 1, "invoice_payload": "?",
            "telegram_payment_charge_id": "stray", "provider_payment_charge_id": "" } });
    town.telegram.inject(BOT, "chat:1301", "message", &stray).unwrap();
    town.pass(TimeDelta::days(4)).await;
    ana.send_text(BOT, "/vpn").unwrap();
    town.settled().await;
    for button in ["cfg:1", "cfg-name:1"] {
        press(&ana, button).await;
        town.settled().await;
    }
    running.stop().await;
}

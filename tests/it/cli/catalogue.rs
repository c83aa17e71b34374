//! Plans, people and keys.

use sqlx::Row;
use usipipo::crypto::Keyring;
use usipipo::models::vpn::Protocol;

use crate::client_bot::{self as bot, ANA};
use crate::support::cli::Shell;
use crate::support::works::TestWorks;

#[tokio::test]
async fn a_plan_is_added_listed_and_taken_off_sale() {
    let test = TestWorks::new().await;
    let shell = Shell::over(test.db.url());
    let add = |code: &'static str| {
        let words = [
            "plan",
            "add",
            code,
            "--days",
            "30",
            "--devices",
            "2",
            "--price",
            "XTR=99",
            "--price",
            "USD=1.50",
        ];
        words.into_iter().chain(["--name", "es=Prueba", "--about", "es=Para probar."]).collect::<Vec<_>>()
    };
    assert_eq!(shell.run(&add("test")).await.ok(), "test is on sale\n");
    let list = shell.run(&["plan", "list"]).await.ok();
    let line = list.lines().find(|line| line.starts_with("test ")).unwrap();
    for cell in ["Prueba", "30", "unlimited", "99 ⭐", "1.50 USD"] {
        assert!(line.contains(cell), "{line}");
    }
    assert!(shell.run(&add("test")).await.failed(2).contains("already"));
    assert_eq!(shell.run(&["plan", "disable", "test"]).await.ok(), "test is off sale\n");
    assert!(!shell.run(&["plan", "list"]).await.ok().contains("Prueba"));
    assert!(shell.run(&["plan", "list", "--all"]).await.ok().contains("off sale"));
    for unknown in ["nope", "ñope"] {
        assert!(shell.run(&["plan", "disable", unknown]).await.failed(2).contains(unknown));
    }
    assert_eq!(test.audited("plan_added").await[0].user_id, None, "SYSTEM did it");
}

#[tokio::test]
async fn a_plan_that_makes_no_sense_is_refused() {
    let shell = Shell::new(Vec::new());
    let add = async |price: &str, about: &str| {
        let words = ["plan", "add", "x", "--days", "1", "--devices", "1", "--price", price, "--name", "es=X"];
        shell.run(&words.into_iter().chain(["--about", about]).collect::<Vec<_>>()).await.failed(2)
    };
    assert!(add("USD", "es=x").await.contains("USD=4.99"));
    assert!(add("USD=-1", "es=x").await.contains("-1"));
    assert!(add("XTR=1.5", "es=x").await.contains("decimals"));
    assert!(add("XTR=1", "fr=x").await.contains("es, en or ru"));
    assert!(add("XTR=1", "en=x").await.contains("--about es="));
}

#[tokio::test]
async fn roles_come_and_go() {
    let test = TestWorks::new().await;
    let ana = test.person(77).await;
    let shell = Shell::over(test.db.url());
    let granted = shell.run(&["user", "grant", "@person_77", "support", "--days", "30"]).await.ok();
    assert!(granted.starts_with("Ana (77) is support until 2"), "{granted}");
    let shown = shell.run(&["user", "show", "77"]).await.ok();
    assert!(shown.contains("user, support") && shown.contains("granted by SYSTEM"), "{shown}");
    assert!(shown.contains("No subscriptions.") && shown.contains("No configs."), "{shown}");
    assert_eq!(
        shell.run(&["user", "revoke", "77", "support"]).await.ok(),
        "Ana (77) is no support any more\n"
    );
    assert!(shell.run(&["user", "revoke", "77", "support"]).await.failed(2).contains("does not have"));
    assert!(shell.run(&["user", "grant", "78", "admin"]).await.failed(2).contains("78"));
    assert!(
        shell
            .run(&["user", "grant", "77", "admin", "--until", "2020-01-01"])
            .await
            .failed(2)
            .contains("over")
    );
    assert_eq!(test.notices_to(ana.id).await.len(), 2, "the person is told");
}

#[tokio::test]
async fn a_person_is_shown_with_all_there_is() {
    let house = bot::House::with_servers().await;
    house.trial(ANA, Protocol::Outline).await;
    house.bought(ANA, 2, 250).await;
    house.presses(ANA, "buy:1:qvapay").await;
    house.sql("UPDATE subscriptions SET used = 5 * 1048576 WHERE product = 'trial'").await;
    house
        .sql("UPDATE vpn_configs SET total_rx = 3 * 1048576, last_handshake_at = '2026-11-20 10:00:00'")
        .await;
    let shell = Shell::over(house.works.db.url());
    let shown = shell.run(&["user", "show", "@ana"]).await.ok();
    let has = |cells: &[&str]| {
        let line = shown.lines().find(|line| cells.iter().all(|cell| line.contains(cell)));
        assert!(line.is_some(), "no line with {cells:?} in {shown}");
    };
    has(&["USER", "6123456789"]);
    has(&["trial", "active", "5 MiB"]);
    has(&["plan:2", "active"]);
    has(&["Outline 1", "outline", "active", "3 MiB", "2026-11-20"]);
    has(&["Outline 2", "active"]);
    let orders = house.text("SELECT GROUP_CONCAT(order_ref ORDER BY id) FROM payments").await;
    let (paid, open) = orders.split_once(',').unwrap();
    has(&[paid, "250 ⭐", "stars", "completed"]);
    has(&[open, "1.49 USD", "qvapay", "pending"]);
    assert!(!shown.contains("No "), "{shown}");
    assert!(!shown.contains("ss://") && !shown.contains("password"), "{shown}");
}

#[tokio::test]
async fn a_name_cannot_play_with_the_terminal() {
    let test = TestWorks::new().await;
    test.person(77).await;
    sqlx::query("UPDATE users SET first_name = ? WHERE id = 77")
        .bind("\u{1b}[2JAna")
        .execute(&test.db.pool)
        .await
        .unwrap();
    let shown = Shell::over(test.db.url()).run(&["user", "show", "77"]).await.ok();
    assert!(shown.contains("[2JAna") && !shown.contains('\u{1b}'), "{shown:?}");
}

#[tokio::test]
async fn a_new_key_is_one() {
    let shell = Shell::new(Vec::new());
    let entry = shell.run(&["keys", "new", "--id", "k2"]).await.ok();
    assert_eq!(Keyring::parse(entry.trim()).unwrap().current_key_id(), "k2");
    assert_ne!(entry, shell.run(&["keys", "new", "--id", "k2"]).await.ok());
    shell.run(&["keys", "new"]).await.ok();
    shell.run(&["keys", "new", "--id", "a b"]).await.failed(2);
}

#[tokio::test]
async fn stored_secrets_move_to_the_first_key() {
    let test = TestWorks::new().await;
    seed_secrets(&test).await;
    let mut shell = Shell::over(test.db.url());
    let old = format!("k1:{}=", "A".repeat(43));
    let new = shell.run(&["keys", "new", "--id", "k2"]).await.ok();
    shell.set("ENCRYPTION_KEYS", new.trim());
    assert!(shell.run(&["keys", "rotate"]).await.failed(1).contains("251 secrets do not open"));
    shell.set("ENCRYPTION_KEYS", format!("{},{old}", new.trim()));
    let said = shell.run(&["keys", "rotate"]).await.ok();
    assert!(said.contains("configs: 250 encrypted anew") && said.contains("VPN servers: 1"), "{said}");
    let said = shell.run(&["keys", "rotate"]).await.ok();
    assert!(said.contains("configs: nothing to do"), "{said}");
    // The new key alone opens them now.
    let keyring = Keyring::parse(new.trim()).unwrap();
    let rows = sqlx::query("SELECT id, secret, secret_key_id FROM vpn_configs")
        .fetch_all(&test.db.pool)
        .await
        .unwrap();
    for row in rows {
        let (id, secret, key): (i64, Vec<u8>, String) = (row.get(0), row.get(1), row.get(2));
        let opened = keyring.open(&format!("vpn_config:{id}"), &key, &secret).unwrap();
        assert_eq!(*opened, format!("\"secret {id}\"").into_bytes());
    }
    assert_eq!(test.audited("secrets_resealed").await.len(), 4);
}

/// One server, and configs in more than one batch.
async fn seed_secrets(test: &TestWorks) {
    test.person(77).await;
    let keyring = &test.config.keyring;
    let sealed = keyring.seal("server:de-1", b"{}");
    let insert = "INSERT INTO servers (id, name, protocol, location, settings, secret, secret_key_id, capacity, created_at)
                  VALUES (1, 'de-1 #1', 'outline', '', '{}', ?, ?, 1, NOW(6))";
    sqlx::query(insert).bind(sealed.bytes).bind(sealed.key_id).execute(&test.db.pool).await.unwrap();
    let insert = "INSERT INTO subscriptions
                  (id, user_id, product, status, starts_at, ends_at, device_limit, created_at, updated_at)
                  VALUES (1, 77, 'trial', 'active', NOW(6), NOW(6), 1, NOW(6), NOW(6))";
    sqlx::query(insert).execute(&test.db.pool).await.unwrap();
    for id in 1..=250_i64 {
        let secret = keyring.seal(&format!("vpn_config:{id}"), format!("\"secret {id}\"").as_bytes());
        let insert = "INSERT INTO vpn_configs (id, user_id, subscription_id, protocol, name, status, secret,
                      secret_key_id, created_at, updated_at)
                      VALUES (?, 77, 1, 'outline', 'x', 'active', ?, ?, NOW(6), NOW(6))";
        let insert = sqlx::query(insert).bind(id).bind(secret.bytes).bind(secret.key_id);
        insert.execute(&test.db.pool).await.unwrap();
    }
}

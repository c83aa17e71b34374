//! Bodies: whose they are, how long, and whether they can be read at all.

use std::fs;

use futures::stream;
use serde_json::{Value, json};

use super::Scene;
use crate::client_bot::{ANA, message};
use crate::support::cli::Shell;
use crate::support::door::SECRET_HEADER;
use crate::support::town::{BOT, LIMIT, SECRET};
use crate::support::wait::eventually;

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn without_the_secret_nothing_is_written() {
    let other = "fedcba9876543210";
    let scene = Scene::with(&[("TELEGRAM_WEBHOOK_SECRET", &format!("{SECRET},{other}"))]).await;
    let update = message(ANA, json!({ "text": "/start" })).to_string();
    let longer = format!("{SECRET}{other}");
    let list = format!("{SECRET},{other}");
    let upper = SECRET.to_uppercase();
    let wrong: &[&[(&str, &str)]] = &[
        &[],
        &[(SECRET_HEADER, "")],
        &[(SECRET_HEADER, &SECRET[..15])],
        &[(SECRET_HEADER, &longer)],
        &[(SECRET_HEADER, &list)],
        &[(SECRET_HEADER, &upper)],
        &[(SECRET_HEADER, "0123456789abcdee")],
        &[(SECRET_HEADER, "ñññññññññ")],
        // The first one counts.
        &[(SECRET_HEADER, "0123456789abcdee"), (SECRET_HEADER, SECRET)],
        &[("authorization", SECRET), ("x-telegram-bot-api-secret", SECRET)],
    ];
    for headers in wrong {
        for body in [update.clone(), String::new(), "x".repeat(MIB)] {
            let Some(answer) = scene.door.try_post("/telegram/client", headers, body).await else { continue };
            assert_eq!(answer.status, 401, "{headers:?}: {answer:?}");
            assert!(!answer.body.contains(SECRET), "{answer:?}");
        }
    }
    for path in ["/telegram/support", "/telegram/admin", "/telegram/nobody", "/telegram/", "/telegram"] {
        // The answer does not wait for the body, so it may be lost with it.
        let knock = async || scene.door.try_post(path, &[(SECRET_HEADER, SECRET)], update.clone()).await;
        let answer = eventually(LIMIT, knock).await;
        assert_eq!(answer.status, 404, "{path}: no such bot here");
    }
    assert_eq!(scene.stored().await, 0);
    assert_eq!(scene.town.count("SELECT COUNT(*) FROM users").await, 0);
    for (number, secret) in [(1, SECRET), (2, other)] {
        let mut update = message(ANA, json!({ "text": "/start" }));
        update["update_id"] = number.into();
        let answer =
            scene.door.post("/telegram/client", &[(SECRET_HEADER, secret)], update.to_string()).await;
        assert_eq!(answer.status, 200, "each secret of the list is good");
    }
    assert_eq!(scene.stored().await, 2);
    scene.close().await;
}

/// A body in parts, so that its length is not announced.
fn in_parts(body: String) -> reqwest::Body {
    let parts: Vec<Result<Vec<u8>, std::io::Error>> =
        body.into_bytes().chunks(60_000).map(|part| Ok(part.to_vec())).collect();
    reqwest::Body::wrap_stream(stream::iter(parts))
}

/// An update of just so many bytes.
fn update_of(number: i64, bytes: usize) -> String {
    let mut update = message(ANA, json!({ "text": "/start", "new_field": "" }));
    update["update_id"] = number.into();
    let missing = bytes - update.to_string().len();
    update["message"]["new_field"] = "x".repeat(missing).into();
    update.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_long_is_refused_and_one_that_just_fits_is_handled() {
    let scene = Scene::open().await;
    scene.town.person(ANA.id, ANA.name, "en").open(BOT).unwrap();
    for body in [reqwest::Body::from(update_of(1, MIB + 1)), in_parts(update_of(1, MIB + 1))] {
        let answer = scene.door.try_post("/telegram/client", &[(SECRET_HEADER, SECRET)], body).await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 413), "{answer:?}");
        scene.town.quiet().await;
        assert_eq!(scene.stored().await, 0);
    }
    for (number, body) in [(1, reqwest::Body::from(update_of(1, MIB))), (2, in_parts(update_of(2, MIB)))] {
        assert_eq!(scene.door.raw(body).await.status, 200);
        assert_eq!(scene.stored().await, number);
    }
    scene.town.quiet().await;
    assert_eq!(scene.dead().await, 0);
    assert_eq!(scene.town.telegram.calls_of("sendMessage").len(), 2, "both were answered");
    let kept = "SELECT CAST(OCTET_LENGTH(body) AS SIGNED) FROM inbound_events ORDER BY id";
    assert_eq!(scene.town.numbers(kept).await, [MIB as i64; 2]);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_is_too_long_is_refused() {
    let scene = Scene::open().await;
    let ana = scene.town.person(ANA.id, ANA.name, "en");
    ana.open(BOT).unwrap();
    ana.press_data(BOT, 1, "buy:2:qvapay").unwrap();
    assert!(scene.town.telegram.delivered().await);
    scene.town.quiet().await;
    let stored = scene.stored().await;
    let token = scene.town.column("SELECT callback_token FROM payments").await.concat();
    for path in [format!("/payments/qvapay/{token}"), "/payments/qvapay/nobodys".to_owned()] {
        let long = || format!("{{\"uuid\":\"{}\"}}", "x".repeat(64 << 10));
        for body in [reqwest::Body::from(long()), in_parts(long())] {
            let answer = scene.door.try_post(&path, &[("x-qvapay-signature", "sha256=00")], body).await;
            assert!(answer.as_ref().is_none_or(|answer| answer.status == 413), "{path}: {answer:?}");
        }
    }
    assert_eq!(scene.stored().await, stored);
    scene.close().await;
}

/// Bodies with the right secret that cannot be understood.
fn unreadable() -> Vec<(&'static str, Vec<u8>)> {
    let update = message(ANA, json!({ "text": "/start" })).to_string();
    let update = format!("{{\"update_id\":77,{}", &update[1..]);
    let with = |content: String| format!("{{\"update_id\":78,\"message\":{content}}}").into_bytes();
    let chat = r#""message_id":1,"date":1,"chat":{"id":5,"type":"private"}"#;
    vec![
        ("empty", Vec::new()),
        ("blank", b" \n\t ".to_vec()),
        ("text", b"hello".to_vec()),
        ("null", b"null".to_vec()),
        ("array", b"[]".to_vec()),
        ("no id", b"{}".to_vec()),
        ("truncated", update.as_bytes()[..update.len() - 1].to_vec()),
        ("truncated in a text", update.as_bytes()[..update.find("/start").unwrap() + 3].to_vec()),
        ("more behind it", format!("{update}x").into_bytes()),
        ("two documents", format!("{update}{update}").into_bytes()),
        ("id twice", format!("{{\"update_id\":1,{}", &update[1..]).into_bytes()),
        ("id below zero", update.replace("77", "-77").into_bytes()),
        ("id with a point", update.replace("77", "77.0").into_bytes()),
        ("id as text", update.replace("77", "\"77\"").into_bytes()),
        ("id of a giant", update.replace("77", "99999999999999999999").into_bytes()),
        ("message twice", format!("{},\"message\":{{}}}}", &update[..update.len() - 1]).into_bytes()),
        ("text twice", with(format!("{{{chat},\"text\":\"a\",\"text\":\"b\"}}"))),
        ("two kinds", update.replacen("\"message\"", "\"callback_query\":{},\"message\"", 1).into_bytes()),
        ("deep", b"[".repeat(100_000)),
        ("deep objects", br#"{"a":"#.repeat(100_000)),
        ("deep where a text should be", with(format!("{{{chat},\"text\":{}", "[".repeat(100_000)))),
        (
            "deep and closed",
            with(format!("{{{chat},\"text\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))),
        ),
        ("not UTF-8", [&b"\xff\xfe\x00{\x80\x81"[..], update.as_bytes()].concat()),
        ("UTF-16", update.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("zeros", vec![0; 10_000]),
        ("half an emoji", with(format!("{{{chat},\"text\":\"\\ud83d\"}}"))),
        ("form", b"update_id=77&message=hello".to_vec()),
        ("a wrong type", with(format!("{{{chat},\"text\":42}}"))),
        ("a chat without id", with(r#"{"message_id":1,"date":1,"chat":{}}"#.to_owned())),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_kept_dead_shown_and_replayed() {
    let scene = Scene::open().await;
    let bodies = unreadable();
    for (number, (name, body)) in (1..).zip(&bodies) {
        let answer = scene.door.raw(body.clone()).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_eq!(scene.stored().await, number, "{name}");
    }
    scene.town.quiet().await;
    assert_eq!(scene.dead().await, scene.stored().await);
    let newest = "SELECT HEX(body) FROM inbound_events ORDER BY id";
    let kept = scene.town.column(newest).await;
    for ((name, body), kept) in bodies.iter().zip(kept) {
        assert!(hex::encode_upper(body) == kept, "{name} is kept byte for byte");
    }
    // What they hide has not kept a good update with the same number away.
    let mut good = message(ANA, json!({ "text": "/start" }));
    good["update_id"] = 77.into();
    scene.town.person(ANA.id, ANA.name, "en").open(BOT).unwrap();
    assert_eq!(scene.door.update(&good).await.status, 200);
    scene.town.quiet().await;
    let greeted = scene.town.telegram.calls_of("sendMessage");
    let greeted = greeted.iter().filter(|call| format!("{call:?}").contains(&ANA.id.to_string()));
    assert_eq!(greeted.count(), 1, "the others are what the admins are told");

    let shell = Shell::new(scene.town.variables.clone());
    let listed = shell.run(&["events", "list", "--limit", "100"]).await.ok();
    let ids = scene
        .town
        .column(
            "SELECT LOWER(INSERT(INSERT(INSERT(INSERT(HEX(id),9,0,'-'),14,0,'-'),19,0,'-'),24,0,'-')) \
                 FROM inbound_events WHERE status = 'dead' ORDER BY id",
        )
        .await;
    for ((name, body), id) in bodies.iter().zip(&ids) {
        assert!(listed.contains(id), "{name} is not listed: {listed}");
        let shown = shell.run(&["events", "show", id]).await.ok();
        let text = String::from_utf8_lossy(body);
        let start: String = text.chars().take_while(|c| !c.is_control()).take(60).collect();
        assert!(shown.contains(start.trim()), "{name}: {shown:.2000}");
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{name}: {shown:.2000}");
    }
    let all: Vec<&str> = ["events", "replay"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    shell.run(&all).await.ok();
    scene.town.quiet().await;
    assert_eq!(scene.dead().await, bodies.len() as i64, "they are no better now");
    let reasons =
        scene.town.column("SELECT COALESCE(error, '') FROM inbound_events WHERE status = 'dead'").await;
    assert!(reasons.iter().all(|reason| !reason.is_empty() && reason.len() < 2000), "{reasons:?}");
    let alerts = scene.town.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'event_dead'").await;
    assert_eq!(alerts, 2 * bodies.len() as i64, "of each when it came, and when it was tried again");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_kinds_are_taken_and_lead_to_nothing() {
    let scene = Scene::open().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let unknown = [
        r#"{"update_id":1}"#.to_owned(),
        r#"{"update_id":2,"quantum_order":{"chat":{"id":5},"price":"∞"}}"#.to_owned(),
        r#"{"update_id":3,"message":null,"holo_call":null}"#.to_owned(),
        r#"{"update_id":4,"inline_query":{"id":"1","from":{"id":5,"is_bot":false,"first_name":"x"},"query":"","offset":""}}"#
            .to_owned(),
        r#"{"update_id":5,"chat_member":[]}"#.to_owned(),
        r#"{"update_id":6,"poll":7,"message_reaction":"no","":{}}"#.to_owned(),
        format!(r#"{{"update_id":7,"{}":1}}"#, "k".repeat(100_000)),
        format!(r#"{{"update_id":8,"abyss":{deep}}}"#),
    ];
    for body in &unknown {
        assert_eq!(scene.door.raw(body.clone()).await.status, 200, "{body:.100}");
    }
    scene.town.quiet().await;
    let done = scene.town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'done'").await;
    assert_eq!(done, unknown.len() as i64);
    assert_eq!(scene.town.count("SELECT COUNT(*) FROM outbound_messages").await, 0);
    assert_eq!(scene.town.count("SELECT COUNT(*) FROM users").await, 0);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_body_is_taken_and_none_stays() {
    // Each of the three bots gets all of them, and one person may do much.
    let tokens = [format!("1002:{}", "s".repeat(35)), format!("1003:{}", "a".repeat(35))];
    let scene = Scene::with(&[
        ("SUPPORT_BOT_TOKEN", &tokens[0]),
        ("ADMIN_BOT_TOKEN", &tokens[1]),
        ("USER_ACTIONS_PER_MINUTE", "6000"),
    ])
    .await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/telegram");
    let mut bodies: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "MANIFEST.tsv")
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    bodies.sort();
    let mut unreadable = 0;
    for (bot, token) in ["usipipo_support_bot", "usipipo_admin_bot"].iter().zip(&tokens) {
        scene.town.telegram.add_bot(token, bot, "uSipipo");
    }
    for (name, body) in &bodies {
        unreadable += i64::from(usipipo::integrations::telegram::update::parse(body).is_err());
        for bot in ["client", "support", "admin"] {
            let answer =
                scene.door.post(&format!("/telegram/{bot}"), &[(SECRET_HEADER, SECRET)], body.clone()).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
        }
    }
    scene.town.quiet().await;
    assert!(bodies.len() > 250);
    let given_up = scene
        .town
        .column(
            "SELECT CONCAT(CAST(body AS CHAR CHARACTER SET utf8mb4), ' ', error) FROM inbound_events \
                 WHERE status = 'dead' AND dedupe_key NOT LIKE 'body:%'",
        )
        .await;
    // Money that nobody can be credited with is for a human; everything else that can be read is handled.
    assert!(given_up.iter().all(|event| event.contains("_payment")), "{given_up:#?}");
    let unread = scene
        .town
        .count("SELECT COUNT(*) FROM inbound_events WHERE status = 'dead' AND dedupe_key LIKE 'body:%'")
        .await;
    assert_eq!(unread, unreadable * 3);
    let panics = scene.door.get("/metrics").await.body;
    let counted: Vec<&str> =
        panics.lines().filter(|line| line.starts_with("usipipo_panics_total{")).collect();
    assert!(counted.iter().all(|line| line.ends_with(" 0")), "{counted:?}");
    scene.close().await;
}

#[test]
fn the_bodies_are_as_bad_as_they_claim() {
    for (name, body) in unreadable() {
        assert!(serde_json::from_slice::<Value>(&body).is_err() || body.len() < 1000, "{name}");
        assert!(usipipo::integrations::telegram::update::parse(&body).is_err(), "{name} can be read");
    }
}

//! `GET /metrics` of a whole running server: the numbers are those of the rows, and each is in docs/operating.md.

use std::collections::{BTreeMap, BTreeSet};

use scoped_futures::ScopedFutureExt;
use serde_json::json;
use usipipo::demo::qvapay::Payment;
use usipipo::demo::telegram::PersonHandle;
use usipipo::ids::{ChatId, UserId};
use usipipo::models::bot::Bot;
use usipipo::models::outgoing::{Body, Class, Outgoing};
use usipipo::telemetry::metrics::CONTENT_TYPE;
use usipipo::work::Origin;

use crate::client_bot::{ANA as VISITOR, message};
use crate::outage::database::town as town_behind;
use crate::story::{buy_with_stars, press, take_trial};
use crate::support::door::{Door, SECRET_HEADER};
use crate::support::line::State;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

/// Looking again and again is no flood.
const OFTEN: (&str, &str) = ("REQUESTS_PER_SECOND_PER_IP", "1000");

/// What one answer of `/metrics` says.
struct Numbers(BTreeMap<String, f64>);

impl Numbers {
    async fn of(door: &Door) -> Self {
        let answer = door.get("/metrics").await;
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &CONTENT_TYPE.parse().unwrap()));
        assert!(answer.body.ends_with("# EOF\n"));
        let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
        Self(samples.map(|line| line.rsplit_once(' ').unwrap()).map(parsed).collect())
    }

    /// A number by its name without `usipipo_`, and its labels.
    fn get(&self, series: &str) -> i64 {
        let found = self.0.get(&format!("usipipo_{series}"));
        *found.unwrap_or_else(|| panic!("{series} is not among {:#?}", self.0.keys())) as i64
    }

    /// Each metric with the names of its labels, as the documentation writes it.
    fn described(&self) -> BTreeSet<String> {
        let mut described = BTreeSet::new();
        for series in self.0.keys() {
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let name =
                ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
            let names = labels.split("\",").filter_map(|label| label.split('=').next());
            let names: Vec<&str> = names.filter(|name| !name.is_empty() && *name != "le").collect();
            let labels = if names.is_empty() { String::new() } else { format!("{{{}}}", names.join(",")) };
            // Of a histogram only the buckets have every label.
            described.insert(format!("{name}{labels}"));
        }
        described
    }
}

fn parsed((series, value): (&str, &str)) -> (String, f64) {
    (series.to_owned(), value.parse().unwrap())
}

/// Ana tries, buys with Stars, and with QvaPay twice: the second time another amount comes.
async fn sell(town: &Town, ana: &PersonHandle) {
    take_trial(ana).await;
    let plan = town.popular_plan().await;
    buy_with_stars(ana, plan).await;
    town.settled().await;
    for (order, amount) in [(1, None), (2, Some("0.01".to_owned()))] {
        ana.send_text(BOT, "/plans").unwrap();
        press(ana, &format!("plan:{plan}")).await;
        press(ana, &format!("buy:{plan}:qvapay")).await;
        eventually(LIMIT, async || town.qvapay.invoices().len() == order).await;
        let invoices = town.qvapay.invoices();
        let open = "SELECT invoice_id FROM payments WHERE provider = 'qvapay' AND status = 'pending' \
                    AND invoice_id IS NOT NULL";
        let open = eventually(LIMIT, async || town.column(open).await.pop()).await;
        let invoice = invoices.iter().find(|it| it.uuid.to_string() == open).unwrap();
        town.qvapay.pay(invoice.uuid, Payment { amount, ..Payment::default() });
        let ended =
            "SELECT COUNT(*) FROM payments WHERE provider = 'qvapay' AND status IN ('completed', 'review')";
        eventually(LIMIT, async || town.count(ended).await == order as i64).await;
        town.settled().await;
    }
}

/// What strangers and Telegram bring to the door that is not plain business.
async fn knock(town: &Town, door: &Door) {
    town.person(VISITOR.id, VISITOR.name, VISITOR.language).open(BOT).unwrap();
    let mut update = message(VISITOR, json!({ "text": "/start" }));
    update["update_id"] = 900_000_001.into();
    for _ in 0..3 {
        assert_eq!(door.update(&update).await.status, 200);
    }
    for _ in 0..2 {
        assert_eq!(door.raw("{\"update_id\":").await.status, 200);
    }
    assert_eq!(door.post("/telegram/client", &[(SECRET_HEADER, "wrong")], "{}").await.status, 401);
    assert_eq!(door.post(&format!("/payments/qvapay/{}", "t".repeat(32)), &[], "{}").await.status, 404);
    let token =
        town.column("SELECT callback_token FROM payments WHERE status = 'completed' AND provider = 'qvapay'");
    let address = format!("/payments/qvapay/{}", token.await.concat());
    assert_eq!(door.post(&address, &[("x-qvapay-signature", "sha256=00")], "{}").await.status, 401);
}

/// Bea blocks the bot, which has three more things to say to her.
async fn block(town: &Town) {
    let bea = town.person(602, "Bea", "en");
    bea.send_text(BOT, "/start").unwrap();
    bea.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    town.settled().await;
    bea.block(BOT).unwrap();
    town.settled().await;
    let works = town.works();
    let tell = works.run("tell", Origin::SYSTEM, |work| {
        async move {
            for html in ["one", "two", "three"] {
                let body = Body::Text { html: html.to_owned(), keyboard: None };
                work.send(Outgoing::new(Bot::Client, ChatId::from(UserId(602)), Class::Notice, body));
            }
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    tell.await.unwrap();
    town.settled().await;
}

/// Whether the numbers are those of the rows of this moment.
async fn compare(town: &Town, door: &Door) -> Result<Numbers, String> {
    let rows = "SELECT CONCAT('events_total{source=\"', source, '\",outcome=\"', status, '\"}=', COUNT(*)) \
                FROM inbound_events GROUP BY source, status \
                UNION ALL SELECT CONCAT('messages_total{bot=\"', bot, '\",outcome=\"', \
                IF(status = 'done', 'sent', status), '\"}=', COUNT(*)) FROM outbound_messages GROUP BY bot, status \
                UNION ALL SELECT CONCAT('jobs_total{kind=\"', kind, '\",outcome=\"', status, '\"}=', COUNT(*)) \
                FROM jobs GROUP BY kind, status \
                UNION ALL SELECT CONCAT('payments_total{provider=\"', provider, '\",outcome=\"', \
                IF(status = 'completed', 'credited', status), '\"}=', COUNT(*)) FROM payments GROUP BY provider, status \
                UNION ALL SELECT CONCAT('configs{protocol=\"', protocol, '\",status=\"', status, '\"}=', COUNT(*)) \
                FROM vpn_configs GROUP BY protocol, status \
                UNION ALL SELECT CONCAT('subscriptions_active{kind=\"', IF(plan_id IS NULL, 'trial', 'paid'), '\"}=', \
                COUNT(*)) FROM subscriptions GROUP BY plan_id IS NULL";
    let (before, numbers) = (town.column(rows).await, Numbers::of(door).await);
    if before != town.column(rows).await {
        return Err("the clock has queued something".to_owned());
    }
    for row in before {
        let (series, count) = row.rsplit_once('=').unwrap();
        if numbers.0.get(&format!("usipipo_{series}")) != Some(&count.parse().unwrap()) {
            return Err(row);
        }
    }
    Ok(numbers)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_story_every_number_is_what_happened() {
    let town = Town::with(&[("USER_ACTIONS_PER_MINUTE", "1000"), OFTEN]).await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let door = Door::of(&town);
    let ana = town.person(601, "Ana", "en");
    sell(&town, &ana).await;
    knock(&town, &door).await;
    block(&town).await;
    let up = r#"servers{protocol="outline",health="up"}"#;
    eventually(LIMIT, async || Numbers::of(&door).await.get(up) == 1).await;
    let numbers = eventually(LIMIT, async || compare(&town, &door).await).await;

    let client =
        |outcome: &str| format!(r#"deliveries_total{{source="telegram:client",outcome="{outcome}"}}"#);
    let delivered =
        ["stored", "duplicate", "unreadable", "unauthentic", "failed"].map(|it| numbers.get(&client(it)));
    let readable = "SELECT COUNT(*) FROM inbound_events WHERE source = 'telegram:client' AND status = 'done'";
    assert_eq!(delivered, [town.count(readable).await, 3, 1, 1, 0]);
    assert_eq!(numbers.get(r#"events_total{source="telegram:client",outcome="dead"}"#), 1);
    let to_bea = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 602 AND status = 'dropped'";
    assert_eq!(town.count(to_bea).await, 3);
    assert!(numbers.get(r#"messages_total{bot="client",outcome="dropped"}"#) >= 3);
    let paid = |provider: &str, it: &str| {
        numbers.get(&format!(r#"payments_total{{provider="{provider}",outcome="{it}"}}"#))
    };
    assert_eq!([paid("stars", "credited"), paid("qvapay", "credited"), paid("qvapay", "review")], [1; 3]);
    assert_eq!([paid("stars", "unmatched"), paid("qvapay", "unmatched"), paid("stars", "review")], [0; 3]);
    let called =
        |it: &str| numbers.get(&format!(r#"payment_callbacks_total{{provider="qvapay",outcome="{it}"}}"#));
    assert_eq!(["checked", "unknown", "unauthentic", "duplicate"].map(called), [2, 1, 1, 0]);
    for queue in ["inbox", "outbox", "jobs"] {
        assert_eq!(numbers.get(&format!(r#"queue_dead{{queue="{queue}"}}"#)), i64::from(queue == "inbox"));
    }
    for place in ["http", "event", "message", "job"] {
        assert_eq!(numbers.get(&format!(r#"panics_total{{place="{place}"}}"#)), 0);
    }
    assert_eq!(numbers.get("database_up"), 1);
    assert!(numbers.get("database_connections_max") >= numbers.get(r#"database_connections{state="used"}"#));
    let commits = numbers.get("delivery_commits_total");
    assert!((1..=town.count("SELECT COUNT(*) FROM inbound_events").await + 4).contains(&commits));
    documented(&numbers);
    impersonal(&numbers);
    running.stop().await;
}

/// docs/operating.md has each metric with its labels, and none that is not there.
fn documented(numbers: &Numbers) {
    let text = include_str!("../../docs/operating.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `usipipo_")?.split('`').next());
    let rows: BTreeSet<String> = rows.map(|row| format!("usipipo_{row}")).collect();
    assert_eq!(rows, numbers.described());
    let known = |name: &str| numbers.0.keys().any(|series| series.split('{').next() == Some(name));
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let is_metric = word.starts_with("usipipo_") && word != "usipipo_";
        assert!(!is_metric || known(word) || known(&format!("{word}_bucket")), "there is no {word}");
    }
}

/// No label carries a person, an id or a secret: all are words of ours.
fn impersonal(numbers: &Numbers) {
    for series in numbers.0.keys() {
        let labels = series.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
        for (name, value) in labels.split("\",").filter_map(|label| label.split_once("=\"")) {
            let value = value.trim_end_matches('"');
            let plain = value.chars().all(|c| c.is_ascii_lowercase() || "_:".contains(c));
            let route = name == "route"
                && (plain || value.chars().all(|c| c.is_ascii_lowercase() || "/{}".contains(c)));
            let number = ["status", "le"].contains(&name);
            assert!(plain || route || number, "{series}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_is_told_while_the_database_is_away() {
    let (town, line, running) = town_behind(&[OFTEN]).await;
    let door = Door::of(&town);
    assert_eq!(Numbers::of(&door).await.get("database_up"), 1);
    for away in [State::Held, State::Cut] {
        line.set(away);
        let failed = r#"deliveries_total{source="telegram:client",outcome="failed"}"#;
        let before = Numbers::of(&door).await.get(failed);
        if away == State::Cut {
            let mut update = message(VISITOR, json!({ "text": "/start" }));
            update["update_id"] = 1.into();
            assert_eq!(door.update(&update).await.status, 503);
            assert_eq!(Numbers::of(&door).await.get(failed), before + 1);
        }
        assert_eq!(Numbers::of(&door).await.get("database_up"), 0, "{away:?}");
        line.set(State::Open);
        eventually(LIMIT, async || Numbers::of(&door).await.get("database_up") == 1).await;
    }
    running.stop().await;
}

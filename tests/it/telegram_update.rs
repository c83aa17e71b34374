//! Reading Telegram's updates: every recorded body, and the big ones made here, on the stack of a server's worker.

use std::fs;

use serde_json::{Value, json};
use usipipo::integrations::telegram::update::{
    FileKind, Message, SubscriptionState, TopicEvent, Update, UpdateKind, envelope, parse,
};
use usipipo::models::bot::Bot;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/telegram");
const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectors/telegram.json");

/// Fixtures that hold something we handle in a shape that nobody documents, or no JSON at all; with the update id
/// that could be found all the same.
const UNREADABLE: &[(&str, Option<i64>)] = &[
    ("182", None),
    ("231", Some(418302337)),
    ("262", Some(418302368)),
    ("269", Some(418302375)),
    ("270", Some(418302376)),
    ("274", Some(418302380)),
    ("275", Some(418302380)),
    ("277", None),
    ("278", None),
    ("279", None),
    ("281", None),
    ("282", None),
    ("283", None),
    ("285", None),
    ("286", None),
    ("287", None),
    ("290", None),
    ("291", None),
    ("294", Some(418302381)),
    ("297", Some(418302384)),
    ("298", Some(418302385)),
    ("299", Some(418302386)),
    ("301", Some(418302388)),
    ("302", Some(418302389)),
    ("303", Some(418302390)),
    ("305", Some(418302392)),
    ("306", Some(418302393)),
    ("307", Some(418302394)),
    ("309", None),
    ("310", Some(418302396)),
    ("311", Some(418302397)),
    ("313", Some(418302399)),
    ("314", Some(418302400)),
    ("317", None),
    ("327", Some(418302412)),
    ("329", Some(418302380)),
    ("330", Some(418302380)),
    ("331", None),
    ("333", None),
    ("334", None),
    ("335", None),
    ("341", None),
    ("342", None),
    ("343", None),
];

/// Runs on 2 MiB of stack, what a tokio worker has.
fn on_worker_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap();
    thread.join().expect("reading an update never panics")
}

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(FIXTURES)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "MANIFEST.tsv")
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn fixture(number: &str) -> Vec<u8> {
    let (_, body) =
        fixtures().into_iter().find(|(name, _)| name.starts_with(number)).expect("the fixture is there");
    body
}

fn update(number: &str) -> Update {
    parse(&fixture(number)).unwrap()
}

fn message(number: &str) -> Message {
    match update(number).kind {
        UpdateKind::Message(message) | UpdateKind::EditedMessage(message) => message,
        other => panic!("{number} is {other:?}"),
    }
}

/// What serde_json's own tree says, for bodies that it can hold.
fn tree(body: &[u8]) -> Option<Value> {
    serde_json::from_str(&String::from_utf8_lossy(body)).ok()
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Asserts that nothing we handle differs from what the tree says.
fn assert_same(name: &str, update: &Update, tree: &Value) {
    assert_eq!(json!(update.update_id), tree["update_id"], "{name}");
    let check = |field: &str, ours: Value| {
        let pointer = format!("/{}", field.replace('.', "/"));
        assert_eq!(&ours, tree.pointer(&pointer).unwrap_or(&Value::Null), "{name}: {field}");
    };
    match &update.kind {
        UpdateKind::Message(message) => assert_same_message(name, message, &tree["message"]),
        UpdateKind::EditedMessage(message) => assert_same_message(name, message, &tree["edited_message"]),
        UpdateKind::Callback(query) => {
            check("callback_query.id", json!(query.id));
            check("callback_query.from.id", json!(query.from.id));
            check("callback_query.data", json!(query.data));
            check("callback_query.message.message_id", json!(query.message.as_ref().map(|it| it.message_id)));
            check("callback_query.message.chat.id", json!(query.message.as_ref().map(|it| it.chat.id)));
        }
        UpdateKind::PreCheckout(query) => {
            check("pre_checkout_query.id", json!(query.id));
            check("pre_checkout_query.from.id", json!(query.from.id));
            check("pre_checkout_query.currency", json!(query.currency));
            check("pre_checkout_query.total_amount", json!(query.total_amount));
            check("pre_checkout_query.invoice_payload", json!(query.invoice_payload));
        }
        UpdateKind::Subscription(change) => {
            check("subscription.user.id", json!(change.user.id));
            check("subscription.invoice_payload", json!(change.invoice_payload));
        }
        UpdateKind::MyChatMember(change) => {
            check("my_chat_member.chat.id", json!(change.chat.id));
            check("my_chat_member.from.id", json!(change.from.id));
            check("my_chat_member.new_chat_member.status", json!(change.new_status()));
        }
        UpdateKind::Other(kind) => {
            assert!(kind.is_empty() || tree.get(kind).is_some(), "{name}: {kind}");
            for handled in
                ["message", "edited_message", "callback_query", "pre_checkout_query", "subscription"]
            {
                assert!(tree.get(handled).is_none_or(Value::is_null), "{name} lost its {handled}");
            }
        }
    }
}

fn assert_same_message(name: &str, ours: &Message, tree: &Value) {
    assert_eq!(json!(ours.message_id), tree["message_id"], "{name}");
    assert_eq!(json!(ours.chat.id), tree["chat"]["id"], "{name}");
    assert_eq!(json!(ours.from.as_ref().map(|it| it.id)), tree["from"]["id"], "{name}");
    assert_eq!(json!(ours.from.as_ref().map(|it| &it.first_name)), tree["from"]["first_name"], "{name}");
    assert_eq!(json!(ours.date), tree["date"], "{name}");
    assert_eq!(json!(ours.thread_id), tree["message_thread_id"], "{name}");
    assert_eq!(ours.text, text_of(&tree["text"]), "{name}");
    assert_eq!(ours.caption, text_of(&tree["caption"]), "{name}");
    assert_eq!(json!(ours.reply_to()), tree["reply_to_message"]["message_id"], "{name}");
    assert_eq!(json!(ours.migrate_to_chat_id), tree["migrate_to_chat_id"], "{name}");
    for (field, payment) in
        [("successful_payment", &ours.successful_payment), ("refunded_payment", &ours.refunded_payment)]
    {
        let Some(payment) = payment else {
            assert!(tree[field].is_null(), "{name} lost its {field}");
            continue;
        };
        assert_eq!(json!(payment.currency), tree[field]["currency"], "{name}");
        assert_eq!(json!(payment.total_amount), tree[field]["total_amount"], "{name}");
        assert_eq!(json!(payment.invoice_payload), tree[field]["invoice_payload"], "{name}");
        let charge = &tree[field]["telegram_payment_charge_id"];
        assert_eq!(&json!(payment.telegram_payment_charge_id), charge, "{name}");
        assert_eq!(
            json!(payment.provider_payment_charge_id),
            tree[field]["provider_payment_charge_id"],
            "{name}"
        );
        assert_eq!(payment.is_recurring, tree[field]["is_recurring"] == true, "{name}");
        assert_eq!(payment.is_first_recurring, tree[field]["is_first_recurring"] == true, "{name}");
    }
}

#[test]
fn every_recorded_body_is_read_whole_or_refused_whole() {
    on_worker_stack(|| {
        for (name, body) in fixtures() {
            let refused = UNREADABLE.iter().find(|(number, _)| name.starts_with(number));
            match (parse(&body), refused) {
                (Ok(update), None) => {
                    if let Some(tree) = tree(&body) {
                        assert_same(&name, &update, &tree);
                    }
                    let stored = envelope(Bot::Client, &body).unwrap();
                    assert_eq!(stored.update_id, update.update_id, "{name}");
                    assert!(stored.lane.is_ascii() && stored.lane.len() <= 96, "{name}: {}", stored.lane);
                    let urgent = matches!(update.kind, UpdateKind::PreCheckout(_));
                    assert_eq!(stored.class, u8::from(!urgent), "{name}");
                }
                (Err(error), Some((_, update_id))) => {
                    assert_eq!(error.update_id, *update_id, "{name}: {error}");
                    assert!(!error.reason.is_empty() && error.reason.chars().count() <= 300, "{name}");
                    assert_eq!(envelope(Bot::Client, &body).unwrap_err(), error, "{name}");
                }
                (read, _) => panic!("{name}: {read:?}"),
            }
        }
    });
}

#[test]
fn what_the_library_loses_is_kept() {
    let texts = [
        ("009", "text"),
        ("027", "text"),
        ("030", "text"),
        ("034", "text"),
        ("042", "caption"),
        ("045", "caption"),
        ("069", "caption"),
        ("203", "text"),
        ("205", "caption"),
        ("206", "text"),
        ("229", "text"),
        ("233", "text"),
        ("234", "text"),
        ("235", "text"),
        ("237", "text"),
        ("251", "text"),
        ("253", "text"),
        ("315", "text"),
        ("318", "text"),
        ("321", "text"),
        ("322", "text"),
        ("323", "text"),
        ("337", "text"),
    ];
    on_worker_stack(move || {
        for (number, field) in texts {
            let message = message(number);
            let kept = if field == "text" { &message.text } else { &message.caption };
            assert!(kept.as_ref().is_some_and(|text| !text.is_empty()), "{number}: {message:?}");
        }
    });
}

#[test]
fn payments_are_read_to_the_last_digit() {
    assert_eq!(message("082").successful_payment.unwrap().total_amount, 5_000_000_000);
    assert_eq!(message("271").successful_payment.unwrap().telegram_payment_charge_id.len(), 4003);
    assert!(message("083").refunded_payment.is_some());
    let renewal = message("078").successful_payment.unwrap();
    assert!(renewal.is_recurring && !renewal.is_first_recurring);
    assert!(renewal.subscription_expiration_date.is_some());
    assert!(message("077").successful_payment.unwrap().is_first_recurring);
    for (written, read) in
        [("250", true), ("250.0", false), ("2.5e2", false), ("\"250\"", false), ("-1", false)]
    {
        let body = format!(
            r#"{{"update_id":1,"pre_checkout_query":{{"id":"9","from":{{"id":6}},"currency":"XTR","total_amount":{written},"invoice_payload":"p"}}}}"#
        );
        assert_eq!(parse(body.as_bytes()).is_ok(), read, "{written}");
    }
}

#[test]
fn bytes_that_are_not_utf8_do_not_hide_a_press_or_a_payment() {
    let UpdateKind::Callback(press) = update("339").kind else { panic!("not a press") };
    assert!(press.data.unwrap().contains('\u{fffd}'));
    let payload = match update("338").kind {
        UpdateKind::PreCheckout(query) => query.invoice_payload,
        UpdateKind::Message(message) => message.successful_payment.unwrap().invoice_payload,
        other => panic!("{other:?}"),
    };
    assert!(payload.contains('\u{fffd}'));
}

#[test]
fn lanes_are_chats_and_a_pre_checkout_waits_for_nobody() {
    let lane = |number: &str| envelope(Bot::Client, &fixture(number)).unwrap().lane;
    assert_eq!(lane("001"), format!("client:{}", message("001").chat.id));
    assert_eq!(lane("071"), "client:pc:25848112093884016552");
    assert_eq!(lane("086"), "client:6018273645");
    assert_eq!(lane("089"), "client:6018273645", "a press without a message belongs to the person");
    assert_eq!(lane("193"), "client:514208893");
    assert_eq!(lane("249"), "client:-1002214907731", "also kinds that are not handled keep the chat");
    assert_eq!(lane("230"), "client:other");
    assert_eq!(
        envelope(Bot::Admin, &fixture("001")).unwrap().lane,
        format!("admin:{}", message("001").chat.id)
    );

    let of = |id: &str| {
        let body = json!({"update_id": 1, "pre_checkout_query": {"id": id, "from": {"id": 6}, "currency": "XTR",
            "total_amount": 1, "invoice_payload": "p"}});
        envelope(Bot::Support, body.to_string().as_bytes()).unwrap().lane
    };
    assert_eq!(of("abc-_1"), "support:pc:abc-_1");
    for odd in ["", "a b", "é", &"9".repeat(65)] {
        assert_eq!(of(odd).len(), "support:pc:".len() + 32, "{odd}");
    }
}

#[test]
fn changes_between_a_person_and_the_bot() {
    let change = |number: &str| match update(number).kind {
        UpdateKind::MyChatMember(change) => change,
        other => panic!("{other:?}"),
    };
    assert!(change("097").is_block() && !change("097").is_unblock());
    assert!(change("098").is_unblock());
    assert!(!change("099").is_block() && !change("099").is_unblock());
    assert!(!change("238").new_status().is_empty(), "an unknown standing is kept as its text");
    let state = |number: &str| match update(number).kind {
        UpdateKind::Subscription(change) => change.state,
        other => panic!("{other:?}"),
    };
    assert_eq!(state("193"), SubscriptionState::Active);
    assert_eq!(state("194"), SubscriptionState::Failed);
}

#[test]
fn topics_files_and_names() {
    assert_eq!(message("111").topic_event(), Some(TopicEvent::Created { name: "Ticket #1207" }));
    assert_eq!(message("113").topic_event(), Some(TopicEvent::Edited { name: None }));
    assert_eq!(message("114").topic_event(), Some(TopicEvent::Closed));
    assert_eq!(message("115").topic_event(), Some(TopicEvent::Reopened));
    assert_eq!(message("001").topic_event(), None);
    let files = [
        ("037", FileKind::Animation),
        ("038", FileKind::Photo),
        ("041", FileKind::Document),
        ("045", FileKind::Voice),
        ("047", FileKind::Audio),
        ("049", FileKind::Video),
        ("050", FileKind::VideoNote),
        ("057", FileKind::Sticker),
        ("243", FileKind::Sticker),
    ];
    for (number, kind) in files {
        let message = message(number);
        let file = message.file().unwrap_or_else(|| panic!("{number} has a file"));
        assert_eq!(file.kind, kind, "{number}");
        assert!(!file.file_id.is_empty(), "{number}");
    }
    assert!(message("001").file().is_none());
    assert_eq!(message("022").from.unwrap().first_name, "");
    let guide = message("183");
    assert!(
        guide.chat.is_private() && !guide.from.unwrap().is_bot,
        "the guide's sample has neither type nor is_bot"
    );
    let press = |number: &str| match update(number).kind {
        UpdateKind::Callback(query) => query.message.unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(press("086").is_accessible() && !press("087").is_accessible());
    assert_eq!(parse(&fixture("230")).unwrap().kind, UpdateKind::Other(String::new()));
    assert_eq!(parse(&fixture("227")).unwrap().kind, UpdateKind::Other("quantum_order".to_owned()));
}

#[test]
fn commands_by_slash_name_and_bot() {
    let own = Some("vpnshop_demo_bot");
    let command = |number: &str| message(number).command(own).map(|it| (it.name, it.args));
    let some = |name: &str, args: &str| Some((name.to_owned(), args.to_owned()));
    assert_eq!(command("001"), some("start", ""));
    assert_eq!(command("002"), some("start", "ref_8F3kQ2"));
    assert_eq!(command("003").unwrap().1.len(), 64);
    assert!(command("005").is_some());
    assert_eq!(command("006"), None, "a command to another bot");
    assert_eq!(command("007"), some("buy", "3 months\tplease"));
    assert_eq!(command("011"), None);

    let of = |text: &str, own: Option<&str>| {
        let body =
            json!({"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1}, "text": text}});
        let UpdateKind::Message(message) = parse(body.to_string().as_bytes()).unwrap().kind else {
            unreachable!()
        };
        message.command(own).map(|it| (it.name, it.args))
    };
    assert_eq!(of("/Start\u{a0} x ", None), some("start", "x"));
    assert_eq!(of("/start@Any_Bot x", None), some("start", "x"));
    assert_eq!(of("/start@any_bot", Some("@Any_Bot")), some("start", ""));
    assert_eq!(of("/start@any_bot2", Some("Any_Bot")), None);
    for text in [
        "/",
        "/ start",
        "start",
        " /start",
        "/@any_bot",
        "/st-art",
        "/старт",
        &format!("/{}", "a".repeat(33)),
    ] {
        assert_eq!(of(text, own), None, "{text}");
    }
}

fn with_message(extra: &str) -> Vec<u8> {
    format!(r#"{{"update_id":7,"message":{{"message_id":1,"date":1,"chat":{{"id":5,"type":"private"}},{extra}}}}}"#)
        .into_bytes()
}

#[test]
fn huge_and_deep_bodies_cost_neither_the_stack_nor_the_text() {
    let entity = r#"{"type":"bold","offset":0,"length":1,"url":"https://example.com/0123456789abcdef"}"#;
    let entities = vec![entity; 10_000].join(",");
    let array = vec!["1"; 100_000].join(",");
    let long = "a".repeat(1 << 20);
    let objects = format!("{}1{}", r#"{"a":"#.repeat(500_000), "}".repeat(500_000));
    let bodies = [
        with_message(&format!(r#""text":"/start","entities":[{entities}]"#)),
        with_message(&format!(r#""text":"/start","new_field":[{array}]"#)),
        with_message(&format!(r#""text":"/start","photo":[{array}]"#)),
        with_message(&format!(r#""text":"/start","reply_to_message":{{"message_id":2,"text":"{long}"}}"#)),
        with_message(&format!(r#""text":"/start","new_field":"{}""#, "b".repeat(8 << 20))),
        with_message(&format!(r#""new_field":{objects},"text":"/start""#)),
        with_message(&format!(r#""reply_to_message":{objects},"entities":{objects},"text":"/start""#)),
        with_message(&format!(r#""text":"/start {long}""#)),
    ];
    on_worker_stack(move || {
        for body in bodies {
            let UpdateKind::Message(message) = parse(&body).unwrap().kind else { panic!("not a message") };
            assert_eq!(message.command(None).unwrap().name, "start");
        }
        let wrong = with_message(&format!(r#""text":{}"#, "[".repeat(1 << 20)));
        assert!(parse(&wrong).is_err());
        let wrong = with_message(&format!(r#""text":{{"{long}":1}}"#));
        assert!(parse(&wrong).unwrap_err().reason.len() < 400);
    });
}

#[test]
fn the_vectors_of_the_payment_rules_are_read() {
    let vectors: Vec<Value> = serde_json::from_slice(&fs::read(VECTORS).unwrap()).unwrap();
    assert!(vectors.len() >= 20);
    for vector in vectors {
        let read = parse(vector["body"].as_str().unwrap().as_bytes());
        assert_eq!(read.is_err(), vector["expect"] == "bad_request", "{}: {read:?}", vector["name"]);
    }
}

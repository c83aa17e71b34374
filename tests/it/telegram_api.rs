//! Calling the Bot API: what goes out over real HTTP, and what every kind of answer means.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use usipipo::ids::{ChatId, UserId};
use usipipo::integrations::telegram::api::{BotCommand, CommandScope, Rendered, SendError, Sent, Upload};
use usipipo::models::bot::Language;
use usipipo::models::outgoing::{Ack, Button, ButtonAction, Keyboard};

use crate::support::bot_api::{Api, TOKEN, bot_at, done, refusal};

const PERSON: ChatId = ChatId(6018273645);
const GROUP: ChatId = ChatId(-1002214907731);

fn text(html: &str) -> Rendered {
    Rendered::Text { html: html.to_owned(), keyboard: None }
}

fn edit(ack: Option<Ack>) -> Rendered {
    Rendered::Edit { message_id: 41, html: "new".to_owned(), keyboard: None, ack }
}

fn ack() -> Ack {
    Ack { callback_id: "4382".to_owned(), text: None, alert: false }
}

fn keyboard() -> Keyboard {
    let button = |text: &str, action| Button { text: text.to_owned(), action };
    Keyboard(vec![
        vec![button("Buy", ButtonAction::Callback("buy:1".to_owned()))],
        vec![
            button("Pay", ButtonAction::Url("https://pay.example/i?id=1".to_owned())),
            button("Copy", ButtonAction::Copy("ss://x".to_owned())),
        ],
    ])
}

fn markup() -> Value {
    json!({"inline_keyboard": [
        [{"text": "Buy", "callback_data": "buy:1"}],
        [{"text": "Pay", "url": "https://pay.example/i?id=1"}, {"text": "Copy", "copy_text": {"text": "ss://x"}}],
    ]})
}

const ID_77: Sent = Sent { message_id: Some(77) };
const DONE: Sent = Sent { message_id: None };

#[tokio::test]
async fn a_text_goes_out_as_html_without_preview() {
    let api = Api::start(&[]).await;
    let message = Rendered::Text { html: "<b>Hola</b> ñ".to_owned(), keyboard: Some(keyboard()) };
    // A slash at the end of the configured address does no harm.
    let bot = bot_at(&format!("{}/", api.url));
    assert_eq!(bot.send(PERSON, &message).await, Ok(ID_77));
    let expected = json!({"chat_id": PERSON, "text": "<b>Hola</b> ñ", "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true}, "reply_markup": markup()});
    assert_eq!(api.only(), ("sendMessage".to_owned(), expected));
}

#[tokio::test]
async fn chat_ids_outside_the_librarys_ranges_are_fine() {
    let api = Api::start(&[]).await;
    for chat in [-2002981102213, -2147483650, 1 << 50, i64::MIN] {
        assert_eq!(api.bot().send(ChatId(chat), &text("x")).await, Ok(ID_77));
        assert_eq!(api.calls().last().unwrap().json()["chat_id"], chat);
    }
}

#[tokio::test]
async fn invoices_and_answers_go_out_as_documented() {
    let api = Api::start(&[]).await;
    let invoice = Rendered::StarsInvoice {
        title: "VPN".to_owned(),
        description: "30 días".to_owned(),
        payload: "ord_1.v1".to_owned(),
        amount: 250,
    };
    assert_eq!(api.bot().send(PERSON, &invoice).await, Ok(ID_77));
    let expected = json!({"chat_id": PERSON, "title": "VPN", "description": "30 días", "payload": "ord_1.v1",
        "currency": "XTR", "provider_token": "", "prices": [{"label": "VPN", "amount": 250}]});
    assert_eq!(api.only(), ("sendInvoice".to_owned(), expected));

    let cases = [
        (
            Rendered::PreCheckout { query_id: "9".to_owned(), error: None },
            ("answerPreCheckoutQuery", json!({"pre_checkout_query_id": "9", "ok": true})),
        ),
        (
            Rendered::PreCheckout { query_id: "9".to_owned(), error: Some("No".to_owned()) },
            (
                "answerPreCheckoutQuery",
                json!({"pre_checkout_query_id": "9", "ok": false, "error_message": "No"}),
            ),
        ),
        (Rendered::Ack(ack()), ("answerCallbackQuery", json!({"callback_query_id": "4382"}))),
        (
            Rendered::Ack(Ack { text: Some("Hi".to_owned()), alert: true, ..ack() }),
            ("answerCallbackQuery", json!({"callback_query_id": "4382", "text": "Hi", "show_alert": true})),
        ),
    ];
    for (message, (method, body)) in cases {
        let api = Api::start(&[done()]).await;
        assert_eq!(api.bot().send(PERSON, &message).await, Ok(DONE), "{method}");
        assert_eq!(api.only(), (method.to_owned(), body));
    }
}

#[tokio::test]
async fn files_go_out_as_multipart() {
    let api = Api::start(&[]).await;
    let file = Upload {
        file_name: "usipipo.conf".to_owned(),
        bytes: b"[Interface]\nPrivateKey = x\n".to_vec(),
        mime: "application/octet-stream",
    };
    let message = Rendered::Document {
        file: file.clone(),
        caption: "<i>tu VPN</i>".to_owned(),
        keyboard: Some(keyboard()),
    };
    assert_eq!(api.bot().send(PERSON, &message).await, Ok(ID_77));
    let picture = Upload { file_name: "qr.png".to_owned(), bytes: b"\x89PNG".to_vec(), mime: "image/png" };
    let message = Rendered::Photo { file: picture, caption: String::new(), keyboard: None };
    assert_eq!(api.bot().send(GROUP, &message).await, Ok(ID_77));

    let calls = api.calls();
    assert_eq!(api.methods(), ["sendDocument", "sendPhoto"]);
    assert!(calls.iter().all(|call| call.content_type.starts_with("multipart/form-data; boundary=")));
    let (document, photo) = (&calls[0].body, &calls[1].body);
    for part in [
        format!("name=\"chat_id\"\r\n\r\n{PERSON}\r\n"),
        "name=\"document\"; filename=\"usipipo.conf\"\r\nContent-Type: application/octet-stream\r\n\r\n[Interface]\n"
            .to_owned(),
        "name=\"caption\"\r\n\r\n<i>tu VPN</i>\r\n".to_owned(),
        "name=\"parse_mode\"\r\n\r\nHTML\r\n".to_owned(),
        "name=\"reply_markup\"\r\n\r\n{\"inline_keyboard\":[[{".to_owned(),
    ] {
        assert!(document.contains(&part), "{part} in {document}");
    }
    assert!(photo.contains("name=\"photo\"; filename=\"qr.png\"\r\nContent-Type: image/png"), "{photo}");
    assert!(!photo.contains("caption") && !photo.contains("reply_markup"), "{photo}");
}

#[tokio::test]
async fn a_press_is_answered_while_its_message_is_edited() {
    let meeting = Some(Arc::new(Barrier::new(2)));
    let api = Api { meeting, ..Api::default() }.listen().await;
    assert_eq!(api.bot().send(PERSON, &edit(Some(ack()))).await, Ok(Sent { message_id: Some(41) }));
    let mut methods = api.methods();
    methods.sort();
    assert_eq!(methods, ["answerCallbackQuery", "editMessageText"]);
    let edit = api.calls().into_iter().find(|call| call.method() == "editMessageText").unwrap().json();
    let expected = json!({"chat_id": PERSON, "message_id": 41, "text": "new", "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true}});
    assert_eq!(edit, expected);
}

#[tokio::test]
async fn a_press_that_cannot_be_answered_does_not_fail_its_edit() {
    for failure in [refusal(400, "Bad Request"), refusal(429, "Too Many Requests"), refusal(500, "")] {
        let failing = Some(("answerCallbackQuery", failure.0, failure.1.to_string()));
        let api = Api { failing, ..Api::default() }.listen().await;
        let result = api.bot().send(PERSON, &edit(Some(ack()))).await;
        assert_eq!(result, Ok(Sent { message_id: Some(41) }), "{}", failure.0);
        assert_eq!(api.calls().len(), 2);
    }
}

#[tokio::test]
async fn an_edit_that_is_not_possible_becomes_a_new_message() {
    for description in [
        "Bad Request: message can't be edited",
        "Bad Request: message to edit not found",
        "Bad Request: MESSAGE_ID_INVALID",
        "Bad Request: there is no text in the message to edit",
    ] {
        let api = Api::start(&[refusal(400, description)]).await;
        assert_eq!(api.bot().send(PERSON, &edit(None)).await, Ok(ID_77), "{description}");
        assert_eq!(api.methods(), ["editMessageText", "sendMessage"]);
        assert_eq!(api.calls()[1].json()["text"], "new");
    }
    let same = "Bad Request: message is not modified: specified new message content and reply markup are exactly the \
                same as a current content and reply markup of the message";
    let api = Api::start(&[refusal(400, same)]).await;
    assert_eq!(api.bot().send(PERSON, &edit(None)).await, Ok(Sent { message_id: Some(41) }));
    assert_eq!(api.methods(), ["editMessageText"]);
    let html = "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0";
    let api = Api::start(&[refusal(400, html)]).await;
    assert!(matches!(api.bot().send(PERSON, &edit(None)).await, Err(SendError::Permanent(_))));
}

#[tokio::test]
async fn what_is_over_counts_as_done() {
    let late = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    let cases = [
        (Rendered::Ack(ack()), late),
        (Rendered::PreCheckout { query_id: "9".to_owned(), error: None }, late),
    ];
    for (message, description) in cases {
        let api = Api::start(&[refusal(400, description)]).await;
        assert_eq!(api.bot().send(PERSON, &message).await, Ok(DONE), "{description}");
    }
    let api = Api::start(&[refusal(400, "Bad Request: not enough rights")]).await;
    let refused = api.bot().send(PERSON, &Rendered::Ack(ack())).await;
    assert!(matches!(refused, Err(SendError::Permanent(_))));
}

#[tokio::test]
async fn every_refusal_says_what_to_do_next() {
    let permanent = |text: &str| SendError::Permanent(text.to_owned());
    let pause = |seconds, whole_bot| SendError::RetryAfter { seconds, whole_bot };
    let flood = |seconds: Value| {
        let parameters = json!({"retry_after": seconds, "new_parameter": {}});
        (
            429,
            json!({"ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": parameters}),
        )
    };
    let moved = json!({"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded",
        "parameters": {"migrate_to_chat_id": -1003}});
    let cases = [
        (PERSON, flood(json!(3)), pause(3, true)),
        (GROUP, flood(json!(30)), pause(30, false)),
        (PERSON, flood(json!("soon")), pause(9, true)),
        (PERSON, flood(json!(0)), pause(1, true)),
        (GROUP, (400, moved), SendError::Migrated(ChatId(-1003))),
        (PERSON, refusal(403, "Forbidden: bot was blocked by the user"), SendError::Blocked),
        (PERSON, refusal(403, "Forbidden: user is deactivated"), SendError::Blocked),
        (GROUP, refusal(403, "Forbidden: bot was kicked from the supergroup chat"), SendError::Blocked),
        (PERSON, refusal(400, "Bad Request: chat not found"), SendError::Blocked),
        (GROUP, refusal(400, "Bad Request: chat not found"), permanent("Bad Request: chat not found")),
        (
            PERSON,
            refusal(400, "Bad Request: message is too long"),
            permanent("Bad Request: message is too long"),
        ),
        (PERSON, refusal(413, "Request Entity Too Large"), permanent("Request Entity Too Large")),
        (PERSON, refusal(401, "Unauthorized"), SendError::Unauthorized),
        (PERSON, refusal(404, "Not Found"), SendError::Unauthorized),
        (PERSON, refusal(502, "Bad Gateway"), SendError::Transient("Bad Gateway".to_owned())),
        // The code of the answer counts, not the status of the connection.
        (PERSON, (200, refusal(403, "Forbidden").1), SendError::Blocked),
        (PERSON, (403, json!({"ok": false, "parameters": {}})), SendError::Blocked),
    ];
    for (chat, answer, expected) in cases {
        let api = Api::start(std::slice::from_ref(&answer)).await;
        assert_eq!(api.bot().send(chat, &text("x")).await, Err(expected), "{answer:?}");
        assert_eq!(api.methods(), ["sendMessage"], "one call is one try");
    }
}

#[tokio::test]
async fn answers_that_are_not_the_bot_apis() {
    let html = "<html><body>502 Bad Gateway</body></html>";
    let cases = [
        (
            500,
            html,
            SendError::Transient(
                "500 Internal Server Error with a body that is not the Bot API's".to_owned(),
            ),
        ),
        (404, html, SendError::Transient("404 Not Found with a body that is not the Bot API's".to_owned())),
        (302, "", SendError::Transient("302 Found with a body that is not the Bot API's".to_owned())),
        (200, html, SendError::Transient("200 OK with a body that is not the Bot API's".to_owned())),
        (429, html, SendError::RetryAfter { seconds: 9, whole_bot: true }),
    ];
    for (status, body, expected) in cases {
        let answers = Arc::new(Mutex::new(VecDeque::from([(status, body.to_owned())])));
        let api = Api { answers, ..Api::default() }.listen().await;
        assert_eq!(api.bot().send(PERSON, &text("x")).await, Err(expected));
    }
}

#[tokio::test]
async fn a_message_that_was_accepted_is_sent_whatever_the_answer_looks_like() {
    let cases = [
        (r#"{"ok":true,"result":{"message_id":77,"chat":{"id":1,"type":"holoroom"},"text":5}}"#, ID_77),
        (r#"{"ok":true,"result":{"message_id":"odd"}}"#, DONE),
        (r#"{"ok":true,"result":true}"#, DONE),
        (r#"{"ok":true}"#, DONE),
        (r#"{"ok":true,"result":{"message_id":77,"cha"#, DONE),
    ];
    for (body, expected) in cases {
        let answers = Arc::new(Mutex::new(VecDeque::from([(200, body.to_owned())])));
        let api = Api { answers, ..Api::default() }.listen().await;
        assert_eq!(api.bot().send(PERSON, &text("x")).await, Ok(expected), "{body}");
    }
}

/// A server that reads a request, writes these bytes and cuts the connection; with None it never answers.
async fn raw_server(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            match answer {
                Some(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
                None => std::future::pending().await,
            }
        }
    });
    url
}

#[tokio::test]
async fn a_line_that_fails_is_transient_and_keeps_the_token() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let cut = raw_server(Some("")).await;
    let silent = raw_server(None).await;
    for url in [closed, cut, silent, "http://[".to_owned()] {
        let bot = bot_at(&url).with_timeouts(Duration::from_millis(300), Duration::from_millis(300));
        let error = bot.send(PERSON, &text("x")).await.unwrap_err();
        assert!(matches!(error, SendError::Transient(_)), "{url}: {error}");
        assert_no_token(&format!("{error} {error:?} {bot:?}"));
    }
    // Telegram says 200 only for what it did: the message went out before the line was cut.
    let half = raw_server(Some("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"ok\":tr")).await;
    assert_eq!(bot_at(&half).send(PERSON, &text("x")).await, Ok(DONE));
    let half = raw_server(Some("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 100\r\n\r\n<html>")).await;
    let error = bot_at(&half).send(PERSON, &text("x")).await.unwrap_err();
    assert!(matches!(error, SendError::Transient(_)), "{error}");
}

fn assert_no_token(text: &str) {
    let (_, secret) = TOKEN.split_once(':').unwrap();
    assert!(!text.contains(secret), "{text}");
}

#[tokio::test]
async fn an_answer_that_repeats_the_token_is_redacted() {
    for echo in [TOKEN.to_owned(), TOKEN.replace(':', "%3A")] {
        let api =
            Api::start(&[refusal(400, &format!("no method /bot{echo}/x")), (200, json!(format!("{echo}")))])
                .await;
        let error = api.bot().send(PERSON, &text("x")).await.unwrap_err();
        assert!(error.to_string().contains("<token>"), "{error}");
        assert_no_token(&format!("{error} {error:?}"));
        let error = api.bot().get_me().await.unwrap_err();
        assert_no_token(&format!("{error} {error:?}"));
    }
    let rendered = Rendered::Text { html: "PrivateKey = abc".to_owned(), keyboard: None };
    assert_eq!(format!("{rendered:?}"), "Text");
}

#[tokio::test]
async fn impossible_messages_are_permanent_and_never_leave() {
    let api = Api::start(&[]).await;
    let bad_link =
        Keyboard(vec![vec![Button { text: "x".to_owned(), action: ButtonAction::Url("no url".to_owned()) }]]);
    let messages = [
        Rendered::Text { html: "x".to_owned(), keyboard: Some(bad_link) },
        Rendered::Edit { message_id: 1 << 40, html: "x".to_owned(), keyboard: None, ack: None },
        Rendered::StarsInvoice {
            title: "x".to_owned(),
            description: "x".to_owned(),
            payload: "x".to_owned(),
            amount: -1,
        },
    ];
    for message in messages {
        let error = api.bot().send(PERSON, &message).await.unwrap_err();
        assert!(matches!(error, SendError::Permanent(_)), "{error}");
    }
    assert!(api.calls().is_empty());
}

#[tokio::test]
async fn a_bot_is_set_up_as_documented() {
    let api = Api::start(&vec![done(); 6]).await;
    let bot = api.bot();
    let secret = SecretString::from("hook_secret");
    bot.set_webhook("https://vpn.example/telegram/client", &secret, &["message", "subscription"], 40)
        .await
        .unwrap();
    let commands = [BotCommand::new("start", "Empezar")];
    bot.set_my_commands(&commands, CommandScope::AllPrivateChats, Some(Language::Es)).await.unwrap();
    bot.set_my_name("VPN", None).await.unwrap();
    bot.set_my_description("Long", Some(Language::Ru)).await.unwrap();
    bot.set_my_short_description("Short", Some(Language::En)).await.unwrap();
    bot.delete_webhook().await.unwrap();
    let said: Vec<(String, Value)> =
        api.calls().iter().map(|call| (call.method().to_owned(), call.json())).collect();
    let expected = [
        (
            "setWebhook",
            json!({"url": "https://vpn.example/telegram/client", "secret_token": "hook_secret",
                "allowed_updates": ["message", "subscription"], "max_connections": 40}),
        ),
        (
            "setMyCommands",
            json!({"commands": [{"command": "start", "description": "Empezar"}],
                "scope": {"type": "all_private_chats"}, "language_code": "es"}),
        ),
        ("setMyName", json!({"name": "VPN", "language_code": ""})),
        ("setMyDescription", json!({"description": "Long", "language_code": "ru"})),
        ("setMyShortDescription", json!({"short_description": "Short", "language_code": "en"})),
        ("deleteWebhook", json!({"drop_pending_updates": false})),
    ];
    assert_eq!(said, expected.map(|(method, body)| (method.to_owned(), body)));
}

#[tokio::test]
async fn who_the_bot_is_and_how_its_webhook_does() {
    let me = json!({"ok": true, "result": {"id": 7204918365i64, "is_bot": true, "first_name": "VPN",
        "username": "vpnshop_demo_bot", "can_join_groups": "perhaps"}});
    let info = json!({"ok": true, "result": {"url": "https://vpn.example/telegram/client",
        "has_custom_certificate": false, "pending_update_count": 3, "last_error_date": 1795262400,
        "last_error_message": "Wrong response from the webhook: 502 Bad Gateway", "max_connections": 40,
        "allowed_updates": ["message", "subscription", "holo_call"]}});
    let api = Api::start(&[(200, me), (200, info), (200, json!({"ok": true, "result": {"url": ""}}))]).await;
    let bot = api.bot();
    let me = bot.get_me().await.unwrap();
    assert_eq!((me.id, me.username.as_str()), (UserId(7204918365), "vpnshop_demo_bot"));
    let info = bot.get_webhook_info().await.unwrap();
    assert_eq!(info.allowed_updates, ["message", "subscription", "holo_call"]);
    assert_eq!(info.pending_update_count, 3);
    assert_eq!(info.last_error_date, Some(1795262400));
    assert!(info.last_error_message.unwrap().contains("502"));
    assert_eq!(bot.get_webhook_info().await.unwrap().url, "");
    assert_eq!(api.methods(), ["getMe", "getWebhookInfo", "getWebhookInfo"]);
}

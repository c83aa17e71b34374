//! The counterpart of Telegram behaves as Telegram: formatting, limits, delivery, payments, faults.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use usipipo::clock::Clock;
use usipipo::demo::telegram::{
    ApiError, Fault, FaultRule, Options, PayError, PersonHandle, PersonSpec, TelegramServer, parse_html,
    render_html,
};

const TOKEN: &str = "7204918365:AAdemo_client";
const BOT: &str = "usipipo_bot";
const ANA: i64 = 6_018_273_645;

/// A webhook that remembers what came and answers as told.
#[derive(Clone, Default)]
struct Hook {
    seen: Arc<Mutex<Vec<(String, Value)>>>,
    /// Answers for the next requests; then 200.
    answers: Arc<Mutex<Vec<(u16, String)>>>,
}

impl Hook {
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(Self::receive).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn receive(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> Response {
        let secret =
            headers.get("x-telegram-bot-api-secret-token").map_or("", |value| value.to_str().unwrap());
        let update = serde_json::from_slice(&body).unwrap_or(Value::Null);
        hook.seen.lock().unwrap().push((secret.to_owned(), update));
        let mut answers = hook.answers.lock().unwrap();
        let (status, body) = if answers.is_empty() { (200, String::new()) } else { answers.remove(0) };
        (StatusCode::from_u16(status).unwrap(), body).into_response()
    }

    fn answer_next(&self, answers: &[(u16, &str)]) {
        self.answers
            .lock()
            .unwrap()
            .extend(answers.iter().map(|(status, body)| (*status, (*body).to_owned())));
    }

    fn updates(&self) -> Vec<Value> {
        self.seen.lock().unwrap().iter().map(|(_, update)| update.clone()).collect()
    }
}

struct World {
    server: TelegramServer,
    clock: Clock,
    ana: PersonHandle,
    hook: Hook,
    http: reqwest::Client,
}

impl World {
    /// A counterpart with a bot whose webhook is set, and Ana, who has started it.
    async fn new() -> Self {
        let clock = Clock::default();
        let options = Options { checkout_limit: Duration::from_millis(300), ..Options::hasty(clock.clone()) };
        let server = TelegramServer::start(options).await.unwrap();
        server.add_bot(TOKEN, BOT, "uSipipo");
        let ana = server.person(PersonSpec::new(ANA, "Ana", "es"));
        ana.open(BOT).unwrap();
        let world = Self { server, clock, ana, hook: Hook::default(), http: reqwest::Client::new() };
        let url = world.hook.listen().await;
        world.ok("setWebhook", json!({"url": url, "secret_token": "s3cret"})).await;
        world
    }

    async fn call(&self, method: &str, fields: Value) -> (u16, Value) {
        let url = format!("{}/bot{TOKEN}/{method}", self.server.url());
        let response = self.http.post(url).json(&fields).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn ok(&self, method: &str, fields: Value) -> Value {
        let (status, mut body) = self.call(method, fields).await;
        assert_eq!(status, 200, "{method}: {body}");
        body["result"].take()
    }

    /// Calls what must fail; returns the description.
    async fn fails(&self, method: &str, fields: Value) -> String {
        let (status, body) = self.call(method, fields).await;
        assert_eq!(body["ok"], json!(false), "{method} worked: {body}");
        assert_eq!(body["error_code"], json!(status));
        body["description"].as_str().unwrap().to_owned()
    }

    async fn say(&self, text: &str) -> i64 {
        self.ok("sendMessage", json!({"chat_id": ANA, "text": text})).await["message_id"].as_i64().unwrap()
    }
}

fn button(data: &str) -> Value {
    json!({"inline_keyboard": [[{"text": "Press", "callback_data": data}]]})
}

#[test]
fn html_becomes_text_and_entities() {
    let parsed = |source: &str| {
        let formatted = parse_html(source).unwrap();
        (formatted.text, serde_json::to_value(formatted.entities).unwrap())
    };
    assert_eq!(
        parsed("plain &lt;&amp;&quot;&gt; &#9733;&#x1F98A; &nbsp;"),
        ("plain <&\"> ★🦊 &nbsp;".into(), json!([]))
    );
    assert_eq!(
        parsed("🦊 <b>a<i>b</i></b>"),
        (
            "🦊 ab".into(),
            json!([{"type": "bold", "offset": 3, "length": 2}, {"type": "italic", "offset": 4, "length": 1}])
        )
    );
    assert_eq!(
        parsed("<pre><code class=\"language-ini\">[Peer]</code></pre>").1,
        json!([{"type": "pre", "language": "ini", "offset": 0, "length": 6}])
    );
    assert_eq!(
        parsed("<A href='https://example.com/?a=1&amp;b=2'>x</a>").0,
        "x",
        "the name of an opening tag is read in any case"
    );
    assert_eq!(
        parsed("<a href=\"https://example.com/\">x</a> <span class=\"tg-spoiler\">y</span>").1,
        json!([
            {"type": "text_link", "url": "https://example.com/", "offset": 0, "length": 1},
            {"type": "spoiler", "offset": 2, "length": 1}
        ])
    );
    assert_eq!(parsed("<a href=\"nowhere:\">x</a>").1, json!([]), "a link nobody can open is plain text");
    assert_eq!(parsed("  <b> trimmed </b> \n").0, "trimmed");
    assert_eq!(parsed("<blockquote expandable>q</blockquote>").1[0]["type"], "expandable_blockquote");
    assert_eq!(parsed("<code><b>x</b></code>").1, json!([{"type": "code", "offset": 0, "length": 1}]));
}

#[test]
fn bad_html_is_refused_in_telegrams_words() {
    for (source, error) in [
        ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""),
        ("ключ <div>", "Unsupported start tag \"div\" at byte offset 9"),
        ("a < b", "Unsupported start tag \"\" at byte offset 2"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
        ("<a href=x_y>l</a>", "Unexpected end of name token at byte offset 8"),
        ("<br/>", "Unsupported start tag \"br/\" at byte offset 0"),
    ] {
        assert_eq!(parse_html(source), Err(error.to_owned()), "{source}");
    }
}

#[test]
fn html_survives_the_way_back() {
    for source in [
        "<b>bold <i>both</i></b> &lt;plain&gt; <code>a &amp; b</code>",
        "<pre><code class=\"language-ini\">[Interface]\nPrivateKey = x</code></pre>",
        "<a href=\"https://example.com/?a=1&amp;b=2\">link</a> <tg-spoiler>hidden</tg-spoiler> <u>u</u> <s>s</s>",
        "<blockquote>quoted <b>🦊</b></blockquote>",
    ] {
        assert_eq!(render_html(&parse_html(source).unwrap()), source);
    }
}

#[tokio::test]
async fn calls_are_read_in_every_form() {
    let world = World::new().await;
    let base = format!("{}/bot{TOKEN}", world.server.url());
    let get = world.http.get(format!("{base}/SENDMESSAGE?chat_id={ANA}&text=one")).send().await.unwrap();
    assert_eq!(get.status(), 200);
    let form = world
        .http
        .post(format!("{base}/SendMessage"))
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.body(format!("chat_id={ANA}&text=two+words")).send().await.unwrap().status(), 200);
    let file = reqwest::multipart::Part::bytes(b"[Interface]".to_vec()).file_name("ana.conf");
    let parts = reqwest::multipart::Form::new()
        .text("chat_id", ANA.to_string())
        .text("caption", "<b>yours</b>")
        .text("parse_mode", "HTML")
        .text("document", "attach://part7")
        .part("part7", file);
    let sent = world.http.post(format!("{base}/sendDocument")).multipart(parts).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let messages = world.ana.messages(BOT).unwrap();
    assert_eq!((messages[0].text.as_str(), messages[1].text.as_str()), ("one", "two words"));
    let document = messages[2].document.as_ref().unwrap();
    assert_eq!((document.name.as_str(), &document.bytes[..]), ("ana.conf", &b"[Interface]"[..]));
    assert_eq!(messages[2].html, "<b>yours</b>");
    assert_eq!(world.server.calls_of("sendDocument")[0].files[0].bytes, "[Interface]");

    let unknown = world.http.post(format!("{}/bot1:x/getMe", world.server.url())).send().await.unwrap();
    assert_eq!(unknown.status(), 401);
    assert_eq!(world.call("sendPigeon", json!({})).await.0, 404);
    assert_eq!(world.ok("getMe", json!({})).await["username"], BOT);
}

#[tokio::test]
async fn what_telegram_refuses_is_refused() {
    let world = World::new().await;
    let send = |extra: Value| {
        let mut fields = json!({"chat_id": ANA, "text": "x"});
        fields.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        world.fails("sendMessage", fields)
    };
    assert_eq!(send(json!({"text": " \n "})).await, "Bad Request: message text is empty");
    assert_eq!(send(json!({"text": "x".repeat(4097)})).await, "Bad Request: message is too long");
    let tags = "<b>".to_owned() + &"x".repeat(4096) + "</b>";
    world.ok("sendMessage", json!({"chat_id": ANA, "text": tags, "parse_mode": "HTML"})).await;
    assert_eq!(
        send(json!({"text": "<b>", "parse_mode": "HTML"})).await,
        "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""
    );
    assert_eq!(
        send(json!({"reply_markup": button(&"x".repeat(65))})).await,
        "Bad Request: BUTTON_DATA_INVALID"
    );
    let url = |url: &str| json!({"reply_markup": {"inline_keyboard": [[{"text": "open", "url": url}]]}});
    assert_eq!(
        send(url("happ://add")).await,
        "Bad Request: inline keyboard button URL 'happ://add' is invalid: Unsupported URL protocol"
    );
    let copy = |text: String| json!({"reply_markup": {"inline_keyboard": [[{"text": "c", "copy_text": {"text": text}}]]}});
    assert_eq!(send(copy("x".repeat(257))).await, "Bad Request: BUTTON_COPY_TEXT_INVALID");
    assert_eq!(send(json!({"chat_id": 5})).await, "Bad Request: chat not found");
    assert_eq!(send(json!({"chat_id": ""})).await, "Bad Request: chat_id is empty");
    assert_eq!(
        send(json!({"reply_parameters": {"message_id": 3}})).await,
        "Bad Request: message to be replied not found"
    );
    world.ana.block(BOT).unwrap();
    let (status, body) = world.call("sendMessage", json!({"chat_id": ANA, "text": "x"})).await;
    assert_eq!(
        (status, body["description"].as_str().unwrap()),
        (403, "Forbidden: bot was blocked by the user")
    );
}

#[tokio::test]
async fn edits_follow_the_rules() {
    let world = World::new().await;
    let hers = world.ana.send_text(BOT, "/start").unwrap();
    let ours = world.say("hello").await;
    let edit = |id: i64, text: &str| json!({"chat_id": ANA, "message_id": id, "text": text});
    assert!(world.fails("editMessageText", edit(ours, "hello")).await.contains("message is not modified"));
    assert_eq!(world.fails("editMessageText", edit(hers, "x")).await, "Bad Request: message can't be edited");
    assert_eq!(world.fails("editMessageText", edit(1, "x")).await, "Bad Request: message to edit not found");
    assert_eq!(
        world.fails("editMessageCaption", json!({"chat_id": ANA, "message_id": ours, "caption": "x"})).await,
        "Bad Request: there is no caption in the message to edit"
    );
    let edited = world.ok("editMessageText", edit(ours, "bye")).await;
    assert!(edited["edit_date"].is_number());
    let buttons = json!({"chat_id": ANA, "message_id": ours, "reply_markup": button("a")});
    world.ok("editMessageReplyMarkup", buttons.clone()).await;
    assert!(world.fails("editMessageReplyMarkup", buttons).await.contains("not modified"));
    let message = world.ana.chat(BOT).unwrap().message(ours).unwrap().clone();
    assert!(message.edited && message.text == "bye" && message.button("a").is_some());

    world.ok("deleteMessage", json!({"chat_id": ANA, "message_id": ours})).await;
    assert_eq!(
        world.fails("deleteMessage", json!({"chat_id": ANA, "message_id": ours})).await,
        "Bad Request: message to delete not found"
    );
}

#[tokio::test]
async fn updates_arrive_in_order_with_the_secret() {
    let world = World::new().await;
    for n in 0..20 {
        world.ana.send_text(BOT, &format!("text {n} ñ🦊")).unwrap();
    }
    assert!(world.server.delivered().await);
    let seen = world.hook.seen.lock().unwrap().clone();
    let texts: Vec<&str> =
        seen.iter().map(|(_, update)| update["message"]["text"].as_str().unwrap()).collect();
    assert_eq!(texts, (0..20).map(|n| format!("text {n} ñ🦊")).collect::<Vec<_>>());
    assert!(seen.iter().all(|(secret, _)| secret == "s3cret"));
    let ids: Vec<i64> = seen.iter().map(|(_, update)| update["update_id"].as_i64().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[tokio::test]
async fn a_refused_update_blocks_its_chat_and_no_other() {
    let world = World::new().await;
    let ben = world.server.person(PersonSpec::new(7, "Ben", "en"));
    world.hook.answer_next(&[(500, ""), (503, ""), (401, "")]);
    world.ana.send_text(BOT, "first").unwrap();
    world.ana.send_text(BOT, "second").unwrap();
    assert!(world.server.delivered().await);
    let tries: Vec<String> = world
        .hook
        .updates()
        .iter()
        .map(|update| update["message"]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tries, ["first", "first", "first", "first", "second"]);
    let attempts: Vec<u32> = world.server.deliveries().iter().map(|delivery| delivery.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 1]);
    let info = world.ok("getWebhookInfo", json!({})).await;
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 401 Unauthorized");
    assert_eq!(info["pending_update_count"], 0);

    // A queue that waits for its next attempt holds nobody else up.
    world.ok("deleteWebhook", json!({})).await;
    world.ana.send_text(BOT, "waits").unwrap();
    assert_eq!(world.ok("getWebhookInfo", json!({})).await["pending_update_count"], 1);
    let url = world.hook.listen().await;
    world.ok("setWebhook", json!({"url": url})).await;
    ben.send_text(BOT, "hi").unwrap();
    assert!(world.server.delivered().await);
}

#[tokio::test]
async fn what_is_too_old_is_dropped() {
    let world = World::new().await;
    world.ok("deleteWebhook", json!({})).await;
    let message =
        world.ok("sendMessage", json!({"chat_id": ANA, "text": "x", "reply_markup": button("a")})).await;
    let press = world.ana.press(BOT, message["message_id"].as_i64().unwrap(), "a").unwrap();
    world.ana.send_text(BOT, "still young").unwrap();
    world.clock.advance(chrono::Duration::seconds(151));
    let url = world.hook.listen().await;
    world.ok("setWebhook", json!({"url": url})).await;
    assert!(world.server.delivered().await);
    let kinds: Vec<bool> =
        world.hook.updates().iter().map(|update| update.get("message").is_some()).collect();
    assert_eq!(kinds, [true], "the press has expired, the message has not");
    let late = world.fails("answerCallbackQuery", json!({"callback_query_id": press.id})).await;
    assert!(late.starts_with("Bad Request: query is too old"));
}

#[tokio::test]
async fn only_allowed_updates_come() {
    let world = World::new().await;
    let url = world.hook.listen().await;
    world.ok("setWebhook", json!({"url": url, "allowed_updates": ["my_chat_member"]})).await;
    world.ana.send_text(BOT, "not asked for").unwrap();
    world.ana.block(BOT).unwrap();
    assert!(world.server.delivered().await);
    let updates = world.hook.updates();
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0]["my_chat_member"]["new_chat_member"]["status"], "kicked");
}

#[tokio::test]
async fn a_method_in_the_webhooks_answer_is_executed() {
    let world = World::new().await;
    world.hook.answer_next(&[
        (200, &json!({"method": "sendMessage", "chat_id": ANA, "text": "from the answer"}).to_string()),
        (200, &json!({"method": "deleteWebhook"}).to_string()),
    ]);
    world.ana.send_text(BOT, "one").unwrap();
    world.ana.send_text(BOT, "two").unwrap();
    world.ana.wait_for_text(BOT, "from the answer").await.unwrap();
    assert!(world.server.delivered().await);
    assert!(world.server.webhook_of(BOT).is_some(), "deleteWebhook is not executed from an answer");
    assert!(world.server.calls_of("sendMessage")[0].in_webhook_answer);
}

#[tokio::test]
async fn a_press_is_answered_once() {
    let world = World::new().await;
    let message =
        world.ok("sendMessage", json!({"chat_id": ANA, "text": "menu", "reply_markup": button("go")})).await;
    let press = world.ana.press(BOT, message["message_id"].as_i64().unwrap(), "Press").unwrap();
    assert!(world.server.delivered().await);
    let query = world.hook.updates()[0]["callback_query"].clone();
    assert_eq!((&query["data"], &query["message"]["text"]), (&json!("go"), &json!("menu")));
    let answer = json!({"callback_query_id": query["id"], "text": "done", "show_alert": true});
    world.ok("answerCallbackQuery", answer.clone()).await;
    let answered = press.answered().await.unwrap();
    assert_eq!((answered.text.as_deref(), answered.show_alert), (Some("done"), true));
    assert!(world.fails("answerCallbackQuery", answer).await.contains("query ID is invalid"));
    assert!(world.ana.press(BOT, 1, "Press").is_err());
}

fn invoice() -> Value {
    json!({"chat_id": ANA, "title": "VPN", "description": "30 days", "payload": "ord_1", "provider_token": "",
        "currency": "XTR", "prices": [{"label": "VPN", "amount": 250}]})
}

#[tokio::test]
async fn invoices_are_for_stars_alone() {
    let world = World::new().await;
    for (field, value, error) in [
        ("title", json!("x".repeat(33)), "INVOICE_TITLE_INVALID"),
        ("description", json!(""), "INVOICE_DESCRIPTION_INVALID"),
        ("payload", json!("ñ".repeat(65)), "INVOICE_PAYLOAD_INVALID"),
        ("currency", json!("USD"), "CURRENCY_INVALID"),
        ("provider_token", json!("123:TEST"), "PAYMENT_PROVIDER_INVALID"),
        ("prices", json!([]), "STARS_INVOICE_INVALID"),
    ] {
        let mut bad = invoice();
        bad[field] = value;
        assert_eq!(world.fails("sendInvoice", bad).await, format!("Bad Request: {error}"));
    }
}

#[tokio::test]
async fn a_payment_goes_its_whole_way() {
    let world = World::new().await;
    let id = world.ok("sendInvoice", invoice()).await["message_id"].as_i64().unwrap();
    assert_eq!(world.ana.pay(BOT, id).await, Err(PayError::NotAnswered));

    let declined = (200, r#"{"method":"answerPreCheckoutQuery","ok":false,"error_message":"sold out"}"#);
    let asked = |answer: &'static str| async {
        let paying = world.ana.pay(BOT, id);
        let answering = async {
            let asked = world.hook.updates().len();
            let question = loop {
                let found = world
                    .hook
                    .updates()
                    .into_iter()
                    .skip(asked)
                    .find_map(|mut update| update.get_mut("pre_checkout_query").map(Value::take));
                match found {
                    Some(question) => break question,
                    None => tokio::task::yield_now().await,
                }
            };
            assert_eq!(
                (&question["total_amount"], &question["invoice_payload"]),
                (&json!(250), &json!("ord_1"))
            );
            let mut answer: Value = serde_json::from_str(answer).unwrap();
            answer["pre_checkout_query_id"] = question["id"].clone();
            world.ok("answerPreCheckoutQuery", answer).await;
        };
        tokio::join!(paying, answering).0
    };
    assert_eq!(asked(declined.1).await, Err(PayError::Declined("sold out".into())));
    assert_eq!(world.ana.stars(), 10_000);
    let receipt = asked(r#"{"ok":true}"#).await.unwrap();
    assert!(receipt.charge_id.len() > 100);
    assert_eq!((world.ana.stars(), world.server.stars_of(BOT)), (9_750, 250));
    assert_eq!(world.ana.pay(BOT, id).await, Err(PayError::AlreadyPaid));
    assert!(world.server.delivered().await);
    let paid = world.hook.updates().pop().unwrap()["message"]["successful_payment"].take();
    assert_eq!(paid["telegram_payment_charge_id"], json!(receipt.charge_id));

    let refund = json!({"user_id": ANA, "telegram_payment_charge_id": receipt.charge_id});
    world.ok("refundStarPayment", refund.clone()).await;
    assert_eq!(world.fails("refundStarPayment", refund).await, "Bad Request: CHARGE_ALREADY_REFUNDED");
    assert_eq!((world.ana.stars(), world.server.stars_of(BOT)), (10_000, 0));
    assert!(world.server.delivered().await);
    assert!(world.hook.updates().pop().unwrap()["message"]["refunded_payment"].is_object());
    let listed = world.ok("getStarTransactions", json!({})).await["transactions"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&json!(receipt.charge_id), &json!(receipt.charge_id)));
    assert_eq!(listed[0]["source"]["invoice_payload"], "ord_1");
    assert_eq!(listed[1]["receiver"]["user"]["id"], ANA);
}

#[tokio::test]
async fn a_checkout_answered_late_is_too_old() {
    let world = World::new().await;
    let id = world.ok("sendInvoice", invoice()).await["message_id"].as_i64().unwrap();
    assert_eq!(world.ana.pay(BOT, id).await, Err(PayError::NotAnswered));
    let question = world.hook.updates()[0]["pre_checkout_query"]["id"].clone();
    let late =
        world.fails("answerPreCheckoutQuery", json!({"pre_checkout_query_id": question, "ok": true})).await;
    assert!(late.starts_with("Bad Request: query is too old"), "{late}");
}

#[tokio::test]
async fn flood_control_counts_per_chat_and_per_bot() {
    let world = World::new().await;
    world.server.flood_control(true);
    for _ in 0..3 {
        world.say("burst").await;
    }
    let (status, body) = world.call("sendMessage", json!({"chat_id": ANA, "text": "one too many"})).await;
    assert_eq!((status, &body["parameters"]["retry_after"]), (429, &json!(1)));
    world.clock.advance(chrono::Duration::seconds(1));
    world.say("after the wait").await;
    world.clock.advance(chrono::Duration::seconds(10));
    let mut refused = None;
    for id in 0..40 {
        world.server.person(PersonSpec::new(id + 100, "Someone", "en")).open(BOT).unwrap();
        let (status, _) = world.call("sendMessage", json!({"chat_id": id + 100, "text": "to all"})).await;
        refused = refused.or((status == 429).then_some(id));
    }
    assert!(refused.is_some_and(|id| id >= 30), "{refused:?}");
}

#[tokio::test]
async fn faults_strike_where_they_should() {
    let world = World::new().await;
    let server = &world.server;
    let url = format!("{}/bot{TOKEN}/sendMessage", server.url());
    let send = || world.http.post(&url).json(&json!({"chat_id": ANA, "text": "x"})).send();
    let count = || world.ana.messages(BOT).unwrap().len();

    server.fault(FaultRule::new(Fault::Refuse).methods(&["SendMessage"]).times(1));
    assert!(send().await.is_err() && count() == 0);
    server.fault(FaultRule::new(Fault::ServerError).times(1));
    let answer = send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().starts_with("<html>"));
    server.fault(FaultRule::new(Fault::Cut).times(1));
    let cut = send().await.unwrap();
    assert!(cut.bytes().await.is_err(), "the answer must break off");
    assert_eq!(count(), 1, "and yet the message was sent");
    server.fault(FaultRule::new(Fault::TooManyRequests { retry_after: 7 }).chat(ANA).times(1));
    assert_eq!(
        world.call("sendMessage", json!({"chat_id": ANA, "text": "x"})).await.1["parameters"]["retry_after"],
        7
    );
    server
        .fault(FaultRule::new(Fault::Reject(ApiError::forbidden("user is deactivated"))).bot("another_bot"));
    world.say("another bot's fault").await;
    let silent = server.fault(FaultRule::new(Fault::Silent));
    let waited = tokio::time::timeout(Duration::from_millis(100), send()).await;
    assert!(waited.is_err(), "no answer may come");
    server.mend(silent);
    server.mend_all();
    world.say("mended").await;
    assert_eq!(count(), 3);
}

#[tokio::test]
async fn commands_depend_on_scope_and_language() {
    let world = World::new().await;
    let set = |scope: Value, language: &str, command: &str| {
        let commands = json!([{"command": command, "description": "does it"}]);
        world.ok("setMyCommands", json!({"commands": commands, "scope": scope, "language_code": language}))
    };
    set(json!({"type": "default"}), "", "start").await;
    set(json!({"type": "default"}), "es", "inicio").await;
    let menu = || world.ana.commands(BOT).unwrap()[0].0.clone();
    assert_eq!(menu(), "inicio");
    world.ana.set_language(Some("ru"));
    assert_eq!(menu(), "start");
    set(json!({"type": "chat", "chat_id": ANA}), "", "audit").await;
    assert_eq!(menu(), "audit");
    world.ok("deleteMyCommands", json!({"scope": {"type": "chat", "chat_id": ANA}})).await;
    assert_eq!(menu(), "start");
    let bad = json!({"commands": [{"command": "Start", "description": "x"}]});
    assert_eq!(world.fails("setMyCommands", bad).await, "Bad Request: BOT_COMMAND_INVALID");
    world.ok("setMyDescription", json!({"description": "hola", "language_code": "es"})).await;
    assert_eq!(world.ok("getMyDescription", json!({"language_code": "es"})).await["description"], "hola");
    assert_eq!(world.ok("getMyDescription", json!({})).await["description"], "");
}

#[tokio::test]
async fn a_raw_body_is_delivered_as_it_is() {
    let world = World::new().await;
    world.server.inject_raw(BOT, "any", &b"{\"update_id\":1,\n\"message\":{\"text\":\"\xff\"}}"[..]);
    world.server.inject(BOT, "any", "subscription", &json!({"state": "canceled"})).unwrap();
    assert!(world.server.delivered().await);
    let updates = world.hook.updates();
    assert_eq!(updates[0], Value::Null, "not even UTF-8");
    assert_eq!(updates[1]["subscription"]["state"], "canceled");
}

#[tokio::test]
async fn the_transcript_reads_like_a_chat() {
    let world = World::new().await;
    world.ana.send_text(BOT, "/start").unwrap();
    let sent = world
        .ok("sendMessage", json!({"chat_id": ANA, "text": "Hola\nAna", "reply_markup": button("go")}))
        .await;
    let press = world.ana.click(BOT, "Press").unwrap();
    world.ok("answerCallbackQuery", json!({"callback_query_id": press.id, "text": "ok"})).await;
    let edit = json!({"chat_id": ANA, "message_id": sent["message_id"], "text": "Adiós"});
    world.ok("editMessageText", edit).await;
    let transcript = world.ana.chat(BOT).unwrap().transcript();
    assert_eq!(
        transcript,
        "Ana: /start\nuSipipo: Hola\n    Ana\n    [Press]\nAna presses [Press]\n    ⓘ ok\nuSipipo (edits): Adiós"
    );
    let missing = world.ana.click(BOT, "nowhere").err().unwrap().to_string();
    assert!(missing.contains("nowhere"), "{missing}");
}

//! A small bot to look at the page with, by hand:
//! `cargo test --test it demo_telegram::play -- --ignored --nocapture`, then open the printed address.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Value, json};
use usipipo::clock::Clock;
use usipipo::demo::telegram::{Options, PersonSpec, TelegramServer};

use super::TOKEN;

const CONF: &str = "[Interface]\nPrivateKey = 8Nq…\nAddress = 10.8.0.7/32\nDNS = 1.1.1.1\n\n[Peer]\nEndpoint = vpn.example.org:51820\nAllowedIPs = 0.0.0.0/0\n";

#[derive(Clone)]
struct Shop {
    base: String,
    http: reqwest::Client,
}

impl Shop {
    async fn call(&self, method: &str, fields: Value) -> Value {
        let url = format!("{}/bot{TOKEN}/{method}", self.base);
        let answer: Value = self.http.post(url).json(&fields).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["ok"], json!(true), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn file(&self, method: &str, field: &'static str, name: &'static str, bytes: Vec<u8>, rest: Value) {
        let part = reqwest::multipart::Part::bytes(bytes).file_name(name);
        let mut form = reqwest::multipart::Form::new().part(field, part).text("parse_mode", "HTML");
        for (name, value) in rest.as_object().unwrap() {
            form = form.text(name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        let url = format!("{}/bot{TOKEN}/{method}", self.base);
        assert_eq!(self.http.post(url).multipart(form).send().await.unwrap().status(), 200);
    }

    async fn receive(State(shop): State<Shop>, body: Bytes) {
        let update: Value = serde_json::from_slice(&body).unwrap();
        tokio::spawn(async move { shop.handle(update).await });
    }

    async fn handle(&self, update: Value) {
        if let Some(query) = update.get("pre_checkout_query") {
            self.call("answerPreCheckoutQuery", json!({"pre_checkout_query_id": query["id"], "ok": true}))
                .await;
        } else if let Some(query) = update.get("callback_query") {
            self.pressed(query).await;
        } else if let Some(message) = update.get("message") {
            let chat = &message["chat"]["id"];
            match message["text"].as_str() {
                Some("/start") => self.welcome(chat, &message["from"]["first_name"]).await,
                Some(other) => self.say(chat, other).await,
                None => self.deliver(chat).await,
            }
        }
    }

    async fn say(&self, chat: &Value, text: &str) {
        self.call("sendMessage", json!({"chat_id": chat, "text": format!("You said: {text}")})).await;
    }

    async fn welcome(&self, chat: &Value, name: &Value) {
        let text = format!(
            "👋 <b>Hello, {}!</b>\n\nAccess to the free internet within a minute: <i>WireGuard</i> and <u>Outline</u>. \
             7 days are on us.\n\n<blockquote>Your address: <code>10.8.0.7</code></blockquote>\nSee /plans or \
             <a href=\"https://example.org\">our site</a>. <tg-spoiler>Surprise</tg-spoiler>",
            name.as_str().unwrap()
        );
        let rows = json!([
            [{"text": "🎁 Free trial", "callback_data": "trial"}, {"text": "💎 Plans", "callback_data": "plans"}],
            [{"text": "📋 My VPN", "callback_data": "mine"}],
            [{"text": "🌐 Language", "callback_data": "alert"}, {"text": "Site", "url": "https://example.org/"}]
        ]);
        let markup = json!({"inline_keyboard": rows});
        self.call(
            "sendMessage",
            json!({"chat_id": chat, "text": text, "parse_mode": "HTML", "reply_markup": markup}),
        )
        .await;
    }

    async fn pressed(&self, query: &Value) {
        let (chat, id) = (&query["message"]["chat"]["id"], &query["message"]["message_id"]);
        let mut answer = json!({"callback_query_id": query["id"]});
        match query["data"].as_str().unwrap() {
            "trial" => self.deliver(chat).await,
            "plans" => {
                let text = "<b>Plans</b>\nMonthly — unlimited traffic, 3 devices: <b>⭐ 250</b>";
                let rows = json!([[{"text": "⭐ Pay 250 Stars", "callback_data": "buy"}], [{"text": "‹ Back", "callback_data": "alert"}]]);
                self.call(
                    "editMessageText",
                    json!({"chat_id": chat, "message_id": id, "text": text, "parse_mode": "HTML",
                    "reply_markup": {"inline_keyboard": rows}}),
                )
                .await;
            }
            "buy" => {
                self.call("sendInvoice", json!({"chat_id": chat, "title": "Monthly", "description": "30 days of VPN without limits on 3 devices",
                    "payload": format!("ord_{id}"), "currency": "XTR", "prices": [{"label": "Monthly", "amount": 250}]})).await;
            }
            "alert" => {
                answer["text"] = json!("This menu is from yesterday.\nHere is what you can do now.");
                answer["show_alert"] = json!(true);
            }
            other => answer["text"] = json!(format!("You pressed {other}")),
        }
        self.call("answerCallbackQuery", answer).await;
    }

    async fn deliver(&self, chat: &Value) {
        let copy = json!({"inline_keyboard": [[{"text": "Copy the key", "copy_text": {"text": "ss://Y2hhY2hhMjA@vpn.example.org:8388"}}]]});
        self.file(
            "sendDocument",
            "document",
            "ana-wireguard.conf",
            CONF.into(),
            json!({"chat_id": chat, "caption": "Your <b>WireGuard</b> configuration"}),
        )
        .await;
        self.file(
            "sendPhoto",
            "photo",
            "qr.png",
            qr(CONF),
            json!({"chat_id": chat, "caption": "Scan it in the app."}),
        )
        .await;
        let text = format!("<pre><code class=\"language-ini\">{CONF}</code></pre>");
        self.call(
            "sendMessage",
            json!({"chat_id": chat, "text": text, "parse_mode": "HTML", "reply_markup": copy}),
        )
        .await;
    }
}

fn qr(text: &str) -> Vec<u8> {
    let code = qrcode::QrCode::new(text).unwrap();
    let (scale, quiet) = (6, 4);
    let side = (code.width() + 2 * quiet) * scale;
    let dark = |x: usize, y: usize| {
        let inside = |v: usize| (v / scale).checked_sub(quiet).filter(|v| *v < code.width());
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == qrcode::Color::Dark)
    };
    let pixels: Vec<u8> =
        (0..side * side).map(|at| if dark(at % side, at / side) { 0 } else { 255 }).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side as u32, side as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

#[tokio::test]
#[ignore = "serves the page until it is stopped; for looking at it by hand"]
async fn serve_an_example() {
    let server = TelegramServer::start(Options::new(Clock::default())).await.unwrap();
    server.add_bot(TOKEN, "usipipo_client_bot", "uSipipo VPN");
    server.add_bot("2:s", "usipipo_support_bot", "uSipipo Support");
    server.add_bot("3:a", "usipipo_admin_bot", "uSipipo Admin");
    for (id, name, language) in
        [(6_018_273_645, "Ana", "es"), (514_208_893, "Илья", "ru"), (902_114_573, "Sam", "en")]
    {
        server.person(PersonSpec::new(id, name, language));
    }
    let shop = Shop { base: server.url(), http: reqwest::Client::new() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().fallback(Shop::receive).with_state(shop.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    shop.call("setWebhook", json!({"url": hook})).await;
    shop.call(
        "setMyDescription",
        json!({"description": "A VPN in a minute.\nPress Start and try it for 7 days, free."}),
    )
    .await;
    let commands = json!([{"command": "start", "description": "Main menu"}, {"command": "plans", "description": "Plans and prices"},
        {"command": "vpn", "description": "My configurations"}, {"command": "help", "description": "Help"}]);
    shop.call("setMyCommands", json!({"commands": commands})).await;
    println!("{}", server.url());
    tokio::signal::ctrl_c().await.unwrap();
}

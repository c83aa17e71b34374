//! The page and the HTTP API behind it.

use serde_json::{Value, json};

use super::{ANA, BOT, World, button};

impl World {
    async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.server.url())).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.server.url());
        let response = self.http.post(url).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn the_page_and_all_it_asks_for_are_there() {
    let world = World::new().await;
    let page = world.get("/").await.text().await.unwrap();
    let mut wanted: Vec<String> = vec!["/_demo/page/app.js".into(), "/_demo/page/style.css".into()];
    let mut looked = Vec::new();
    assert!(wanted.iter().all(|path| page.contains(path.as_str())));
    while let Some(path) = wanted.pop() {
        let answer = world.get(&path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let text = answer.text().await.unwrap();
        let imports = text.lines().filter(|line| line.starts_with("import "));
        let names = imports.filter_map(|line| Some(line.split_once("\"./")?.1.split('"').next()?.to_owned()));
        looked.push(path);
        wanted.extend(names.map(|name| format!("/_demo/page/{name}")).filter(|path| !looked.contains(path)));
    }
    assert!(looked.iter().any(|path| path.ends_with("message.js")));
    assert!(!page.contains("https://"), "the page needs nothing from outside");
    assert_eq!(world.get("/_demo/page/../mod.rs").await.status(), 404);
}

#[tokio::test]
async fn a_chat_is_played_over_http() {
    let world = World::new().await;
    let chat = format!("/_demo/chats/{BOT}/{ANA}");
    let (status, _) = world.post(&format!("{chat}/text"), json!({"text": "/start"})).await;
    assert_eq!(status, 200);
    let sent =
        world.ok("sendMessage", json!({"chat_id": ANA, "text": "menu", "reply_markup": button("go")})).await;
    let press = json!({"message_id": sent["message_id"], "row": 0, "column": 0});
    let path = format!("{chat}/press");
    let pressing = world.post(&path, press);
    let answering = async {
        let id = world
            .server
            .wait_until(|| {
                let updates = world.hook.updates();
                updates.iter().find_map(|update| Some(update["callback_query"]["id"].as_str()?.to_owned()))
            })
            .await
            .unwrap();
        world.ok("answerCallbackQuery", json!({"callback_query_id": id, "text": "hello"})).await;
    };
    let ((status, pressed), ()) = tokio::join!(pressing, answering);
    assert_eq!((status, &pressed["answer"]["text"]), (200, &json!("hello")));
    let seen: Value = world.get(&chat).await.json().await.unwrap();
    assert_eq!(
        seen["chat"]["messages"][1]["keyboard"][0][0],
        json!({"text": "Press", "callback_data": "go"})
    );
    let (status, refused) = world.post(&path, json!({"message_id": 1, "row": 0, "column": 0})).await;
    assert_eq!((status, refused["error"].as_str().unwrap()), (400, "there is no message 1 in the chat"));

    world.post(&format!("{chat}/blocked"), json!({"blocked": true})).await;
    assert!(world.ana.chat(BOT).unwrap().blocked);
    let (status, refused) =
        world.post(&format!("{chat}/pay"), json!({"message_id": sent["message_id"]})).await;
    assert_eq!((status, refused["error"].as_str().unwrap()), (400, "there is no such invoice"));
    let underneath: Value = world.get("/_demo/underneath").await.json().await.unwrap();
    assert!(underneath["calls"].as_array().unwrap().iter().any(|call| call["method"] == "sendMessage"));
    assert!(
        underneath["deliveries"].as_array().unwrap().iter().any(|update| update["kind"] == "callback_query")
    );
}

#[tokio::test]
async fn people_come_and_change_their_language() {
    let world = World::new().await;
    let (_, new) = world.post("/_demo/people", json!({"first_name": " Илья ", "language_code": "ru"})).await;
    let id = new["id"].as_i64().unwrap();
    assert!(id > i64::from(u32::MAX));
    world.post(&format!("/_demo/people/{id}/language"), json!({"language_code": "en"})).await;
    let state: Value = world.get("/_demo/state").await.json().await.unwrap();
    let person = &state["people"][1];
    assert_eq!((&person["first_name"], &person["language_code"]), (&json!("Илья"), &json!("en")));
    assert_eq!(world.post("/_demo/people", json!({"first_name": " ", "language_code": ""})).await.0, 400);
}

#[tokio::test]
async fn the_clock_goes_forward_only() {
    let world = World::new().await;
    let before = world.clock.now();
    assert_eq!(world.post("/_demo/clock", json!({"seconds": 3 * 86_400})).await.0, 200);
    assert!(world.clock.now().since(before) >= chrono::Duration::days(3));
    assert_eq!(world.post("/_demo/clock", json!({"seconds": -5})).await.0, 400);
}

#[tokio::test]
async fn documents_are_downloaded_as_they_were_sent() {
    let world = World::new().await;
    let file = reqwest::multipart::Part::bytes(b"[Interface]".to_vec()).file_name("ana \"1\".conf");
    let form = reqwest::multipart::Form::new().text("chat_id", ANA.to_string()).part("document", file);
    let url = format!("{}/bot{}/sendDocument", world.server.url(), super::TOKEN);
    assert_eq!(world.http.post(url).multipart(form).send().await.unwrap().status(), 200);
    let document = world.ana.messages(BOT).unwrap().remove(0).document.unwrap();
    let answer = world.get(&document.path).await;
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(disposition.starts_with("attachment; filename=\"ana "), "{disposition}");
    assert_eq!(answer.bytes().await.unwrap(), "[Interface]");
}

//! Calling methods: forms of a call, refusals, edits, presses, menus.

use serde_json::{Value, json};
use usipipo::demo::telegram::PersonSpec;

use super::{ANA, BOT, TOKEN, World, button};

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

#[tokio::test]
async fn messages_are_passed_on() {
    let world = World::new().await;
    let ben = world.server.person(PersonSpec::new(7, "Ben", "en"));
    ben.open(BOT).unwrap();
    let hers = world.ana.send_text(BOT, "help /now").unwrap();
    let source = json!({"chat_id": 7, "from_chat_id": ANA, "message_id": hers});
    let forwarded = world.ok("forwardMessage", source.clone()).await;
    assert_eq!(forwarded["forward_origin"]["sender_user"]["id"], ANA);
    assert!(world.ok("copyMessage", source).await["message_id"].is_number());
    let seen = ben.messages(BOT).unwrap();
    assert_eq!((seen[0].forwarded, seen[1].forwarded), (true, false));
    assert_eq!(seen[1].text, "help /now");
    let missing = json!({"chat_id": 7, "from_chat_id": ANA, "message_id": 1});
    assert_eq!(world.fails("copyMessage", missing).await, "Bad Request: message to copy not found");
}

#[tokio::test]
async fn what_is_no_picture_is_no_photo() {
    let world = World::new().await;
    let photo = reqwest::multipart::Part::bytes(b"GIF89a".to_vec()).file_name("qr.png");
    let form = reqwest::multipart::Form::new().text("chat_id", ANA.to_string()).part("photo", photo);
    let url = format!("{}/bot{TOKEN}/sendPhoto", world.server.url());
    let answer: Value = world.http.post(url).multipart(form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["description"], "Bad Request: IMAGE_PROCESS_FAILED");
}

#[tokio::test]
async fn a_modified_app_presses_with_any_data() {
    let world = World::new().await;
    world.ana.press_data(BOT, 5, "forged:1:2:3").unwrap();
    assert!(world.server.delivered().await);
    let query = world.hook.updates()[0]["callback_query"].clone();
    assert_eq!((&query["data"], &query["message"]["date"]), (&json!("forged:1:2:3"), &json!(0)));
}

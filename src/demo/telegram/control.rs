//! The page and the small JSON API behind it, under `/_demo/`: what people see and do, the clock, and what
//! happened underneath.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Inner;
use super::chat::ChatView;
use super::people::{PersonHandle, PersonSpec};
use super::wire;
use super::world::{BotAccount, ChatKey, Person, World};

/// Entries of each kind that the panel "underneath" shows.
const UNDERNEATH: usize = 150;

pub fn routes() -> Router<Arc<Inner>> {
    Router::new()
        .route("/", get(|| asset("index.html")))
        .route("/_demo/page/{name}", get(|Path(name): Path<String>| async move { asset(&name).await }))
        .route("/_demo/events", get(events))
        .route("/_demo/state", get(state))
        .route("/_demo/underneath", get(underneath))
        .route("/_demo/files/{id}", get(file))
        .route("/_demo/clock", post(fast_forward))
        .route("/_demo/people", post(add_person))
        .route("/_demo/people/{person}/language", post(set_language))
        .route("/_demo/chats/{bot}/{person}", get(chat))
        .route("/_demo/chats/{bot}/{person}/text", post(send_text))
        .route("/_demo/chats/{bot}/{person}/press", post(press))
        .route("/_demo/chats/{bot}/{person}/pay", post(pay))
        .route("/_demo/chats/{bot}/{person}/blocked", post(set_blocked))
}

/// A file of the page.
async fn asset(name: &str) -> Response {
    let (mime, text) = match name {
        "index.html" => ("text/html; charset=utf-8", include_str!("page/index.html")),
        "style.css" => ("text/css; charset=utf-8", include_str!("page/style.css")),
        "chat.css" => ("text/css; charset=utf-8", include_str!("page/chat.css")),
        "app.js" => (JAVASCRIPT, include_str!("page/app.js")),
        "chat.js" => (JAVASCRIPT, include_str!("page/chat.js")),
        "message.js" => (JAVASCRIPT, include_str!("page/message.js")),
        "sheets.js" => (JAVASCRIPT, include_str!("page/sheets.js")),
        "underneath.js" => (JAVASCRIPT, include_str!("page/underneath.js")),
        "util.js" => (JAVASCRIPT, include_str!("page/util.js")),
        "words.js" => (JAVASCRIPT, include_str!("page/words.js")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, mime), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// What went wrong, in words for the person at the page.
struct Refused(String);

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"error": self.0}))).into_response()
    }
}

type Shared = State<Arc<Inner>>;
/// Username of the bot and id of the person.
type Seat = Path<(String, i64)>;

fn person(inner: &Arc<Inner>, id: i64) -> PersonHandle {
    PersonHandle { inner: Arc::clone(inner), id }
}

/// Says that something changed, and nothing more: the page then asks for what it shows.
async fn events(State(inner): Shared) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = inner.changes();
    let stop = inner.stop.clone();
    let stream = futures::stream::unfold((changes, stop), |(mut changes, stop)| async move {
        let changed = stop.run_until_cancelled(changes.changed()).await;
        let revision = changed?.ok().map(|()| *changes.borrow_and_update())?;
        Some((Ok(Event::default().data(revision.to_string())), (changes, stop)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// The bots, the people, and the last words of every chat.
async fn state(State(inner): Shared) -> Json<Value> {
    let now = inner.now();
    Json(inner.read(|world| {
        let bots: Vec<Value> =
            world.bots_in_order().iter().map(|bot| json!({"username": bot.username})).collect();
        let people: Vec<Value> = world.people.iter().map(|person| person_entry(world, person)).collect();
        json!({"now": now.unix(), "bots": bots, "people": people})
    }))
}

fn person_entry(world: &World, person: &Person) -> Value {
    let language = person.language_code.clone().unwrap_or_default();
    let chats: Vec<Value> = world
        .bots_in_order()
        .into_iter()
        .map(|bot| chat_entry(world, bot, (bot.id, person.id), &language))
        .collect();
    json!({
        "id": person.id,
        "first_name": person.first_name,
        "language_code": language,
        "stars": person.stars,
        "chats": chats,
    })
}

fn chat_entry(world: &World, bot: &BotAccount, key: ChatKey, language: &str) -> Value {
    let messages = world.chats.get(&key).map(|chat| &chat.messages);
    let last = messages.and_then(|messages| messages.values().next_back());
    json!({
        "bot": bot.username,
        "name": bot.text_for("name", language).unwrap_or(&bot.name),
        "last": last.map(|message| json!({
            "text": world.told(&message.content).lines().next(),
            "from_bot": message.from_bot,
            "date": message.date.unix(),
        })),
        "received": messages.map_or(0, |messages| messages.values().filter(|message| message.from_bot).count()),
    })
}

/// A chat as the person sees it, with the bot's command menu and description in the person's language.
async fn chat(State(inner): Shared, Path((bot, id)): Seat) -> Result<Json<Value>, Refused> {
    let seen: ChatView = person(&inner, id).chat(&bot)?;
    Ok(Json(inner.read(|world| {
        let key = (world.bot_by_username(&bot).unwrap_or_default(), id);
        let language = world.person(id).and_then(|person| person.language_code.clone()).unwrap_or_default();
        let account = world.bot(key.0);
        json!({
            "chat": seen,
            "name": account.text_for("name", &language).unwrap_or(&account.name),
            "description": account.text_for("description", &language),
            "commands": world.commands_for(key.0, id),
        })
    })))
}

#[derive(Deserialize)]
struct NewPerson {
    first_name: String,
    language_code: String,
}

async fn add_person(State(inner): Shared, Json(new): Json<NewPerson>) -> Result<Json<Value>, Refused> {
    let name = new.first_name.trim();
    if name.is_empty() {
        return Err(Refused("A person needs a name.".into()));
    }
    // Beyond 32 bits, as new accounts are, and never the same again after a restart.
    let first = 5_000_000_000 + inner.now().unix();
    let id = inner.read(|world| (first..).find(|id| world.person(*id).is_none()).unwrap_or(first));
    inner.add_person(PersonSpec::new(id, name, &new.language_code));
    Ok(Json(json!({"id": id})))
}

#[derive(Deserialize)]
struct Language {
    language_code: String,
}

async fn set_language(State(inner): Shared, Path(id): Path<i64>, Json(new): Json<Language>) -> Json<Value> {
    person(&inner, id)
        .set_language(Some(&new.language_code).filter(|code| !code.is_empty()).map(String::as_str));
    Json(json!({}))
}

#[derive(Deserialize)]
struct Words {
    text: String,
}

async fn send_text(
    State(inner): Shared,
    Path((bot, id)): Seat,
    Json(said): Json<Words>,
) -> Result<Json<Value>, Refused> {
    if said.text.trim().is_empty() {
        return Err(Refused("There is nothing to send.".into()));
    }
    Ok(Json(json!({"message_id": person(&inner, id).send_text(&bot, &said.text)?})))
}

#[derive(Deserialize)]
struct PressAt {
    message_id: i64,
    row: usize,
    column: usize,
}

/// Presses a button and waits for what the bot answers; `null` when it answers nothing.
async fn press(
    State(inner): Shared,
    Path((bot, id)): Seat,
    Json(at): Json<PressAt>,
) -> Result<Json<Value>, Refused> {
    let pressed = person(&inner, id).press_at(&bot, at.message_id, at.row, at.column)?;
    Ok(Json(json!({"answer": pressed.answered().await})))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bill {
    Message { message_id: i64 },
    Link { link: String },
}

async fn pay(
    State(inner): Shared,
    Path((bot, id)): Seat,
    Json(bill): Json<Bill>,
) -> Result<Json<Value>, Refused> {
    let payer = person(&inner, id);
    let receipt = match bill {
        Bill::Message { message_id } => payer.pay(&bot, message_id).await?,
        Bill::Link { link } => payer.pay_link(&link).await?,
    };
    Ok(Json(json!({"charge_id": receipt.charge_id, "amount": receipt.amount})))
}

#[derive(Deserialize)]
struct Blocked {
    blocked: bool,
}

async fn set_blocked(
    State(inner): Shared,
    Path((bot, id)): Seat,
    Json(new): Json<Blocked>,
) -> Result<Json<Value>, Refused> {
    let who = person(&inner, id);
    if new.blocked {
        who.block(&bot)?
    } else {
        who.unblock(&bot)?
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct FastForward {
    seconds: i64,
}

async fn fast_forward(State(inner): Shared, Json(by): Json<FastForward>) -> Result<Json<Value>, Refused> {
    if !(1..=366 * 86_400).contains(&by.seconds) {
        return Err(Refused("The clock goes forward only, and at most a year at once.".into()));
    }
    (inner.options.on_fast_forward)(chrono::Duration::seconds(by.seconds));
    inner.change(|_| ());
    Ok(Json(json!({"now": inner.now().unix()})))
}

/// The newest deliveries and calls, oldest first.
async fn underneath(State(inner): Shared) -> Json<Value> {
    let (calls, deliveries) = inner.read(|world| {
        let calls = world.calls[world.calls.len().saturating_sub(UNDERNEATH)..].to_vec();
        let deliveries = world.deliveries[world.deliveries.len().saturating_sub(UNDERNEATH)..].to_vec();
        (calls, deliveries)
    });
    Json(json!({"calls": calls, "deliveries": deliveries}))
}

async fn file(State(inner): Shared, Path(id): Path<String>) -> Response {
    let stored = inner.read(|world| {
        let file = world.files.get(wire::file_number(&id)?)?;
        Some((
            file.name.replace(['"', '\r', '\n'], "_"),
            file.mime.clone(),
            file.bytes.clone(),
            file.size.is_some(),
        ))
    });
    let Some((name, mime, bytes, picture)) = stored else { return StatusCode::NOT_FOUND.into_response() };
    let place = if picture { "inline" } else { "attachment" };
    let disposition = format!("{place}; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, mime), (header::CONTENT_DISPOSITION, disposition)], bytes).into_response()
}

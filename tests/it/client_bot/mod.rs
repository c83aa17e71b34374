//! The client bot from updates to what is queued: every update goes through a real unit of work over a database, and
//! each through a new `Bots`, so that nothing may hang on what a process remembers.

mod admin;
mod commands;
mod configs;
mod connect;
mod fixtures;
mod groups;
mod introduction;
mod links;
mod money;
mod orders;
mod renewal;
mod status;
mod support;
mod told;
mod trouble;
mod walk;

use std::sync::atomic::{AtomicI64, Ordering};

use scoped_futures::ScopedFutureExt;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use usipipo::crud;
use usipipo::handlers::bots::Bots;
use usipipo::handlers::bots::usernames::Usernames;
use usipipo::i18n::Texts;
use usipipo::ids::{ConfigId, UserId};
use usipipo::integrations::telegram::update;
use usipipo::models::address::PoolKind;
use usipipo::models::audit::Actor;
use usipipo::models::bot::{Bot, Language};
use usipipo::models::outgoing::{Ack, Body, ButtonAction, Class};
use usipipo::models::server::{NewServer, ServerHealth};
use usipipo::models::user::User;
use usipipo::models::vpn::{Applied, Protocol};
use usipipo::queue::Failure;
use usipipo::services::server::{self, NewPool, ServerError};
use usipipo::services::vpn::{self, ConfigError};
use usipipo::work::Origin;

use crate::support::works::TestWorks;

/// Somebody who writes to the bots.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub id: i64,
    pub name: &'static str,
    pub language: &'static str,
}

pub const ANA: Person = Person { id: 6_123_456_789, name: "Ana", language: "en" };
pub const BRUNO: Person = Person { id: 6_000_000_002, name: "Bruno", language: "es" };
/// Named in `SUPERADMIN_TELEGRAM_IDS`.
pub const BOSS: Person = Person { id: 1, name: "Boss", language: "en" };
/// Named in `ADMIN_TELEGRAM_IDS`.
pub const HELPER: Person = Person { id: 2, name: "Helper", language: "en" };

impl Person {
    pub fn user(self) -> UserId {
        UserId(self.id)
    }

    pub fn speaking(self, language: Language) -> Self {
        Self { language: language.as_str(), ..self }
    }

    pub fn texts(self) -> &'static Texts {
        Texts::of(self.language.parse().unwrap())
    }

    pub fn json(self) -> Value {
        json!({
            "id": self.id, "is_bot": false, "first_name": self.name, "username": self.name.to_lowercase(),
            "language_code": self.language,
        })
    }

    pub fn chat(self) -> Value {
        json!({ "id": self.id, "first_name": self.name, "type": "private" })
    }
}

/// What an update made the bot queue.
#[derive(Debug)]
pub struct Said(pub Vec<(i64, Class, Body)>);

impl Said {
    pub fn bodies(&self) -> Vec<&Body> {
        self.0.iter().map(|(_, _, body)| body).collect()
    }

    pub fn nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// Every answer to a press.
    pub fn acks(&self) -> Vec<&Ack> {
        fn ack(body: &Body) -> Option<&Ack> {
            match body {
                Body::Ack(ack) | Body::Edit { ack: Some(ack), .. } => Some(ack),
                _ => None,
            }
        }
        self.0.iter().filter_map(|(_, _, body)| ack(body)).collect()
    }

    /// The text of the one screen that was shown.
    pub fn html(&self) -> &str {
        fn html(body: &Body) -> Option<&str> {
            match body {
                Body::Text { html, .. } | Body::Edit { html, .. } => Some(html),
                _ => None,
            }
        }
        let shown: Vec<&str> = self.0.iter().filter_map(|(_, _, body)| html(body)).collect();
        assert_eq!(shown.len(), 1, "one screen: {:?}", self.0);
        shown[0]
    }

    /// The callback data of every button that was shown.
    pub fn buttons(&self) -> Vec<String> {
        let keyboards = self.0.iter().filter_map(|(_, _, body)| match body {
            Body::Text { keyboard, .. } | Body::Edit { keyboard, .. } => keyboard.as_ref(),
            _ => None,
        });
        let buttons = keyboards.flat_map(|keyboard| keyboard.0.iter().flatten());
        let data = buttons.filter_map(|button| match &button.action {
            ButtonAction::Callback(data) => Some(data.clone()),
            _ => None,
        });
        data.collect()
    }

    /// The words over the pressed button.
    pub fn alert(&self) -> Option<&str> {
        let acks = self.acks();
        assert_eq!(acks.len(), 1, "one answer to the press: {:?}", self.0);
        acks[0].text.as_deref()
    }
}

/// The house with its people, one database each.
pub struct House {
    pub works: TestWorks,
    updates: AtomicI64,
}

/// The message that every press of the tests is under.
pub const MESSAGE: i64 = 77;

impl House {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With QvaPay switched on, and `variables`.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let qvapay = [("QVAPAY_APP_ID", "app"), ("QVAPAY_APP_SECRET", "secret")];
        let variables: Vec<_> = variables.iter().chain(&qvapay).copied().collect();
        Self { works: TestWorks::with(&variables).await, updates: AtomicI64::new(1) }
    }

    /// With a server of each protocol that has room.
    pub async fn with_servers() -> Self {
        let house = Self::new().await;
        house.add_servers().await;
        house
    }

    /// Hands over one update, as the inbox does.
    pub async fn try_handle(&self, bots: &Bots, bot: Bot, update: &Value) -> Result<Said, Failure> {
        let update = update::parse(update.to_string().as_bytes()).unwrap();
        let (update, bots) = (&update, bots);
        let cause = usipipo::ids::time_ordered();
        let origin = Origin::new(Actor::System, cause);
        let handled = self
            .works
            .run("update", origin, |work| async move { bots.handle(work, bot, update).await }.scope_boxed());
        handled.await?;
        let rows: Vec<(i64, u8, String)> = sqlx::query_as(
            "SELECT chat_id, class, body FROM outbound_messages WHERE cause_id = ? ORDER BY id",
        )
        .bind(cause)
        .fetch_all(&self.works.db.pool)
        .await
        .unwrap();
        let class = |class: u8| Class::ALL[class as usize];
        let read =
            |(chat, c, body): (i64, u8, String)| (chat, class(c), serde_json::from_str(&body).unwrap());
        let mut said: Vec<_> = rows.into_iter().map(read).collect();
        // Of the menu of commands nobody reads in the chat.
        said.retain(|(_, _, body)| *body != Body::Menu);
        Ok(Said(said))
    }

    pub fn bots(&self) -> Bots {
        let usernames = Usernames::default();
        usernames.learn(Bot::Client, "usipipo_test_bot".into());
        Bots::new(&self.works.config, usernames)
    }

    /// An update to the client bot; `update` is its content by the name of its kind.
    pub async fn client(&self, update: Value) -> Said {
        self.to(Bot::Client, update).await
    }

    pub async fn to(&self, bot: Bot, update: Value) -> Said {
        let update = self.numbered(update);
        self.try_handle(&self.bots(), bot, &update).await.unwrap()
    }

    pub fn numbered(&self, mut update: Value) -> Value {
        update["update_id"] = self.updates.fetch_add(1, Ordering::Relaxed).into();
        update
    }

    pub async fn says(&self, person: Person, text: &str) -> Said {
        self.client(message(person, json!({ "text": text }))).await
    }

    pub async fn presses(&self, person: Person, data: &str) -> Said {
        self.client(press(person, data)).await
    }

    pub async fn user(&self, person: Person) -> Option<User> {
        let mut conn = self.works.db.pool.acquire().await.unwrap();
        crud::user::find(&mut conn, person.user()).await.unwrap()
    }

    /// A statement of the test's own.
    pub async fn sql(&self, statement: &str) {
        sqlx::query(AssertSqlSafe(statement)).execute(&self.works.db.pool).await.unwrap();
    }

    /// The one number that a query gives.
    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&self.works.db.pool).await.unwrap()
    }

    pub async fn text(&self, query: &str) -> String {
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&self.works.db.pool).await.unwrap()
    }

    pub async fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    /// A healthy server of each protocol.
    pub async fn add_servers(&self) {
        for protocol in Protocol::ALL {
            let run = self.works.run::<_, ServerError, _>("add_server", Origin::SYSTEM, move |work| {
                async move {
                    let pool = NewPool { kind: PoolKind::Paid, v4: "10.7.0.0/24".parse().unwrap(), v6: None };
                    let id = server::add(work, &new_server(*protocol), "{}", &[pool]).await?;
                    let now = work.now();
                    crud::server::set_health(work.conn(), id, ServerHealth::Up, "well", now).await?;
                    Ok(())
                }
                .scope_boxed()
            });
            run.await.unwrap();
        }
    }

    /// Does what the job does for each config that is being prepared.
    pub async fn hand_out(&self) {
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM vpn_configs WHERE status = 'preparing'")
            .fetch_all(&self.works.db.pool)
            .await
            .unwrap();
        for id in ids.into_iter().map(ConfigId) {
            let run = self.works.run::<_, ConfigError, _>("hand_out", Origin::SYSTEM, move |work| {
                async move {
                    let config = crud::vpn::find(work.conn(), id).await?.unwrap();
                    vpn::place(work, &config).await?;
                    vpn::applied(work, id, Applied::Present, None).await
                }
                .scope_boxed()
            });
            run.await.unwrap();
        }
    }

    /// A trial in the person's hands.
    pub async fn trial(&self, person: Person, protocol: Protocol) {
        self.says(person, "/start").await;
        self.presses(person, &format!("trial-take:{protocol}")).await;
        self.hand_out().await;
    }

    /// An order in Stars, as far as its invoice; gives its payload.
    pub async fn order(&self, person: Person, plan: i64) -> String {
        self.says(person, "/start").await;
        let said = self.presses(person, &format!("buy:{plan}:stars")).await;
        let payload = said.bodies().into_iter().find_map(|body| match body {
            Body::StarsInvoice { payload, .. } => Some(payload.clone()),
            _ => None,
        });
        payload.unwrap()
    }

    /// A plan bought with Stars and handed out.
    pub async fn bought(&self, person: Person, plan: i64, stars: i64) {
        let payload = self.order(person, plan).await;
        self.client(paid(person, &payload, stars, &format!("charge-of-{payload}"))).await;
        self.hand_out().await;
    }
}

fn new_server(protocol: Protocol) -> NewServer {
    NewServer {
        name: format!("{protocol}-1"),
        protocol,
        location: "🇩🇪 Frankfurt".into(),
        settings: "{}".into(),
        capacity: 100,
    }
}

/// A message in the private chat, with `content` over it.
pub fn message(person: Person, content: Value) -> Value {
    let mut message = json!({
        "message_id": 10, "from": person.json(), "chat": person.chat(), "date": 1_795_262_398,
    });
    for (name, value) in content.as_object().unwrap() {
        message[name] = value.clone();
    }
    json!({ "message": message })
}

/// A press under [`MESSAGE`] in the private chat.
pub fn press(person: Person, data: &str) -> Value {
    let message = json!({ "message_id": MESSAGE, "chat": person.chat(), "date": 1_795_262_390 });
    json!({ "callback_query": {
        "id": "4382bfdwdsb323b2d9", "from": person.json(), "chat_instance": "1", "message": message, "data": data,
    } })
}

pub fn paid(person: Person, payload: &str, stars: i64, charge: &str) -> Value {
    message(
        person,
        json!({ "successful_payment": {
        "currency": "XTR", "total_amount": stars, "invoice_payload": payload,
        "telegram_payment_charge_id": charge, "provider_payment_charge_id": "",
    } }),
    )
}

pub fn pre_checkout(person: Person, payload: &str, stars: i64) -> Value {
    json!({ "pre_checkout_query": {
        "id": "26299342000000000", "from": person.json(), "currency": "XTR", "total_amount": stars,
        "invoice_payload": payload,
    } })
}

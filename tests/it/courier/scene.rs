//! Somebody to write to, and what she has.

use std::time::Duration;

use rust_decimal::Decimal;
use scoped_futures::ScopedFutureExt;
use usipipo::clock::Timestamp;
use usipipo::crud;
use usipipo::demo::telegram::{MessageView, PersonHandle};
use usipipo::ids::{ChatId, ConfigId, PaymentId, PlanId, ServerId, SubscriptionId, UserId};
use usipipo::integrations::vpn::Credentials;
use usipipo::integrations::vpn::wireguard::{WireGuardSecret, WireGuardSettings};
use usipipo::models::address::PoolKind;
use usipipo::models::bot::Bot;
use usipipo::models::event::QueueStatus;
use usipipo::models::notice::Notice;
use usipipo::models::outgoing::{Body, Class, ConfigPart, Outgoing};
use usipipo::models::payment::{Charge, NewPayment, PaymentStatus, ProviderId};
use usipipo::models::server::NewServer;
use usipipo::models::subscription::{Subscription, SubscriptionStatus, TRIAL, product_of};
use usipipo::models::vpn::{ConfigStatus, Protocol};
use usipipo::money::{Currency, Money};
use usipipo::queue::outbox::{Courier, Delivery};
use usipipo::services::vpn;
use usipipo::work::Origin;

use crate::support::chats::{BOT, Chats};

pub const LIMIT: Duration = Duration::from_secs(20);
pub const ANA: UserId = UserId(6_018_273_645);

/// A world with Ana, who reads Spanish, and what she has.
pub struct Scene {
    pub chats: Chats,
    pub ana: PersonHandle,
}

impl Scene {
    pub async fn new() -> Self {
        Self::in_language("es").await
    }

    pub async fn in_language(language: &str) -> Self {
        let chats = Chats::new().await;
        let ana = chats.person(ANA.0, "Ana", language).await;
        Self { chats, ana }
    }

    pub fn now(&self) -> Timestamp {
        self.chats.clock.now()
    }

    pub async fn conn(&self) -> sqlx::pool::PoolConnection<sqlx::MySql> {
        self.chats.db.pool.acquire().await.unwrap()
    }

    pub async fn deliver(&self, body: &Body) -> Delivery {
        self.chats.courier().deliver(Bot::Client, ANA.into(), body).await
    }

    /// Delivers what must arrive, and shows it as Ana sees it.
    pub async fn arrives(&self, body: &Body) -> MessageView {
        let Delivery::Sent { message_id } = self.deliver(body).await else { panic!("not sent: {body:?}") };
        self.ana.chat(BOT).unwrap().message(message_id.unwrap()).unwrap().clone()
    }

    pub async fn told(&self, notice: Notice) -> MessageView {
        self.arrives(&Body::Notice { notice, replace: None }).await
    }

    /// Why a notice is not sent any more.
    pub async fn moot(&self, notice: Notice) -> String {
        self.unsent(&Body::Notice { notice, replace: None }).await
    }

    pub async fn unsent(&self, body: &Body) -> String {
        match self.deliver(body).await {
            Delivery::Moot(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    /// The first plan of the default catalogue: a week.
    pub async fn plan(&self) -> PlanId {
        crud::plan::find_by_code(&mut *self.conn().await, "week").await.unwrap().unwrap().id
    }

    /// A subscription of Ana's that ends in `hours`.
    pub async fn subscription(&self, plan: Option<PlanId>, hours: i64) -> SubscriptionId {
        let now = self.now();
        let new = Subscription {
            id: SubscriptionId(0),
            user_id: ANA,
            product: plan.map_or(TRIAL.to_owned(), product_of),
            plan_id: plan,
            status: SubscriptionStatus::Active,
            starts_at: now,
            ends_at: now + chrono::Duration::hours(hours),
            device_limit: 3,
            allowance: Some(10 << 30),
            used: 0,
            renews: false,
            created_at: now,
        };
        crud::subscription::insert(&mut *self.conn().await, &new).await.unwrap()
    }

    pub async fn change_subscription(&self, id: SubscriptionId, change: impl FnOnce(&mut Subscription)) {
        let mut conn = self.conn().await;
        let mut subscription = crud::subscription::find(&mut conn, id).await.unwrap().unwrap();
        change(&mut subscription);
        crud::subscription::update(&mut conn, &subscription, self.now()).await.unwrap();
    }

    pub async fn server(&self, protocol: Protocol, settings: String) -> ServerId {
        let new = NewServer {
            name: protocol.to_string(),
            protocol,
            location: "Madrid".into(),
            settings,
            capacity: 100,
        };
        let mut conn = self.conn().await;
        let sealed = self.chats.config.keyring.seal("server:test", b"{}");
        let server = crud::server::insert(&mut conn, &new, &sealed, self.now()).await.unwrap();
        let (kind, now) = (PoolKind::Paid, self.now());
        let pool =
            crud::address::insert_pool(&mut conn, server, kind, "10.66.0.0/24", Some("fd42:66::/64"), now)
                .await;
        crud::address::insert_hosts(&mut conn, pool.unwrap(), &[2, 3], now).await.unwrap();
        server
    }

    /// A WireGuard config of Ana's as the server places it, ready to be used.
    pub async fn wireguard(&self, settings: WireGuardSettings) -> ConfigId {
        self.server(Protocol::Wireguard, serde_json::to_string(&settings).unwrap()).await;
        let id = self.preparing(Protocol::Wireguard).await;
        let placed = self.chats.run::<_, vpn::ConfigError, _>("place", Origin::SYSTEM, |work| {
            async move {
                let config = crud::vpn::find(work.conn(), id).await?.unwrap();
                vpn::place(work, &config).await.map(drop)
            }
            .scope_boxed()
        });
        placed.await.unwrap();
        self.set_status(id, ConfigStatus::Active).await;
        id
    }

    /// An Outline config with this link.
    pub async fn outline(&self, access_url: &str) -> ConfigId {
        let server = self.server(Protocol::Outline, "{}".into()).await;
        let id = self.preparing(Protocol::Outline).await;
        let credentials = Credentials::Outline { password: "p".into(), access_url: access_url.to_owned() };
        let plain = serde_json::to_vec(&credentials).unwrap();
        let sealed = self.chats.config.keyring.seal(&format!("vpn_config:{id}"), &plain);
        crud::vpn::place(&mut *self.conn().await, id, server, "key", &sealed, self.now()).await.unwrap();
        self.set_status(id, ConfigStatus::Active).await;
        id
    }

    pub async fn preparing(&self, protocol: Protocol) -> ConfigId {
        let subscription = self.subscription(Some(self.plan().await), 100).await;
        let mut conn = self.conn().await;
        crud::vpn::insert(&mut conn, ANA, subscription, protocol, "Mi <móvil>", self.now()).await.unwrap()
    }

    pub async fn set_status(&self, id: ConfigId, status: ConfigStatus) {
        crud::vpn::set_status(&mut *self.conn().await, id, status, self.now()).await.unwrap();
    }

    /// An order of Ana's for a week.
    pub async fn order(&self, provider: ProviderId) -> PaymentId {
        let price = match provider {
            ProviderId::Stars => Money::new(Decimal::from(75), Currency::stars()),
            ProviderId::Qvapay => Money::new(Decimal::new(99, 2), Currency::usd()),
        };
        let now = self.now();
        let new = NewPayment {
            order_ref: format!("ord_{provider}"),
            user_id: ANA,
            plan_id: self.plan().await,
            parent_id: None,
            provider,
            price,
            duration_days: 7,
            traffic_mb: Some(1000),
            device_limit: 2,
            open_key: None,
            callback_token: None,
            chat_id: None,
            message_id: None,
            expires_at: now + chrono::Duration::hours(1),
        };
        crud::payment::insert(&mut *self.conn().await, &new, now).await.unwrap()
    }

    pub async fn complete(&self, id: PaymentId, subscription: SubscriptionId) {
        self.complete_with(id, subscription, "c1").await;
    }

    pub async fn complete_with(&self, id: PaymentId, subscription: SubscriptionId, charge: &str) {
        let charge =
            Charge { id: charge.into(), amount: Some(Decimal::from(75)), currency: Currency::stars() };
        let (mut conn, now) = (self.conn().await, self.now());
        let from = PaymentStatus::Pending;
        assert!(crud::payment::complete(&mut conn, id, from, &charge, subscription, now).await.unwrap());
    }

    /// What became of everything queued for a chat, in order.
    pub async fn outbox(&self, chat: impl Into<ChatId>) -> Vec<QueueStatus> {
        sqlx::query_scalar("SELECT status FROM outbound_messages WHERE chat_id = ? ORDER BY id")
            .bind(chat.into())
            .fetch_all(&self.chats.db.pool)
            .await
            .unwrap()
    }

    pub async fn queue(&self, bodies: &[Body]) {
        let queued = self.chats.run::<_, sqlx::Error, _>("queue", Origin::SYSTEM, |work| {
            async move {
                for body in bodies {
                    work.send(Outgoing::new(Bot::Client, ANA, Class::Interactive, body.clone()));
                }
                Ok(())
            }
            .scope_boxed()
        });
        queued.await.unwrap();
    }
}

pub fn text(html: &str) -> Body {
    Body::Text { html: html.to_owned(), keyboard: None }
}

pub fn settings() -> WireGuardSettings {
    WireGuardSettings::new("vpn.example.com", WireGuardSecret::generate().public_key().unwrap())
}

pub fn part(config_id: ConfigId, part: ConfigPart) -> Body {
    Body::Config { config_id, part }
}

//! What leaves the outbox, as it arrives in a real chat: every kind of message in the reader's language, files that
//! can be used, and what happens when Telegram says no.

use std::time::Duration;

use rust_decimal::Decimal;
use scoped_futures::ScopedFutureExt;
use usipipo::clock::Timestamp;
use usipipo::crud;
use usipipo::demo::telegram::{ApiError, Fault, FaultRule, MessageView, PersonHandle};
use usipipo::ids::{ChatId, ConfigId, PaymentId, PlanId, ServerId, SubscriptionId, UserId};
use usipipo::integrations::vpn::Credentials;
use usipipo::integrations::vpn::wireguard::{WireGuardSecret, WireGuardSettings};
use usipipo::models::address::PoolKind;
use usipipo::models::bot::Bot;
use usipipo::models::event::QueueStatus;
use usipipo::models::notice::{Alert, Notice};
use usipipo::models::outgoing::{Ack, Body, Class, ConfigPart, Outgoing};
use usipipo::models::payment::{Charge, NewPayment, PaymentStatus, ProviderId};
use usipipo::models::role::Role;
use usipipo::models::server::NewServer;
use usipipo::models::subscription::{ReminderKind, Subscription, SubscriptionStatus, TRIAL, product_of};
use usipipo::models::user::UserStatus;
use usipipo::models::vpn::{ConfigStatus, Protocol};
use usipipo::money::{Currency, Money};
use usipipo::queue::outbox::{Courier, Delivery};
use usipipo::services::vpn;
use usipipo::work::Origin;

use crate::support::chats::{BOT, Chats};
use crate::support::wait::eventually;
use crate::support::works::{ADMIN, SUPERADMIN};

const LIMIT: Duration = Duration::from_secs(20);
const ANA: UserId = UserId(6_018_273_645);

/// A world with Ana, who reads Spanish, and what she has.
struct Scene {
    chats: Chats,
    ana: PersonHandle,
}

impl Scene {
    async fn new() -> Self {
        Self::in_language("es").await
    }

    async fn in_language(language: &str) -> Self {
        let chats = Chats::new().await;
        let ana = chats.person(ANA.0, "Ana", language).await;
        Self { chats, ana }
    }

    fn now(&self) -> Timestamp {
        self.chats.clock.now()
    }

    async fn conn(&self) -> sqlx::pool::PoolConnection<sqlx::MySql> {
        self.chats.db.pool.acquire().await.unwrap()
    }

    async fn deliver(&self, body: &Body) -> Delivery {
        self.chats.courier().deliver(Bot::Client, ANA.into(), body).await
    }

    /// Delivers what must arrive, and shows it as Ana sees it.
    async fn arrives(&self, body: &Body) -> MessageView {
        let Delivery::Sent { message_id } = self.deliver(body).await else { panic!("not sent: {body:?}") };
        self.ana.chat(BOT).unwrap().message(message_id.unwrap()).unwrap().clone()
    }

    async fn told(&self, notice: Notice) -> MessageView {
        self.arrives(&Body::Notice { notice, replace: None }).await
    }

    /// Why a notice is not sent any more.
    async fn moot(&self, notice: Notice) -> String {
        self.unsent(&Body::Notice { notice, replace: None }).await
    }

    async fn unsent(&self, body: &Body) -> String {
        match self.deliver(body).await {
            Delivery::Moot(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    /// The first plan of the default catalogue: a week.
    async fn plan(&self) -> PlanId {
        crud::plan::find_by_code(&mut *self.conn().await, "week").await.unwrap().unwrap().id
    }

    /// A subscription of Ana's that ends in `hours`.
    async fn subscription(&self, plan: Option<PlanId>, hours: i64) -> SubscriptionId {
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

    async fn change_subscription(&self, id: SubscriptionId, change: impl FnOnce(&mut Subscription)) {
        let mut conn = self.conn().await;
        let mut subscription = crud::subscription::find(&mut conn, id).await.unwrap().unwrap();
        change(&mut subscription);
        crud::subscription::update(&mut conn, &subscription, self.now()).await.unwrap();
    }

    async fn server(&self, protocol: Protocol, settings: String) -> ServerId {
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
    async fn wireguard(&self, settings: WireGuardSettings) -> ConfigId {
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
    async fn outline(&self, access_url: &str) -> ConfigId {
        let server = self.server(Protocol::Outline, "{}".into()).await;
        let id = self.preparing(Protocol::Outline).await;
        let credentials = Credentials::Outline { password: "p".into(), access_url: access_url.to_owned() };
        let plain = serde_json::to_vec(&credentials).unwrap();
        let sealed = self.chats.config.keyring.seal(&format!("vpn_config:{id}"), &plain);
        crud::vpn::place(&mut *self.conn().await, id, server, "key", &sealed, self.now()).await.unwrap();
        self.set_status(id, ConfigStatus::Active).await;
        id
    }

    async fn preparing(&self, protocol: Protocol) -> ConfigId {
        let subscription = self.subscription(Some(self.plan().await), 100).await;
        let mut conn = self.conn().await;
        crud::vpn::insert(&mut conn, ANA, subscription, protocol, "Mi <móvil>", self.now()).await.unwrap()
    }

    async fn set_status(&self, id: ConfigId, status: ConfigStatus) {
        crud::vpn::set_status(&mut *self.conn().await, id, status, self.now()).await.unwrap();
    }

    /// An order of Ana's for a week.
    async fn order(&self, provider: ProviderId) -> PaymentId {
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

    async fn complete(&self, id: PaymentId, subscription: SubscriptionId) {
        let charge = Charge { id: "c1".into(), amount: Some(Decimal::from(75)), currency: Currency::stars() };
        let (mut conn, now) = (self.conn().await, self.now());
        let from = PaymentStatus::Pending;
        assert!(crud::payment::complete(&mut conn, id, from, &charge, subscription, now).await.unwrap());
    }

    /// What became of everything queued for a chat, in order.
    async fn outbox(&self, chat: impl Into<ChatId>) -> Vec<QueueStatus> {
        sqlx::query_scalar("SELECT status FROM outbound_messages WHERE chat_id = ? ORDER BY id")
            .bind(chat.into())
            .fetch_all(&self.chats.db.pool)
            .await
            .unwrap()
    }

    async fn queue(&self, bodies: &[Body]) {
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

fn text(html: &str) -> Body {
    Body::Text { html: html.to_owned(), keyboard: None }
}

fn settings() -> WireGuardSettings {
    WireGuardSettings::new("vpn.example.com", WireGuardSecret::generate().public_key().unwrap())
}

fn part(config_id: ConfigId, part: ConfigPart) -> Body {
    Body::Config { config_id, part }
}

#[tokio::test]
async fn a_wireguard_config_arrives_as_file_picture_text_and_guide() {
    let scene = Scene::new().await;
    let id = scene.wireguard(settings()).await;

    let file = scene.arrives(&part(id, ConfigPart::File)).await;
    let document = file.document.unwrap();
    assert_eq!(document.name, format!("mi-m-vil-{id}.conf"));
    let conf = String::from_utf8(document.bytes.to_vec()).unwrap();
    assert!(conf.starts_with("[Interface]\nPrivateKey = "), "{conf}");
    for line in
        ["Address = 10.66.0.2/32, fd42:66::2/128", "Endpoint = vpn.example.com:51820", "PresharedKey = "]
    {
        assert!(conf.contains(line), "{line} in {conf}");
    }
    assert!(file.text.contains("Mi <móvil>") && file.text.contains("¡todo listo!"), "{}", file.text);
    assert!(file.text.chars().count() <= 1024);
    assert!(file.keyboard.iter().flatten().count() > 0);

    let qr = scene.arrives(&part(id, ConfigPart::Qr)).await;
    let photo = qr.photo.unwrap();
    assert!(photo.bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(photo.pixels.unwrap().0 >= 400);
    let expected = usipipo::integrations::vpn::qr::png(&conf).unwrap();
    assert_eq!(photo.bytes, expected, "the picture says what the file says");
    assert!(qr.text.chars().count() <= 1024);

    let copy = scene.arrives(&part(id, ConfigPart::Text)).await;
    assert!(copy.text.contains(conf.trim_end()), "{}", copy.text);
    assert!(copy.html.contains("<pre>[Interface]"), "{}", copy.html);

    let guide = scene.arrives(&part(id, ConfigPart::Guide)).await;
    assert!(guide.button("Android").is_some(), "{guide:?}");
}

#[tokio::test]
async fn an_outline_config_arrives_as_link_picture_and_guide() {
    let scene = Scene::in_language("en").await;
    let link = "ss://Y2hhY2hhMjAtaWV0Zi1wb2x5MTMwNTpw@vpn.example.com:12345/?outline=1";
    let id = scene.outline(link).await;
    let copy = scene.arrives(&part(id, ConfigPart::Text)).await;
    assert!(copy.html.contains(&format!("<code>{link}</code>")), "{}", copy.html);
    assert!(copy.text.contains("Outline app"), "{}", copy.text);
    assert_eq!(scene.arrives(&part(id, ConfigPart::File)).await.text, copy.text);
    let photo = scene.arrives(&part(id, ConfigPart::Qr)).await.photo.unwrap();
    assert_eq!(photo.bytes, usipipo::integrations::vpn::qr::png(link).unwrap());
    assert!(scene.arrives(&part(id, ConfigPart::Guide)).await.text.contains("Outline"));
}

#[tokio::test]
async fn what_is_too_long_for_its_form_becomes_a_file() {
    let scene = Scene::new().await;
    let networks = (0..400_u32).map(|n| format!("100.{}.{}.0/24", n / 256, n % 256).parse().unwrap());
    let id = scene.wireguard(WireGuardSettings { allowed_ips: networks.collect(), ..settings() }).await;
    for form in [ConfigPart::Text, ConfigPart::Qr] {
        let document = scene.arrives(&part(id, form)).await.document.unwrap();
        assert!(document.bytes.len() > 4096 && document.name.ends_with(".conf"));
    }
}

#[tokio::test]
async fn the_longest_link_there_is_room_for_fits_a_message_and_a_code() {
    let scene = Scene::in_language("ru").await;
    let link = format!("ss://{}@vpn.example.com:1/", "x".repeat(1850));
    let id = scene.outline(&link).await;
    assert!(scene.arrives(&part(id, ConfigPart::Text)).await.text.contains(&link));
    assert!(scene.arrives(&part(id, ConfigPart::Qr)).await.photo.is_some());
}

#[tokio::test]
async fn a_config_goes_to_its_owner_while_it_is_there() {
    let scene = Scene::new().await;
    let id = scene.wireguard(settings()).await;
    let stranger = scene.chats.person(77, "Eva", "es").await;
    let foreign = scene.chats.courier().deliver(Bot::Client, ChatId(77), &part(id, ConfigPart::Text)).await;
    assert!(matches!(foreign, Delivery::Permanent(_)), "{foreign:?}");
    assert!(stranger.messages(BOT).unwrap().is_empty());

    scene.set_status(id, ConfigStatus::Suspended).await;
    scene.arrives(&part(id, ConfigPart::File)).await;
    for status in [ConfigStatus::Preparing, ConfigStatus::Revoked, ConfigStatus::Removed] {
        scene.set_status(id, status).await;
        scene.unsent(&part(id, ConfigPart::File)).await;
    }
    assert_eq!(scene.unsent(&part(ConfigId(9999), ConfigPart::File)).await, "the config is gone");
}

#[tokio::test]
async fn plain_bodies_go_out_as_they_are() {
    let scene = Scene::new().await;
    let first = scene.arrives(&text("<b>one</b>")).await;
    let edit = Body::Edit { message_id: first.id, html: "two".into(), keyboard: None, ack: None };
    assert_eq!(scene.arrives(&edit).await.id, first.id);
    let invoice = Body::StarsInvoice {
        title: "Week".into(),
        description: "Seven days".into(),
        payload: "o:1".into(),
        amount: 75,
    };
    assert_eq!(scene.arrives(&invoice).await.invoice.unwrap().amount, 75);
    let gone = Ack { callback_id: "5".into(), text: None, alert: false };
    assert_eq!(scene.deliver(&Body::Ack(gone)).await, Delivery::Sent { message_id: None });
    scene.deliver(&Body::Delete { message_id: first.id }).await;
    assert!(scene.ana.chat(BOT).unwrap().message(first.id).is_none());
    let query = Body::PreCheckout { query_id: "9".into(), error: None };
    assert_eq!(scene.deliver(&query).await, Delivery::Sent { message_id: None });
    assert!(scene.chats.metrics.render().contains(r#"{bot="client",outcome="sent"} 6"#));
}

#[tokio::test]
async fn an_order_shows_how_it_stands() {
    let scene = Scene::new().await;
    let id = scene.order(ProviderId::Qvapay).await;
    let shown = scene.told(Notice::Order { payment_id: id }).await;
    assert!(shown.text.contains("VPN 1 semana") && shown.text.contains("ord_qvapay"), "{}", shown.text);
    let url = "https://pay.qvapay.com/invoice/1";
    crud::payment::set_invoice(&mut *scene.conn().await, id, "inv", url, scene.now()).await.unwrap();
    let body = Body::Notice { notice: Notice::Order { payment_id: id }, replace: Some(shown.id) };
    let waiting = scene.arrives(&body).await;
    assert_eq!(waiting.id, shown.id, "the same message");
    assert!(waiting.buttons().any(|button| format!("{:?}", button.action).contains(url)), "{waiting:?}");

    scene.chats.clock.advance(chrono::Duration::hours(2));
    assert!(scene.arrives(&body).await.text.contains("⌛"));
    let subscription = scene.subscription(Some(scene.plan().await), 24 * 7).await;
    scene.complete(id, subscription).await;
    assert!(
        scene.arrives(&body).await.text.contains("Tu acceso vale hasta"),
        "{:?}",
        scene.ana.messages(BOT)
    );
}

#[tokio::test]
async fn money_is_receipted_in_the_readers_language() {
    for (language, paid, back) in [
        ("es", "¡Pago recibido", "Te devolvimos"),
        ("en", "Payment received", "We returned"),
        ("ru", "Оплата получена", "Мы вернули"),
    ] {
        let scene = Scene::in_language(language).await;
        let id = scene.order(ProviderId::Stars).await;
        let plan = scene.plan().await;
        scene.moot(Notice::Receipt { payment_id: id }).await;
        let subscription = scene.subscription(Some(plan), 24 * 7).await;
        scene.complete(id, subscription).await;
        let receipt = scene.told(Notice::Receipt { payment_id: id }).await;
        assert!(receipt.text.contains(paid) && receipt.text.contains("75"), "{}", receipt.text);
        scene.moot(Notice::Refunded { payment_id: id }).await;
        let (mut conn, now) = (scene.conn().await, scene.now());
        let (from, to) = (PaymentStatus::Completed, PaymentStatus::Refunded);
        crud::payment::set_status(&mut conn, id, from, to, None, now).await.unwrap();
        assert!(scene.told(Notice::Refunded { payment_id: id }).await.text.contains(back));
        scene.moot(Notice::Receipt { payment_id: id }).await;
    }
}

#[tokio::test]
async fn reminders_are_true_when_they_arrive() {
    let scene = Scene::new().await;
    let plan = scene.plan().await;
    let id = scene.subscription(Some(plan), 60).await;
    let remind = |kind| Notice::Reminder { subscription_id: id, kind };
    let reminder = scene.told(remind(ReminderKind::ThreeDays)).await;
    assert!(reminder.text.contains("VPN 1 semana"), "{}", reminder.text);
    assert!(reminder.button(&format!("plan:{plan}")).is_some(), "{reminder:?}");
    scene.moot(remind(ReminderKind::OneDay)).await;
    scene.moot(remind(ReminderKind::Ended)).await;
    scene.moot(remind(ReminderKind::TrafficOut)).await;

    scene.change_subscription(id, |it| it.renews = true).await;
    scene.moot(remind(ReminderKind::ThreeDays)).await;
    scene.change_subscription(id, |it| it.renews = false).await;

    // It ends while the message waits, and is bought again.
    scene.chats.clock.advance(chrono::Duration::hours(61));
    scene.moot(remind(ReminderKind::ThreeDays)).await;
    scene.change_subscription(id, |it| it.status = SubscriptionStatus::Suspended).await;
    assert!(scene.told(remind(ReminderKind::Ended)).await.text.contains("🔌"));
    let later = scene.now() + chrono::Duration::days(30);
    scene.change_subscription(id, |it| (it.status, it.ends_at) = (SubscriptionStatus::Active, later)).await;
    for kind in ReminderKind::ALL {
        scene.moot(remind(*kind)).await;
    }

    crud::subscription::add_used(&mut *scene.conn().await, id, 9 << 30).await.unwrap();
    assert!(scene.told(remind(ReminderKind::TrafficLow)).await.text.contains("📶"));
    crud::subscription::add_used(&mut *scene.conn().await, id, 9 << 30).await.unwrap();
    scene.moot(remind(ReminderKind::TrafficLow)).await;
    scene.told(remind(ReminderKind::TrafficOut)).await;
}

#[tokio::test]
async fn the_other_notices_have_their_words() {
    let scene = Scene::in_language("en").await;
    let config_id = scene.preparing(Protocol::Wireguard).await;
    let delayed = scene.told(Notice::ConfigDelayed { config_id }).await;
    assert!(delayed.text.contains("WireGuard connection takes longer"), "{}", delayed.text);
    scene.set_status(config_id, ConfigStatus::Active).await;
    scene.moot(Notice::ConfigDelayed { config_id }).await;

    let until = Some(scene.now() + chrono::Duration::days(2));
    let granted = |expires_at| Notice::RoleGranted { role: Role::Support, expires_at };
    assert!(scene.told(granted(None)).await.text.contains("Support"));
    assert!(scene.told(granted(until)).await.text.contains("until"));
    scene.moot(granted(Some(scene.now()))).await;
    assert!(scene.told(Notice::RoleRevoked { role: Role::Admin }).await.text.contains("no longer"));

    scene.chats.usernames.learn(Bot::Support, "help_bot".into());
    let trouble = scene.told(Notice::Trouble { reference: "r-17".into() }).await;
    assert!(trouble.html.contains("<code>r-17</code>"), "{}", trouble.html);
    assert!(trouble.buttons().any(|button| format!("{:?}", button.action).contains("t.me/help_bot")));

    let alert = Alert::JobDead { kind: "purge".into(), reason: "<nothing>".into() };
    assert!(scene.told(Notice::Alert(alert)).await.text.contains("<nothing>"));
    // Somebody the server does not know reads the default language.
    let stranger = scene.chats.telegram.person(usipipo::demo::telegram::PersonSpec::new(5, "X", "en"));
    stranger.open(BOT).unwrap();
    let body = Body::Notice { notice: Notice::Trouble { reference: "r".into() }, replace: None };
    scene.chats.courier().deliver(Bot::Client, ChatId(5), &body).await;
    assert!(stranger.messages(BOT).unwrap()[0].text.contains("Algo falló"));
}

#[tokio::test]
async fn what_telegram_says_decides_what_happens_next() {
    let scene = Scene::new().await;
    let says = async |fault| {
        scene.chats.telegram.fault(FaultRule::new(fault).times(1));
        scene.deliver(&text("x")).await
    };
    let slow = says(Fault::TooManyRequests { retry_after: 7 }).await;
    assert_eq!(slow, Delivery::RetryAfter { seconds: 7, whole_bot: true });
    assert!(matches!(says(Fault::ServerError).await, Delivery::Transient(_)));
    assert!(matches!(says(Fault::Refuse).await, Delivery::Transient(_)));
    let unauthorized = says(Fault::Reject(ApiError::new(401, "Unauthorized"))).await;
    assert!(matches!(unauthorized, Delivery::Transient(_)), "{unauthorized:?}");
    assert!(matches!(scene.deliver(&text("<b>")).await, Delivery::Permanent(_)));
    assert!(matches!(scene.deliver(&text(&"x".repeat(4097))).await, Delivery::Permanent(_)));
    let nobody = scene.chats.courier().deliver(Bot::Admin, ANA.into(), &text("x")).await;
    assert!(matches!(nobody, Delivery::Permanent(_)), "{nobody:?}");
    scene.ana.block(BOT).unwrap();
    assert_eq!(scene.deliver(&text("x")).await, Delivery::Blocked);
    let metrics = scene.chats.metrics.render();
    for line in [r#"outcome="throttled"} 1"#, r#"outcome="retried"} 3"#, r#"bot="client",outcome="dead"} 2"#]
    {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn whoever_blocks_the_bot_is_marked_and_left_in_peace() {
    let scene = Scene::new().await;
    scene.ana.block(BOT).unwrap();
    scene.queue(&[text("one"), text("two"), text("three")]).await;
    let _sending = scene.chats.start_sending();
    eventually(LIMIT, async || scene.outbox(ANA).await == vec![QueueStatus::Dropped; 3]).await;
    let user = crud::user::find(&mut *scene.conn().await, ANA).await.unwrap().unwrap();
    assert_eq!(user.status, UserStatus::Blocked);
    assert_eq!(scene.chats.audited("user_blocked_bot").await.len(), 1);
    assert_eq!(scene.chats.telegram.calls_of("sendMessage").len(), 1);
}

#[tokio::test]
async fn a_pause_that_telegram_asks_for_is_kept() {
    let scene = Scene::new().await;
    scene.chats.telegram.fault(FaultRule::new(Fault::TooManyRequests { retry_after: 600 }).times(1));
    scene.queue(&[text("patience")]).await;
    let _sending = scene.chats.start_sending();
    eventually(LIMIT, async || !scene.chats.telegram.calls_of("sendMessage").is_empty()).await;
    assert_eq!(scene.outbox(ANA).await, [QueueStatus::Pending]);
    scene.chats.clock.advance(chrono::Duration::seconds(601));
    scene.ana.wait_for_text(BOT, "patience").await.unwrap();
    assert_eq!(scene.chats.telegram.calls_of("sendMessage").len(), 2);
}

#[tokio::test]
async fn a_message_that_telegram_refuses_is_reported_once_and_never_about_itself() {
    let scene = Scene::new().await;
    let rosa = scene.chats.person(SUPERADMIN.0, "Rosa", "es").await;
    let igor = scene.chats.person(ADMIN.0, "Igor", "ru").await;
    // What is told to Igor is refused as well.
    let broken = Fault::Reject(ApiError::bad("something new"));
    scene.chats.telegram.fault(FaultRule::new(broken).chat(ADMIN.0));
    scene.queue(&[text("<b>broken"), text("whole")]).await;
    let _sending = scene.chats.start_sending();
    let alert = rosa.wait_for_text(BOT, "Un mensaje no se pudo entregar").await.unwrap();
    assert!(alert.text.contains("can't parse entities") && alert.text.contains(&ANA.to_string()));
    eventually(LIMIT, async || scene.outbox(ADMIN).await == [QueueStatus::Dead]).await;
    scene.chats.clock.advance(chrono::Duration::seconds(2));
    scene.ana.wait_for_text(BOT, "whole").await.unwrap();
    eventually(LIMIT, async || scene.outbox(ANA).await == [QueueStatus::Dead, QueueStatus::Done]).await;
    assert_eq!(scene.chats.audited("message_dead").await.len(), 1);
    assert!(igor.messages(BOT).unwrap().is_empty());
}

#[tokio::test]
async fn nothing_of_a_secret_is_stored_or_shown() {
    crate::support::log::capture();
    let scene = Scene::new().await;
    let id = scene.wireguard(settings()).await;
    scene.queue(&[part(id, ConfigPart::Text)]).await;
    let _sending = scene.chats.start_sending();
    let copy = scene.ana.wait_for_text(BOT, "[Interface]").await.unwrap();
    let key = copy.text.split("PrivateKey = ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(key.len(), 44);
    let bodies: Vec<String> =
        sqlx::query_scalar("SELECT CONCAT(body, COALESCE(error, '')) FROM outbound_messages")
            .fetch_all(&scene.chats.db.pool)
            .await
            .unwrap();
    assert!(!bodies.is_empty() && bodies.iter().all(|body| !body.contains(&key)));
    assert!(crate::support::log::lines_with(&key).is_empty());
}

//! What people are told without having asked: whatever hangs under it, pressed, leads somewhere.

use std::time::Duration;

use scoped_futures::ScopedFutureExt;
use usipipo::clock::Clock;
use usipipo::crud;
use usipipo::demo::telegram::{Action, Options, TelegramServer};
use usipipo::handlers::bots::courier::BotCourier;
use usipipo::ids::{ChargeId, ConfigId, EventId, JobId, PaymentId, ServerId, SubscriptionId, time_ordered};
use usipipo::integrations::vpn::Credentials;
use usipipo::integrations::vpn::wireguard::{WireGuardSecret, WireGuardSettings};
use usipipo::models::bot::Bot;
use usipipo::models::notice::{Alert, Notice, OddMoney};
use usipipo::models::outgoing::{Body, ConfigPart};
use usipipo::models::payment::ProviderId;
use usipipo::models::role::Role;
use usipipo::models::subscription::ReminderKind;
use usipipo::models::vpn::{Applied, Protocol};
use usipipo::queue::outbox::{Courier, Delivery};
use usipipo::services::vpn::{self, ConfigError};
use usipipo::work::Origin;

use super::{ANA, BOSS, House, Person, paid};
use crate::support::chats::{self, BOT};

/// A house whose messages leave through the courier.
struct Post {
    house: House,
    telegram: TelegramServer,
    courier: BotCourier,
}

impl Post {
    async fn open() -> Self {
        let options = Options { patience: Duration::from_secs(20), ..Options::hasty(Clock::default()) };
        let telegram = TelegramServer::start(options).await.unwrap();
        telegram.add_bot(&format!("1001:{}", "c".repeat(35)), BOT, "uSipipo");
        let url = telegram.url();
        let house = House::with(&[("TELEGRAM_API_URL", &url), ("SUPPORT_CONTACT", "@usipipo_help")]).await;
        house.add_servers().await;
        let settings =
            WireGuardSettings::new("vpn.example.com", WireGuardSecret::generate().public_key().unwrap());
        let settings = serde_json::to_string(&settings).unwrap();
        house.sql(&format!("UPDATE servers SET settings = '{settings}' WHERE protocol = 'wireguard'")).await;
        for person in [ANA, BOSS] {
            telegram
                .person(usipipo::demo::telegram::PersonSpec::new(person.id, person.name, "en"))
                .open(BOT)
                .unwrap();
            house.says(person, "/start").await;
        }
        let courier = BotCourier::new((*house.works).clone(), chats::clients(&house.works));
        Self { house, telegram, courier }
    }

    /// Sends it, and presses all that is under it, each at what is there by then. Answers with what was pressed.
    async fn tell(&self, person: Person, body: Body) -> Vec<String> {
        let sent = self.courier.deliver(Bot::Client, person.user().into(), &body).await;
        let Delivery::Sent { message_id: Some(id) } = sent else { panic!("{body:?}: {sent:?}") };
        let handle = self.telegram.people().into_iter().find(|handle| handle.id == person.id).unwrap();
        let message = handle.chat(BOT).unwrap().message(id).unwrap().clone();
        let data = message.buttons().filter_map(|button| match &button.action {
            Action::CallbackData(data) => Some(data.clone()),
            _ => None,
        });
        let data: Vec<String> = data.collect();
        for data in &data {
            let said = self.house.presses(person, data).await;
            assert_eq!(said.acks().len(), 1, "{data} under {body:?}: {said:?}");
            assert!(!said.acks()[0].alert, "{data} under {body:?} is refused: {said:?}");
            assert!(said.bodies().iter().any(|body| !matches!(body, Body::Ack(_))), "{data} leads nowhere");
        }
        data
    }

    async fn notice(&self, person: Person, notice: Notice) -> Vec<String> {
        self.tell(person, Body::Notice { notice, replace: None }).await
    }

    /// A trial in Ana's hands, with keys that can be opened.
    async fn trial(&self, protocol: Protocol) -> ConfigId {
        self.house.presses(ANA, &format!("trial-take:{protocol}")).await;
        let id = ConfigId(self.house.number("SELECT MAX(id) FROM vpn_configs").await);
        let link =
            Credentials::Outline { password: "p".into(), access_url: "ss://x@1.2.3.4:5/?outline=1".into() };
        let link = &link;
        let made = self.house.works.run::<_, ConfigError, _>("make", Origin::SYSTEM, |work| {
            async move {
                let config = crud::vpn::find(work.conn(), id).await?.unwrap();
                vpn::place(work, &config).await?;
                let seen = (protocol == Protocol::Outline).then_some((link, "key"));
                vpn::applied(work, id, Applied::Present, seen).await
            }
            .scope_boxed()
        });
        made.await.unwrap();
        id
    }

    async fn set(&self, change: &str) {
        self.house.sql(change).await;
    }
}

#[tokio::test]
async fn no_button_under_a_config_is_dead() {
    for protocol in Protocol::ALL {
        let post = Post::open().await;
        let config_id = post.trial(*protocol).await;
        let parts = [ConfigPart::File, ConfigPart::Qr, ConfigPart::Text, ConfigPart::Guide];
        for part in
            parts.into_iter().filter(|part| *protocol == Protocol::Wireguard || *part != ConfigPart::File)
        {
            assert!(!post.tell(ANA, Body::Config { config_id, part }).await.is_empty(), "{part:?}");
        }
    }
}

#[tokio::test]
async fn no_button_under_an_order_or_a_receipt_is_dead() {
    let post = Post::open().await;
    post.house.presses(ANA, "buy:2:qvapay").await;
    let payment_id = PaymentId(1);
    let order = || Notice::Order { payment_id };
    post.notice(ANA, order()).await;
    post.set("UPDATE payments SET invoice_id = 'i', invoice_url = 'https://example.com/i'").await;
    assert!(!post.notice(ANA, order()).await.is_empty());
    // Its cancel button was pressed: now it is cancelled, and then whatever else may become of it.
    for status in ["cancelled", "expired", "failed", "review"] {
        post.set(&format!("UPDATE payments SET status = '{status}'")).await;
        assert!(!post.notice(ANA, order()).await.is_empty(), "{status}");
    }
    post.house.bought(ANA, 2, 250).await;
    let bought =
        PaymentId(post.house.number("SELECT MAX(id) FROM payments WHERE status = 'completed'").await);
    assert!(!post.notice(ANA, Notice::Order { payment_id: bought }).await.is_empty());
    for notice in [Notice::Receipt { payment_id: bought }, Notice::Accepted { payment_id: bought }] {
        assert!(!post.notice(ANA, notice).await.is_empty());
    }
    post.set("UPDATE vpn_configs SET status = 'removed'").await;
    assert!(!post.notice(ANA, Notice::Receipt { payment_id: bought }).await.is_empty());
    post.set(&format!("UPDATE payments SET status = 'refunded' WHERE id = {bought}")).await;
    for too_late in [false, true] {
        let refunded = Notice::Refunded { payment_id: bought, too_late };
        assert!(!post.notice(ANA, refunded).await.is_empty());
    }
    post.house.client(paid(ANA, "ord_nosuch.v1", 77, "c1")).await;
    let charge_id = ChargeId(post.house.number("SELECT id FROM unmatched_charges").await);
    assert!(!post.notice(ANA, Notice::ChargeSentBack { charge_id }).await.is_empty());
}

#[tokio::test]
async fn no_button_under_a_reminder_is_dead() {
    for trial in [true, false] {
        let post = Post::open().await;
        match trial {
            true => drop(post.trial(Protocol::Wireguard).await),
            false => post.house.bought(ANA, 2, 250).await,
        }
        let subscription_id = SubscriptionId(post.house.number("SELECT id FROM subscriptions").await);
        let situations = [
            (ReminderKind::ThreeDays, "ends_at = NOW(6) + INTERVAL 60 HOUR"),
            (ReminderKind::OneDay, "ends_at = NOW(6) + INTERVAL 20 HOUR"),
            (ReminderKind::TrafficLow, "allowance = 100, used = 90"),
            (ReminderKind::TrafficOut, "used = 100, status = 'suspended'"),
            (ReminderKind::Ended, "ends_at = NOW(6) - INTERVAL 1 HOUR"),
        ];
        for (kind, change) in situations {
            post.set(&format!("UPDATE subscriptions SET {change}")).await;
            let pressed = post.notice(ANA, Notice::Reminder { subscription_id, kind }).await;
            assert!(!pressed.is_empty(), "{kind}");
        }
    }
}

#[tokio::test]
async fn no_button_under_the_other_notices_is_dead() {
    let post = Post::open().await;
    post.house.presses(ANA, "trial-take:outline").await;
    let config_id = ConfigId(1);
    let role = Role::Support;
    for notice in [
        Notice::ConfigDelayed { config_id },
        Notice::ConfigFailed { config_id },
        Notice::RoleGranted { role, expires_at: None },
        Notice::RoleRevoked { role },
        Notice::Trouble { reference: "r".into() },
    ] {
        assert!(!post.notice(ANA, notice.clone()).await.is_empty(), "{notice:?}");
    }
}

/// With ids of what is there; which alerts have buttons is seen in the snapshots of the screens.
fn alerts(review: PaymentId, charge_id: ChargeId) -> Vec<Alert> {
    let (reason, kind, server, server_id) = ("r".to_owned(), "k".to_owned(), "s".to_owned(), ServerId(1));
    let (user_id, config_id, person) = (ANA.user(), ConfigId(1), Some(ANA.user()));
    let money = || OddMoney { provider: Some(ProviderId::Stars), amount: None, person, reason: "r".into() };
    let id = time_ordered();
    vec![
        Alert::EventDead { event_id: EventId(id), source: "client".into(), reason: reason.clone() },
        Alert::JobFailing {
            job_id: Some(JobId(id)),
            kind: kind.clone(),
            attempts: 5,
            reason: reason.clone(),
        },
        Alert::JobDead { kind: kind.clone(), reason: reason.clone() },
        Alert::MessageDead { chat_id: ANA.id, reason: reason.clone() },
        Alert::MessageDead { chat_id: -5, reason: reason.clone() },
        Alert::PaymentReview { payment_id: review, money: money() },
        Alert::PaymentUnmatched { charge_id, money: money() },
        Alert::ProvisioningDelayed { config_id, user_id, reason: reason.clone() },
        Alert::NoServer { user_id },
        Alert::PoolLow { server: server.clone(), kind, free: 3 },
        Alert::ServerDown { server_id, server: server.clone(), reason },
        Alert::ServerUp { server_id, server },
        Alert::BooksWrong { findings: vec!["f".into()] },
        Alert::Repeated { topic: "message_dead".into(), times: 3 },
    ]
}

#[tokio::test]
async fn no_button_under_an_alert_is_dead() {
    let post = Post::open().await;
    post.house.presses(ANA, "buy:2:qvapay").await;
    post.set("UPDATE payments SET status = 'review'").await;
    post.house.client(paid(ANA, "ord_nosuch.v1", 77, "c1")).await;
    let charge_id = ChargeId(post.house.number("SELECT id FROM unmatched_charges").await);
    let mut pressed = Vec::new();
    for alert in alerts(PaymentId(1), charge_id) {
        pressed.extend(post.notice(BOSS, Notice::Alert(alert)).await);
    }
    for tag in ["whois:", "audit:", "status", "review:", "charge:"] {
        assert!(pressed.iter().any(|data| data.starts_with(tag)), "{tag}: {pressed:?}");
    }
}

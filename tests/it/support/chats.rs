//! The outbox on its real way out: the server's sender and courier, and the local counterpart of Telegram with the
//! people who read.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};
use usipipo::clock::Clock;
use usipipo::demo::telegram::{Options, PersonHandle, PersonSpec, TelegramServer};
use usipipo::handlers::bots::courier::BotCourier;
use usipipo::handlers::bots::usernames::Usernames;
use usipipo::ids::UserId;
use usipipo::integrations::telegram::api::{Telegram, http_client};
use usipipo::models::bot::Bot;
use usipipo::models::lane::Holder;
use usipipo::queue::outbox::OutboxWorker;
use usipipo::queue::pacer::Pacer;
use usipipo::queue::runner::{Runner, RunnerOptions};
use usipipo::services::people::{self, Sender};
use usipipo::work::{Origin, Works};

use super::works::TestWorks;
use scoped_futures::ScopedFutureExt;

/// Username of the client bot.
pub const BOT: &str = "usipipo_bot";
/// Username of the support bot.
pub const SUPPORT_BOT: &str = "usipipo_support_bot";

/// Units of work and a Telegram that they write to.
pub struct Chats {
    works: TestWorks,
    pub telegram: TelegramServer,
    pub usernames: Usernames,
}

impl Deref for Chats {
    type Target = TestWorks;
    fn deref(&self) -> &TestWorks {
        &self.works
    }
}

impl Chats {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With variables set otherwise than [`super::works::config`] sets them.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let options = Options { patience: Duration::from_secs(20), ..Options::hasty(Clock::default()) };
        let telegram = TelegramServer::start(options).await.unwrap();
        let (url, support) = (telegram.url(), format!("1002:{}", "s".repeat(35)));
        let mut all = vec![
            ("TELEGRAM_API_URL", url.as_str()),
            ("PUBLIC_URL", "http://127.0.0.1:9"),
            ("SUPPORT_BOT_TOKEN", &support),
        ];
        all.extend(variables);
        let works = TestWorks::with(&all).await;
        for (bot, token) in &works.config.telegram.tokens {
            use secrecy::ExposeSecret;
            let name = if *bot == Bot::Support { SUPPORT_BOT } else { BOT };
            telegram.add_bot(token.expose_secret(), name, "uSipipo");
        }
        Self { works, telegram, usernames: Usernames::default() }
    }

    /// A client for every bot.
    pub fn clients(&self) -> BTreeMap<Bot, Telegram> {
        clients(&self.works)
    }

    pub fn courier(&self) -> BotCourier {
        BotCourier::new((*self.works).clone(), self.clients())
    }

    /// Sends what is queued, as the server does, until the result is dropped.
    pub fn start_sending(&self) -> DropGuard {
        self.start_sending_as(&self.works)
    }

    /// As [`Chats::start_sending`], of a server with another configuration.
    pub fn start_sending_as(&self, works: &Works) -> DropGuard {
        let works = works.clone();
        let pacer = Pacer::new(works.clone(), works.config.telegram.messages_per_second);
        let courier = BotCourier::new(works.clone(), clients(&works));
        let worker = OutboxWorker::new(works.clone(), courier, pacer);
        let poll = Duration::from_millis(20);
        let options =
            RunnerOptions { lease: Duration::from_secs(30), parallel: 8, urgent: 2, in_hand: 0, poll };
        let stop = CancellationToken::new();
        let runner = Runner::new(works, worker, options, Holder::random(), stop.clone());
        tokio::spawn(runner.run());
        stop.drop_guard()
    }

    /// Somebody who uses the client bot, known to Telegram and to the server.
    pub async fn person(&self, id: i64, name: &str, language: &str) -> PersonHandle {
        let handle = self.telegram.person(PersonSpec::new(id, name, language));
        handle.open(BOT).unwrap();
        let sender = Sender {
            id: UserId(id),
            username: None,
            first_name: name.to_owned(),
            last_name: None,
            language_code: Some(language.to_owned()),
        };
        let met = self.works.run::<_, sqlx::Error, _>("meet", Origin::SYSTEM, |work| {
            let sender = sender.clone();
            async move { people::touch(work, &sender).await.map(drop) }.scope_boxed()
        });
        met.await.unwrap();
        handle
    }
}

/// A client for every bot that the configuration names.
pub fn clients(works: &Works) -> BTreeMap<Bot, Telegram> {
    let config = &works.config.telegram;
    let http = http_client().unwrap();
    let client = |bot, token: &secrecy::SecretString| {
        Telegram::new(bot, token.clone(), config.api_url.as_str(), http.clone())
    };
    config.tokens.iter().map(|(bot, token)| (*bot, client(*bot, token))).collect()
}

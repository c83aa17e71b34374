//! The demo's page in a real browser, with the real server behind it: what people press and see, and what the database
//! holds afterwards. Every run leaves pictures in `tmp/page/` of the target folder.

mod chats;
mod story;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use usipipo::demo::stage::{Options, Stage, people, username};
use usipipo::integrations::vpn::qr;
use usipipo::integrations::vpn::wireguard::keys::Key;
use usipipo::models::bot::Bot;

use crate::support::browser::{Browser, Page};
use crate::support::db::TestDb;
use crate::support::skip::skip;
use crate::support::wait::eventually;

const BOT: &str = username(Bot::Client);
const LIMIT: Duration = Duration::from_secs(90);

const ANA: i64 = 5_000_000_001;
const BEN: i64 = 5_000_000_002;
const MILA: i64 = 5_000_000_003;

/// What `make demo` starts, on a database of its own, and a browser in front of it.
struct House {
    stage: Stage,
    db: TestDb,
    browser: Browser,
}

impl House {
    /// Plays in a new house; it is taken down again whatever happens.
    async fn play(story: impl AsyncFnOnce(&House)) {
        let browser = match Browser::start().await {
            Ok(browser) => browser,
            Err(why) => return skip(&why),
        };
        let db = TestDb::empty().await;
        let folder = std::env::temp_dir().join(format!("house-{}", uuid::Uuid::now_v7()));
        let stage = Stage::start(Options {
            database_url: db.url().to_owned(),
            folder: folder.clone(),
            port: None,
            people: people(),
            patience: LIMIT,
        });
        let house = House { stage: stage.await.unwrap(), db, browser };
        let played = AssertUnwindSafe(story(&house)).catch_unwind().await;
        house.stage.stop().await;
        let _ = std::fs::remove_dir_all(folder);
        played.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let troubles = house.browser.troubles();
        assert!(troubles.is_empty(), "{troubles:#?}");
    }

    /// The address of the page with the chats of these people side by side.
    fn address(&self, people: &[i64]) -> String {
        let chats: Vec<String> = people.iter().map(|person| format!("{person}:{BOT}")).collect();
        format!("{}/#{}", self.stage.telegram.url(), chats.join(","))
    }

    /// Waits until the database counts so many.
    async fn counts(&self, wanted: i64, sql: &'static str) {
        eventually(LIMIT, async || {
            let count: i64 = sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.unwrap();
            if count == wanted { Ok(()) } else { Err(format!("{count}, not {wanted}: {sql}")) }
        })
        .await;
    }

    async fn plan(&self, code: &'static str) -> i64 {
        let id = sqlx::query_scalar("SELECT id FROM plans WHERE code = ?").bind(code);
        id.fetch_one(&self.db.pool).await.unwrap()
    }
}

/// One person's chat on a page.
struct Chat<'a> {
    house: &'a House,
    page: &'a Page,
    person: i64,
}

impl Chat<'_> {
    /// A part of this chat, by a selector.
    fn part(&self, selector: &str) -> String {
        format!("[data-testid=column][data-person='{}'] {selector}", self.person)
    }

    fn named(&self, name: &str) -> String {
        self.part(&format!("[data-testid={name}]"))
    }

    async fn click(&self, name: &str) {
        self.page.click(&self.named(name)).await;
    }

    /// Presses the newest button with this callback data.
    async fn press(&self, data: &str) {
        self.page.click(&self.part(&format!("[data-callback='{data}']"))).await;
    }

    async fn say(&self, words: &str) {
        self.page.write(&self.named("composer-input"), words).await;
        self.click("send").await;
    }

    /// Chooses a command from the menu.
    async fn command(&self, name: &str) {
        self.click("commands-button").await;
        self.page.click(&self.part(&format!(".commands [data-testid=command-{name}]"))).await;
    }

    /// Waits until a message of the bot says this.
    async fn reads(&self, words: &str) -> String {
        self.page.read(&self.part("[data-from=bot]"), words).await
    }

    /// Waits for the config that is the `number`th in this chat. Its file and its picture are there and hold the
    /// same keys, those of a config of this person.
    async fn receives_config(&self, number: usize) {
        let newest = format!(
            "const all = [...document.querySelectorAll(selector)]; if (all.length < {number}) return;"
        );
        let file =
            self.page.until(&format!("{newest} return all.at(-1).href"), &self.named("document")).await;
        let picture =
            format!("{newest} return all.at(-1).complete && all.at(-1).naturalWidth > 99 && all.at(-1).src");
        let picture = self.page.until(&picture, &self.named("photo")).await;
        let file = reqwest::get(file.as_str().unwrap()).await.unwrap();
        let disposition = file.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.starts_with("attachment;") && disposition.contains(".conf\""), "{disposition}");
        let conf = file.text().await.unwrap();
        let picture = reqwest::get(picture.as_str().unwrap()).await.unwrap().bytes().await.unwrap();
        assert_eq!(picture, qr::png(&conf).unwrap(), "the picture holds something else than the file");
        let key = conf.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).unwrap();
        let owner: i64 =
            sqlx::query_scalar("SELECT user_id FROM vpn_configs WHERE public_id = ? AND status = 'active'")
                .bind(key.parse::<Key>().unwrap().public().to_base64())
                .fetch_one(&self.house.db.pool)
                .await
                .unwrap();
        assert_eq!(owner, self.person);
    }

    /// Turns the clock; where the window is narrow, the way there leads over the list of people.
    async fn forward(&self, step: &str) {
        let narrow = self.page.until("return { narrow: innerWidth < 720 }", "").await["narrow"] == true;
        if narrow {
            self.click("back").await;
        }
        self.page.click(&format!("[data-testid=forward-{step}]")).await;
        if narrow {
            self.page.click(&format!("[data-testid=person-{}]", self.person)).await;
        }
    }
}

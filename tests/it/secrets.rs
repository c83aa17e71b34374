//! No log, row, metric, answer or complaint ever carries a secret. The real program plays everything it does, good and
//! bad, at its most talkative; then all that it wrote anywhere is searched for everything that must not stand there.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use futures::future::join_all;
use sqlx::AssertSqlSafe;
use usipipo::demo::outline::{self, OutlineServer};
use usipipo::demo::qvapay::{Fault as QvapayFault, Payment, Style};
use usipipo::demo::telegram::{ApiError, Fault, FaultRule, PersonHandle};

use crate::story::{buy_with_stars, press};
use crate::support::cli::Shell;
use crate::support::door::{Door, SECRET_HEADER};
use crate::support::process::Process;
use crate::support::town::{BOT, Town, WireGuardHouse};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(90);

const CLIENT_TOKEN: &str = "1001:ccccccccccccccccccccccccccccccccccc";
const SUPPORT_TOKEN: &str = "1002:SupportTokenSupportTokenSupportTok1";
const ADMIN_TOKEN: &str = "1003:AdminTokenAdminTokenAdminTokenAdmin1";
const WEBHOOK_SECRETS: [&str; 2] = ["webhook_secret_first_1234", "webhook_secret_second_5678"];
const APP_SECRET: &str = "qv_test_app_secret_0123456789abcdef";
const PASSWORD: &str = "database-p4ssw0rd-Zq";

/// Everything that must not be found.
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn add(&mut self, what: impl Into<String>, secret: impl Into<String>) {
        let (what, secret) = (what.into(), secret.into());
        assert!(secret.len() >= 12, "{what} is too short to be searched for: {secret:?}");
        // As addresses and JSON write it, too.
        let percent: String = secret
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect();
        let json = serde_json::to_string(&secret).unwrap().trim_matches('"').to_owned();
        for form in [percent, json, secret] {
            if !self.0.iter().any(|(_, known)| *known == form) {
                self.0.push((what.clone(), form));
            }
        }
    }

    /// Each that stands in a text, and where.
    fn found<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a str, usize)> {
        self.0.iter().filter_map(move |(what, secret)| Some((what.as_str(), text.find(secret)?)))
    }

    /// Fails with the place where one of them stands.
    fn search(&self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if let Some((what, at)) = self.found(&text).next() {
            let before: String = text[..at].chars().rev().take(400).collect();
            let before: String = before.chars().rev().collect();
            panic!("{what} stands in {place}: … {before}{:.400} …", &text[at..]);
        }
    }
}

/// The encryption keys, the first one first.
fn keys() -> [String; 2] {
    [b'K', b'L'].map(|letter| STANDARD.encode([letter; 32]))
}

/// A house with every secret there is, and the real program serving it.
struct House {
    town: Town,
    shell: Shell,
    door: Door,
    outline: OutlineServer,
    wireguard: WireGuardHouse,
    server: Process,
    log: PathBuf,
    /// The database's user.
    user: String,
}

impl House {
    async fn open() -> Self {
        let mut town = Town::found().await;
        for (token, name) in [(SUPPORT_TOKEN, "usipipo_support_bot"), (ADMIN_TOKEN, "usipipo_admin_bot")] {
            town.telegram.add_bot(token, name, "uSipipo");
        }
        let (user, url) = with_password(&town).await;
        town.set("DATABASE_URL", url);
        town.set("SUPPORT_BOT_TOKEN", SUPPORT_TOKEN);
        town.set("ADMIN_BOT_TOKEN", ADMIN_TOKEN);
        town.set("TELEGRAM_WEBHOOK_SECRET", WEBHOOK_SECRETS.join(","));
        town.set("ENCRYPTION_KEYS", format!("k1:{},k2:{}", keys()[0], keys()[1]));
        town.set("USER_ACTIONS_PER_MINUTE", "6000");
        town.set("RUST_LOG", "trace");
        let (outline, wireguard) = (town.add_outline().await, town.add_wireguard().await);
        let shell = Shell::new(town.variables.clone());
        let log = shell.folder.join("log");
        let mut command = shell.command(&["serve"]);
        command.stderr(File::create(&log).unwrap());
        let server = Process::start(command);
        town.until_connected().await;
        let door = Door::of(&town);
        Self { town, shell, door, outline, wireguard, server, log, user }
    }

    /// What is known to be secret before anybody has bought anything.
    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets(Vec::new());
        for (bot, token) in [("client", CLIENT_TOKEN), ("support", SUPPORT_TOKEN), ("admin", ADMIN_TOKEN)] {
            secrets.add(format!("the token of the {bot} bot"), token.split_once(':').unwrap().1);
        }
        for secret in WEBHOOK_SECRETS {
            secrets.add("a webhook secret", secret);
        }
        for key in keys() {
            secrets.add("an encryption key", key);
        }
        secrets.add("QvaPay's app secret", APP_SECRET);
        secrets.add("the database's password", PASSWORD);
        secrets.add("the WireGuard server's key", &self.wireguard.private_key);
        secrets.add("the path of Outline's API", self.outline.api_url().rsplit('/').next().unwrap());
        secrets
    }
}

/// A user of the town's database who needs a password: the name, and the address.
async fn with_password(town: &Town) -> (String, String) {
    let name = town.column("SELECT DATABASE()").await.concat();
    let user = format!("u{}", &uuid::Uuid::now_v7().simple().to_string()[8..]);
    town.sql(&format!("CREATE USER '{user}'@'localhost' IDENTIFIED BY '{PASSWORD}'")).await;
    town.sql(&format!("GRANT ALL ON {name}.* TO '{user}'@'localhost'")).await;
    let mut url: reqwest::Url = town.db.url().parse().unwrap();
    url.set_username(&user).unwrap();
    url.set_password(Some(PASSWORD)).unwrap();
    (user, url.into())
}

/// Takes the keys out of everything that a person was handed.
fn collect(secrets: &mut Secrets, person: &PersonHandle) -> usize {
    let before = secrets.0.len();
    for message in person.messages(BOT).unwrap() {
        let file = message.document.map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
        for text in [file.unwrap_or_default(), message.text] {
            for line in text.lines() {
                for name in ["PrivateKey = ", "PresharedKey = "] {
                    if let Some(key) = line.strip_prefix(name) {
                        secrets.add(format!("a person's {}", name.trim_end_matches(" = ")), key.trim());
                    }
                }
            }
            for link in text.split_whitespace().filter_map(|word| word.strip_prefix("ss://")) {
                let user = link.split('@').next().unwrap();
                let plain = STANDARD_NO_PAD.decode(user.trim_end_matches('=')).unwrap();
                let plain = String::from_utf8(plain).unwrap();
                secrets.add("a person's access link", user);
                secrets.add("the password of an access link", plain.split_once(':').unwrap().1);
            }
        }
    }
    secrets.0.len() - before
}

/// People try, buy in both ways, look at everything, and go.
async fn good_days(house: &House) -> Vec<PersonHandle> {
    let town = &house.town;
    let (ana, bruno, boss) =
        (town.person(501, "Ana", "es"), town.person(502, "Bruno", "ru"), town.person(1, "Boss", "en"));
    for (person, protocol, arrives) in [(&ana, "wireguard", "[Interface]"), (&bruno, "outline", "ss://")] {
        person.send_text(BOT, "/start").unwrap();
        press(person, "trial").await;
        press(person, &format!("trial-take:{protocol}")).await;
        person.wait_for_text(BOT, arrives).await.unwrap();
    }
    boss.send_text(BOT, "/start").unwrap();
    let plan = town.popular_plan().await;
    buy_with_stars(&ana, plan).await;
    bruno.send_text(BOT, "/plans").unwrap();
    press(&bruno, &format!("plan:{plan}")).await;
    press(&bruno, &format!("buy:{plan}:qvapay")).await;
    eventually(LIMIT, async || town.qvapay.invoices().len() == 1).await;
    let invoice = town.qvapay.invoices()[0].uuid;
    town.qvapay.pay(invoice, Payment::default());
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM payments WHERE status = 'completed'").await == 2
    })
    .await;
    town.quiet().await;
    for style in [Style::Forged, Style::Tampered, Style::Stale, Style::Unsigned, Style::Get, Style::Signed] {
        town.qvapay.deliver(invoice, style).await.unwrap();
    }
    // One more key of each kind, asked for in every form, renamed, and one dropped.
    press_as(&ana, "add-to:2:outline").await;
    press_as(&bruno, "add-to:4:wireguard").await;
    town.quiet().await;
    for id in 1..=6 {
        for person in [&ana, &bruno] {
            for tag in ["cfg", "cfg-file", "cfg-qr", "cfg-text", "cfg-guides"] {
                press_as(person, &format!("{tag}:{id}")).await;
            }
        }
    }
    press_as(&ana, "cfg-name:1").await;
    ana.send_text(BOT, "my <b>phone</b>").unwrap();
    press_as(&bruno, "cfg-revoke-yes:2").await;
    for command in
        ["/whois 501", "/users", "/audit", "/stats", "/refund 1", "/status", "/ban 502", "/unban 502"]
    {
        boss.send_text(BOT, command).unwrap();
    }
    press_as(&boss, "refund-yes:1").await;
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM payments WHERE status = 'refunded'").await == 1
    })
    .await;
    vec![ana, bruno, boss]
}

/// A press under the bot's first message, so that what comes of it is an edit and waits for nothing.
async fn press_as(person: &PersonHandle, data: &str) {
    let first = |chat: &usipipo::demo::telegram::ChatView| {
        chat.messages.iter().find(|it| it.from_bot).map(|it| it.id)
    };
    let message = person.wait_for(BOT, "a message of the bot", first).await.unwrap();
    person.press_data(BOT, message, data).unwrap();
}

/// Everything outside fails in every way, and strangers knock with what they have heard.
async fn bad_days(house: &House, people: &[PersonHandle]) {
    let town = &house.town;
    let token =
        town.column("SELECT callback_token FROM payments WHERE callback_token IS NOT NULL").await.concat();
    let path = format!("/payments/qvapay/{token}");
    for (headers, body) in [
        (vec![], "{}"),
        (vec![(SECRET_HEADER, &WEBHOOK_SECRETS[0][..20])], "{}"),
        (vec![("authorization", CLIENT_TOKEN)], "hello"),
        (vec![(SECRET_HEADER, WEBHOOK_SECRETS[0])], "hello"),
        (vec![(SECRET_HEADER, WEBHOOK_SECRETS[1])], "{\"update_id\":1,\"message\":[]}"),
    ] {
        for bot in ["client", "support", "admin"] {
            house.door.post(&format!("/telegram/{bot}?secret={}", WEBHOOK_SECRETS[0]), &headers, body).await;
        }
        house.door.post(&path, &headers, body).await;
        house.door.get(&format!("{path}?id={}", "x".repeat(100))).await;
        house.door.get(&format!("/{CLIENT_TOKEN}/{}", WEBHOOK_SECRETS[0])).await;
    }
    let says = format!("Unauthorized: {CLIENT_TOKEN}");
    let faults = [
        Fault::Refuse,
        Fault::ServerError,
        Fault::Cut,
        Fault::TooManyRequests { retry_after: 1 },
        Fault::Reject(ApiError::new(500, &says)),
        Fault::Reject(ApiError::new(401, "Unauthorized")),
    ];
    for fault in faults {
        town.telegram.fault(FaultRule::new(fault).chat(501).times(1));
    }
    for fault in [QvapayFault::Error500, QvapayFault::Garbage, QvapayFault::HangUp, QvapayFault::CutAnswer] {
        town.qvapay.fault(fault, 1);
    }
    house.outline.fault(outline::Fault::HangUp, 2);
    house.outline.fault(outline::Fault::Error500, 2);
    house.outline.fault(outline::Fault::LoseReply, 1);
    press_as(&people[0], "buy:1:qvapay").await;
    press_as(&people[0], "cfg-text:1").await;
    press_as(&people[1], "add-to:4:outline").await;
    // A message that Telegram refuses for good is told to the admins, with Telegram's words.
    town.telegram.fault(FaultRule::new(Fault::Reject(ApiError::bad(&says))).chat(502).times(1));
    press_as(&people[1], "cfg-text:4").await;
    let failed = "SELECT COUNT(*) FROM jobs WHERE error IS NOT NULL";
    eventually(LIMIT, async || town.count(failed).await >= 2).await;
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM outbound_messages WHERE error IS NOT NULL").await >= 1
    })
    .await;
}

/// Commands that look at everything, in a house that is well and in one that is not.
async fn operators(house: &House) -> Vec<(String, String)> {
    let mut said = Vec::new();
    let id = |table: &str| format!("SELECT LOWER(HEX(id)) FROM {table} WHERE status = 'dead' LIMIT 1");
    let event = house.town.column(&id("inbound_events")).await.concat();
    let mut looks: Vec<Vec<&str>> = [
        "doctor",
        "webhook info",
        "webhook set",
        "server list",
        "server test wireguard-1",
        "server test outline-1",
        "plan list",
        "user show 501",
        "events list",
        "events list --status done",
        "jobs list",
        "keys rotate",
        "migrate",
        "--help",
        "serve --help",
        "keys --help",
        "nonsense",
    ]
    .iter()
    .map(|line| line.split_whitespace().collect())
    .collect();
    looks.push(vec!["events", "show", &event]);
    looks.push(vec!["events", "replay", &event]);
    for args in &looks {
        let ended = house.shell.run(args).await;
        said.push((format!("`usipipo {}`", args.join(" ")), ended.out + &ended.err));
    }
    for (name, value) in wrong() {
        let mut shell = Shell::new(house.town.variables.clone());
        shell.set(name, value);
        for args in [&["doctor"][..], &["server", "test", "outline-1"]] {
            let ended = shell.run(args).await;
            said.push((format!("`usipipo {}` with a wrong {name}", args.join(" ")), ended.out + &ended.err));
        }
    }
    said
}

/// Variables, each in turn wrong in a way that its value could be quoted.
fn wrong() -> [(&'static str, String); 16] {
    let [first, _] = keys();
    [
        ("DATABASE_URL", format!("mysql://root:{PASSWORD}@127.0.0.1:1/none")),
        ("DATABASE_URL", format!("postgres://root:{PASSWORD}@localhost/none")),
        ("DATABASE_URL", format!("mysql://nobody:{PASSWORD}@localhost/{PASSWORD} x?socket=/none")),
        ("CLIENT_BOT_TOKEN", CLIENT_TOKEN.replace(':', "")),
        ("CLIENT_BOT_TOKEN", format!("{CLIENT_TOKEN}!")),
        ("SUPPORT_BOT_TOKEN", CLIENT_TOKEN.to_owned()),
        ("TELEGRAM_WEBHOOK_SECRET", format!("{} {}", WEBHOOK_SECRETS[0], WEBHOOK_SECRETS[1])),
        ("TELEGRAM_WEBHOOK_SECRET", format!("{},short", WEBHOOK_SECRETS[0])),
        ("ENCRYPTION_KEYS", first.clone()),
        ("ENCRYPTION_KEYS", format!("k1:{first},k1:{first}")),
        ("ENCRYPTION_KEYS", format!("k1:{first}x")),
        ("ENCRYPTION_KEYS", format!("k9:{first}")),
        ("QVAPAY_APP_ID", String::new()),
        ("QVAPAY_APP_SECRET", "another_app_secret_of_nobody".to_owned()),
        ("TELEGRAM_API_URL", "http://127.0.0.1:1".to_owned()),
        ("QVAPAY_API_URL", "http://127.0.0.1:1".to_owned()),
    ]
}

/// Every text and every byte that the database holds, by column. Where a callback comes to has to be looked up by its
/// token; that one column has it.
async fn rows(town: &Town) -> Vec<(String, Vec<u8>)> {
    let columns = "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns \
                   WHERE table_schema = DATABASE() AND (data_type LIKE '%char' OR data_type LIKE '%text' \
                   OR data_type LIKE '%blob' OR data_type LIKE '%binary' OR data_type = 'json')";
    let columns = town.column(columns).await;
    assert!(columns.len() > 60, "{columns:?}");
    let wanted = columns.iter().filter(|column| *column != "payments.callback_token");
    join_all(wanted.map(async |column| {
        let (table, name) = column.split_once('.').unwrap();
        let query = format!("SELECT CAST(`{name}` AS BINARY) FROM `{table}` WHERE `{name}` IS NOT NULL");
        let values: Vec<Vec<u8>> =
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&town.db.pool).await.unwrap();
        (format!("the column {column}"), values.join(&b'\n'))
    }))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_written_anywhere_carries_a_secret() {
    let mut house = House::open().await;
    let people = good_days(&house).await;
    bad_days(&house, &people).await;
    let pages =
        join_all(["/metrics", "/health", "/health/ready", "/nothing"].map(|path| house.door.get(path))).await;
    let said = operators(&house).await;
    house.server.signal("TERM");
    assert_eq!(house.server.ended().await.code(), Some(0));

    let mut secrets = house.secrets();
    for token in
        house.town.column("SELECT callback_token FROM payments WHERE callback_token IS NOT NULL").await
    {
        secrets.add("the token of a callback address", token);
    }
    let found: usize = people[..2].iter().map(|person| collect(&mut secrets, person)).sum();
    assert!(found >= 12, "two WireGuard keys and three access links, each with its parts");
    // The search does find what is there: in the hands of their owners, and in the environment.
    let chats = people[..2].iter().map(|person| format!("{:?}", person.messages(BOT).unwrap()));
    let handed = chats.collect::<String>() + &format!("{:?}", house.town.variables);
    assert!(secrets.found(&handed).count() >= 15);

    let log = std::fs::read(&house.log).unwrap();
    assert!(log.len() > 100_000 && String::from_utf8_lossy(&log).contains("TRACE"), "it was talkative");
    secrets.search("the log", &log);
    secrets.search("what serve printed", house.server.out().as_bytes());
    for page in &pages {
        secrets.search("a page", page.body.as_bytes());
    }
    for (place, text) in &said {
        secrets.search(place, text.as_bytes());
    }
    for (place, bytes) in rows(&house.town).await {
        secrets.search(&place, &bytes);
    }
    house.town.sql(&format!("DROP USER '{}'@'localhost'", house.user)).await;
}

//! Configuration: everything wrong is told at once, and never a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use usipipo::config::{Config, ConfigError, Contact, DatabaseConfig, LogFormat, SignatureRule};
use usipipo::ids::UserId;
use usipipo::integrations::payments::qvapay::RateLimit;
use usipipo::models::bot::{Bot, Language};

type Variables = BTreeMap<String, String>;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What must be set.
fn minimal() -> Variables {
    let pairs = [
        ("PUBLIC_URL", "https://vpn.example.com/".to_owned()),
        ("DATABASE_URL", "mysql://u:p4ssw0rd@localhost/usipipo".to_owned()),
        ("CLIENT_BOT_TOKEN", format!("1001:{}", "c".repeat(35))),
        ("TELEGRAM_WEBHOOK_SECRET", "0123456789abcdef".to_owned()),
        ("SUPERADMIN_TELEGRAM_IDS", "42".to_owned()),
        ("ENCRYPTION_KEYS", format!("k1:{KEY}")),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn read(variables: &Variables) -> Result<Config, ConfigError> {
    Config::from_lookup(&|name| variables.get(name).cloned())
}

/// `minimal` with one more variable.
fn with(name: &str, value: &str) -> Result<Config, ConfigError> {
    let mut variables = minimal();
    variables.insert(name.to_owned(), value.to_owned());
    read(&variables)
}

fn refused(result: Result<Config, ConfigError>) -> Vec<&'static str> {
    result.unwrap_err().problems.iter().map(|problem| problem.variable).collect()
}

#[test]
fn an_empty_environment_names_everything_that_is_needed() {
    let error = read(&Variables::new()).unwrap_err();
    insta::assert_snapshot!(error.to_string());
}

#[test]
fn every_mistake_is_told_at_once() {
    let mistakes = [
        ("BIND_ADDR", "localhost"),
        ("PUBLIC_URL", "http://vpn.example.com"),
        ("TRUSTED_PROXIES", "127.0.0.1,nginx"),
        ("DATABASE_URL", "postgres://u:hidden@localhost/usipipo"),
        ("DATABASE_MAX_CONNECTIONS", "0"),
        ("TELEGRAM_API_URL", "api.telegram.org"),
        ("CLIENT_BOT_TOKEN", "hidden"),
        ("SUPPORT_BOT_TOKEN", "123:hidden"),
        ("TELEGRAM_WEBHOOK_SECRET", "0123456789abcdef,hidden"),
        ("SUPERADMIN_TELEGRAM_IDS", "42,@ada"),
        ("ENCRYPTION_KEYS", "k1:aGlkZGVu"),
        ("STARS_ENABLED", "maybe"),
        ("QVAPAY_APP_ID", "hidden"),
        ("QVAPAY_WEBHOOK_SIGNATURE", "sometimes"),
        ("TRIAL_DAYS", "-1"),
        ("SUPPORT_CONTACT", "call me"),
        ("DEFAULT_LANGUAGE", "fr"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "usipipo=louder"),
    ];
    let variables = mistakes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let error = read(&variables).unwrap_err();
    insta::assert_snapshot!(error.to_string());
}

#[test]
fn nonsense_in_any_variable_is_told_once_with_what_is_expected() {
    const NONSENSE: &str = "hidden\u{1}=[ nonsense";
    let names: Vec<String> = example_file().into_keys().collect();
    for name in &names {
        let problems = with(name, NONSENSE).err().unwrap_or_else(|| panic!("{name} takes nonsense")).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].variable, name);
        assert!(problems[0].expected.len() >= "true or false".len(), "{problems:?}");
        let secret =
            ["TOKEN", "SECRET", "KEYS", "APP_ID", "DATABASE_URL"].iter().any(|part| name.contains(part));
        assert!(!secret || !problems[0].to_string().contains("hidden"), "{problems:?}");
    }
    let everywhere = names.iter().map(|name| (name.clone(), NONSENSE.to_owned())).collect();
    let mut told = refused(read(&everywhere));
    told.sort_unstable();
    let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
    all.sort_unstable();
    assert_eq!(told, all, "all at once, each once");
}

#[test]
fn no_value_of_a_secret_is_ever_shown() {
    const SECRET: &str = "s3cr3t-that-nobody-may-see";
    for name in asked_for() {
        for value in [
            SECRET.to_owned(),
            format!("{SECRET},{SECRET}"),
            format!("1:{SECRET}"),
            format!("https://user:{SECRET}@example.com"),
            format!("https://example.com/?token={SECRET}"),
            format!("mysql://user:{SECRET}@localhost"),
        ] {
            let shown = match with(&name, &value) {
                Ok(_)
                    if ["SUPPORT_CONTACT", "BOT_NAME", "TERMS_URL", "RUST_LOG", "MACHINE_ID"]
                        .contains(&name.as_str()) =>
                {
                    continue;
                }
                Ok(config) => format!("{config:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains(SECRET), "{name}: {shown}");
        }
    }
}

#[test]
fn a_name_and_terms_of_the_operator_are_optional() {
    let config = read(&minimal()).unwrap();
    assert_eq!((config.telegram.client_name, config.people.terms_url), (None, None));
    let named = with("BOT_NAME", &"я".repeat(64)).unwrap();
    assert_eq!(named.telegram.client_name.unwrap().chars().count(), 64);
    for name in ["я".repeat(65), "a\nb".to_owned()] {
        assert_eq!(refused(with("BOT_NAME", &name)), ["BOT_NAME"]);
    }
    let own = "https://example.com/terms?lang=es#refunds";
    assert_eq!(with("TERMS_URL", own).unwrap().people.terms_url.unwrap().as_str(), own);
    for url in ["http://example.com/terms", "example.com/terms", "https://", "t.me/terms"] {
        assert_eq!(refused(with("TERMS_URL", url)), ["TERMS_URL"], "{url}");
    }
}

#[test]
fn debug_of_a_whole_configuration_shows_no_secret() {
    let mut variables = minimal();
    variables.insert("QVAPAY_APP_ID".into(), "the-app-id".into());
    variables.insert("QVAPAY_APP_SECRET".into(), "the-app-secret".into());
    let debug = format!("{:?}", read(&variables).unwrap());
    for secret in ["p4ssw0rd", "cccc", "0123456789abcdef", KEY, "the-app-id", "the-app-secret"] {
        assert!(!debug.contains(secret), "{secret} in {debug}");
    }
}

#[test]
fn the_minimal_configuration_has_the_documented_defaults() {
    let config = read(&minimal()).unwrap();
    assert_eq!(config.server.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.public_address("/telegram/client"), "https://vpn.example.com/telegram/client");
    assert!(config.server.trusted_proxies.is_empty(), "nobody is trusted unless named");
    assert_eq!(config.telegram.api_url.as_str(), "https://api.telegram.org/");
    assert!(config.telegram.token(Bot::Client).is_some() && config.telegram.token(Bot::Support).is_none());
    assert_eq!(config.people.superadmins, BTreeSet::from([UserId(42)]));
    assert!(config.payments.stars && config.payments.qvapay.is_none());
    assert_eq!((config.access.trial_days, config.access.trial_traffic_mb), (7, 1000));
    assert_eq!(config.default_language, Language::Es);
    assert_eq!(config.logging.format, LogFormat::Json);
}

#[test]
fn a_human_is_found_at_telegram_on_the_web_or_by_e_mail() {
    let contact =
        |text: &str| with("SUPPORT_CONTACT", text).map(|config| config.people.support_contact.unwrap());
    assert_eq!(contact("@usipipo_support").unwrap(), Contact::Username("usipipo_support".into()));
    assert_eq!(contact("https://t.me/x?start=y").unwrap(), Contact::Link("https://t.me/x?start=y".into()));
    assert_eq!(
        contact("help+vpn@mail.example.com").unwrap(),
        Contact::Email("help+vpn@mail.example.com".into())
    );
    for wrong in [
        "usipipo_support",
        "@ab",
        "@no spaces",
        "@häns_peter",
        "http://example.com",
        "https://",
        "ftp://example.com",
        "https://user:pass@example.com",
        "a@b",
        "@@example.com",
        "a@b@example.com",
        "a b@example.com",
        "mailto:a@b.c",
        "a@b..c",
        "a@.b",
        "+34 600 000 000",
    ] {
        let error = contact(wrong).unwrap_err().to_string();
        assert!(error.contains("SUPPORT_CONTACT") && error.contains("@usipipo_support"), "{wrong}: {error}");
    }
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    for name in asked_for() {
        if !minimal().contains_key(&name) {
            assert!(with(&name, "  ").is_ok(), "{name}");
        }
    }
    let error = with("CLIENT_BOT_TOKEN", "").unwrap_err();
    assert!(error.to_string().contains("CLIENT_BOT_TOKEN is empty"), "{error}");
}

#[test]
fn qvapay_needs_both_of_its_credentials() {
    assert_eq!(refused(with("QVAPAY_APP_ID", "id")), ["QVAPAY_APP_SECRET"]);
    assert_eq!(refused(with("QVAPAY_APP_SECRET", "secret")), ["QVAPAY_APP_ID"]);
    let mut variables = minimal();
    for (name, value) in [("APP_ID", "id"), ("APP_SECRET", "secret"), ("WEBHOOK_SIGNATURE", "if_present")] {
        variables.insert(format!("QVAPAY_{name}"), value.to_owned());
    }
    let qvapay = read(&variables).unwrap().payments.qvapay.unwrap();
    assert_eq!(qvapay.signature, SignatureRule::IfPresent);
    assert_eq!(qvapay.api_url.as_str(), "https://api.qvapay.com/");
    assert_eq!(qvapay.limit, RateLimit::default());
    variables.insert("QVAPAY_CALLS_IN_FIVE_SECONDS".to_owned(), "40".to_owned());
    assert_eq!(read(&variables).unwrap().payments.qvapay.unwrap().limit.calls, 40);
}

#[test]
fn two_bots_cannot_share_a_token() {
    let client = minimal()["CLIENT_BOT_TOKEN"].clone();
    assert_eq!(refused(with("ADMIN_BOT_TOKEN", &client)), ["ADMIN_BOT_TOKEN"]);
}

#[test]
fn the_public_address_is_https_except_on_this_machine() {
    for good in ["http://127.0.0.1:4711", "http://localhost:1", "http://[::1]:1", "https://example.com/vpn/"]
    {
        assert!(with("PUBLIC_URL", good).is_ok(), "{good}");
    }
    for bad in
        ["http://10.0.0.1", "ftp://example.com", "https://a:b@example.com", "https://example.com?x", "vpn"]
    {
        assert_eq!(refused(with("PUBLIC_URL", bad)), ["PUBLIC_URL"], "{bad}");
    }
}

#[test]
fn webhook_secrets_rotate_in_order() {
    let config = with("TELEGRAM_WEBHOOK_SECRET", "new-new-new-new-new, old-old-old-old-old").unwrap();
    let secrets = &config.telegram.webhook_secrets;
    assert_eq!(secrets.len(), 2);
    assert!(usipipo::crypto::matches_any(
        b"new-new-new-new-new",
        std::slice::from_ref(config.telegram.webhook_secret())
    ));
}

#[test]
fn the_database_alone_can_be_read_alone() {
    let variables = minimal();
    let only = |name: &str| (name == "DATABASE_URL").then(|| variables["DATABASE_URL"].clone());
    assert_eq!(DatabaseConfig::from_lookup(&only).unwrap().max_connections, 20);
}

#[test]
fn the_example_file_documents_every_variable_and_its_default() {
    let example = example_file();
    let documented: BTreeSet<_> = example.keys().cloned().collect();
    assert_eq!(documented, asked_for(), "left: in .env.example; right: read by the code");
    let mut variables: Variables = example.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    variables.remove("TRUSTED_PROXIES");
    variables.extend(minimal());
    assert_eq!(format!("{:?}", read(&variables).unwrap()), format!("{:?}", read(&minimal()).unwrap()));
}

/// `NAME=value` and `#NAME=value` lines.
fn example_file() -> Variables {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).unwrap();
    let variable = |line: &str| {
        let (name, value) = line.trim_start_matches('#').split_once('=')?;
        let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        is_name.then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(variable).collect()
}

/// Every variable that the code asks for.
fn asked_for() -> BTreeSet<String> {
    let asked = Mutex::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.lock().unwrap().insert(name.to_owned());
        None
    };
    Config::from_lookup(&lookup).unwrap_err();
    asked.into_inner().unwrap()
}

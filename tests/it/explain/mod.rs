//! Growth: what people wait for looks at as few rows of a large database as of a small one. A life is played on a
//! MariaDB that writes down each statement; then every one of them, and every other that the code has, is put to
//! EXPLAIN. A scan of a table that grows fails, unless a list here says who runs it and why nobody waits for it.

mod plans;
pub mod statements;

use std::collections::{BTreeMap, BTreeSet};

use usipipo::crud::books::RULES;
use usipipo::demo::telegram::PersonHandle;

use crate::fire::life::Life;
use crate::support::db::TestDb;
use crate::support::recorder::{Recorded, Recorder};
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;
use statements::{fingerprint, known, readable, with_values};

#[path = "../../../benches/load/crowd.rs"]
mod crowd;

/// 2,000 people, and 20,000.
const SMALL: f64 = 0.002;
const LARGE: f64 = 0.02;
/// By so many rows two runs may differ whatever the size: lanes and chats that happened to wait together.
const CHANCE: i64 = 60;

/// What looks at more rows in a larger house, and why nobody waits for it; each by a part of its fingerprint.
const AT_LEISURE: &[(&str, &str)] = &[
    (
        "DELETE FROM lanes WHERE queue = ? AND class = ?",
        "the purge: every ten minutes, through the chats of the last five",
    ),
    ("UPDATE lanes SET owner = ?, due_at = ? WHERE owner BETWEEN", "a server that ends"),
    ("UPDATE lanes SET due_at = IF(due_at < ?", "a clock that was set back"),
    ("(SELECT COUNT(*) FROM reminders", "every minute, through those in their grace time"),
    ("AS `queue!: i64`", "/health, /metrics and operators count what waits"),
    ("COUNT(CASE WHEN created_at", "an operator asks for /stats"),
    ("SUM(amount) AS", "an operator asks for /stats: what a month brought"),
    ("SELECT COUNT(*) FROM users", "an operator asks for /users"),
    ("COUNT(plan_id)", "an operator asks for /stats, and /metrics"),
    ("FROM vpn_configs WHERE status <> ? GROUP BY", "an operator asks for /stats, and /metrics"),
    ("COUNT(*) AS `secrets!: i64` FROM vpn_configs", "an operator asks for keys"),
];

/// Every command that shows something.
const COMMANDS: &[&str] = &[
    "/start",
    "/vpn",
    "/plans",
    "/trial",
    "/profile",
    "/status",
    "/help",
    "/language",
    "/paysupport",
    "/mylogs",
    "/myroles",
    "/terms",
    "/cancel",
];
const OF_OPERATORS: &[&str] = &["/users", "/stats", "/audit", "/reviews", "/whois 9000"];

/// A town in a crowd, in which a life was lived.
struct Lived {
    town: Town,
    recorded: Vec<Recorded>,
}

/// Lives among `scale` of the crowd, and ends the server.
async fn live(recorder: &Recorder, scale: f64) -> Lived {
    let mut town = Town::found_on(TestDb::on(&recorder.server()).await).await;
    crowd::fill(town.db.url(), scale).await.unwrap();
    town.is_sound().await;
    town.set("DATABASE_URL", recorder.watched(town.db.url()));
    let outline = town.add_outline().await;
    let _tunnels = town.add_wireguard().await;
    recorder.forget(&town.db.pool).await;
    let running = town.open().await;
    Life::of(&town, 5).await.play(&outline).await;
    look_around(&town.person(9000, "Ana <b>&", "es"), COMMANDS).await;
    look_around(&town.person(1, "Olga", "en"), OF_OPERATORS).await;
    at_rest(&town).await;
    running.stop().await;
    let recorded = recorder.recorded(&town.db.pool).await;
    town.is_sound().await;
    Lived { town, recorded }
}

async fn look_around(person: &PersonHandle, commands: &[&str]) {
    for command in commands {
        let before = person.messages(BOT).unwrap().len();
        person.send_text(BOT, command).unwrap();
        eventually(LIMIT, async || {
            let seen = person.messages(BOT).unwrap().len();
            if seen >= before + 2 { Ok(()) } else { Err(format!("{command} is not answered")) }
        })
        .await;
    }
}

/// Nothing waits but what waited in the crowd, and what is for the machines of its servers.
async fn at_rest(town: &Town) {
    let jobs = "SELECT payload FROM jobs WHERE status = 'pending' AND attempts < 5 \
                AND kind NOT IN ('reconcile_server', 'collect_usage', 'check_server')";
    let waiting = format!(
        "{jobs} UNION ALL SELECT lane FROM inbound_events WHERE status = 'pending' \
         UNION ALL SELECT body FROM outbound_messages WHERE status = 'pending'"
    );
    eventually(LIMIT, async || match town.column(&waiting).await.as_slice() {
        [] => Ok(()),
        waiting => Err(waiting.join(", ")),
    })
    .await;
}

/// The most rows that a run of each statement looked at, with that run.
fn most_examined(recorded: &[Recorded]) -> BTreeMap<String, &Recorded> {
    let mut most: BTreeMap<String, &Recorded> = BTreeMap::new();
    for run in recorded {
        let known = most.entry(fingerprint(&run.text)).or_insert(run);
        if run.examined > known.examined {
            *known = run;
        }
    }
    most
}

/// Why a statement may take its time, if so.
fn excuse(fingerprint: &str) -> Option<&'static str> {
    let of_the_night = RULES.iter().any(|(_, rule)| statements::fingerprint(rule) == fingerprint);
    let listed = AT_LEISURE.iter().find(|(part, _)| fingerprint.contains(part)).map(|(part, _)| *part);
    listed.or(of_the_night.then_some("the invariants are counted every night, and by operators"))
}

/// Whether a statement finds rows of its own accord.
fn looks(statement: &str) -> bool {
    ["SELECT", "UPDATE", "DELETE"].iter().any(|verb| statement.trim_start().starts_with(verb))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_large_house_nobody_waits_longer_than_in_a_small_one() {
    let Some(recorder) = Recorder::start().await else { return };
    let small = live(&recorder, SMALL).await;
    let large = live(&recorder, LARGE).await;
    let (few, many) = (most_examined(&small.recorded), most_examined(&large.recorded));
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (statement, run) in &many {
        let before = few.get(statement).map_or(0, |run| run.examined);
        let grows = run.examined > 2 * before + CHANCE;
        let scans = if looks(&run.text) {
            plans::scans(&large.town.db.pool, &readable(&run.text)).await
        } else {
            Vec::new()
        };
        if !grows && scans.is_empty() {
            continue;
        }
        match excuse(statement) {
            Some(excuse) => drop(used.insert(excuse)),
            None => wrong.push(format!("{before} → {} rows, {scans:?}: {}", run.examined, run.text)),
        }
    }
    for (statement, text) in known().iter().filter(|(known, text)| looks(text) && !many.contains_key(*known))
    {
        let scans = plans::scans(&large.town.db.pool, &with_values(text)).await;
        match excuse(statement) {
            _ if scans.is_empty() => {}
            Some(excuse) => drop(used.insert(excuse)),
            None => wrong.push(format!("not run, {scans:?}: {}", with_values(text))),
        }
    }
    println!("{} statements were run, {} times", many.len(), large.recorded.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let idle: Vec<_> = AT_LEISURE.iter().filter(|(part, _)| !used.contains(part)).collect();
    assert!(idle.is_empty(), "no longer needed: {idle:?}");
}

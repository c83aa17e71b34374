//! What is measured, each on its own database.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use tokio::task::JoinSet;

use crate::client::Line;
use crate::crowd;
use crate::telegram::Telegram;
use crate::world::{self, FIRST, SECRET, Served};

/// Connections that Telegram, or nginx, holds to us.
const LINES: usize = 64;

fn start_of(n: i64) -> String {
    let person = FIRST + n;
    format!(
        r#"{{"update_id":{n},"message":{{"message_id":{n},"from":{{"id":{person},"is_bot":false,"first_name":"Ana","username":"person{n}","language_code":"en"}},"chat":{{"id":{person},"first_name":"Ana","username":"person{n}","type":"private"}},"date":1790000000,"text":"/start","entities":[{{"offset":0,"length":6,"type":"bot_command"}}]}}}}"#
    )
}

/// Each person's /start, as fast as the lines take them; gives how long it took until the last was answered.
async fn send_starts(address: &str, from: i64, count: i64) -> anyhow::Result<Duration> {
    let next = Arc::new(AtomicI64::new(from));
    let mut lines = Vec::new();
    for _ in 0..LINES {
        lines.push(Line::open(address).await?);
    }
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut line in lines {
        let next = next.clone();
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= from + count {
                    return Ok(());
                }
                // Overload is an answer: Telegram comes again.
                loop {
                    match line.post("/telegram/client", SECRET, &start_of(n)).await? {
                        200 => break,
                        503 => tokio::time::sleep(Duration::from_millis(50)).await,
                        other => bail!("update {n} was answered {other}"),
                    }
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(begun.elapsed())
}

/// Updates before the measured ones: caches fill, connections are made.
const WARM: i64 = 2000;

/// A migrated database with people in it.
pub struct Ground {
    pub url: String,
    /// The person and update that comes next.
    next: i64,
    people: i64,
}

impl Ground {
    /// One of that name made anew, with people who have been here before, beside a crowd of this scale.
    pub async fn new(name: &str, people: i64, crowd: f64) -> anyhow::Result<Self> {
        let url = world::fresh_database(name).await?;
        if crowd > 0.0 {
            let took = crowd::fill(&url, crowd).await?;
            eprintln!("the crowd was made in {:.0} s", took.as_secs_f64());
        }
        world::add_people(&url, people).await?;
        Ok(Self { url, next: 1, people })
    }

    /// So many people who have not spoken yet: the first of them.
    fn take(&mut self, count: i64) -> anyhow::Result<i64> {
        let first = self.next;
        self.next += count;
        ensure!(self.next <= self.people + 1, "too few people in {}", self.url);
        Ok(first)
    }
}

/// Updates a second of the minimal handler.
pub async fn baseline(ground: &mut Ground, count: i64) -> anyhow::Result<f64> {
    let first = ground.take(WARM + count)?;
    let url = &ground.url;
    let served = Served::baseline(url)?;
    let rows = "SELECT COUNT(*) FROM audit_logs WHERE action = 'update'";
    let before = world::count(url, rows).await?;
    send_starts(&served.address, first, WARM).await?;
    let took = send_starts(&served.address, first + WARM, count).await?;
    let stored = world::count(url, rows).await? - before;
    ensure!(stored == count + WARM, "{stored} audit rows");
    Ok(rate(count, took))
}

/// Of one burst: updates stored and answered a second, and updates whose reply has left a second.
pub async fn burst(ground: &mut Ground, count: i64) -> anyhow::Result<(f64, f64)> {
    let first = ground.take(WARM + count)?;
    let (telegram, served) = open(ground).await?;
    send_starts(&served.address, first, WARM).await?;
    settled(&telegram, WARM).await?;
    telegram.forget();
    let begun = Instant::now();
    let stored = send_starts(&served.address, first + WARM, count).await?;
    let handled = settled(&telegram, count).await?.duration_since(begun);
    let waiting = "SELECT COUNT(*) FROM inbound_events WHERE status <> 'done'";
    ensure!(world::count(&ground.url, waiting).await? == 0, "not every update is done");
    Ok((rate(count, stored), rate(count, handled)))
}

async fn open(ground: &Ground) -> anyhow::Result<(Telegram, Served)> {
    let telegram = Telegram::default();
    let api = telegram.start().await;
    let served = Served::server(&ground.url, &api).await?;
    // The books are checked at once where no night has been yet: they are not what is measured.
    let checked = "SELECT COUNT(*) FROM jobs WHERE kind = 'check_books' AND status = 'done'";
    while !telegram.is_connected() || world::count(&ground.url, checked).await? == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok((telegram, served))
}

async fn settled(telegram: &Telegram, count: i64) -> anyhow::Result<Instant> {
    let expected = usize::try_from(count)?;
    match telegram.answered(expected, Duration::from_secs(300)).await {
        Ok(last) => Ok(last),
        Err(came) => bail!("only {came} of {count} replies came within 300 s"),
    }
}

fn rate(count: i64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// What people who talk all at once wait for: milliseconds from the request to the reply leaving.
pub struct Talk {
    pub presses: usize,
    pub p50: f64,
    pub p99: f64,
    pub worst: f64,
    pub lost: usize,
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { presses, p50, p99, worst, lost } = self;
        write!(f, "{presses} presses: p50 {p50:.1} ms, p99 {p99:.1} ms, worst {worst:.1} ms, {lost} lost")
    }
}

/// `people` press a button every two seconds for so long.
pub async fn talk(ground: &mut Ground, people: i64, length: Duration) -> anyhow::Result<Talk> {
    const EVERY: Duration = Duration::from_secs(2);
    let first = ground.take(people)?;
    let (telegram, served) = open(ground).await?;
    send_starts(&served.address, first, people).await?;
    settled(&telegram, people).await?;
    telegram.forget();
    let rounds = u32::try_from(length.as_secs() / EVERY.as_secs())?;
    let mut tasks = JoinSet::new();
    for n in first..first + people {
        let address = served.address.clone();
        tasks.spawn(async move {
            let mut line = Line::open(&address).await?;
            let begun = Instant::now() + EVERY.mul_f64((n - first) as f64 / people as f64);
            let mut pressed = Vec::new();
            for round in 0..rounds {
                tokio::time::sleep_until((begun + EVERY * round).into()).await;
                pressed.push(Instant::now());
                let status = line.post("/telegram/client", SECRET, &press_of(n, round)).await?;
                ensure!(status == 200, "a press was answered {status}");
            }
            Ok((n, pressed))
        });
    }
    let mut waits = Vec::new();
    let mut lost = 0;
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.push(done??);
    }
    // Each their own: what the server of the scene before had sent and was killed before it noted comes once more.
    let missing = || {
        all.iter()
            .any(|(n, pressed): &(i64, Vec<Instant>)| telegram.answers_to(FIRST + n).len() < pressed.len())
    };
    let begun = Instant::now();
    while missing() && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (n, pressed) in all {
        let answers = telegram.answers_to(FIRST + n);
        lost += pressed.len().saturating_sub(answers.len());
        waits.extend(
            pressed.iter().zip(&answers).map(|(from, to)| to.duration_since(*from).as_secs_f64() * 1e3),
        );
    }
    waits.sort_by(f64::total_cmp);
    let at = |part: f64| {
        waits.get(((waits.len() as f64 * part) as usize).min(waits.len().saturating_sub(1))).copied()
    };
    Ok(Talk {
        presses: waits.len(),
        p50: at(0.5).unwrap_or(f64::NAN),
        p99: at(0.99).unwrap_or(f64::NAN),
        worst: at(1.0).unwrap_or(f64::NAN),
        lost,
    })
}

/// One after the other the help and the menu, so that each edit changes something.
fn press_of(n: i64, round: u32) -> String {
    let person = FIRST + n;
    // Beyond all that were sent otherwise.
    let update = 1_000_000_000 + n * 1000 + i64::from(round);
    let data = if round.is_multiple_of(2) { "help" } else { "home" };
    format!(
        r#"{{"update_id":{update},"callback_query":{{"id":"{update}","from":{{"id":{person},"is_bot":false,"first_name":"Ana","username":"person{n}","language_code":"en"}},"message":{{"message_id":77,"from":{{"id":1001,"is_bot":true,"first_name":"b","username":"bench_bot"}},"chat":{{"id":{person},"first_name":"Ana","type":"private"}},"date":1790000000,"text":"menu"}},"chat_instance":"1","data":"{data}"}}}}"#
    )
}

/// Milliseconds until ready on a migrated database, and KiB of memory at rest, after so many updates, and at the most.
pub struct Footprint {
    pub ready_ms: f64,
    pub fresh_kib: u64,
    pub after_kib: u64,
    pub most_kib: u64,
}

pub async fn footprint(ground: &mut Ground, updates: i64) -> anyhow::Result<Footprint> {
    let first = ground.take(updates)?;
    let (telegram, served) = open(ground).await?;
    let (fresh_kib, _) = served.memory()?;
    send_starts(&served.address, first, updates).await?;
    settled(&telegram, updates).await?;
    let (after_kib, most_kib) = served.memory()?;
    Ok(Footprint { ready_ms: served.ready_after.as_secs_f64() * 1e3, fresh_kib, after_kib, most_kib })
}

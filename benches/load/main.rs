//! `make bench`: the server under load against a minimal handler, on the same database server and in the same run.
//!
//!     cargo bench --bench load -- [ROUNDS] [SCENE…]
//!
//! The scenes, all but `crowd` when none is named: `rates` (a burst, beside the minimal handler), `talk` (1,000 people at
//! once), `memory` (200,000 updates), `crowd` (rates and talk in a database of a million people, beside a small one).

mod baseline;
mod client;
mod crowd;
mod report;
mod scenes;
mod telegram;
mod world;

use std::path::Path;
use std::time::Duration;

use report::{Figure, Goal};
use scenes::Ground;

/// Updates of one burst, with those that warm it up.
const BURST: i64 = 20_000;
const OF_BURST: i64 = BURST + 2000;
/// People who talk at once, and for how long.
const TALKERS: i64 = 1000;
const TALK: Duration = Duration::from_secs(60);
/// Updates after which memory is looked at.
const MANY: i64 = 200_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if let Ok(url) = std::env::var("BENCH_BASELINE") {
        return baseline::serve(&url).await;
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(3);
    let named: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|it| it.parse::<u32>().is_err()).collect();
    let scenes = if named.is_empty() { vec!["rates", "talk", "memory"] } else { named };
    let mut figures = Vec::new();
    for scene in scenes {
        figures.extend(match scene {
            "rates" => rates(rounds).await?,
            "talk" => talk(rounds).await?,
            "memory" => memory().await?,
            "crowd" => in_a_crowd(rounds).await?,
            other => anyhow::bail!("{other} is no scene: rates, talk, memory or crowd"),
        });
    }
    report::print(&figures);
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench.json");
    report::write(&figures, &out)?;
    println!("\nwritten to {}", out.display());
    Ok(())
}

/// Bursts of the minimal handler and of ours, in turns.
async fn rates(rounds: u32) -> anyhow::Result<Vec<Figure>> {
    let (mut minimal, mut stored, mut handled) = (vec![], vec![], vec![]);
    for round in 1..=rounds {
        let rate = scenes::baseline(&mut Ground::new("bench_baseline", OF_BURST, 0.0).await?, BURST).await?;
        let (kept, done) =
            scenes::burst(&mut Ground::new("bench_burst", OF_BURST, 0.0).await?, BURST).await?;
        eprintln!("round {round}: minimal {rate:.0}/s, stored {kept:.0}/s, handled {done:.0}/s");
        minimal.push(rate);
        stored.push(kept);
        handled.push(done);
    }
    let minimal = Figure::new("minimal handler, one transaction an update", "1/s", minimal);
    let rate = minimal.median();
    Ok(vec![
        minimal,
        Figure::new("stored and answered, 64 connections", "1/s", stored).with(Goal::AtLeast(3.0 * rate)),
        Figure::new("fully handled, the reply handed over", "1/s", handled).with(Goal::AtLeast(rate)),
    ])
}

async fn talk(rounds: u32) -> anyhow::Result<Vec<Figure>> {
    let (mut p99, mut p50, mut lost) = (vec![], vec![], vec![]);
    for round in 1..=rounds {
        let talk = scenes::talk(&mut Ground::new("bench_talk", TALKERS, 0.0).await?, TALKERS, TALK).await?;
        eprintln!("round {round}: {talk}");
        p50.push(talk.p50);
        p99.push(talk.p99);
        lost.push(talk.lost as f64);
    }
    Ok(vec![
        Figure::new("1,000 people talking, p50 to the reply", "ms", p50),
        Figure::new("1,000 people talking, p99 to the reply", "ms", p99).with(Goal::AtMost(150.0)),
        Figure::new("1,000 people talking, replies lost", "", lost).with(Goal::AtMost(0.0)),
    ])
}

async fn memory() -> anyhow::Result<Vec<Figure>> {
    let footprint = scenes::footprint(&mut Ground::new("bench_memory", MANY, 0.0).await?, MANY).await?;
    let kib = |kib: u64| vec![kib as f64];
    Ok(vec![
        Figure::new("from exec to ready, migrated database", "ms", vec![footprint.ready_ms])
            .with(Goal::AtMost(1000.0)),
        Figure::new("memory when ready", "KiB", kib(footprint.fresh_kib)),
        Figure::new("memory after 200,000 updates", "KiB", kib(footprint.after_kib))
            .with(Goal::AtMost(65536.0)),
        Figure::new("memory at the most", "KiB", kib(footprint.most_kib)),
    ])
}

/// What a grown database costs: the same scenes in a small one and in the crowd, in turns.
async fn in_a_crowd(rounds: u32) -> anyhow::Result<Vec<Figure>> {
    let people = i64::from(rounds) * (2 * OF_BURST + TALKERS);
    let mut crowd = Ground::new("bench_crowd", people, 1.0).await?;
    let mut small = Ground::new("bench_small", people, 0.0).await?;
    let mut found = [const { Vec::new() }; 6];
    for round in 1..=rounds {
        for (n, ground) in [&mut small, &mut crowd].into_iter().enumerate() {
            let (kept, done) = scenes::burst(ground, BURST).await?;
            let talk = scenes::talk(ground, TALKERS, TALK).await?;
            eprintln!("round {round}: stored {kept:.0}/s, handled {done:.0}/s; {talk}");
            for (values, value) in found[3 * n..].iter_mut().zip([kept, done, talk.p99]) {
                values.push(value);
            }
        }
    }
    let [kept, done, p99, kept_in_crowd, done_in_crowd, p99_in_crowd] = found;
    let small = [
        Figure::new("stored, small database", "1/s", kept),
        Figure::new("handled, small database", "1/s", done),
    ];
    let least = small.each_ref().map(|figure| Goal::AtLeast(0.8 * figure.median()));
    let p99 = Figure::new("p99 to the reply, small database", "ms", p99);
    let most = Goal::AtMost(1.2 * p99.median());
    let [kept, done] = small;
    Ok(vec![
        kept,
        Figure::new("stored, a million people", "1/s", kept_in_crowd).with(least[0]),
        done,
        Figure::new("handled, a million people", "1/s", done_in_crowd).with(least[1]),
        p99,
        Figure::new("p99 to the reply, a million people", "ms", p99_in_crowd).with(most),
    ])
}

//! `make bench`: the server under load against a minimal handler, on the same database and in the same run.
//!
//!     cargo bench --bench load -- [ROUNDS]

mod baseline;
mod client;
mod report;
mod scenes;
mod telegram;
mod world;

use std::path::Path;
use std::time::Duration;

use report::{Figure, Goal};

/// Updates of one burst.
const BURST: i64 = 20_000;
/// Updates after which memory is looked at.
const MANY: i64 = 200_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if let Ok(url) = std::env::var("BENCH_BASELINE") {
        return baseline::serve(&url).await;
    }
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(3);
    let (mut minimal, mut stored, mut handled, mut p99, mut p50, mut lost) =
        (vec![], vec![], vec![], vec![], vec![], vec![]);
    if std::env::args().any(|argument| argument == "burst") {
        for _ in 0..rounds {
            let minimal = scenes::baseline(BURST).await?;
            let (kept, done) = scenes::burst(BURST).await?;
            println!("baseline {minimal:.0}/s, stored {kept:.0}/s, handled {done:.0}/s");
        }
        return Ok(());
    }
    for round in 1..=rounds {
        minimal.push(scenes::baseline(BURST).await?);
        let (kept, done) = scenes::burst(BURST).await?;
        stored.push(kept);
        handled.push(done);
        let talk = scenes::talk(1000, Duration::from_secs(60)).await?;
        p50.push(talk.p50);
        p99.push(talk.p99);
        lost.push(talk.lost as f64);
        eprintln!(
            "round {round}: baseline {:.0}/s, stored {kept:.0}/s, handled {done:.0}/s; talk of {} presses: p50 {:.1} ms, \
             p99 {:.1} ms, worst {:.1} ms, lost {}",
            minimal[round - 1],
            talk.presses,
            talk.p50,
            talk.p99,
            talk.worst,
            talk.lost
        );
    }
    let footprint = scenes::footprint(MANY).await?;
    let minimal = Figure::new("minimal handler, one transaction an update", "1/s", minimal);
    let rate = minimal.median();
    let figures = [
        minimal,
        Figure::new("stored and answered, 64 connections", "1/s", stored).with(Goal::AtLeast(3.0 * rate)),
        Figure::new("fully handled, the reply handed over", "1/s", handled).with(Goal::AtLeast(rate)),
        Figure::new("1,000 people talking, p50 to the reply", "ms", p50),
        Figure::new("1,000 people talking, p99 to the reply", "ms", p99).with(Goal::AtMost(150.0)),
        Figure::new("1,000 people talking, replies lost", "", lost).with(Goal::AtMost(0.0)),
        Figure::new("from exec to ready, migrated database", "ms", vec![footprint.ready_ms])
            .with(Goal::AtMost(1000.0)),
        Figure::new("memory when ready", "KiB", vec![footprint.fresh_kib as f64]),
        Figure::new("memory after 200,000 updates", "KiB", vec![footprint.after_kib as f64])
            .with(Goal::AtMost(65536.0)),
        Figure::new("memory at the most", "KiB", vec![footprint.most_kib as f64]),
    ];
    report::print(&figures);
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench.json");
    report::write(&figures, &out)?;
    println!("\nwritten to {}", out.display());
    Ok(())
}

//! The real server with two lines to its database, of which one is cut or held: as with nodes of a cluster, it takes the
//! other.

use std::time::Duration;

use reqwest::Url;

use crate::support::cli::Shell;
use crate::support::door::Door;
use crate::support::line::{Line, State};
use crate::support::town::Town;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// One address of both lines, the first one first.
fn both(lines: &[Line; 2]) -> String {
    let [one, other]: [Url; 2] = lines.each_ref().map(|line| line.url.parse().unwrap());
    let port = one.port().unwrap();
    one.as_str().replace(&format!(":{port}/"), &format!(":{port},127.0.0.1:{}/", other.port().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn when_its_node_is_gone_or_silent_the_server_goes_to_the_next() {
    let mut town = Town::found().await;
    let lines = [Line::to(town.db.url()).await, Line::to(town.db.url()).await];
    let url = both(&lines);
    // The first is gone from the beginning.
    lines[0].set(State::Cut);
    town.set("DATABASE_URL", &url);
    let running = town.open().await;
    let door = Door::of(&town);
    let ready = async || eventually(LIMIT, async || door.get("/health/ready").await.status == 200).await;
    for (n, away) in [1, 0].into_iter().enumerate() {
        lines[1 - away].set(State::Open);
        lines[away].set(State::Cut);
        town.person(800, "Ana", "es").send_text("usipipo_bot", "/start").unwrap();
        let done = "SELECT COUNT(*) FROM inbound_events WHERE status = 'done'";
        eventually(LIMIT, async || town.count(done).await == n as i64 + 1).await;
        ready().await;
    }
    // It does not hang up, and does not answer.
    lines[0].set(State::Open);
    lines[1].set(State::Held);
    eventually(LIMIT, async || door.get("/health/ready").await.status == 503).await;
    ready().await;
    lines[1].set(State::Open);
    town.quiet().await;
    town.is_sound().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_take_the_first_node_that_answers() {
    let town = Town::found().await;
    let lines = [Line::to(town.db.url()).await, Line::to(town.db.url()).await];
    let shell = Shell::over(&both(&lines));
    for (state, other) in [(State::Cut, State::Open), (State::Held, State::Open), (State::Open, State::Cut)] {
        lines[0].set(state);
        lines[1].set(other);
        assert!(shell.run(&["plan", "list"]).await.ok().contains("1"));
    }
    lines.iter().for_each(|line| line.set(State::Cut));
    shell.run(&["plan", "list"]).await.failed(1);
}

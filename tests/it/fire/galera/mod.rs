//! Copies on the nodes of a Galera cluster: rivals on different nodes, one node killed, two lost, all of them lost.

mod lanes;
mod load;
mod locks;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use load::{Load, Pattern};

use super::walk::at_rest;
use crate::support::db::TestDb;
use crate::support::galera::Cluster;
use crate::support::nginx::{self, Nginx};
use crate::support::ports;
use crate::support::skip::skip;
use crate::support::town::{BOT, Server, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(120);
/// Writes go on so soon after a node died.
const GAP: Duration = Duration::from_secs(10);
/// The lease of the town's servers, and 5 s.
const LONGEST_WAIT_S: i64 = 5 + 5;

/// A house on a cluster: a copy of the server at each node, each of which knows the other nodes, too.
struct House {
    town: Town,
    cluster: Cluster,
    /// Node of each copy.
    nodes: Vec<usize>,
    copies: Vec<Option<Server>>,
    doors: Vec<String>,
    /// Before the copies, where there is one.
    nginx: Option<Nginx>,
    /// Everything that was brought.
    loads: Vec<Arc<Load>>,
}

impl House {
    /// With a copy for each of these nodes. All of them meet an empty database, and bring it up to date.
    async fn build(cluster: Cluster, nodes: &[usize]) -> Self {
        let mut town = Town::found_on(TestDb::empty_on(cluster.url(1)).await).await;
        town.set("RUST_LOG", std::env::var("FIRE_LOG").unwrap_or_else(|_| "off".to_owned()));
        let addresses = std::iter::once(town.address).chain(std::iter::repeat_with(ports::address));
        let doors = addresses.take(nodes.len()).map(|address| format!("http://{address}")).collect();
        let copies = nodes.iter().map(|_| None).collect();
        let mut house =
            Self { town, cluster, nodes: nodes.to_vec(), copies, doors, nginx: None, loads: Vec::new() };
        (0..nodes.len()).for_each(|copy| house.start(copy));
        house.all_ready().await;
        house.town.until_connected().await;
        house
    }

    async fn put_nginx_before_it(&mut self) {
        let addresses: Vec<_> =
            self.doors.iter().map(|door| door.trim_start_matches("http://").parse().unwrap()).collect();
        self.nginx = Some(Nginx::in_front_of(&addresses).await);
    }

    fn start(&mut self, copy: usize) {
        let url = self.cluster.url_from(self.nodes[copy], self.town.db.name());
        let address = self.doors[copy].trim_start_matches("http://");
        self.copies[copy] = Some(self.town.spawn_with(&[("BIND_ADDR", address), ("DATABASE_URL", &url)]));
    }

    fn kill(&mut self, copy: usize) {
        self.copies[copy].take().unwrap().kill();
    }

    async fn ready(&self, copy: usize) -> (u16, String) {
        let url = format!("{}/health/ready", self.doors[copy]);
        match reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(error) => (0, error.to_string()),
        }
    }

    async fn all_ready(&self) {
        for copy in 0..self.copies.len() {
            eventually(LIMIT, async || match self.ready(copy).await {
                (200, _) => Ok(()),
                other => Err(other),
            })
            .await;
        }
    }

    /// Each copy says why it takes nothing.
    async fn all_without_quorum(&self) {
        for copy in 0..self.copies.len() {
            eventually(LIMIT, async || match self.ready(copy).await {
                (503, body) if body.contains("database_without_quorum") => Ok(()),
                other => Err(other),
            })
            .await;
        }
    }

    fn load(&mut self, pattern: Pattern) -> (Arc<Load>, JoinHandle<()>) {
        for person in pattern.people() {
            self.town.person(person, "Ana", "es").open(BOT).unwrap();
        }
        let (doors, http) = match &self.nginx {
            Some(nginx) => (vec![nginx.base.clone()], nginx.client.clone()),
            None => (self.doors.clone(), reqwest::Client::builder().no_proxy().build().unwrap()),
        };
        let load = Arc::new(Load::new(doors, http, pattern));
        self.loads.push(load.clone());
        let running = tokio::spawn(load.clone().run());
        (load, running)
    }

    /// Nodes are killed, and with them the majority: whatever comes is refused until it is back, and then taken.
    async fn lose(&mut self, nodes: &[usize], back: Back) {
        self.cluster.kill(nodes).await;
        if nodes.len() < 3 {
            self.all_without_quorum().await;
        }
        let first = 30_000 * (self.loads.len() as i64 + 1);
        let (load, running) = self.load(Pattern { first, people: 10, updates: 2, pause: Duration::ZERO });
        eventually(LIMIT, async || load.refused() >= 20).await;
        assert_eq!(load.accepted(), 0, "nothing is taken without a majority");
        match back {
            Back::ByItself => self.cluster.restart(nodes).await,
            Back::ByHand => self.cluster.recover().await,
        }
        self.all_ready().await;
        running.await.unwrap();
    }

    /// Everything was handled once and in order.
    async fn check(&mut self) {
        at_rest(&self.town).await;
        let people: i64 = self.loads.iter().map(|load| load.pattern.people).sum();
        let updates: i64 =
            self.loads.iter().map(|load| load.pattern.people * i64::from(load.pattern.updates)).sum();
        let count = async |sql: &str| self.town.count(sql).await;
        // nginx says so of a copy that died before it answered.
        let of_nginx: &[u16] = if self.nginx.is_some() { &[502, 504] } else { &[] };
        for load in &self.loads {
            let others: Vec<u16> = load.statuses().into_iter().filter(|it| !of_nginx.contains(it)).collect();
            let logs = |status: &u16| self.nginx.as_ref().map(|nginx| nginx.tells_of(*status));
            let logs = others.first().and_then(logs).unwrap_or_default();
            assert_eq!(others, Vec::<u16>::new(), "answers that neither take nor refuse; {logs}");
        }
        assert_eq!(count("SELECT COUNT(*) FROM inbound_events").await, updates);
        assert_eq!(count("SELECT COUNT(*) FROM inbound_events WHERE status = 'done'").await, updates);
        assert_eq!(count("SELECT COUNT(*) FROM users").await, people);
        for action in ["user_joined", "referrer_set"] {
            let once = format!("SELECT COUNT(*) FROM audit_logs WHERE action = '{action}'");
            assert_eq!(count(&once).await, people, "{action}");
        }
        assert_eq!(
            count("SELECT COUNT(*) FROM users WHERE referrer <> 'no0'").await,
            0,
            "the first came first"
        );
        let answers = "SELECT COUNT(DISTINCT cause_id) FROM outbound_messages WHERE status = 'done'";
        let answers = (count("SELECT COUNT(*) FROM outbound_messages").await, count(answers).await);
        assert_eq!(answers, (updates, updates), "one answer each");
        assert_eq!(count(EVENTS_OUT_OF_ORDER).await, 0, "events out of order");
        assert_eq!(count(ANSWERS_OUT_OF_ORDER).await, 0, "answers out of order");
        for copy in self.copies.iter_mut().flatten() {
            assert!(copy.ended().is_none(), "a copy ended by itself");
        }
    }

    /// The longest time that an accepted update waited for its handling.
    async fn longest_wait_s(&self) -> i64 {
        let waited = "SELECT CAST(COALESCE(MAX(TIMESTAMPDIFF(SECOND, received_at, done_at)), 0) AS SIGNED) FROM inbound_events";
        self.town.count(waited).await
    }

    async fn conflicts(&self) -> i64 {
        let mut conflicts = 0;
        for node in 1..=3 {
            conflicts += self.cluster.conflicts(node).await;
        }
        conflicts
    }
}

/// How a majority comes back.
enum Back {
    /// The killed nodes are started again.
    ByItself,
    /// What is left is told to go on.
    ByHand,
}

const EVENTS_OUT_OF_ORDER: &str = "SELECT COUNT(*) FROM inbound_events a JOIN inbound_events b ON b.status = a.status \
     AND b.lane = a.lane AND CAST(a.dedupe_key AS UNSIGNED) < CAST(b.dedupe_key AS UNSIGNED) \
     WHERE a.status = 'done' AND a.done_at > b.done_at";
/// By the ids that Telegram gave them.
const ANSWERS_OUT_OF_ORDER: &str = "SELECT COUNT(*) FROM outbound_messages m JOIN inbound_events a ON a.id = m.cause_id \
     JOIN outbound_messages n ON n.status = m.status AND n.lane = m.lane JOIN inbound_events b ON b.id = n.cause_id \
     WHERE m.status = 'done' AND CAST(a.dedupe_key AS UNSIGNED) < CAST(b.dedupe_key AS UNSIGNED) \
     AND m.message_id > n.message_id";

/// The short form: rivals on two nodes, one node killed, then the majority.
#[tokio::test(flavor = "multi_thread")]
async fn on_two_nodes_nothing_is_lost_or_done_twice() {
    let Some(cluster) = Cluster::start().await else { return };
    lanes::hammer(&cluster, 4, 20).await;
    locks::hammer(&cluster, 30).await;
    let mut house = House::build(cluster, &[1, 2]).await;
    let (load, running) =
        house.load(Pattern { first: 20_000, people: 12, updates: 6, pause: Duration::from_millis(600) });
    eventually(LIMIT, async || load.accepted() >= 15).await;
    let killed = Instant::now();
    house.cluster.kill(&[2]).await;
    eventually(LIMIT, async || load.accepted() >= 40).await;
    let gap = load.longest_gap_since(killed);
    assert!(gap < GAP, "nothing was taken for {gap:?} after a node was killed");
    house.cluster.restart(&[2]).await;
    running.await.unwrap();
    house.lose(&[2, 3], Back::ByItself).await;
    house.check().await;
    println!("conflicts unseen: {}, gap: {gap:?}", house.conflicts().await);
}

/// Four copies behind nginx on three nodes, a thousand people, two minutes: copies and nodes are killed and started at
/// random.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn a_thousand_people_on_three_nodes_lose_nothing_and_get_nothing_twice() {
    let Some(cluster) = Cluster::start().await else { return };
    if nginx::program().is_none() {
        return skip("nginx is not installed");
    }
    let mut house = House::build(cluster, &[1, 2, 3, 1]).await;
    house.put_nginx_before_it().await;
    let people = number("FIRE_PEOPLE", 1000);
    let (load, running) =
        house.load(Pattern { first: 20_000, people, updates: 9, pause: Duration::from_secs(15) });
    let (begun, mut gaps) = (Instant::now(), Vec::new());
    for round in 0..u32::MAX {
        if begun.elapsed() > Duration::from_secs(120) {
            break;
        }
        let (copy, node) = (rand::random_range(0..4), rand::random_range(2..=3));
        house.kill(copy);
        // Not a wait for something: the instants are to fall anywhere.
        tokio::time::sleep(Duration::from_millis(rand::random_range(200..4000))).await;
        house.start(copy);
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..4000))).await;
        if round % 3 == 0 {
            let killed = Instant::now();
            house.cluster.kill(&[node]).await;
            tokio::time::sleep(GAP).await;
            gaps.push(load.longest_gap_since(killed));
            house.cluster.restart(&[node]).await;
        }
    }
    let (longest, conflicts) = (house.longest_wait_s().await, house.conflicts().await);
    println!("accepted {}, conflicts {conflicts}, longest wait {longest} s, gaps {gaps:?}", load.accepted());
    assert!(gaps.iter().all(|gap| *gap < GAP), "{gaps:?}");
    assert!(longest <= LONGEST_WAIT_S, "an update waited for {longest} s");
    running.await.unwrap();
    house.check().await;
    assert!(conflicts > 0, "copies at different nodes met");
}

/// The majority is lost again and again under load, and comes back by itself or by hand; at last everything is lost.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn without_a_majority_everything_is_refused_and_handled_afterwards() {
    let Some(cluster) = Cluster::start().await else { return };
    let mut house = House::build(cluster, &[1, 2, 3]).await;
    let (load, running) =
        house.load(Pattern { first: 20_000, people: 100, updates: 30, pause: Duration::from_secs(4) });
    let on = async || {
        let before = load.accepted();
        eventually(LIMIT, async || load.accepted() >= before + 200).await;
    };
    on().await;
    house.lose(&[2, 3], Back::ByItself).await;
    on().await;
    house.lose(&[1, 3], Back::ByHand).await;
    on().await;
    house.lose(&[1, 2, 3], Back::ByHand).await;
    running.await.unwrap();
    house.check().await;
}

/// Two processes on two nodes, the same lanes, for minutes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn rivals_on_two_nodes_keep_every_lane_in_order() {
    let Some(cluster) = Cluster::start().await else { return };
    lanes::hammer(&cluster, 12, 400).await;
    locks::hammer(&cluster, 1000).await;
}

/// A number from the environment.
fn number(name: &str, otherwise: i64) -> i64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

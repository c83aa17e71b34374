//! Updates as Telegram brings them: those of a chat one after the other, each again and again until it is taken.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::client_bot::{ANA, message};
use crate::support::door::SECRET_HEADER;
use crate::support::town::SECRET;

/// Telegram waits for seconds and minutes.
const AGAIN: Duration = Duration::from_millis(300);

/// Who writes, how much, and how long each thinks between two messages, on average.
#[derive(Clone, Copy)]
pub struct Pattern {
    /// The id of the first of them.
    pub first: i64,
    pub people: i64,
    pub updates: u32,
    pub pause: Duration,
}

impl Pattern {
    /// Their ids.
    pub fn people(&self) -> RangeInclusive<i64> {
        self.first..=self.first + self.people - 1
    }
}

pub struct Load {
    pub pattern: Pattern,
    /// Where they are brought: nginx, or the copies in turn.
    doors: Vec<String>,
    http: reqwest::Client,
    accepted: Mutex<Vec<Instant>>,
    refused: AtomicU64,
    /// Answers that neither take nor refuse.
    others: Mutex<BTreeSet<u16>>,
}

impl Load {
    pub fn new(doors: Vec<String>, http: reqwest::Client, pattern: Pattern) -> Self {
        let (accepted, refused, others) = Default::default();
        Self { pattern, doors, http, accepted, refused, others }
    }

    /// Returns when everything was taken.
    pub async fn run(self: std::sync::Arc<Self>) {
        join_all(self.pattern.people().map(|person| self.talk(person))).await;
    }

    async fn talk(&self, person: i64) {
        for number in 0..self.pattern.updates {
            tokio::time::sleep(self.pattern.pause.mul_f64(rand::random_range(0.0..2.0))).await;
            let mut ana = ANA;
            ana.id = person;
            let mut update = message(ana, json!({ "text": format!("/start ref_no{number}") }));
            update["update_id"] = (person * 1000 + i64::from(number)).into();
            self.deliver(&update).await;
        }
    }

    async fn deliver(&self, update: &Value) {
        let first: usize = rand::random_range(0..self.doors.len());
        for door in (0..self.doors.len()).cycle().skip(first) {
            let url = format!("{}/telegram/client", self.doors[door]);
            let request = self.http.post(url).header(SECRET_HEADER, SECRET).json(update);
            let answer = request.timeout(Duration::from_secs(20)).send().await;
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(200) => return self.accepted.lock().unwrap().push(Instant::now()),
                Ok(503) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
                Ok(other) => {
                    self.others.lock().unwrap().insert(other);
                }
                // The copy is dead, or died before it answered.
                Err(_) => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    pub fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub fn statuses(&self) -> Vec<u16> {
        self.others.lock().unwrap().iter().copied().collect()
    }

    /// The longest time from `since` until now in which nothing was taken.
    pub fn longest_gap_since(&self, since: Instant) -> Duration {
        let accepted = self.accepted.lock().unwrap();
        let mut instants: Vec<Instant> = accepted.iter().copied().filter(|at| *at > since).collect();
        instants.extend([since, Instant::now()]);
        instants.sort();
        instants.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

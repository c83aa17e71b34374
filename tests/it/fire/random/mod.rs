//! Random life: people, providers, admins, the clock and all kinds of trouble, drawn from a seed, against the real
//! server on a real database. When all has come to rest, the books must be right, and everything must be as the
//! outside knows it: the money at Telegram and at QvaPay, the keys at the VPN servers, the updates that were taken.
//!
//! A life that went wrong prints its seed and its last steps. `FIRE_SEED=<seed>` lives it again, `FIRE_STEPS=<n>` only
//! its first n steps, `FIRE_PEOPLE=<n>` with so many people, and `FIRE_CALM=1` lets everything settle after each step.
//! The steps are the same each time; what they meet (which buttons a chat shows, what is still under way) depends on
//! how fast the machine was, so a failure that needs a race may take several tries.

mod check;
mod forge;
mod house;
mod life;
mod money;
mod people;
mod steps;
mod truth;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::{Duration, Instant};

use futures::FutureExt;

use life::{Life, Tally};
use steps::plan;

/// Steps that are shown of a life that went wrong.
const SHOWN: usize = 50;

/// How long a life is, and how many take part.
#[derive(Clone, Copy, Debug)]
struct Shape {
    steps: usize,
    people: i64,
}

impl Shape {
    /// Of a long life. Many short ones come to other places than few long ones.
    fn of(seed: u64) -> Self {
        let (steps, people) = ([300, 1000, 2500][(seed % 3) as usize], 5 + (seed % 8) as i64);
        Self { steps, people }
    }

    /// As the environment says otherwise.
    fn or_given(self) -> Self {
        Self {
            steps: given("FIRE_STEPS").unwrap_or(self.steps),
            people: given("FIRE_PEOPLE").unwrap_or(self.people),
        }
    }
}

/// A number of the environment.
fn given<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Lives the life of a seed; says what it was when it goes wrong.
async fn live(seed: u64, shape: Shape) -> Tally {
    let Shape { steps, people } = shape;
    let begun = Instant::now();
    let log = life::Log::default();
    let lived = AssertUnwindSafe(async {
        let mut life = Life::begin(people, log.clone()).await;
        for (number, step) in plan(seed, steps).into_iter().enumerate() {
            life.take(number, step).await;
        }
        life.end().await
    });
    let took = || begun.elapsed().as_secs();
    match lived.catch_unwind().await {
        Ok(tally) => {
            println!("seed {seed}: {steps} steps, {people} people, {} s: {tally:?}", took());
            tally
        }
        Err(panic) => {
            let whole = format!("{}/random-{seed}.log", env!("CARGO_TARGET_TMPDIR"));
            let _ = std::fs::write(&whole, log.last(usize::MAX).join("\n"));
            let last = log.last(SHOWN).join("\n");
            eprintln!(
                "seed {seed} of {shape:?} went wrong after {} s. Its last steps (all of them: {whole}):\n{last}\n\
                 Again: FIRE_SEED={seed} FIRE_PEOPLE={people} FIRE_STEPS={} make fire ARGS=fire::random",
                took(),
                log.taken()
            );
            resume_unwind(panic)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_random_life_leaves_everything_as_it_should_be() {
    let shape = Shape { steps: 200, people: 6 };
    let (one, other) = tokio::join!(live(3, shape), live(1_000_003, shape));
    for (what, seen) in (one + other).named() {
        assert!(seen > 0, "{what} never happened: these lives show nothing of it");
    }
}

/// Longest time in which new lives are begun.
const LONG: Duration = Duration::from_secs(200);
/// Lives of one run.
const LIVES: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: make fire"]
async fn long_random_lives_leave_everything_as_it_should_be() {
    if let Some(seed) = given("FIRE_SEED") {
        live(seed, Shape::of(seed).or_given()).await;
        return;
    }
    let begun = Instant::now();
    // New ones each time: the point is to come where nobody has been.
    let first = uuid::Uuid::now_v7().as_u64_pair().0 >> 16;
    for seed in first..first + LIVES {
        live(seed, Shape::of(seed).or_given()).await;
        if begun.elapsed() > LONG {
            return;
        }
    }
}

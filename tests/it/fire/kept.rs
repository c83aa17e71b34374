//! A server process that is started again whenever it dies. It dies at one place, once, and notes what it passes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::support::town::{LIMIT, Server, Town};
use crate::support::wait::eventually;

/// How often the server passed each place.
pub type Passed = BTreeMap<String, u32>;

/// Where the server is to die.
#[derive(Clone, Debug)]
pub struct Death {
    pub place: String,
    /// Which passing of it is the last.
    pub nth: u32,
}

impl Death {
    pub fn at(place: &str, nth: u32) -> Self {
        Self { place: place.to_owned(), nth }
    }

    /// As `FAILPOINTS` wants it.
    fn armed(&self) -> String {
        match self.nth {
            0 | 1 => format!("{}=return", self.place),
            nth => format!("{}={}*off->return", self.place, nth - 1),
        }
    }
}

/// What the keeper and the test share.
#[derive(Default)]
struct State {
    deaths: AtomicU32,
    starts: AtomicU32,
    /// Somebody has asked it to end.
    asked: AtomicBool,
    /// The process that runs, 0 while there is none.
    pid: AtomicU32,
}

/// A server that is kept running.
pub struct Kept {
    state: Arc<State>,
    passed: PathBuf,
    _keeper: AbortOnDropHandle<()>,
}

impl Kept {
    /// It is armed until it has died, and never again.
    pub fn start(town: &Town, death: Option<&Death>) -> Self {
        let passed = std::env::temp_dir().join(format!("passed-{}", uuid::Uuid::now_v7()));
        let noted = [("FAULTS_PASSED", passed.to_str().unwrap().to_owned())];
        let arms = death.map(|death| ("FAILPOINTS", death.armed()));
        let mut armed = town.spawner_with(noted.clone().into_iter().chain(arms));
        let mut unarmed = town.spawner_with(noted);
        let state = Arc::<State>::default();
        let kept = state.clone();
        let keeper = tokio::spawn(async move {
            let mut server: Server = armed();
            let mut look = tokio::time::interval(Duration::from_millis(20));
            kept.note_start(&server);
            loop {
                look.tick().await;
                let Some(ended) = server.ended() else { continue };
                // One that has just been started may not yet listen to being asked.
                let obeyed = ended.success() || ended.signal() == Some(15);
                if !(obeyed && kept.asked.swap(false, Ordering::SeqCst)) {
                    assert_eq!(ended.signal(), Some(9), "it ended by itself: {ended}");
                    kept.deaths.fetch_add(1, Ordering::SeqCst);
                }
                server = match kept.deaths.load(Ordering::SeqCst) {
                    0 => armed(),
                    _ => unarmed(),
                };
                kept.note_start(&server);
            }
        });
        Self { state, passed, _keeper: AbortOnDropHandle::new(keeper) }
    }

    pub fn deaths(&self) -> u32 {
        self.state.deaths.load(Ordering::SeqCst)
    }

    /// Asks it to end, as an operator does, and waits until it has been started again. It may die on the way.
    pub async fn restart(&self) {
        let starts = self.state.starts.load(Ordering::SeqCst);
        self.state.asked.store(true, Ordering::SeqCst);
        let pid = self.state.pid.load(Ordering::SeqCst).to_string();
        // One that has died at this very moment is started again as well.
        let _ = std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap();
        eventually(LIMIT, async || self.state.starts.load(Ordering::SeqCst) > starts).await;
        self.state.asked.store(false, Ordering::SeqCst);
    }

    /// What all its processes have passed.
    pub fn passed(&self) -> Passed {
        let mut passed = Passed::new();
        for place in fs::read_to_string(&self.passed).unwrap_or_default().lines() {
            *passed.entry(place.to_owned()).or_default() += 1;
        }
        passed
    }
}

impl State {
    fn note_start(&self, server: &Server) {
        self.pid.store(server.id(), Ordering::SeqCst);
        self.starts.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.passed);
    }
}

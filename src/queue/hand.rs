//! Work that a copy takes in hand as it queues it: the lane is put into the table as leased already, and what is in it is
//! known, so that nothing has to be claimed and read back. It waits here, in order, until there is room for it.
//!
//! To the database it is a lane like any other that is leased: a copy that dies leaves a lease that ends by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use std::time::Duration;

use tokio::time::Instant;

use super::runner::Lane;
use crate::models::lane::NewLease;

/// How long whoever queues waits for those who cannot follow.
const MOMENT: Duration = Duration::from_millis(20);

/// The way to who works on a queue in this process, if anybody does.
pub struct Reach<R>(OnceLock<Weak<dyn Takes<R>>>);

impl<R> Default for Reach<R> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<R> Reach<R> {
    /// Told once, by who starts the work.
    pub fn set(&self, runner: Weak<dyn Takes<R>>) {
        let _ = self.0.set(runner);
    }

    /// Places for up to `most` lanes that are about to be queued; None: there is no room, or nobody works on it here.
    pub fn places(&self, most: usize) -> Option<Places<R>> {
        let taker = self.0.get()?.upgrade()?;
        let (count, lease) = taker.reserve(most);
        let (reserved_at, in_doubt) = (Instant::now(), false);
        (count > 0).then(|| Places { taker, left: count, lease, reserved_at, in_doubt })
    }
}

impl<R> Reach<R> {
    /// Waits a moment, where so many more lanes could not be taken in hand. Whoever queues for those who cannot follow
    /// makes more work for everybody.
    pub async fn let_follow(&self, lanes: usize) {
        let behind = || self.0.get().and_then(Weak::upgrade).is_some_and(|taker| !taker.has_room(lanes));
        let until = Instant::now() + MOMENT;
        while behind() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Takes lanes in hand.
pub trait Takes<R>: Send + Sync {
    /// Keeps up to `most` places free, and tells how many, and of which lease.
    fn reserve(&self, most: usize) -> (usize, NewLease);
    fn give_up(&self, places: usize);
    /// Whether so many lanes could be taken in hand.
    fn has_room(&self, lanes: usize) -> bool;
    /// Gives back what was perhaps committed under this lease, or will be, and was not taken.
    fn let_go(self: Arc<Self>, lease: NewLease);
    /// As many lanes as places were reserved for them.
    fn take(self: Arc<Self>, lease: NewLease, leased_at: Instant, lanes: Vec<Leased<R>>);
}

/// A lane that was leased as it was queued.
pub struct Leased<R> {
    pub lane: String,
    pub version: u64,
    pub class: u8,
    /// All that is in it.
    pub rows: Vec<R>,
}

/// Places that are kept free until the lanes are queued; dropped, they are free again, and what was perhaps committed is
/// given back.
pub struct Places<R> {
    taker: Arc<dyn Takes<R>>,
    left: usize,
    pub lease: NewLease,
    reserved_at: Instant,
    in_doubt: bool,
}

impl<R> Places<R> {
    pub fn left(&self) -> usize {
        self.left
    }

    /// From here on the lanes may be committed at any time, whoever waits for it.
    pub fn commit(&mut self) {
        self.in_doubt = true;
    }

    /// They were not committed, and will not be.
    pub fn withdraw(mut self) {
        self.in_doubt = false;
    }

    /// To be called once the lanes are committed as leased.
    pub fn take(mut self, lanes: Vec<Leased<R>>) {
        assert!(lanes.len() <= self.left, "a lane that nobody has kept a place for");
        self.left -= lanes.len();
        self.in_doubt = false;
        self.taker.clone().take(self.lease, self.reserved_at, lanes);
    }
}

impl<R> Drop for Places<R> {
    fn drop(&mut self) {
        self.taker.give_up(self.left);
        if self.in_doubt {
            self.taker.clone().let_go(self.lease);
        }
    }
}

/// What was taken in hand and is not begun yet.
pub struct InHand<R> {
    most: usize,
    shelf: Mutex<Shelf<R>>,
}

struct Shelf<R> {
    waiting: VecDeque<Lane<R>>,
    reserved: usize,
}

impl<R> Shelf<R> {
    fn room(&self, most: usize) -> usize {
        most.saturating_sub(self.waiting.len() + self.reserved)
    }
}

impl<R> InHand<R> {
    /// Lanes that may be in hand, those for which a place is kept included.
    pub fn new(most: usize) -> Self {
        Self { most, shelf: Mutex::new(Shelf { waiting: VecDeque::new(), reserved: 0 }) }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<R>> {
        self.shelf.lock().expect("nothing panics while it is locked")
    }

    pub fn has_room(&self, lanes: usize) -> bool {
        self.shelf().room(self.most) >= lanes
    }

    /// Keeps up to `most` places free, and tells how many.
    pub fn reserve(&self, most: usize) -> usize {
        let mut shelf = self.shelf();
        let count = most.min(shelf.room(self.most));
        shelf.reserved += count;
        count
    }

    pub fn give_up(&self, places: usize) {
        self.shelf().reserved -= places;
    }

    /// Lanes for which places were kept.
    pub fn put(&self, lanes: Vec<Lane<R>>) {
        let mut shelf = self.shelf();
        shelf.reserved -= lanes.len();
        shelf.waiting.extend(lanes);
    }

    /// The one that has waited for longest.
    pub fn next(&self) -> Option<Lane<R>> {
        self.shelf().waiting.pop_front()
    }

    pub fn is_empty(&self) -> bool {
        self.shelf().waiting.is_empty()
    }
}

//! Where the lanes that are due begin.
//!
//! What is claimed is moved in the index by which lanes are claimed: its old place stays there, marked as deleted, until
//! the database comes to clear it away, and whoever looks from the beginning passes all of these again. With thousands
//! waiting that was a quarter of the database's time. So, while every claim is filled, the next one goes on where the
//! last one ended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::clock::Timestamp;

/// After so long a claim looks from the beginning again: a lane may have become due behind the front, by a delivery that
/// was committed late, by the clock of another copy, or because a lease ended.
const LOOK_BACK: Duration = Duration::from_millis(200);

/// The fronts of the classes of one queue.
#[derive(Default)]
pub struct Fronts(HashMap<u8, Front>);

struct Front {
    due_at: Timestamp,
    until: Instant,
}

impl Fronts {
    /// From when on to look for due lanes of a class.
    pub fn of(&self, class: u8, now: Instant) -> Timestamp {
        self.0
            .get(&class)
            .filter(|front| now < front.until)
            .map_or(Timestamp::long_ago(), |front| front.due_at)
    }

    /// A claim was filled, and ended with a lane that had been due at `due_at`.
    pub fn filled(&mut self, class: u8, due_at: Timestamp, now: Instant) {
        let known = self.0.get(&class).filter(|front| now < front.until);
        let until = known.map_or(now + LOOK_BACK, |front| front.until);
        self.0.insert(class, Front { due_at, until });
    }

    /// Nothing more is due from there on; tells whether something may be due before.
    pub fn exhausted(&mut self, class: u8) -> bool {
        self.0.remove(&class).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_go_on_where_the_last_ended_and_look_back_now_and_then() {
        let (mut fronts, now) = (Fronts::default(), Instant::now());
        let due = Timestamp::from_unix;
        assert_eq!(fronts.of(1, now), Timestamp::long_ago());
        fronts.filled(1, due(10), now);
        fronts.filled(1, due(20), now + LOOK_BACK / 2);
        assert_eq!(fronts.of(1, now + LOOK_BACK / 2), due(20));
        assert_eq!(fronts.of(0, now), Timestamp::long_ago(), "each class has its own");
        assert_eq!(fronts.of(1, now + LOOK_BACK), Timestamp::long_ago(), "however often it moves");
        fronts.filled(1, due(30), now + LOOK_BACK);
        assert_eq!(fronts.of(1, now + LOOK_BACK), due(30));
        assert!(fronts.exhausted(1));
        assert_eq!(fronts.of(1, now + LOOK_BACK), Timestamp::long_ago());
        assert!(!fronts.exhausted(1));
    }
}

//! A rush: more deliveries come at the same time than can be answered at once. What is not stored yet is only in the
//! hands of its sender, so in a rush storing goes first and handling waits a moment; with both cores for itself it is
//! through sooner than side by side. Neither may starve the other: in a rush that goes on, handling is held back for half
//! of the time at most.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Deliveries stored together that make a rush: one person after the other does not.
const CROWD: usize = 16;
/// A rush is over when so long none were stored together.
const LULL: Duration = Duration::from_millis(20);
/// Handling is held back so long, and then not for as long.
const STRETCH: Duration = Duration::from_secs(2);

/// Told by who stores, asked by who handles.
#[derive(Default)]
pub struct Rush(Mutex<Option<Span>>);

#[derive(Clone, Copy)]
struct Span {
    begun: Instant,
    last: Instant,
}

impl Span {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.last) > LULL
    }
}

impl Rush {
    /// So many deliveries were stored together just now.
    pub fn stored(&self, together: usize, now: Instant) {
        if together < CROWD {
            return;
        }
        let mut span = self.span();
        let begun = span.filter(|span| !span.is_over(now)).map_or(now, |span| span.begun);
        *span = Some(Span { begun, last: now });
    }

    /// How long whoever handles should wait before asking again; None: nothing speaks against handling.
    pub fn holds_back(&self, now: Instant) -> Option<Duration> {
        let span = self.span().filter(|span| !span.is_over(now))?;
        let stretches = now.duration_since(span.begun).as_secs() / STRETCH.as_secs();
        stretches.is_multiple_of(2).then_some(LULL)
    }

    fn span(&self) -> MutexGuard<'_, Option<Span>> {
        self.0.lock().expect("nothing panics while it is locked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many are stored together every millisecond, for so long; gives the end.
    fn store(rush: &Rush, together: usize, from: Instant, length: Duration) -> Instant {
        let end = from + length;
        let mut now = from;
        while now < end {
            now += Duration::from_millis(1);
            rush.stored(together, now);
        }
        now
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_a_crowd_holds_handling_back_and_only_while_it_comes() {
        let rush = Rush::default();
        let mut now = Instant::now();
        assert_eq!(rush.holds_back(now), None);
        now = store(&rush, CROWD - 1, now, SECOND);
        assert_eq!(rush.holds_back(now), None, "one after the other");
        now = store(&rush, CROWD, now, SECOND);
        assert_eq!(rush.holds_back(now), Some(LULL));
        now += LULL + Duration::from_millis(1);
        assert_eq!(rush.holds_back(now), None, "it is over");
        now = store(&rush, CROWD, now, SECOND);
        assert_eq!(rush.holds_back(now), Some(LULL), "a new one");
    }

    #[test]
    fn a_rush_without_end_leaves_handling_half_of_the_time() {
        let rush = Rush::default();
        let mut now = Instant::now();
        let mut held = Vec::new();
        for _ in 0..8 {
            now = store(&rush, 64, now, SECOND);
            held.push(rush.holds_back(now).is_some());
        }
        assert_eq!(held, [true, true, false, false, true, true, false, false]);
    }
}

//! Waiting for something that happens elsewhere: ask again and again, up to a limit, and say at the end what was
//! seen last. A test never sleeps for a guessed time.

use std::fmt::Debug;
use std::panic::Location;
use std::time::{Duration, Instant};

/// What one look at the world found: the thing waited for, or a description of what is there instead.
pub trait Look {
    type Found;
    fn found(self) -> Result<Self::Found, String>;
}

impl Look for bool {
    type Found = ();
    fn found(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

impl<T> Look for Option<T> {
    type Found = T;
    fn found(self) -> Result<T, String> {
        self.ok_or_else(|| "None".to_owned())
    }
}

impl<T, E: Debug> Look for Result<T, E> {
    type Found = T;
    fn found(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// Looks until it finds, and returns what it found; panics at the caller's line once `limit` is over. `look` answers
/// `bool`, `Option`, or `Result`, whose error is the state to show in the panic: `Err(format!("{n} of 3 sent"))`.
#[track_caller]
pub fn eventually<L, Looking>(
    limit: Duration,
    mut look: impl FnMut() -> Looking,
) -> impl Future<Output = L::Found>
where
    L: Look,
    Looking: Future<Output = L>,
{
    let caller = Location::caller();
    async move {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        let mut last = "nothing".to_owned();
        loop {
            // The limit holds for a look that hangs, too.
            let left = limit.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
            last = match tokio::time::timeout(left, look()).await {
                Ok(look) => match look.found() {
                    Ok(found) => return found,
                    Err(state) => state,
                },
                Err(_) => format!("{last}, and then a look that did not return"),
            };
            assert!(start.elapsed() < limit, "not within {limit:?}, at {caller}; last seen: {last}");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn returns_what_was_found() {
        let looks = Cell::new(0);
        let found = eventually(LIMIT, async || {
            looks.set(looks.get() + 1);
            (looks.get() == 3).then_some("here")
        });
        assert_eq!(found.await, "here");
        eventually(LIMIT, async || true).await;
    }

    #[tokio::test]
    #[should_panic(expected = "last seen: \"2 of 3 sent\"")]
    async fn says_what_was_seen_last() {
        let found: () = eventually(Duration::from_millis(5), async || Err("2 of 3 sent")).await;
        found
    }

    #[tokio::test]
    #[should_panic(expected = "last seen: nothing, and then a look that did not return")]
    async fn a_look_that_hangs_ends_too() {
        eventually(Duration::from_millis(5), std::future::pending::<bool>).await;
    }
}

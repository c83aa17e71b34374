//! The main job, played from end to end by the counterparts: trial, purchases, expiry, renewal, refund, on both
//! protocols and in every language. Prints what people see as a chat, and ends at the first thing that is wrong.

mod books;
mod player;
mod story;

use std::fmt::Display;

use super::stage::Stage;
use player::Cast;

/// What went wrong, and in which scene.
#[derive(Debug, thiserror::Error)]
#[error("{scene}: {what}")]
pub struct Wrong {
    pub scene: &'static str,
    pub what: String,
}

/// A step that did not go as it should, in words.
#[derive(Debug)]
struct What(String);

impl<E: Display> From<E> for What {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

type Step<T = ()> = Result<T, What>;

/// Fails a step unless `right`.
fn ensure(right: bool, what: impl Display) -> Step {
    if right { Ok(()) } else { Err(What(what.to_string())) }
}

/// Plays everything on a house that nobody has used yet; every line of the chat goes to `print`.
pub async fn play(stage: &Stage, print: impl Fn(&str)) -> Result<(), Wrong> {
    let mut cast = Cast::new(stage, &print);
    story::play(&mut cast).await
}

//! JSON that is kept in the database: what can be read is written again as the same thing, and nothing else is taken.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use usipipo::handlers::http::payments::Hint;
use usipipo::ids::ChatId;
use usipipo::models::bot::Bot;
use usipipo::models::dialog::Dialog;
use usipipo::models::job::Job;
use usipipo::models::notice::Notice;
use usipipo::models::outgoing::{Body, Class, Outgoing};

use crate::memory::bounded;

pub fn check(json: &[u8]) {
    if let Some(body) = stays::<Body>(json) {
        is_a_lane(&Outgoing::new(Bot::Client, ChatId(i64::MIN), Class::Interactive, body).lane());
    }
    if let Some(job) = stays::<Job>(json) {
        is_a_lane(&job.lane());
        assert!(job.queued_key().starts_with(job.kind()));
        assert!(job.class() <= 1);
    }
    stays::<Notice>(json);
    stays::<Dialog>(json);
    if let Ok(hint) = serde_json::from_slice::<Hint>(json) {
        let written = serde_json::to_vec(&hint).expect("it was read from JSON");
        let again: Hint = serde_json::from_slice(&written).expect("we wrote it");
        assert_eq!((again.payment_id, again.callback), (hint.payment_id, hint.callback));
    }
}

/// The value, if there is one, after it was seen to survive being written.
fn stays<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &[u8]) -> Option<T> {
    let value: T = bounded(json.len(), || serde_json::from_slice(json)).ok()?;
    let written = serde_json::to_vec(&value).expect("it was read from JSON");
    let again: T = serde_json::from_slice(&written).expect("we wrote it");
    assert_eq!(again, value);
    Some(value)
}

fn is_a_lane(lane: &str) {
    assert!(lane.len() <= 96 && lane.bytes().all(|byte| byte.is_ascii_graphic()), "{lane:?}");
}

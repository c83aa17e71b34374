//! A crowd that talks to the bot at its own pace, whatever becomes of the server: what must be true of every word of it
//! afterwards, stored before acknowledged, handled once, and answered in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, MissedTickBehavior};
use usipipo::demo::telegram::PersonHandle;

use crate::support::town::{BOT, Town};

/// What is pressed, one after the other: half of it changes something that is written down.
const PRESSED: [&str; 6] = ["lang:en", "help", "lang:es", "profile", "lang:ru", "home"];
/// Every so many words are typed.
const TYPED: usize = 6;
/// Telegram ids of the crowd begin here.
const FIRST: i64 = 700_000;

pub struct Crowd<'a> {
    town: &'a Town,
    people: Vec<PersonHandle>,
}

/// What one of them said.
pub struct Said {
    who: i64,
    typed: usize,
    /// Ids of the presses, in order.
    pressed: Vec<String>,
}

impl<'a> Crowd<'a> {
    pub fn of(town: &'a Town, people: i64) -> Self {
        let languages = ["es", "en", "ru"];
        let person = |n: i64| town.person(FIRST + n, "Ana <b>&", languages[usize::try_from(n).unwrap() % 3]);
        Self { town, people: (0..people).map(person).collect() }
    }

    /// Lets everybody type or press once in every `pace`, evenly spread, for so long.
    pub async fn talk(&self, pace: Duration, length: Duration) -> Vec<Said> {
        let (begun, count) = (Instant::now(), self.people.len() as f64);
        let talks = self.people.iter().enumerate().map(|(n, person)| {
            let first = begun + pace.mul_f64(n as f64 / count);
            talk(person, pace, first, begun + length)
        });
        join_all(talks).await
    }

    /// What must have come of it. Presses are answered in order; `once` more: nothing that was sent is sent again after
    /// something newer.
    pub async fn check(&self, said: &[Said], once: bool) {
        self.stored_before_acknowledged().await;
        let count = async |sql| self.town.count(sql).await;
        let lanes =
            self.town.column("SELECT lane FROM inbound_events WHERE source = 'telegram:client'").await;
        let mut events = BTreeMap::<String, usize>::new();
        lanes.into_iter().for_each(|lane| *events.entry(lane).or_default() += 1);
        let answers = self.answers(said);
        for Said { who, typed, pressed } in said {
            let stored = events.get(&format!("client:{who}")).copied().unwrap_or(0);
            assert_eq!(stored, typed + pressed.len(), "what {who} said");
            let answers = answers.get(who).map_or(&[][..], Vec::as_slice);
            in_order(pressed, answers, once).unwrap_or_else(|wrong| panic!("{who}: {wrong}"));
        }
        assert_eq!(count("SELECT COUNT(*) FROM inbound_events WHERE status <> 'done'").await, 0);
        let backwards = "SELECT COUNT(*) FROM (SELECT done_at, LAG(done_at) OVER (PARTITION BY lane, \
             INSTR(body, '\"callback_query\"') > 0 ORDER BY CAST(dedupe_key AS UNSIGNED)) AS before_it \
             FROM inbound_events WHERE source = 'telegram:client') told WHERE done_at < before_it";
        assert_eq!(count(backwards).await, 0, "handled before an earlier one of its chat");
        let effects = "SELECT COUNT(*) FROM (SELECT CAST(e.dedupe_key AS UNSIGNED) AS said, \
             LAG(CAST(e.dedupe_key AS UNSIGNED)) OVER (PARTITION BY a.user_id ORDER BY a.id) AS before_it \
             FROM audit_logs a JOIN inbound_events e ON e.id = a.event_id WHERE a.action = 'language_set') told \
             WHERE said <= before_it";
        assert_eq!(count(effects).await, 0, "effects twice, or not in the order of what was said");
    }

    /// Seconds that the update which waited longest did, from when it came until it was handled.
    pub async fn longest_wait(&self) -> f64 {
        let wait = "SELECT MAX(TIMESTAMPDIFF(MICROSECOND, received_at, done_at)) FROM inbound_events";
        self.town.count(wait).await as f64 / 1e6
    }

    /// Presses that Telegram heard nothing of in time.
    pub fn unanswered(&self, said: &[Said]) -> usize {
        let calls = self.town.telegram.calls_of("answerCallbackQuery");
        let answered: BTreeSet<&str> =
            calls.iter().filter(|call| call.succeeded()).map(|call| call.text("callback_query_id")).collect();
        said.iter().flat_map(|said| &said.pressed).filter(|id| !answered.contains(id.as_str())).count()
    }

    /// Every update that was answered 200 is in the table.
    pub async fn stored_before_acknowledged(&self) {
        // Those that were acknowledged first: the table may know more.
        let acknowledged: BTreeSet<i64> = self
            .town
            .telegram
            .deliveries()
            .iter()
            .filter(|delivery| delivery.accepted())
            .map(|delivery| delivery.update_id)
            .collect();
        let stored = "SELECT CAST(dedupe_key AS SIGNED) FROM inbound_events WHERE source = 'telegram:client'";
        let stored: BTreeSet<i64> = self.town.numbers(stored).await.into_iter().collect();
        let lost: Vec<_> = acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
    }

    /// Ids of the presses that were answered, as the answers left, by person.
    fn answers(&self, said: &[Said]) -> BTreeMap<i64, Vec<String>> {
        let of = |said: &Said| said.pressed.iter().map(|id| (id.clone(), said.who)).collect::<Vec<_>>();
        let pressed: BTreeMap<String, i64> = said.iter().flat_map(of).collect();
        let mut answers = BTreeMap::<i64, Vec<String>>::new();
        for call in self.town.telegram.calls_of("answerCallbackQuery") {
            let id = call.text("callback_query_id");
            if let Some(who) = pressed.get(id) {
                answers.entry(*who).or_default().push(id.to_owned());
            }
        }
        answers
    }
}

async fn talk(person: &PersonHandle, pace: Duration, first: Instant, end: Instant) -> Said {
    let mut said = Said { who: person.id, typed: 0, pressed: Vec::new() };
    let mut ticks = tokio::time::interval_at(first, pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut menu = None;
    for turn in 0.. {
        let tick = ticks.tick().await;
        if tick >= end {
            break;
        }
        menu = menu.or_else(|| first_answer(person));
        match menu {
            Some(message) if turn % TYPED != 0 => {
                let press = person.press_data(BOT, message, PRESSED[turn % PRESSED.len()]).unwrap();
                said.pressed.push(press.id);
            }
            _ => {
                person.send_text(BOT, "/start").unwrap();
                said.typed += 1;
            }
        }
    }
    said
}

fn first_answer(person: &PersonHandle) -> Option<i64> {
    person.messages(BOT).ok()?.iter().find(|message| message.from_bot).map(|message| message.id)
}

/// Whether all presses were answered, each for the first time after the one before it, and with `once` none again
/// after a later one.
fn in_order(pressed: &[String], answers: &[String], once: bool) -> Result<(), String> {
    let place: BTreeMap<&str, usize> = pressed.iter().enumerate().map(|(n, id)| (id.as_str(), n)).collect();
    let mut next = 0;
    for id in answers {
        let n = *place.get(id.as_str()).ok_or("an answer to no press")?;
        match n {
            n if n == next => next += 1,
            // Sent again by whoever took over.
            n if n + 1 == next || n < next && !once => {}
            n => return Err(format!("answer {n} left when {next} was due: {answers:?} to {pressed:?}")),
        }
    }
    if next == pressed.len() { Ok(()) } else { Err(format!("{next} of {} answered", pressed.len())) }
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn order_is_told() {
        let pressed = ["1", "2", "3"].map(str::to_owned);
        let tell = |answers: &[&str], once| {
            let answers: Vec<String> = answers.iter().map(|id| (*id).to_owned()).collect();
            in_order(&pressed, &answers, once).is_ok()
        };
        assert!(tell(&["1", "2", "3"], true) && tell(&["1", "1", "2", "3", "3"], true));
        assert!(!tell(&["2", "1", "3"], false) && !tell(&["1", "3", "2"], false), "out of order");
        assert!(!tell(&["1", "2"], false), "lost");
        assert!(!tell(&["1", "2", "1", "3"], true) && tell(&["1", "2", "3", "1"], false));
        assert!(!tell(&["1", "2", "3", "4"], false), "to nobody");
    }
}

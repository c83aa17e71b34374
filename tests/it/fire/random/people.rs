//! What people do in their chats.

use std::time::Duration;

use usipipo::demo::telegram::{Action, PersonHandle};

use super::life::Life;
use super::steps::Step;
use crate::support::town::BOT;

/// Messages whose buttons are still in sight.
const IN_SIGHT: usize = 8;
/// How long somebody looks at the spinner of a button before going on.
const PATIENCE: Duration = Duration::from_millis(300);

const WORDS: &[&str] = &[
    "/start",
    "/vpn",
    "/plans",
    "/trial",
    "/profile",
    "/status",
    "/help",
    "/language",
    "/paysupport",
    "/mylogs",
    "/myroles",
    "/terms",
    "/privacy",
    "/cancel",
    "/whois 9001",
    "/users",
    "/stats",
    "/audit 9002",
    "/reviews",
    "/grantrole 9001 admin",
    "/ban 9001",
    "/unban 9001",
    "/refund 1",
    "/nonsense",
    "hello",
    "My phone",
    "<b>bold</b> & \u{202e}backwards",
    "😀😀😀",
    "",
    "/start ref_other",
    "'; DROP TABLE users; --",
];

impl Life {
    pub fn person(&self, step: Step) -> PersonHandle {
        self.people[step.who as usize % self.people.len()].clone()
    }

    /// Not the admin.
    pub fn customer(&self, step: Step) -> PersonHandle {
        self.people[1 + step.who as usize % (self.people.len() - 1)].clone()
    }

    /// Presses whatever is there.
    pub async fn press(&mut self, step: Step) -> String {
        let person = self.person(step);
        let messages = person.messages(BOT).unwrap();
        let buttons: Vec<(i64, String)> = messages
            .iter()
            .rev()
            .filter(|message| message.from_bot && !message.keyboard.is_empty())
            .take(IN_SIGHT)
            .flat_map(|message| message.buttons().map(|button| (message.id, button.action.clone())))
            .filter_map(|(id, action)| match action {
                Action::CallbackData(data) => Some((id, data)),
                _ => None,
            })
            .collect();
        match step.pick_of(&buttons) {
            Some((message, data)) => self.press_data(step, &person, *message, data).await,
            None => "there is no button".to_owned(),
        }
    }

    /// Presses a button of the newest message with this data, be it there or not.
    pub async fn press_anyway(&mut self, step: Step, person: &PersonHandle, data: &str) -> String {
        let chat = person.chat(BOT).unwrap();
        let message = chat.last_from_bot().map_or(1, |message| message.id);
        self.press_data(step, person, message, data).await
    }

    async fn press_data(&mut self, step: Step, person: &PersonHandle, message: i64, data: &str) -> String {
        if data.starts_with("trial-take:") {
            self.tried.insert(person.id);
        }
        let pressed = person.press_data(BOT, message, data).unwrap();
        match step.dice(8) {
            // A finger that trembles.
            0 => drop(person.press_data(BOT, message, data).unwrap()),
            // In a hurry: on to the next thing.
            1 => {}
            _ => {
                let _ = tokio::time::timeout(PATIENCE, pressed.answered()).await;
            }
        }
        format!("{} presses {data}", person.id)
    }

    pub fn write(&mut self, step: Step) -> String {
        let (person, words) = (self.person(step), step.how_of(WORDS));
        // The admin bans and gives roles in steps of their own, of which the test knows.
        let words = match *words {
            words if person.id == super::life::ADMIN && words.contains(" 9001") => "/users",
            words => words,
        };
        person.send_text(BOT, words).unwrap();
        format!("{} writes {words:?}", person.id)
    }

    pub async fn take_trial(&mut self, step: Step) -> String {
        let person = self.customer(step);
        let protocol = step.how_of(&["outline", "wireguard"]);
        self.press_anyway(step, &person, &format!("trial-take:{protocol}")).await
    }

    pub async fn order(&mut self, step: Step) -> String {
        let person = self.customer(step);
        let plan = step.pick_of(&self.plans).copied().unwrap_or_default();
        let provider = step.how_of(&["stars", "qvapay"]);
        self.press_anyway(step, &person, &format!("buy:{plan}:{provider}")).await
    }

    /// Somebody else's things, and what only the team may do.
    pub async fn press_foreign(&mut self, step: Step) -> String {
        let person = self.customer(step);
        let kinds = [
            ("cfg", "vpn_configs"),
            ("cfg-text", "vpn_configs"),
            ("cfg-name", "vpn_configs"),
            ("cfg-revoke-yes", "vpn_configs"),
            ("order", "payments"),
            ("order-cancel", "payments"),
            ("refund-yes", "payments"),
            ("refund-hand", "payments"),
            ("review-yes", "payments"),
            ("charge-back", "unmatched_charges"),
            ("ban-yes", "users"),
            ("unban", "users"),
        ];
        let (button, table) = step.how_of(&kinds);
        match self.one_of(step, &format!("SELECT CAST(id AS CHAR) FROM {table} ORDER BY id")).await {
            Some(id) => self.press_anyway(step, &person, &format!("{button}:{id}")).await,
            None => "there is nothing yet".to_owned(),
        }
    }

    pub fn block(&mut self, step: Step) -> String {
        let person = self.customer(step);
        if step.how.is_multiple_of(2) {
            person.block(BOT).unwrap();
            return format!("{} blocks the bot", person.id);
        }
        person.unblock(BOT).unwrap();
        format!("{} lets the bot in", person.id)
    }
}

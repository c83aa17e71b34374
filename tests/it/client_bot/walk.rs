//! Walks every button of every screen, breadth first, in several situations: each press is answered once and leads
//! somewhere, and what a screen offers is never out of date.

use std::collections::BTreeSet;

use usipipo::handlers::bots::callback::Callback;
use usipipo::models::bot::Language;
use usipipo::models::outgoing::Body;
use usipipo::models::vpn::Protocol;

use super::{ANA, BOSS, BRUNO, House, MESSAGE, Person, paid};

/// Buttons that change something, in the order in which they are pressed, after all others.
const LAST: [&str; 13] = [
    "lang",
    "cfg-name",
    "buy",
    "order-cancel",
    "trial-take",
    "add-to",
    "review-yes",
    "refund-yes",
    "refund-hand",
    "charge-back",
    "ban-yes",
    "unban",
    "cfg-revoke-yes",
];

/// Buttons that send a message and leave the menu as it is; all others edit the message they are under.
const SENDING: [&str; 3] = ["cfg-file", "cfg-qr", "cfg-text"];

/// Where a walk begins: what has no button of its own.
const STARTS: [&str; 3] = ["/start", "/audit", "/trial"];

/// What is still to be pressed, and what was seen.
#[derive(Default)]
struct Walk {
    open: BTreeSet<(usize, String)>,
    seen: BTreeSet<String>,
}

impl Walk {
    /// 0: the way back from a question, at once, while the question is open; 1: screens.
    fn rank(data: &str) -> usize {
        match tag_of(data) {
            "cancel" => 0,
            tag => LAST.iter().position(|last| *last == tag).map_or(1, |at| at + 2),
        }
    }

    /// Takes the buttons of a screen. After a change, screens that were seen before are looked at again.
    fn find(&mut self, buttons: Vec<String>, changed: bool) {
        for data in buttons {
            assert!(data.len() <= 64 && Callback::decode(&data).is_some(), "{data}");
            let rank = Self::rank(&data);
            if self.seen.insert(data.clone()) || (changed && rank == 1) {
                self.open.insert((rank, data));
            }
        }
    }
}

/// Presses everything that can be reached; gives the tags that were pressed.
async fn walk(house: &House, person: Person) -> BTreeSet<String> {
    let mut walk = Walk::default();
    for start in STARTS {
        walk.find(house.says(person, start).await.buttons(), false);
    }
    while let Some((rank, data)) = walk.open.pop_first() {
        let said = house.presses(person, &data).await;
        assert_eq!(said.acks().len(), 1, "{data} is answered once: {said:?}");
        assert!(!said.acks()[0].alert, "{data} was offered and is refused: {said:?}");
        let edited = said.bodies().iter().any(|body| matches!(body, Body::Edit { message_id: MESSAGE, .. }));
        let sends = matches!(said.bodies()[..], [Body::Ack(_), Body::Config { .. }]);
        assert!(edited || (sends && SENDING.contains(&tag_of(&data))), "{data} leads nowhere: {said:?}");
        house.hand_out().await;
        walk.find(said.buttons(), rank > 1);
    }
    walk.seen.iter().map(|data| tag_of(data).to_owned()).collect()
}

fn tag_of(data: &str) -> &str {
    data.split(':').next().unwrap()
}

#[tokio::test]
async fn no_button_is_dead() {
    let mut tags = BTreeSet::new();
    for language in Language::ALL {
        let ana = ANA.speaking(*language);
        let new = House::with_servers().await;
        tags.extend(walk(&new, ana).await);

        let paid = House::with_servers().await;
        paid.bought(ana, 2, 250).await;
        paid.presses(ana, "buy:1:qvapay").await;
        tags.extend(walk(&paid, ana).await);
    }
    tags.extend(team().await);
    let all: BTreeSet<String> = Callback::TAGS.iter().map(|tag| (*tag).to_owned()).collect();
    assert_eq!(all.difference(&tags).collect::<Vec<_>>(), Vec::<&String>::new(), "no screen offers these");
}

/// What somebody of the team reaches.
async fn team() -> BTreeSet<String> {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    house.trial(BRUNO, Protocol::Outline).await;
    house.bought(BRUNO, 1, 75).await;
    house.sql("UPDATE payments SET provider = 'qvapay' WHERE id = 2").await;
    house.client(paid(ANA, "ord_nosuch.v1", 77, "c1")).await;
    let payload = house.order(BRUNO, 2).await;
    house.client(paid(BRUNO, &payload, 1, "c2")).await;
    for page in 0..12 {
        let many = Person { id: 7000 + page, name: "Many", language: "ru" };
        house.says(many, "/start").await;
    }
    walk(&house, BOSS).await
}

#[tokio::test]
async fn no_button_is_dead_where_nothing_is_to_be_had() {
    let full = House::new().await;
    walk(&full, ANA).await;

    let no_trial = House::with(&[("TRIAL_DAYS", "0")]).await;
    no_trial.add_servers().await;
    walk(&no_trial, BRUNO).await;

    let unsold = House::with_servers().await;
    unsold.sql("UPDATE plans SET active = FALSE").await;
    walk(&unsold, ANA).await;
}

#[tokio::test]
async fn no_button_is_dead_after_the_end() {
    for (status, config) in [("suspended", "suspended"), ("expired", "removed")] {
        let house = House::with_servers().await;
        house.trial(ANA, Protocol::Wireguard).await;
        house.bought(ANA, 1, 75).await;
        house
            .sql(&format!("UPDATE subscriptions SET status = '{status}', ends_at = NOW(6) - INTERVAL 1 DAY"))
            .await;
        house.sql(&format!("UPDATE vpn_configs SET status = '{config}'")).await;
        walk(&house, ANA).await;
    }
}

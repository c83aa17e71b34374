use chrono::TimeDelta;
use futures::future::join_all;
use usipipo::demo::telegram::{Fault, FaultRule, PersonHandle};
use usipipo::integrations::vpn::wireguard::{DriverKind, WireGuardSecret, WireGuardSettings};
use usipipo::models::vpn::Protocol;

use super::{buy, configs, days, heard, hours, subscription, take_trial};
use crate::support::town::Town;

/// What the reminders begin with: of a trial three days and one day before, of a paid week three days before, one day
/// before, and of either at the end.
struct Words {
    trial: &'static str,
    trial_ended: &'static str,
    /// Three days before, and one.
    soon: &'static str,
    ended: &'static str,
}

const SPANISH: Words = Words {
    trial: "Tu prueba gratis termina en",
    trial_ended: "Tu prueba gratis terminó",
    soon: "⏳ VPN 1 semana termina en",
    ended: "🔌 VPN 1 semana terminó",
};
const ENGLISH: Words = Words {
    trial: "Your free trial ends in",
    trial_ended: "Your free trial has ended",
    soon: "⏳ VPN 1 week ends in",
    ended: "🔌 VPN 1 week has ended",
};
const RUSSIAN: Words = Words {
    trial: "Пробный доступ. До окончания:",
    trial_ended: "Пробный доступ закончился",
    soon: "⏳ VPN на неделю. До окончания:",
    ended: "🔌 VPN на неделю: срок закончился",
};

/// One who tries and one who pays, in one language.
struct Pair {
    trying: PersonHandle,
    paying: PersonHandle,
    words: Words,
}

impl Pair {
    async fn begin(town: &Town, id: i64, language: &str, words: Words) -> Self {
        let trying = town.person(id, "Trying", language);
        let paying = town.person(id + 1, "Paying", language);
        tokio::join!(take_trial(town, &trying, Protocol::Outline), buy(town, &paying, "week"));
        Self { trying, paying, words }
    }

    /// Reminders that both have read: of the time that is left, and of the end.
    fn heard(&self, town: &Town) -> [usize; 4] {
        let Words { trial, trial_ended, soon, ended } = self.words;
        let trying = [trial, trial_ended].map(|words| heard(town, &self.trying, words));
        let paying = [soon, ended].map(|words| heard(town, &self.paying, words));
        [trying[0], trying[1], paying[0], paying[1]]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_reminded_once_in_their_language_then_paused_then_let_go() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let (first, second) = (town.open().await, town.open_copy().await);
    let pairs = [(701, "es", SPANISH), (711, "en", ENGLISH), (721, "ru", RUSSIAN)];
    let pairs =
        join_all(pairs.map(async |(id, language, words)| Pair::begin(&town, id, language, words).await))
            .await;
    let all_heard = |expected: [usize; 4]| {
        for pair in &pairs {
            assert_eq!(pair.heard(&town), expected, "{}", pair.words.ended);
        }
    };
    // Seven days each. An hour and a bit before each reminder nobody hears of it, and afterwards everybody once.
    town.pass(days(3) + hours(22)).await;
    all_heard([0, 0, 0, 0]);
    for _ in 0..2 {
        town.pass(hours(3)).await;
        all_heard([1, 0, 1, 0]);
    }
    town.pass(days(2)).await;
    all_heard([2, 0, 2, 0]);
    let active = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active' AND applied = 'present'";
    assert_eq!(town.count(active).await, 6, "it works to the end");

    town.pass(days(1)).await;
    all_heard([2, 1, 2, 1]);
    assert_eq!(town.count("SELECT COUNT(*) FROM subscriptions WHERE status = 'suspended'").await, 6);
    let blocked = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'suspended' AND applied = 'blocked'";
    assert_eq!(town.count(blocked).await, 6);
    assert_eq!(outline.key_ids().await.len(), 6, "the keys are kept through the grace time");

    town.pass(days(3) + hours(1)).await;
    all_heard([2, 1, 2, 1]);
    assert_eq!(town.count("SELECT COUNT(*) FROM subscriptions WHERE status = 'expired'").await, 6);
    let gone = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'removed' AND secret IS NULL";
    assert_eq!(town.count(gone).await, 6);
    assert!(outline.key_ids().await.is_empty());
    assert_eq!(town.count("SELECT COUNT(*) FROM reminders").await, 18, "three kinds, six people");
    let told = "SELECT COUNT(*) FROM outbound_messages WHERE body LIKE '%\"notice\":\"reminder\"%'";
    assert_eq!(town.count(told).await, 18);
    let lost = "SELECT COUNT(*) FROM outbound_messages WHERE status IN ('dead', 'dropped')";
    assert_eq!(town.count(lost).await, 0);
    tokio::join!(first.stop(), second.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_kept_through_the_grace_time_then_rests_then_returns() {
    let folder = std::env::temp_dir().join(format!("life-{}", uuid::Uuid::now_v7()));
    let secret = WireGuardSecret::generate();
    let settings = WireGuardSettings {
        driver: DriverKind::ConfigFile,
        config_path: Some(folder.join("wg0.conf")),
        nat: false,
        ..WireGuardSettings::new("vpn.example.net", secret.public_key().unwrap())
    };
    let town = Town::found().await;
    town.add_tunnels(&settings, &secret).await;
    let running = town.open().await;
    let ana = town.person(731, "Ana", "es");
    take_trial(&town, &ana, Protocol::Wireguard).await;
    let held = "SELECT COUNT(*) FROM addresses WHERE leased AND config_id IS NOT NULL";
    let peers = || std::fs::read_to_string(folder.join("wg0.conf")).unwrap().matches("[Peer]").count();
    assert_eq!(town.count(held).await, 1);
    town.pass(days(7) + hours(1)).await;
    assert_eq!(town.count(held).await, 1, "paused: the address waits for a renewal");
    town.pass(days(3)).await;
    assert_eq!(town.count(held).await, 0);
    let resting = "SELECT COUNT(*) FROM addresses WHERE NOT leased AND config_id IS NULL AND free_at > ";
    let now = town.clock.now().utc().format("'%Y-%m-%d %H:%M:%S'").to_string();
    assert_eq!(town.count(&format!("{resting}{now}")).await, 1, "nobody gets it at once");
    let tomorrow = (town.clock.now() + days(1) + hours(1)).utc().format("'%Y-%m-%d %H:%M:%S'").to_string();
    assert_eq!(town.count(&format!("{resting}{tomorrow}")).await, 0, "and from tomorrow on anybody may");
    running.stop().await;
    assert_eq!(peers(), 0);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_week_away_everybody_hears_only_what_is_true_now() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let [ended, over, ending, running_on] = [741, 742, 743, 744].map(|id| town.person(id, "Person", "en"));
    tokio::join!(
        take_trial(&town, &ended, Protocol::Outline),
        take_trial(&town, &over, Protocol::Outline),
        take_trial(&town, &ending, Protocol::Outline),
        buy(&town, &running_on, "month"),
    );
    // Their ends are 8, 6, 10 and 30 days away; on the fourth day two reminders are stored and cannot leave.
    let end = |id: i64, by: &str| {
        format!("UPDATE subscriptions SET ends_at = TIMESTAMPADD(DAY, {by}, ends_at) WHERE user_id = {id}")
    };
    town.sql(&end(741, "1")).await;
    town.sql(&end(742, "-1")).await;
    town.sql(&end(743, "3")).await;
    let refused = town.telegram.fault(FaultRule::new(Fault::ServerError).methods(&["sendMessage"]));
    town.clock.advance(days(3) + hours(1));
    let waiting =
        "SELECT COUNT(*) FROM outbound_messages WHERE status = 'pending' AND body LIKE '%reminder%'";
    crate::support::wait::eventually(super::LIMIT, async || town.count(waiting).await == 1).await;
    running.stop().await;
    town.telegram.mend(refused);

    town.clock.advance(days(6));
    let running = town.open().await;
    town.pass(TimeDelta::minutes(2)).await;
    let words =
        |person: &PersonHandle| [ENGLISH.trial, ENGLISH.trial_ended].map(|words| heard(&town, person, words));
    assert_eq!(words(&ended), [0, 1], "not that it is about to end, too");
    assert_eq!(words(&over), [0, 1], "and not what was stored before it went away");
    assert_eq!(words(&ending), [1, 0], "the last reminder, not both");
    assert_eq!(heard(&town, &running_on, "⏳"), 0);
    assert_eq!(subscription(&town, "user_id = 741").await.0, "suspended");
    assert_eq!(subscription(&town, "user_id = 742").await.0, "expired");
    assert_eq!(subscription(&town, "user_id = 743").await.0, "active");
    assert_eq!(configs(&town, "user_id = 741").await[0].2, "suspended");
    assert_eq!(configs(&town, "user_id = 742").await[0].2, "removed");
    let dead = "SELECT COUNT(*) FROM outbound_messages WHERE status = 'dead'";
    assert_eq!(town.count(dead).await, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_short_does_not_begin_with_its_end() {
    let town = Town::with(&[("TRIAL_DAYS", "1")]).await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(751, "Ana", "en");
    take_trial(&town, &ana, Protocol::Outline).await;
    town.pass(TimeDelta::minutes(5)).await;
    assert_eq!(heard(&town, &ana, ENGLISH.trial), 0);
    town.pass(days(1)).await;
    assert_eq!([heard(&town, &ana, ENGLISH.trial), heard(&town, &ana, ENGLISH.trial_ended)], [0, 1]);
    running.stop().await;
}

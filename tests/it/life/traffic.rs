use chrono::TimeDelta;

use super::{buy, configs, days, heard, hours, subscription};
use crate::story::press;
use crate::support::town::{BOT, Town};

const MINE: &str = "product LIKE 'plan:%'";
const GIB: u64 = 1 << 30;

#[tokio::test(flavor = "multi_thread")]
async fn used_up_traffic_pauses_and_a_renewal_goes_on_with_the_same_keys() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(901, "Ana", "en");
    // 50 GiB for a week.
    buy(&town, &ana, "week").await;
    let key = outline.key_ids().await[0].clone();
    let before = configs(&town, MINE).await;
    let (low, out) = ("left in VPN 1 week", "The data of VPN 1 week is used up");
    let uses = async |gib: u64| {
        assert!(outline.set_transferred(&key, gib * GIB).await);
        town.pass(TimeDelta::minutes(2)).await;
    };
    uses(39).await;
    assert_eq!((heard(&town, &ana, low), heard(&town, &ana, out)), (0, 0));
    uses(41).await;
    uses(42).await;
    assert_eq!((heard(&town, &ana, low), heard(&town, &ana, out)), (1, 0), "four fifths, told once");
    ana.send_text(BOT, "/vpn").unwrap();
    press(&ana, "cfg:1").await;
    ana.wait_for_text(BOT, "8 GB of 50 GB left").await.unwrap();
    uses(51).await;
    uses(51).await;
    assert_eq!((heard(&town, &ana, low), heard(&town, &ana, out)), (1, 1));
    assert_eq!(subscription(&town, MINE).await, ("suspended".to_owned(), 7));
    let applied = town.column("SELECT applied FROM vpn_configs").await;
    assert_eq!(applied, ["blocked"]);

    town.pass(days(1)).await;
    buy(&town, &ana, "week").await;
    assert_eq!(
        subscription(&town, MINE).await,
        ("active".to_owned(), 13),
        "the days that were left are kept"
    );
    assert_eq!(configs(&town, MINE).await, before);
    let left = "SELECT CAST(allowance - used AS SIGNED) FROM subscriptions";
    assert_eq!(town.count(left).await, i64::try_from(50 * GIB).unwrap());
    uses(85).await;
    assert_eq!((heard(&town, &ana, low), heard(&town, &ana, out)), (1, 1), "34 of 50: no warning yet");
    uses(95).await;
    assert_eq!((heard(&town, &ana, low), heard(&town, &ana, out)), (2, 1), "and once for the new traffic");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_traffic_the_end_is_told_all_the_same() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(911, "Ana", "en");
    buy(&town, &ana, "week").await;
    let key = outline.key_ids().await[0].clone();
    outline.set_transferred(&key, 60 * GIB).await;
    town.pass(TimeDelta::minutes(2)).await;
    assert_eq!(subscription(&town, MINE).await.0, "suspended");
    town.pass(days(6) + hours(23)).await;
    assert_eq!(
        (heard(&town, &ana, "ends in"), heard(&town, &ana, "has ended")),
        (0, 0),
        "it does not work as it is"
    );
    town.pass(hours(2)).await;
    town.pass(hours(2)).await;
    assert_eq!(heard(&town, &ana, "has ended"), 1);
    town.pass(days(3)).await;
    assert_eq!((subscription(&town, MINE).await.0.as_str(), heard(&town, &ana, "has ended")), ("expired", 1));
    running.stop().await;
}

//! The codec of button data: what goes out comes back, fits Telegram, and nothing else is read.

use std::collections::BTreeSet;

use usipipo::handlers::bots::callback::{Callback, MAX_BYTES, Os};
use usipipo::ids::{ChargeId, ConfigId, PaymentId, PlanId, SubscriptionId, UserId};
use usipipo::models::bot::Language;
use usipipo::models::payment::ProviderId;
use usipipo::models::vpn::Protocol;

/// One of each kind, with the longest values there are.
fn longest() -> Vec<Callback> {
    use Callback::*;
    let (config, payment, user) = (ConfigId(i64::MAX), PaymentId(i64::MAX), UserId(i64::MAX));
    let mut all = vec![
        Home, Help, Profile, Status, Terms, Privacy, PaySupport, MyRoles, Languages, Cancel, Trial, Plans,
        Vpn, AddConfig, Guides, Trouble, Stats, Reviews,
    ];
    all.extend([MyLogs(u32::MAX), Users(u32::MAX), Audit(u32::MAX), AuditOf(user, u32::MAX)]);
    all.extend([
        Plan(PlanId(i64::MAX)),
        Order(payment),
        CancelOrder(payment),
        Refund(payment),
        RefundNow(payment),
        RefundedByHand(payment),
        Review(payment),
        AcceptReview(payment),
        Charge(ChargeId(i64::MAX)),
        SendBack(ChargeId(i64::MAX)),
    ]);
    all.extend([
        Config(config),
        ConfigFile(config),
        ConfigQr(config),
        ConfigText(config),
        RenameConfig(config),
    ]);
    all.extend([RevokeConfig(config), RevokeConfigNow(config), ConfigGuides(config), ConfigTrouble(config)]);
    all.extend([Whois(user), Ban(user), BanNow(user), Unban(user)]);
    all.extend(Language::ALL.iter().map(|l| SetLanguage(*l)));
    all.extend(ProviderId::ALL.iter().map(|p| Buy(PlanId(i64::MAX), *p)));
    for protocol in Protocol::ALL {
        all.extend([TakeTrial(*protocol), GuidesFor(*protocol)]);
        all.push(AddConfigTo(SubscriptionId(i64::MAX), *protocol));
        all.extend(Os::ALL.iter().map(|os| Guide(*protocol, *os)));
    }
    all.extend(Os::ALL.iter().map(|os| ConfigGuide(config, *os)));
    all
}

#[test]
fn every_callback_comes_back_and_fits() {
    let all = longest();
    for callback in &all {
        let data = callback.encode();
        assert!(data.len() <= MAX_BYTES, "{data} has {} bytes", data.len());
        assert_eq!(Callback::decode(&data), Some(*callback), "{data}");
    }
    let tags: BTreeSet<String> =
        all.iter().map(|c| c.encode().split(':').next().unwrap().to_owned()).collect();
    let known: BTreeSet<String> = Callback::TAGS.iter().map(|t| (*t).to_owned()).collect();
    assert_eq!(tags, known, "every kind is tried, and no tag is used twice");
    assert_eq!(Callback::TAGS.len(), known.len());
}

#[test]
fn tampered_data_is_refused() {
    let tampered = [
        "",
        ":",
        "home:",
        "home:1",
        "Home",
        " home",
        "cfg",
        "cfg:",
        "cfg:x",
        "cfg:+1",
        "cfg:01",
        "cfg:1:2",
        "cfg:1 ",
        "cfg:-0",
        "cfg:9223372036854775808",
        "cfg:١",
        "mylogs:-1",
        "mylogs:4294967296",
        "lang:de",
        "buy:1:cash",
        "buy:1",
        "guide:wireguard:beos",
        "cfg-revoke-yes:1;DROP TABLE",
        "\u{0}",
    ];
    for data in tampered {
        assert_eq!(Callback::decode(data), None, "{data:?}");
    }
    assert_eq!(Callback::decode(&"cfg:".repeat(1000)), None);
}

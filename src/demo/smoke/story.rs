//! The scenes, in order. Each begins where the one before it ended.

use chrono::TimeDelta;

use super::player::{Cast, Player, eventually};
use super::{Step, What, Wrong, books, ensure};
use crate::demo::qvapay::Payment as QvapayPayment;
use crate::demo::telegram::{Action, MessageView};
use crate::handlers::bots::callback::Callback;
use crate::integrations::vpn::{Credentials, qr};
use crate::models::bot::Language;
use crate::models::payment::{Payment, PaymentStatus, ProviderId};
use crate::models::subscription::{Subscription, SubscriptionStatus};
use crate::models::vpn::{Applied, ConfigStatus, Protocol, VpnConfig};
use crate::services::vpn;

/// Places of the people on the stage.
const ANA: usize = 0;
const BEN: usize = 1;
const MILA: usize = 2;
const OWNER: usize = 3;

/// Plays the scenes until one goes wrong.
pub async fn play(cast: &mut Cast<'_>) -> Result<(), Wrong> {
    macro_rules! scene {
        ($title:literal, $play:expr) => {{
            cast.announce($title);
            let played = $play.await;
            cast.tell();
            played.map_err(|What(what)| Wrong { scene: $title, what })?
        }};
    }
    scene!("Ana writes to the bot for the first time", meets(cast, ANA, Language::Es));
    scene!("She takes the trial, on WireGuard", trial(cast));
    let order = scene!("She buys a plan with Stars", buys_with_stars(cast));
    scene!("Ben buys one through QvaPay, in English", buys_with_qvapay(cast));
    scene!("Three days before its end, Ana is reminded", reminded(cast, &order, TimeDelta::hours(60)));
    scene!("One day before, again", reminded(cast, &order, TimeDelta::hours(12)));
    scene!("At the end her access stops", ends(cast, &order));
    let renewal = scene!("She renews, and the same keys work again", renews(cast, &order));
    scene!("The owner gives her money back", refunds(cast, &renewal));
    scene!("Mila tries Outline, in Russian", tries_outline(cast));
    scene!("The books are right", books::check(cast));
    Ok(())
}

/// A new person writes /start, and is answered in their own language.
async fn meets(cast: &mut Cast<'_>, who: usize, language: Language) -> Step {
    let person = cast.person(who);
    person.say("/start")?;
    person.see_button(Callback::Plans).await?;
    let spoken = person.language().await?;
    ensure(spoken == language, format_args!("the bot speaks {spoken} where {language} was expected"))
}

async fn trial(cast: &mut Cast<'_>) -> Step {
    let ana = cast.person(ANA);
    ana.press(Callback::Trial).await?;
    let before = ana.newest()?;
    ana.press(Callback::TakeTrial(Protocol::Wireguard)).await?;
    let config = receives_wireguard(cast, &ana, before).await?;
    let known = ana.known().await?;
    ensure(known.subscriptions.len() == 1, "the trial is no subscription")?;
    let [trial] = &known.subscriptions[..] else { return Err(What("more than the trial".into())) };
    ensure(trial.is_trial() && trial.status == SubscriptionStatus::Active, "the trial is not active")?;
    ensure(config.subscription_id == trial.id, "the config is not the trial's")
}

/// The file, the picture and the text of a WireGuard config arrive and agree, and its server knows the key.
async fn receives_wireguard(cast: &Cast<'_>, person: &Player<'_>, after: i64) -> Step<VpnConfig> {
    let message = person.see_new("the .conf file", after, |message| message.document.is_some()).await?;
    let file = message.document.ok_or_else(|| What("no file".into()))?;
    ensure(file.name.ends_with(".conf"), format_args!("{} is no .conf file", file.name))?;
    let text = String::from_utf8(file.bytes.to_vec())?;
    let public_key = check_conf(&text)?;
    let picture = person.see_new("its QR code", after, |message| message.photo.is_some()).await?;
    let picture = picture.photo.ok_or_else(|| What("no picture".into()))?;
    ensure(picture.bytes[..] == qr::png(&text)?[..], "the QR code holds something else than the file")?;
    let copied = |message: &MessageView| message.text.contains(text.trim());
    person.see_new("the same text to copy", after, copied).await?;
    let config = person
        .known_to_be("the config is active", |known| {
            let mut configs = known.configs.iter();
            let wanted =
                |c: &&VpnConfig| c.public_id.as_deref() == Some(&public_key) && c.applied == Applied::Present;
            configs.find(wanted).cloned()
        })
        .await?;
    peer_is(cast, &public_key, true).await?;
    cast.note(format!(
        "{} is a valid configuration, its QR code and its text agree, the server knows it",
        file.name
    ));
    Ok(config)
}

/// Looks a client's configuration through as `wg-quick` would; answers with its public key.
fn check_conf(text: &str) -> Step<String> {
    let value = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let found = lines.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned()).ok_or_else(|| What(format!("the .conf file has no {name}")))
    };
    ensure(text.starts_with("[Interface]") && text.contains("\n[Peer]"), "the .conf file lacks a section")?;
    for address in value("Address")?.split(',') {
        address.trim().parse::<ipnet::IpNet>().map_err(|error| What(format!("Address: {error}")))?;
    }
    for dns in value("DNS")?.split(',') {
        dns.trim().parse::<std::net::IpAddr>()?;
    }
    for network in value("AllowedIPs")?.split(',') {
        network.trim().parse::<ipnet::IpNet>().map_err(|error| What(format!("AllowedIPs: {error}")))?;
    }
    value("Endpoint")?.parse::<std::net::SocketAddr>()?;
    use crate::integrations::vpn::wireguard::keys::Key;
    value("PublicKey")?.parse::<Key>()?;
    value("PresharedKey")?.parse::<Key>()?;
    Ok(value("PrivateKey")?.parse::<Key>()?.public().to_base64())
}

/// Waits until the WireGuard server has a peer with this key, or has it no more.
async fn peer_is(cast: &Cast<'_>, public_key: &str, there: bool) -> Step {
    let app = cast.stage.app();
    let servers = &cast.stage.servers;
    let wireguard = servers.iter().find(|server| server.protocol == Protocol::Wireguard);
    let id = wireguard.ok_or_else(|| What("there is no WireGuard server".into()))?.id;
    let what = if there { "the server knows the key" } else { "the server has forgotten the key" };
    eventually(what, async || {
        let (_, backend) = app.backends().of(app.works(), id).await.ok()?;
        (backend.held().await.ok()?.ids.contains(public_key) == there).then_some(())
    })
    .await
}

/// Orders the first plan of the list; answers with the newest message before the order.
async fn orders(person: &Player<'_>, provider: ProviderId) -> Step<i64> {
    person.say("/plans")?;
    let plan = person.see_choice("plan:").await?;
    person.press_data(&plan).await?;
    let Some(Callback::Plan(id)) = Callback::decode(&plan) else {
        return Err(What(format!("{plan} is no plan")));
    };
    let before = person.newest()?;
    person.press(Callback::Buy(id, provider)).await?;
    Ok(before)
}

/// What came of an order.
struct Bought {
    payment: Payment,
    subscription: Subscription,
    /// Number of the message that says so; what was bought comes after it.
    receipt: i64,
}

/// Waits until the newest order is completed, its receipt is there, and its subscription stands.
async fn is_credited(person: &Player<'_>, after: i64) -> Step<Bought> {
    let (payment, subscription) = person
        .known_to_be("the payment is completed", |known| {
            let payment =
                known.payments.first().filter(|payment| payment.status == PaymentStatus::Completed)?;
            let bought = known.subscriptions.iter().find(|s| Some(s.id) == payment.subscription_id)?;
            Some((payment.clone(), bought.clone()))
        })
        .await?;
    ensure(subscription.status == SubscriptionStatus::Active, "the bought subscription is not active")?;
    let receipt =
        |message: &MessageView| message.text.contains(&payment.order_ref) && message.text.contains('✅');
    let receipt = person.see_new("the receipt", after, receipt).await?.id;
    Ok(Bought { payment, subscription, receipt })
}

async fn buys_with_stars(cast: &mut Cast<'_>) -> Step<Payment> {
    let ana = cast.person(ANA);
    let had = ana.handle.stars();
    let before = orders(&ana, ProviderId::Stars).await?;
    let Bought { payment, subscription, receipt } = pays_stars(cast, &ana, before).await?;
    let paid = had - ana.handle.stars();
    ensure(payment.amount == paid.into(), format_args!("{paid} Stars were taken for {}", payment.price()))?;
    ensure(!subscription.is_trial(), "the plan is a trial")?;
    let config = receives_wireguard(cast, &ana, receipt).await?;
    ensure(config.subscription_id == subscription.id, "the new config is not the plan's")?;
    Ok(payment)
}

async fn pays_stars(cast: &Cast<'_>, person: &Player<'_>, after: i64) -> Step<Bought> {
    let open = |message: &MessageView| message.invoice.as_ref().is_some_and(|invoice| !invoice.paid);
    let invoice = person.see_new("the invoice", after, open).await?;
    person.handle.pay(super::player::BOT, invoice.id).await?;
    let bought = is_credited(person, after).await?;
    let (order, end) = (&bought.payment.order_ref, bought.subscription.ends_at);
    cast.note(format!("{order} completed once, access until {end}"));
    Ok(bought)
}

async fn buys_with_qvapay(cast: &mut Cast<'_>) -> Step {
    meets(cast, BEN, Language::En).await?;
    let ben = cast.person(BEN);
    let before = orders(&ben, ProviderId::Qvapay).await?;
    let url = ben
        .see("the button that leads to QvaPay", |chat| {
            let buttons = chat.messages.iter().rev().flat_map(MessageView::buttons);
            buttons.into_iter().find_map(|button| match &button.action {
                Action::Url(url) if url.starts_with(cast.stage.qvapay.base_url()) => Some(url.clone()),
                _ => None,
            })
        })
        .await?;
    let ours = |invoice: &crate::demo::qvapay::Invoice| url.contains(&invoice.uuid.to_string());
    let invoice = cast.stage.qvapay.invoices().into_iter().find(ours);
    let invoice = invoice.ok_or_else(|| What(format!("{url} leads to no invoice")))?;
    cast.stage
        .qvapay
        .pay(invoice.uuid, QvapayPayment::default())
        .ok_or_else(|| What("not payable".into()))?;
    let Bought { payment, receipt, .. } = is_credited(&ben, before).await?;
    ensure(payment.order_ref == invoice.remote_id, "another order was completed")?;
    cast.note(format!("{} was paid at {url}", payment.order_ref));
    receives_wireguard(cast, &ben, receipt).await?;
    Ok(())
}

/// Turns the clock to `left` before the end of what an order bought, and waits for the reminder.
async fn reminded(cast: &mut Cast<'_>, order: &Payment, left: TimeDelta) -> Step {
    let ana = cast.person(ANA);
    let before = ana.newest()?;
    let subscription = bought(&ana, order).await?;
    turn_clock(cast, subscription.ends_at - left).await?;
    let renew = Callback::Plan(order.plan_id).encode();
    ana.see_new("the reminder with its button", before, |message| message.button(&renew).is_some()).await?;
    Ok(())
}

async fn turn_clock(cast: &Cast<'_>, until: crate::clock::Timestamp) -> Step {
    ensure(cast.stage.telegram.delivered().await, "some updates are still on their way")?;
    let by = until.since(cast.stage.app().works().clock.now());
    ensure(by > TimeDelta::zero(), "the clock would go back")?;
    cast.stage.fast_forward(by);
    cast.note(format!("the clock is turned to {until}"));
    Ok(())
}

/// The subscription that an order bought, as it is now.
async fn bought(person: &Player<'_>, order: &Payment) -> Step<Subscription> {
    let known = person.known().await?;
    let found = known.subscriptions.into_iter().find(|s| Some(s.id) == order.subscription_id);
    found.ok_or_else(|| What("the subscription is gone".into()))
}

/// The config of a subscription.
async fn config_of(person: &Player<'_>, subscription: &Subscription) -> Step<VpnConfig> {
    let known = person.known().await?;
    let found = known.configs.into_iter().find(|config| config.subscription_id == subscription.id);
    found.ok_or_else(|| What("the config is gone".into()))
}

fn public_key(config: &VpnConfig) -> Step<&str> {
    config.public_id.as_deref().ok_or_else(|| What("the config has no key".into()))
}

async fn ends(cast: &mut Cast<'_>, order: &Payment) -> Step {
    let ana = cast.person(ANA);
    let before = ana.newest()?;
    let subscription = bought(&ana, order).await?;
    let config = config_of(&ana, &subscription).await?;
    turn_clock(cast, subscription.ends_at + TimeDelta::minutes(2)).await?;
    let renew = Callback::Plan(order.plan_id).encode();
    ana.see_new("the word that it has ended", before, |message| message.button(&renew).is_some()).await?;
    stands(&ana, &subscription, SubscriptionStatus::Suspended, ConfigStatus::Suspended).await?;
    peer_is(cast, public_key(&config)?, false).await?;
    cast.note("the server lets the key through no more; it is kept for the renewal");
    Ok(())
}

/// Waits until a subscription and its configs are as they should be, at the backend too.
async fn stands(
    person: &Player<'_>,
    subscription: &Subscription,
    status: SubscriptionStatus,
    config: ConfigStatus,
) -> Step {
    let applied = match config {
        ConfigStatus::Suspended => Applied::Blocked,
        _ => Applied::Present,
    };
    person
        .known_to_be(&format!("the subscription is {status} and its config {config}"), |known| {
            let found = known.subscriptions.iter().find(|s| s.id == subscription.id)?;
            let mut configs = known.configs.iter().filter(|c| c.subscription_id == subscription.id);
            let all = configs.all(|c| c.status == config && c.applied == applied);
            (found.status == status && all).then_some(())
        })
        .await
}

async fn renews(cast: &mut Cast<'_>, order: &Payment) -> Step<Payment> {
    let ana = cast.person(ANA);
    let subscription = bought(&ana, order).await?;
    let old = config_of(&ana, &subscription).await?;
    ana.press(Callback::Plan(order.plan_id)).await?;
    let before = ana.newest()?;
    ana.press(Callback::Buy(order.plan_id, ProviderId::Stars)).await?;
    let Bought { payment: renewal, subscription: renewed, .. } = pays_stars(cast, &ana, before).await?;
    ensure(renewed.id == subscription.id, "the renewal made another subscription")?;
    ensure(renewal.id != order.id, "the old order was completed again")?;
    stands(&ana, &renewed, SubscriptionStatus::Active, ConfigStatus::Active).await?;
    let new = config_of(&ana, &renewed).await?;
    ensure(new.id == old.id && new.public_id == old.public_id, "the keys have changed")?;
    peer_is(cast, public_key(&new)?, true).await?;
    cast.note("the same key is let through again");
    Ok(renewal)
}

async fn refunds(cast: &mut Cast<'_>, order: &Payment) -> Step {
    let (ana, owner) = (cast.person(ANA), cast.person(OWNER));
    let (had, before) = (ana.handle.stars(), ana.newest()?);
    owner.say("/start")?;
    owner.see_button(Callback::Stats).await?;
    owner.say(&format!("/refund {}", order.order_ref))?;
    owner.press(Callback::RefundNow(order.id)).await?;
    ana.see("the Stars that come back", |chat| {
        chat.messages.iter().find(|message| message.id > before && message.refunded.is_some()).map(drop)
    })
    .await?;
    let back = ana.handle.stars() - had;
    ensure(order.amount == back.into(), format_args!("{back} Stars came back of {}", order.price()))?;
    ana.known_to_be("the order is refunded", |known| {
        known.payments.iter().find(|p| p.id == order.id && p.status == PaymentStatus::Refunded).map(drop)
    })
    .await?;
    let receipt = |message: &MessageView| message.text.contains(&order.order_ref);
    ana.see_new("the word that the money was returned", before, receipt).await?;
    let subscription = bought(&ana, order).await?;
    stands(&ana, &subscription, SubscriptionStatus::Suspended, ConfigStatus::Suspended).await?;
    cast.note("the access that it bought was taken back");
    Ok(())
}

async fn tries_outline(cast: &mut Cast<'_>) -> Step {
    meets(cast, MILA, Language::Ru).await?;
    let mila = cast.person(MILA);
    mila.press(Callback::Trial).await?;
    let before = mila.newest()?;
    mila.press(Callback::TakeTrial(Protocol::Outline)).await?;
    let message = mila.see_new("the ss:// link", before, |message| message.text.contains("ss://")).await?;
    let link = message.text.split_whitespace().find(|word| word.starts_with("ss://")).unwrap_or_default();
    let picture = mila.see_new("its QR code", before, |message| message.photo.is_some()).await?;
    let picture = picture.photo.ok_or_else(|| What("no picture".into()))?;
    ensure(picture.bytes[..] == qr::png(link)?[..], "the QR code holds something else than the link")?;
    let config = mila.known_to_be("the config is active", |known| known.configs.first().cloned()).await?;
    let keyring = &cast.stage.app().config().keyring;
    match vpn::open(keyring, &config)? {
        Credentials::Outline { access_url, .. } => {
            ensure(access_url == link, "the link is not the stored one")?
        }
        Credentials::WireGuard { .. } => return Err(What("the config is not Outline's".into())),
    }
    let id = config.public_id.unwrap_or_default();
    ensure(cast.stage.outline.key_ids().await.contains(&id), format_args!("Outline has no key {id}"))?;
    cast.note("the link and its QR code agree, and the Outline server has the key");
    Ok(())
}

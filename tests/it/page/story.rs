//! From Start to the end of what was bought, once in each language.

use usipipo::args;
use usipipo::i18n::Texts;
use usipipo::models::bot::Language;

use super::{ANA, BEN, Chat, House, LIMIT, MILA};
use crate::support::browser::View;
use crate::support::wait::eventually;

/// A person, how they look at the page, and what their app says in their language.
struct Cast {
    person: i64,
    name: &'static str,
    language: Language,
    view: View,
    /// What the app asks before it takes the Stars, and what it says afterwards.
    question: &'static str,
    thanks: &'static str,
    month: &'static str,
    week: &'static str,
}

impl Cast {
    fn words(&self) -> &'static Texts {
        Texts::of(self.language)
    }

    /// The name of a picture.
    fn picture(&self, of: &str) -> String {
        format!("{}-{of}", self.language)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_spanish() {
    let (question, thanks) = ("Confirma tu compra", "Pagaste ⭐ 250");
    let language = Language::Es;
    play(Cast {
        person: ANA,
        name: "Ana",
        language,
        view: View::DESKTOP,
        question,
        thanks,
        month: "VPN 1 mes",
        week: "VPN 1 semana",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_english() {
    let (question, thanks) = ("Confirm your purchase", "You paid ⭐ 250");
    let language = Language::En;
    play(Cast {
        person: BEN,
        name: "Ben",
        language,
        view: View::PHONE,
        question,
        thanks,
        month: "VPN 1 month",
        week: "VPN 1 week",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_russian() {
    let (question, thanks) = ("Подтвердите покупку", "Вы заплатили ⭐ 250");
    let (language, view) = (Language::Ru, View::PHONE.in_the_dark());
    play(Cast {
        person: MILA,
        name: "Мила",
        language,
        view,
        question,
        thanks,
        month: "VPN на месяц",
        week: "VPN на неделю",
    })
    .await;
}

async fn play(cast: Cast) {
    House::play(async |house| {
        let page = house.browser.open(&house.address(&[cast.person]), cast.view).await;
        let chat = Chat { house, page: &page, person: cast.person };
        takes_the_trial(&chat, &cast).await;
        buys_with_stars(&chat, &cast).await;
        buys_with_qvapay(&chat, &cast).await;
        sees_it_end(&chat, &cast).await;
    })
    .await;
}

async fn takes_the_trial(chat: &Chat<'_>, cast: &Cast) {
    let (page, t) = (chat.page, cast.words());
    page.see(&chat.named("welcome")).await;
    page.picture(&cast.picture("1-welcome")).await;
    chat.click("start").await;
    chat.reads(&t.label_with("home-hello", args! { "name" => cast.name })).await;
    chat.press("trial").await;
    chat.reads(&t.label("trial-title")).await;
    page.picture(&cast.picture("2-trial")).await;
    chat.press("trial-take:wireguard").await;
    chat.receives_config(1).await;
    page.see(&chat.part("[data-callback^='cfg-guide:']")).await;
    page.picture(&cast.picture("3-config")).await;
    page.click(&chat.named("photo")).await;
    page.see("[data-testid=picture] img").await;
    page.picture(&cast.picture("4-qr")).await;
    page.click("[data-testid=picture] img").await;
    page.miss("[data-testid=picture]").await;
    chat.house.counts(1, "SELECT COUNT(*) FROM trials").await;
    chat.house
        .counts(1, "SELECT COUNT(*) FROM subscriptions WHERE plan_id IS NULL AND status = 'active'")
        .await;
}

async fn buys_with_stars(chat: &Chat<'_>, cast: &Cast) {
    let (page, t, house) = (chat.page, cast.words(), chat.house);
    let month = house.plan("month").await;
    chat.command("plans").await;
    chat.reads(&t.label("plans-hint")).await;
    page.picture(&cast.picture("5-plans")).await;
    chat.press(&format!("plan:{month}")).await;
    chat.reads(cast.month).await;
    chat.press(&format!("buy:{month}:stars")).await;
    chat.click("pay-button").await;
    let sheet = page.see("[data-testid=pay-sheet]").await;
    assert!(sheet.contains(cast.question) && sheet.contains(cast.month) && sheet.contains("250"), "{sheet}");
    page.picture(&cast.picture("6-pay")).await;
    page.click("[data-testid=pay-cancel]").await;
    page.miss("[data-testid=pay-sheet]").await;
    assert_eq!(page.see(&chat.named("stars")).await, "⭐ 10000", "a closed sheet costs nothing");
    chat.click("pay-button").await;
    page.click("[data-testid=pay-confirm]").await;
    let thanks = page.see(&chat.named("receipt-message")).await;
    assert!(thanks.contains(cast.thanks), "{thanks}");
    chat.reads(&t.label("order-paid")).await;
    page.read(&chat.named("stars"), "⭐ 9750").await;
    house.counts(1, "SELECT COUNT(*) FROM payments WHERE provider = 'stars' AND status = 'completed'").await;
    chat.receives_config(2).await;
    chat.click("receipt-message").await;
    let receipt = page.see("[data-testid=receipt]").await;
    assert!(receipt.contains(cast.month) && receipt.contains("⭐ 250"), "{receipt}");
    page.picture(&cast.picture("7-receipt")).await;
    page.click("[data-testid=receipt-close]").await;
    page.miss("[data-testid=receipt]").await;
}

async fn buys_with_qvapay(chat: &Chat<'_>, cast: &Cast) {
    let (page, t, house) = (chat.page, cast.words(), chat.house);
    let week = house.plan("week").await;
    chat.say("/plans").await;
    chat.press(&format!("plan:{week}")).await;
    chat.press(&format!("buy:{week}:qvapay")).await;
    let pay = chat.part("[data-url*='/pay/']");
    page.see(&pay).await;
    page.picture(&cast.picture("8-order")).await;
    page.click(&pay).await;
    let tab = page.tab("/pay/").await;
    let bill = tab.read("main", "1.49").await;
    assert!(bill.contains(cast.week), "{bill}");
    tab.picture(&cast.picture("9-qvapay")).await;
    tab.click("#pay").await;
    tab.read(".state", "✓").await;
    tab.close().await;
    house.counts(1, "SELECT COUNT(*) FROM payments WHERE provider = 'qvapay' AND status = 'completed'").await;
    chat.receives_config(3).await;
    // The message of the order says so, too: nobody wonders at an old button.
    eventually(LIMIT, async || house.stage.qvapay.invoices().len() == 1).await;
    let order = house.stage.qvapay.invoices()[0].remote_id.clone();
    let paid = chat.reads(&order).await;
    assert!(paid.contains(&t.label("order-paid")), "{paid}");
    page.picture(&cast.picture("10-paid")).await;
    house.counts(3, "SELECT COUNT(*) FROM subscriptions WHERE status = 'active'").await;
    house.counts(3, "SELECT COUNT(DISTINCT name) FROM vpn_configs").await;
}

async fn sees_it_end(chat: &Chat<'_>, cast: &Cast) {
    let (page, t) = (chat.page, cast.words());
    for step in ["3d", "1d", "1h"] {
        chat.forward(step).await;
    }
    chat.house.counts(2, "SELECT COUNT(*) FROM reminders WHERE kind = 'three_days'").await;
    chat.forward("30d").await;
    chat.reads(&t.label("reminder-trial-ended")).await;
    chat.reads(&t.label_with("reminder-ended", args! { "plan" => cast.month })).await;
    page.picture(&cast.picture("11-ended")).await;
    chat.house.counts(0, "SELECT COUNT(*) FROM subscriptions WHERE status = 'active'").await;
    chat.house.counts(0, "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active'").await;
}

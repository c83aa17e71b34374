//! What the page does around the story: chats side by side, languages, reloading, refused payments, a second window.

use usipipo::i18n::Texts;
use usipipo::models::bot::Language;

use super::{ANA, BEN, Chat, House};
use crate::support::browser::View;

/// Makes the page what README shows of it: the code in sight, before a plain wall, which takes half the bytes.
const README: &str =
    "document.documentElement.style.setProperty('--wall', 'linear-gradient(#cfe0c0, #a9d1c5)');
    shown(selector).scrollIntoView({ block: 'center', behavior: 'instant' });
    return true;";

#[tokio::test(flavor = "multi_thread")]
async fn two_people_side_by_side() {
    House::play(async |house| {
        let view = View { width: 1100, height: 730, scale: 1.2, dark: false };
        let page = house.browser.open(&house.address(&[ANA, BEN]), view).await;
        let [ana, ben] = [ANA, BEN].map(|person| Chat { house, page: &page, person });
        ana.click("start").await;
        ben.click("start").await;
        ana.press("trial").await;
        ana.press("trial-take:wireguard").await;
        ben.reads("Hi Ben!").await;
        ben.say("/plans").await;
        let month = house.plan("month").await;
        ben.press(&format!("plan:{month}")).await;
        ben.press(&format!("buy:{month}:stars")).await;
        page.see(&ben.named("pay-button")).await;
        ana.receives_config(1).await;
        page.see(&ana.part("[data-callback^='cfg-guide:']")).await;
        page.until(README, &ana.named("photo")).await;
        page.picture("demo").await;

        // A second window sees the same chat, and the first one sees what is written there.
        let other = house.browser.open(&house.address(&[BEN]), View::PHONE).await;
        let ben_elsewhere = Chat { house, page: &other, person: BEN };
        ben_elsewhere.say("hello there").await;
        page.read(&ben.part("[data-from=person]"), "hello there").await;
        other.close().await;

        page.reload().await;
        page.see(&ben.named("pay-button")).await;
        page.see(&ana.named("photo")).await;
        assert_eq!(
            page.until("return { left: document.querySelectorAll(selector).length }", "[data-testid=unread]")
                .await["left"],
            0
        );
        ben.click("close-column").await;
        page.miss(&ben.part("")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn languages_of_the_app_and_of_the_bot() {
    House::play(async |house| {
        let page = house.browser.open(&house.address(&[ANA]), View::DESKTOP.in_the_dark()).await;
        let ana = Chat { house, page: &page, person: ANA };
        page.read(&ana.named("start"), "INICIAR").await;
        page.choose(&ana.named("language"), "ru").await;
        page.read(&ana.named("start"), "НАЧАТЬ").await;
        page.read(&ana.named("welcome"), "Нажмите").await;
        ana.click("start").await;
        ana.reads("Здравствуйте, Ana!").await;
        // The app speaks another language, and with it the menu of commands; the bot asks before it changes.
        page.choose(&ana.named("language"), "en").await;
        page.read(&ana.named("toast"), "/language").await;
        ana.click("commands-button").await;
        page.read(&ana.part(".commands"), "Plans and prices").await;
        page.picture("languages-1-menu").await;
        page.click(&ana.part(".commands [data-testid=command-language]")).await;
        ana.reads(&Texts::of(Language::Ru).label("language-title")).await;
        ana.press("lang:en").await;
        ana.reads("Hi Ana!").await;
        page.see(&ana.named("edited")).await;
        house.counts(1, "SELECT COUNT(*) FROM users WHERE language = 'en'").await;

        // A link to another bot opens its chat here, and not Telegram's site.
        ana.command("help").await;
        page.click(&ana.part("[data-url='https://t.me/usipipo_support_bot']")).await;
        page.see("[data-bot=usipipo_support_bot] [data-testid=start]").await;
        page.picture("languages-2-support").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_is_not_paid_and_a_blocked_bot_is_silent() {
    House::play(async |house| {
        let page = house.browser.open(&house.address(&[BEN]), View::DESKTOP).await;
        let ben = Chat { house, page: &page, person: BEN };
        ben.click("start").await;
        let month = house.plan("month").await;
        ben.press("plans").await;
        ben.press(&format!("plan:{month}")).await;
        ben.press(&format!("buy:{month}:stars")).await;
        page.see(&ben.named("pay-button")).await;
        page.click(&ben.part("[data-callback^='order-cancel:']")).await;
        house.counts(1, "SELECT COUNT(*) FROM payments WHERE status = 'cancelled'").await;
        ben.click("pay-button").await;
        page.click("[data-testid=pay-confirm]").await;
        let refusal = page.see("[data-testid=pay-error]").await;
        assert_eq!(refusal, Texts::of(Language::En).label("refuse-cancelled"));
        page.picture("refused").await;
        let troubles = house.browser.troubles();
        assert!(matches!(&troubles[..], [refused] if refused.contains("/pay")), "{troubles:#?}");
        page.click("[data-testid=pay-cancel]").await;
        assert_eq!(page.see(&ben.named("stars")).await, "⭐ 10000");

        ben.click("block").await;
        page.see(&ben.named("start")).await;
        house.counts(1, "SELECT COUNT(*) FROM users WHERE status = 'blocked'").await;
        ben.click("start").await;
        house.counts(0, "SELECT COUNT(*) FROM users WHERE status = 'blocked'").await;
        page.see(&ben.named("composer-input")).await;

        // Somebody new, and what happens underneath.
        page.write("[data-testid=add-person-name]", "Zoë & Co").await;
        page.choose("[data-testid=add-person-language]", "en").await;
        page.click("[data-testid=add-person-submit]").await;
        page.click("[data-testid=start]").await;
        page.read("[data-from=bot]", "Hi Zoë & Co!").await;
        page.click("[data-testid=underneath-toggle]").await;
        page.read("[data-testid=underneath-entry]", "sendMessage").await;
        page.picture("underneath").await;
    })
    .await;
}

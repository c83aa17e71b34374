//! What each button leads to, on one page.

use super::steps::{account, admin, configs, guides, menu, orders, trial};
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::step::Step;
use crate::handlers::bots::talk::Talk;
use crate::models::dialog::Dialog;
use crate::models::outgoing::ConfigPart;

/// `left` is the question that the press left open.
pub(super) async fn press(talk: &mut Talk<'_>, callback: Callback, left: Option<Dialog>) -> Step {
    match callback {
        Callback::Home => menu::home(talk).await,
        Callback::Help => menu::help(talk).await,
        Callback::Status => menu::status(talk).await,
        Callback::Terms => menu::terms(talk),
        Callback::Privacy => menu::privacy(talk),
        Callback::Languages => menu::languages(talk),
        Callback::SetLanguage(language) => menu::set_language(talk, language).await,
        Callback::Cancel => menu::cancel(talk, left).await,

        Callback::Profile => account::profile(talk).await,
        Callback::PaySupport => account::pay_support(talk).await,
        Callback::MyRoles => account::roles(talk).await,
        Callback::MyLogs(page) => account::logs(talk, page).await,

        Callback::Trial => trial::offer(talk).await,
        Callback::TakeTrial(protocol) => trial::take(talk, protocol).await,
        Callback::Plans => orders::plans(talk).await,
        Callback::Plan(plan) => orders::plan(talk, plan).await,
        Callback::Buy(plan, provider) => orders::buy(talk, plan, provider).await,
        Callback::Order(payment) => orders::order(talk, payment).await,
        Callback::CancelOrder(payment) => orders::cancel(talk, payment).await,

        Callback::Vpn => configs::list(talk).await,
        Callback::AddConfig => configs::add(talk).await,
        Callback::AddConfigTo(subscription, protocol) => configs::add_to(talk, subscription, protocol).await,
        Callback::Config(config) => configs::config(talk, config).await,
        Callback::ConfigFile(config) => configs::part(talk, config, ConfigPart::File).await,
        Callback::ConfigQr(config) => configs::part(talk, config, ConfigPart::Qr).await,
        Callback::ConfigText(config) => configs::part(talk, config, ConfigPart::Text).await,
        Callback::RenameConfig(config) => configs::ask_name(talk, config).await,
        Callback::RevokeConfig(config) => configs::ask_revoke(talk, config).await,
        Callback::RevokeConfigNow(config) => configs::revoke(talk, config).await,

        Callback::ConfigGuides(config) => guides::of_config(talk, config).await,
        Callback::ConfigGuide(config, os) => guides::steps_of_config(talk, config, os).await,
        Callback::ConfigTrouble(config) => guides::trouble_of_config(talk, config).await,
        Callback::Trouble => guides::trouble(talk).await,
        Callback::Guides => guides::protocols(talk),
        Callback::GuidesFor(protocol) => guides::systems(talk, protocol),
        Callback::Guide(protocol, os) => guides::steps(talk, protocol, os).await,

        Callback::Users(page) => admin::users(talk, page).await,
        Callback::Whois(user) => admin::whois(talk, user).await,
        Callback::Audit(page) => admin::audit(talk, None, page).await,
        Callback::AuditOf(user, page) => admin::audit(talk, Some(user), page).await,
        Callback::Stats => admin::stats(talk).await,
        Callback::Refund(payment) => admin::ask_refund(talk, payment).await,
        Callback::RefundNow(payment) => admin::refund(talk, payment).await,
        Callback::RefundedByHand(payment) => admin::refunded_by_hand(talk, payment).await,
        Callback::Reviews => admin::reviews(talk).await,
        Callback::Review(payment) => admin::review(talk, payment).await,
        Callback::AcceptReview(payment) => admin::accept(talk, payment).await,
        Callback::Charge(charge) => admin::charge(talk, charge).await,
        Callback::SendBack(charge) => admin::send_back(talk, charge).await,
        Callback::Ban(user) => admin::ask_ban(talk, user).await,
        Callback::BanNow(user) => admin::ban(talk, user).await,
        Callback::Unban(user) => admin::unban(talk, user).await,
    }
}

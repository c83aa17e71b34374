//! The commands of the client bot: who may use which, and what Telegram shows about them and about the bots.

use super::screens::{allows, protocol_name, provider_name};
use crate::i18n::{Html, Texts, args};
use crate::models::bot::Bot;
use crate::models::payment::ProviderId;
use crate::models::role::{Permission, Role};
use crate::models::text_enum;
use crate::models::vpn::Protocol;

text_enum! {
    /// A command of the client bot, in the order of the menu.
    Command {
        Start = "start",
        Vpn = "vpn",
        Plans = "plans",
        Trial = "trial",
        Profile = "profile",
        Status = "status",
        Help = "help",
        Language = "language",
        PaySupport = "paysupport",
        MyLogs = "mylogs",
        MyRoles = "myroles",
        Terms = "terms",
        Privacy = "privacy",
        Cancel = "cancel",
        Whois = "whois",
        Users = "users",
        Stats = "stats",
        Audit = "audit",
        Refund = "refund",
        Reviews = "reviews",
        GrantRole = "grantrole",
        RevokeRole = "revokerole",
        Ban = "ban",
        Unban = "unban",
    }
}

impl Command {
    /// What it takes to use the command; None = everybody.
    pub fn permission(self) -> Option<Permission> {
        match self {
            Command::Whois | Command::Users => Some(Permission::ViewUsers),
            Command::Stats => Some(Permission::ViewStats),
            Command::Audit => Some(Permission::ViewAudit),
            Command::Refund | Command::Reviews => Some(Permission::RefundPayments),
            Command::GrantRole | Command::RevokeRole => Some(Permission::GrantRoles),
            Command::Ban | Command::Unban => Some(Permission::BanUsers),
            _ => None,
        }
    }

    /// What it does, in a few words: Telegram shows it in the menu of commands.
    pub fn description(self, t: &Texts) -> String {
        match self {
            Command::Start => t.label("command-start"),
            Command::Vpn => t.label("command-vpn"),
            Command::Plans => t.label("command-plans"),
            Command::Trial => t.label("command-trial"),
            Command::Profile => t.label("command-profile"),
            Command::Status => t.label("command-status"),
            Command::Help => t.label("command-help"),
            Command::Language => t.label("command-language"),
            Command::PaySupport => t.label("command-paysupport"),
            Command::MyLogs => t.label("command-mylogs"),
            Command::MyRoles => t.label("command-myroles"),
            Command::Terms => t.label("command-terms"),
            Command::Privacy => t.label("command-privacy"),
            Command::Cancel => t.label("command-cancel"),
            Command::Whois => t.label("command-whois"),
            Command::Users => t.label("command-users"),
            Command::Stats => t.label("command-stats"),
            Command::Audit => t.label("command-audit"),
            Command::Refund => t.label("command-refund"),
            Command::Reviews => t.label("command-reviews"),
            Command::GrantRole => t.label("command-grantrole"),
            Command::RevokeRole => t.label("command-revokerole"),
            Command::Ban => t.label("command-ban"),
            Command::Unban => t.label("command-unban"),
        }
    }
}

/// The commands that somebody with these roles may use, in the order of the menu.
pub fn commands_for(roles: &[Role]) -> Vec<Command> {
    let may = |command: &Command| command.permission().is_none_or(|needed| allows(roles, needed));
    Command::ALL.iter().copied().filter(may).collect()
}

/// What Telegram shows about a bot before it is started, in one language. Its name is its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// At most 512 characters, shown in the empty chat (setMyDescription).
    pub description: String,
    /// At most 120 characters, shown in the profile and in shared links (setMyShortDescription).
    pub short_description: String,
}

/// What there is to be had: nothing else is promised.
#[derive(Clone, Debug, Default)]
pub struct Assortment {
    pub trial: bool,
    pub protocols: Vec<Protocol>,
    pub providers: Vec<ProviderId>,
}

/// Descriptions of a bot in one language.
pub fn about(bot: Bot, t: &Texts, sold: &Assortment) -> About {
    let (description, short_description) = match bot {
        Bot::Client => return about_client(t, sold),
        Bot::Support => (t.label("support-bot-description"), t.label("support-bot-short")),
        Bot::Admin => (t.label("admin-bot-description"), t.label("admin-bot-short")),
    };
    About { description, short_description }
}

fn about_client(t: &Texts, sold: &Assortment) -> About {
    let what = t.text("client-bot-what");
    let trial = if sold.trial { t.text("client-bot-trial") } else { Html::default() };
    let facts = [
        trial,
        all_of(sold.protocols.iter().map(|protocol| protocol_name(t, *protocol)), |names| {
            t.with("client-bot-protocols", args! { "protocols" => names })
        }),
        all_of(sold.providers.iter().map(|provider| provider_name(*provider).into()), |names| {
            t.with("client-bot-payments", args! { "providers" => names })
        }),
    ];
    let description = Html::join([what.clone(), Html::join(facts, "\n"), t.text("client-bot-begin")], "\n\n");
    let short = match sold.trial {
        true => Html::join([what, t.text("client-bot-short-trial")], " "),
        false => what,
    };
    About { description: description.to_plain(), short_description: short.to_plain() }
}

/// A line about several names; none about nothing.
fn all_of(names: impl Iterator<Item = Html>, line: impl FnOnce(Html) -> Html) -> Html {
    let names = Html::join(names, ", ");
    if names.is_empty() { names } else { line(names) }
}

//! The commands of the client bot: who may use which, and what Telegram shows about them and about the bots.

use super::screens::allows;
use crate::i18n::Texts;
use crate::models::bot::Bot;
use crate::models::role::{Permission, Role};
use crate::models::text_enum;

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

/// What Telegram shows about a bot before it is started, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// At most 64 characters (setMyName).
    pub name: String,
    /// At most 512 characters, shown in the empty chat (setMyDescription).
    pub description: String,
    /// At most 120 characters, shown in the profile and in shared links (setMyShortDescription).
    pub short_description: String,
}

/// Name and descriptions of a bot in one language.
pub fn about(bot: Bot, t: &Texts) -> About {
    let (name, description, short_description) = match bot {
        Bot::Client => {
            (t.label("client-bot-name"), t.label("client-bot-description"), t.label("client-bot-short"))
        }
        Bot::Support => {
            (t.label("support-bot-name"), t.label("support-bot-description"), t.label("support-bot-short"))
        }
        Bot::Admin => {
            (t.label("admin-bot-name"), t.label("admin-bot-description"), t.label("admin-bot-short"))
        }
    };
    About { name, description, short_description }
}

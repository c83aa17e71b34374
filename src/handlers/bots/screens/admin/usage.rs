//! A command of the team that was written wrong, or about nobody we know.

use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::{Rows, Screen, lines};
use crate::i18n::{Html, Texts, args};

/// How the command is written, by example.
pub fn usage(t: &Texts, command: Command) -> Screen {
    let examples = examples(command).iter().map(Html::code);
    let text = t.with("usage", args! { "what" => command.description(t) });
    Screen::new(lines(std::iter::once(text).chain(examples)), Rows::default().home(t))
}

fn examples(command: Command) -> &'static [&'static str] {
    match command {
        Command::Whois => &["/whois 123456789", "/whois @ana"],
        Command::Audit => &["/audit", "/audit 123456789"],
        Command::Refund => &["/refund ord_01JDX5K8Q2M7V9B3C4D5E6F7G8"],
        Command::Reviews => &["/reviews", "/reviews 3 paid back at QvaPay"],
        Command::GrantRole => &["/grantrole 123456789 support", "/grantrole @ana support 30"],
        Command::RevokeRole => &["/revokerole 123456789 support"],
        Command::Ban => &["/ban 123456789"],
        Command::Unban => &["/unban 123456789"],
        _ => &[],
    }
}

/// `given`: the id or @name that was looked for.
pub fn no_such_user(t: &Texts, given: &str) -> Screen {
    let text = t.with("no-such-user", args! { "given" => Html::short(given, 40) });
    Screen::new(text, Rows::default().back(t, Callback::Users(0)))
}

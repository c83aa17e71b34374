//! `usipipo user`: people and their roles.

use std::process::ExitCode;

use chrono::{NaiveDate, TimeDelta};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use scoped_futures::ScopedFutureExt;

use super::out::{self, Table, or_dash};
use super::session::Session;
use super::{Failure, Outcome};
use crate::clock::Timestamp;
use crate::models::role::Role;
use crate::models::user::User;
use crate::services::overview::{self, Overview};
use crate::services::{access, people};

/// Look at a person, and give and take roles.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo user show @ana
  usipipo user grant @ana admin")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

const WHO: &str = "Telegram id or @username of somebody who has written to the bot";

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what is known of a person: roles, subscriptions, configs, payments.
    #[command(after_help = "\
Examples:
  usipipo user show 123456789
  usipipo user show @ana")]
    Show {
        #[arg(help = WHO)]
        user: String,
    },
    /// Give a person a role; of a role that is there already, the end changes.
    ///
    /// Works at once and is told to the person. Who is named in SUPERADMIN_TELEGRAM_IDS or ADMIN_TELEGRAM_IDS needs no grant.
    #[command(after_help = "\
Examples:
  usipipo user grant @ana admin
  usipipo user grant 123456789 support --days 30
  usipipo user grant 123456789 finance --until 2027-01-31")]
    Grant {
        #[arg(help = WHO)]
        user: String,
        #[arg(value_parser = roles())]
        role: Role,
        /// Ends after this many days
        #[arg(long, value_name = "N", conflicts_with = "until", value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: Option<u16>,
        /// Ends at the end of this day (UTC)
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<NaiveDate>,
    },
    /// Take a role from a person.
    #[command(after_help = "\
Example:
  usipipo user revoke @ana admin")]
    Revoke {
        #[arg(help = WHO)]
        user: String,
        #[arg(value_parser = roles())]
        role: Role,
    },
}

fn roles() -> impl TypedValueParser<Value = Role> {
    let granted = Role::ALL.iter().filter(|role| **role != Role::User).map(|role| role.as_str());
    PossibleValuesParser::new(granted.collect::<Vec<_>>()).try_map(|name| name.parse::<Role>())
}

impl Args {
    pub async fn run(self) -> Outcome {
        let session = Session::open().await?;
        match self.action {
            Action::Show { user } => show(&session, &user).await?,
            Action::Grant { user, role, days, until } => grant(&session, &user, role, days, until).await?,
            Action::Revoke { user, role } => {
                let user = find(&session, &user).await?;
                session
                    .run("revoke_role", |work| access::revoke_role(work, user.id, role).scope_boxed())
                    .await?;
                out::line(format_args!("{} is no {role} any more", name(&user)));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn find(session: &Session, text: &str) -> Result<User, Failure> {
    let found = session.run("find_user", |work| people::find(work, text).scope_boxed()).await?;
    found.ok_or_else(|| {
        let text = out::printable(text);
        Failure::Input(format!("nobody known as {text:?} has written to the bot"))
    })
}

async fn grant(
    session: &Session,
    user: &str,
    role: Role,
    days: Option<u16>,
    until: Option<NaiveDate>,
) -> Result<(), Failure> {
    let user = find(session, user).await?;
    let after = |days: u16| session.works.clock.now() + TimeDelta::days(days.into());
    let end_of = |day: NaiveDate| {
        let next = day.succ_opt().unwrap_or(day).and_time(chrono::NaiveTime::MIN).and_utc();
        Timestamp::from(next)
    };
    let end = days.map(after).or(until.map(end_of));
    session.run("grant_role", |work| access::grant_role(work, user.id, role, end).scope_boxed()).await?;
    let until = end.map_or_else(|| "for good".to_owned(), |end| format!("until {end}"));
    out::line(format_args!("{} is {role} {until}", name(&user)));
    Ok(())
}

/// A person as they are named in a line.
fn name(user: &User) -> String {
    out::printable(&format!("{} ({})", user.first_name, user.id))
}

async fn show(session: &Session, user: &str) -> Result<(), Failure> {
    let user = &find(session, user).await?;
    let all = session.run("show_user", |work| overview::of(work, user).scope_boxed()).await?;
    show_person(user, &all);
    show_subscriptions(&all);
    show_configs(&all);
    show_payments(&all);
    Ok(())
}

fn show_person(user: &User, all: &Overview) {
    let full_name = format!("{} {}", user.first_name, user.last_name.as_deref().unwrap_or_default());
    let mut table = Table::new(["USER", &user.id.to_string()]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("name", full_name);
    row("username", or_dash(user.username.as_ref().map(|name| format!("@{name}"))));
    row("language", user.language.to_string());
    row("status", user.status.to_string());
    row("first seen", user.created_at.to_string());
    row("last seen", user.last_seen_at.to_string());
    row("came by", or_dash(user.referrer.as_ref()));
    row("roles", all.roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    for grant in &all.grants {
        let by = grant.granted_by.map_or_else(|| "SYSTEM".to_owned(), |id| id.to_string());
        let end = grant.expires_at.map_or_else(|| "for good".to_owned(), |end| format!("until {end}"));
        row("", format!("{} {end}, granted by {by} at {}", grant.role, grant.granted_at));
    }
    table.print("");
}

fn show_subscriptions(all: &Overview) {
    let mut table = Table::new(["SUBSCRIPTION", "PRODUCT", "STATUS", "ENDS", "DEVICES", "USED", "OF"]);
    for subscription in &all.subscriptions {
        table.row([
            subscription.id.to_string(),
            subscription.product.clone(),
            subscription.status.to_string(),
            subscription.ends_at.to_string(),
            subscription.device_limit.to_string(),
            mebibytes(subscription.used),
            or_dash(subscription.allowance.map(mebibytes)),
        ]);
    }
    out::line("");
    table.print("No subscriptions.");
}

fn show_configs(all: &Overview) {
    let mut table =
        Table::new(["CONFIG", "NAME", "PROTOCOL", "SERVER", "STATUS", "IN", "OUT", "LAST HANDSHAKE"]);
    for config in &all.configs {
        table.row([
            config.id.to_string(),
            config.name.clone(),
            config.protocol.to_string(),
            or_dash(config.server_id),
            config.status.to_string(),
            mebibytes(config.total_rx),
            mebibytes(config.total_tx),
            or_dash(config.last_handshake_at),
        ]);
    }
    out::line("");
    table.print("No configs.");
}

fn show_payments(all: &Overview) {
    let mut table = Table::new(["PAYMENT", "ORDER", "PRICE", "BY", "STATUS", "CREATED", "NOTE"]);
    for payment in &all.payments {
        table.row([
            payment.id.to_string(),
            payment.order_ref.clone(),
            payment.price().to_string(),
            payment.provider.to_string(),
            payment.status.to_string(),
            payment.created_at.to_string(),
            or_dash(payment.note.as_ref()),
        ]);
    }
    out::line("");
    table.print("No payments.");
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

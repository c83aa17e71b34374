//! `usipipo plan`: the price list.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Subcommand;
use scoped_futures::ScopedFutureExt;

use super::out::{self, Table};
use super::session::Session;
use super::{Failure, Outcome};
use crate::models::bot::Language;
use crate::money::{Currency, Money, parse_plain_decimal};
use crate::services::catalogue::{self, NewPlan, Words};

/// Change what is sold.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo plan list
  usipipo plan disable month")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the plans in the order in which people see them.
    #[command(after_help = "\
Examples:
  usipipo plan list
  usipipo plan list --language en --all")]
    List {
        /// In whose words
        #[arg(long, default_value_t = Language::Es)]
        language: Language,
        /// Those that are off sale too
        #[arg(long)]
        all: bool,
    },
    Add(Box<Add>),
    /// Take a plan off sale; what was sold of it stays, and open orders of it can still be paid.
    #[command(after_help = "\
Example:
  usipipo plan disable month")]
    Disable {
        /// As `plan list` shows it
        code: String,
    },
}

/// Put a plan on sale, behind those that are there.
///
/// A plan that was sold never changes: to change a price, add a plan with a new code and disable the old one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo plan add month-2027 --days 30 --devices 3 --price XTR=250 --price USD=4.99 \\
      --name es='1 mes' --about es='Para cada día.' \\
      --name en='1 month' --about en='For every day.' \\
      --name ru='1 месяц' --about ru='На каждый день.' --popular
  usipipo plan add week --days 7 --devices 1 --traffic 10240 --price XTR=80 \\
      --name es='1 semana' --about es='10 GB para un viaje.'")]
pub struct Add {
    /// Short name for operators: a-z 0-9 _ -
    code: String,
    #[arg(long, value_name = "N")]
    days: u32,
    /// Configs that may be held at a time
    #[arg(long, value_name = "N")]
    devices: u32,
    /// MiB that one purchase gives [default: unlimited]
    #[arg(long, value_name = "MIB")]
    traffic: Option<u64>,
    /// One for each way of paying: XTR for Stars, USD for QvaPay
    #[arg(long = "price", required = true, value_name = "CURRENCY=AMOUNT", value_parser = price)]
    prices: Vec<Money>,
    /// What it is called, at most 32 characters; es stands in for languages without
    #[arg(long = "name", required = true, value_name = "LANGUAGE=TEXT", value_parser = words)]
    names: Vec<(Language, String)>,
    /// What it says of itself, at most 255 characters; for each language with a name
    #[arg(long = "about", required = true, value_name = "LANGUAGE=TEXT", value_parser = words)]
    abouts: Vec<(Language, String)>,
    /// Marked as the one most people take
    #[arg(long)]
    popular: bool,
}

fn price(text: &str) -> Result<Money, String> {
    let (currency, amount) = text.split_once('=').ok_or("CURRENCY=AMOUNT is expected, such as USD=4.99")?;
    let currency: Currency = currency.parse().map_err(|error| format!("{error}"))?;
    let amount = parse_plain_decimal(amount).map_err(|error| error.to_string())?;
    Money::price(amount, currency).map_err(|error| error.to_string())
}

fn words(text: &str) -> Result<(Language, String), String> {
    let (language, words) = text.split_once('=').ok_or("LANGUAGE=TEXT is expected, such as es='1 mes'")?;
    let language = language.parse().map_err(|_| "the language is es, en or ru")?;
    Ok((language, words.to_owned()))
}

impl Args {
    pub async fn run(self) -> Outcome {
        match self.action {
            Action::List { language, all } => list(&Session::open().await?, language, all).await?,
            Action::Add(add) => add.run().await?,
            Action::Disable { code } => {
                let session = Session::open().await?;
                let disable =
                    session.run("disable_plan", |work| catalogue::disable_plan(work, &code).scope_boxed());
                disable.await?;
                out::line(format_args!("{code} is off sale"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    async fn run(self) -> Result<(), Failure> {
        let new = &self.into_plan()?;
        let session = Session::open().await?;
        session.run("add_plan", |work| catalogue::add_plan(work, new).scope_boxed()).await?;
        out::line(format_args!("{} is on sale", new.code));
        Ok(())
    }

    fn into_plan(self) -> Result<NewPlan, Failure> {
        let mut abouts = unique("about", self.abouts)?;
        let mut texts = BTreeMap::new();
        for (language, name) in unique("name", self.names)? {
            let about = abouts.remove(&language);
            let description = about
                .ok_or_else(|| Failure::Input(format!("--name {language}=… needs --about {language}=…")))?;
            texts.insert(language, Words { name, description });
        }
        if let Some(language) = abouts.keys().next() {
            return Err(Failure::Input(format!("--about {language}=… needs --name {language}=…")));
        }
        Ok(NewPlan {
            code: self.code,
            days: self.days,
            traffic_mb: self.traffic,
            device_limit: self.devices,
            popular: self.popular,
            texts,
            prices: self.prices,
        })
    }
}

fn unique(flag: &str, given: Vec<(Language, String)>) -> Result<BTreeMap<Language, String>, Failure> {
    let mut texts = BTreeMap::new();
    for (language, text) in given {
        if texts.insert(language, text).is_some() {
            return Err(Failure::Input(format!("--{flag} {language}=… is there twice")));
        }
    }
    Ok(texts)
}

async fn list(session: &Session, language: Language, all: bool) -> Result<(), Failure> {
    let offers =
        session.run("list_plans", |work| catalogue::offers(work, language, !all).scope_boxed()).await?;
    let mut table = Table::new(["CODE", "NAME", "DAYS", "DEVICES", "TRAFFIC", "PRICES", ""]);
    for offer in offers {
        let prices: Vec<String> = offer.prices.iter().map(ToString::to_string).collect();
        let traffic = offer.plan.traffic_mb.map_or_else(|| "unlimited".to_owned(), |mb| format!("{mb} MiB"));
        let mark = match (offer.plan.active, offer.plan.popular) {
            (false, _) => "off sale",
            (true, true) => "popular",
            (true, false) => "",
        };
        table.row([
            offer.plan.code,
            offer.name,
            offer.plan.duration_days.to_string(),
            offer.plan.device_limit.to_string(),
            traffic,
            prices.join(", "),
            mark.to_owned(),
        ]);
    }
    table.print("No plans are on sale.");
    Ok(())
}

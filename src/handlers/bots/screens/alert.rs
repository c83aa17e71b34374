//! Alerts for admins: what happened, the facts, what to do. Facts come from outside and from errors, so each is
//! escaped and cut to a readable length.

use super::parts::provider_name;
use super::{Rows, Screen, button};
use crate::handlers::bots::callback::Callback;
use crate::i18n::html::shorten;
use crate::i18n::{Args, Html, Texts, args};
use crate::ids::UserId;
use crate::models::notice::{Alert, OddMoney};
use crate::models::outgoing::Button;

/// Characters of an error that are shown; the log has the rest.
const REASON_CHARS: usize = 400;
/// Characters of any other fact.
const FACT_CHARS: usize = 64;

pub fn alert(t: &Texts, alert: &Alert) -> Screen {
    Screen::new(words(t, alert), Rows::default().row(actions(t, alert)).home(t))
}

fn words(t: &Texts, alert: &Alert) -> Html {
    match alert {
        Alert::EventDead { event_id, source, reason } => {
            let event = Html::code(event_id);
            t.with(
                "alert-event-dead",
                args! { "event" => event, "source" => fact(source), "reason" => cause(reason) },
            )
        }
        // The id finds the row, the kind tells a human what it is; most callers know only the kind.
        Alert::JobFailing { job_id: _, kind, attempts, reason } => {
            let args = args! { "kind" => fact(kind), "attempts" => *attempts, "reason" => cause(reason) };
            t.with("alert-job-failing", args)
        }
        Alert::JobDead { kind, reason } => {
            t.with("alert-job-dead", args! { "kind" => fact(kind), "reason" => cause(reason) })
        }
        Alert::MessageDead { chat_id, reason } => {
            let args = args! { "chat" => Html::code(chat_id), "reason" => cause(reason) };
            t.with("alert-message-dead", args)
        }
        Alert::PaymentReview { payment_id, money } => {
            t.with("alert-payment-review", odd(money, &payment_id.to_string()))
        }
        Alert::PaymentUnmatched { charge_id, money } => {
            let mut args = odd(money, &charge_id.to_string());
            args.set("command", Html::code(format!("/reviews {charge_id} …")));
            t.with("alert-payment-unmatched", args)
        }
        Alert::ProvisioningDelayed { config_id, user_id, reason } => {
            let (config, user) = (Html::code(config_id), Html::code(user_id));
            let args = args! { "config" => config, "user" => user, "reason" => cause(reason) };
            t.with("alert-provisioning-delayed", args)
        }
        Alert::NoServer { user_id } => t.with("alert-no-server", args! { "user" => Html::code(user_id) }),
        Alert::PoolLow { server, kind, free } => t.with(
            "alert-pool-low",
            args! { "server" => fact(server), "kind" => fact(kind), "free" => *free },
        ),
        Alert::ServerDown { server, reason, .. } => {
            t.with("alert-server-down", args! { "server" => fact(server), "reason" => cause(reason) })
        }
        Alert::ServerUp { server, .. } => t.with("alert-server-up", args! { "server" => fact(server) }),
        Alert::BooksWrong { findings } => {
            t.with("alert-books-wrong", args! { "findings" => cause(&findings.join("; ")) })
        }
        Alert::Repeated { topic, times } => t.with(
            "alert-repeated",
            args! { "topic" => Html::code(shorten(topic, FACT_CHARS)), "times" => *times },
        ),
    }
}

/// The facts of money that a human has to look at; `number` is of its order, or its own.
fn odd(money: &OddMoney, number: &str) -> Args {
    let unknown = || Html::from("–");
    args! {
        "number" => Html::code(number),
        "amount" => money.amount.as_ref().map_or_else(unknown, Html::from),
        "provider" => money.provider.map_or_else(unknown, |provider| provider_name(provider).into()),
        "person" => money.person.map_or_else(unknown, Html::code),
        "reason" => cause(&money.reason),
    }
}

/// The places to look next, where the bot has them.
fn actions(t: &Texts, alert: &Alert) -> Vec<Button> {
    match alert {
        Alert::PaymentReview { money, .. } | Alert::PaymentUnmatched { money, .. } => {
            let person = money.person.map(|id| button(t.label("alert-button-person"), Callback::Whois(id)));
            action(t, alert).into_iter().chain(person).collect()
        }
        _ => action(t, alert).into_iter().collect(),
    }
}

fn action(t: &Texts, alert: &Alert) -> Option<Button> {
    let person = |id: UserId| button(t.label("alert-button-person"), Callback::Whois(id));
    match alert {
        Alert::MessageDead { chat_id, .. } if *chat_id > 0 => Some(person(UserId(*chat_id))),
        Alert::ProvisioningDelayed { user_id, .. } | Alert::NoServer { user_id } => Some(person(*user_id)),
        Alert::Repeated { .. } => Some(button(t.label("alert-button-log"), Callback::Audit(0))),
        Alert::PoolLow { .. } | Alert::ServerDown { .. } | Alert::ServerUp { .. } => {
            Some(button(t.label("home-button-status"), Callback::Status))
        }
        Alert::PaymentReview { payment_id, .. } => {
            Some(button(t.label("reviews-button"), Callback::Review(*payment_id)))
        }
        Alert::PaymentUnmatched { charge_id, .. } => {
            Some(button(t.label("reviews-button"), Callback::Charge(*charge_id)))
        }
        _ => None,
    }
}

fn cause(text: &str) -> Html {
    Html::code(shorten(text.trim(), REASON_CHARS))
}

fn fact(text: &str) -> Html {
    Html::short(text.trim(), FACT_CHARS)
}

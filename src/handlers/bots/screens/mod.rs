//! Screens: each file turns one plain view into text and keyboard. Nothing is loaded or decided here, so every
//! screen can be shown in a test without Telegram and without a database.

mod about_bot;
mod add_config;
pub mod admin;
mod alert;
mod config;
mod delivery;
mod guide;
mod help;
mod home;
mod language;
mod legal;
mod logs;
mod order;
mod parts;
mod plans;
mod profile;
mod receipt;
mod reminder;
mod reply;
mod roles;
mod status;
mod told;
mod trial;
mod trouble;
mod vpn;

use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::models::outgoing::{Ack, Body, Button, ButtonAction, Keyboard};
use crate::models::vpn::Protocol;

pub use about_bot::{about_admin, about_support};
pub use add_config::{AddChoice, AddConfig, add_config};
pub use alert::alert;
pub use config::{ConfigDetail, config, rename_invalid, rename_question, renamed, revoke_question, revoked};
pub use delivery::{Delivered, document_caption, qr_caption, secret_text};
pub use guide::{GuideFor, guide, guide_systems, guides};
pub use help::{Help, help};
pub use home::{Home, TrialTerms, home, home_after};
pub use language::{language_changed, languages};
pub use legal::{PaySupport, pay_support, privacy, terms};
pub use logs::{LogLine, MyLogs, my_logs};
pub use order::{Order, OrderState, order, order_note, refusal};
pub use parts::{ConfigView, PaymentView, RoleView, SubscriptionView};
pub(super) use parts::{allows, protocol_name, provider_name};
pub use plans::{Held, PayOption, PlanDetail, PlanView, plan, plans};
pub use profile::{Profile, profile};
pub use receipt::{Brought, Came, Receipt, ReceiptKind, Taken, receipt};
pub use reminder::{Reminder, reminder};
pub use reply::{Reply, reply, reply_alert, reply_text};
pub use roles::my_roles;
pub use status::{ServerView, Service, Status, status};
pub use told::{charge_sent_back, config_delayed, config_failed, role_granted, role_revoked};
pub use trial::{Trial, preparing, trial};
pub use trouble::{Trouble, trouble};
pub use vpn::{Vpn, vpn};

/// Characters that Telegram takes in a message, counted without tags.
pub const MAX_TEXT: usize = 4096;

/// Characters that Telegram takes under a file or picture, counted without tags.
pub const MAX_CAPTION: usize = 1024;

/// What a person sees: a text with buttons under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    pub html: Html,
    pub keyboard: Keyboard,
}

impl Screen {
    fn new(html: Html, rows: Rows) -> Self {
        Self { html, keyboard: Keyboard(rows.0) }
    }

    /// The screen as a new message.
    pub fn message(self) -> Body {
        Body::Text { html: self.html.into_string(), keyboard: Some(self.keyboard) }
    }

    /// The screen in place of a message that the bot sent; `ack` answers the press that asked for it.
    pub fn edit(self, message_id: i64, ack: Option<Ack>) -> Body {
        Body::Edit { message_id, html: self.html.into_string(), keyboard: Some(self.keyboard), ack }
    }
}

/// Rows of buttons as they grow. An empty row (a button that is not there) leaves no trace.
#[derive(Default)]
struct Rows(Vec<Vec<Button>>);

impl Rows {
    fn row(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        let row: Vec<Button> = buttons.into_iter().collect();
        if !row.is_empty() {
            self.0.push(row);
        }
        self
    }

    /// One row for each button.
    fn column(self, buttons: impl IntoIterator<Item = Button>) -> Self {
        buttons.into_iter().fold(self, |rows, button| rows.row([button]))
    }

    /// The last row of a screen below the menu: one step back, and the menu.
    fn back(self, t: &Texts, to: Callback) -> Self {
        self.row([button(t.label("go-back"), to), button(t.label("go-home"), Callback::Home)])
    }

    /// The last row of a screen right under the menu.
    fn home(self, t: &Texts) -> Self {
        self.row([button(t.label("go-home"), Callback::Home)])
    }

    /// The last row under what concerns somebody's VPN.
    fn vpn_and_home(self, t: &Texts) -> Self {
        self.row([button(t.label("go-vpn"), Callback::Vpn), button(t.label("go-home"), Callback::Home)])
    }

    /// Steps through a list: `to` makes the callback of a page.
    fn pages(self, t: &Texts, page: u32, more: bool, to: impl Fn(u32) -> Callback) -> Self {
        let previous = page.checked_sub(1).map(|p| button(t.label("go-previous"), to(p)));
        let next = more.then(|| button(t.label("go-next"), to(page + 1)));
        self.row(previous.into_iter().chain(next))
    }
}

fn button(text: String, callback: Callback) -> Button {
    Button { text, action: ButtonAction::Callback(callback.encode()) }
}

fn link(text: String, url: impl Into<String>) -> Button {
    Button { text, action: ButtonAction::Url(url.into()) }
}

/// Parts with an empty line between them.
fn paragraphs(parts: impl IntoIterator<Item = Html>) -> Html {
    Html::join(parts, "\n\n")
}

/// Parts on a line each.
fn lines(parts: impl IntoIterator<Item = Html>) -> Html {
    Html::join(parts, "\n")
}

/// `Page 2`, where there is more than one.
fn page_number(t: &Texts, page: u32, more: bool) -> Html {
    if page == 0 && !more {
        return Html::default();
    }
    t.with("page", args! { "page" => page + 1 })
}

/// What each protocol is good for, before a choice of them.
fn protocol_choices(t: &Texts, protocols: &[Protocol]) -> Html {
    lines(protocols.iter().map(|protocol| match protocol {
        Protocol::Wireguard => t.text("about-wireguard"),
        Protocol::Outline => t.text("about-outline"),
    }))
}

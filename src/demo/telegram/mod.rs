//! The local counterpart of Telegram: a real HTTP server with the Bot API on one side, which delivers updates to
//! webhooks as Telegram does, and people on the other, played by tests, by `make smoke` and by a page in the
//! browser. Everything lives in memory. Only private chats exist, and of formatting only HTML.
//!
//! ```text
//! bots ── POST /bot<token>/<method> ─▶ http ─▶ methods ─▶ World ◀─ people (PersonHandle, /_demo/…, the page)
//! bots ◀── POST <webhook> ─────────── delivery ◀─ queues ──┘
//! ```

mod answer;
mod chat;
mod control;
mod delivery;
mod entities;
mod faults;
mod files;
mod html;
mod http;
mod journal;
mod keyboard;
mod limits;
mod line;
mod methods;
mod people;
mod queues;
mod request;
mod server;
mod stars;
mod webhook;
mod wire;
mod world;

pub use answer::ApiError;
pub use chat::{ChatView, FileView, InvoiceView, MessageView, PaymentView};
pub use entities::{Entity, Formatted, Kind};
pub use faults::{Fault, FaultRule};
pub use html::{parse as parse_html, render as render_html};
pub use journal::{Call, Delivery, Outcome};
pub use keyboard::{Action, Button, Keyboard};
pub use people::{ChatError, NotSeen, PersonHandle, PersonSpec, PressHandle};
pub use request::Upload;
pub use server::{Options, TelegramServer};
pub use stars::{PayError, Receipt};
pub use world::PressAnswer;

use server::{Inner, Rules};

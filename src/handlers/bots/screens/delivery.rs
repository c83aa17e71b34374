//! What stands around a config when it is handed over: captions of file and picture, and the copyable text. The
//! guide that follows is `guide::guide` (or `guide::guide_systems` while the person's system is not known).

use super::parts::config_name;
use super::{Rows, Screen, button};
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::ConfigId;
use crate::models::outgoing::{Button, ButtonAction};
use crate::models::vpn::Protocol;

/// The config that is handed over.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub config_id: ConfigId,
    /// The person's own name for it.
    pub name: String,
    pub protocol: Protocol,
}

/// Characters that a copy button may hold.
const MAX_COPY: usize = 256;

/// Caption of the `.conf` document (WireGuard).
pub fn document_caption(t: &Texts, view: &Delivered) -> Screen {
    Screen::new(t.with("deliver-document", args! { "name" => name(t, view) }), only_back(t, view))
}

/// Caption of the QR code.
pub fn qr_caption(t: &Texts, view: &Delivered) -> Screen {
    let text = match view.protocol {
        Protocol::Wireguard => t.text("deliver-qr-wireguard"),
        Protocol::Outline => t.text("deliver-qr-outline"),
    };
    Screen::new(text, only_back(t, view))
}

/// The config as text that can be copied; called when it is sent, because `secret` is never stored in a message.
pub fn secret_text(t: &Texts, view: &Delivered, secret: &str) -> Screen {
    let name = name(t, view);
    let html = match view.protocol {
        Protocol::Wireguard => {
            t.with("deliver-text-wireguard", args! { "name" => name, "secret" => Html::block(secret) })
        }
        Protocol::Outline => {
            t.with("deliver-text-outline", args! { "name" => name, "secret" => Html::code(secret) })
        }
    };
    let short = secret.chars().count() <= MAX_COPY;
    let copy = short.then(|| Button {
        text: t.label("deliver-button-copy"),
        action: ButtonAction::Copy(secret.to_owned()),
    });
    let guide = button(t.label("config-button-guide"), Callback::ConfigGuides(view.config_id));
    Screen::new(html, Rows::default().row(copy).row([guide]).back(t, Callback::Config(view.config_id)))
}

fn name(t: &Texts, view: &Delivered) -> Html {
    config_name(t, &view.name, view.protocol)
}

/// File, picture and text come together: the guides hang under one of them.
fn only_back(t: &Texts, view: &Delivered) -> Rows {
    Rows::default().back(t, Callback::Config(view.config_id))
}

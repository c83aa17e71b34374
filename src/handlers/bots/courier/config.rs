//! A config on its way to its owner: opened, put into the form that was asked for, and forgotten.

use super::{Unsendable, new_text, texts_for};
use crate::crud;
use crate::handlers::bots::callback::Os;
use crate::handlers::bots::screens::{self, Delivered, GuideFor, MAX_TEXT, Screen};
use crate::i18n::Texts;
use crate::ids::{ChatId, ConfigId};
use crate::integrations::telegram::api::{Rendered, Upload};
use crate::integrations::vpn::qr::{self, QrError};
use crate::integrations::vpn::wireguard::render::file_name;
use crate::integrations::vpn::{Addresses, config_text};
use crate::models::outgoing::ConfigPart;
use crate::models::vpn::{ConfigStatus, Protocol, VpnConfig};
use crate::services::{address, people, vpn};
use crate::work::Work;

/// A config with its keys in the open; no `Debug` on purpose.
pub(super) struct Opened {
    t: &'static Texts,
    view: Delivered,
    /// The `.conf` or the `ss://` link.
    secret: String,
    /// The system that the owner chose last.
    os: Option<Os>,
}

/// Opens a config for its owner. One that is not there to be used is [`Unsendable::Moot`].
pub(super) async fn open(work: &mut Work, chat: ChatId, id: ConfigId) -> Result<Opened, Unsendable> {
    let config = crud::vpn::find(work.conn(), id).await?.ok_or(Unsendable::Moot("the config is gone"))?;
    match config.status {
        ConfigStatus::Active | ConfigStatus::Suspended => {}
        ConfigStatus::Preparing => return Err(Unsendable::Moot("the config is not ready")),
        ConfigStatus::Revoked | ConfigStatus::Removed => {
            return Err(Unsendable::Moot("the config was revoked"));
        }
    }
    // Whatever queued it: keys go to their owner and to nobody else.
    if ChatId::from(config.user_id) != chat {
        return Err(Unsendable::Broken(format!("config {id} is not this chat's")));
    }
    let secret = secret_text(work, &config).await?;
    let t = texts_for(work, chat).await?;
    let os = people::get_setting(work, config.user_id, Os::SETTING).await?.and_then(|os| os.parse().ok());
    let view = Delivered { config_id: id, name: config.name, protocol: config.protocol };
    Ok(Opened { t, view, secret, os })
}

async fn secret_text(work: &mut Work, config: &VpnConfig) -> Result<String, Unsendable> {
    let broken = |error: &dyn std::error::Error| Unsendable::Broken(format!("config {}: {error}", config.id));
    let credentials = vpn::open(&work.config().keyring, config).map_err(|error| broken(&error))?;
    let addresses: Option<Addresses> = match crud::address::of_config(work.conn(), config.id).await? {
        Some(lease) => Some(address::addresses_of(&lease).map_err(|error| broken(&error))?),
        None => None,
    };
    let server = match config.server_id {
        Some(id) => crud::server::find(work.conn(), id).await?,
        None => None,
    };
    let server = server.ok_or(Unsendable::Moot("the config has no server"))?;
    config_text(&server.settings, &credentials, addresses).map_err(|error| broken(&error))
}

impl Opened {
    /// A code or text that is too long for its form becomes a file: nobody goes without.
    pub fn render(self, part: ConfigPart) -> Result<Rendered, Unsendable> {
        let Self { t, view, secret, os } = &self;
        Ok(match part {
            ConfigPart::File if view.protocol == Protocol::Wireguard => self.document(),
            ConfigPart::File | ConfigPart::Text => {
                let screen = screens::secret_text(t, view, secret);
                if fits_message(&screen) { new_text(screen) } else { self.document() }
            }
            ConfigPart::Qr => match qr::png(secret) {
                Ok(bytes) => self.photo(bytes),
                Err(QrError::TooLong(_)) => self.document(),
                Err(error @ QrError::Png(_)) => return Err(Unsendable::Broken(error.to_string())),
            },
            ConfigPart::Guide => {
                let guide = GuideFor { protocol: view.protocol, config: Some(view.config_id) };
                new_text(match os {
                    Some(os) => screens::guide(t, guide, *os),
                    None => screens::guide_systems(t, guide),
                })
            }
        })
    }

    /// The `.conf`. An access link never comes here: all that is stored of one fits a message and a code.
    fn document(&self) -> Rendered {
        let Screen { html, keyboard } = screens::document_caption(self.t, &self.view);
        // Phones offer a text to a reader, and this type to the app that asks for `.conf`.
        let mime = "application/octet-stream";
        let file_name = file_name(&self.view.name, self.view.config_id);
        let file = Upload { file_name, bytes: self.secret.clone().into_bytes(), mime };
        Rendered::Document { file, caption: html.into_string(), keyboard: Some(keyboard) }
    }

    fn photo(&self, bytes: Vec<u8>) -> Rendered {
        let file = Upload { file_name: "qr.png".to_owned(), bytes, mime: "image/png" };
        let Screen { html, keyboard } = screens::qr_caption(self.t, &self.view);
        Rendered::Photo { file, caption: html.into_string(), keyboard: Some(keyboard) }
    }
}

/// Telegram counts UTF-16 units without tags.
fn fits_message(screen: &Screen) -> bool {
    screen.html.to_plain().encode_utf16().count() <= MAX_TEXT
}

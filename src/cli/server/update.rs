//! `usipipo server update`.

use scoped_futures::ScopedFutureExt;

use super::{Failure, Session, location, open, out, outline, probe, unusable};
use crate::models::server::{NewServer, Server};
use crate::models::vpn::Protocol;
use crate::services::server::{self, Change};

/// Change a server that is in use. Its configs stay as they are.
///
/// Outline: another address of the management API, or another certificate; it is tried before it is stored, and the keys
/// that are missing there are made again. WireGuard: --here says that this machine has taken the place of the one where
/// the server was added, as after a restore on a new machine. (People find it under the endpoint they were given: let
/// that name point here.) Stop the copies on the old machine first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo server update nl-1 --from-json < outline.json
  usipipo server update de-1 --here
  usipipo server update de-1 --capacity 300 --location '🇩🇪 Frankfurt'")]
pub struct Update {
    name: String,
    #[command(flatten)]
    access: outline::Access,
    /// It lives on this machine now
    #[arg(long)]
    here: bool,
    /// What people see
    #[arg(long, value_parser = location)]
    location: Option<String>,
    /// Configs at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: Option<u32>,
}

impl Update {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        let name = self.name.as_str();
        let known = session.run("find_server", |work| server::find(work, name).scope_boxed()).await?;
        let secret = self.access.secret()?;
        self.ensure_fits(&known, secret.is_some())?;
        let change = Change {
            secret: secret.map(|secret| serde_json::to_string(&secret).expect("a secret is plain data")),
            location: self.location,
            capacity: self.capacity,
            here: self.here,
        };
        if let Some(secret) = &change.secret {
            out::line(probe(&as_new(&known), secret).await?);
        }
        if change.here {
            let moved = Server { machine: None, ..known };
            let health = open(session, &moved).await?.health().await.map_err(unusable)?;
            out::line(health.text());
        }
        session.run("update_server", |work| server::update(work, name, &change).scope_boxed()).await?;
        out::line(format_args!("{name} is changed"));
        Ok(())
    }

    fn ensure_fits(&self, known: &Server, access: bool) -> Result<(), Failure> {
        let wrong = |what: &str| {
            Err(Failure::Input(format!("{} is a {} server: {what}", known.name, known.protocol.title())))
        };
        match known.protocol {
            Protocol::Wireguard if access => wrong("it has no management API"),
            Protocol::Outline if self.here => wrong("it is driven from anywhere, --here says nothing of it"),
            _ if !access && !self.here && self.location.is_none() && self.capacity.is_none() => {
                Err(Failure::Input("nothing to change: see usipipo server update --help".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// The server as it would be added now.
fn as_new(known: &Server) -> NewServer {
    NewServer {
        name: known.name.clone(),
        protocol: known.protocol,
        location: known.location.clone(),
        settings: known.settings.clone(),
        capacity: known.capacity,
    }
}

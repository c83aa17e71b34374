//! `usipipo server`: the VPN servers that configs are placed on.

mod outline;
mod update;
mod wireguard;

use std::io::{IsTerminal, Read};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use scoped_futures::ScopedFutureExt;

use super::out::{self, Table, or_dash, span};
use super::session::Session;
use super::{Failure, Outcome};
use crate::integrations::vpn::{self, Backend, BackendError};
use crate::models::server::{NewServer, Server};
use crate::models::vpn::Protocol;
use crate::services::server::{self, NewPool};

/// Set up the VPN servers that people are given access to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  usipipo server add --help
  usipipo server list")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a server: it is tried first, and stored when it works.
    #[command(
        subcommand,
        after_help = "\
Examples:
  usipipo server add wireguard de-1 --endpoint vpn.example.com
  usipipo server add outline nl-1 --from-json < outline.json"
    )]
    Add(Add),
    /// List the servers, how full they are and how they fare.
    #[command(after_help = "\
Example:
  usipipo server list")]
    List,
    /// Ask a server whether it works. WireGuard's interface is made if it is not there.
    #[command(after_help = "\
Example:
  usipipo server test de-1")]
    Test {
        name: String,
    },
    Update(update::Update),
    /// Take a server out of use. Its row stays for history, its name becomes free.
    #[command(after_help = "\
Examples:
  usipipo server remove de-1
  usipipo server remove de-1 --force     people who hold configs there are given new ones elsewhere")]
    Remove {
        name: String,
        /// Although it holds configs: they are made anew on other servers and handed over again
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Add {
    Wireguard(Box<wireguard::Add>),
    Outline(outline::Add),
}

impl Args {
    pub async fn run(self) -> Outcome {
        let session = Session::open().await?;
        match self.action {
            Action::Add(Add::Wireguard(add)) => add.run(&session).await?,
            Action::Add(Add::Outline(add)) => add.run(&session).await?,
            Action::Update(update) => update.run(&session).await?,
            Action::List => list(&session).await?,
            Action::Test { name } => test(&session, &name).await?,
            Action::Remove { name, force } => remove(&session, &name, force).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn server_name(text: &str) -> Result<String, String> {
    match server::is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(server::ServerError::Name(text.to_owned()).to_string()),
    }
}

/// What people see of a server.
fn location(text: &str) -> Result<String, String> {
    match (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err("a location is 1 to 64 characters, such as '🇩🇪 Frankfurt'".to_owned()),
    }
}

/// What was piped in. For secrets, which should not stand on a command line where every user of the machine sees them.
fn read_stdin(what: &str) -> Result<String, Failure> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        out::aside(format_args!("Paste {what}, then press Enter and Ctrl-D:"));
    }
    let mut text = String::new();
    stdin.read_to_string(&mut text).map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
    Ok(text.trim().to_owned())
}

/// Refuses a name that is taken, before anything is made.
async fn ensure_free(session: &Session, name: &str) -> Result<(), Failure> {
    let known = session.run("list_servers", |work| server::levels(work).scope_boxed()).await?;
    match known.iter().any(|known| known.server.name == name) {
        true => Err(Failure::Input(format!("there is a server {name:?} already"))),
        false => Ok(()),
    }
}

/// Tries a server with these settings; answers with what it says of itself.
async fn probe(new: &NewServer, secret: &str) -> Result<String, Failure> {
    let trying = async { vpn::connect(new.protocol, &new.settings, secret).await?.health().await };
    trying.await.map(|health| health.text()).map_err(unusable)
}

/// Stores a server that works.
async fn store(session: &Session, new: &NewServer, secret: &str, pools: &[NewPool]) -> Result<(), Failure> {
    session.run("add_server", |work| server::add(work, new, secret, pools).scope_boxed()).await?;
    out::line(format_args!(
        "{} is in use: {} configs at most, shown as {}",
        new.name, new.capacity, new.location
    ));
    Ok(())
}

fn unusable(error: BackendError) -> Failure {
    let text = format!("the server cannot be used: {error}");
    match error {
        BackendError::Rejected(_) => Failure::Input(text),
        // The usual reason on a machine that could.
        BackendError::Incompatible(reason) if reason.contains("not permitted") => Failure::Failed(format!(
            "{text}. Under systemd, `usipipo-run` gives a command the server's rights"
        )),
        _ => Failure::Failed(text),
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let known = session.run("list_servers", |work| server::levels(work).scope_boxed()).await?;
    let now = session.works.clock.now();
    let mut table = Table::new([
        "NAME",
        "PROTOCOL",
        "MACHINE",
        "LOCATION",
        "CONFIGS",
        "FREE ADDRESSES",
        "HEALTH",
        "CHECKED",
        "DETAIL",
    ]);
    for level in known {
        let Server {
            name, protocol, location, capacity, health, health_at, health_detail, machine_name, ..
        } = level.server;
        let pools = level.pools.iter().map(|pool| format!("{} {}/{}", pool.kind, pool.free, pool.size));
        let pools = pools.collect::<Vec<_>>().join(", ");
        let checked = health_at.map(|at| format!("{} ago", span(now.since(at).num_seconds())));
        table.row([
            name,
            protocol.to_string(),
            or_dash(machine_name),
            location,
            format!("{}/{capacity}", level.configs),
            or_dash(Some(pools).filter(|pools| !pools.is_empty())),
            health.to_string(),
            or_dash(checked),
            or_dash(health_detail),
        ]);
    }
    table.print("No servers. `usipipo server add --help` shows how to add one.");
    Ok(())
}

/// Opens the backend of a server that is in use.
async fn open(session: &Session, server: &Server) -> Result<Arc<dyn Backend>, Failure> {
    if let Some(home) = server.elsewhere(&session.works.config.server.machine) {
        let (name, home) = (&server.name, &home.name);
        return Err(Failure::Input(format!(
            "{name} lives on the machine {home}: do this there. If this machine took its place: \
             usipipo server update {name} --here"
        )));
    }
    let secret = server::open_secret(&session.works.config.keyring, server).map_err(Failure::refused)?;
    vpn::connect(server.protocol, &server.settings, &secret).await.map_err(unusable)
}

async fn test(session: &Session, name: &str) -> Result<(), Failure> {
    let server = session.run("find_server", |work| server::find(work, name).scope_boxed()).await?;
    let backend = open(session, &server).await?;
    let health = backend.health().await.map_err(unusable)?;
    let held = backend.held().await.map_err(unusable)?;
    out::line(format_args!("{name} works: {}; it holds {} configs of ours", health.text(), held.ids.len()));
    Ok(())
}

async fn remove(session: &Session, name: &str, force: bool) -> Result<(), Failure> {
    let removed =
        session.run("remove_server", |work| server::remove(work, name, force).scope_boxed()).await?;
    out::line(format_args!("{name} is out of use"));
    if removed.protocol == Protocol::Wireguard {
        let home = removed.machine_name.as_deref().unwrap_or("the machine where it lives");
        out::line(format_args!("its interface is taken away by the server that runs on {home}"));
        return Ok(());
    }
    let emptied = async {
        let backend = open(session, &removed).await?;
        let held = backend.held().await.map_err(unusable)?;
        backend.reconcile(&held, &[]).await.map_err(unusable)
    };
    match emptied.await {
        Ok(done) if done.removed > 0 => out::line(format_args!("{} keys were deleted there", done.removed)),
        Ok(_) => {}
        // Out of use all the same: the reason for removing it is often that it is gone.
        Err(failure) => out::complain(&format_args!("its keys could not be deleted: {failure}")),
    }
    Ok(())
}

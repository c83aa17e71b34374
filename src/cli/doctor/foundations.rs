//! What the server itself rests on: payment providers, VPN servers, stored secrets, queues.

use std::time::Duration;

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;

use super::report::{Finding, within};
use crate::app::App;
use crate::cli::out::span;
use crate::clock::Timestamp;
use crate::integrations::vpn::{self, BackendError, Health};
use crate::machine::Machine;
use crate::models::lane::{Queue, Standing};
use crate::models::server::{Server, ServerHealth};
use crate::models::vpn::Protocol;
use crate::services::keys::{self, Readable};
use crate::services::queue;
use crate::services::server;
use crate::work::Origin;

const PROVIDER: Duration = Duration::from_secs(15);
const SERVER: Duration = Duration::from_secs(20);
const TABLES: Duration = Duration::from_secs(20);

pub async fn providers(app: &App) -> Vec<Finding> {
    let checks = app.providers().iter().map(|provider| async move {
        let subject = provider.id().to_string();
        let mend = "see that its API can be reached from here; payments wait until it can";
        within(PROVIDER, &subject, mend, async {
            vec![match provider.check().await {
                Ok(detail) => Finding::good(&subject, detail),
                Err(error) => Finding::bad(&subject, error, "check its credentials and its API's address"),
            }]
        })
        .await
    });
    let findings: Vec<Finding> = join_all(checks).await.into_iter().flatten().collect();
    match findings.is_empty() {
        true => vec![Finding::look("payments", "nobody can pay", "set STARS_ENABLED or QVAPAY_APP_ID")],
        false => findings,
    }
}

/// Whether a customer in trouble finds somebody.
pub fn support(app: &App) -> Finding {
    match &app.config().people.support_contact {
        Some(contact) => Finding::good("support", contact),
        None => Finding::look("support", "customers in trouble reach nobody", "set SUPPORT_CONTACT"),
    }
}

pub async fn servers(app: &App) -> Vec<Finding> {
    let known = match read(app, "list_servers", |work| server::levels(work).scope_boxed()).await {
        Ok(known) => known,
        Err(finding) => return vec![finding],
    };
    if known.is_empty() {
        return vec![Finding::bad("VPN servers", "there is none", "usipipo server add --help")];
    }
    let mend = "see that the server is on and can be reached from here";
    let checks = known.iter().map(|known| async move {
        let subject = format!("server {}", known.server.name);
        within(SERVER, &subject, mend, async { vec![check_server(app, &known.server, &subject).await] }).await
    });
    join_all(checks).await.into_iter().flatten().collect()
}

async fn check_server(app: &App, server: &Server, subject: &str) -> Finding {
    if let Some(home) = server.elsewhere(&app.config().server.machine) {
        return judge_far_server(server, &home, app.works().clock.now(), subject);
    }
    let secret = match server::open_secret(&app.config().keyring, server) {
        Ok(secret) => secret,
        Err(error) => return Finding::bad(subject, error, "bring its key back into ENCRYPTION_KEYS"),
    };
    let health = async { vpn::connect(server.protocol, &server.settings, &secret).await?.health().await };
    match health.await {
        Ok(Health { warning: None, .. })
            if server.machine.is_none() && server.protocol == Protocol::Wireguard =>
        {
            let name = &server.name;
            let mend = format!("say that it lives on this machine: usipipo server update {name} --here");
            Finding::look(subject, "any copy drives it, on whatever machine", mend)
        }
        Ok(Health { detail, warning: None }) => Finding::good(subject, detail),
        Ok(Health { detail, warning: Some(warning) }) => Finding::look(subject, detail, warning),
        Err(error) => {
            let mend = match error {
                BackendError::Transient(_) => "see that the server is on and can be reached from here",
                BackendError::AuthExpired(_) => {
                    "its address or certificate has changed: usipipo server update --help"
                }
                BackendError::Rejected(_) => "look at its settings: usipipo server list",
                BackendError::Incompatible(_) => {
                    "install what is missing; under systemd, `usipipo-run doctor` has the rights of the server"
                }
            };
            Finding::bad(subject, error, mend)
        }
    }
}

/// Copies at the server's home look every minute.
const FRESH: chrono::Duration = chrono::Duration::minutes(5);

/// A server that cannot be tried from here: what the copies at its home last said.
fn judge_far_server(server: &Server, home: &Machine, now: Timestamp, subject: &str) -> Finding {
    let age = server.health_at.map(|at| now.since(at));
    let checked = age
        .map_or_else(|| "never checked".to_owned(), |age| format!("checked {} ago", span(age.num_seconds())));
    let detail = format!("lives on {}: {}, {checked}", home.name, server.health);
    match server.health == ServerHealth::Up && age.is_some_and(|age| age < FRESH) {
        true => Finding::good(subject, detail),
        false => {
            let name = &server.name;
            let mend = format!(
                "run doctor there; if this machine took its place: usipipo server update {name} --here"
            );
            Finding::bad(subject, detail, mend)
        }
    }
}

pub async fn secrets(app: &App) -> Vec<Finding> {
    let found = match read(app, "check_keys", |work| keys::check(work).scope_boxed()).await {
        Ok(found) => found,
        Err(finding) => return vec![finding],
    };
    let keyring = &app.config().keyring;
    let judge = |found: Readable| {
        let subject = format!("key {}", found.key_id);
        let detail = format!("{} secrets are under it", found.secrets);
        match found.trouble {
            Some(trouble) => Finding::bad(subject, trouble, "bring this key back into ENCRYPTION_KEYS"),
            None if keyring.needs_rotation(&found.key_id) => {
                Finding::look(subject, detail, "it is not the first one any more: usipipo keys rotate")
            }
            None => Finding::good(subject, detail),
        }
    };
    match found.is_empty() {
        true => vec![Finding::good("keys", "no secret is stored yet")],
        false => found.into_iter().map(judge).collect(),
    }
}

pub async fn queues(app: &App) -> Vec<Finding> {
    match read(app, "queue_standing", |work| queue::standing(work).scope_boxed()).await {
        Ok(all) => all.into_iter().map(|one| judge_queue(app, one)).collect(),
        Err(finding) => vec![finding],
    }
}

fn judge_queue(app: &App, standing: Standing) -> Finding {
    let Standing { queue, waiting, oldest, dead } = standing;
    let age = oldest.map_or(0, |at| app.works().clock.now().since(at).num_seconds());
    let mut detail = format!("{waiting} waiting");
    if waiting > 0 {
        detail = format!("{detail}, the oldest for {}", span(age));
    }
    if dead > 0 {
        detail = format!("{detail}; {dead} dead");
    }
    let name = queue.name();
    match queue {
        // Updates are handled at once; what waits for minutes is not looked at by anybody.
        Queue::Inbox if age > 300 => Finding::bad(name, detail, "is `usipipo serve` running? see its log"),
        Queue::Outbox | Queue::Jobs if age > 1800 => {
            Finding::look(name, detail, "see the server's log for what keeps failing")
        }
        Queue::Inbox if dead > 0 => Finding::look(name, detail, "usipipo events list"),
        Queue::Jobs if dead > 0 => Finding::look(name, detail, "usipipo jobs list"),
        Queue::Inbox | Queue::Outbox | Queue::Jobs => Finding::good(name, detail),
    }
}

/// Reads through a service; a failure is a finding.
pub(super) async fn read<'a, T, F>(app: &App, name: &'static str, body: F) -> Result<T, Finding>
where
    F: for<'r> Fn(&'r mut crate::work::Work) -> scoped_futures::ScopedBoxFuture<'a, 'r, sqlx::Result<T>>
        + Send
        + Sync
        + 'a,
    T: Send + 'a,
{
    let mend = "see the database's log";
    match tokio::time::timeout(TABLES, app.works().run(name, Origin::SYSTEM, body)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Finding::bad("tables", error, mend)),
        Err(_) => Err(Finding::bad("tables", "reading them takes too long", mend)),
    }
}

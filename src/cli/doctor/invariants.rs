//! What must hold at any time: the rules of the database, and that the VPN servers hold what it says.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use scoped_futures::ScopedFutureExt;

use super::foundations::read;
use super::report::{Finding, within};
use crate::app::App;
use crate::integrations::vpn;
use crate::models::server::Server;
use crate::services::{books, server};

/// Reading one server and its configs may take this long.
const SERVER: Duration = Duration::from_secs(60);
const MEND: &str = "nothing was changed; /audit and the log say what happened before";

pub async fn check(app: &App) -> Vec<Finding> {
    let mut findings = match read(app, "check_books", |work| books::check(work).scope_boxed()).await {
        Err(finding) => vec![finding],
        Ok(broken) if broken.is_empty() => {
            vec![Finding::good("books", format!("all {} rules hold", books::RULES))]
        }
        Ok(broken) => broken
            .into_iter()
            .map(|rule| Finding::bad("books", format!("{} {}", rule.count, rule.what), MEND))
            .collect(),
    };
    match read(app, "list_servers", |work| server::levels(work).scope_boxed()).await {
        Err(finding) => findings.push(finding),
        Ok(known) => {
            // Those that live on other machines are compared there.
            let here = &app.config().server.machine;
            let near = known.iter().filter(|known| known.server.elsewhere(here).is_none());
            let checks = near.map(|known| compare(app, &known.server));
            findings.extend(join_all(checks).await.into_iter().flatten());
        }
    }
    findings
}

async fn compare(app: &App, server: &Server) -> Vec<Finding> {
    let subject = format!("at {}", server.name);
    let mend = "see that the server is on and can be reached from here";
    within(SERVER, &subject, mend, async {
        vec![match differences(app, server).await {
            Ok((held, missing, foreign)) if missing + foreign == 0 => {
                Finding::good(&subject, format!("{held} configs, as the database says"))
            }
            Ok((held, missing, foreign)) => Finding::bad(
                &subject,
                format!("{held} configs; {missing} are missing, {foreign} should not be there"),
                "`usipipo serve` makes it equal every ten minutes: is it running?",
            ),
            Err(reason) => Finding::bad(&subject, reason, mend),
        }]
    })
    .await
}

/// How many configs a server holds, how many it lacks, and how many it should not have. While people come and go, only
/// what the database said both before and after the look counts.
async fn differences(app: &App, server: &Server) -> Result<(usize, usize, usize), String> {
    let id = server.id;
    let secret = server::open_secret(&app.config().keyring, server).map_err(|error| error.to_string())?;
    let backend = vpn::connect(server.protocol, &server.settings, &secret).await;
    let backend = backend.map_err(|error| error.to_string())?;
    let ids = async || {
        let ids = read(app, "public_ids", |work| server::public_ids(work, id).scope_boxed()).await;
        ids.map_err(|finding| finding.detail)
    };
    let before = ids().await?;
    let held = backend.held().await.map_err(|error| error.to_string())?.ids;
    let after = ids().await?;
    let wanted: BTreeSet<_> = before.open.intersection(&after.open).collect();
    let missing = wanted.into_iter().filter(|id| !held.contains(*id)).count();
    let known = |id: &String| before.all.contains(id) || after.all.contains(id);
    let foreign = held.iter().filter(|id| !known(id)).count();
    Ok((held.len(), missing, foreign))
}

//! Health, counters and reconciliation of one server.

use scoped_futures::ScopedFutureExt;

use super::Jobs;
use super::backends::{self, into_failure};
use crate::ids::ServerId;
use crate::integrations::vpn::BackendError;
use crate::models::job::ServerWork;
use crate::models::server::Server;
use crate::queue::Failure;
use crate::queue::jobs::Run;
use crate::services::{server, vpn};

impl Jobs {
    pub(super) async fn tick_servers(&self, run: &Run<'_>, kind: ServerWork) -> Result<(), Failure> {
        run.finish("tick_servers", |work| async move { Ok(server::tick(work, kind).await?) }.scope_boxed())
            .await?;
        Ok(())
    }

    /// Is the server there? A change is told to the admins.
    pub(super) async fn check_server(&self, run: &Run<'_>, id: ServerId) -> Result<(), Failure> {
        if backends::find(&self.works, id).await?.removed_at.is_some() {
            return Ok(());
        }
        let outcome = match self.backends.of(&self.works, id).await {
            Err(moved @ Failure::NotYet { .. }) => return Err(moved),
            Err(failure) => Err(failure.to_string()),
            Ok((_, backend)) => {
                backend.health().await.map(|health| health.text()).map_err(|error| error.to_string())
            }
        };
        let outcome = outcome.as_deref().map_err(String::as_str);
        run.finish("note_health", |work| {
            async move { Ok(server::note_health(work, id, outcome).await?) }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Reads the counters; a server that does not answer is skipped until the next tick, and nothing is written.
    pub(super) async fn collect_usage(&self, run: &Run<'_>, id: ServerId) -> Result<(), Failure> {
        unless_down(id, self.read_usage(run, id).await)
    }

    async fn read_usage(&self, run: &Run<'_>, id: ServerId) -> Result<(), Failure> {
        if backends::find(&self.works, id).await?.removed_at.is_some() {
            return Ok(());
        }
        let (_, backend) = self.backends.of(&self.works, id).await?;
        let counters = &backend.usage().await.map_err(into_failure)?;
        let kind = backend.usage_kind();
        let grown = run
            .commit("usage_growth", |work| {
                async move { Ok(vpn::growth(work, id, kind, counters).await?) }.scope_boxed()
            })
            .await?;
        for some in grown.chunks(vpn::ACCOUNTED_AT_ONCE) {
            run.commit("account_usage", |work| {
                async move { Ok(vpn::account(work, some).await?) }.scope_boxed()
            })
            .await?;
        }
        Ok(())
    }

    /// Makes a server equal to the database; one that does not answer is skipped until the next tick.
    pub(super) async fn reconcile_server(&self, run: &Run<'_>, id: ServerId) -> Result<(), Failure> {
        unless_down(id, self.reconcile(run, id).await)
    }

    async fn reconcile(&self, run: &Run<'_>, id: ServerId) -> Result<(), Failure> {
        let known = backends::find(&self.works, id).await?;
        if known.removed_at.is_some() {
            return self.dismantle(run, &known).await;
        }
        let (row, backend) = self.backends.of(&self.works, id).await?;
        let held = backend.held().await.map_err(into_failure)?;
        let all = run
            .commit("desired_of_server", |work| {
                async move { vpn::desired_of_server(work, id).await.map_err(Failure::retry) }.scope_boxed()
            })
            .await?;
        let done = backend.reconcile(&held, &all).await.map_err(into_failure)?;
        if done != Default::default() {
            tracing::info!(
                server = row.name,
                added = done.added,
                updated = done.updated,
                removed = done.removed,
                "server reconciled"
            );
        }
        Ok(())
    }
}

impl Jobs {
    /// Takes away what a removed server left where it lived.
    async fn dismantle(&self, run: &Run<'_>, removed: &Server) -> Result<(), Failure> {
        let successor = run
            .commit("find_successor", |work| {
                async move { Ok(server::has_successor(work, removed).await?) }.scope_boxed()
            })
            .await?;
        self.backends.dismantle(&self.works, removed, successor).await?;
        run.finish("server_dismantled", |work| {
            async move { Ok(server::dismantled(work, removed.id).await?) }.scope_boxed()
        })
        .await?;
        tracing::info!(server = removed.name, "what a removed server left is gone");
        Ok(())
    }
}

/// That a server is not there is told by [`Jobs::check_server`], and nobody needs to hear it from every tick of the
/// other clocks too.
fn unless_down(id: ServerId, done: Result<(), Failure>) -> Result<(), Failure> {
    let Err(Failure::Retry(error)) = &done else { return done };
    if !error.downcast_ref::<BackendError>().is_some_and(BackendError::is_transient) {
        return done;
    }
    tracing::warn!(server_id = %id, %error, "the server is left until the next tick");
    Ok(())
}

//! apply_config and apply_subscription: from what should be to what is.

use scoped_futures::ScopedFutureExt;

use super::Jobs;
use super::backends::{self, into_failure};
use crate::crud;
use crate::ids::{ConfigId, SubscriptionId};
use crate::integrations::vpn::{Access, Backend, Counter, UsageKind};
use crate::models::vpn::{Applied, ConfigStatus, VpnConfig};
use crate::queue::Failure;
use crate::queue::jobs::Run;
use crate::services::{access, subscription, vpn};

impl Jobs {
    /// Makes the backend equal to a config's status.
    pub(super) async fn apply_config(&self, run: &Run<'_>, id: ConfigId) -> Result<(), Failure> {
        let config = {
            let mut conn = self.works.db.acquire().await?;
            crud::vpn::find(&mut conn, id).await?
        };
        match config {
            None => Ok(()),
            Some(config) => match config.status {
                ConfigStatus::Removed => Ok(()),
                ConfigStatus::Revoked => self.revoke_config(run, &config).await,
                _ => self.ensure_config(run, &config).await,
            },
        }
    }

    async fn ensure_config(&self, run: &Run<'_>, config: &VpnConfig) -> Result<(), Failure> {
        let id = config.id;
        let (server, desired) = run
            .commit("place_config", |work| {
                async move { vpn::place(work, config).await.map_err(Failure::retry) }.scope_boxed()
            })
            .await?;
        let (_, backend) = self.backends.of(&self.works, server).await?;
        let (applied, last) = match desired.access {
            Access::Present => (Applied::Present, None),
            Access::Blocked => (Applied::Blocked, last_reading(&*backend, id).await),
        };
        let (observed, last) = (&backend.ensure(&desired).await.map_err(into_failure)?, last.as_ref());
        run.finish("config_applied", |work| {
            async move {
                if let Some((kind, counter)) = last {
                    vpn::account_last(work, server, *kind, counter).await?;
                }
                // Taken off that server while it was made there: the job that is queued since makes it elsewhere.
                if !vpn::keeps_place(work, id, server).await? {
                    return Ok(());
                }
                let seen = Some((&observed.credentials, observed.public_id.as_str()));
                vpn::applied(work, id, applied, seen).await.map_err(Failure::retry)
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    async fn revoke_config(&self, run: &Run<'_>, config: &VpnConfig) -> Result<(), Failure> {
        let mut last = None;
        if let (Some(server_id), Some(_)) = (config.server_id, &config.secret) {
            let credentials = vpn::open(&self.works.config.keyring, config).map_err(Failure::retry)?;
            // A server that was taken out of use for good may be gone: nothing is left to cut off there.
            if backends::find(&self.works, server_id).await?.removed_at.is_none() {
                let (_, backend) = self.backends.of(&self.works, server_id).await?;
                let reading = last_reading(&*backend, config.id).await;
                last = reading.map(|(kind, counter)| (server_id, kind, counter));
                backend.revoke(config.id, &credentials).await.map_err(into_failure)?;
            }
        }
        let last = last.as_ref();
        run.finish("config_removed", |work| {
            async move {
                if let Some((server, kind, counter)) = last {
                    vpn::account_last(work, *server, *kind, counter).await?;
                }
                Ok(vpn::removed(work, config.id).await?)
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    pub(super) async fn apply_subscription(&self, run: &Run<'_>, id: SubscriptionId) -> Result<(), Failure> {
        run.finish("follow_subscription", |work| {
            async move { Ok(vpn::follow_subscription(work, id).await?) }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    pub(super) async fn expire_subscriptions(&self, run: &Run<'_>) -> Result<(), Failure> {
        while run
            .commit("expire_subscriptions", |work| {
                async move { Ok(subscription::expire_due(work).await?) }.scope_boxed()
            })
            .await?
        {}
        while run
            .commit("end_roles", |work| async move { Ok(access::end_roles(work).await?) }.scope_boxed())
            .await?
        {}
        Ok(())
    }
}

/// What a config has used so far: asked just before its counter goes away with the peer. A server that does not tell
/// keeps nothing from going on.
async fn last_reading(backend: &dyn Backend, id: ConfigId) -> Option<(UsageKind, Counter)> {
    match backend.usage().await {
        Ok(counters) => {
            let counter = counters.into_iter().find(|counter| counter.config_id == id)?;
            Some((backend.usage_kind(), counter))
        }
        Err(error) => {
            tracing::warn!(config_id = %id, %error, "the last traffic of a config is not known");
            None
        }
    }
}

//! apply_config and apply_subscription: from what should be to what is.

use scoped_futures::ScopedFutureExt;

use super::Jobs;
use super::backends::into_failure;
use crate::crud;
use crate::ids::{ConfigId, ServerId, SubscriptionId};
use crate::integrations::vpn::{Access, Desired};
use crate::models::vpn::{Applied, ConfigStatus, VpnConfig};
use crate::queue::Failure;
use crate::queue::jobs::Run;
use crate::services::{subscription, vpn};

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
        let (server_id, desired) = self.place_of(run, config).await?;
        let (_, backend) = self.backends.of(&self.works, server_id).await?;
        let observed = backend.ensure(&desired).await.map_err(into_failure)?;
        let applied = match desired.access {
            Access::Present => Applied::Present,
            Access::Blocked => Applied::Blocked,
        };
        let observed = &observed;
        run.finish("config_applied", |work| {
            async move {
                let seen = Some((&observed.credentials, observed.public_id.as_str()));
                vpn::applied(work, config.id, applied, seen).await.map_err(Failure::retry)
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Server and keys of a config, chosen and stored once: a later run finds what the first one chose.
    async fn place_of(&self, run: &Run<'_>, config: &VpnConfig) -> Result<(ServerId, Desired), Failure> {
        run.commit("place_config", |work| {
            async move {
                let placed = match config.server_id {
                    Some(_) => vpn::desired(work, config).await,
                    None => vpn::place(work, config).await,
                };
                placed.map_err(Failure::retry)
            }
            .scope_boxed()
        })
        .await
    }

    async fn revoke_config(&self, run: &Run<'_>, config: &VpnConfig) -> Result<(), Failure> {
        if let (Some(server_id), Some(_)) = (config.server_id, &config.secret) {
            let credentials = vpn::open(&self.works.config.keyring, config).map_err(Failure::retry)?;
            let (server, backend) = self.backends.of(&self.works, server_id).await?;
            // A server that was taken out of use for good may be gone: nothing is left to cut off there.
            if server.removed_at.is_none() {
                backend.revoke(config.id, &credentials).await.map_err(into_failure)?;
            }
        }
        run.finish("config_removed", |work| {
            async move { Ok(vpn::removed(work, config.id).await?) }.scope_boxed()
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
        Ok(())
    }
}

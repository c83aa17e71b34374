//! What the jobs do: read the rows, call the outside, commit what came of it. A job carries ids and brings the
//! outside to an absolute state, so it may run twice.

mod backends;
mod config;
mod housekeeping;
mod payment;
mod server;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::MySqlConnection;

use crate::crud;
use crate::ids::ConfigId;
use crate::integrations::payments::Providers;
use crate::machine::Machine;
use crate::models::audit::Action;
use crate::models::job::Job;
use crate::models::notice::{Alert, Notice};
use crate::models::vpn::{ConfigStatus, VpnConfig};
use crate::queue::Failure;
use crate::queue::jobs::{JobHandler, Run};
use crate::services::audit;
use crate::work::{Work, Works};

pub use backends::Backends;

/// Everything the jobs need.
pub struct Jobs {
    pub works: Works,
    pub providers: Providers,
    pub backends: Arc<Backends>,
}

/// Failed runs after which a person is told that it takes longer.
const TELL_PERSON: u32 = 2;
/// Failed runs after which the admins are told.
const TELL_ADMINS: u32 = 5;

#[async_trait]
impl JobHandler for Jobs {
    async fn home(&self, conn: &mut MySqlConnection, job: &Job) -> sqlx::Result<Option<Machine>> {
        match *job {
            Job::ApplyConfig { config_id } => crud::server::home_of_config(conn, config_id).await,
            Job::ReconcileServer { server_id }
            | Job::CollectUsage { server_id }
            | Job::CheckServer { server_id } => crud::server::home(conn, server_id).await,
            _ => Ok(None),
        }
    }

    async fn run(&self, run: &Run<'_>, job: &Job) -> Result<(), Failure> {
        match *job {
            Job::ApplyConfig { config_id } => self.apply_config(run, config_id).await,
            Job::ApplySubscription { subscription_id } => self.apply_subscription(run, subscription_id).await,
            Job::CreateInvoice { payment_id } => self.create_invoice(run, payment_id).await,
            Job::CheckPayment { payment_id } => self.check_payment(run, payment_id).await,
            Job::RefundPayment { payment_id } => self.refund_payment(run, payment_id).await,
            Job::SendBack { charge_id } => self.send_back(run, charge_id).await,
            Job::ReconcileServer { server_id } => self.reconcile_server(run, server_id).await,
            Job::CollectUsage { server_id } => self.collect_usage(run, server_id).await,
            Job::CheckServer { server_id } => self.check_server(run, server_id).await,
            Job::TickServers { work } => self.tick_servers(run, work).await,
            Job::ExpireSubscriptions => self.expire_subscriptions(run).await,
            Job::PollPayments => self.poll_payments(run).await,
            Job::LookAfter { provider } => self.look_after(run, provider).await,
            Job::ReadStarsBook => self.read_stars_book(run).await,
            Job::WatchPools => self.watch_pools(run).await,
            Job::CheckBooks => self.check_books(run).await,
            Job::SumUpAlerts => self.sum_up_alerts(run).await,
            Job::Purge => self.purge(run).await,
        }
    }

    async fn failing(&self, work: &mut Work, job: &Job, attempts: u32, reason: &str) -> Result<(), Failure> {
        if let Job::ApplyConfig { config_id } = job {
            return self.config_delayed(work, *config_id, attempts, reason).await;
        }
        // A server that is down has an alert of its own.
        let quiet =
            matches!(job, Job::ReconcileServer { .. } | Job::CollectUsage { .. } | Job::CheckServer { .. });
        if attempts == TELL_ADMINS && !quiet {
            let (kind, reason) = (job.kind().to_owned(), reason.to_owned());
            let alert = Alert::JobFailing { job_id: None, kind, attempts, reason };
            audit::notify_admins(work, Action::JobFailing, alert).await?;
        }
        Ok(())
    }

    async fn gave_up(&self, work: &mut Work, job: &Job, reason: &str) -> Result<(), Failure> {
        if let Job::CreateInvoice { payment_id } = job {
            return Ok(crate::services::payment::invoice_failed(work, *payment_id, reason).await?);
        }
        if let Job::CheckPayment { payment_id } = job {
            crate::services::payment::not_observed(work, *payment_id).await?;
        }
        if let Job::ApplyConfig { config_id } = job {
            self.config_failed(work, *config_id).await?;
        }
        let alert = Alert::JobDead { kind: job.kind().to_owned(), reason: reason.to_owned() };
        Ok(audit::notify_admins(work, Action::JobDead, alert).await?)
    }
}

impl Jobs {
    async fn config_delayed(
        &self,
        work: &mut Work,
        config_id: ConfigId,
        attempts: u32,
        reason: &str,
    ) -> Result<(), Failure> {
        let Some(config) = crud::vpn::find(work.conn(), config_id).await? else { return Ok(()) };
        if attempts >= TELL_PERSON && is_awaited(&config) {
            let notice = Notice::ConfigDelayed { config_id };
            work.notify_once(config.user_id, notice, format!("config_delayed:{config_id}"));
        }
        if attempts == TELL_ADMINS {
            let (user_id, reason) = (config.user_id, reason.to_owned());
            let alert = Alert::ProvisioningDelayed { config_id, user_id, reason };
            audit::notify_admins(work, Action::ProvisioningDelayed, alert).await?;
        }
        Ok(())
    }

    /// Whoever waits for a config that was given up hears so, once: it is only made when an operator has the job run again.
    async fn config_failed(&self, work: &mut Work, config_id: ConfigId) -> Result<(), Failure> {
        if let Some(config) = crud::vpn::find(work.conn(), config_id).await?.filter(is_awaited) {
            let notice = Notice::ConfigFailed { config_id };
            work.notify_once(config.user_id, notice, format!("config_failed:{config_id}"));
        }
        Ok(())
    }
}

/// Whether its owner has not got it yet.
fn is_awaited(config: &VpnConfig) -> bool {
    config.delivered_at.is_none() && config.status == ConfigStatus::Preparing
}

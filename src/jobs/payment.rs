//! Invoices, checks and refunds at the providers.

use std::sync::Arc;

use scoped_futures::ScopedFutureExt;

use super::Jobs;
use crate::crud;
use crate::ids::{ChargeId, PaymentId};
use crate::integrations::payments::{InvoiceRequest, OrderHandle, Provider, ProviderError};
use crate::models::payment::{Payment, PaymentStatus, ProviderId};
use crate::queue::Failure;
use crate::queue::jobs::Run;
use crate::services::payment;
use crate::work::Origin;

impl Jobs {
    async fn order(&self, id: PaymentId) -> Result<Option<(Payment, Arc<dyn Provider>)>, Failure> {
        let mut conn = self.works.db.acquire().await?;
        let Some(order) = crud::payment::find(&mut conn, id).await? else { return Ok(None) };
        let provider = self.provider(order.provider)?;
        Ok(Some((order, provider)))
    }

    fn provider(&self, id: ProviderId) -> Result<Arc<dyn Provider>, Failure> {
        let provider = self.providers.get(id).cloned();
        provider.ok_or_else(|| Failure::give_up(format!("{id} is not switched on")))
    }

    /// Makes the invoice of a pending order, or finds the one that an earlier run made.
    pub(super) async fn create_invoice(&self, run: &Run<'_>, id: PaymentId) -> Result<(), Failure> {
        let Some((order, provider)) = self.order(id).await? else { return Ok(()) };
        let Some(token) = &order.callback_token else { return Ok(()) };
        if order.status != PaymentStatus::Pending || order.invoice_id.is_some() {
            return Ok(());
        }
        let title = self.works.run("title_order", Origin::SYSTEM, |work| {
            let order = &order;
            async move { payment::title_of(work, order).await }.scope_boxed()
        });
        let request = InvoiceRequest {
            order_ref: order.order_ref.clone(),
            price: order.price(),
            title: title.await?,
            callback_url: self
                .works
                .config
                .server
                .public_address(&format!("/payments/{}/{token}", order.provider)),
            expires_at: order.expires_at,
            retry: run.attempts > 1,
        };
        let invoice = &provider.create_invoice(&request).await.map_err(into_failure)?;
        run.finish("invoice_made", |work| {
            async move { Ok(payment::invoice_made(work, id, &invoice.id, &invoice.url).await?) }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Asks the provider what became of an order and believes that.
    pub(super) async fn check_payment(&self, run: &Run<'_>, id: PaymentId) -> Result<(), Failure> {
        let Some((order, provider)) = self.order(id).await? else { return Ok(()) };
        let seen = &provider.observe(&payment::handle_of(&order)).await.map_err(into_failure)?;
        run.finish("payment_observed", |work| {
            async move {
                payment::observed(work, id, seen.as_ref()).await?;
                Ok(())
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Sends the money back and then takes back what it bought. Telegram may tell of the refund before we do:
    /// whoever is first marks it.
    pub(super) async fn refund_payment(&self, run: &Run<'_>, id: PaymentId) -> Result<(), Failure> {
        let Some((order, provider)) = self.order(id).await? else { return Ok(()) };
        if order.status == PaymentStatus::Refunded {
            return Ok(());
        }
        provider.refund(&payment::handle_of(&order)).await.map_err(into_failure)?;
        run.finish("payment_refunded", |work| {
            async move {
                payment::refunded(work, id).await?;
                Ok(())
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// As [`Jobs::refund_payment`], for money without an order.
    pub(super) async fn send_back(&self, run: &Run<'_>, id: ChargeId) -> Result<(), Failure> {
        let charge = {
            let mut conn = self.works.db.acquire().await?;
            crud::unmatched::find(&mut conn, id).await?
        };
        let Some(charge) = charge.filter(|charge| charge.resolved_at.is_none()) else { return Ok(()) };
        let payer = charge.payer.ok_or_else(|| Failure::give_up("nobody knows whom to send it to"))?;
        let order = OrderHandle {
            order_ref: String::new(),
            invoice_id: None,
            charge_id: Some(charge.charge_id),
            user_id: payer,
        };
        self.provider(charge.provider)?.refund(&order).await.map_err(into_failure)?;
        run.finish("charge_sent_back", |work| {
            async move {
                payment::charge_sent_back(work, id).await?;
                Ok(())
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    pub(super) async fn poll_payments(&self, run: &Run<'_>) -> Result<(), Failure> {
        for provider in ProviderId::ALL {
            run.commit("poll_payments", |work| {
                async move { Ok(payment::poll(work, *provider).await?) }.scope_boxed()
            })
            .await?;
        }
        Ok(())
    }
}

fn into_failure(error: ProviderError) -> Failure {
    match error {
        ProviderError::Unavailable { retry_after: Some(after), ref reason, .. } => {
            Failure::later(reason.clone(), after)
        }
        ProviderError::Refused { .. } => Failure::give_up(error.to_string()),
        other => Failure::retry(other),
    }
}

//! Invoices, checks and refunds at the providers.

use std::sync::Arc;
use std::time::Duration;

use scoped_futures::ScopedFutureExt;
use tokio::time::Instant;

use super::Jobs;
use crate::crud;
use crate::ids::{ChargeId, PaymentId};
use crate::integrations::payments::{InvoiceRequest, Provider, ProviderError, Urgency};
use crate::models::job::Job;
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

    /// Asks the provider what became of an order and believes that. A provider that was switched off is not asked.
    pub(super) async fn check_payment(&self, run: &Run<'_>, id: PaymentId) -> Result<(), Failure> {
        let order = {
            let mut conn = self.works.db.acquire().await?;
            crud::payment::find(&mut conn, id).await?
        };
        let Some(order) = order else { return Ok(()) };
        let Some(provider) = self.providers.get(order.provider) else { return Ok(()) };
        let seen = provider.observe(&payment::handle_of(&order), Urgency::Now).await;
        let seen = &seen.map_err(into_failure)?;
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
        let charge = order.charge_id.as_deref();
        let charge = charge.ok_or_else(|| Failure::give_up("no money is known for the order"))?;
        provider.refund(charge, order.paid_by()).await.map_err(into_failure)?;
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
        let provider = self.provider(charge.provider)?;
        provider.refund(&charge.charge_id, payer).await.map_err(into_failure)?;
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

    /// Closes what is overdue, and has the providers asked that are switched on. Where there is a book, all money stands
    /// in it: nobody is asked about single orders.
    pub(super) async fn poll_payments(&self, run: &Run<'_>) -> Result<(), Failure> {
        let providers = &self.providers;
        run.finish("poll_payments", |work| {
            async move {
                payment::close_overdue(work).await?;
                for provider in providers.iter().filter(|provider| provider.book().is_none()) {
                    work.enqueue(Job::LookAfter { provider: provider.id() });
                }
                Ok(())
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Asks a provider about its orders, one after the other: however many wait, they hold one place among the jobs
    /// and one among the calls. A run is short; what is left is the next one's.
    pub(super) async fn look_after(&self, run: &Run<'_>, id: ProviderId) -> Result<(), Failure> {
        let Some(provider) = self.providers.get(id) else { return Ok(()) };
        let until = Instant::now() + LOOKING;
        loop {
            let due = run
                .commit("due_for_look", |work| {
                    async move { Ok(payment::due_for_look(work, id, LOOKS_AT_ONCE).await?) }.scope_boxed()
                })
                .await?;
            if due.is_empty() {
                return Ok(());
            }
            for order in &due {
                if Instant::now() >= until {
                    return look_on(run, id).await;
                }
                look(run, provider.as_ref(), order).await?;
            }
        }
    }
}

/// Time in which a run of [`Jobs::look_after`] asks; its last call may end later, and still within the lease.
const LOOKING: Duration = Duration::from_secs(20);
/// Orders that are read at once, few, so that the order of their urgency is still true for the last.
const LOOKS_AT_ONCE: u32 = 10;

async fn look_on(run: &Run<'_>, provider: ProviderId) -> Result<(), Failure> {
    run.finish("look_on", |work| {
        async move {
            work.enqueue(Job::LookAfter { provider });
            Ok(())
        }
        .scope_boxed()
    })
    .await?;
    Ok(())
}

/// Asks about one order. That it was asked about is noted whatever came of it: one order that the provider chokes on
/// keeps the others waiting once, and not for ever.
async fn look(run: &Run<'_>, provider: &dyn Provider, order: &Payment) -> Result<(), Failure> {
    let (seen, failure) = match provider.observe(&payment::handle_of(order), Urgency::Whenever).await {
        Ok(seen) => (seen, None),
        Err(error) => (None, Some(into_failure(error))),
    };
    let (seen, answered) = (&seen, failure.is_none());
    run.commit("order_looked_at", |work| {
        async move {
            payment::observed(work, order.id, seen.as_ref()).await?;
            if !answered {
                payment::not_answered(work, order);
            }
            Ok(())
        }
        .scope_boxed()
    })
    .await?;
    failure.map_or(Ok(()), Err)
}

/// Pages of a book read in one run; the next tick goes on.
const PAGES: usize = 100;

impl Jobs {
    /// Compares Telegram's book of Stars with ours: money and refunds whose updates were lost.
    pub(super) async fn read_stars_book(&self, run: &Run<'_>) -> Result<(), Failure> {
        let Some(stars) = self.providers.get(ProviderId::Stars) else { return Ok(()) };
        let Some(book) = stars.book() else { return Ok(()) };
        for _ in 0..PAGES {
            if self.read_page(run, stars.as_ref(), &book).await? {
                break;
            }
        }
        Ok(())
    }

    /// Reads on in a book; true at its end.
    async fn read_page(&self, run: &Run<'_>, provider: &dyn Provider, book: &str) -> Result<bool, Failure> {
        let mark = {
            let mut conn = self.works.db.acquire().await?;
            crud::book_mark::find(&mut conn, book).await?
        };
        let from = mark.unwrap_or(0);
        let page = &provider.read_book(from).await.map_err(into_failure)?;
        // That an empty book was opened is noted, too: what is written in it from then on is news.
        if page.rows > 0 || mark.is_none() {
            run.commit("stars_book_read", |work| {
                async move { Ok(payment::stars_book_read(work, book, from, page).await?) }.scope_boxed()
            })
            .await?;
        }
        Ok(page.is_last)
    }
}

fn into_failure(error: ProviderError) -> Failure {
    match error {
        ProviderError::Busy { after, .. } => Failure::not_yet(error.to_string(), after),
        ProviderError::Unavailable { retry_after: Some(after), ref reason, .. } => {
            Failure::later(reason.clone(), after)
        }
        ProviderError::Refused { .. } => Failure::give_up(error.to_string()),
        other => Failure::retry(other),
    }
}

//! What configs use: the growth of a server's counters, each accounted once.

use std::collections::HashMap;

use crate::crud;
use crate::ids::{ConfigId, ServerId};
use crate::integrations::vpn::{Counter, UsageKind};
use crate::models::vpn::{Growth, VpnConfig};
use crate::services::subscription::add_traffic;
use crate::work::Work;

/// What the counters of a server's configs have grown by since they were last stored, those of one subscription
/// beside each other: the order in which [`account`] locks.
pub async fn growth(
    work: &mut Work,
    server: ServerId,
    kind: UsageKind,
    counters: &[Counter],
) -> sqlx::Result<Vec<Growth>> {
    let known = crud::vpn::list_of_server(work.conn(), server).await?;
    let by_id: HashMap<ConfigId, VpnConfig> = known.into_iter().map(|config| (config.id, config)).collect();
    let grown = counters.iter().filter_map(|counter| {
        let growth = growth_of(server, kind, by_id.get(&counter.config_id)?, counter);
        (growth.last != growth.raw || growth.last_handshake.is_some()).then_some(growth)
    });
    let mut grown: Vec<Growth> = grown.collect();
    grown.sort_by_key(|growth| (growth.subscription_id, growth.config_id));
    Ok(grown)
}

fn growth_of(server: ServerId, kind: UsageKind, config: &VpnConfig, counter: &Counter) -> Growth {
    let (last, raw) = ((config.raw_rx, config.raw_tx), (counter.rx, counter.tx));
    let (rx, tx) = (kind.delta(last.0, raw.0), kind.delta(last.1, raw.1));
    Growth {
        config_id: config.id,
        subscription_id: config.subscription_id,
        server_id: server,
        last,
        raw,
        total: (config.total_rx.saturating_add(rx), config.total_tx.saturating_add(tx)),
        bytes: rx.saturating_add(tx),
        last_handshake: counter.last_handshake.filter(|at| Some(*at) > config.last_handshake_at),
    }
}

/// Growths that are accounted in one transaction: who changes one of these configs waits no longer than that.
pub const ACCOUNTED_AT_ONCE: usize = 100;

/// Adds to configs and subscriptions what was used, each growth once however often it is given. A subscription is
/// locked before its configs, as everywhere.
pub async fn account(work: &mut Work, grown: &[Growth]) -> sqlx::Result<()> {
    for of_one in grown.chunk_by(|one, next| one.subscription_id == next.subscription_id) {
        let id = of_one[0].subscription_id;
        crud::subscription::lock(work.conn(), id).await?;
        let mut bytes: u64 = 0;
        for growth in of_one {
            if crud::vpn::set_usage(work.conn(), growth).await? {
                bytes = bytes.saturating_add(growth.bytes);
            }
        }
        if bytes > 0 {
            add_traffic(work, id, bytes).await?;
        }
    }
    Ok(())
}

/// Accounts what a config used until its peer went away; the counter of the next one starts at nothing.
pub async fn account_last(
    work: &mut Work,
    server: ServerId,
    kind: UsageKind,
    counter: &Counter,
) -> sqlx::Result<()> {
    let Some(config) = crud::vpn::find(work.conn(), counter.config_id).await? else { return Ok(()) };
    crud::subscription::lock(work.conn(), config.subscription_id).await?;
    // Read again under the lock: the reading of every minute may have been accounted a moment ago.
    let Some(config) = crud::vpn::lock(work.conn(), config.id).await? else { return Ok(()) };
    let mut growth = growth_of(server, kind, &config, counter);
    if kind == UsageKind::Counter {
        growth.raw = (0, 0);
    }
    account(work, &[growth]).await
}

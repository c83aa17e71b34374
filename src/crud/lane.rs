//! The lease rows shared by inbox, outbox and jobs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;

use sqlx::{MySql, MySqlConnection, QueryBuilder};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::machine::Machine;
use crate::models::lane::{Claimed, Entry, Lease, Look, NewLease, OF_MACHINES, Queue, class_at};
use crate::models::outgoing::Class;

/// Makes the lanes due. A lane that somebody holds is not taken from them: its version rises, so that their
/// release fails and they look again.
///
/// With a `lease`, lanes that are to be in hand are leased under it. Gives those that were, each with its version; not among
/// them are lanes in which something waits already, and those whose next message may not leave yet.
pub async fn enqueue(
    conn: &mut MySqlConnection,
    entries: &mut Vec<Entry>,
    lease: Option<NewLease>,
) -> sqlx::Result<HashMap<String, u64>> {
    // One order for everybody, so that two batches cannot wait for each other.
    entries.sort();
    entries.dedup_by(|later, first| later.queue == first.queue && later.lane == first.lane);
    let mut affected = 0;
    for entries in entries.chunks(INSERTED_AT_ONCE) {
        affected += enqueue_some(conn, entries, lease).await?;
    }
    let Some(lease) = lease else { return Ok(HashMap::new()) };
    // A row that was there already counts twice.
    let all_new = affected == entries.len() as u64;
    let in_hand: Vec<&Entry> = entries.iter().filter(|entry| entry.in_hand).collect();
    let Some(first) = in_hand.first() else { return Ok(HashMap::new()) };
    if all_new {
        return Ok(in_hand.iter().map(|entry| (entry.lane.clone(), FIRST_VERSION)).collect());
    }
    let mut query = QueryBuilder::<MySql>::new("SELECT lane, version FROM lanes WHERE queue = ");
    query.push_bind(first.queue as u8).push(" AND owner = ").push_bind(lease.owner).push(" AND lane IN (");
    let mut list = query.separated(", ");
    for entry in &in_hand {
        list.push_bind(&entry.lane);
    }
    query.push(")");
    let leased: Vec<(String, u64)> = query.build_query_as().fetch_all(conn).await?;
    Ok(leased.into_iter().collect())
}

/// A statement takes 65,535 values, a row has seven.
const INSERTED_AT_ONCE: usize = 1000;
const FIRST_VERSION: u64 = 1;

async fn enqueue_some(
    conn: &mut MySqlConnection,
    entries: &[Entry],
    lease: Option<NewLease>,
) -> sqlx::Result<u64> {
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO lanes (queue, lane, class, due_at, not_before, owner, version, attempts) ",
    );
    let (long_ago, never) = (Timestamp::long_ago(), Timestamp::never());
    query.push_values(entries.iter(), |mut row, entry| {
        let lease = lease.filter(|_| entry.in_hand);
        row.push_bind(entry.queue as u8)
            .push_bind(&entry.lane)
            .push_bind(entry.class)
            .push_bind(lease.map_or(entry.due_at, |lease| lease.until))
            .push_bind(long_ago)
            .push_bind(lease.map(|lease| lease.owner))
            .push(FIRST_VERSION)
            .push_bind(u32::from(lease.is_some()));
    });
    query.push(" ON DUPLICATE KEY UPDATE version = version + 1, class = LEAST(class, VALUES(class)), ");
    let Some(lease) = lease else {
        query.push("due_at = IF(owner IS NULL, LEAST(due_at, VALUES(due_at)), due_at)");
        return Ok(query.build().execute(conn).await?.rows_affected());
    };
    // What was set further left is what is read further right.
    query.push("owner = IF(owner IS NULL AND due_at = ").push_bind(never);
    query.push(" AND not_before <= ").push_bind(lease.now).push(", VALUES(owner), owner), ");
    query.push("attempts = IF(owner = VALUES(owner), 1, attempts), ");
    query.push("due_at = IF(owner = VALUES(owner), VALUES(due_at), IF(owner IS NULL, LEAST(due_at, ");
    query.push("IF(VALUES(owner) IS NULL, VALUES(due_at), ").push_bind(lease.now).push(")), due_at))");
    Ok(query.build().execute(conn).await?.rows_affected())
}

/// Leases up to `limit` due lanes of one class to `owner` until `until`, those first that have been due for longest. To
/// be committed at once.
pub async fn claim(
    conn: &mut MySqlConnection,
    queue: Queue,
    look: Look,
    now: Timestamp,
    until: Timestamp,
    owner: Uuid,
    limit: u32,
) -> sqlx::Result<Vec<Claimed>> {
    let due = sqlx::query_as!(
        Claimed,
        "SELECT lane, due_at AS `due_at: Timestamp`, version, attempts + 1 AS `attempts!: u32`, \
         not_before AS `not_before: Timestamp` \
         FROM lanes WHERE queue = ? AND class = ? AND due_at >= ? AND due_at <= ? ORDER BY due_at LIMIT ? \
         FOR UPDATE SKIP LOCKED",
        queue as u8,
        look.class,
        look.from,
        now,
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    if due.is_empty() {
        return Ok(due);
    }
    let mut query = QueryBuilder::<MySql>::new("UPDATE lanes SET attempts = attempts + 1, owner = ");
    query.push_bind(owner).push(", due_at = ").push_bind(until);
    query.push(" WHERE queue = ").push_bind(queue as u8).push(" AND lane IN (");
    let mut list = query.separated(", ");
    // The last one again and again: a statement of one of a few lengths is prepared once for each.
    let last = due.last().into_iter().cycle();
    for claimed in due.iter().chain(last).take(due.len().next_power_of_two()) {
        list.push_bind(&claimed.lane);
    }
    query.push(")");
    query.build().execute(conn).await?;
    Ok(due)
}

/// Gives a drained lane back when nothing was added since the lease saw it; false: something was, or the lease
/// is lost. The row stays, idle, to remember the pace.
pub async fn release(conn: &mut MySqlConnection, lease: &Lease, not_before: Timestamp) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE lanes SET owner = NULL, attempts = 0, class = ?, due_at = ?, not_before = ? \
         WHERE queue = ? AND lane = ? AND owner = ? AND version = ?",
        Class::Bulk as u8,
        Timestamp::never(),
        not_before,
        lease.queue as u8,
        lease.lane,
        lease.owner,
        lease.version
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a drained lane under the same condition as [`release`].
pub async fn remove(conn: &mut MySqlConnection, lease: &Lease) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM lanes WHERE queue = ? AND lane = ? AND owner = ? AND version = ?",
        lease.queue as u8,
        lease.lane,
        lease.owner,
        lease.version
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// As [`remove`] for several lanes of one queue; tells which of them were kept.
pub async fn remove_many(conn: &mut MySqlConnection, leases: &[&Lease]) -> sqlx::Result<HashSet<String>> {
    let mut removed = 0;
    for ((owner, version), alike) in alike(leases, |lease| (lease.owner, lease.version)) {
        let mut query = QueryBuilder::<MySql>::new("DELETE FROM lanes WHERE owner = ");
        query.push_bind(owner).push(" AND version = ").push_bind(version);
        push_lanes(&mut query, alike.into_iter().copied());
        removed += query.build().execute(&mut *conn).await?.rows_affected();
    }
    still_held(conn, leases, removed).await
}

/// As [`release`] for several lanes of one queue, each with its `not_before`; tells which of them were kept. Of lanes that
/// have to rest as long in seconds, rounded up, all rest as long as the one that has to the longest.
pub async fn release_many(
    conn: &mut MySqlConnection,
    leases: &[(&Lease, Timestamp)],
    now: Timestamp,
) -> sqlx::Result<HashSet<String>> {
    let mut released = 0;
    let rest = |not_before: Timestamp| {
        not_before.since(now).num_milliseconds().max(0).cast_unsigned().div_ceil(1000)
    };
    let key = |(lease, not_before): &(&Lease, Timestamp)| (lease.owner, lease.version, rest(*not_before));
    for ((owner, version, _), alike) in alike(leases, key) {
        let not_before = alike.iter().map(|(_, not_before)| *not_before).max().unwrap_or(now);
        let mut query = QueryBuilder::<MySql>::new("UPDATE lanes SET owner = NULL, attempts = 0, class = ");
        query.push_bind(Class::Bulk as u8).push(", due_at = ").push_bind(Timestamp::never());
        query.push(", not_before = ").push_bind(not_before);
        query.push(" WHERE owner = ").push_bind(owner).push(" AND version = ").push_bind(version);
        push_lanes(&mut query, alike.into_iter().map(|(lease, _)| *lease));
        released += query.build().execute(&mut *conn).await?.rows_affected();
    }
    let all: Vec<&Lease> = leases.iter().map(|(lease, _)| *lease).collect();
    still_held(conn, &all, released).await
}

/// What differs in nothing else, together: a condition for each lane costs more than what is done with it.
fn alike<T, K: Ord>(all: &[T], key: impl Fn(&T) -> K) -> BTreeMap<K, Vec<&T>> {
    let mut groups: BTreeMap<K, Vec<&T>> = BTreeMap::new();
    for one in all {
        groups.entry(key(one)).or_default().push(one);
    }
    groups
}

/// `AND` one of these lanes of one queue. The last one again and again: a statement of one of a few lengths is prepared
/// once for each.
fn push_lanes<'a>(query: &mut QueryBuilder<MySql>, leases: impl Iterator<Item = &'a Lease>) {
    let leases: Vec<&Lease> = leases.collect();
    let Some(last) = leases.last() else { return };
    query.push(" AND queue = ").push_bind(last.queue as u8).push(" AND lane IN (");
    let mut list = query.separated(", ");
    for lease in leases.iter().chain(std::iter::repeat(last)).take(leases.len().next_power_of_two()) {
        list.push_bind(&lease.lane);
    }
    query.push(")");
}

/// The lanes that are still held, where not all were given back.
async fn still_held(
    conn: &mut MySqlConnection,
    leases: &[&Lease],
    given_back: u64,
) -> sqlx::Result<HashSet<String>> {
    let Some(first) = leases.first().filter(|_| given_back < leases.len() as u64) else {
        return Ok(HashSet::new());
    };
    let mut query = QueryBuilder::<MySql>::new("SELECT lane FROM lanes WHERE queue = ");
    query.push_bind(first.queue as u8);
    for (n, lease) in leases.iter().enumerate() {
        query.push(if n == 0 { " AND (lane = " } else { " OR lane = " }).push_bind(&lease.lane);
        query.push(" AND owner = ").push_bind(lease.owner);
    }
    query.push(")");
    Ok(query.build_query_scalar().fetch_all(conn).await?.into_iter().collect())
}

/// Gives a lane back to be looked at again at `again_at`, or at once when something was added since the lease saw it,
/// for that may be more urgent.
pub async fn postpone(
    conn: &mut MySqlConnection,
    lease: &Lease,
    again_at: Timestamp,
    now: Timestamp,
    not_before: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE lanes SET owner = NULL, attempts = 0, due_at = IF(version = ?, ?, ?), not_before = ? \
         WHERE queue = ? AND lane = ? AND owner = ?",
        lease.version,
        again_at,
        now.min(again_at),
        not_before,
        lease.queue as u8,
        lease.lane,
        lease.owner
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lengthens a lease after progress and tells the lane's version now; None: the lease is lost.
pub async fn renew(conn: &mut MySqlConnection, lease: &Lease, until: Timestamp) -> sqlx::Result<Option<u64>> {
    sqlx::query!(
        "UPDATE lanes SET due_at = ?, attempts = 1 WHERE queue = ? AND lane = ? AND owner = ?",
        until,
        lease.queue as u8,
        lease.lane,
        lease.owner
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        "SELECT version FROM lanes WHERE queue = ? AND lane = ? AND owner = ?",
        lease.queue as u8,
        lease.lane,
        lease.owner
    )
    .fetch_optional(conn)
    .await
}

/// Lengthens a lease while a step takes long; false: the lease is lost.
pub async fn extend(conn: &mut MySqlConnection, lease: &Lease, until: Timestamp) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE lanes SET due_at = ? WHERE queue = ? AND lane = ? AND owner = ?",
        until,
        lease.queue as u8,
        lease.lane,
        lease.owner
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When the next lane is due, class by class; classes without one are left out. One look into the index for each: a
/// minimum over a GROUP BY may read every lane there is.
pub async fn next_due(
    conn: &mut MySqlConnection,
    queue: Queue,
    looks: &[Look],
) -> sqlx::Result<Vec<(u8, Timestamp)>> {
    let mut query = QueryBuilder::<MySql>::default();
    for (n, look) in looks.iter().enumerate() {
        query.push(if n == 0 { "(" } else { " UNION ALL (" });
        query.push("SELECT class, due_at FROM lanes WHERE queue = ").push_bind(queue as u8);
        query.push(" AND class = ").push_bind(look.class);
        query.push(" AND due_at >= ").push_bind(look.from).push(" ORDER BY due_at LIMIT 1)");
    }
    query.build_query_as().fetch_all(conn).await
}

/// Gives a lane to those who claim another class, at `due_at`.
pub async fn hand_over(
    conn: &mut MySqlConnection,
    lease: &Lease,
    class: u8,
    due_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE lanes SET owner = NULL, attempts = 0, class = ?, due_at = ? \
         WHERE queue = ? AND lane = ? AND owner = ?",
        class,
        due_at,
        lease.queue as u8,
        lease.lane,
        lease.owner
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives lanes of jobs that were handed over to machines other than these to everybody again.
pub async fn call_back(conn: &mut MySqlConnection, machines: &[Machine]) -> sqlx::Result<()> {
    let mut query = QueryBuilder::<MySql>::new("UPDATE lanes SET class = class & 1 WHERE queue = ");
    query.push_bind(Queue::Jobs as u8).push(" AND class >= ").push_bind(OF_MACHINES);
    query.push(" AND owner IS NULL");
    for machine in machines {
        for urgency in [0, 1] {
            query.push(" AND class <> ").push_bind(class_at(machine, urgency));
        }
    }
    query.build().execute(conn).await?;
    Ok(())
}

/// Gives back whatever is held under these leases: those of a process that ends, or one whose commit nobody knows of. It
/// reads all lanes.
pub async fn release_all(
    conn: &mut MySqlConnection,
    owners: RangeInclusive<Uuid>,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "UPDATE lanes SET owner = NULL, due_at = ? WHERE owner BETWEEN ? AND ?",
        now,
        *owners.start(),
        *owners.end()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Makes every free lane due that waits for an instant ahead: the clock has been set back.
pub async fn wake_waiting(conn: &mut MySqlConnection, now: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "UPDATE lanes SET due_at = IF(due_at < ?, LEAST(due_at, ?), due_at), not_before = LEAST(not_before, ?) \
         WHERE owner IS NULL AND (due_at > ? AND due_at < ? OR not_before > ?)",
        Timestamp::never(),
        now,
        now,
        now,
        Timestamp::never(),
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes up to `limit` outbox lanes that have been idle since before `before`.
pub async fn purge_idle(conn: &mut MySqlConnection, before: Timestamp, limit: u32) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM lanes WHERE queue = ? AND class = ? AND due_at = ? AND not_before < ? LIMIT ?",
        Queue::Outbox as u8,
        Class::Bulk as u8,
        Timestamp::never(),
        before,
        limit
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

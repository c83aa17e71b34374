//! The pool and the transaction. Every transaction has a name and is tried again when the database ends it for a
//! conflict (deadlock, lock wait, Galera certification), so a body must do nothing that cannot be repeated: no
//! call to the outside, no change of memory.

mod finish;
pub mod migrate;
pub mod nodes;
pub mod probe;
pub mod scratch;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use scoped_futures::ScopedBoxFuture;
use sqlx::mysql::{MySqlConnection, MySqlDatabaseError, MySqlPool, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection, MySql, Transaction};
use tokio_util::task::AbortOnDropHandle;
use tracing::log::LevelFilter;

use finish::Finish;
use nodes::Nodes;

use crate::fault;

/// Tries of one transaction before its conflict is given back to the caller.
const MAX_TRIES: u32 = 8;

/// The server's number of "Lock wait timeout exceeded".
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// A transaction takes milliseconds. One that takes longer than this waits for a node that is gone without a goodbye.
const LONGEST: Duration = Duration::from_secs(20);
/// A connection that was in use a moment ago is taken to be alive without asking.
const SURELY_ALIVE: Duration = Duration::from_secs(1);

/// Statements that a process keeps prepared in all its connections. The database allows 16,382 for everybody
/// (`max_prepared_stmt_count`), and then refuses to work: six copies keep within that, with up to 125 connections each.
const PREPARED: u32 = 2500;

/// Statements that each connection keeps prepared. Those over a batch come in some lengths each (`queue::batch`).
fn statements_of_each(connections: u32) -> usize {
    (PREPARED / connections.max(1)).clamp(20, 250) as usize
}

/// What every session is told. READ COMMITTED: under REPEATABLE READ the gap locks of a claim block enqueuers. The
/// limits let go of what a host that lost its power still held: no transaction of ours is idle for seconds. A cache of
/// what a subquery gave for a row costs more than asking, where no two rows ask the same.
const SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
     SET SESSION innodb_lock_wait_timeout = 3, wait_timeout = 120 \
     /*M!100300 , idle_transaction_timeout = 20, optimizer_switch = 'subquery_cache=off' */";

/// The shared pool.
#[derive(Clone)]
pub struct Db {
    pool: MySqlPool,
    nodes: Arc<Nodes>,
    /// Keeps the pool at a node that takes work, where there are several.
    _watch: Option<Arc<AbortOnDropHandle<()>>>,
}

impl Db {
    /// A pool on `url`, which may name several hosts (see [`nodes`]). Connections are made when first needed, so this
    /// succeeds while the database is down.
    pub fn open(url: &str, max_connections: u32) -> sqlx::Result<Self> {
        let nodes = Arc::new(Nodes::of(url, |options| {
            options
                .log_statements(LevelFilter::Trace)
                .log_slow_statements(LevelFilter::Warn, Duration::from_secs(1))
                .statement_cache_capacity(statements_of_each(max_connections))
        })?);
        let (first, chosen) = (nodes.first(), nodes.clone());
        let pool = MySqlPoolOptions::new()
            .max_connections(max_connections)
            // Shorter than a request may take, so that whoever waits hears why.
            .acquire_timeout(Duration::from_secs(5))
            // Well below the session's wait_timeout.
            .idle_timeout(Duration::from_secs(60))
            .after_connect(|conn, _| {
                Box::pin(async move { sqlx::raw_sql(SESSION).execute(conn).await.map(drop) })
            })
            .after_release({
                let nodes = nodes.clone();
                move |_, meta| {
                    let stays = !nodes.has_left(meta.age);
                    Box::pin(async move { Ok(stays) })
                }
            })
            // Asking each time would be a third of all round trips.
            .test_before_acquire(false)
            .before_acquire(move |conn, meta| {
                let left = chosen.has_left(meta.age);
                Box::pin(async move {
                    if left {
                        return Ok(false);
                    }
                    if meta.idle_for > SURELY_ALIVE {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(first);
        let watch = nodes.watch(pool.clone()).map(Arc::new);
        Ok(Self { pool, nodes, _watch: watch })
    }

    /// Looks for a node that takes work, before the first is asked; for who would rather fail than wait.
    pub async fn find_node(&self) {
        self.nodes.choose(&self.pool).await;
    }

    pub fn pool(&self) -> &MySqlPool {
        &self.pool
    }

    /// A connection for reads or single statements.
    pub async fn acquire(&self) -> sqlx::Result<PoolConnection<MySql>> {
        // On the heap: connecting takes kilobytes, and would make everything so large that may ask the database.
        Box::pin(self.pool.acquire()).await
    }

    /// Whether the database takes work.
    pub async fn check(&self) -> sqlx::Result<()> {
        let mut conn = self.acquire().await?;
        nodes::check(&mut conn).await
    }

    /// Runs `body` in a transaction and commits it. A conflict starts it again from the beginning, with a pause
    /// that grows; every other error rolls back and is given back.
    pub async fn transaction<'a, T, E, F>(&self, name: &'static str, body: F) -> Result<T, E>
    where
        F: for<'r> Fn(&'r mut MySqlConnection) -> ScopedBoxFuture<'a, 'r, Result<T, E>> + Send + Sync + 'a,
        E: From<sqlx::Error> + StdError + Send + 'static,
        T: Send + 'a,
    {
        let mut tries = 1;
        loop {
            match self.attempt(name, &body).await {
                Err(error) if again(name, tries, &error) => pause_after_conflict(tries).await,
                other => return other,
            }
            tries += 1;
        }
    }

    /// As [`Db::transaction`], and tried again when the connection was lost, though it may have been committed: for a
    /// body that changes nothing the second time.
    pub async fn insist<'a, T, F>(&self, name: &'static str, body: F) -> sqlx::Result<T>
    where
        F: for<'r> Fn(&'r mut MySqlConnection) -> ScopedBoxFuture<'a, 'r, sqlx::Result<T>> + Send + Sync + 'a,
        T: Send + 'a,
    {
        let mut tries = 1;
        loop {
            match self.attempt(name, &body).await {
                Err(error) if again(name, tries, &error) || lost(name, tries, &error) => {
                    pause_after_conflict(tries).await;
                }
                other => return other,
            }
            tries += 1;
        }
    }

    async fn attempt<'a, T, E, F>(&self, name: &'static str, body: &F) -> Result<T, E>
    where
        F: for<'r> Fn(&'r mut MySqlConnection) -> ScopedBoxFuture<'a, 'r, Result<T, E>> + Send + Sync + 'a,
        E: From<sqlx::Error>,
    {
        let attempt = async {
            let mut tx = self.begin().await?;
            let value = body(&mut tx).await?;
            fault::before(name);
            tx.commit().await?;
            fault::after(name);
            Ok(value)
        };
        tokio::time::timeout(LONGEST, attempt).await.unwrap_or_else(|_| Err(silent().into()))
    }

    /// Runs `body`, each statement of which commits by itself and changes nothing the second time: a third of the
    /// round trips of a transaction. A conflict (on Galera also one that is found at the commit) or a lost
    /// connection starts it again.
    pub async fn statement<'a, T, F>(&self, name: &'static str, body: F) -> sqlx::Result<T>
    where
        F: for<'r> Fn(&'r mut MySqlConnection) -> ScopedBoxFuture<'a, 'r, sqlx::Result<T>> + Send + Sync + 'a,
        T: Send + 'a,
    {
        let mut tries = 1;
        loop {
            let attempt = async {
                let mut conn = self.acquire().await?;
                fault::before(name);
                let value = body(&mut conn).await?;
                fault::after(name);
                Ok(value)
            };
            match tokio::time::timeout(LONGEST, attempt).await.unwrap_or_else(|_| Err(silent())) {
                Err(error) if again(name, tries, &error) || lost(name, tries, &error) => {
                    pause_after_conflict(tries).await;
                }
                other => return other,
            }
            tries += 1;
        }
    }

    /// Runs `body`, which only reads, for no longer than a node may be silent.
    pub async fn read<'a, T, F>(&self, body: F) -> sqlx::Result<T>
    where
        F: for<'r> FnOnce(&'r mut MySqlConnection) -> ScopedBoxFuture<'a, 'r, sqlx::Result<T>> + Send + 'a,
        T: Send + 'a,
    {
        let reading = async {
            let mut conn = self.acquire().await?;
            body(&mut conn).await
        };
        tokio::time::timeout(LONGEST, reading).await.unwrap_or_else(|_| Err(silent()))
    }

    /// An open transaction, for [`crate::work`]; it rolls back when dropped.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, MySql>> {
        let conn = self.acquire().await?;
        // sqlx knows of a transaction once the database has answered to BEGIN. Dropped before, the connection would go
        // back to the pool with a transaction open in it, and whatever others did on it would not be committed.
        Finish::new(Transaction::begin(conn, None)).await
    }
}

/// Whether a transaction that failed for the `tries`-th time is worth another try.
pub fn again(name: &'static str, tries: u32, error: &(dyn StdError + 'static)) -> bool {
    // A lock that was not to be had for seconds, twice, is held by somebody dead: others need the connection.
    let waited = database_error_number(error) == Some(LOCK_WAIT_TIMEOUT);
    let again = is_conflict(error) && tries < if waited { 2 } else { MAX_TRIES };
    if again {
        tracing::debug!(transaction = name, tries, "conflict, trying again");
    }
    again
}

/// Whether the connection broke, and a try is left.
fn lost(name: &'static str, tries: u32, error: &sqlx::Error) -> bool {
    // Who was silent for so long may be silent for longer; meanwhile another node was found, if there is one.
    let silent = matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut);
    let again = tries < if silent { 2 } else { MAX_TRIES }
        && matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_));
    if again {
        tracing::debug!(transaction = name, tries, %error, "connection lost, trying again");
    }
    again
}

/// The error of a database that does not answer; what was asked of it may have happened.
fn silent() -> sqlx::Error {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// 5 ms, doubling, with up to as much again at random so that rivals do not meet again.
pub async fn pause_after_conflict(tries: u32) {
    let base = 5u64 << tries.min(6);
    tokio::time::sleep(Duration::from_millis(base + rand::random_range(0..=base))).await;
}

/// Whether the database ended the transaction for a conflict: 1213 deadlock (also Galera certification),
/// 1205 lock wait timeout, 1020 the row changed under a snapshot. Looks through the chain of sources.
pub fn is_conflict(error: &(dyn StdError + 'static)) -> bool {
    matches!(database_error_number(error), Some(1213 | LOCK_WAIT_TIMEOUT | 1020))
}

/// Whether the database answers, but refuses all work: its node has lost the majority of its cluster.
pub fn is_without_quorum(error: &(dyn StdError + 'static)) -> bool {
    database_error_number(error) == Some(nodes::NO_QUORUM)
}

/// The server's number of the database error in the chain, if there is one.
pub fn database_error_number(error: &(dyn StdError + 'static)) -> Option<u16> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(sqlx::Error::Database(inner)) = current.downcast_ref::<sqlx::Error>() {
            return inner.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
        }
        next = current.source();
    }
    None
}

/// Whether a failure of the database stands in the chain of sources, and not a rule.
pub fn is_behind(error: &(dyn StdError + 'static)) -> bool {
    let mut chain = std::iter::successors(Some(error), |error: &&(dyn StdError + 'static)| (*error).source());
    chain.any(|error| error.is::<sqlx::Error>())
}

/// What the database says when it could not do anything for anybody (MariaDB, error codes): 1021 and 1114 no room on
/// the disk, 1040 and 1203 too many connections, 1041 no memory, 1047 no majority, 1290 read-only, 1461 too many
/// prepared statements.
const CANNOT_WORK: [u16; 8] = [1021, 1040, 1041, nodes::NO_QUORUM, 1114, 1203, 1290, 1461];

/// Whether the database could not be reached or could not work, and nothing was wrong with what was asked of it. Looks
/// through the chain of sources.
pub fn is_lost(error: &(dyn StdError + 'static)) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut};
    let mut chain = std::iter::successors(Some(error), |error: &&(dyn StdError + 'static)| (*error).source());
    chain.any(|error| matches!(error.downcast_ref(), Some(Io(_) | PoolTimedOut | PoolClosed)))
        || database_error_number(error).is_some_and(|number| CANNOT_WORK.contains(&number))
}

/// Whether an insert met a UNIQUE key: "somebody was first".
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|e| e.is_unique_violation())
}

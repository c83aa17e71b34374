//! The nodes of a cluster. DATABASE_URL may name several hosts, separated by commas: each of them will do. The pool stays
//! with one as long as it takes work, and goes to the next when it is gone or has lost its cluster.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Connection;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool};
use tokio_util::task::AbortOnDropHandle;

/// The server's number of "WSREP has not yet prepared node for application use": it runs, but outside of a majority.
pub const NO_QUORUM: u16 = 1047;

/// Time between two looks at the node in use.
const LOOK: Duration = Duration::from_millis(500);
/// A node that does not answer in this time is gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// Looks in a row that must fail before another node is looked for: one may fall into a moment of heavy load.
const DOUBT: u32 = 2;
/// A connection to the old node may have been under way when the pool was turned to the next.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// The addresses that a DATABASE_URL stands for: one for each of its hosts.
pub fn each(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    hosts.split(',').map(|host| format!("{scheme}://{user}{}{path}", host.trim())).collect()
}

/// What a node is good for, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Ready,
    /// It answers, and says at once that it takes no work.
    Refuses,
    Gone,
}

/// Whether work is taken at the other end of a connection. Neither a ping nor `SELECT 1` tells: a node without quorum
/// answers both.
pub async fn check(conn: &mut MySqlConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("DO 0").execute(conn).await.map(drop)
}

async fn look_at(node: &MySqlConnectOptions) -> Standing {
    let looked = tokio::time::timeout(PATIENCE, async {
        let mut conn = MySqlConnection::connect_with(node).await?;
        check(&mut conn).await?;
        conn.close().await
    });
    match looked.await {
        Ok(Ok(())) => Standing::Ready,
        Ok(Err(sqlx::Error::Database(_))) => Standing::Refuses,
        Ok(Err(_)) | Err(_) => Standing::Gone,
    }
}

/// The nodes, and the one in use.
pub(super) struct Nodes {
    nodes: Vec<MySqlConnectOptions>,
    used: Mutex<Used>,
}

#[derive(Clone, Copy)]
struct Used {
    node: usize,
    /// When the pool was turned to it; None: it is the first.
    since: Option<Instant>,
}

impl Nodes {
    /// `dress` adds what every connection is made with.
    pub(super) fn of(
        url: &str,
        dress: impl Fn(MySqlConnectOptions) -> MySqlConnectOptions,
    ) -> sqlx::Result<Self> {
        let nodes = each(url).into_iter().map(|url| MySqlConnectOptions::from_str(&url).map(&dress));
        Ok(Self { nodes: nodes.collect::<Result<_, _>>()?, used: Mutex::new(Used { node: 0, since: None }) })
    }

    pub(super) fn first(&self) -> MySqlConnectOptions {
        self.nodes[0].clone()
    }

    fn used(&self) -> Used {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection of this age leads to a node that is not used any more.
    pub(super) fn has_left(&self, age: Duration) -> bool {
        self.used().since.is_some_and(|since| since.elapsed() < age + UNDER_WAY)
    }

    /// Keeps a pool at a node that takes work; None where there is no choice.
    pub(super) fn watch(self: &Arc<Self>, pool: MySqlPool) -> Option<AbortOnDropHandle<()>> {
        (self.nodes.len() > 1).then(|| {
            let nodes = self.clone();
            AbortOnDropHandle::new(tokio::spawn(async move { nodes.keep(pool).await }))
        })
    }

    async fn keep(&self, pool: MySqlPool) {
        let mut failed = 0;
        while !pool.is_closed() {
            tokio::time::sleep(LOOK).await;
            let standing = look_at(&self.nodes[self.used().node]).await;
            failed = if standing == Standing::Ready { 0 } else { failed + 1 };
            if failed >= DOUBT {
                self.leave(&pool, standing).await;
            }
        }
    }

    /// Turns a pool to a node that takes work, if the one in use does not.
    pub(super) async fn choose(&self, pool: &MySqlPool) {
        if self.nodes.len() > 1 {
            self.leave(pool, look_at(&self.nodes[self.used().node]).await).await;
        }
    }

    async fn leave(&self, pool: &MySqlPool, standing: Standing) {
        let node = self.used().node;
        let Some((next, found)) = self.better(node, standing).await else { return };
        tracing::warn!(from = node + 1, to = next + 1, ?standing, ?found, "the database's node was changed");
        pool.set_connect_options(self.nodes[next].clone());
        let since = Some(Instant::now());
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Used { node: next, since };
    }

    /// A node that stands better than the one in use, the next in turn first.
    async fn better(&self, used: usize, standing: Standing) -> Option<(usize, Standing)> {
        let mut best = None;
        if standing == Standing::Ready {
            return best;
        }
        for next in (1..self.nodes.len()).map(|n| (used + n) % self.nodes.len()) {
            let found = look_at(&self.nodes[next]).await;
            if found < best.map_or(standing, |(_, found)| found) {
                best = Some((next, found));
            }
            if found == Standing::Ready {
                break;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_one_host_or_several() {
        let one =
            ["mysql://u:p@h:3306/d", "mysql://u@localhost/d?socket=/run/a,b.sock", "mysql://h/d", "nonsense"];
        for url in one {
            assert_eq!(each(url), [url]);
        }
        let several = each("mysql://u:p%2C@a:3306,b, [::1]:3308/d?ssl-mode=disabled");
        let expected =
            ["a:3306", "b", "[::1]:3308"].map(|h| format!("mysql://u:p%2C@{h}/d?ssl-mode=disabled"));
        assert_eq!(several, expected);
        assert!(several.iter().all(|url| MySqlConnectOptions::from_str(url).is_ok()));
    }
}

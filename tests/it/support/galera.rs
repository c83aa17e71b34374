//! A Galera cluster of the test's own, from scripts/galera: three nodes, to be killed and brought back.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sqlx::mysql::MySqlPool;

use super::skip::skip;
use super::wait::eventually;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/galera");
const LIBRARIES: [&str; 2] = ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so"];

/// Gone with this value, and also when the test is killed: the script waits for the end of its standard input.
pub struct Cluster {
    script: Child,
    home: PathBuf,
    urls: Vec<String>,
}

impl Cluster {
    /// None where this machine has no Galera: the test is noted as skipped.
    pub async fn start() -> Option<Self> {
        if !LIBRARIES.iter().any(|path| Path::new(path).exists()) {
            skip("Galera is not installed (scripts/setup cluster)");
            return None;
        }
        let home = std::env::temp_dir().join(format!("galera-{}", uuid::Uuid::now_v7()));
        let starting = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(SCRIPT);
            command
                .args(["run", "bash", "-c", "echo $GALERA_URLS; exec cat >/dev/null"])
                .env("GALERA_HOME", &home);
            let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
            let urls: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(urls.len(), 3, "the cluster did not start, see above");
            Self { script, home, urls }
        });
        Some(starting.await.unwrap())
    }

    /// The address of a node, 1 to 3, without a database.
    pub fn url(&self, node: usize) -> &str {
        &self.urls[node - 1]
    }

    /// The address of a database, with a node first and the others behind it.
    pub fn url_from(&self, node: usize, database: &str) -> String {
        let hosts: Vec<&str> = (0..3)
            .map(|n| self.urls[(node - 1 + n) % 3].as_str())
            .map(|url| url.rsplit('@').next().unwrap().trim_end_matches('/'))
            .collect();
        let account = self.urls[0].rsplit_once('@').unwrap().0;
        format!("{account}@{}/{database}", hosts.join(","))
    }

    /// Sends SIGKILL to nodes.
    pub async fn kill(&self, nodes: &[usize]) {
        self.script(&["kill"], nodes).await;
    }

    /// Lets a node stand still, and with it every commit of the cluster.
    pub async fn pause(&self, node: usize) {
        self.script(&["kill", "-STOP"], &[node]).await;
    }

    pub async fn resume(&self, node: usize) {
        self.script(&["kill", "-CONT"], &[node]).await;
    }

    /// Starts nodes again, and waits until they have caught up.
    pub async fn restart(&self, nodes: &[usize]) {
        self.script(&["restart"], nodes).await;
    }

    /// Makes one cluster of what is left.
    pub async fn recover(&self) {
        self.script(&["recover"], &[]).await;
    }

    /// Waits until all nodes are in one cluster and take work.
    pub async fn whole(&self) {
        eventually(Duration::from_secs(60), async || match self.run(&["status"], &[]).await {
            output if output.status.success() => Ok(()),
            output => Err(String::from_utf8_lossy(&output.stdout).into_owned()),
        })
        .await;
    }

    async fn script(&self, words: &[&str], nodes: &[usize]) {
        let output = self.run(words, nodes).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn run(&self, words: &[&str], nodes: &[usize]) -> Output {
        let mut command = Command::new(SCRIPT);
        command.args(words).args(nodes.iter().map(usize::to_string)).env("GALERA_HOME", &self.home);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// How often a node had to end a transaction for one of another node: at its commit, or in the middle.
    pub async fn conflicts(&self, node: usize) -> i64 {
        let pool = MySqlPool::connect(self.url(node)).await.unwrap();
        let counters = "SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.global_status \
                        WHERE variable_name IN ('wsrep_local_cert_failures', 'wsrep_local_bf_aborts')";
        let conflicts = sqlx::query_scalar(counters).fetch_one(&pool).await.unwrap();
        pool.close().await;
        conflicts
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        for _ in 0..1500 {
            if self.script.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.script.kill();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

//! A MariaDB of the test's own that writes down every statement and how many rows it looked at: its slow query log with
//! a limit of nothing. The tests' common server is not touched, for what it logs it logs for all.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::mysql::MySqlPool;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};

use super::skip::skip;
use super::wait::eventually;

/// Debian keeps it outside an ordinary user's PATH.
const PATHS: &str = "/usr/local/sbin:/usr/sbin:/sbin";
/// In memory, where there is such a place.
const MEMORY: &str = "/dev/shm";
/// Whose statements are read back: the server's under test, and nobody else's.
const WATCHED: &str = "watched";

pub struct Recorder {
    process: Child,
    folder: PathBuf,
}

/// A statement as it was run, with its values.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub text: String,
    pub examined: i64,
}

impl Recorder {
    /// None, with a note, where MariaDB is not installed.
    pub async fn start() -> Option<Self> {
        let base = if std::path::Path::new(MEMORY).is_dir() { MEMORY.into() } else { std::env::temp_dir() };
        let folder = base.join(format!("usipipo-recorder-{}", uuid::Uuid::now_v7().simple()));
        let data = format!("--datadir={}", folder.join("data").display());
        std::fs::create_dir_all(&folder).unwrap();
        let mut install = program("mariadb-install-db");
        install.args(["--no-defaults", &data, "--auth-root-authentication-method=normal", "--skip-test-db"]);
        match install.arg("--skip-name-resolve").stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Ok(status) => assert!(status.success(), "mariadb-install-db: {status}"),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                skip(&format!("`mariadb-install-db`: {error}"));
                return None;
            }
        }
        let mut server = program("mariadbd");
        server.arg("--no-defaults").arg(data).arg(format!("--socket={}", folder.join("s.sock").display()));
        server.args([
            "--skip-networking",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--default-time-zone=+00:00",
        ]);
        server.args(["--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=2"]);
        server.args(["--slow-query-log=1", "--long-query-time=0", "--log-output=TABLE"]);
        if rustix::process::geteuid().is_root() {
            server.arg("--user=root");
        }
        let process =
            server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let recorder = Self { process, folder };
        let mut root = eventually(Duration::from_secs(60), async || {
            MySqlConnection::connect(&recorder.url("root")).await.map_err(|error| error.to_string())
        })
        .await;
        root.execute(AssertSqlSafe(format!("CREATE USER {WATCHED}@localhost"))).await.unwrap();
        root.execute(AssertSqlSafe(format!("GRANT ALL ON *.* TO {WATCHED}@localhost"))).await.unwrap();
        Some(recorder)
    }

    fn url(&self, user: &str) -> String {
        let socket = self.folder.join("s.sock");
        format!("mysql://{user}@localhost/?socket={}", socket.to_str().unwrap().replace('/', "%2F"))
    }

    /// For the tests' own statements.
    pub fn server(&self) -> String {
        self.url("root")
    }

    /// The address of a database there by which what is run in it is recorded.
    pub fn watched(&self, database: &str) -> String {
        database.replace("//root@", &format!("//{WATCHED}@"))
    }

    /// Forgets what was recorded so far.
    pub async fn forget(&self, pool: &MySqlPool) {
        pool.execute("TRUNCATE TABLE mysql.slow_log").await.unwrap();
    }

    /// What was run since, in order.
    pub async fn recorded(&self, pool: &MySqlPool) -> Vec<Recorded> {
        // Binary values are no text: they are only looked at.
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT CAST(sql_text AS BINARY), CAST(rows_examined AS SIGNED) FROM mysql.slow_log WHERE user_host LIKE 'watched%' \
             ORDER BY start_time",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        rows.into_iter().map(|(sql, examined)| Recorded { text: text(sql), examined }).collect()
    }
}

fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:{PATHS}"));
    command
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

//! The real program, run as an operator runs it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// What was printed by a command that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// What was complained about by a command that must have failed so.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked") && !self.err.contains("stack backtrace"), "{}", self.err);
        self.err
    }
}

/// An operator's shell: an environment, and a folder that is empty at first.
pub struct Shell {
    pub variables: Vec<(&'static str, String)>,
    pub folder: PathBuf,
}

impl Shell {
    pub fn new(variables: Vec<(&'static str, String)>) -> Self {
        let folder = std::env::temp_dir().join(format!("shell-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        Self { variables, folder }
    }

    /// Everything that a command needs, over this database.
    pub fn over(database_url: &str) -> Self {
        Self::new(vec![
            ("PUBLIC_URL", "https://vpn.example.com".to_owned()),
            ("DATABASE_URL", database_url.to_owned()),
            ("CLIENT_BOT_TOKEN", format!("1001:{}", "c".repeat(35))),
            ("TELEGRAM_WEBHOOK_SECRET", "0123456789abcdef".to_owned()),
            ("SUPERADMIN_TELEGRAM_IDS", "1".to_owned()),
            ("ENCRYPTION_KEYS", format!("k1:{}=", "A".repeat(43))),
        ])
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.retain(|(set, _)| *set != name);
        self.variables.push((name, value.into()));
    }

    /// Runs `usipipo` with these arguments.
    pub async fn run(&self, args: &[&str]) -> Ended {
        self.pipe(args, "").await
    }

    /// As [`Shell::run`], with something on standard input.
    pub async fn pipe(&self, args: &[&str], input: &str) -> Ended {
        let mut command = self.command(args);
        let input = input.to_owned();
        let running = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // A command that reads nothing may have ended already.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        });
        let output = running.await.unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The command, to be started in another way.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_usipipo")));
        command.args(args).current_dir(&self.folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("RUST_BACKTRACE", "1");
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

//! Programs that run beside the test, and are asked to end as an operator asks them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::wait::eventually;

/// A program that runs; killed when dropped.
pub struct Process {
    child: Child,
    /// What it has printed so far.
    out: Arc<Mutex<String>>,
}

impl Process {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = Arc::new(Mutex::new(String::new()));
        let (kept, stdout) = (out.clone(), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self { child, out }
    }

    pub fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// Waits until it has printed a line that holds `part`; gives the line.
    pub async fn printed(&mut self, part: &str) -> String {
        let (out, child) = (self.out.clone(), Mutex::new(&mut self.child));
        eventually(Duration::from_secs(120), async || {
            let text = out.lock().unwrap().clone();
            let ended = child.lock().unwrap().try_wait().unwrap();
            assert!(ended.is_none() || text.contains(part), "it ended: {ended:?}\n{text}");
            text.lines().find(|line| line.contains(part)).map(str::to_owned).ok_or(text)
        })
        .await
    }

    /// Sends `TERM` or `INT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = Mutex::new(&mut self.child);
        eventually(Duration::from_secs(60), async || child.lock().unwrap().try_wait().unwrap()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

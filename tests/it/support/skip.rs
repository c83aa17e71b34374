//! Skipping a test that this machine cannot run, so that everybody sees it: `make test` lists the reasons at the end
//! and counts these tests apart from those that passed (scripts/run-tests).

use std::fs::OpenOptions;
use std::io::Write;

/// Notes that the calling test cannot run here, and why. The caller returns right after.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    eprintln!("SKIPPED {test}: {reason}");
    if let Some(file) = std::env::var_os("TEST_SKIPS") {
        let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
        // One write: tests of many processes append to this file at once.
        file.write_all(format!("{test}: {reason}\n").as_bytes()).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Skips for real, in a second process of this very test, so that this run counts no skipped test.
    #[test]
    fn leaves_a_note() {
        if std::env::var_os("SKIP_IN_HERE").is_some() {
            return skip("no such device");
        }
        let notes = std::env::temp_dir().join(format!("skips-{}", uuid::Uuid::now_v7()));
        let name = std::thread::current().name().unwrap().to_owned();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name])
            .env("SKIP_IN_HERE", "1")
            .env("TEST_SKIPS", &notes)
            .output()
            .unwrap();
        assert!(child.status.success());
        assert_eq!(std::fs::read_to_string(&notes).unwrap(), format!("{name}: no such device\n"));
        std::fs::remove_file(notes).unwrap();
    }
}

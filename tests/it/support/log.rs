//! What the process logs while the tests run, kept in memory, so that a test can read its own lines and look for
//! secrets. One subscriber for all: tracing forgets a subscriber of one thread when another thread logs first.

use std::io;
use std::sync::{Mutex, Once};

use serde_json::Value;
use usipipo::config::{LogFormat, LoggingConfig};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Starts keeping what is logged, as `serve` would write it.
pub fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let config = LoggingConfig { format: LogFormat::Json, filter: "info,usipipo=debug".into() };
        let subscriber = usipipo::telemetry::subscriber(&config, || Kept, false);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// The lines that hold `text`, such as an id that only one test uses.
pub fn lines_with(text: &str) -> Vec<Value> {
    let log = LOG.lock().unwrap();
    let lines = std::str::from_utf8(&log).unwrap().lines();
    lines.filter(|line| line.contains(text)).map(|line| serde_json::from_str(line).unwrap()).collect()
}

struct Kept;

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Which machine this process runs on. A WireGuard interface is a part of one machine: another one that opened it would
//! make a second interface with the same key, so only copies of the server at its home drive it.

use std::fs;

use sha2::{Digest, Sha256};

/// A machine, as copies of the server tell machines apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Hex. Lasts as long as the machine, and says nothing of it.
    pub id: String,
    /// What operators call it.
    pub name: String,
}

/// Written once when a system is installed (machine-id(5)).
const MACHINE_ID: &str = "/etc/machine-id";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// As much of a name is kept.
const NAME_CHARS: usize = 64;

impl Machine {
    /// The machine that calls itself `given`, else the one of `/etc/machine-id`, else of the host name.
    pub fn this(given: Option<&str>) -> Self {
        let host_name = read(HOST_NAME).unwrap_or_else(|| "unnamed".to_owned());
        let name = given.map_or_else(|| host_name.clone(), str::to_owned);
        let mark = given.map(str::to_owned).or_else(|| read(MACHINE_ID)).unwrap_or(host_name);
        // machine-id(5) asks not to show the id itself.
        let id = hex::encode(&Sha256::digest(format!("usipipo machine {mark}"))[..16]);
        Self { id, name: name.chars().take(NAME_CHARS).collect() }
    }
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty() && text != "uninitialized")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_the_same_every_time_and_another_one_under_another_name() {
        assert_eq!(Machine::this(None), Machine::this(None));
        let (one, other) = (Machine::this(Some("one")), Machine::this(Some("other")));
        assert_eq!((one.name.as_str(), one.id.len()), ("one", 32));
        assert!(one.id != other.id && one.id != Machine::this(None).id);
    }
}

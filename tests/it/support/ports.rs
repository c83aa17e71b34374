//! Addresses for servers that are started, killed and started again. A port that the system chose would be free for
//! others whenever its server is dead: for another test, or as the near end of any connection. These lie below the
//! range that connections are made from, and each belongs to one test process until it ends.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Mutex;

/// Below those that `scripts/galera` gives to its nodes.
const RANGE: std::ops::Range<u16> = 10_000..20_000;

/// The locks on the ports of this process; the system lets go of them when it ends.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// An address on loopback that nobody else will listen at.
pub fn address() -> SocketAddr {
    let folder = std::env::temp_dir().join("usipipo-test-ports");
    fs::create_dir_all(&folder).unwrap();
    loop {
        let port = rand::random_range(RANGE);
        let lock = File::create(folder.join(port.to_string())).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if lock.try_lock().is_ok() && TcpListener::bind(address).is_ok() {
            HELD.lock().unwrap().push(lock);
            return address;
        }
    }
}

//! Two hosts on this machine: network namespaces joined by a cable, everything in them ended with the value.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::skip::skip;
use crate::support::wait::eventually;

/// The server's address on the cable.
pub const SERVER: &str = "10.77.0.1";
/// Addresses of the host on the far side of the server: on the internet, and in the server's own surroundings.
pub const BEYOND: &str = "203.0.113.2";
pub const NEIGHBOUR: &str = "192.168.78.2";
/// The server's own address there.
pub const SERVER_INSIDE: &str = "192.168.78.1";

static NEXT: AtomicU32 = AtomicU32::new(0);

pub struct Hosts {
    pub server: String,
    pub client: String,
    /// Also unique: the control socket of a userspace interface is seen by the whole machine.
    pub server_interface: String,
    /// A third host, on the far side of the server.
    beyond: String,
    client_interface: String,
    /// Ended with the namespaces that they live in.
    processes: Mutex<Vec<Child>>,
}

impl Hosts {
    /// None, with a note, where this machine cannot do it.
    pub fn new() -> Option<Self> {
        let unique = format!("{}{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let hosts = Self {
            server: format!("usi{unique}s"),
            client: format!("usi{unique}c"),
            server_interface: format!("ws{unique}"),
            beyond: format!("usi{unique}b"),
            client_interface: format!("wc{unique}"),
            processes: Mutex::default(),
        };
        if let Some(reason) = hosts.missing() {
            skip(&reason);
            return None;
        }
        hosts.join();
        Some(hosts)
    }

    fn missing(&self) -> Option<String> {
        if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
            return Some(format!("/dev/net/tun: {error}"));
        }
        for program in ["ip", "wg", "wg-quick", "wireguard-go", "ping"] {
            if run("sh", &["-c", &format!("command -v {program}")], None).is_err() {
                return Some(format!("`{program}` is not installed"));
            }
        }
        run("ip", &["netns", "add", &self.server], None)
            .err()
            .map(|error| format!("no network namespaces: {error}"))
    }

    fn join(&self) {
        self.plug(&self.client, SERVER, "10.77.0.2");
    }

    /// Adds a host that only the server reaches and that knows no way back into the tunnel.
    pub fn add_host_beyond(&self) {
        self.plug(&self.beyond, "203.0.113.1", BEYOND);
        for (host, address) in [(&self.server, SERVER_INSIDE), (&self.beyond, NEIGHBOUR)] {
            let address = format!("{address}/24");
            run("ip", &["-n", host, "addr", "add", &address, "dev", &self.beyond], None).unwrap();
        }
    }

    /// A cable between the server and a new host.
    fn plug(&self, host: &str, server_address: &str, address: &str) {
        let server = &self.server;
        let steps = [
            format!("netns add {host}"),
            format!("link add {host} netns {server} type veth peer name {host} netns {host}"),
            format!("-n {server} addr add {server_address}/24 dev {host}"),
            format!("-n {host} addr add {address}/24 dev {host}"),
            format!("-n {server} link set {host} up"),
            format!("-n {host} link set {host} up"),
        ];
        for step in steps {
            run("ip", &step.split(' ').collect::<Vec<_>>(), None).unwrap();
        }
    }

    /// Runs a command on the server, as an operator would.
    pub fn on_server(&self, command: &[&str]) -> Result<String, String> {
        run("ip", &[&["netns", "exec", &self.server], command].concat(), None)
    }

    pub fn wg(&self, args: &[&str]) -> String {
        self.on_server(&[&["wg"], args].concat()).unwrap()
    }

    /// Does on the server what `wg-quick@.service` does at boot.
    pub fn wg_quick_up(&self, conf: &Path) {
        self.on_server(&["wg-quick", "up", conf.to_str().unwrap()]).unwrap();
    }

    /// Makes the client's tunnel of a `.conf`, as it was handed out, in the way of `wg-quick up`. (Its DNS line is for
    /// a resolver that a namespace does not have.)
    pub async fn connect(&self, conf: &str) {
        let (netns, interface) = (self.client.as_str(), self.client_interface.as_str());
        let folder = std::env::temp_dir().join(netns);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{interface}.conf"));
        std::fs::write(&file, conf).unwrap();
        let stripped = run("wg-quick", &["strip", file.to_str().unwrap()], None).unwrap();
        std::fs::remove_dir_all(folder).unwrap();

        if run("ip", &["-n", netns, "link", "show", interface], None).is_err() {
            let mut userspace = Command::new("ip");
            userspace.args(["netns", "exec", netns, "wireguard-go", "--foreground", interface]);
            userspace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            self.processes.lock().unwrap().push(userspace.spawn().unwrap());
            let up = async || std::os::unix::net::UnixStream::connect(socket(interface)).is_ok();
            eventually(Duration::from_secs(20), up).await;
        }
        run("ip", &["netns", "exec", netns, "wg", "setconf", interface, "/dev/stdin"], Some(&stripped))
            .unwrap();
        let values = |name: &str| {
            let prefix = format!("{name} = ");
            let line = conf
                .lines()
                .find_map(|line| line.strip_prefix(&prefix))
                .unwrap_or_else(|| panic!("no {name}"));
            line.split(", ").map(str::to_owned).collect::<Vec<_>>()
        };
        for address in values("Address") {
            run("ip", &["-n", netns, "addr", "replace", &address, "dev", interface], None).unwrap();
        }
        run("ip", &["-n", netns, "link", "set", interface, "mtu", &values("MTU")[0], "up"], None).unwrap();
        for route in values("AllowedIPs") {
            run("ip", &["-n", netns, "route", "replace", &route, "dev", interface], None).unwrap();
        }
    }

    /// Sends that many echo requests of 1,000 bytes through the tunnel, and gets them back.
    pub fn flood(&self, address: &str, count: u32) {
        let count = count.to_string();
        let ping = ["netns", "exec", &self.client, "ping", "-q", "-i0.002", "-s1000", "-c", &count, address];
        run("ip", &ping, None).unwrap();
    }

    /// Whether the server's tunnel address answers the client within a second.
    pub fn ping(&self, address: &str) -> bool {
        run("ip", &["netns", "exec", &self.client, "ping", "-c1", "-W1", address], None).is_ok()
    }

    /// Whether somebody accepts the client's connection.
    pub fn connects(&self, address: &str, port: u16) -> bool {
        let connect = format!("exec 3<>/dev/tcp/{address}/{port}");
        run("ip", &["netns", "exec", &self.client, "timeout", "1", "bash", "-c", &connect], None).is_ok()
    }

    /// Somebody who accepts connections on the server, whatever they say.
    pub async fn listen_on_server(&self, port: u16) {
        let accept = port.to_string();
        self.on_server(&["ip", "link", "set", "lo", "up"]).unwrap();
        let mut listener = Command::new("ip");
        listener.args(["netns", "exec", &self.server, "openssl", "s_server", "-www", "-nocert"]);
        listener.args(["-accept", &accept]);
        let listener = listener.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.processes.lock().unwrap().push(listener.unwrap());
        let up =
            async || self.on_server(&["bash", "-c", &format!("exec 3<>/dev/tcp/127.0.0.1/{port}")]).is_ok();
        eventually(Duration::from_secs(20), up).await;
    }

    pub async fn pings(&self, address: &str) {
        eventually(Duration::from_secs(60), async || self.ping(address)).await;
    }

    /// Ends the server's `wireguard-go` like a reboot or the kernel's OOM killer: the interface goes with it.
    pub async fn kill_tunnel(&self) {
        end_all(&self.server);
        let gone =
            async || run("ip", &["-n", &self.server, "link", "show", &self.server_interface], None).is_err();
        eventually(Duration::from_secs(20), gone).await;
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for netns in [&self.server, &self.client, &self.beyond] {
            end_all(netns);
            let _ = run("ip", &["netns", "del", netns], None);
        }
        for interface in [&self.server_interface, &self.client_interface] {
            let _ = std::fs::remove_file(socket(interface));
        }
        for process in self.processes.get_mut().unwrap() {
            let _ = process.wait();
        }
    }
}

/// Where a userspace interface listens for `wg`.
fn socket(interface: &str) -> String {
    format!("/var/run/wireguard/{interface}.sock")
}

/// Ends every process in a namespace of ours.
fn end_all(netns: &str) {
    for pid in run("ip", &["netns", "pids", netns], None).unwrap_or_default().split_whitespace() {
        let _ = run("kill", &["-9", pid], None);
    }
}

fn run(program: &str, args: &[&str], stdin: Option<&str>) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut input = child.stdin.take().unwrap();
    // A program that has ended already says more by itself.
    let _ = input.write_all(stdin.unwrap_or_default().as_bytes());
    drop(input);
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    Err(format!("{program} {args:?}: {}", String::from_utf8_lossy(&stderr)))
}

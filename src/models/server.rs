//! VPN servers.

use crate::clock::Timestamp;
use crate::ids::ServerId;
use crate::machine::Machine;
use crate::models::vpn::Protocol;

text_enum! {
    ServerHealth {
        Unknown = "unknown",
        Up = "up",
        Down = "down",
    }
}

/// A row of `servers`. The secret part stays encrypted here.
#[derive(Clone, Debug)]
pub struct Server {
    pub id: ServerId,
    pub name: String,
    pub protocol: Protocol,
    pub location: String,
    /// JSON of the backend's settings.
    pub settings: String,
    pub secret: Vec<u8>,
    pub secret_key_id: String,
    pub capacity: u32,
    pub active: bool,
    pub health: ServerHealth,
    pub health_detail: Option<String>,
    pub health_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub removed_at: Option<Timestamp>,
    /// Where it lives, if it is a part of one machine.
    pub machine: Option<String>,
    pub machine_name: Option<String>,
}

impl Server {
    /// The machine it lives on, when that is not `here`.
    pub fn elsewhere(&self, here: &Machine) -> Option<Machine> {
        let id = self.machine.clone().filter(|id| *id != here.id)?;
        Some(Machine { id, name: self.machine_name.clone().unwrap_or_default() })
    }
}

/// A server that is about to be stored; its secret part is sealed apart.
#[derive(Clone, Debug)]
pub struct NewServer {
    pub name: String,
    pub protocol: Protocol,
    pub location: String,
    pub settings: String,
    pub capacity: u32,
}

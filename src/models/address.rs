//! Address pools.

use crate::ids::{ConfigId, PoolId, ServerId};

text_enum! {
    PoolKind {
        Trial = "trial",
        Paid = "paid",
    }
}

/// A row of `address_pools`.
#[derive(Clone, Debug)]
pub struct AddressPool {
    pub id: PoolId,
    pub server_id: ServerId,
    pub kind: PoolKind,
    pub cidr4: String,
    pub cidr6: Option<String>,
}

/// An address that a config holds, as host number in its pool's networks.
#[derive(Clone, Debug)]
pub struct Lease {
    pub config_id: ConfigId,
    pub host: u32,
    pub cidr4: String,
    pub cidr6: Option<String>,
}

/// How full the pools of a server and kind are.
#[derive(Clone, Debug)]
pub struct PoolLevel {
    pub server: String,
    pub kind: PoolKind,
    pub size: i64,
    /// That can be leased now.
    pub free: i64,
}

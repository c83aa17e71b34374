//! Address pools.

use crate::ids::{PoolId, ServerId};

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

//! Questions that a bot asked and waits to have answered.

use serde::{Deserialize, Serialize};

use crate::ids::ConfigId;

/// What the next message in a chat answers. Stored as JSON; a row of an older version must still parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "dialog", rename_all = "snake_case")]
pub enum Dialog {
    /// The new name of a config.
    RenameConfig { config_id: ConfigId },
}

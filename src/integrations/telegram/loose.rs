//! Deserializers for what is nice to have: a value of an unexpected shape is left out instead of losing the rest.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The value, or its type's default when it has another shape.
pub fn loosely<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(from)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// The elements of a list that have the expected shape.
pub fn each<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let rows: Vec<&RawValue> = loosely(from)?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str(row.get()).ok()).collect())
}

/// The value, or its type's default for an explicit null; another shape is an error.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

//! The outermost object of an update: its id, and its fields as unread JSON.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{HANDLED, Unreadable, shortened};

/// An update whose syntax is good and whose id is known, its content still unread.
pub(super) struct Parts<'a> {
    pub update_id: i64,
    fields: Vec<(String, &'a RawValue)>,
}

impl<'a> Parts<'a> {
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        let mut seen = Seen { update_id: None, fields: Vec::new() };
        let mut json = serde_json::Deserializer::from_str(text);
        let whole = (&mut seen).deserialize(&mut json).and_then(|()| json.end());
        if let Err(error) = whole {
            return Err(Unreadable { reason: reason("body", &error), update_id: seen.update_id });
        }
        let update_id = seen.update_id.ok_or_else(|| Unreadable {
            reason: "body: there is no update_id".to_owned(),
            update_id: None,
        })?;
        Ok(Self { update_id, fields: seen.fields })
    }

    /// The field that says what happened: the one we handle, else the first there is.
    pub fn the_one(&self) -> Result<(&str, &'a RawValue), String> {
        let mut handled = self.fields.iter().filter(|(name, _)| HANDLED.contains(&name.as_str()));
        match (handled.next(), handled.next()) {
            (Some((one, _)), Some((two, _))) => Err(format!("the update is both {one} and {two}")),
            (Some((name, raw)), None) => Ok((name, raw)),
            (None, _) => Ok(self.fields.first().map_or(("", RawValue::NULL), |(name, raw)| (name, raw))),
        }
    }
}

/// Reads one field of the update; the error names the field.
pub(super) fn part<'a, T: Deserialize<'a>>(name: &str, raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| reason(name, &error))
}

/// serde_json quotes the value it stumbled over, which can be as long as the body.
fn reason(place: &str, error: &serde_json::Error) -> String {
    shortened(&format!("{place}: {error}"), 300)
}

/// What was seen of the object, kept also when reading fails half-way.
struct Seen<'a> {
    update_id: Option<i64>,
    fields: Vec<(String, &'a RawValue)>,
}

impl<'de> DeserializeSeed<'de> for &mut Seen<'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Seen<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an update")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "update_id" {
                let id = map.next_value::<i64>()?;
                if id < 0 {
                    return Err(A::Error::custom("update_id is negative"));
                }
                if self.update_id.replace(id).is_some() {
                    self.update_id = None;
                    return Err(A::Error::custom("update_id is there twice"));
                }
                continue;
            }
            let raw = map.next_value::<&RawValue>()?;
            // An explicit null is as good as absent.
            if raw.get() != "null" {
                self.fields.push((name, raw));
            }
        }
        Ok(())
    }
}

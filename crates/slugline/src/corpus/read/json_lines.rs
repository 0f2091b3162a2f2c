//! JSON lines.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::fields::Fields;
use super::layout::Layout;
use super::lines::LineFormat;
use super::options::ReadOptions;
use super::row::Row;
use crate::corpus::Place;

/// How one JSON object a line is read.
pub(super) struct JsonLines {
    fields: Fields,
}

impl JsonLines {
    pub(super) fn new(layout: &Layout, options: &ReadOptions) -> Self {
        Self { fields: Fields::new(layout, options) }
    }
}

impl LineFormat for JsonLines {
    fn row(&self, line: &str, place: Place) -> Result<Row, String> {
        self.fields.row(values(line, &self.fields.names)?, place)
    }
}

/// The values of the wanted keys of an object.
fn values(line: &str, keys: &[String]) -> Result<Vec<Option<Value>>, String> {
    let mut json = serde_json::Deserializer::from_str(line);
    let broken = |e: serde_json::Error| format!("expected a JSON object: {e}");
    let values = Wanted(keys).deserialize(&mut json).map_err(broken)?;
    json.end().map_err(broken)?;
    Ok(values)
}

/// Takes the wanted keys out of an object and passes over the others.
struct Wanted<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Vec<Option<Value>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Vec<Option<Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        while let Some(key) = map.next_key::<String>()? {
            match self.0.iter().position(|wanted| *wanted == key) {
                Some(i) => values[i] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(values)
    }
}

//! JSON lines.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::error::ReadError;
use super::fields::Fields;
use super::layout::Layout;
use super::options::ReadOptions;
use super::row::Row;
use super::source::{Line, Lines, Stream};
use crate::corpus::Place;

/// The rows of a file with one JSON object a line.
pub(super) struct JsonLines {
    lines: Lines,
    source: Arc<str>,
    fields: Fields,
}

impl JsonLines {
    pub(super) fn new(
        source: &Arc<str>,
        layout: &Layout,
        options: &ReadOptions,
        stream: Stream,
    ) -> Self {
        let fields = Fields::new(layout, options);
        Self { lines: Lines::new(stream), source: Arc::clone(source), fields }
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        loop {
            let line = match self.lines.next_line() {
                Ok(Line::End) => return None,
                Ok(Line::Bytes(line)) if line.trim_ascii().is_empty() => continue,
                Ok(Line::Bytes(line)) => values(line, &self.fields.names),
                Ok(Line::TooLong) => Err("the line is longer than 64 MiB".into()),
                Err(e) => return Some(Err(ReadError::io(&self.source)(e))),
            };
            let place = Place { source: Arc::clone(&self.source), row: self.lines.number() };
            let row = line.and_then(|values| self.fields.row(values, place.clone()));
            return Some(row.map_err(|problem| ReadError::Row { place, problem }));
        }
    }
}

/// The values of the wanted keys of an object.
fn values(line: &[u8], keys: &[String]) -> Result<Vec<Option<Value>>, String> {
    let line = std::str::from_utf8(line)
        .map_err(|e| format!("the line is not UTF-8 at byte {}", e.valid_up_to()))?;
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

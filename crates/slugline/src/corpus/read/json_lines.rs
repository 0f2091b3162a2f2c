//! JSON lines.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::error::ReadError;
use super::layout::Layout;
use super::options::{LabelUse, ReadOptions};
use super::row::{Row, RowLabels, excerpt, labels_of_field, part_of_field, weight_of_field};
use super::source::{Line, Lines, Stream};
use crate::corpus::Place;

/// The rows of a file with one JSON object a line.
pub(super) struct JsonLines {
    lines: Lines,
    source: Arc<str>,
    /// The keys that are wanted: those of the text, then label, weight and part.
    keys: Vec<String>,
    texts: usize,
    label: Option<usize>,
    weight: Option<usize>,
    split: Option<usize>,
    separator: Option<String>,
}

impl JsonLines {
    pub(super) fn new(
        source: &Arc<str>,
        layout: &Layout,
        options: &ReadOptions,
        stream: Stream,
    ) -> Self {
        let mut keys = layout.text.clone();
        let texts = keys.len();
        let label = layout.label.as_ref().filter(|_| options.labels != LabelUse::Ignored);
        let mut want = |key: Option<&String>| {
            key.map(|key| {
                keys.push(key.clone());
                keys.len() - 1
            })
        };
        let (label, weight, split) =
            (want(label), want(layout.weight.as_ref()), want(layout.split.as_ref()));
        let (source, separator) = (Arc::clone(source), options.label_separator.clone());
        Self { lines: Lines::new(stream), source, keys, texts, label, weight, split, separator }
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        loop {
            let line = match self.lines.next_line() {
                Ok(Line::End) => return None,
                Ok(Line::Bytes(line)) if line.trim_ascii().is_empty() => continue,
                Ok(Line::Bytes(line)) => values(line, &self.keys),
                Ok(Line::TooLong) => Err("the line is longer than 64 MiB".into()),
                Err(e) => return Some(Err(ReadError::io(&self.source)(e))),
            };
            let place = Place { source: Arc::clone(&self.source), row: self.lines.number() };
            let row = line.and_then(|values| self.row(values, place.clone()));
            return Some(row.map_err(|problem| ReadError::Row { place, problem }));
        }
    }

    fn row(&self, mut values: Vec<Option<Value>>, place: Place) -> Result<Row, String> {
        let mut take = |i: usize| {
            let value = values[i].take();
            value.ok_or_else(|| format!("there is no key `{}`", self.keys[i]))
        };
        let mut text = String::new();
        for i in 0..self.texts {
            if i > 0 {
                text.push('\n');
            }
            match take(i)? {
                Value::String(part) if text.is_empty() => text = part,
                Value::String(part) => text.push_str(&part),
                Value::Null => {}
                other => return Err(self.unexpected(i, "a text", &other)),
            }
        }
        let labels = match self.label {
            None => RowLabels::None,
            Some(i) => self.labels(i, take(i)?)?,
        };
        let weight = match self.weight.map(|i| take(i).map(|value| (i, value))).transpose()? {
            None => None,
            Some((_, Value::Number(n))) => Some(weight_of_field(&n.to_string())?),
            Some((_, Value::String(s))) => Some(weight_of_field(&s)?),
            Some((i, other)) => return Err(self.unexpected(i, "a weight", &other)),
        };
        let part = match self.split.map(|i| take(i).map(|value| (i, value))).transpose()? {
            None => None,
            Some((_, Value::String(s))) => Some(part_of_field(&s)?),
            Some((i, other)) => {
                return Err(self.unexpected(i, "train, validation or test", &other));
            }
        };
        Ok(Row { text, labels, weight, part, place })
    }

    fn labels(&self, i: usize, value: Value) -> Result<RowLabels, String> {
        let one = |value: Value| match value {
            Value::String(s) if !s.trim().is_empty() => Ok(s.trim().to_owned()),
            Value::Number(n) => Ok(n.to_string()),
            Value::Bool(b) => Ok(b.to_string()),
            Value::String(_) | Value::Null => Err("the label is empty".to_owned()),
            other => Err(self.unexpected(i, "a label", &other)),
        };
        match value {
            Value::String(s) => labels_of_field(&s, self.separator.as_deref()),
            Value::Array(list) => {
                Ok(RowLabels::Many(list.into_iter().map(one).collect::<Result<_, _>>()?))
            }
            Value::Object(shares) => {
                let mut all = Vec::with_capacity(shares.len());
                for (name, share) in shares {
                    match share.as_f64().filter(|share| share.is_finite() && *share >= 0.0) {
                        Some(share) => all.push((name, share)),
                        None => return Err(self.unexpected(i, "a share of at least 0", &share)),
                    }
                }
                let sum: f64 = all.iter().map(|(_, share)| share).sum();
                if !(sum > 0.0 && sum.is_finite()) {
                    return Err(format!("the shares of the classes sum to {sum}"));
                }
                Ok(RowLabels::Shares(all))
            }
            other => one(other).map(RowLabels::One),
        }
    }

    fn unexpected(&self, i: usize, expected: &str, found: &Value) -> String {
        format!("expected {expected} in `{}`, found {}", self.keys[i], excerpt(&found.to_string()))
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
            // One key may be wanted for two things.
            let mut wanted = (0..self.0.len()).filter(|&i| self.0[i] == key);
            if let Some(first) = wanted.next() {
                let value: Value = map.next_value()?;
                wanted.for_each(|i| values[i] = Some(value.clone()));
                values[first] = Some(value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values)
    }
}

//! Rows out of named values: objects of JSON lines, rows of columns.

use serde_json::Value;

use super::layout::Layout;
use super::options::ReadOptions;
use super::roles::Roles;
use super::row::{Row, RowLabels, excerpt, labels_of_field, part_of_field, weight_of_field};
use crate::corpus::Place;

/// The values that a row is made of, by name, and which of them is what.
pub(super) struct Fields {
    /// The names that are wanted, each once.
    pub(super) names: Vec<String>,
    roles: Roles,
}

impl Fields {
    pub(super) fn new(layout: &Layout, options: &ReadOptions) -> Self {
        let mut names: Vec<String> = Vec::new();
        let roles = Roles::new(layout, options, |name| {
            Some(names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            }))
        });
        Self { names, roles }
    }

    /// The row of some values, in the order of the names; `None` for one that is not there.
    pub(super) fn row(&self, mut values: Vec<Option<Value>>, place: Place) -> Result<Row, String> {
        let kept = self.roles.keep.iter().map(|&i| values[i].clone().unwrap_or_default()).collect();
        // A value may be wanted twice, as label and as part: texts alone are worth taking out.
        let get = |i: usize| {
            let value = values[i].as_ref();
            value.ok_or_else(|| format!("there is no key `{}`", self.names[i]))
        };
        let labels = match self.roles.label {
            None => RowLabels::None,
            Some(i) => self.labels(i, get(i)?)?,
        };
        let weight = match self.roles.weight.map(|i| get(i).map(|value| (i, value))).transpose()? {
            None => None,
            Some((_, Value::Number(n))) => Some(weight_of_field(&n.to_string())?),
            Some((_, Value::String(s))) => Some(weight_of_field(s)?),
            Some((i, other)) => return Err(self.unexpected(i, "a weight", other)),
        };
        let part = match self.roles.split.map(|i| get(i).map(|value| (i, value))).transpose()? {
            None => None,
            Some((_, Value::String(s))) => Some(part_of_field(s)?),
            Some((i, other)) => {
                return Err(self.unexpected(i, "train, validation or test", other));
            }
        };
        let mut text = String::new();
        for (number, &i) in self.roles.text.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            match values[i].take() {
                Some(Value::String(part)) if text.is_empty() => text = part,
                Some(Value::String(part)) => text.push_str(&part),
                Some(Value::Null) => {}
                Some(other) => return Err(self.unexpected(i, "a text", &other)),
                None => return Err(format!("there is no key `{}`", self.names[i])),
            }
        }
        Ok(Row { text, labels, weight, part, place, kept })
    }

    fn labels(&self, i: usize, value: &Value) -> Result<RowLabels, String> {
        let one = |value: &Value| match value {
            Value::String(s) if !s.trim().is_empty() => Ok(s.trim().to_owned()),
            Value::Number(n) => Ok(n.to_string()),
            Value::Bool(b) => Ok(b.to_string()),
            Value::String(_) | Value::Null => Err("the label is empty".to_owned()),
            other => Err(self.unexpected(i, "a label", other)),
        };
        match value {
            Value::String(s) => labels_of_field(s, self.roles.separator.as_deref()),
            Value::Array(list) => {
                Ok(RowLabels::Many(list.iter().map(one).collect::<Result<_, _>>()?))
            }
            Value::Object(shares) => {
                let mut all = Vec::with_capacity(shares.len());
                for (name, share) in shares {
                    match share.as_f64().filter(|share| share.is_finite() && *share >= 0.0) {
                        Some(share) => all.push((name.clone(), share)),
                        None => return Err(self.unexpected(i, "a share of at least 0", share)),
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
        format!("expected {expected} in `{}`, found {}", self.names[i], excerpt(&found.to_string()))
    }
}

//! Tensors of texts and numbers, in JSON or in binary behind it.
//!
//! In binary an element of `BYTES` is its length, four bytes from the lowest on, and its bytes; one of
//! `FP32` is its four bytes from the lowest on. `Inference-Header-Content-Length` says where JSON ends.

use axum::http::HeaderMap;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::super::invalid;
use crate::body::content_type;
use crate::problem::{Code, Problem};

/// How many bytes of a body are JSON.
pub(crate) const HEADER_LENGTH: &str = "inference-header-content-length";

/// What the header says of where JSON ends.
pub(super) fn header_length(headers: &HeaderMap) -> Result<Option<usize>, Problem> {
    let Some(value) = headers.get(HEADER_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    length.and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| {
        let detail = "The header Inference-Header-Content-Length is no whole number.";
        Problem::new(Code::BadRequest, detail)
    })
}

/// Checks that a body is said to be what the protocol sends: clients of it often say nothing.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(kind) = content_type(headers) else { return Ok(()) };
    match kind.as_str() {
        "application/json" | "application/octet-stream" => Ok(()),
        _ => Err(Problem::new(
            Code::UnsupportedMediaType,
            format!(
                "The content-type is `{kind}`; send application/json, or application/octet-stream where \
                 tensors follow the JSON."
            ),
        )),
    }
}

/// A body in its two parts.
pub(super) struct Split<'a> {
    pub(super) header: &'a [u8],
    pub(super) binary: &'a [u8],
}

impl<'a> Split<'a> {
    pub(super) fn of(body: &'a [u8], header_length: Option<usize>) -> Result<Self, Problem> {
        let (header, binary) =
            body.split_at_checked(header_length.unwrap_or(body.len())).ok_or_else(|| {
                Problem::new(
                    Code::BadRequest,
                    format!(
                        "Inference-Header-Content-Length is more than the {} bytes of the body.",
                        body.len()
                    ),
                )
            })?;
        Ok(Self { header, binary })
    }
}

/// What is an object in JSON: a list of its fields in order, which would do for one, is refused.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        T::deserialize(Value::Object(fields)).map(Self).map_err(D::Error::custom)
    }
}

/// A tensor that is sent to the service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `name`, `shape`, `datatype` and `data`")]
pub(super) struct Input {
    pub(super) name: String,
    shape: Vec<Value>,
    datatype: String,
    data: Option<Value>,
    #[serde(default)]
    parameters: Map<String, Value>,
}

impl Input {
    /// The texts that it holds.
    pub(super) fn texts(&self, binary: &[u8]) -> Result<Vec<String>, Problem> {
        if self.datatype != "BYTES" {
            let found = &self.datatype;
            return Err(invalid(format!("The datatype of `text` is {found}: expected BYTES.")));
        }
        let rows = self.rows()?;
        let size = match self.parameters.get("binary_data_size") {
            None => None,
            Some(size) => Some(size.as_u64().ok_or_else(|| {
                invalid(format!("`binary_data_size` is {size}: expected a number of bytes."))
            })?),
        };
        let texts = match (&self.data, size) {
            (Some(data), None) if binary.is_empty() => flat(data)?,
            (None, Some(size)) if size == binary.len() as u64 => elements(binary)?,
            (None, Some(size)) => {
                let found = binary.len();
                return Err(invalid(format!(
                    "`binary_data_size` is {size}, and {found} bytes follow the JSON."
                )));
            }
            (Some(_), Some(_)) => return Err(invalid("`text` has `data` and `binary_data_size`.")),
            (None, None) => {
                return Err(invalid("`text` has no `data`, and no `binary_data_size`."));
            }
            (Some(_), None) => {
                return Err(invalid("Bytes follow the JSON, and no tensor takes them."));
            }
        };
        if texts.len() != rows {
            let found = texts.len();
            return Err(invalid(format!(
                "`text` has {found} elements, and its shape says {rows}."
            )));
        }
        if texts.is_empty() {
            return Err(invalid("`text` is empty: expected at least one text."));
        }
        Ok(texts)
    }

    /// Texts that the shape says: `[n]` or `[n, 1]`.
    fn rows(&self) -> Result<usize, Problem> {
        let whole = |size: &Value| {
            let float = || size.as_f64().filter(|x| x.fract() == 0.0 && *x >= 0.0 && *x < 1e15);
            size.as_u64().or_else(|| float().map(|x| x as u64))
        };
        let sizes: Option<Vec<u64>> = self.shape.iter().map(whole).collect();
        if let Some([rows] | [rows, 1]) = sizes.as_deref() {
            return Ok(usize::try_from(*rows).unwrap_or(usize::MAX));
        }
        let found = Value::from(self.shape.clone());
        Err(invalid(format!("The shape of `text` is {found}: expected [n] or [n, 1].")))
    }
}

/// The strings of nested lists, in their order.
fn flat(data: &Value) -> Result<Vec<String>, Problem> {
    let refused = |found: &Value| {
        let kind = match found {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        invalid(format!("`data` of `text` has {kind}: expected a list of strings."))
    };
    let Value::Array(list) = data else { return Err(refused(data)) };
    let mut texts = Vec::with_capacity(list.len());
    for element in list {
        match element {
            Value::String(text) => texts.push(text.clone()),
            Value::Array(row) => match row.as_slice() {
                [Value::String(text)] => texts.push(text.clone()),
                _ => return Err(refused(element)),
            },
            other => return Err(refused(other)),
        }
    }
    Ok(texts)
}

/// The texts of binary elements.
fn elements(mut bytes: &[u8]) -> Result<Vec<String>, Problem> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((element, rest)) = rest.split_at_checked(length) else {
            let (at, left) = (texts.len(), rest.len());
            return Err(invalid(format!("Element {at} has {length} bytes, and {left} are left.")));
        };
        let text = std::str::from_utf8(element).map_err(|error| {
            let (at, byte) = (texts.len(), error.valid_up_to());
            invalid(format!("Element {at} is not UTF-8, from its byte {byte} on."))
        })?;
        texts.push(text.to_owned());
        bytes = rest;
    }
    match bytes.len() {
        0 => Ok(texts),
        left => Err(invalid(format!("{left} bytes are left after the last element."))),
    }
}

/// A tensor of the answer.
pub(super) struct Output {
    pub(super) name: &'static str,
    pub(super) datatype: &'static str,
    pub(super) shape: Vec<usize>,
    pub(super) data: Data,
}

pub(super) enum Data {
    Bytes(Vec<String>),
    Floats(Vec<f32>),
}

impl Output {
    /// All of it as JSON.
    pub(super) fn json(self) -> Value {
        let Self { name, datatype, shape, data } = self;
        let data = match data {
            Data::Bytes(texts) => json!(texts),
            // Single precision as text stays as short as it is meant.
            Data::Floats(numbers) => numbers
                .into_iter()
                .map(|x| x.to_string().parse::<f64>().unwrap_or_default())
                .collect(),
        };
        json!({ "name": name, "datatype": datatype, "shape": shape, "data": data })
    }

    /// What JSON says of it; its elements go to the end of `bytes`.
    pub(super) fn binary(self, bytes: &mut Vec<u8>) -> Value {
        let Self { name, datatype, shape, data } = self;
        let before = bytes.len();
        match data {
            Data::Bytes(texts) => {
                for text in texts {
                    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
            Data::Floats(numbers) => {
                bytes.extend(numbers.into_iter().flat_map(f32::to_le_bytes));
            }
        }
        let parameters = json!({ "binary_data_size": bytes.len() - before });
        json!({ "name": name, "datatype": datatype, "shape": shape, "parameters": parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_elements_are_read_as_they_are_written() {
        let texts = vec!["wheat".to_owned(), String::new(), "Kürbis".to_owned()];
        let mut bytes = Vec::new();
        let data = Data::Bytes(texts.clone());
        let said = Output { name: "x", datatype: "BYTES", shape: vec![3], data }.binary(&mut bytes);
        assert_eq!(said["parameters"]["binary_data_size"], bytes.len());
        assert_eq!(elements(&bytes).unwrap(), texts);
        for cut in 1..bytes.len() {
            // A cut between two elements leaves fewer; any other is refused.
            let found = elements(&bytes[..cut]);
            assert!(found.is_err() || found.unwrap().len() < 3, "{cut}");
        }
        assert!(elements(b"\x02\0\0\0\xff\xfe").unwrap_err().detail.contains("not UTF-8"));
    }
}

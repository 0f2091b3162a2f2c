//! A labelled text as a file has it.

use serde_json::Value;

use crate::corpus::Place;

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To train on.
    Train,
    /// To choose by.
    Validation,
    /// To be scored on.
    Test,
}

impl Part {
    /// By its usual names, or a name that ends in one of them.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let value = value.trim().to_ascii_lowercase();
        let is = |names: &[&str]| {
            names.iter().any(|name| {
                value.strip_suffix(name).is_some_and(|before| {
                    before.is_empty() || before.ends_with(['-', '_', '.', ' ', '/'])
                })
            })
        };
        if is(&["train", "training"]) {
            Some(Self::Train)
        } else if is(&["validation", "valid", "val", "dev"]) {
            Some(Self::Validation)
        } else if is(&["test", "testing", "eval"]) {
            Some(Self::Test)
        } else {
            None
        }
    }
}

/// The labels of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowLabels {
    /// Not asked for.
    None,
    /// One.
    One(String),
    /// Any number.
    Many(Vec<String>),
    /// A share of each class named.
    Shares(Vec<(String, f64)>),
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The text.
    pub text: String,
    /// Its labels.
    pub labels: RowLabels,
    /// How much it counts.
    pub weight: Option<f32>,
    /// What it is for, if the file says so.
    pub part: Option<Part>,
    /// Where it stands.
    pub place: Place,
    /// The values of the columns that were to be kept, in the order of
    /// [`ReadOptions::keep`](super::ReadOptions::keep): texts, or what JSON and typed columns hold.
    pub kept: Vec<Value>,
}

/// A field's text, white space around it removed, as labels; a problem if there is none.
pub(super) fn labels_of_field(field: &str, separator: Option<&str>) -> Result<RowLabels, String> {
    let one = |label: &str| label.trim().to_owned();
    match separator {
        None if field.trim().is_empty() => Err("the label is empty".into()),
        None => Ok(RowLabels::One(one(field))),
        Some(separator) => {
            let labels = field.split(separator).map(one).filter(|label| !label.is_empty());
            Ok(RowLabels::Many(labels.collect()))
        }
    }
}

/// A field as a weight.
pub(super) fn weight_of_field(field: &str) -> Result<f32, String> {
    match field.trim().parse::<f32>() {
        Ok(weight) if weight.is_finite() && weight >= 0.0 => Ok(weight),
        _ => Err(format!("expected a weight of at least 0, found {:?}", excerpt(field))),
    }
}

/// A field as the part that a document is for.
pub(super) fn part_of_field(field: &str) -> Result<Part, String> {
    Part::parse(field).ok_or_else(|| {
        format!("expected train, validation or test as the part, found {:?}", excerpt(field))
    })
}

/// The beginning of a field, for messages.
pub(super) fn excerpt(field: &str) -> String {
    let mut shown: String = field.chars().take(40).collect();
    if shown.len() < field.len() {
        shown.push('…');
    }
    shown
}

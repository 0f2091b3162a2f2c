//! fastText's lines: labels with a prefix, then the text.

use super::lines::LineFormat;
use super::options::{LabelUse, ReadOptions};
use super::row::{Row, RowLabels};
use crate::corpus::Place;

/// How fastText's lines are read.
pub(super) struct FastText {
    prefix: String,
    labels: LabelUse,
}

impl FastText {
    pub(super) fn new(options: &ReadOptions) -> Self {
        Self { prefix: options.label_prefix.clone(), labels: options.labels }
    }
}

impl LineFormat for FastText {
    fn row(&self, line: &str, place: Place) -> Result<Row, String> {
        let mut labels = Vec::new();
        let mut rest = line.trim_start();
        while let Some(after) = rest.strip_prefix(&self.prefix) {
            let end = after.find(char::is_whitespace).unwrap_or(after.len());
            if end == 0 {
                return Err(format!("the label after `{}` is empty", self.prefix));
            }
            labels.push(after[..end].to_owned());
            rest = after[end..].trim_start();
        }
        let labels = match (self.labels, labels.len()) {
            (LabelUse::Ignored, _) => RowLabels::None,
            (_, 0) => return Err(format!("expected `{}` and a label at the start", self.prefix)),
            (_, 1) => RowLabels::One(labels.swap_remove(0)),
            _ => RowLabels::Many(labels),
        };
        Ok(Row { text: rest.to_owned(), labels, weight: None, part: None, place, kept: Vec::new() })
    }
}

//! fastText's lines: labels with a prefix, then the text.

use std::sync::Arc;

use super::error::ReadError;
use super::options::{LabelUse, ReadOptions};
use super::row::{Row, RowLabels};
use super::source::{Line, Lines, Stream};
use crate::corpus::Place;

/// The rows of a file of fastText's.
pub(super) struct FastText {
    lines: Lines,
    source: Arc<str>,
    prefix: String,
    labels: LabelUse,
}

impl FastText {
    pub(super) fn new(source: &Arc<str>, options: &ReadOptions, stream: Stream) -> Self {
        Self {
            lines: Lines::new(stream),
            source: Arc::clone(source),
            prefix: options.label_prefix.clone(),
            labels: options.labels,
        }
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        loop {
            let line = match self.lines.next_line() {
                Ok(Line::End) => return None,
                Ok(Line::Bytes(line)) if line.trim_ascii().is_empty() => continue,
                Ok(Line::Bytes(line)) => std::str::from_utf8(line)
                    .map(str::to_owned)
                    .map_err(|e| format!("the line is not UTF-8 at byte {}", e.valid_up_to())),
                Ok(Line::TooLong) => Err("the line is longer than 64 MiB".into()),
                Err(e) => return Some(Err(ReadError::io(&self.source)(e))),
            };
            let place = Place { source: Arc::clone(&self.source), row: self.lines.number() };
            let row = line.and_then(|line| self.row(&line, place.clone()));
            return Some(row.map_err(|problem| ReadError::Row { place, problem }));
        }
    }

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

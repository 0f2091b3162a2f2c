//! CSV and TSV.

use std::sync::Arc;

use csv::ByteRecord;
use serde_json::Value;

use super::error::ReadError;
use super::layout::Layout;
use super::options::{LabelUse, ReadOptions};
use super::row::{Row, RowLabels, excerpt, labels_of_field, part_of_field, weight_of_field};
use super::source::{LONGEST_LINE, Stream};
use crate::corpus::Place;

/// The rows of a table.
pub(super) struct Delimited {
    reader: csv::Reader<Stream>,
    record: ByteRecord,
    source: Arc<str>,
    columns: usize,
    text: Vec<usize>,
    label: Option<usize>,
    weight: Option<usize>,
    split: Option<usize>,
    keep: Vec<usize>,
    separator: Option<String>,
}

impl Delimited {
    pub(super) fn new(
        source: &Arc<str>,
        layout: &Layout,
        options: &ReadOptions,
        stream: Stream,
    ) -> Self {
        let at = |column: &String| layout.columns.iter().position(|c| c == column);
        let label = layout.label.as_ref().filter(|_| options.labels != LabelUse::Ignored);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(layout.header)
            .flexible(true)
            .delimiter(layout.delimiter)
            .buffer_capacity(1 << 17)
            .from_reader(stream);
        if layout.header {
            // Read now, so that positions before and after a row enclose that row alone. What is wrong
            // with it is told when the first row is read.
            let _ = reader.byte_headers();
        }
        Self {
            reader,
            record: ByteRecord::new(),
            source: Arc::clone(source),
            columns: layout.columns.len(),
            text: layout.text.iter().filter_map(at).collect(),
            label: label.and_then(at),
            weight: layout.weight.as_ref().and_then(at),
            split: layout.split.as_ref().and_then(at),
            keep: options.keep.iter().filter_map(at).collect(),
            separator: options.label_separator.clone(),
        }
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        let before = self.reader.position().clone();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(e) => {
                let source = match e.into_kind() {
                    csv::ErrorKind::Io(source) => source,
                    kind => std::io::Error::other(format!("{kind:?}")),
                };
                return Some(Err(ReadError::io(&self.source)(source)));
            }
        }
        let row = self.record.position().map_or(before.line(), csv::Position::line);
        let place = Place { source: Arc::clone(&self.source), row };
        let bytes = self.reader.position().byte() - before.byte();
        let row = self.row(place.clone(), bytes);
        Some(row.map_err(|problem| ReadError::Row { place, problem }))
    }

    fn row(&self, place: Place, bytes: u64) -> Result<Row, String> {
        let record = &self.record;
        if bytes < least_bytes(record) {
            return Err("a quoted field is not closed before the end of the file".into());
        }
        if record.len() != self.columns {
            let over_lines = record.iter().any(|field| field.contains(&b'\n'));
            let hint = if over_lines { "; is a quote not closed?" } else { "" };
            let (expected, found) = (self.columns, record.len());
            return Err(format!("expected {expected} columns, found {found}{hint}"));
        }
        if record.as_slice().len() > LONGEST_LINE {
            return Err("the row is longer than 64 MiB; is a quote not closed?".into());
        }
        let field = |i: usize| {
            let bytes = record.get(i).unwrap_or_default();
            std::str::from_utf8(bytes).map_err(|e| {
                let shown = excerpt(&String::from_utf8_lossy(bytes));
                let at = e.valid_up_to();
                format!("column {} is not UTF-8 at byte {at}: {shown:?}", i + 1)
            })
        };
        let mut text = String::new();
        for (number, &i) in self.text.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            text.push_str(field(i)?);
        }
        let labels = match self.label {
            None => RowLabels::None,
            Some(i) => labels_of_field(field(i)?, self.separator.as_deref())?,
        };
        let weight = self.weight.map(|i| weight_of_field(field(i)?)).transpose()?;
        let part = self.split.map(|i| part_of_field(field(i)?)).transpose()?;
        let keep = |&i: &usize| field(i).map(Value::from);
        let kept = self.keep.iter().map(keep).collect::<Result<_, _>>()?;
        Ok(Row { text, labels, weight, part, place, kept })
    }
}

/// The fewest bytes that a record with these fields is written in. One whose last quote is missing has
/// fewer: the reader takes the end of the file for the end of the field.
fn least_bytes(record: &ByteRecord) -> u64 {
    let field = |field: &[u8]| {
        let quotes = memchr::memchr_iter(b'"', field).count();
        let quoted = field.contains(&b'\n');
        field.len() + if quoted { 2 + quotes } else { 0 }
    };
    (record.iter().map(field).sum::<usize>() + record.len().saturating_sub(1)) as u64
}

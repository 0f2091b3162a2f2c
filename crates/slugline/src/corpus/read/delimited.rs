//! CSV and TSV.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use csv::ByteRecord;
use serde_json::Value;

use super::error::ReadError;
use super::layout::Layout;
use super::options::ReadOptions;
use super::roles::Roles;
use super::row::{Row, RowLabels, excerpt, labels_of_field, part_of_field, weight_of_field};
use super::source::{LONGEST_LINE, Stream};
use crate::corpus::Place;

/// The rows of a table.
pub(super) struct Delimited {
    reader: csv::Reader<LineByLine>,
    record: ByteRecord,
    source: Arc<str>,
    columns: usize,
    roles: Roles,
}

impl Delimited {
    pub(super) fn new(
        source: &Arc<str>,
        layout: &Layout,
        options: &ReadOptions,
        stream: Stream,
    ) -> Self {
        let at = |column: &String| layout.columns.iter().position(|c| c == column);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(layout.header)
            .flexible(true)
            .delimiter(layout.delimiter)
            .buffer_capacity(1 << 17)
            .from_reader(LineByLine::new(stream));
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
            roles: Roles::new(layout, options, at),
        }
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        let before = self.reader.position().byte();
        self.reader.get_mut().begin(before);
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(_) if self.reader.get_ref().left == 0 => {
                let (line, _) = self.reader.get_ref().first(before);
                let problem = format!(
                    "the row from line {line} on is longer than 64 MiB; is a quote not closed?"
                );
                return Some(Err(ReadError::layout(&self.source, problem)));
            }
            Err(e) => {
                let source = match e.into_kind() {
                    csv::ErrorKind::Io(source) => source,
                    kind => std::io::Error::other(format!("{kind:?}")),
                };
                return Some(Err(ReadError::io(&self.source)(source)));
            }
        }
        let (row, start) = self.reader.get_ref().first(before);
        let place = Place { source: Arc::clone(&self.source), row };
        let bytes = self.reader.position().byte() - start;
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
        let field = |i: usize| {
            let bytes = record.get(i).unwrap_or_default();
            std::str::from_utf8(bytes).map_err(|e| {
                let shown = excerpt(&String::from_utf8_lossy(bytes));
                let at = e.valid_up_to();
                format!("column {} is not UTF-8 at byte {at}: {shown:?}", i + 1)
            })
        };
        let mut text = String::new();
        for (number, &i) in self.roles.text.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            text.push_str(field(i)?);
        }
        let labels = match self.roles.label {
            None => RowLabels::None,
            Some(i) => labels_of_field(field(i)?, self.roles.separator.as_deref())?,
        };
        let weight = self.roles.weight.map(|i| weight_of_field(field(i)?)).transpose()?;
        let part = self.roles.split.map(|i| part_of_field(field(i)?)).transpose()?;
        let keep = |&i: &usize| field(i).map(Value::from);
        let kept = self.roles.keep.iter().map(keep).collect::<Result<_, _>>()?;
        Ok(Row { text, labels, weight, part, place, kept })
    }
}

/// A stream that is handed out by the line, so that it is known on which line a record begins: the
/// table's reader itself counts empty lines before a record as part of it, and gives a record out at
/// the first byte of `\r\n`.
struct LineByLine {
    stream: BufReader<Stream>,
    /// Bytes that may be handed out before the end of the record: a quote that is not closed must not
    /// draw the rest of the file into memory.
    left: usize,
    /// Bytes handed out.
    bytes: u64,
    /// Number of the last line handed out, counted from 1.
    line: u64,
    /// Whether more of that line is to come.
    within: bool,
    /// The first line of the record that is not empty, and the byte at which it begins.
    first: Option<(u64, u64)>,
}

impl LineByLine {
    fn new(stream: Stream) -> Self {
        let stream = BufReader::with_capacity(1 << 17, stream);
        Self { stream, left: LONGEST_LINE, bytes: 0, line: 0, within: false, first: None }
    }

    /// Says that the next record begins; `before` is the byte at which the last one ended.
    fn begin(&mut self, before: u64) {
        self.left = LONGEST_LINE;
        // What was handed out and is not yet read belongs to the next record, where a lone `\r` parts
        // the two, unless it is the `\n` behind a `\r`.
        let unread = self.bytes - before;
        let end_of_line = unread == 1 && !self.within;
        self.first = (unread > 0 && !end_of_line).then_some((self.line, before));
    }

    /// Line and byte at which the record begins; `before` is the byte at which the last one ended.
    fn first(&self, before: u64) -> (u64, u64) {
        self.first.unwrap_or((self.line, before))
    }
}

impl Read for LineByLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("the row is too long"));
        }
        let available = self.stream.fill_buf()?;
        let end = memchr::memchr(b'\n', available).map_or(available.len(), |at| at + 1);
        let given = &available[..end.min(buffer.len()).min(self.left)];
        let n = given.len();
        if n > 0 {
            self.line += u64::from(!self.within);
            self.within = !given.ends_with(b"\n");
            if self.first.is_none() && given.iter().any(|byte| !b"\r\n".contains(byte)) {
                self.first = Some((self.line, self.bytes));
            }
        }
        buffer[..n].copy_from_slice(given);
        self.stream.consume(n);
        self.bytes += n as u64;
        self.left -= n;
        Ok(n)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_is_never_closed_is_not_read_to_the_end() {
        let endless = b"text,label\nx,a\n\"y".chain(io::repeat(b'z'));
        let stream = Stream::new(endless, true).unwrap();
        let options = ReadOptions::default();
        let layout = Layout {
            format: crate::corpus::read::Format::Csv,
            header: true,
            columns: vec!["text".into(), "label".into()],
            text: vec!["text".into()],
            label: Some("label".into()),
            ..Layout::folder("a.csv")
        };
        let mut rows = Delimited::new(&"a.csv".into(), &layout, &options, stream);
        assert_eq!(rows.next_row().unwrap().unwrap().text, "x");
        let error = rows.next_row().unwrap().unwrap_err().to_string();
        let want = "a.csv: the row from line 3 on is longer than 64 MiB; is a quote not closed?";
        assert_eq!(error, want);
    }
}

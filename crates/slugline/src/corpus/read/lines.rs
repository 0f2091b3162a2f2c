//! Formats of which each line is a row.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use super::error::ReadError;
use super::row::Row;
use super::source::{LONGEST_LINE, Stream};
use crate::corpus::Place;

/// How the lines of a format are read.
pub(super) trait LineFormat {
    /// What of a line counts. A line of which nothing does is passed over.
    fn content<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        if line.trim_ascii().is_empty() { b"" } else { line }
    }

    /// The row that the content of a line is, or what is wrong with it.
    fn row(&self, content: &str, place: Place) -> Result<Row, String>;
}

/// The rows of a file of such a format.
pub(super) struct LineRows<F> {
    format: F,
    source: Arc<str>,
    reader: BufReader<Stream>,
    line: Vec<u8>,
    /// Number of the last line, counted from 1.
    number: u64,
}

/// What the next line is.
enum Line {
    /// Whole in the buffer.
    Whole,
    /// More than [`LONGEST_LINE`] bytes.
    TooLong,
    /// There is none.
    End,
}

impl<F: LineFormat> LineRows<F> {
    pub(super) fn new(format: F, source: &Arc<str>, stream: Stream) -> Self {
        let reader = BufReader::with_capacity(1 << 17, stream);
        Self { format, source: Arc::clone(source), reader, line: Vec::new(), number: 0 }
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        loop {
            let content = match self.next_line() {
                Ok(Line::End) => return None,
                Ok(Line::Whole) => match self.format.content(without_end(&self.line)) {
                    b"" => continue,
                    content => std::str::from_utf8(content)
                        .map_err(|e| format!("the line is not UTF-8 at byte {}", e.valid_up_to())),
                },
                Ok(Line::TooLong) => Err("the line is longer than 64 MiB".into()),
                Err(e) => return Some(Err(ReadError::io(&self.source)(e))),
            };
            let place = Place { source: Arc::clone(&self.source), row: self.number };
            let row = content.and_then(|content| self.format.row(content, place.clone()));
            return Some(row.map_err(|problem| ReadError::Row { place, problem }));
        }
    }

    fn next_line(&mut self) -> io::Result<Line> {
        self.line.clear();
        let limit = LONGEST_LINE as u64 + 1;
        if self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(Line::End);
        }
        self.number += 1;
        if self.line.last() != Some(&b'\n') && self.line.len() > LONGEST_LINE {
            self.reader.skip_until(b'\n')?;
            return Ok(Line::TooLong);
        }
        Ok(Line::Whole)
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

//! Rows of tables and other files of many columns.

use slugline::corpus::read::{Format, OnError, ReadError, ReadOptions, Row, Rows};

use super::ahead::Source;
use super::batch::{About, Bad, Batch};
use crate::failure::Failure;

/// The rows of an input.
pub(crate) struct TableRows {
    rows: Rows,
    on_error: OnError,
    /// Layouts that were told of.
    told: usize,
    /// Whether rows come from many files, each of which is named.
    many: bool,
}

impl TableRows {
    pub(crate) fn open(input: &str, options: &ReadOptions) -> Result<Self, Failure> {
        let rows = Rows::open(&[input.to_owned()], options)?;
        let many = options.format == Some(Format::Folder);
        Ok(Self { rows, on_error: options.on_error, told: 0, many })
    }

    /// Bytes of the input, if known.
    pub(crate) fn total(&self) -> Option<u64> {
        self.rows.progress().total
    }
}

impl Source for TableRows {
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        let row = self.rows.next();
        let layouts = self.rows.layouts();
        batch.notes.extend(layouts[self.told..].iter().map(ToString::to_string));
        self.told = layouts.len();
        batch.bytes = self.rows.progress().bytes;
        let source = |name: &str| self.many.then(|| name.to_owned());
        match row {
            // No rows, no answers.
            None | Some(Err(ReadError::Empty { .. })) => return Ok(false),
            Some(Ok(Row { text, place, kept, .. })) => {
                let about = About { source: source(&place.source), row: place.row, kept };
                batch.push(&text, Some(Box::new(about)));
            }
            Some(Err(ReadError::Row { place, problem })) if self.on_error == OnError::Skip => {
                batch.push_bad(Bad { source: source(&place.source), row: place.row, problem });
            }
            Some(Err(error)) => return Err(error.into()),
        }
        Ok(true)
    }
}

//! Rows of typed columns: Parquet and Arrow, a batch at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use serde_json::Value;

use super::cell::{is_text, list_of, value};
use super::error::ReadError;
use super::fields::Fields;
use super::layout::Layout;
use super::options::ReadOptions;
use super::row::Row;
use crate::corpus::Place;

/// Rows by which columns are guessed.
pub(super) const SAMPLED_ROWS: usize = 200;

/// A file of typed columns.
pub(super) trait Table: Send {
    /// The columns, with their types.
    fn schema(&self) -> SchemaRef;

    /// The first rows, up to [`SAMPLED_ROWS`], of all columns; they are read again afterwards.
    fn sample(&mut self) -> Result<Option<RecordBatch>, ArrowError>;

    /// Says which columns, in rising order, the batches are to hold.
    fn select(&mut self, columns: &[usize]) -> Result<(), ArrowError>;

    /// The next rows; `None` after the last.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ArrowError>;
}

/// The rows of a table.
pub(super) struct Columns {
    table: Box<dyn Table>,
    fields: Fields,
    /// Place of each wanted value among the columns of a batch.
    at: Vec<usize>,
    batch: Option<RecordBatch>,
    /// Row of the batch that comes next.
    next: usize,
    number: u64,
    source: Arc<str>,
}

/// What a table says that cannot be read further.
fn broken(source: &str) -> impl FnOnce(ArrowError) -> ReadError + use<> {
    let failed = ReadError::io(source);
    move |error| match error {
        ArrowError::IoError(_, error) => failed(error),
        error => failed(std::io::Error::other(error)),
    }
}

/// Runs a decoder. What the crates that decode do not check in damaged data ends in a panic there,
/// which is one more way to say that the file is broken; the decoder is not used again.
pub(super) fn guarded<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(ArrowError::ParseError(format!(
            "the data are damaged: {}",
            text.unwrap_or("unreadable")
        )))
    })
}

impl Columns {
    /// Settles the layout by the columns and their first rows.
    pub(super) fn new(
        source: &Arc<str>,
        layout: &mut Layout,
        options: &ReadOptions,
        mut table: Box<dyn Table>,
    ) -> Result<Self, ReadError> {
        let schema = table.schema();
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let sample = guarded(|| table.sample()).map_err(broken(source))?;
        let sampled: Vec<Vec<String>> = match &sample {
            None => vec![Vec::new(); names.len()],
            Some(batch) => batch.columns().iter().map(|column| scalars(column)).collect(),
        };
        drop(sample);
        layout.find_typed(names.clone(), &sampled, options)?;
        let fields = Fields::new(layout, options);
        let position = |name: &String| names.iter().position(|known| known == name);
        let wanted: Vec<usize> = fields.names.iter().filter_map(position).collect();
        let kind = |name: &String| position(name).map(|i| schema.field(i).data_type());
        for (name, kind) in layout.text.iter().filter_map(|name| Some((name, kind(name)?))) {
            if !is_text(kind) {
                let problem = format!("the column `{name}` holds {kind}, where text was expected");
                return Err(ReadError::layout(source, problem));
            }
        }
        let label = layout.label.as_ref().and_then(|name| Some((name, list_of(kind(name)?)?)));
        if let Some((name, kind)) = label.filter(|(_, kind)| kind.is_floating()) {
            let problem = format!(
                "the column `{name}` holds lists of {kind}, where labels were expected; shares of \
                 classes come as a struct or a map, which name the classes"
            );
            return Err(ReadError::layout(source, problem));
        }
        let mut selected = wanted.clone();
        selected.sort_unstable();
        selected.dedup();
        guarded(|| table.select(&selected)).map_err(broken(source))?;
        let at = wanted.iter().filter_map(|i| selected.binary_search(i).ok()).collect();
        let source = Arc::clone(source);
        Ok(Self { table, fields, at, batch: None, next: 0, number: 0, source })
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|batch| self.next < batch.num_rows()) {
                self.number += 1;
                let place = Place { source: Arc::clone(&self.source), row: self.number };
                let values = self.values(batch, self.next);
                let row = values.and_then(|values| self.fields.row(values, place.clone()));
                self.next += 1;
                return Some(row.map_err(|problem| ReadError::Row { place, problem }));
            }
            // The old one goes before the new one comes.
            (self.batch, self.next) = (None, 0);
            match guarded(|| self.table.next_batch()) {
                Ok(Some(batch)) => self.batch = Some(batch),
                Ok(None) => return None,
                Err(error) => return Some(Err(broken(&self.source)(error))),
            }
        }
    }

    fn values(&self, batch: &RecordBatch, row: usize) -> Result<Vec<Option<Value>>, String> {
        let cell = |(&at, name): (&usize, &String)| {
            let column = batch.columns().get(at).ok_or("there is no such column");
            let value = column.map_err(String::from).and_then(|column| value(column, row));
            value.map(Some).map_err(|problem| format!("column `{name}`: {problem}"))
        };
        self.at.iter().zip(&self.fields.names).map(cell).collect()
    }
}

/// The texts, numbers and booleans of a column.
fn scalars(column: &dyn Array) -> Vec<String> {
    let rows = 0..column.len().min(SAMPLED_ROWS);
    rows.filter_map(|row| match value(column, row).ok()? {
        Value::String(text) => Some(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
    .collect()
}

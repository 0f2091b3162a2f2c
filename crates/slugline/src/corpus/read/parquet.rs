//! Parquet files.

use std::fs::File;
use std::io::{self, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};

use super::columns::{SAMPLED_ROWS, Table, guarded};
use super::error::ReadError;
use super::source::{Compression, Input, Stream};

/// What a file begins and ends with.
pub(super) const MARK: &[u8] = b"PAR1";

/// Rows that are in memory together.
const BATCH_ROWS: usize = 256;

/// The row groups of a file, read a few pages at a time.
pub(super) struct RowGroups {
    file: File,
    metadata: ArrowReaderMetadata,
    reader: Option<ParquetRecordBatchReader>,
    /// Counts the share of the file that the rows read stand for: columns that are not wanted are never
    /// read.
    progress: Arc<AtomicU64>,
    bytes: u64,
    rows: u64,
    read: u64,
}

impl RowGroups {
    /// Opens the file of an input whose beginning `stream` holds. The format is read from its end, so
    /// that what comes from standard input, or is compressed as a whole, goes to a temporary file.
    pub(super) fn open(
        input: &Input,
        mut stream: Stream,
        progress: &Arc<AtomicU64>,
    ) -> Result<Self, ReadError> {
        let name = input.name();
        let (file, whole) = match input {
            Input::File(path) if stream.compression == Compression::None => {
                // The bytes looked at are counted with the rows.
                progress.fetch_sub(stream.counted(), Ordering::Relaxed);
                (File::open(path).map_err(ReadError::io(&name))?, true)
            }
            _ => {
                let mut file = tempfile::tempfile().map_err(ReadError::io(&name))?;
                io::copy(&mut stream, &mut file).map_err(ReadError::io(&name))?;
                file.rewind().map_err(ReadError::io(&name))?;
                (file, false)
            }
        };
        let bytes = file.metadata().map_err(ReadError::io(&name))?.len();
        let metadata =
            guarded(|| Ok(ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())?));
        let metadata = metadata.map_err(|e| ReadError::io(&name)(io::Error::other(e)))?;
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
        let (progress, bytes) = (Arc::clone(progress), if whole { bytes } else { 0 });
        Ok(Self { file, metadata, reader: None, progress, bytes, rows, read: 0 })
    }

    fn reader(
        &self,
        mask: ProjectionMask,
        limit: Option<usize>,
    ) -> Result<ParquetRecordBatchReader, ArrowError> {
        let (file, metadata) = (self.file.try_clone()?, self.metadata.clone());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS);
        let builder = match limit {
            Some(limit) => builder.with_limit(limit),
            None => builder,
        };
        Ok(builder.build()?)
    }

    /// The share of the bytes that so many rows have.
    fn share(&self, rows: u64) -> u64 {
        let share = u128::from(self.bytes) * u128::from(rows.min(self.rows));
        (share / u128::from(self.rows.max(1))) as u64
    }
}

impl Table for RowGroups {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.metadata.schema())
    }

    fn sample(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.reader(ProjectionMask::all(), Some(SAMPLED_ROWS))?.next().transpose()
    }

    fn select(&mut self, columns: &[usize]) -> Result<(), ArrowError> {
        let roots = columns.iter().copied();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots);
        self.reader = Some(self.reader(mask, None)?);
        Ok(())
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let batch = reader.next().transpose()?;
        let before = self.share(self.read);
        self.read += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        self.progress.fetch_add(self.share(self.read) - before, Ordering::Relaxed);
        Ok(batch)
    }
}

//! Arrow IPC, as a stream and as a file.
//!
//! A file is a stream between two marks with an index behind it; it is read as a stream, so that it may
//! come from standard input and be compressed as a whole. Messages are read here, and decoded by
//! `arrow-ipc`: it would allocate whatever a compressed buffer says to hold.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{ArrowError, Schema, SchemaRef};

use super::columns::{SAMPLED_ROWS, Table};
use super::source::Stream;

/// What a file begins with.
pub(super) const FILE_MARK: &[u8] = b"ARROW1";

/// What a message of a stream begins with.
pub(super) const MESSAGE_MARK: [u8; 4] = [0xFF; 4];

/// Longest description of a message, in bytes.
const LONGEST_HEADER: usize = 64 << 20;

/// Most bytes that a compressed buffer may say to hold.
const LARGEST_BUFFER: i64 = 4 << 30;

/// The batches of a stream.
pub(super) struct Batches {
    stream: Stream,
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    selected: Option<Vec<usize>>,
    /// The batch that was looked at.
    first: Option<RecordBatch>,
}

/// A message: its description and its data.
struct Message {
    header: Vec<u8>,
    body: Buffer,
}

fn wrong(problem: impl Into<String>) -> ArrowError {
    ArrowError::IpcError(problem.into())
}

impl Batches {
    /// Reads up to the schema.
    pub(super) fn open(mut stream: Stream) -> Result<Self, ArrowError> {
        if let Some(rest) = stream.sample().strip_prefix(FILE_MARK) {
            // The mark is filled up with zeros, to eight bytes by some writers and to 64 by others.
            let zeros = rest.iter().take(64).take_while(|&&byte| byte == 0).count();
            let start = (FILE_MARK.len() + zeros) / 8 * 8;
            io::copy(&mut (&mut stream).take(start as u64), &mut io::sink())?;
        }
        let message = next_message(&mut stream)?.ok_or_else(|| wrong("the stream is empty"))?;
        let header = root_as_message(&message.header).map_err(|e| wrong(e.to_string()))?;
        let schema = header.header_as_schema().ok_or_else(|| wrong("expected the schema first"))?;
        let schema = Arc::new(try_fb_to_schema(schema)?);
        Ok(Self { stream, schema, dictionaries: HashMap::new(), selected: None, first: None })
    }

    /// The next batch of the selected columns, dictionaries before it taken note of.
    fn decode(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        while let Some(Message { header, body }) = next_message(&mut self.stream)? {
            let message = root_as_message(&header).map_err(|e| wrong(e.to_string()))?;
            let version = message.version();
            if let Some(batch) = message.header_as_record_batch() {
                check_buffers(&batch, &body)?;
                let (schema, selected) = (Arc::clone(&self.schema), self.selected.as_deref());
                let dictionaries = &self.dictionaries;
                return read_record_batch(&body, batch, schema, dictionaries, selected, &version)
                    .map(Some);
            }
            if let Some(dictionary) = message.header_as_dictionary_batch() {
                if let Some(batch) = dictionary.data() {
                    check_buffers(&batch, &body)?;
                }
                let schema: &Schema = &self.schema;
                read_dictionary(&body, dictionary, schema, &mut self.dictionaries, &version)?;
            } else if message.header_type() != MessageHeader::NONE {
                let kind = message.header_type();
                return Err(wrong(format!("expected a batch, found a message of type {kind:?}")));
            }
        }
        Ok(None)
    }
}

impl Table for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn sample(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.first = self.decode()?;
        let batch = self.first.as_ref();
        Ok(batch.map(|batch| batch.slice(0, batch.num_rows().min(SAMPLED_ROWS))))
    }

    fn select(&mut self, columns: &[usize]) -> Result<(), ArrowError> {
        if let Some(first) = &mut self.first {
            *first = first.project(columns)?;
        }
        self.selected = Some(columns.to_vec());
        Ok(())
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        match self.first.take() {
            Some(batch) => Ok(Some(batch)),
            None => self.decode(),
        }
    }
}

/// Reads a message; `None` at the end, marked or not.
fn next_message(stream: &mut Stream) -> Result<Option<Message>, ArrowError> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        // Before version 0.15 there was no mark before the length.
        Ok(()) if length == MESSAGE_MARK => stream.read_exact(&mut length)?,
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(e.into()),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length == 0 {
        return Ok(None);
    }
    if length > LONGEST_HEADER {
        return Err(wrong(format!("a message's description of {length} bytes")));
    }
    let header = read(stream, length)?;
    let message = root_as_message(&header).map_err(|e| wrong(e.to_string()))?;
    let body = usize::try_from(message.bodyLength());
    let body = body.map_err(|_| wrong(format!("a body of {} bytes", message.bodyLength())))?;
    let body = Buffer::from_vec(read(stream, body)?);
    Ok(Some(Message { header, body }))
}

/// So many bytes; memory grows with those that come, whatever was announced.
fn read(stream: &mut Stream, length: usize) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = Vec::with_capacity(length.min(1 << 20));
    let read = stream.take(length as u64).read_to_end(&mut bytes)?;
    match read == length {
        true => Ok(bytes),
        false => Err(wrong(format!("the file ends {} bytes early", length - read))),
    }
}

/// Checks that buffers lie within the body, and what compressed ones say to hold, which will be
/// allocated.
fn check_buffers(batch: &arrow_ipc::RecordBatch<'_>, body: &[u8]) -> Result<(), ArrowError> {
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, length) = (buffer.offset(), buffer.length());
        let end = offset.checked_add(length).and_then(|end| usize::try_from(end).ok());
        let within = offset >= 0 && length >= 0 && end.is_some_and(|end| end <= body.len());
        if !within {
            return Err(wrong(format!(
                "a buffer of {length} bytes at {offset} in a body of {} bytes",
                body.len()
            )));
        }
        if batch.compression().is_some() && length > 0 {
            let size = body.get(offset as usize..).and_then(|rest| rest.first_chunk().copied());
            let size = size.map_or(0, i64::from_le_bytes);
            if size > LARGEST_BUFFER {
                return Err(wrong(format!("a compressed buffer says that it holds {size} bytes")));
            }
        }
    }
    Ok(())
}

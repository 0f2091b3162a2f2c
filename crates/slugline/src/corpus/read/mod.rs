//! Labelled text from a user's files, in the form that they have.
//!
//! [`read`] gives [`Documents`]; [`Rows`] gives one row after the other, in constant memory and in the
//! order of the files. Inputs are files, patterns (`data/*.csv`), folders, and `-` for standard input.
//! Gzip and zstd are known by their first bytes, whatever the file is called.
//!
//! # What is guessed
//!
//! [`ReadOptions`] says what is known; the rest is guessed from the first 256 KiB of each file, and
//! [`Layout`] says in a line what came out. A guess that is not clear is an error which lists the
//! columns and names the option that settles it.
//!
//! * **Format**: Parquet and Arrow by their marks; an object at the start is JSON lines, `__label__` is
//!   fastText's, numbers and then pairs such as `17:0.5` are SVMlight's; else a table, whose delimiter (tab, comma, semicolon, bar) is the one by which nine rows in ten have the same number
//!   of fields, at least two.
//! * **Header**: there is one if the first row holds a name that a column of texts or labels usually
//!   has, or an option names; or if its fields are short, like names, and unlike the long texts below.
//! * **Text**: the first of `text`, `body`, `content`, `document`, `sentence`, `review`,
//!   `description`, `message`, `question`, `abstract`, `article`, `comment`, `title`, `headline`; else
//!   the column with the longest fields.
//! * **Label**: the first of `label`, `labels`, `class`, `category`, `target`, `topic`, `topics`,
//!   `section`, `intent`, `sentiment`, `y`, `tag`, `tags`; else the only column with few short values.
//! * **Part** (training, validation, test): a column `split` or `set` that says nothing else.
//!
//! # Typed columns
//!
//! Parquet and Arrow (file or stream) are read a batch at a time, and of Parquet only the columns that
//! are wanted; rows are counted from 1. Text is a column of strings, plain or by dictionary, or of bytes
//! in UTF-8; a label may also be a number, a boolean, a list of these (any number of labels), a struct or
//! a map of shares. Parquet has its index at the end: from standard input, or compressed as a whole, it
//! is first written to a temporary file.
//!
//! # Lists of features
//!
//! SVMlight's and libsvm's lines have no text; see [`Format::SvmLight`] and
//! [`Content::Features`]. Labels that are the same number (`+1`, `1.0`) are
//! one class. An index is the name of a feature, so nothing depends on whether the first is 0 or 1; but
//! files for training and scoring must number features alike.
//!
//! # Bad rows
//!
//! A row with too few or too many columns, one that is not UTF-8, an empty or unknown label, a missing
//! key, a weight that is none: each is an error that names file, line and reason, or, by
//! [`OnError::Skip`], is counted and listed. Broken compressed data cannot be skipped, nor can a row of
//! a table beyond 64 MiB, behind which there is no telling where the next one begins.

mod arrow;
mod cell;
mod columns;
mod delimited;
mod describe;
mod error;
mod fasttext;
mod fields;
mod folder;
mod gather;
mod json_lines;
mod layout;
mod lines;
mod options;
mod parquet;
mod roles;
mod row;
mod source;
pub(crate) mod svmlight;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Content, Documents, Place};
use columns::{Columns, Table, guarded};
use delimited::Delimited;
use fasttext::FastText;
use folder::Folder;
use gather::Gatherer;
use json_lines::JsonLines;
use lines::LineRows;
use source::{Input, Stream, resolve};
use svmlight::SvmLight;

pub use describe::{BadRow, FilesClass, FilesDescription, FilesPart};
pub use error::ReadError;
pub use layout::Layout;
pub use options::{Format, LabelUse, OnError, ReadOptions};
pub use row::{Part, Row, RowLabels};
pub use source::unpack;

/// Bad rows that are told one by one.
const LISTED: usize = 100;

/// What files hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Documents to train on: all that the files do not say to be for something else.
    pub train: Documents,
    /// Documents to choose by, if the files say so.
    pub validation: Option<Documents>,
    /// Documents to score on, if the files say so.
    pub test: Option<Documents>,
    /// What each file was taken for.
    pub layouts: Vec<Layout>,
    /// Names of the files that hold no rows; others do.
    pub empty_files: Vec<String>,
    /// Bad rows that were left out.
    pub skipped: Skipped,
    /// Documents whose text is empty.
    pub empty_texts: u64,
}

/// Bad rows that were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The first of them: place and reason.
    pub first: Vec<(Place, String)>,
}

impl Skipped {
    fn note(&mut self, place: Place, problem: String) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push((place, problem));
        }
    }
}

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadProgress {
    /// Bytes read, as they lie on the disk.
    pub bytes: u64,
    /// Bytes of all files, if known.
    pub total: Option<u64>,
    /// Rows read.
    pub rows: u64,
}

/// Reads labelled documents.
///
/// ```
/// use slugline::corpus::read::{ReadOptions, read};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("news.csv");
/// std::fs::write(&path, "topic,body\ngrain,\"Wheat fell, corn rose.\"\nmetal,Gold rose.\n")?;
/// let news = read(&[path.to_str().unwrap().into()], &ReadOptions::default(), &mut |_| {})?;
/// assert_eq!(news.train.class_names(), ["grain", "metal"]);
/// assert_eq!(news.train.text(0), "Wheat fell, corn rose.");
/// assert!(news.layouts[0].to_string().ends_with("CSV with a header, text in `body`, label in `topic`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ReadError`], for whatever is wrong with a file.
pub fn read(
    inputs: &[String],
    options: &ReadOptions,
    progress: &mut dyn FnMut(ReadProgress),
) -> Result<Read, ReadError> {
    let mut rows = Rows::open(inputs, options)?;
    let mut gatherer = Gatherer::new(options);
    let mut skipped = Skipped::default();
    while let Some(row) = rows.next() {
        match row.and_then(|row| gatherer.push(row)) {
            Ok(()) => {}
            Err(ReadError::Row { place, problem }) if options.on_error == OnError::Skip => {
                skipped.note(place, problem);
            }
            Err(error) => return Err(error),
        }
        if rows.read.is_multiple_of(1024) {
            progress(rows.progress());
        }
    }
    progress(rows.progress());
    let (layouts, empty_files) = (rows.layouts, rows.empty);
    let empty_texts = gatherer.empty_texts;
    let content = layouts.first().map_or(Content::Text, |layout| layout.format.content());
    let parts = gatherer.finish(content, &mut skipped)?;
    let all = [&parts.train, &parts.validation, &parts.test];
    let Some(any) = all.into_iter().flatten().next() else {
        let source_name = inputs.join(", ");
        return Err(ReadError::Empty { source_name, skipped: skipped.count });
    };
    let none = Documents::of_kind(any.class_names().to_vec(), any.label_kind());
    let train = parts.train.unwrap_or_else(|| none.with_content(content));
    let (validation, test) = (parts.validation, parts.test);
    Ok(Read { train, validation, test, layouts, empty_files, skipped, empty_texts })
}

/// The rows of files, one after the other.
///
/// Bad rows come as [`ReadError::Row`], after which the iterator goes on; after any other error it
/// ends.
pub struct Rows {
    inputs: std::vec::IntoIter<Input>,
    options: ReadOptions,
    current: Option<Reader>,
    layouts: Vec<Layout>,
    empty: Vec<String>,
    /// Rows of the file that is read.
    of_file: u64,
    bytes: Arc<AtomicU64>,
    total: Option<u64>,
    read: u64,
    over: bool,
}

enum Reader {
    Delimited(Box<Delimited>),
    JsonLines(Box<LineRows<JsonLines>>),
    FastText(Box<LineRows<FastText>>),
    Columns(Box<Columns>),
    SvmLight(Box<LineRows<SvmLight>>),
    Folder(Folder),
}

impl Rows {
    /// Finds the files; the first row opens them.
    ///
    /// # Errors
    /// [`ReadError::Missing`] if there is no file of a name.
    pub fn open(inputs: &[String], options: &ReadOptions) -> Result<Self, ReadError> {
        let inputs = resolve(inputs)?;
        let total = inputs.iter().map(Input::length).sum();
        Ok(Self {
            inputs: inputs.into_iter(),
            options: options.clone(),
            current: None,
            layouts: Vec::new(),
            empty: Vec::new(),
            of_file: 0,
            bytes: Arc::default(),
            total,
            read: 0,
            over: false,
        })
    }

    /// How far the reading has come.
    pub fn progress(&self) -> ReadProgress {
        let bytes = self.bytes.load(Ordering::Relaxed);
        ReadProgress { bytes, total: self.total, rows: self.read }
    }

    /// What the files opened so far were taken for.
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// Names of the files passed over so far because they hold no rows.
    pub fn empty_files(&self) -> &[String] {
        &self.empty
    }

    fn reader(&mut self, input: &Input) -> Result<Reader, ReadError> {
        let name = input.name();
        let options = &self.options;
        if let Input::Folder(path) = input {
            if let Some(format) = options.format.filter(|&format| format != Format::Folder) {
                let problem = format!(
                    "is a folder; name the {} files in it, such as {}/*",
                    format.title(),
                    name.trim_end_matches('/')
                );
                return Err(ReadError::layout(&name, problem));
            }
            self.layouts.push(Layout::folder(&name));
            return Ok(Reader::Folder(Folder::new(Path::new(path), options, &self.bytes)?));
        }
        let stream = Stream::open(input, &self.bytes, options.settled())?;
        if stream.sample().trim_ascii().is_empty() && stream.sample_is_all() {
            return Err(ReadError::Empty { source_name: name.to_string(), skipped: 0 });
        }
        let mut layout = Layout::of(&name, &stream, options)?;
        if let Some(before) = self.layouts.first()
            && before.format.content() != layout.format.content()
        {
            let (ours, theirs) = (layout.format.title(), before.format.title());
            let problem = format!(
                "has {ours}, and {} has {theirs}; texts and lists of features do not mix",
                before.source
            );
            return Err(ReadError::layout(&name, problem));
        }
        let reader = match layout.format {
            Format::Parquet | Format::Arrow => {
                let table: Box<dyn Table> = if layout.format == Format::Parquet {
                    Box::new(parquet::RowGroups::open(input, stream, &self.bytes)?)
                } else {
                    let failed = |e| ReadError::io(&name)(std::io::Error::other(e));
                    Box::new(guarded(|| arrow::Batches::open(stream)).map_err(failed)?)
                };
                Reader::Columns(Box::new(Columns::new(&name, &mut layout, options, table)?))
            }
            Format::Csv | Format::Tsv => {
                Reader::Delimited(Box::new(Delimited::new(&name, &layout, options, stream)))
            }
            Format::JsonLines => {
                let format = JsonLines::new(&layout, options);
                Reader::JsonLines(Box::new(LineRows::new(format, &name, stream)))
            }
            Format::SvmLight => {
                let format = SvmLight::new(options);
                Reader::SvmLight(Box::new(LineRows::new(format, &name, stream)))
            }
            Format::FastText | Format::Folder => {
                let format = FastText::new(options);
                Reader::FastText(Box::new(LineRows::new(format, &name, stream)))
            }
        };
        self.layouts.push(layout);
        Ok(reader)
    }
}

impl Iterator for Rows {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            if let Some(reader) = &mut self.current {
                let row = match reader {
                    Reader::Delimited(rows) => rows.next_row(),
                    Reader::JsonLines(rows) => rows.next_row(),
                    Reader::FastText(rows) => rows.next_row(),
                    Reader::Columns(rows) => rows.next_row(),
                    Reader::SvmLight(rows) => rows.next_row(),
                    Reader::Folder(rows) => rows.next_row(),
                };
                if let Some(row) = row {
                    self.read += 1;
                    self.of_file += 1;
                    self.over = matches!(&row, Err(e) if !matches!(e, ReadError::Row { .. }));
                    return Some(row);
                }
            }
            if self.current.take().is_some() && self.of_file == 0 {
                self.empty.extend(self.layouts.last().map(|layout| layout.source.clone()));
            }
            let Some(input) = self.inputs.next() else { break };
            match self.reader(&input) {
                Ok(reader) => (self.current, self.of_file) = (Some(reader), 0),
                // Programs that write a table in parts leave some of them empty. A file that is the only
                // one, or the last of several without rows, may not be meant so.
                Err(ReadError::Empty { source_name, .. })
                    if self.inputs.len() > 0 || !self.layouts.is_empty() =>
                {
                    self.empty.push(source_name);
                }
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        self.over = true;
        None
    }
}

#[cfg(test)]
mod tests;

//! Texts that commands answer one by one: lines, rows of tables, whole files.

mod ahead;
mod batch;
mod lines;
mod rows;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use slugline::classifier::{Classifier, ClassifierError};
use slugline::corpus::Content;
use slugline::corpus::read::{Format, LabelUse, ReadOptions, unpack};

use crate::failure::Failure;

pub(crate) use ahead::ReadAhead;
pub(crate) use batch::{About, Bad, Batch, Item};
pub(crate) use lines::Lines;
pub(crate) use rows::TableRows;

/// What standard input is called.
pub(crate) const STDIN: &str = "standard input";

/// A file and, if known, its length; `so` says what to give in place of a folder.
pub(crate) fn open(path: &Path, so: &str) -> Result<(File, Option<u64>), Failure> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    let metadata = file.metadata().map_err(|source| unreadable(path, source))?;
    if metadata.is_dir() {
        return Err(Failure::Other(format!("{} is a folder; give {so}", path.display())));
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

pub(crate) fn unreadable(path: &Path, source: io::Error) -> Failure {
    Failure::File { action: "read", path: path.to_owned(), source }
}

/// The format in which an input has a text in each row, by what is said, by its name, or by what the
/// model takes; `None` for plain text.
pub(crate) fn row_format(
    given: Option<Format>,
    path: Option<&Path>,
    classifier: &Classifier,
) -> Result<Option<Format>, Failure> {
    let named = path.and_then(|path| Format::of_name(&path.to_string_lossy()));
    let model = classifier.vectorizer().content();
    let made = (model == Content::Features).then_some(Format::SvmLight);
    let format = given.or(named).or(made);
    match format.map(Format::content).filter(|&found| found != model) {
        None => Ok(format),
        Some(found) => {
            let name = path.map_or("-".into(), |path| path.to_string_lossy().into_owned());
            Err(ClassifierError::OtherContent { model, found, name }.into())
        }
    }
}

/// The rows of an input in a format, their labels passed over.
pub(crate) fn rows(
    path: Option<&Path>,
    format: Format,
    options: ReadOptions,
) -> Result<TableRows, Failure> {
    let name = path.map_or("-".into(), |path| path.to_string_lossy().into_owned());
    let options = ReadOptions { format: Some(format), labels: LabelUse::Ignored, ..options };
    TableRows::open(&name, &options)
}

/// A whole input, unpacked, as one text, without the end of its last line.
pub(crate) fn whole(name: &str, input: impl Read + Send + 'static) -> Result<String, Failure> {
    let failed = |source| unreadable(Path::new(name), source);
    let mut bytes = Vec::new();
    unpack(input).map_err(failed)?.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.starts_with(lines::MARK) {
        bytes.drain(..lines::MARK.len());
    }
    let ended = bytes.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
    if let Some(length) = ended.map(<[u8]>::len) {
        bytes.truncate(length);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..valid];
        let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
        let begin = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Failure::Line { input: name.to_owned(), line, problem: lines::not_utf8(valid - begin) }
    })
}

//! What a file holds and where: said by the user, or guessed from its beginning.

use std::fmt;

use serde_json::{Map, Value};

use super::error::ReadError;
use super::options::{Format, LabelUse, ReadOptions};
use super::row::Part;
use super::source::{Compression, Stream};
use super::{arrow, parquet, svmlight};

/// Names that columns of text go by, the likeliest first.
const TEXT: [&str; 14] = [
    "text",
    "body",
    "content",
    "document",
    "sentence",
    "review",
    "description",
    "message",
    "question",
    "abstract",
    "article",
    "comment",
    "title",
    "headline",
];
/// Names that columns of labels go by.
const LABEL: [&str; 13] = [
    "label",
    "labels",
    "class",
    "category",
    "target",
    "topic",
    "topics",
    "section",
    "intent",
    "sentiment",
    "y",
    "tag",
    "tags",
];
/// Names that columns with the part go by.
const SPLIT: [&str; 2] = ["split", "set"];

/// Columns that a message lists.
const LISTED: usize = 30;

/// Where a file has what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The file.
    pub source: String,
    /// Its format.
    pub format: Format,
    pub(super) compression: Compression,
    pub(super) delimiter: u8,
    /// Whether the first row of a table names its columns.
    pub header: bool,
    /// The columns with the text.
    pub text: Vec<String>,
    /// The column with the label.
    pub label: Option<String>,
    /// The column with the weight.
    pub weight: Option<String>,
    /// The column with the part.
    pub split: Option<String>,
    /// The columns of a table.
    pub(super) columns: Vec<String>,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.format.title())?;
        match self.compression {
            Compression::None => {}
            Compression::Gzip => f.write_str(" in gzip")?,
            Compression::Zstd => f.write_str(" in zstd")?,
        }
        if self.format == Format::Csv && self.delimiter != b',' {
            write!(f, " with `{}` between fields", char::from(self.delimiter))?;
        }
        if matches!(self.format, Format::Csv | Format::Tsv) {
            f.write_str(if self.header { " with a header" } else { " without a header" })?;
        }
        if !self.text.is_empty() {
            write!(f, ", text in `{}`", self.text.join("`, `"))?;
        }
        for (what, column) in
            [("label", &self.label), ("weight", &self.weight), ("part", &self.split)]
        {
            if let Some(column) = column {
                write!(f, ", {what} in `{column}`")?;
            }
        }
        Ok(())
    }
}

impl Layout {
    /// The layout of a folder.
    pub(super) fn folder(source: &str) -> Self {
        Self {
            source: source.into(),
            format: Format::Folder,
            compression: Compression::None,
            delimiter: b',',
            header: false,
            text: Vec::new(),
            label: None,
            weight: None,
            split: None,
            columns: Vec::new(),
        }
    }

    /// The layout of a file, by its beginning, its name and what the user said.
    pub(super) fn of(
        source: &str,
        stream: &Stream,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        let sample = stream.sample();
        let format = match options.format {
            Some(format) => format,
            None => guess_format(source, sample, options)?,
        };
        let mut layout = Self { format, compression: stream.compression, ..Self::folder(source) };
        match format {
            Format::Folder => {
                return Err(ReadError::layout(source, "is a file, where a folder was expected"));
            }
            // Typed columns are found by their own first rows.
            Format::Parquet | Format::Arrow => {}
            Format::FastText | Format::SvmLight => no_columns(source, format, options)?,
            Format::JsonLines if stream.settled() => layout.text.clone_from(&options.text),
            Format::JsonLines => layout.find_keys(sample, options)?,
            Format::Csv | Format::Tsv => {
                layout.find_columns(sample, stream.sample_is_all(), options)?;
            }
        }
        Ok(layout)
    }

    /// Settles the typed columns of a table, given values of each.
    pub(super) fn find_typed(
        &mut self,
        columns: Vec<String>,
        sampled: &[Vec<String>],
        options: &ReadOptions,
    ) -> Result<(), ReadError> {
        self.columns = columns;
        self.choose(sampled, options, true)
    }

    fn find_keys(&mut self, sample: &[u8], options: &ReadOptions) -> Result<(), ReadError> {
        let objects: Vec<Map<String, Value>> = sample
            .split(|&b| b == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .take(200)
            .collect();
        let mut columns: Vec<String> = Vec::new();
        for key in objects.iter().flat_map(Map::keys) {
            if !columns.contains(key) {
                columns.push(key.clone());
            }
        }
        let values = |key: &str| -> Vec<String> {
            let of = objects.iter().filter_map(|o| o.get(key));
            of.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
        };
        let sampled: Vec<Vec<String>> = columns.iter().map(|key| values(key)).collect();
        self.columns = columns;
        // A line that is no object is told of with its place, later.
        let known = !objects.is_empty();
        self.choose(&sampled, options, known)
    }

    fn find_columns(
        &mut self,
        sample: &[u8],
        all: bool,
        options: &ReadOptions,
    ) -> Result<(), ReadError> {
        self.delimiter = match (options.delimiter, self.format) {
            (Some(delimiter), _) => delimiter,
            (None, Format::Tsv) => b'\t',
            (None, _) => delimiter(sample, all).map_or(b',', |(delimiter, _)| delimiter),
        };
        let mut rows = records(sample, self.delimiter, all);
        let Some(first) = rows.first().cloned() else {
            return Err(ReadError::Empty { source_name: self.source.clone(), skipped: 0 });
        };
        self.header = options.header.unwrap_or_else(|| has_header(&rows, options));
        self.columns = match self.header {
            true => first.iter().map(|name| name.trim().to_owned()).collect(),
            false => (1..=first.len()).map(|n| n.to_string()).collect(),
        };
        if self.header {
            rows.remove(0);
        }
        let column = |i| rows.iter().filter_map(|row: &Vec<String>| row.get(i).cloned()).collect();
        let sampled: Vec<Vec<String>> = (0..self.columns.len()).map(column).collect();
        self.choose(&sampled, options, true)
    }

    /// Settles the columns, given sampled values of each; `known` if these are all columns.
    fn choose(
        &mut self,
        sampled: &[Vec<String>],
        options: &ReadOptions,
        known: bool,
    ) -> Result<(), ReadError> {
        let mut listed = self.columns[..self.columns.len().min(LISTED)].join("`, `");
        if self.columns.len() > LISTED {
            listed.push_str("`, `…");
        }
        let there = |column: &String, option: &str| {
            if known && !self.columns.contains(column) {
                let problem = format!("has no column `{column}`; {option} takes one of `{listed}`");
                return Err(ReadError::layout(&self.source, problem));
            }
            Ok(column.clone())
        };
        let position = |name: &str| self.columns.iter().position(|c| c.eq_ignore_ascii_case(name));
        let named = |names: &[&str]| names.iter().find_map(|name| position(name));

        for column in &options.keep {
            there(column, "--keep")?;
        }
        let weight = options.weight.as_ref().map(|c| there(c, "--weight")).transpose()?;
        let split = match &options.split {
            Some(column) => Some(there(column, "--split-column")?),
            None => SPLIT
                .iter()
                .filter_map(|name| position(name))
                .find(|&i| {
                    !sampled[i].is_empty() && sampled[i].iter().all(|v| Part::parse(v).is_some())
                })
                .map(|i| self.columns[i].clone()),
        };
        let mut text = Vec::new();
        for column in &options.text {
            text.push(there(column, "--text")?);
        }
        let mut label = match (&options.label, options.labels) {
            (_, LabelUse::Ignored) => None,
            (Some(column), _) => Some(there(column, "--label")?),
            (None, _) => named(&LABEL)
                .filter(|&i| !text.contains(&self.columns[i]))
                .map(|i| self.columns[i].clone()),
        };
        let taken = |i: usize, label: &Option<String>| {
            let column = &self.columns[i];
            [&weight, &split, label].into_iter().flatten().any(|c| c == column)
        };
        if text.is_empty() {
            let by_name = named(&TEXT).filter(|&i| !taken(i, &label));
            let length = |i: &usize| sampled[*i].iter().map(String::len).sum::<usize>();
            let free = |i: &usize| !taken(*i, &label) && !sampled[*i].is_empty();
            let longest = || (0..sampled.len()).filter(free).rev().max_by_key(length);
            text.extend(by_name.or_else(longest).map(|i| self.columns[i].clone()));
        }
        if label.is_none() && options.labels == LabelUse::Required {
            let free = |i: &usize| {
                !taken(*i, &None)
                    && !text.contains(&self.columns[*i])
                    && looks_like_labels(&sampled[*i])
            };
            let mut candidates = (0..sampled.len()).filter(free);
            label = match (candidates.next(), candidates.next()) {
                (Some(only), None) => Some(self.columns[only].clone()),
                _ => None,
            };
        }
        for (missing, what, option) in [
            (text.is_empty(), "the text", "--text"),
            (label.is_none() && options.labels == LabelUse::Required, "the label", "--label"),
        ] {
            if missing && known {
                let problem = format!(
                    "which column holds {what} is not clear; name it with {option}: one of `{listed}`"
                );
                return Err(ReadError::layout(&self.source, problem));
            }
        }
        (self.text, self.label, self.weight, self.split) = (text, label, weight, split);
        Ok(())
    }
}

/// Whether values repeat as labels do: few distinct and short ones.
fn looks_like_labels(values: &[String]) -> bool {
    let mut distinct: Vec<&str> = values.iter().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let short = values.iter().all(|value| value.len() <= 64 && !value.trim().is_empty());
    // Of few rows, one repetition has to do.
    let most = if values.len() < 20 { values.len().saturating_sub(1) } else { values.len() / 2 };
    short && (2..=most).contains(&distinct.len())
}

/// Refuses options that name columns, for a format that has none.
fn no_columns(source: &str, format: Format, options: &ReadOptions) -> Result<(), ReadError> {
    let named = [
        ("--text", options.text.first()),
        ("--label", options.label.as_ref()),
        ("--weight", options.weight.as_ref()),
        ("--split-column", options.split.as_ref()),
        ("--keep", options.keep.first()),
    ];
    match named.into_iter().find_map(|(option, column)| Some((option, column?))) {
        None => Ok(()),
        Some((option, column)) => {
            let title = format.title();
            let problem =
                format!("has {title}, without columns; there is no `{column}` for {option}");
            Err(ReadError::layout(source, problem))
        }
    }
}

fn guess_format(source: &str, sample: &[u8], options: &ReadOptions) -> Result<Format, ReadError> {
    let start = sample.trim_ascii_start();
    if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
        let problem = "is UTF-16, and UTF-8 is read; convert it (`iconv -f UTF-16 -t UTF-8 FILE`)";
        return Err(ReadError::layout(source, problem));
    }
    if sample.starts_with(parquet::MARK) {
        return Ok(Format::Parquet);
    }
    if sample.starts_with(arrow::FILE_MARK) || sample.starts_with(&arrow::MESSAGE_MARK) {
        return Ok(Format::Arrow);
    }
    if sample.starts_with(b"FEA1") {
        let problem = "is a Feather file of version 1; write it as version 2, which is Arrow";
        return Err(ReadError::layout(source, problem));
    }
    if start.first() == Some(&b'{') {
        return Ok(Format::JsonLines);
    }
    if start.starts_with(b"[{") || start.starts_with(b"[\n") {
        let problem = "is one JSON array; write one object a line (`jq -c '.[]' FILE`)";
        return Err(ReadError::layout(source, problem));
    }
    if !options.label_prefix.is_empty() && start.starts_with(options.label_prefix.as_bytes()) {
        return Ok(Format::FastText);
    }
    if svmlight::looks_like(sample) && options.delimiter.is_none() {
        return Ok(Format::SvmLight);
    }
    if options.delimiter == Some(b'\t') {
        return Ok(Format::Tsv);
    }
    if options.delimiter.is_some() {
        return Ok(Format::Csv);
    }
    match (Format::of_name(source), delimiter(sample, false)) {
        (Some(Format::Tsv), _) | (_, Some((b'\t', _))) => Ok(Format::Tsv),
        (Some(Format::Csv), _) | (_, Some(_)) => Ok(Format::Csv),
        _ => Err(ReadError::layout(
            source,
            "is in no format that is known: expected CSV or TSV with at least two columns, JSON lines, \
             fastText lines (`__label__name text`), SVMlight lines (`label index:value`), Parquet or \
             Arrow; say --input-format",
        )),
    }
}

/// The delimiter by which the most rows have the same number of fields, at least two.
fn delimiter(sample: &[u8], all: bool) -> Option<(u8, usize)> {
    let mut best: Option<(u8, usize, usize)> = None;
    for delimiter in *b"\t,;|" {
        let rows = records(sample, delimiter, all);
        let Some(width) = rows.first().map(Vec::len).filter(|&width| width > 1) else { continue };
        let alike = rows.iter().filter(|row| row.len() == width).count();
        if alike * 10 >= rows.len() * 9 && best.is_none_or(|(_, most, _)| alike > most) {
            best = Some((delimiter, alike, width));
        }
    }
    best.map(|(delimiter, _, width)| (delimiter, width))
}

/// The records of a sample; the last one, which may be cut, only if the sample is `all`.
fn records(sample: &[u8], delimiter: u8, all: bool) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(sample);
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let mut rows: Vec<Vec<String>> = reader
        .byte_records()
        .map_while(Result::ok)
        .take(1000)
        .map(|record| record.iter().map(text).collect())
        .collect();
    if !all && rows.len() > 1 && rows.len() < 1000 {
        rows.pop();
    }
    rows
}

/// Whether the first row names columns: it holds a name that the user gave or that columns go by, or
/// each of its fields is short and unlike the long texts below.
fn has_header(rows: &[Vec<String>], options: &ReadOptions) -> bool {
    let Some((first, rest)) = rows.split_first() else { return false };
    let given: Vec<&String> = options
        .text
        .iter()
        .chain(&options.label)
        .chain(&options.weight)
        .chain(&options.split)
        .collect();
    let names = || first.iter().map(|field| field.trim());
    if names().any(|field| given.iter().any(|name| *name == field)) {
        return true;
    }
    if given.iter().any(|name| name.parse::<usize>().is_ok()) {
        return false;
    }
    let known = |field: &str| {
        TEXT.iter().chain(&LABEL).chain(&SPLIT).any(|name| name.eq_ignore_ascii_case(field))
    };
    if names().any(known) {
        return true;
    }
    let like_a_name = |field: &str| {
        !field.is_empty()
            && field.len() <= 32
            && field.chars().any(char::is_alphabetic)
            && !field.contains(['.', '!', '?'])
            && field.split(' ').count() <= 3
    };
    let mean = |i: usize| {
        let lengths = rest.iter().filter_map(|row| row.get(i)).map(String::len);
        lengths.sum::<usize>() / rest.len().max(1)
    };
    let longest = (0..first.len()).map(mean).max().unwrap_or(0);
    names().all(like_a_name)
        && (0..first.len()).any(|i| mean(i) == longest && first[i].len() * 3 < longest)
}

//! What to train or score on: a corpus known by name, or files, and what is said of the files.

use std::fmt::{self, Write as _};
use std::path::Path;

use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use slugline::corpus::read::{Format, OnError, Read, ReadError, ReadOptions, read};
use slugline::corpus::{Dataset, Documents, LabelKind};

use super::parse::one_of;
use crate::failure::Failure;
use crate::output::{Console, ReadBar, grouped};

/// A corpus by its name, or files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    Dataset(Dataset),
    Files(Vec<String>),
}

impl Data {
    /// One name of a corpus, or else names of files. `./NAME` is a file in any case.
    pub(crate) fn of(inputs: &[String]) -> Self {
        match inputs {
            [name] => name.parse().map_or_else(|_| Self::Files(inputs.to_vec()), Self::Dataset),
            _ => Self::Files(inputs.to_vec()),
        }
    }

    /// The files that are read, folders and patterns as they are named; none for a corpus by its name
    /// or standard input.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let files = match self {
            Self::Dataset(_) => &[],
            Self::Files(files) => files.as_slice(),
        };
        files.iter().filter(|file| *file != "-").map(Path::new)
    }

    /// What models and reports call it: the corpus, or the name of the first file without its folder.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Dataset(dataset) => dataset.name().to_owned(),
            Self::Files(files) => {
                let first = files.first().map_or("-", String::as_str);
                let first = first.trim_end_matches('/');
                let name = first.rsplit('/').next().unwrap_or(first);
                match files.len() {
                    0 | 1 => name.to_owned(),
                    n => format!("{name} and {} more", n - 1),
                }
            }
        }
    }

    /// The name of the model trained on it, without its ending.
    pub(crate) fn stem(&self) -> String {
        match self {
            Self::Dataset(dataset) => dataset.name().to_owned(),
            Self::Files(_) => {
                let name = self.name();
                let stem = name.split('.').next().filter(|stem| !stem.is_empty() && *stem != "-");
                stem.unwrap_or("model").to_owned()
            }
        }
    }
}

/// What `--on-error` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum OnBadRow {
    /// End with an error that names file and line
    #[default]
    Stop,
    /// Leave the row out, count it and say why
    Skip,
}

/// The form of a user's files.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading files")]
pub(crate) struct FormArgs {
    /// Format of the files [default: by their content]
    #[arg(long, value_name = "FORMAT",
        value_parser = one_of(Format::ALL.map(Format::name), |name| name.parse::<Format>().ok()))]
    pub(crate) input_format: Option<Format>,
    /// Character between the fields of a table, or `tab` [default: by the content]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Whether the first row of a table names its columns [default: by the content]
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no())]
    header: Option<bool>,
    /// What the labels of fastText lines begin with
    #[arg(long, value_name = "PREFIX", default_value_t = ReadOptions::default().label_prefix)]
    label_prefix: String,
    /// What a bad row does: stop or skip
    #[arg(long, value_name = "WHAT", value_enum, default_value_t, hide_possible_values = true)]
    on_error: OnBadRow,
}

/// How a user's labelled files are read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading files")]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    form: FormArgs,
    /// Columns (or JSON keys) with the text, joined by a newline; columns without a header are
    /// called 1, 2, … [default: by name, else the longest]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    text: Vec<String>,
    /// Column with the label [default: by name, else the only one with few values]
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// What stands between several labels in one field, such as `|`; any number of labels then
    #[arg(long, value_name = "SEP")]
    label_separator: Option<String>,
    /// Whether a document may have any number of labels [default: if one has several]
    #[arg(long, value_name = "yes|no", num_args = 0..=1, require_equals = true,
        default_missing_value = "yes", value_parser = yes_or_no())]
    multi_label: Option<bool>,
    /// Column with the weight of a document
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// Column that says train, validation or test [default: `split` or `set`, if it does]
    #[arg(long, value_name = "COLUMN")]
    split_column: Option<String>,
}

fn yes_or_no() -> impl TypedValueParser<Value = bool> {
    one_of(["yes", "no"], |word| Some(word == "yes"))
}

/// A single ASCII character, or `tab`.
fn delimiter(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, &[byte]) if byte.is_ascii() && byte != b'"' && byte != b'\n' => Ok(byte),
        _ => Err("expected one ASCII character, or `tab`".into()),
    }
}

impl FormArgs {
    /// The options for the library.
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.input_format,
            header: self.header,
            delimiter: self.delimiter,
            label_prefix: self.label_prefix.clone(),
            on_error: match self.on_error {
                OnBadRow::Stop => OnError::Stop,
                OnBadRow::Skip => OnError::Skip,
            },
            ..ReadOptions::default()
        }
    }
}

impl ReadArgs {
    /// The options for the library.
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            text: self.text.clone(),
            label: self.label.clone(),
            label_separator: self.label_separator.clone(),
            multi_label: self.multi_label,
            weight: self.weight.clone(),
            split: self.split_column.clone(),
            ..self.form.options()
        }
    }

    /// Reads labelled files, with a progress bar, and says what they were taken for. `class_names` are
    /// the classes of a model, if there is one.
    pub(crate) fn read(
        &self,
        files: &[String],
        class_names: Option<&[String]>,
        console: Console,
    ) -> Result<Read, Failure> {
        let class_names = class_names.map(<[String]>::to_vec);
        read_files(files, &ReadOptions { class_names, ..self.options() }, console)
    }

    /// Reads a file of documents to validate on, which have the classes and the kind of labels of those
    /// to train on: its validation part, if it has one, else what it has to train on.
    pub(crate) fn read_held_out(
        &self,
        file: &str,
        train: &Documents,
        console: Console,
    ) -> Result<Documents, Failure> {
        let base = self.options();
        let multi = (train.label_kind() == LabelKind::Multi).then_some(true);
        let options = ReadOptions {
            class_names: Some(train.class_names().to_vec()),
            multi_label: multi.or(base.multi_label),
            ..base
        };
        let found = read_files(&[file.to_owned()], &options, console)?;
        let documents = found.validation.unwrap_or(found.train);
        match documents.is_empty() {
            true => Err(Failure::Other(format!("{file} has documents for testing alone"))),
            false => Ok(documents),
        }
    }

    /// Reads labelled files to describe them: bad rows are left out and counted, nothing is said.
    pub(crate) fn look(&self, files: &[String], console: Console) -> Result<Read, Failure> {
        load(files, &ReadOptions { on_error: OnError::Skip, ..self.options() }, console)
    }

    /// The arguments that would say the same, each with a space before it.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(words, " --{name} {}", quoted(&value));
            }
        };
        let FormArgs { input_format, delimiter, header, label_prefix, on_error } = &self.form;
        add("input-format", input_format.map(|format| format.name().to_owned()));
        add("text", Some(self.text.join(",")).filter(|text| !text.is_empty()));
        add("label", self.label.clone());
        add("weight", self.weight.clone());
        add("split-column", self.split_column.clone());
        let shown = |byte| if byte == b'\t' { "tab".into() } else { char::from(byte).to_string() };
        add("delimiter", delimiter.map(shown));
        add("header", header.map(|header| if header { "yes".into() } else { "no".into() }));
        let usual = ReadOptions::default().label_prefix;
        add("label-prefix", Some(label_prefix.clone()).filter(|prefix| *prefix != usual));
        add("label-separator", self.label_separator.clone());
        add("on-error", (*on_error == OnBadRow::Skip).then(|| "skip".into()));
        match self.multi_label {
            None => {}
            Some(true) => words.push_str(" --multi-label"),
            Some(false) => words.push_str(" --multi-label=no"),
        }
        words
    }
}

/// Reads files, with a progress bar.
fn load(files: &[String], options: &ReadOptions, console: Console) -> Result<Read, Failure> {
    let mut bar = ReadBar::new(console);
    let found = read(files, options, &mut |progress| bar.show(progress));
    drop(bar);
    found.map_err(|error| match error {
        // A bare word may have been meant for a corpus.
        ReadError::Missing { ref input, .. } if !input.contains(['/', '.', '*']) => {
            let known = Dataset::NAMES.join(", ");
            Failure::Other(format!("{error}, and no corpus of that name: known are {known}"))
        }
        error => error.into(),
    })
}

/// Reads files, and says what they were taken for.
fn read_files(files: &[String], options: &ReadOptions, console: Console) -> Result<Read, Failure> {
    let found = load(files, options, console)?;
    for layout in &found.layouts {
        console.note(format_args!("{layout}"));
    }
    for file in &found.empty_files {
        console.note(format_args!("{file} is empty"));
    }
    let first = found.skipped.first.iter().map(|(place, problem)| (place, problem.as_str()));
    note_skipped(console, found.skipped.count, first);
    if found.empty_texts > 0 {
        let empty = grouped(found.empty_texts);
        console.note(format_args!("{empty} documents have no text"));
    }
    Ok(found)
}

/// Tells of bad rows that were left out: how many, and the first of them.
pub(crate) fn note_skipped<P: fmt::Display>(
    console: Console,
    count: u64,
    first: impl ExactSizeIterator<Item = (P, impl fmt::Display)>,
) {
    if count == 0 {
        return;
    }
    let listed = first.len().min(if console.verbose { usize::MAX } else { 5 });
    console.note(format_args!("{} bad rows were skipped:", grouped(count)));
    for (place, problem) in first.take(listed) {
        console.note(format_args!("  {place}: {problem}"));
    }
    let more = count - count.min(listed as u64);
    if more > 0 {
        console.note(format_args!("  and {} more", grouped(more)));
    }
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_corpora_and_files_are_told_apart() {
        let of =
            |words: &[&str]| Data::of(&words.iter().copied().map(String::from).collect::<Vec<_>>());
        assert_eq!(of(&["reuters"]), Data::Dataset("reuters".parse().unwrap()));
        let file = of(&["data/news.csv.gz"]);
        assert_eq!((file.name().as_str(), file.stem().as_str()), ("news.csv.gz", "news"));
        assert_eq!(of(&["./reuters", "b"]).name(), "reuters and 1 more");
        assert_eq!(of(&["-"]).stem(), "model");
        assert_eq!((of(&["reuters"]).paths().count(), of(&["-", "b"]).paths().count()), (0, 1));
        assert_eq!(of(&["corpus/"]).stem(), "corpus");
    }

    #[test]
    fn what_is_said_of_files_can_be_said_again() {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            read: ReadArgs,
        }
        let words = |line: &str| {
            let words = std::iter::once("x").chain(line.split(' ').filter(|word| !word.is_empty()));
            <Only as clap::Parser>::parse_from(words).read.words()
        };
        for line in [
            "",
            " --text title,body --label desk",
            " --input-format parquet --weight w --split-column s --on-error skip",
            " --delimiter tab --header no --label-separator ; --multi-label",
            " --label-prefix __topic__ --multi-label=no",
        ] {
            assert_eq!(words(line).replace('\'', ""), line);
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell_where_need_be() {
        assert_eq!(quoted("a-b_c.d"), "a-b_c.d");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(delimiter("tab"), Ok(b'\t'));
        assert!(delimiter("ab").is_err() && delimiter("é").is_err());
    }
}

//! `slugline datasets`: the corpora that are known by name, and what files hold.

mod files;

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;
use slugline::corpus::{Corpus, Dataset, Description, Location, PartDescription, SequenceOptions};

use crate::failure::Failure;
use crate::options::{Data, DataArgs, Part, ReadArgs, dataset};
use crate::output::{
    Align, BEST, Console, DownloadBar, HEADING, QUIET, STRONG, Table, grouped, out, wrapped,
    write_json,
};

/// List, describe, show and fetch the corpora known by name
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct DatasetsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the datasets and where each is found
    #[command(after_long_help = "\
Examples:
  slugline datasets list
  slugline datasets list --format json

JSON (stable; more fields may be added): a list of
  {name, description, status: embedded|found|missing, paths}")]
    List {
        #[command(flatten)]
        files: DataArgs,
    },
    /// Describe a dataset or files: documents, classes and their sizes, lengths, vocabulary
    ///
    /// Of files is told what they were taken for, how many rows are bad and why; nothing is written.
    #[command(after_long_help = "\
Examples:
  slugline datasets info sample
  slugline datasets info reuters --format json | jq .train.lengths
  slugline datasets info tickets.csv
  slugline datasets info 'news-*.parquet' --text title,body --format json | jq .classes

JSON of a corpus (stable; more fields may be added): one object with
  name, description, ranked_words, vocabulary, largest_id
  train, test           {documents, total_ids, lengths: {min, median, mean, max}}
  classes               a list of {name, train, test}: numbers of documents

JSON of files: one object with
  layouts               what each file was taken for
  empty_files           those without rows, passed over
  content, label_kind   text or features; single, multi or soft
  train                 {documents, total_tokens, lengths, empty_texts, unlabelled}
  validation, test      the same, null where files have no such part
  classes               a list of {name, train, validation, test}
  bad_rows              how many
  bad_row_list          the first 100: {source, row, problem}")]
    Info {
        /// A dataset (sample, reuters, reuters-clean), or files as for `train`
        #[arg(value_name = "DATA", required = true)]
        data: Vec<String>,
        #[command(flatten)]
        read: Box<ReadArgs>,
        #[command(flatten)]
        files: DataArgs,
        /// Number of word ids, as in `train --max-features`; 0 for all [default: 10000]
        #[arg(long, value_name = "N", default_value_t = 10_000, hide_default_value = true)]
        max_features: u32,
    },
    /// Show a document of a dataset, its ids turned back into words
    ///
    /// Documents count from 0. `?` stands for the start mark and for words that are left out.
    #[command(after_long_help = "\
Examples:
  slugline datasets show sample 0
  slugline datasets show reuters 25 --split train --max-features 10000

JSON (stable; more fields may be added): one object with
  data, split, number, label, text, ids")]
    Show {
        #[command(flatten)]
        data: NameArgs,
        /// Which document, counted from 0
        number: usize,
        /// Which part of the dataset
        #[arg(long, value_enum, default_value_t = Part::Train)]
        split: Part,
        /// Number of word ids, as in `train --max-features`; 0 for all [default: 10000]
        #[arg(long, value_name = "N", default_value_t = 10_000, hide_default_value = true)]
        max_features: u32,
    },
    /// Download a dataset into the cache folder, if it is not on this machine yet
    #[command(after_long_help = "\
Examples:
  slugline datasets fetch reuters

Prints where the files are. A download that was cut is continued, and checked at the end.

JSON (stable; more fields may be added): one object with
  name, status: embedded|found, paths")]
    Fetch {
        #[command(flatten)]
        data: NameArgs,
    },
}

/// Which dataset, and where its files are.
#[derive(Debug, Args)]
struct NameArgs {
    /// Name of the dataset: sample, reuters or reuters-clean
    #[arg(value_name = "NAME", value_parser = dataset(), hide_possible_values = true)]
    name: Dataset,
    #[command(flatten)]
    files: DataArgs,
}

impl NameArgs {
    fn load(&self, max_features: u32, console: Console) -> Result<Corpus, Failure> {
        let options = SequenceOptions {
            // Keras takes no number to mean the largest id, which it then leaves out.
            num_words: Some(if max_features == 0 { u32::MAX } else { max_features }),
            ..SequenceOptions::default()
        };
        self.files.load(self.name, &options, console)
    }
}

impl DatasetsArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        match &self.action {
            Action::List { files } => list(files, console),
            Action::Info { data, read, files, max_features } => match Data::of(data) {
                Data::Files(inputs) => files::info(&read.look(&inputs, console)?, console),
                Data::Dataset(name) => {
                    info(&NameArgs { name, files: files.clone() }, *max_features, console)
                }
            },
            Action::Show { data, number, split, max_features } => {
                show(data, *number, *split, *max_features, console)
            }
            Action::Fetch { data } => fetch(data, console),
        }
    }
}

fn status(location: &Location) -> &'static str {
    match location {
        Location::Embedded => "embedded",
        Location::Files(_) => "found",
        Location::Missing => "missing",
    }
}

fn paths(location: &Location) -> Vec<String> {
    location.paths().iter().map(|path| path.display().to_string()).collect()
}

fn list(files: &DataArgs, console: Console) -> Result<(), Failure> {
    let locator = files.locator();
    let found: Vec<(Dataset, Location)> =
        Dataset::ALL.map(|dataset| (dataset, dataset.location(&locator))).to_vec();
    if console.json() {
        let list: Vec<_> = found
            .iter()
            .map(|(dataset, location)| {
                json!({
                    "name": dataset.name(),
                    "description": dataset.description(),
                    "status": status(location),
                    "paths": paths(location),
                })
            })
            .collect();
        return write_json(&list);
    }
    let mut out = out();
    for (i, (dataset, location)) in found.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{HEADING}{dataset}{HEADING:#}")?;
        writeln!(out, "{}", wrapped(dataset.description(), usize::MAX))?;
        let place = match location {
            Location::Embedded => "built in: needs no file and no network".to_owned(),
            Location::Files(_) => paths(location).join(", "),
            Location::Missing => {
                format!("not on this machine; `slugline datasets fetch {dataset}` downloads it")
            }
        };
        writeln!(out, "  {QUIET}{place}{QUIET:#}")?;
    }
    out.flush()?;
    Ok(())
}

fn info(data: &NameArgs, max_features: u32, console: Console) -> Result<(), Failure> {
    let description = data.load(max_features, console)?.describe();
    if console.json() {
        return write_json(&description);
    }
    let mut out = out();
    writeln!(out, "{HEADING}{}{HEADING:#}", description.name)?;
    writeln!(out, "{}\n", wrapped(&description.description, usize::MAX))?;
    writeln!(out, "{}", parts_table(&description))?;
    write!(out, "{}", words_table(&description))?;
    writeln!(out, "\n{HEADING}{} classes{HEADING:#}", description.classes.len())?;
    write!(out, "{}", classes_table(&description, usize::MAX))?;
    out.flush()?;
    Ok(())
}

/// Documents and their lengths.
pub(super) fn parts_table(description: &Description) -> Table {
    let right = Align::Right;
    let mut table = Table::new([
        ("part", Align::Left),
        ("documents", right),
        ("ids", right),
        ("shortest", right),
        ("median", right),
        ("mean", right),
        ("longest", right),
    ]);
    for (name, part) in [("training", &description.train), ("test", &description.test)] {
        let PartDescription { documents, total_ids, lengths } = part;
        let (documents, ids) = (grouped(*documents), grouped(*total_ids));
        match lengths {
            None => table.row([&name, &documents, &ids, &"–", &"–", &"–", &"–"]),
            Some(l) => table.row([
                &name,
                &documents,
                &ids,
                &grouped(l.min),
                &l.median,
                &format_args!("{:.1}", l.mean),
                &grouped(l.max),
            ]),
        }
    }
    table
}

/// Words and ids.
fn words_table(description: &Description) -> Table {
    let mut table = Table::pairs();
    table.row([&"ranked words", &grouped(description.ranked_words)]);
    table.row([&"ids in use", &grouped(description.vocabulary)]);
    if let Some(largest) = description.largest_id {
        table.row([&"largest id", &grouped(largest)]);
    }
    table
}

/// The largest classes and their documents.
pub(super) fn classes_table(description: &Description, limit: usize) -> Table {
    let right = Align::Right;
    let mut table = Table::new([
        ("label", right),
        ("class", Align::Left),
        ("training", right),
        ("test", right),
        ("share", right),
    ]);
    let total = description.train.documents.max(1);
    let mut classes: Vec<_> = description.classes.iter().enumerate().collect();
    classes.sort_by_key(|(label, class)| (std::cmp::Reverse(class.train), *label));
    for (label, class) in classes.into_iter().take(limit) {
        let share = 100.0 * class.train as f64 / total as f64;
        table.row([
            &label,
            &class.name,
            &grouped(class.train),
            &grouped(class.test),
            &format_args!("{share:.1}%"),
        ]);
    }
    table
}

fn show(
    data: &NameArgs,
    number: usize,
    split: Part,
    max_features: u32,
    console: Console,
) -> Result<(), Failure> {
    let corpus = data.load(max_features, console)?;
    let part = split.of(&corpus);
    let (Some(ids), Some(&label)) = (part.get(number), part.labels().get(number)) else {
        return Err(Failure::Other(format!(
            "there is no document {number} in the {} part of {}: it has {} documents, counted from 0",
            split.name(),
            data.name,
            grouped(part.len())
        )));
    };
    let label = corpus.class_names.get(label as usize).map_or("?", String::as_str);
    let text = corpus.decode(ids);
    if console.json() {
        return write_json(&json!({
            "data": data.name.name(),
            "split": split.name(),
            "number": number,
            "label": label,
            "text": text,
            "ids": ids,
        }));
    }
    let mut out = out();
    writeln!(
        out,
        "{STRONG}{label}{STRONG:#}  {QUIET}{}, {} document {number}, {} ids{QUIET:#}",
        data.name,
        split.name(),
        ids.len()
    )?;
    writeln!(out, "{}", wrapped(&text, usize::MAX))?;
    out.flush()?;
    Ok(())
}

fn fetch(data: &NameArgs, console: Console) -> Result<(), Failure> {
    let mut bar = DownloadBar::new(console);
    let location = data.name.fetch(&data.files.locator(), &mut |progress| bar.show(progress))?;
    drop(bar);
    if console.json() {
        return write_json(&json!({
            "name": data.name.name(),
            "status": status(&location),
            "paths": paths(&location),
        }));
    }
    let mut out = out();
    if location == Location::Embedded {
        console.note(format_args!("{} is built in: there is nothing to fetch", data.name));
    }
    for path in paths(&location) {
        writeln!(out, "{BEST}{path}{BEST:#}")?;
    }
    out.flush()?;
    Ok(())
}

//! `slugline check`: what is wrong with labelled data.

use std::fmt::Display;
use std::io::Write;

use clap::Args;
use slugline::check::{CheckOptions, Damage, Found, Report, check};
use slugline::corpus::{Dataset, Documents};

use crate::failure::Failure;
use crate::options::{Data, DataArgs, ReadArgs};
use crate::output::{Align, Console, HEADING, QUIET, Table, grouped, out, write_json};

/// Look at labelled data before trusting it: repeated, conflicting and leaked texts, damage
///
/// What is found is told with file and row. Data that name a test part of their own, and the corpora,
/// are checked against it without --against.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// What to look at: files as for `train`, or a corpus: sample, reuters, reuters-clean
    #[arg(value_name = "DATA", required = true)]
    data: Vec<String>,
    /// File with the documents to be scored on
    #[arg(long, value_name = "FILE")]
    against: Option<String>,
    /// Classes with fewer documents are too small to learn
    #[arg(long, value_name = "N", default_value_t = CheckOptions::default().min_class_size)]
    min_class_size: u64,
    /// Findings of a kind that are shown (JSON has all)
    #[arg(long, value_name = "N", default_value_t = 5)]
    limit: usize,
    /// Exit with 1 if there is anything to look at
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    files: DataArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline check tickets.csv
  slugline check train.jsonl --against test.jsonl --format json | jq .leaked
  slugline check reuters

JSON (stable; more fields may be added): one object with
  documents, against    numbers of documents
  leaked                documents to be scored on whose text is one of those to train on
  conflicting           distinct texts, of all documents, that stand under more than one label
  duplicates            documents whose text stood before
  small_classes, empty, extreme_lengths, damaged
  and the evidence in leaked_documents, conflicting_texts, duplicate_texts, small_class_list,
  empty_documents, lengths, damaged_documents; a document is {source, row, against, labels}";

impl CheckArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        if self.against.as_ref().is_some_and(|against| against.parse::<Dataset>().is_ok()) {
            let problem = "--against takes a file; a corpus is checked against its own test part";
            return Err(Failure::Usage { command: "check", problem: problem.into() });
        }
        let (train, test) = self.load(console)?;
        let options = CheckOptions { min_class_size: self.min_class_size };
        let report = check(&train, test.as_ref(), &options);
        if console.json() {
            write_json(&report)?;
        } else {
            self.print(&report)?;
        }
        match report.findings() {
            n if n > 0 && self.strict => {
                Err(Failure::Other(format!("{} findings, and --strict allows none", grouped(n))))
            }
            _ => Ok(()),
        }
    }

    /// The documents to train on and those to be scored on.
    fn load(&self, console: Console) -> Result<(Documents, Option<Documents>), Failure> {
        let (train, test) = match Data::of(&self.data) {
            Data::Dataset(dataset) => {
                let documents = self.files.documents(dataset, console)?;
                (documents.train, Some(documents.test))
            }
            Data::Files(files) => {
                let found = self.read.read(&files, None, console)?;
                (found.train, found.test)
            }
        };
        let Some(against) = &self.against else { return Ok((train, test)) };
        let files = [against.clone()];
        let found = self.read.read(&files, None, console)?;
        Ok((train, Some(found.test.unwrap_or(found.train))))
    }

    fn print(&self, report: &Report) -> Result<(), Failure> {
        let mut out = out();
        let mut counts = Table::pairs();
        counts.row([&"documents", &grouped(report.documents)]);
        if let Some(against) = report.against {
            counts.row([&"to be scored on", &grouped(against)]);
            counts.row([&"  of these, with a text to train on", &grouped(report.leaked)]);
        }
        counts.row([&"texts with more than one label", &grouped(report.conflicting)]);
        counts.row([&"documents whose text stood before", &grouped(report.duplicates)]);
        let small = format!("classes with fewer than {} documents", self.min_class_size);
        counts.row([&small, &grouped(report.small_classes)]);
        counts.row([&"documents without words", &grouped(report.empty)]);
        counts.row([&"documents of unusual length", &grouped(report.extreme_lengths)]);
        counts.row([&"documents with damaged characters", &grouped(report.damaged)]);
        let [least, first, half, third, most] = report.lengths.quartiles;
        let lengths = format_args!("{least}, {first}, {half}, {third}, {most}").to_string();
        counts.row([&"characters: least, quarters, most", &lengths]);
        writeln!(out, "{counts}")?;

        let leaked = report.leaked_documents.iter();
        let leaked = leaked.map(|leak| {
            let training = place(&leak.training);
            [place(&leak.document), format!("as {training}"), leak.excerpt.clone()]
        });
        self.section(&mut out, "Leaked", leaked)?;
        let conflicts = report.conflicting_texts.iter();
        let conflicts = conflicts.map(|conflict| {
            let labels = conflict.labels.join(", ");
            [places(&conflict.documents), labels, conflict.excerpt.clone()]
        });
        self.section(&mut out, "More than one label", conflicts)?;
        let repeated = report.duplicate_texts.iter();
        let repeated = repeated.map(|duplicate| {
            let times = format!("{} times", duplicate.documents.len());
            [places(&duplicate.documents), times, duplicate.excerpt.clone()]
        });
        self.section(&mut out, "Repeated", repeated)?;
        let small = report.small_class_list.iter();
        let small = small.map(|class| {
            [class.name.clone(), format!("{} documents", class.documents), String::new()]
        });
        self.section(&mut out, "Small classes", small)?;
        let empty = report.empty_documents.iter();
        let empty = empty.map(|found| [place(found), found.labels.join(", "), String::new()]);
        self.section(&mut out, "Without words", empty)?;
        let extremes = report.lengths.extremes.iter();
        let extremes = extremes.map(|extreme| {
            let characters = format!("{} characters", grouped(extreme.characters));
            [place(&extreme.document), characters, extreme.excerpt.clone()]
        });
        self.section(&mut out, "Unusual length", extremes)?;
        let damaged = report.damaged_documents.iter();
        let damaged = damaged.map(|damaged| {
            let what = match damaged.damage {
                Damage::Replaced => "characters lost",
                Damage::WrongEncoding => "UTF-8 read as Latin-1",
                Damage::ControlCharacters => "control characters",
            };
            [place(&damaged.document), what.to_owned(), damaged.excerpt.clone()]
        });
        self.section(&mut out, "Damaged characters", damaged)?;
        out.flush()?;
        Ok(())
    }

    /// The first findings of a kind under a heading.
    fn section(
        &self,
        out: &mut impl Write,
        heading: &str,
        findings: impl ExactSizeIterator<Item = [String; 3]>,
    ) -> Result<(), Failure> {
        let count = findings.len();
        if count == 0 {
            return Ok(());
        }
        let mut table = Table::new([("", Align::Left); 3]);
        for [place, what, excerpt] in findings.take(self.limit) {
            table.row([&place as &dyn Display, &what, &format_args!("{QUIET}{excerpt}{QUIET:#}")]);
        }
        write!(out, "{HEADING}{heading}{HEADING:#}\n{table}")?;
        if count > self.limit {
            let more = grouped(count - self.limit);
            writeln!(out, "{QUIET}  and {more} more: --limit {count}{QUIET:#}")?;
        }
        writeln!(out)?;
        Ok(())
    }
}

/// Where a document stands.
fn place(found: &Found) -> String {
    match (&found.source, found.against) {
        (Some(source), _) => format!("{source}:{}", found.row),
        (None, false) => format!("training {}", found.row),
        (None, true) => format!("test {}", found.row),
    }
}

/// Where the first documents of a text stand.
fn places(documents: &[Found]) -> String {
    const SHOWN: usize = 2;
    let mut shown: Vec<String> = documents.iter().take(SHOWN).map(place).collect();
    if documents.len() > SHOWN {
        shown.push("…".into());
    }
    shown.join(", ")
}

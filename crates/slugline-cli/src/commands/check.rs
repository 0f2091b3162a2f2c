//! `slugline check`: what is wrong with labelled data.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use slugline::check::{CheckOptions, Kind, Report, check};
use slugline::classifier::{AutoOptions, Classifier, ClassifierError, FoldOptions};
use slugline::corpus::{Dataset, Documents, LabelKind};
use slugline::nn::{Flow, with_threads};

use super::findings::Findings;
use crate::failure::Failure;
use crate::interrupt;
use crate::options::{Data, DataArgs, ReadArgs, one_of, similarity, threads};
use crate::output::{
    Console, TrainingBar, check_target, fold_line, grouped, out, to_file, write_json,
};

/// Look at labelled data before trusting it: leaks, repeats, wrong labels, damage
///
/// What is found is told with file and row, what spoils most first. Data that name a test part of
/// their own, and the corpora, are checked against it without --against.
///
/// Labels that are likely wrong are found by confident learning: five models (--folds) are trained,
/// each on four fifths of the documents, and answer the rest; a label is doubted where the model is as sure of
/// another one as it usually is of that label's own documents. This takes five times as long as
/// `train`; --no-label-errors leaves it out, Ctrl-C ends it and the rest is told. Of more than 50,000
/// documents it is done only with --label-errors.
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
    /// From 0.5 to 1: texts that share so much of their pairs of neighbouring words are nearly the
    /// same; at 0.9, one word in forty may be another one
    #[arg(long, value_name = "SHARE", default_value_t = CheckOptions::default().similarity,
        value_parser = similarity)]
    similarity: f64,
    /// Threads to work on, 0 for one a core; the findings do not depend on it
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads())]
    threads: usize,

    /// Look for labels that are likely wrong, however many documents there are
    #[arg(long, help_heading = "Label errors", conflicts_with = "no_label_errors")]
    label_errors: bool,
    /// Do not look for labels that are likely wrong, which takes the most time
    #[arg(long, help_heading = "Label errors")]
    no_label_errors: bool,
    /// Parts that the documents are divided into: each is answered by a model trained on the others
    #[arg(long, value_name = "K", help_heading = "Label errors",
        default_value_t = FoldOptions::default().folds, value_parser = clap::value_parser!(u32).range(2..))]
    folds: u32,
    /// Settles the parts and the training
    #[arg(long, value_name = "N", help_heading = "Label errors", default_value_t = 0)]
    seed: u64,

    /// Findings of a kind that are shown; all with --verbose (JSON and CSV have all)
    #[arg(long, value_name = "N", help_heading = "Report", default_value_t = 5)]
    limit: usize,
    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,
    /// Write the findings as a table too, one row each; `-` writes it instead of the report
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    csv: Option<PathBuf>,
    /// Exit with 1 if anything of these kinds is found (names as in JSON: leaked, …)
    #[arg(long, value_name = "KIND,…", help_heading = "Report", value_delimiter = ',',
        value_parser = one_of(Kind::ALL.map(Kind::name), Kind::by_name), hide_possible_values = true)]
    fail_on: Vec<Kind>,
    /// Exit with 1 if there is anything to look at but label errors, which are a matter of judgement
    #[arg(long, help_heading = "Report")]
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
  slugline check tickets.csv --csv findings.csv --similarity 0.8
  slugline check train.csv --against test.csv --fail-on leaked,conflicting --no-label-errors
  slugline check reuters

Exit codes: 0 whatever is found, 1 if --fail-on or --strict forbids it.

JSON (stable; more fields may be added): one object with
  documents, against    numbers of documents
  similarity            from which on texts are nearly the same
  leaked                documents to be scored on whose text is one of those to train on
  near_leaked           the same for texts that are nearly, but not to the letter, the same
  conflicting           distinct texts, of all documents, that stand under more than one label
  near_conflicting      groups of nearly the same texts to train on under more than one label
  label_errors          documents to train on whose label is likely wrong; null if not looked for
  duplicates            documents whose text stood before
  near_duplicates       distinct texts that nearly repeat one that stood before
  small_classes, empty, extreme_lengths, damaged
  and the evidence in leaked_documents, near_leaked_documents, conflicting_texts,
  label_error_documents, duplicate_texts, near_duplicate_texts, small_class_list, empty_documents,
  lengths, damaged_documents; a document is {source, row, against, labels}
  A label error is {document, given, suggested, margin, excerpt}; given and suggested are
  {label, probability, threshold}: its probability for the document by a model that has not seen
  it, and the mean of that over the documents of the label. The lowest margin comes first:
  (given - suggested + 1) / 2.

CSV, under a header: kind, file, row, label, other_file, other_row, other_label, score, text
  kind is the name of a count above; other is what the document is held against; score is the
  similarity, or the margin of a label error, the characters of an unusual length, the documents of
  a small class, the kind of damage";

/// Of more documents label errors are looked for only when asked to.
const MOST_BY_DEFAULT: usize = 50_000;

/// Of more texts it is said that they are compared.
const MANY_TEXTS: usize = 100_000;

impl CheckArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let usage = |problem: &str| Failure::Usage { command: "check", problem: problem.into() };
        if self.against.as_ref().is_some_and(|against| against.parse::<Dataset>().is_ok()) {
            let problem = "--against takes a file; a corpus is checked against its own test part";
            return Err(usage(problem));
        }
        if self.no_label_errors && self.fail_on.contains(&Kind::LabelErrors) {
            return Err(usage(
                "--fail-on label_errors looks for what --no-label-errors leaves out",
            ));
        }
        let table_alone = self.csv.as_deref() == Some(Path::new("-"));
        if table_alone && (self.output.is_some() || console.json()) {
            return Err(usage(
                "--csv - writes the table instead of the report; name a file for it",
            ));
        }
        let named = self.csv.iter().filter(|_| !table_alone);
        named.clone().chain(&self.output).try_for_each(|path| check_target(path))?;
        let (train, test) = self.load(console)?;
        let report = self.look(&train, test.as_ref(), console)?;

        for path in named {
            to_file(path, |file| Ok(report.write_csv(file)?))?;
        }
        let findings = Findings {
            report: &report,
            min_class_size: self.min_class_size,
            limit: if console.verbose { usize::MAX } else { self.limit },
            verbose: console.verbose,
        };
        match (&self.output, console.json()) {
            _ if table_alone => report.write_csv(std::io::stdout().lock())?,
            (None, true) => write_json(&report)?,
            (None, false) => findings.print(&mut out())?,
            (Some(path), true) => to_file(path, |file| {
                serde_json::to_writer(&mut *file, &report)?;
                Ok(writeln!(file)?)
            })?,
            (Some(path), false) => {
                to_file(path, |file| {
                    let file: &mut dyn Write = file;
                    findings.print(&mut anstream::StripStream::new(file))
                })?;
            }
        }
        self.verdict(&report)
    }

    /// A failure if something was found that is forbidden.
    fn verdict(&self, report: &Report) -> Result<(), Failure> {
        let forbids =
            |kind: Kind| self.fail_on.contains(&kind) || (self.strict && kind != Kind::LabelErrors);
        let found: Vec<String> = Kind::ALL
            .into_iter()
            .filter(|&kind| forbids(kind) && report.count(kind) > 0)
            .map(|kind| format!("{} {}", kind.name(), grouped(report.count(kind))))
            .collect();
        let option = if self.strict { "--strict" } else { "--fail-on" };
        match found.is_empty() {
            true => Ok(()),
            false => Err(Failure::Other(format!("{option} forbids: {}", found.join(", ")))),
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

    fn look(
        &self,
        train: &Documents,
        test: Option<&Documents>,
        console: Console,
    ) -> Result<Report, Failure> {
        let options =
            CheckOptions { min_class_size: self.min_class_size, similarity: self.similarity };
        let texts = train.len() + test.map_or(0, Documents::len);
        if texts > MANY_TEXTS {
            console.note(format_args!("comparing {} texts …", grouped(texts)));
        }
        let report = with_threads(self.threads, || check(train, test, &options))??;
        let asked = self.label_errors || self.fail_on.contains(&Kind::LabelErrors);
        let skipped = if self.no_label_errors {
            return Ok(report);
        } else if asked {
            None
        } else if train.label_kind() != LabelKind::Single {
            Some("they are told among labels of one class a document".to_owned())
        } else if train.len() > MOST_BY_DEFAULT {
            let limit = grouped(MOST_BY_DEFAULT);
            Some(format!("there are more than {limit} documents; --label-errors does it anyway"))
        } else {
            None
        };
        if let Some(reason) = skipped {
            console.note(format_args!("label errors were not looked for: {reason}"));
            return Ok(report);
        }
        match self.cross_validate(train, console) {
            Ok(probabilities) => Ok(report.with_label_errors(train, &probabilities)?),
            Err(Failure::Classifier(ClassifierError::Interrupted)) if !asked => {
                console.note(format_args!("stopped; label errors were not looked for"));
                Ok(report)
            }
            Err(Failure::Classifier(error)) if !asked => {
                console.note(format_args!("label errors were not looked for: {error}"));
                Ok(report)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The probabilities of every document by a model that has not seen it.
    fn cross_validate(
        &self,
        train: &Documents,
        console: Console,
    ) -> Result<slugline::nn::Matrix, Failure> {
        let folds = self.folds;
        console.note(format_args!(
            "looking for label errors: training {folds} times (--no-label-errors leaves it out) …"
        ));
        interrupt::watch()?;
        let name = Data::of(&self.data).name();
        let auto = AutoOptions { seed: self.seed, threads: self.threads, ..AutoOptions::default() };
        let go_on = || if interrupt::asked() { Flow::Stop } else { Flow::Continue };
        let found = Classifier::cross_validate(
            train,
            &name,
            FoldOptions { folds, seed: self.seed },
            &mut |fold, documents| {
                let mut bar = TrainingBar::of_fold(console, 0, fold, folds);
                Classifier::train_auto(documents, &name, auto, &go_on, &mut [&mut bar])
            },
            &mut |fold, scores| {
                console.note(format_args!("fold {}/{folds}   {}", fold + 1, fold_line(scores)));
            },
        )?;
        Ok(found.text_probabilities)
    }
}

//! `slugline threshold`: fits the thresholds of a model on labelled data.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;
use slugline::classifier::Classifier;
use slugline::corpus::Documents;
use slugline::decision::{DecisionOptions, Decisions, FittedClass, Threshold};
use slugline::nn::with_threads;

use super::open_model;
use super::train::check_output;
use crate::failure::Failure;
use crate::options::{Data, DataArgs, LimitArgs, ReadArgs, threads};
use crate::output::{
    Align, BEST, Console, HEADING, QUIET, STRONG, Table, grouped, out, wrapped, write_json_with,
};

/// Fit the thresholds of a model on labelled data, and keep them in it
///
/// The documents should not be those that the model was trained on, of which it is surer than of
/// others; nor those that it is evaluated on afterwards, for which the thresholds were made.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct ThresholdArgs {
    /// The model file
    model: PathBuf,
    /// What to fit on: labelled files as for `train`, or a corpus: sample, reuters, reuters-clean
    #[arg(value_name = "DATA", required = true)]
    data: Vec<String>,
    /// What the thresholds are for: `f1`, `precision=P` or `recall=R`; or a number from 0 to 1 for all
    /// classes, or `none` for no thresholds
    #[arg(long, value_name = "AIM")]
    aim: Threshold,
    /// Where to write the model [default: in place of MODEL]
    #[arg(long, short, value_name = "MODEL")]
    output: Option<PathBuf>,
    /// Which part of the corpus, or of files that have parts [default: validation, where files have
    /// one, else test]
    #[arg(long, value_enum)]
    split: Option<FitPart>,
    /// Threads to work on, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads())]
    threads: usize,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    files: DataArgs,
}

/// Documents to fit on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FitPart {
    Train,
    Validation,
    Test,
}

impl FitPart {
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

const AFTER_HELP: &str = "\
Examples:
  slugline threshold tickets.slug tickets-of-june.csv --aim precision=0.95
  slugline threshold tickets.slug tickets-of-june.csv --aim f1 -o tickets-f1.slug
  slugline threshold tickets.slug tickets-of-june.csv --aim none --min-confidence 0.6

Candidates for the threshold of a class are the probabilities that it has in the documents:
  f1            the one with the best F1
  precision=P   the lowest one with a precision of P: as many answers as that leaves. A class that
                never has it is never answered
  recall=R      the highest one with a recall of R: as few wrong answers as that leaves
A class without documents gets 0.5 for f1 and recall. Where a text has one class, the answer is the
most probable class that reaches its threshold; a precision is then reached by all that is answered, a
recall only as far as no more probable class is in the way.

JSON (stable; more fields may be added): one object with
  model, output     the model read, and the one written
  data, split       what was fitted on; split is all for files without parts
  documents         number of documents
  aim               what the thresholds are for
  reached           number of classes that reach it
  classes           a list of {name, threshold, support, predicted, precision, recall, f1, reached}: what
                    each class reaches on these documents; a threshold above 1 is never reached;
                    without an aim only name and threshold, empty for none
  min_confidence, max_unknown_words   as stored now";

/// Classes shown without `--verbose`.
const SHOWN: usize = 12;

/// What the model holds afterwards, for machines.
#[derive(Serialize)]
struct Stored<'a> {
    classes: Vec<Class<'a>>,
    min_confidence: f32,
    max_unknown_words: f32,
}

#[derive(Serialize)]
struct Class<'a> {
    name: &'a str,
    threshold: f32,
    #[serde(flatten)]
    fitted: Option<&'a FittedClass>,
}

impl ThresholdArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let output = self.output.as_ref().unwrap_or(&self.model);
        check_output(output)?;
        let classifier = open_model(&self.model)?;
        let data = Data::of(&self.data);
        let (documents, split) = self.documents(&data, &classifier, console)?;
        if documents.fingerprint() == classifier.record().corpus.fingerprint {
            console.note(format_args!(
                "note: the model was trained on these documents and is surer of them than of others; the \
                 thresholds will be too low"
            ));
        }
        let limits = self.limits.or(classifier.decisions());
        let options = DecisionOptions { threshold: self.aim, ..limits };
        let name = data.name();
        let fit = || classifier.fit_decisions(&documents, &name, &options);
        let decisions = with_threads(self.threads, fit)??;
        let classifier = classifier.with_decisions(decisions)?;
        classifier.save(output)?;
        if console.json() {
            self.write_json(&classifier, &name, split, documents.len())
        } else {
            self.print(console, &classifier, &name, split, documents.len())
        }
    }

    /// The documents to fit on, and the part that they are.
    fn documents(
        &self,
        data: &Data,
        classifier: &Classifier,
        console: Console,
    ) -> Result<(Documents, &'static str), Failure> {
        let missing = |part: FitPart| {
            let name = part.name();
            Failure::Other(format!(
                "{} has no {name} part; name another one by --split, or other documents",
                data.name()
            ))
        };
        match data {
            Data::Dataset(dataset) => {
                let found = self.files.documents(*dataset, console)?;
                match self.split.unwrap_or(FitPart::Test) {
                    FitPart::Train => Ok((found.train, "train")),
                    FitPart::Test => Ok((found.test, "test")),
                    part @ FitPart::Validation => Err(missing(part)),
                }
            }
            Data::Files(files) => {
                let found = self.read.read(files, Some(classifier.class_names()), console)?;
                let parts = [
                    (FitPart::Validation, found.validation),
                    (FitPart::Test, found.test),
                    (FitPart::Train, Some(found.train)),
                ];
                let whole = parts[..2].iter().all(|(_, documents)| documents.is_none());
                let chosen = parts.into_iter().find_map(|(part, documents)| {
                    let wanted = self.split.is_none_or(|split| split == part);
                    documents.filter(|_| wanted).map(|documents| (documents, part.name()))
                });
                match (chosen, self.split) {
                    (Some((documents, _)), None) if whole => Ok((documents, "all")),
                    (Some(found), _) => Ok(found),
                    (None, part) => Err(missing(part.unwrap_or(FitPart::Test))),
                }
            }
        }
    }

    fn write_json(
        &self,
        classifier: &Classifier,
        data: &str,
        split: &str,
        documents: usize,
    ) -> Result<(), Failure> {
        let Decisions { thresholds, fitted, min_confidence, max_unknown_words } =
            classifier.decisions();
        let fitted_class = |i| fitted.as_ref().and_then(|fitted| fitted.classes.get(i));
        let classes = classifier.class_names().iter().zip(thresholds).enumerate();
        let classes = classes.map(|(i, (name, &threshold))| Class {
            name,
            threshold,
            fitted: fitted_class(i),
        });
        let head = json!({
            "model": self.model.display().to_string(),
            "output": self.output.as_ref().unwrap_or(&self.model).display().to_string(),
            "data": data,
            "split": split,
            "documents": documents,
            "aim": self.aim.to_string(),
            "reached": fitted.as_ref().map(slugline::decision::FittedThresholds::reached),
        });
        let stored = Stored {
            classes: classes.collect(),
            min_confidence: *min_confidence,
            max_unknown_words: *max_unknown_words,
        };
        write_json_with(&head, &stored)
    }

    fn print(
        &self,
        console: Console,
        classifier: &Classifier,
        data: &str,
        split: &str,
        documents: usize,
    ) -> Result<(), Failure> {
        let mut out = out();
        let part = if split == "all" { String::new() } else { format!(", {split} part") };
        writeln!(out, "{HEADING}{data}{HEADING:#}{part}: {} documents\n", grouped(documents))?;
        let Decisions { thresholds, fitted, min_confidence, max_unknown_words } =
            classifier.decisions();
        let names = classifier.class_names();
        let mut unreached = Vec::new();
        if let Some(fitted) = fitted {
            let mut order: Vec<usize> = (0..names.len()).collect();
            order.sort_by_key(|&i| std::cmp::Reverse(fitted.classes[i].support));
            let shown = if console.verbose { names.len() } else { SHOWN };
            let rows = order.iter().take(shown);
            let rows = rows.map(|&i| (names[i].as_str(), thresholds[i], &fitted.classes[i]));
            writeln!(out, "{}", class_table(rows))?;
            let missed = (0..names.len()).filter(|&i| !fitted.classes[i].reached);
            unreached.extend(missed.map(|i| names[i].as_str()));
        }
        let mut table = Table::pairs();
        let output = self.output.as_ref().unwrap_or(&self.model);
        table.row([&"model", &format_args!("{BEST}{}{BEST:#}", output.display())]);
        table.row([&"thresholds", &self.aim]);
        if let Some(fitted) = fitted {
            let (reached, all) = (fitted.reached(), names.len());
            table.row([&"reached", &format_args!("by {reached} of {all} classes")]);
        }
        table.row([&"min confidence", min_confidence]);
        table.row([&"max unknown words", max_unknown_words]);
        write!(out, "{table}")?;
        if !unreached.is_empty() {
            let names = wrapped(&unreached.join(", "), usize::MAX);
            writeln!(out, "\n{HEADING}Not reached by{HEADING:#}\n{QUIET}{names}{QUIET:#}")?;
        }
        if !console.verbose && fitted.is_some() && names.len() > SHOWN {
            writeln!(out, "\n{QUIET}All classes: --verbose{QUIET:#}")?;
        }
        out.flush()?;
        Ok(())
    }
}

/// What each class reaches.
fn class_table<'a>(rows: impl Iterator<Item = (&'a str, f32, &'a FittedClass)>) -> Table {
    let right = Align::Right;
    let mut table = Table::new([
        ("class", Align::Left),
        ("threshold", right),
        ("documents", right),
        ("answered", right),
        ("precision", right),
        ("recall", right),
        ("F1", right),
        ("", Align::Left),
    ]);
    for (name, threshold, class) in rows {
        let FittedClass { support, predicted, precision, recall, f1, reached } = class;
        let threshold =
            if threshold > 1.0 { "never".to_owned() } else { format!("{threshold:.4}") };
        let shown = [*precision, *recall, *f1].map(|value| format!("{value:.3}"));
        let missed = if *reached { "" } else { "not reached" };
        table.row([
            &name,
            &threshold,
            &grouped(*support),
            &grouped(*predicted),
            &shown[0],
            &shown[1],
            &shown[2],
            &format_args!("{STRONG}{missed}{STRONG:#}"),
        ]);
    }
    table
}

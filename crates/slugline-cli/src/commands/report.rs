//! `slugline report`: everything there is to say of a model, as one page.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use slugline::evaluation::EvaluationOptions;
use slugline::report::{Report, ReportOptions};

use super::open_model;
use crate::failure::Failure;
use crate::options::{AnswerArgs, BootstrapArgs, Data, Part, ScoredArgs, data_to_score};
use crate::output::{BEST, Console, NewFile, bytes, check_not_read, out, write_json};

/// Write a report on a model: one page of HTML that needs nothing beside it
///
/// It opens without a network, in light and dark, on a phone and on paper: scores with intervals, the
/// training curves, every class, the confusion matrix with examples of the most confused classes,
/// calibration and thresholds, the most confidently wrong and the hardest documents with the words that
/// decided, and a model card with settings and provenance.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct ReportArgs {
    /// The model file
    model: PathBuf,
    /// What to score it on: labelled files as for `train`, or a corpus: sample, reuters, reuters-clean
    /// [default: the corpus that it was trained on]
    #[arg(value_name = "DATA")]
    data: Vec<String>,
    /// The page [default: MODEL.html; may be left out with --format json]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What stands above it
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// A file with plain text for the model card: for what the model is meant, who answers for it
    #[arg(long, value_name = "FILE")]
    notes: Option<PathBuf>,
    /// Show no text of the documents and no words of the classes, where they must not leave the house
    #[arg(long)]
    no_texts: bool,
    /// Documents to show of the most confidently wrong, and of the hardest
    #[arg(long, value_name = "N", default_value_t = ReportOptions::default().documents)]
    documents: usize,
    /// Most confused pairs of classes to show
    #[arg(long, value_name = "N", default_value_t = ReportOptions::default().pairs)]
    pairs: usize,
    /// Documents to show of each pair
    #[arg(long, value_name = "N", default_value_t = ReportOptions::default().examples)]
    examples: usize,
    #[command(flatten)]
    bootstrap: BootstrapArgs,
    #[command(flatten)]
    answers: AnswerArgs,
    #[command(flatten)]
    scored: ScoredArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline report tickets.slug tickets-of-june.csv -o tickets.html
  slugline report reuters.slug
  slugline report tickets.slug june.csv --title 'Ticket desk, June' --notes purpose.txt
  slugline report tickets.slug june.csv --no-texts

Scores are those of `slugline evaluate`. The documents should not be those that the model was trained on.
Words that decided are found as by `slugline explain`: for the answer, against the truth.

JSON (stable; more fields may be added): what stands on the page, as one object: model, title, data,
split, fingerprint, the fields of `slugline evaluate`, and
  confused        a list of {truth, answer, documents, support, examples}
  wrong, hardest  lists of documents: {document, place, truth, answer, probability, truth_probability,
                  loss, text, why}; `why` as from `slugline explain`, text and why absent with --no-texts;
                  with any number of labels, answer is the one farthest from the truth, and fault is
                  given, missing or none
  trained_on      whether the documents are known to be those that the model was trained on
  words           a list of {class, for, against} as from `slugline explain --words`; empty with
                  --no-texts";

/// A report for machines.
#[derive(Serialize)]
struct Whole<'a> {
    model: String,
    split: &'static str,
    #[serde(flatten)]
    report: &'a Report,
}

impl ReportArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let output = match (&self.output, console.json()) {
            (Some(path), _) => Some(path.clone()),
            (None, true) => None,
            (None, false) => Some(self.model.with_extension("html")),
        };
        if let Some(path) = &output {
            let data = self.data.iter().map(|input| ("the data", Path::new(input)));
            let model = ("the model", self.model.as_path());
            let notes = self.notes.iter().map(|path| ("the notes", path.as_path()));
            check_not_read(path, data.chain(notes).chain([model]))?;
        }
        let file = output.as_deref().map(NewFile::of_bytes).transpose()?;
        let notes = self.notes.as_ref().map(|path| {
            std::fs::read_to_string(path).map_err(|source| Failure::File {
                action: "read",
                path: path.clone(),
                source,
            })
        });
        let notes = notes.transpose()?;
        let classifier = self.answers.apply(open_model(&self.model)?)?;
        let data = data_to_score("report", &self.data, &classifier)?;
        let documents = self.scored.documents(&data, &classifier, console)?;
        // Of files nobody knows whether they have parts.
        let named = matches!(data, Data::Dataset(_));
        let options = ReportOptions {
            title: self.title.clone(),
            part: named.then(|| self.scored.split.in_words().to_owned()),
            trained_on: named && self.scored.split == Part::Train,
            notes,
            texts: !self.no_texts,
            pairs: self.pairs,
            examples: self.examples,
            documents: self.documents,
            evaluation: EvaluationOptions {
                bootstrap: self.bootstrap.bootstrap(),
                ..EvaluationOptions::default()
            },
            ..ReportOptions::default()
        };
        let name = data.name();
        let made = self.scored.on_threads(|| {
            let report = Report::new(&classifier, &documents, &name, options)?;
            let page = report.html(&classifier)?;
            Ok::<_, Failure>((report, page))
        })?;
        let (report, page) = made?;
        if let Some(mut file) = file {
            file.write(page.as_bytes())?;
            file.finish()?;
        }
        if console.json() {
            return self.write_json(&report);
        }
        if let Some(path) = output {
            let mut out = out();
            let size = bytes(page.len() as u64);
            writeln!(out, "  page  {BEST}{}{BEST:#} ({size})", path.display())?;
            out.flush()?;
        }
        Ok(())
    }

    fn write_json(&self, report: &Report) -> Result<(), Failure> {
        write_json(&Whole {
            model: self.model.display().to_string(),
            split: self.scored.split.name(),
            report,
        })
    }
}

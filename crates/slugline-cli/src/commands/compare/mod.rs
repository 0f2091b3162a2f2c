//! `slugline compare`: two models side by side on the same documents.

mod tables;
mod words;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use slugline::classifier::Classifier;
use slugline::compare::{CompareOptions, Comparison};
use slugline::evaluation::EvaluationOptions;

use super::open_model;
use crate::failure::Failure;
use crate::options::{BootstrapArgs, Data, ScoredArgs, data_to_score};
use crate::output::{Console, HEADING, QUIET, grouped, out, wrapped, write_json};

/// Compare two models on the same documents: which is better, and what changes
///
/// Both models answer the same documents. The output says which is right more often, whether that could
/// be chance, which answers and classes change, and shows documents on which the models disagree. Every
/// difference is B less A.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct CompareArgs {
    /// The model file of A, such as the one in use
    a: PathBuf,
    /// The model file of B, such as the one to replace it
    b: PathBuf,
    /// What to score them on: labelled files as for `train`, or a corpus: sample, reuters,
    /// reuters-clean [default: the corpus that both were trained on]
    #[arg(value_name = "DATA")]
    data: Vec<String>,
    /// Documents to show of each kind of disagreement, 0 for none
    #[arg(long, value_name = "N", default_value_t = CompareOptions::default().disagreements)]
    disagreements: usize,
    #[command(flatten)]
    bootstrap: BootstrapArgs,
    #[command(flatten)]
    scored: ScoredArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline compare old.slug new.slug tickets-of-june.csv
  slugline compare a.slug b.slug reuters --verbose
  slugline compare a.slug b.slug --disagreements 20
  slugline compare a.slug b.slug --format json | jq .mcnemar.p_value

Both models must have the same classes, in any order, and answer in the same way: with one class a
document, or with any number of labels. Answers are those that `slugline evaluate` scores: the most
probable class, whatever the thresholds, or the labels that reach theirs. A model of a numbered corpus
is scored on the texts here.

Whether the difference of the accuracies could be chance is told by McNemar's exact test, at the 5%
level. Intervals are percentiles of a paired bootstrap: the documents are drawn again with replacement,
the same for both models. In the table of scores, differences whose interval leaves out 0 stand out.

JSON (stable; more fields may be added): one object with
  models                {a, b}: the two files
  data, split           what they were scored on
  samples, label_kind   number of documents; single, multi or soft
  scores                a list of {score, name, a, b, difference, a_interval, b_interval,
                        difference_interval}; `score` is the name in the JSON of `slugline evaluate`,
                        `name` that in tables; intervals are [low, high], or null
  bootstrap             {resamples, confidence, seed}; absent with --bootstrap 0
  mcnemar               {both_right, only_a, only_b, both_wrong, p_value}: numbers of documents, and
                        how probable such a difference is between equally good models
  changed               number of documents with different answers
  changes               a list of {from, to, documents, a_right, b_right}: the answers of A and of B as
                        lists of names, on how many documents, and how often each is right
  classes               a list of {name, support, a, b, difference}, the last three
                        {precision, recall, f1}; the largest change of F1 first
  disagreements         {only_a_right, only_b_right, both_wrong}: lists of {document, place, truth, a,
                        b, text}; `document` counts from 0, `place` may be null, a and b are {answer,
                        probability, truth_probability}, the text is cut at 10,000 characters; the
                        largest change of the truth's probability first";

impl CompareArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let (a, b) = (open_model(&self.a)?, open_model(&self.b)?);
        let data = self.data(&a, &b)?;
        let documents = self.scored.documents(&data, &a, console)?;
        let options = CompareOptions {
            evaluation: EvaluationOptions {
                bootstrap: self.bootstrap.bootstrap(),
                ..EvaluationOptions::default()
            },
            disagreements: self.disagreements,
        };
        let name = data.name();
        let compare = || Comparison::new(&a, &b, &documents, &name, &options);
        let comparison = self.scored.on_threads(compare)??;
        note_other_training(console, &a, &b);
        if console.json() {
            write_json(&self.as_json(&name, &comparison)?)
        } else {
            self.print(console, &name, &comparison)
        }
    }

    /// What is named, or else the corpus that both were trained on.
    fn data(&self, a: &Classifier, b: &Classifier) -> Result<Data, Failure> {
        let [of_a, of_b] = [a, b].map(|model| &model.record().corpus.name);
        if self.data.is_empty() && of_a != of_b {
            return Err(Failure::Usage {
                command: "compare",
                problem: format!(
                    "name the DATA to score on: A was trained on {of_a}, and B on {of_b}"
                ),
            });
        }
        data_to_score("compare", &self.data, a)
    }

    fn as_json(&self, data: &str, comparison: &Comparison) -> Result<Value, Failure> {
        let mut object = json!({
            "models": {"a": self.a.display().to_string(), "b": self.b.display().to_string()},
            "data": data,
            "split": self.scored.split.name(),
        });
        let found = serde_json::to_value(comparison)?;
        if let (Some(object), Value::Object(found)) = (object.as_object_mut(), found) {
            object.extend(found);
        }
        Ok(object)
    }

    fn print(&self, console: Console, data: &str, c: &Comparison) -> Result<(), Failure> {
        let mut out = out();
        let part = self.scored.split.in_words();
        let (documents, classes) = (grouped(c.samples), c.classes.len());
        writeln!(
            out,
            "{HEADING}{data}{HEADING:#}, {part}: {documents} documents, {classes} classes"
        )?;
        writeln!(out, "  A  {}\n  B  {}\n", self.a.display(), self.b.display())?;
        writeln!(out, "{}\n", wrapped(&words::judgement(c), usize::MAX))?;
        writeln!(out, "{HEADING}Scores{HEADING:#}\n{}", tables::scores(c))?;
        writeln!(out, "{HEADING}Documents{HEADING:#}\n{}", tables::right_and_wrong(c))?;
        if c.changed > 0 {
            let table = tables::changes(c, console.verbose);
            writeln!(out, "{HEADING}Answered differently{HEADING:#}\n{table}")?;
        }
        if let Some(table) = tables::classes(c, console.verbose) {
            writeln!(out, "{HEADING}Classes that change most{HEADING:#}\n{table}")?;
        }
        for (heading, list) in [
            ("Only A is right", &c.disagreements.only_a_right),
            ("Only B is right", &c.disagreements.only_b_right),
            ("Both are wrong, each in its own way", &c.disagreements.both_wrong),
        ] {
            if !list.is_empty() {
                writeln!(out, "{HEADING}{heading}{HEADING:#}")?;
            }
            for document in list {
                writeln!(out, "{}\n", words::disagreement(document))?;
            }
        }
        if !console.verbose {
            writeln!(out, "{QUIET}All classes and pairs of answers: --verbose{QUIET:#}")?;
        }
        out.flush()?;
        Ok(())
    }
}

/// Says so where the models learned from different documents: one may know those that both are scored
/// on.
fn note_other_training(console: Console, a: &Classifier, b: &Classifier) {
    let (of_a, of_b) = (&a.record().corpus, &b.record().corpus);
    // The documents of a numbered corpus have another fingerprint for each way to number them.
    let by_text = [a, b].iter().all(|model| model.vectorizer().as_multi_hot().is_none());
    if of_a.name != of_b.name || (by_text && of_a.fingerprint != of_b.fingerprint) {
        console.note(format_args!(
            "note: A and B were not trained on the same documents; one of them may have been trained on \
             some of these"
        ));
    }
}

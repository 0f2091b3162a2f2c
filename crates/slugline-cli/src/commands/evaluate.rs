//! `slugline evaluate`: the scores of a model beside those of not looking at the text.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use slugline::classifier::Classifier;
use slugline::corpus::Documents;
use slugline::evaluation::{ClassScores, Evaluation};
use slugline::nn::with_threads;

use super::open_model;
use crate::failure::Failure;
use crate::options::{Data, DataArgs, Part, ReadArgs, threads};
use crate::output::{Align, BEST, Console, HEADING, QUIET, Table, grouped, out, score, write_json};

/// Score a model on a corpus, beside the baselines
///
/// The corpus is loaded and split as it was for training, so that nothing of the test part was
/// trained on. A corpus with other classes than the model's is refused.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct EvaluateArgs {
    /// The model file
    model: PathBuf,
    /// What to score it on: labelled files as for `train`, or a corpus: sample, reuters,
    /// reuters-clean [default: the corpus that it was trained on]
    #[arg(value_name = "DATA")]
    data: Vec<String>,
    /// Which part of the corpus, or of files that have parts
    #[arg(long, value_enum, default_value_t = Part::Test)]
    split: Part,
    /// Threads to work on, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = threads())]
    threads: usize,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    files: DataArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline evaluate tickets.slug tickets-of-june.csv
  slugline evaluate sample.slug sample
  slugline evaluate reuters.slug reuters --verbose
  slugline evaluate reuters.slug reuters --format json | jq .accuracy

Baselines, which a model has to beat:
  majority              always answering with the largest class of the training documents
  random permutation    answering with the true labels in random order (the expected score)

JSON (stable; more fields may be added): one object with
  model, data, split    what was scored on what
  samples               number of documents
  loss, accuracy        log loss of the calibrated probabilities; as in training for a numbered
                        corpus
  macro_f1, weighted_f1 mean F1 of the classes, plain and weighted by their documents
  baselines             {majority, random_permutation}: accuracies
  classes               a list of {name, precision, recall, f1, support}
  confusion             documents by true class (row) and answer (column)
  ece, mce, bins        expected and largest calibration error, and the reliability table:
                        {samples, confidence, accuracy} for each of 15 bins of confidence; absent
                        for a numbered corpus";

/// Classes shown without `--verbose`, from the largest on and from the worst on.
const SHOWN_LARGEST: usize = 8;
const SHOWN_WORST: usize = 5;
/// Pairs of classes shown without `--verbose`.
const SHOWN_PAIRS: usize = 5;

impl EvaluateArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let classifier = open_model(&self.model)?;
        let data = self.data(&classifier)?;
        let name = data.name();
        let evaluation = if let (Data::Dataset(dataset), Some(vectorizer)) =
            (&data, classifier.vectorizer().as_multi_hot())
        {
            let corpus = self.files.load(*dataset, vectorizer.options(), console)?;
            classifier.check_corpus(&corpus)?;
            note_other_documents(console, &classifier, &corpus.fingerprint());
            let documents = self.split.of(&corpus);
            with_threads(self.threads, || classifier.evaluate(documents))??
        } else {
            let documents = self.documents(&data, &classifier, console)?;
            with_threads(self.threads, || classifier.evaluate_documents(&documents, &name))??
        };
        if console.json() {
            write_json(&self.as_json(&name, &evaluation)?)
        } else {
            self.print(console, &name, &evaluation)
        }
    }

    /// What is named, or else the corpus that the model was trained on.
    fn data(&self, classifier: &Classifier) -> Result<Data, Failure> {
        if !self.data.is_empty() {
            return Ok(Data::of(&self.data));
        }
        let trained_on = &classifier.record().corpus.name;
        trained_on.parse().map(Data::Dataset).map_err(|_| Failure::Usage {
            command: "evaluate",
            problem: format!("name the DATA to score on: the model was trained on {trained_on}"),
        })
    }

    /// The documents of the part that is asked for; all of them where files have no parts.
    fn documents(
        &self,
        data: &Data,
        classifier: &Classifier,
        console: Console,
    ) -> Result<Documents, Failure> {
        match data {
            Data::Dataset(dataset) => {
                let documents = self.files.documents(*dataset, console)?;
                note_other_documents(console, classifier, &documents.train.fingerprint());
                Ok(match self.split {
                    Part::Train => documents.train,
                    Part::Test => documents.test,
                })
            }
            Data::Files(files) => {
                let found = self.read.read(files, Some(classifier.class_names()), console)?;
                Ok(match (self.split, found.test) {
                    (Part::Test, Some(test)) => test,
                    _ => found.train,
                })
            }
        }
    }

    fn as_json(&self, data: &str, evaluation: &Evaluation) -> Result<Value, Failure> {
        let mut object = json!({
            "model": self.model.display().to_string(),
            "data": data,
            "split": self.split.name(),
        });
        let scores = serde_json::to_value(evaluation)?;
        if let (Some(object), Value::Object(scores)) = (object.as_object_mut(), scores) {
            object.extend(scores);
        }
        Ok(object)
    }

    fn print(&self, console: Console, data: &str, e: &Evaluation) -> Result<(), Failure> {
        let mut out = out();
        let part = match self.split {
            Part::Test => "test part",
            Part::Train => "training part, held-out samples included",
        };
        writeln!(
            out,
            "{HEADING}{data}{HEADING:#}, {part}: {} documents, {} classes\n",
            grouped(e.samples),
            e.classes.len()
        )?;
        writeln!(out, "{}", scores_table(e))?;
        let by_size = by(e, |class| std::cmp::Reverse(class.support));
        if console.verbose {
            writeln!(out, "{HEADING}Classes{HEADING:#}\n{}", class_table(&by_size))?;
        } else {
            let largest = &by_size[..by_size.len().min(SHOWN_LARGEST)];
            writeln!(out, "{HEADING}Largest classes{HEADING:#}\n{}", class_table(largest))?;
            let mut worst = by(e, |class| (class.f1 * 1e6) as u64);
            worst.truncate(SHOWN_WORST);
            writeln!(out, "{HEADING}Lowest F1{HEADING:#}\n{}", class_table(&worst))?;
        }
        let pairs = e.confused_pairs(if console.verbose { usize::MAX } else { SHOWN_PAIRS });
        let mut table = Table::new([
            ("class", Align::Left),
            ("answered", Align::Left),
            ("documents", Align::Right),
        ]);
        for (truth, answer, count) in pairs {
            table.row([&e.classes[truth].name, &e.classes[answer].name, &grouped(count)]);
        }
        write!(out, "{HEADING}Most often confused{HEADING:#}\n{table}")?;
        if !console.verbose {
            writeln!(out, "\n{QUIET}All classes and pairs: --verbose{QUIET:#}")?;
        }
        out.flush()?;
        Ok(())
    }
}

/// Says so where the training documents are not those of the model.
fn note_other_documents(console: Console, classifier: &Classifier, fingerprint: &str) {
    if fingerprint != classifier.record().corpus.fingerprint {
        console.note(format_args!(
            "note: these are not the same documents as in training; some of them may have been \
             trained on"
        ));
    }
}

/// The scores beside the baselines.
pub(super) fn scores_table(e: &Evaluation) -> Table {
    let mut table = Table::pairs();
    table.row([&"accuracy", &format_args!("{BEST}{}{BEST:#}", score(e.accuracy))]);
    let Evaluation { baselines, .. } = e;
    table.row([&"  always the largest class", &score(baselines.majority)]);
    table.row([&"  random permutation", &score(baselines.random_permutation)]);
    table.row([&"macro F1", &score(e.macro_f1)]);
    table.row([&"weighted F1", &score(e.weighted_f1)]);
    table.row([&"loss", &score(e.loss)]);
    if let Some(reliability) = &e.reliability {
        table.row([&"calibration error (ECE)", &score(reliability.ece)]);
    }
    table
}

/// The classes that have documents, in the order of a key.
fn by<K: Ord>(e: &Evaluation, key: impl Fn(&ClassScores) -> K) -> Vec<&ClassScores> {
    let mut classes: Vec<_> = e.classes.iter().filter(|class| class.support > 0).collect();
    classes.sort_by_key(|class| key(class));
    classes
}

fn class_table(classes: &[&ClassScores]) -> Table {
    let right = Align::Right;
    let mut table = Table::new([
        ("class", Align::Left),
        ("documents", right),
        ("precision", right),
        ("recall", right),
        ("F1", right),
    ]);
    for class in classes {
        let ClassScores { name, precision, recall, f1, support } = class;
        let shown = [*precision, *recall, *f1].map(|value| format!("{value:.3}"));
        table.row([name, &grouped(*support), &shown[0], &shown[1], &shown[2]]);
    }
    table
}

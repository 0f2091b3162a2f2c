//! `slugline evaluate`: the scores of a model beside those of not looking at the text.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use slugline::corpus::Dataset;
use slugline::evaluation::{ClassScores, Evaluation};
use slugline::nn::with_threads;

use super::open_model;
use crate::failure::Failure;
use crate::options::{DataArgs, Part, dataset, threads};
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
    /// What to score it on: sample, reuters or reuters-clean [default: what it was trained on]
    #[arg(value_name = "DATA", value_parser = dataset(), hide_possible_values = true)]
    data: Option<Dataset>,
    /// Which part of the corpus
    #[arg(long, value_enum, default_value_t = Part::Test)]
    split: Part,
    /// Threads to work on, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = threads())]
    threads: usize,
    #[command(flatten)]
    files: DataArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline evaluate sample.slug sample
  slugline evaluate reuters.slug reuters --verbose
  slugline evaluate reuters.slug reuters --format json | jq .accuracy

Baselines, which a model has to beat:
  majority              always answering with the largest class of the training documents
  random permutation    answering with the true labels in random order (the expected score)

JSON (stable; more fields may be added): one object with
  model, data, split    what was scored on what
  samples               number of documents
  loss, accuracy        as in training
  macro_f1, weighted_f1 mean F1 of the classes, plain and weighted by their documents
  baselines             {majority, random_permutation}: accuracies
  classes               a list of {name, precision, recall, f1, support}
  confusion             documents by true class (row) and answer (column)";

/// Classes shown without `--verbose`, from the largest on and from the worst on.
const SHOWN_LARGEST: usize = 8;
const SHOWN_WORST: usize = 5;
/// Pairs of classes shown without `--verbose`.
const SHOWN_PAIRS: usize = 5;

impl EvaluateArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let classifier = open_model(&self.model)?;
        let data = match self.data {
            Some(data) => data,
            None => classifier.record().corpus.name.parse()?,
        };
        let options = classifier.vectorizer().options();
        let corpus = self.files.load(data, options, console)?;
        classifier.check_corpus(&corpus)?;
        if corpus.fingerprint() != classifier.record().corpus.fingerprint {
            console.note(format_args!(
                "note: these are not the same documents as in training; some of them may have been \
                 trained on"
            ));
        }
        let documents = self.split.of(&corpus);
        let evaluation = with_threads(self.threads, || classifier.evaluate(documents))??;
        if console.json() {
            write_json(&self.as_json(data, &evaluation)?)
        } else {
            self.print(console, data, &evaluation)
        }
    }

    fn as_json(&self, data: Dataset, evaluation: &Evaluation) -> Result<Value, Failure> {
        let mut object = json!({
            "model": self.model.display().to_string(),
            "data": data.name(),
            "split": self.split.name(),
        });
        let scores = serde_json::to_value(evaluation)?;
        if let (Some(object), Value::Object(scores)) = (object.as_object_mut(), scores) {
            object.extend(scores);
        }
        Ok(object)
    }

    fn print(&self, console: Console, data: Dataset, e: &Evaluation) -> Result<(), Failure> {
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

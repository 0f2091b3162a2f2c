//! `slugline evaluate`: the scores of a model beside those of not looking at the text.

mod tables;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use slugline::evaluation::{Evaluation, EvaluationOptions};

use super::open_model;
use crate::failure::Failure;
use crate::options::{AnswerArgs, BootstrapArgs, ScoredArgs, data_to_score, positive};
use crate::output::{Align, Console, HEADING, QUIET, Table, grouped, out, write_json_with};
use tables::{
    by, class_table, decided_table, decisions_table, means_table, reliability_table,
    risk_coverage_table,
};

pub(super) use tables::scores_table;

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
    /// The k of the top-k accuracies, with commas
    #[arg(long, value_name = "K,…", value_delimiter = ',', value_parser = positive(),
        default_values_t = EvaluationOptions::default().top_k)]
    top_k: Vec<usize>,
    #[command(flatten)]
    bootstrap: BootstrapArgs,
    #[command(flatten)]
    answers: AnswerArgs,
    #[command(flatten)]
    scored: ScoredArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline evaluate tickets.slug tickets-of-june.csv
  slugline evaluate sample.slug sample
  slugline evaluate reuters.slug reuters --verbose
  slugline evaluate reuters.slug reuters --format json | jq .accuracy

  slugline evaluate tickets.slug tickets-of-june.csv --min-confidence 0.6 --bootstrap 0

Scores are scikit-learn's, with zero_division=0. Where documents have one class they are of the most
probable class, whatever the thresholds; of multi-label answers, of the labels that reach theirs. Soft
labels are scored by the class with the largest share, and by their cross-entropy. ROC-AUC and average
precision are of each class against the rest; classes without documents have none and do not count in
the means. What thresholds and `unknown` do stands apart.

Intervals are percentiles of a bootstrap: the documents are drawn again with replacement. All scores
have one but the calibration error; ROC-AUC and average precision have none where documents times
classes are more than 2,097,152.

Baselines, which a model has to beat:
  majority              always answering with the largest class of the training documents
  random permutation    answering with the true labels in random order (the expected score)

JSON (stable; more fields may be added): one object with
  model, data, split    what was scored on what
  samples, label_kind   number of documents; single, multi or soft
  loss                  log loss, for soft labels the cross-entropy; as in training for a numbered
                        corpus
  accuracy              share of right answers; for multi-label, of documents with all labels right
  macro_f1, weighted_f1 mean F1 of the classes, plain and weighted by their documents
  balanced_accuracy, top_K_accuracy, mcc, log_loss, brier,
  macro_precision, macro_recall, micro_precision, micro_recall, micro_f1, weighted_precision,
  weighted_recall, macro_roc_auc, weighted_roc_auc, macro_average_precision,
  weighted_average_precision
                        what their names say; brier is summed over three or more classes
  roc_auc, average_precision            of the second of two classes, where there are two
  cross_entropy                         of soft labels
  hamming_loss, samples_precision, samples_recall, samples_f1, micro_roc_auc,
  micro_average_precision               of multi-label answers, without mcc, balanced and top-k accuracy
  intervals             {score: [low, high]}, also for decisions' coverage and answered_accuracy; absent
                        with --bootstrap 0
  bootstrap             {resamples, confidence, seed}; absent with --bootstrap 0
  baselines             {majority, random_permutation}: accuracies
  classes               a list of {name, precision, recall, f1, support, predicted, roc_auc,
                        average_precision}; the last two may be null
  confusion             documents by true class (row) and most probable class (column); absent for
                        multi-label
  ece, mce, bins        expected and largest calibration error, and the reliability table:
                        {samples, confidence, accuracy} for each of 15 bins of confidence; for
                        multi-label ece is the mean over the classes, and the bins hold all labels
  decisions             what thresholds and `unknown` do: {answered, unknown, reasons, coverage, accuracy
                        (of the answers; null without any), macro_precision, macro_recall, macro_f1,
                        classes (with thresholds: name, threshold, support, predicted, precision,
                        recall, f1), risk_coverage (a list of {coverage, min_confidence, accuracy})}";

/// Classes shown without `--verbose`, from the largest on and from the worst on.
const SHOWN_LARGEST: usize = 8;
const SHOWN_WORST: usize = 5;
/// Pairs of classes shown without `--verbose`.
const SHOWN_PAIRS: usize = 5;

impl EvaluateArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let classifier = self.answers.apply(open_model(&self.model)?)?;
        let options =
            EvaluationOptions { top_k: self.top_k.clone(), bootstrap: self.bootstrap.bootstrap() };
        let data = data_to_score("evaluate", &self.data, &classifier)?;
        let name = data.name();
        let (evaluation, _) = self.scored.score(&data, &classifier, &options, console)?;
        if console.json() {
            self.write_json(&name, &evaluation)
        } else {
            self.print(console, &name, &evaluation)
        }
    }

    fn write_json(&self, data: &str, evaluation: &Evaluation) -> Result<(), Failure> {
        let head = json!({
            "model": self.model.display().to_string(),
            "data": data,
            "split": self.scored.split.name(),
        });
        write_json_with(&head, evaluation)
    }

    fn print(&self, console: Console, data: &str, e: &Evaluation) -> Result<(), Failure> {
        let mut out = out();
        let part = self.scored.split.in_words();
        writeln!(
            out,
            "{HEADING}{data}{HEADING:#}, {part}: {} documents, {} classes\n",
            grouped(e.samples),
            e.classes.len()
        )?;
        writeln!(out, "{}", scores_table(e))?;
        if let Some(table) = decisions_table(e) {
            writeln!(out, "{HEADING}Answers{HEADING:#}\n{table}")?;
        }
        let by_size = by(e, |class| std::cmp::Reverse(class.support));
        if console.verbose {
            writeln!(out, "{HEADING}Means{HEADING:#}\n{}", means_table(e))?;
            writeln!(out, "{HEADING}Classes{HEADING:#}\n{}", class_table(&by_size))?;
            if !e.decisions.classes.is_empty() {
                writeln!(out, "{HEADING}By thresholds{HEADING:#}\n{}", decided_table(e))?;
            }
            if !e.decisions.risk_coverage.is_empty() {
                let table = risk_coverage_table(e);
                writeln!(out, "{HEADING}Confident answers alone{HEADING:#}\n{table}")?;
            }
            writeln!(out, "{HEADING}Calibration{HEADING:#}\n{}", reliability_table(e))?;
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
        if !e.confusion.is_empty() {
            writeln!(out, "{HEADING}Most often confused{HEADING:#}\n{table}")?;
        }
        if !console.verbose {
            writeln!(out, "{QUIET}All classes, means, pairs and calibration: --verbose{QUIET:#}")?;
        }
        out.flush()?;
        Ok(())
    }
}

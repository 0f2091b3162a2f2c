//! `slugline inspect`: what a model file holds.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use slugline::classifier::{Ancestor, Classifier, DescribedModel};
use slugline::evaluation::Calibration;
use slugline::nn::History;

use super::open_model;
use crate::failure::Failure;
use crate::options::{loading_settings, training_settings};
use crate::output::{
    Align, Console, HEADING, QUIET, Table, bytes, folds_table, grouped, out, samples, score,
    score_of, wrapped, write_json,
};

/// Show what a model file holds: network, settings, training history, provenance
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  slugline inspect reuters.slug
  slugline inspect reuters.slug --format json | jq .history

JSON (stable; more fields may be added): one object with
  model                 path of the model file
  size_bytes            its size
  summary               {input_width, layers: [{name, kind, units, parameters}], parameters}
  classes               names of the classes
  words                 number of words that the model knows
  settings, loading     the settings of the training and of the corpus; loading is null for a model
                        that reads text without numbers
  calibration           what calibrates the probabilities: {kind: none, temperature, mixture or
                        platt, and its numbers}
  decisions             {thresholds, fitted: {aim, documents, classes}, min_confidence,
                        max_unknown_words}: see `slugline help threshold`
  auto                  what was tried and chosen; null with settings given
  tune                  the search of `slugline tune`; null without one
  cross_validation      the scores of train --folds, as there; null without
  index                 {documents}: how many documents train --index keeps, with their texts; null
                        without
  history               {loss, accuracy, val_loss, val_accuracy}: one number an epoch
  stop_reason, epochs, best_epoch
  provenance            {slugline_version, command, corpus, ancestor, class_counts}")]
pub(crate) struct InspectArgs {
    /// The model file
    model: PathBuf,
}

/// All of it, for machines.
#[derive(Serialize)]
struct Report<'a> {
    model: String,
    size_bytes: u64,
    #[serde(flatten)]
    described: DescribedModel<'a>,
}

impl InspectArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let classifier = open_model(&self.model)?;
        let size = std::fs::metadata(&self.model).map_err(|source| Failure::File {
            action: "read",
            path: self.model.clone(),
            source,
        })?;
        if console.json() {
            self.write_json(&classifier, size.len())
        } else {
            self.print(console, &classifier, size.len())
        }
    }

    fn write_json(&self, classifier: &Classifier, size: u64) -> Result<(), Failure> {
        write_json(&Report {
            model: self.model.display().to_string(),
            size_bytes: size,
            described: classifier.description(),
        })
    }

    fn print(&self, console: Console, classifier: &Classifier, size: u64) -> Result<(), Failure> {
        let record = classifier.record();
        let mut out = out();
        writeln!(
            out,
            "{HEADING}{}{HEADING:#}: {} classes, {}, {}\n",
            self.model.display(),
            classifier.class_names().len(),
            match classifier.vectorizer().words() {
                Some(words) => format!("{} words", grouped(words.len())),
                None => format!("{} features", grouped(classifier.vectorizer().width())),
            },
            bytes(size)
        )?;
        writeln!(out, "{HEADING}Network{HEADING:#}")?;
        for line in classifier.network().summary().to_string().lines() {
            writeln!(out, "  {line}")?;
        }
        writeln!(out, "\n{HEADING}Settings{HEADING:#}\n{}", settings_table(classifier))?;
        let history = history_table(&record.history, console.verbose);
        writeln!(out, "{HEADING}Training{HEADING:#}\n{history}")?;
        if let Some(folds) = &record.cross_validation {
            writeln!(out, "{HEADING}Cross-validation{HEADING:#}\n{}", folds_table(folds))?;
        }
        write!(out, "{HEADING}Provenance{HEADING:#}\n{}", provenance_table(classifier))?;
        if console.verbose {
            let thresholds = &classifier.decisions().thresholds;
            let heading = if thresholds.is_empty() { "" } else { "threshold" };
            let right = Align::Right;
            let mut table =
                Table::new([("class", Align::Left), ("training part", right), (heading, right)]);
            let classes = classifier.class_names().iter().zip(&record.class_counts);
            for (i, (name, count)) in classes.enumerate() {
                let threshold = match thresholds.get(i) {
                    None => String::new(),
                    Some(&threshold) if threshold > 1.0 => "never".to_owned(),
                    Some(threshold) => format!("{threshold:.4}"),
                };
                table.row([name, &grouped(*count), &threshold]);
            }
            write!(out, "\n{HEADING}Classes{HEADING:#}\n{table}")?;
        } else {
            let names = wrapped(&classifier.class_names().join(", "), usize::MAX);
            writeln!(out, "\n{HEADING}Classes{HEADING:#}\n{QUIET}{names}{QUIET:#}")?;
        }
        out.flush()?;
        Ok(())
    }
}

/// All settings, in two columns of names and values.
fn settings_table(classifier: &Classifier) -> Table {
    let mut settings = training_settings(&classifier.record().options);
    if let Some(vectorizer) = classifier.vectorizer().as_multi_hot() {
        settings.extend(loading_settings(vectorizer.options()));
    }
    if let Some(vectorizer) = classifier.vectorizer().as_terms() {
        // Its number of features is what was found, not what was asked for.
        settings.retain(|(name, _)| name != "max-features");
        settings.insert(0, ("features".to_owned(), vectorizer.width().to_string()));
    }
    if let Some(vectorizer) = classifier.vectorizer().as_features() {
        settings.retain(|(name, _)| name != "max-features");
        settings.insert(0, ("given features".to_owned(), vectorizer.width().to_string()));
    }
    let mut figure =
        |name: &str, value: f64| settings.push((name.to_owned(), format!("{value:.4}")));
    match classifier.calibration() {
        Calibration::None => {}
        Calibration::Temperature { temperature } => figure("temperature", *temperature),
        Calibration::Mixture(mixture) => {
            figure("temperature", mixture.temperature);
            figure("label noise", mixture.noise);
        }
        Calibration::Platt { scales, .. } => {
            let value = format!("Platt's, for each of {} classes", scales.len());
            settings.push(("calibration".to_owned(), value));
        }
    }
    // What decides on answers may have been changed since the training.
    let answers = ["threshold", "min-confidence", "max-unknown-words"];
    settings.retain(|(name, _)| !answers.contains(&name.as_str()));
    let decisions = classifier.decisions();
    if !decisions.are_default() {
        let thresholds = match (&decisions.fitted, decisions.thresholds.as_slice()) {
            (Some(fitted), _) => fitted.aim.to_string(),
            (None, []) => "none".to_owned(),
            (None, [first, ..]) => first.to_string(),
        };
        let limits = [decisions.min_confidence, decisions.max_unknown_words];
        let values = [thresholds, limits[0].to_string(), limits[1].to_string()];
        settings.extend(answers.map(String::from).into_iter().zip(values));
    }
    let mut table = Table::new([("", Align::Left); 4]);
    let (left, right) = settings.split_at(settings.len().div_ceil(2));
    let nothing = (String::new(), String::new());
    for (i, (name, value)) in left.iter().enumerate() {
        let (other, its_value) = right.get(i).unwrap_or(&nothing);
        table.row([name, value, other, its_value]);
    }
    table
}

/// Epochs shown of a long history without `--verbose`: so many first and last ones, and so many on
/// either side of the best one.
const SHOWN_AT_ENDS: usize = 10;
const SHOWN_BESIDE_BEST: usize = 2;

/// The scores of each epoch; the best one stands out.
fn history_table(history: &History, all: bool) -> Table {
    let right = Align::Right;
    let keys = match score_of(history) {
        "accuracy" => ["loss", "accuracy", "val_loss", "val_accuracy"],
        _ => ["loss", "micro_f1", "val_loss", "val_micro_f1"],
    };
    let mut table = Table::new([
        ("epoch", right),
        (keys[0], right),
        (keys[1], right),
        (keys[2], right),
        (keys[3], right),
    ]);
    let best = history.best_epoch("val_loss");
    let count = history.epochs.len();
    let shown = |epoch: usize| {
        all || epoch <= SHOWN_AT_ENDS
            || epoch + SHOWN_AT_ENDS > count
            || best.is_some_and(|best| best.abs_diff(epoch) <= SHOWN_BESIDE_BEST)
    };
    let mut left_out = false;
    for logs in &history.epochs {
        if !shown(logs.epoch) {
            left_out = true;
            continue;
        }
        if std::mem::take(&mut left_out) {
            table.row([&"⋮"]);
        }
        let value = |key| logs.get(key).map_or_else(|| "–".to_owned(), score);
        let [loss, reached, val_loss, val_reached] = keys.map(value);
        let cells: [&dyn std::fmt::Display; 5] =
            [&logs.epoch, &loss, &reached, &val_loss, &val_reached];
        if best == Some(logs.epoch) { table.strong_row(cells) } else { table.row(cells) }
    }
    table
}

fn provenance_table(classifier: &Classifier) -> Table {
    let record = classifier.record();
    let mut table = Table::pairs();
    table.row([&"corpus", &record.corpus.name]);
    table.row([&"", &record.corpus.description]);
    table.row([&"fingerprint", &record.corpus.fingerprint]);
    table.row([&"samples", &samples(&record.corpus)]);
    if let Some(index) = classifier.index() {
        let documents = grouped(index.len());
        table.row([&"index", &format_args!("{documents} documents, with their texts")]);
    }
    if let Some(ancestor) = &record.ancestor {
        let Ancestor { checksum, corpus, classes, features, replayed } = ancestor;
        let (features, replayed) = (grouped(*features), grouped(*replayed));
        table.row([&"goes on from", &format_args!("a model of {} ({checksum})", corpus.name)]);
        table.row([
            &"",
            &format_args!("{classes} classes, {features} features; {replayed} documents replayed"),
        ]);
    }
    let epochs = record.history.epochs.len();
    table.row([
        &"epochs",
        &format_args!(
            "{epochs} ({}), the best one {}",
            record.history.stop_reason, record.best_epoch
        ),
    ]);
    table.row([&"trained by", &format_args!("Slugline {}", record.slugline_version)]);
    if let Some(command) = &record.command {
        table.row([&"command", command]);
    }
    table
}

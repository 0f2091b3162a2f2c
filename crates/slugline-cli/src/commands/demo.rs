//! `slugline demo`: the published example as a guided tour.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use slugline::classifier::{Classifier, EpochSeries, Preset, Ranked, TrainingOptions};
use slugline::corpus::{Corpus, Dataset, Description, SequenceOptions};
use slugline::evaluation::Evaluation;
use slugline::nn::{Callback, EpochLogs, Flow, History, Loss, Sequential, Summary, with_threads};

use super::datasets::{classes_table, parts_table};
use super::evaluate::scores_table;
use crate::failure::Failure;
use crate::options::{DataArgs, dataset, threads};
use crate::output::{
    Align, BEST, Console, EpochLine, HEADING, QUIET, STRONG, Table, grouped, out, score, wrapped,
    write_json,
};

/// A guided tour: the published newswire example from the data to the bottleneck
///
/// Trains on the built-in corpus of generated newswires unless told otherwise, so that it needs no
/// file and no network, and takes a few seconds.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  slugline demo
  slugline demo --data reuters --seed 1

JSON (stable; more fields may be added): one object with
  data             name, generated (true for `sample`), description and the figures of `datasets info`
  summary          {input_width, layers, parameters}
  history          {loss, accuracy, val_loss, val_accuracy}: one number an epoch
  overfits_after   the epoch with the lowest validation loss, null if it has not risen by 1 %
  evaluation       the scores of `evaluate`, of the network trained to that epoch
  prediction       {number, truth, label, sum, probabilities} of a test document
  integer_labels_same_model
                   whether integer labels trained the same weights to the last bit
  bottleneck       a list of {hidden, batch_size, parameters, best_val_accuracy, best_val_loss}")]
pub(crate) struct DemoArgs {
    /// What to train on: sample, reuters or reuters-clean
    #[arg(long, value_name = "DATA", default_value = Dataset::Sample.name(),
        value_parser = dataset(), hide_possible_values = true)]
    data: Dataset,
    /// Settles starting weights, order and dropout
    #[arg(long, value_name = "N", default_value_t = TrainingOptions::default().seed)]
    seed: u64,
    /// Threads to work on, 0 for one a core; the figures do not depend on it
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = threads())]
    threads: usize,
    #[command(flatten)]
    files: DataArgs,
}

/// The first test document with a largest probability in this range is shown with all of them: one
/// for which the model has an answer without being sure of it.
const LEANING: RangeInclusive<f32> = 0.5..=0.9;
/// Samples a step in the bottleneck experiment, as in the published one.
const BOTTLENECK_BATCH: usize = 128;
/// Units of the narrow layer.
const BOTTLENECK_UNITS: usize = 4;
/// Stops of the tour.
const STOPS: usize = 9;

impl DemoArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let options = TrainingOptions {
            seed: self.seed,
            threads: self.threads,
            ..Preset::Notebook.options()
        };
        let sequences = SequenceOptions {
            num_words: u32::try_from(options.max_features).ok(),
            ..SequenceOptions::default()
        };
        let corpus = self.files.load(self.data, &sequences, console)?;
        let mut tour = Tour { console, data: self.data, corpus: &corpus, options, stop: 0 };
        let start = Instant::now();
        let figures = tour.walk()?;
        if console.json() {
            write_json(&figures)?;
        } else {
            let real = match self.data {
                Dataset::Sample => "\nOn real newswires: slugline demo --data reuters",
                Dataset::Reuters(_) => "",
            };
            tour.say(format_args!(
                "\n{QUIET}{:.1} s in all.{real}\nTo keep a model: slugline train {} --preset notebook -o model.slug{QUIET:#}",
                start.elapsed().as_secs_f64(),
                self.data
            ))?;
        }
        Ok(())
    }
}

/// What the tour found, for machines.
#[derive(Serialize)]
struct Figures {
    data: DataFigures,
    seed: u64,
    summary: Summary,
    history: EpochSeries,
    overfits_after: Option<usize>,
    evaluation: Evaluation,
    prediction: PredictionFigures,
    integer_labels_same_model: bool,
    bottleneck: Vec<BottleneckFigures>,
}

#[derive(Serialize)]
struct DataFigures {
    #[serde(flatten)]
    description: Description,
    generated: bool,
}

#[derive(Serialize)]
struct PredictionFigures {
    number: usize,
    truth: String,
    label: String,
    sum: f64,
    probabilities: Ranked<String>,
}

#[derive(Serialize)]
struct BottleneckFigures {
    hidden: Vec<usize>,
    batch_size: usize,
    parameters: usize,
    best_val_accuracy: Option<f64>,
    best_val_loss: Option<f64>,
}

struct Tour<'a> {
    console: Console,
    data: Dataset,
    corpus: &'a Corpus,
    options: TrainingOptions,
    stop: usize,
}

/// What the tour trains.
struct Course {
    classifier: Classifier,
    epochs: usize,
}

impl Tour<'_> {
    /// A line of the tour; nothing where the result is for machines.
    fn say(&self, line: std::fmt::Arguments<'_>) -> io::Result<()> {
        if self.console.json() {
            return Ok(());
        }
        let mut out = out();
        writeln!(out, "{line}")?;
        out.flush()
    }

    fn heading(&mut self, title: &str) -> io::Result<()> {
        if self.stop > 0 {
            self.say(format_args!(""))?;
        }
        self.stop += 1;
        self.say(format_args!("{HEADING}{} of {STOPS} · {title}{HEADING:#}\n", self.stop))
    }

    fn walk(&mut self) -> Result<Figures, Failure> {
        let description = self.corpus.describe();
        self.describe(&description)?;
        self.decode()?;
        let summary = self.network()?;
        let long = self.train_long()?;
        let history = &long.classifier.record().history;
        let epochs = self.overfitting(history)?;
        let short = self.retrain(epochs)?;
        let evaluation = self.evaluate(&short)?;
        let prediction = self.predict(&short)?;
        let same = self.integer_labels(&short)?;
        let bottleneck = self.bottleneck(&long)?;

        Ok(Figures {
            data: DataFigures { description, generated: self.data == Dataset::Sample },
            seed: self.options.seed,
            summary,
            history: EpochSeries::of(history),
            overfits_after: history.overfits_after(),
            evaluation,
            prediction,
            integer_labels_same_model: same,
            bottleneck,
        })
    }

    fn describe(&mut self, description: &Description) -> Result<(), Failure> {
        self.heading("The data")?;
        if self.data == Dataset::Sample {
            self.say(format_args!(
                "  {STRONG}These newswires are generated, not real news.{STRONG:#}"
            ))?;
        }
        self.say(format_args!(
            "{}\n\n{}",
            wrapped(&description.description, usize::MAX),
            parts_table(description)
        ))?;
        let shown = 6;
        self.say(format_args!(
            "{}  {QUIET}and {} smaller classes{QUIET:#}",
            classes_table(description, shown),
            description.classes.len().saturating_sub(shown)
        ))?;
        Ok(())
    }

    fn decode(&mut self) -> Result<(), Failure> {
        self.heading("A newswire, from ids back to words")?;
        let train = &self.corpus.train;
        let (Some(ids), Some(&label)) = (train.get(0), train.labels().first()) else {
            return Err(Failure::Other("the corpus has no training documents".into()));
        };
        let class = &self.corpus.class_names[label as usize];
        let first: Vec<String> = ids.iter().take(12).map(ToString::to_string).collect();
        let mut distinct = ids.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        self.say(format_args!(
            "  {QUIET}ids  {} …{QUIET:#}\n\n{}\n\n  class  {STRONG}{class}{STRONG:#} (label {label})\n  \
             input  {} of {} features are 1: a multi-hot row has no order and no counts",
            first.join(" "),
            wrapped(&self.corpus.decode(ids), 6),
            distinct.len(),
            grouped(self.options.max_features),
        ))?;
        Ok(())
    }

    fn network(&mut self) -> Result<Summary, Failure> {
        self.heading("The network")?;
        let layers = self.options.layers(self.corpus.class_names.len());
        let network = Sequential::new(self.options.max_features, layers, self.options.seed)?;
        let summary = network.summary();
        for line in summary.to_string().lines() {
            self.say(format_args!("  {line}"))?;
        }
        Ok(summary)
    }

    fn train_long(&mut self) -> Result<Course, Failure> {
        let options = self.options.clone();
        self.heading(&format!("Training for {} epochs", options.epochs))?;
        let held_out = options.validation.ranges(self.corpus.train.len()).1.len();
        self.say(format_args!(
            "  {QUIET}{} in batches of {}; {} training documents are held out to validate on{QUIET:#}\n",
            options.optimizer.name(),
            options.batch_size,
            grouped(held_out)
        ))?;
        self.train(&options, true)
    }

    /// Trains, telling the epochs if asked to.
    fn train(&self, options: &TrainingOptions, tell: bool) -> Result<Course, Failure> {
        let mut lines = EpochLines { tour: self, tell, epochs: options.epochs, failed: None };
        let classifier = Classifier::train_with(self.corpus, options, &mut [&mut lines])?;
        match lines.failed {
            Some(error) => Err(error.into()),
            None => Ok(Course { classifier, epochs: options.epochs }),
        }
    }

    /// Says where overfitting begins, and gives the number of epochs to train instead.
    fn overfitting(&mut self, history: &History) -> Result<usize, Failure> {
        self.heading("Where overfitting begins")?;
        let trained = history.epochs.len();
        let Some(epoch) = history.overfits_after() else {
            self.say(format_args!(
                "  Overfitting has not begun: after the last epoch, {trained}, validation loss has not risen."
            ))?;
            return Ok(trained);
        };
        let at = |epoch: usize, key: &str| {
            history
                .epochs
                .get(epoch - 1)
                .and_then(|logs| logs.get(key))
                .map(score)
                .unwrap_or_default()
        };
        let what_happens = format!(
            "There validation loss is lowest, {}. By epoch {trained} it has risen to {}, while training \
             loss has fallen from {} to {}: from there on the network learns its training documents by \
             heart.",
            at(epoch, "val_loss"),
            at(trained, "val_loss"),
            at(epoch, "loss"),
            at(trained, "loss"),
        );
        self.say(format_args!(
            "  {BEST}Overfitting begins after epoch {epoch}.{BEST:#}\n\n{}",
            wrapped(&what_happens, usize::MAX)
        ))?;
        Ok(epoch)
    }

    fn retrain(&mut self, epochs: usize) -> Result<Course, Failure> {
        self.heading(&format!("A new network, trained for {epochs} epochs, on the test part"))?;
        self.train(&TrainingOptions { epochs, ..self.options.clone() }, false)
    }

    fn evaluate(&self, course: &Course) -> Result<Evaluation, Failure> {
        let test = &self.corpus.test;
        let evaluation = with_threads(self.options.threads, || course.classifier.evaluate(test))??;
        self.say(format_args!(
            "  {QUIET}{} documents kept apart until now{QUIET:#}\n",
            grouped(evaluation.samples)
        ))?;
        let table = scores_table(&evaluation).to_string();
        self.say(format_args!("{}", table.trim_end()))?;
        Ok(evaluation)
    }

    fn predict(&mut self, course: &Course) -> Result<PredictionFigures, Failure> {
        self.heading("The probabilities of one newswire")?;
        let classifier = &course.classifier;
        let test = &self.corpus.test;
        let mut shown = None;
        for (number, (ids, &truth)) in test.iter().zip(test.labels()).enumerate() {
            let prediction = classifier.predict_document(ids)?;
            let largest = prediction.probabilities.iter().copied().fold(0.0, f32::max);
            let leaning = LEANING.contains(&largest);
            if leaning || shown.is_none() {
                shown = Some((number, ids, truth, prediction));
            }
            if leaning {
                break;
            }
        }
        let Some((number, ids, truth, prediction)) = shown else {
            return Err(Failure::Other("the corpus has no test documents".into()));
        };
        let sum: f64 = prediction.probabilities.iter().copied().map(f64::from).sum();
        let ranked = prediction.top_k(usize::MAX);
        let names = classifier.class_names();
        let name = |class: u32| names[class as usize].as_str();
        let answer = prediction.class;

        self.say(format_args!(
            "  {QUIET}test document {number}, the first one with an answer that the model is not sure of{QUIET:#}\n\n{}\n",
            wrapped(&self.corpus.decode(ids), 4)
        ))?;
        let mut table = Table::new([
            ("label", Align::Right),
            ("class", Align::Left),
            ("probability", Align::Right),
        ]);
        for &(class, p) in ranked.iter().take(5) {
            let cell = format!("{p:.4}");
            if class == answer {
                table.strong_row([&class, &name(class), &cell]);
            } else {
                table.row([&class, &name(class), &cell]);
            }
        }
        self.say(format_args!(
            "{table}\n  {} probabilities, sum {sum:.6}; the largest is that of label {answer}: \
             {BEST}{}{BEST:#}\n  The newswire is labelled {STRONG}{}{STRONG:#}",
            ranked.len(),
            name(answer),
            name(truth)
        ))?;
        Ok(PredictionFigures {
            number,
            truth: name(truth).to_owned(),
            label: name(answer).to_owned(),
            sum,
            probabilities: classifier.ranked(&prediction, usize::MAX).into_owned(),
        })
    }

    fn integer_labels(&mut self, course: &Course) -> Result<bool, Failure> {
        self.heading("Integer labels instead of one-hot rows")?;
        let options = TrainingOptions {
            epochs: course.epochs,
            loss: Loss::SparseCategoricalCrossentropy,
            ..self.options.clone()
        };
        let other = self.train(&options, false)?;
        let same = course.classifier.network().same_weights(other.classifier.network());
        let parameters = grouped(course.classifier.network().parameter_count());
        self.say(format_args!(
            "  Trained again with {}: {}",
            options.loss,
            if same { format!(
                    "{BEST}the same model.{BEST:#}\n  All {parameters} weights are equal to the last bit."
                ) } else { "another model. It should be the same one: please report this.".to_owned() }
        ))?;
        Ok(same)
    }

    fn bottleneck(&mut self, long: &Course) -> Result<Vec<BottleneckFigures>, Failure> {
        self.heading("What a narrow layer costs")?;
        let wide = self.options.hidden.clone();
        let mut narrow = wide.clone();
        if let Some(last) = narrow.last_mut() {
            *last = BOTTLENECK_UNITS;
        }
        let small_batches = |hidden: Vec<usize>| TrainingOptions {
            hidden,
            batch_size: BOTTLENECK_BATCH,
            ..self.options.clone()
        };
        let others =
            [self.train(&small_batches(wide), false)?, self.train(&small_batches(narrow), false)?];
        let mut table = Table::new([
            ("hidden layers", Align::Left),
            ("batch", Align::Right),
            ("parameters", Align::Right),
            ("best val_loss", Align::Right),
            ("best val_accuracy", Align::Right),
        ]);
        let mut rows = Vec::new();
        for course in std::iter::once(long).chain(&others) {
            let record = course.classifier.record();
            let best = |key: &str| {
                let epoch = record.history.best_epoch(key)?;
                record.history.epochs.get(epoch - 1)?.get(key)
            };
            let (loss, accuracy) = (best("val_loss"), best("val_accuracy"));
            let hidden: Vec<String> =
                record.options.hidden.iter().map(ToString::to_string).collect();
            let parameters = course.classifier.network().parameter_count();
            table.row([
                &hidden.join(", "),
                &record.options.batch_size,
                &grouped(parameters),
                &loss.map(score).unwrap_or_default(),
                &accuracy.map(score).unwrap_or_default(),
            ]);
            rows.push(BottleneckFigures {
                hidden: record.options.hidden.clone(),
                batch_size: record.options.batch_size,
                parameters,
                best_val_accuracy: accuracy,
                best_val_loss: loss,
            });
        }
        self.say(format_args!(
            "{table}\n  A layer of {BOTTLENECK_UNITS} units has to tell {} classes apart with {BOTTLENECK_UNITS} numbers:\n  \
             what it drops, no later layer brings back.",
            self.corpus.class_names.len()
        ))?;
        Ok(rows)
    }
}

/// Tells the epochs as lines of the tour; ends the run where nobody listens any more.
struct EpochLines<'a> {
    tour: &'a Tour<'a>,
    tell: bool,
    epochs: usize,
    failed: Option<io::Error>,
}

impl Callback for EpochLines<'_> {
    fn on_epoch_end(&mut self, logs: &EpochLogs, _model: &Sequential) -> Flow {
        if !self.tell {
            return Flow::Continue;
        }
        let line = EpochLine { logs, epochs: self.epochs, speed: None, narrow: false };
        match self.tour.say(format_args!("  {line}")) {
            Ok(()) => Flow::Continue,
            Err(error) => {
                self.failed = Some(error);
                Flow::Stop
            }
        }
    }
}

//! `slugline train`: from a corpus to a model file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use slugline::classifier::{AutoRecord, Classifier, ClassifierError, TrainingRecord};
use slugline::model_file::save_target;
use slugline::nn::{Flow, StopReason};

use crate::failure::Failure;
use crate::interrupt;
use crate::options::{Data, DataArgs, ReadArgs, TrainingArgs, TrainingPlan, quoted};
use crate::output::{
    Align, BEST, Console, STRONG, Series, Table, TrainingBar, bytes, grouped, out, score,
    write_json,
};

/// Train a classifier and save it as a model file
///
/// Epochs are told on standard error, the result on standard output. The same data, settings and
/// seed give the same file to the last byte, whatever the number of threads.
///
/// The first Ctrl-C stops the run after the step under way: what was reached is saved, and the exit
/// code is 0. A second one ends the program at once. A run whose loss is no longer a number stops
/// too; the model of its last good epoch is saved if there is one, and the exit code is 1.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct TrainArgs {
    /// What to train on: files (CSV, TSV, JSON lines, fastText lines; gzip or zstd), a folder of
    /// folders, a pattern, `-`, or a corpus: sample, reuters, reuters-clean
    #[arg(value_name = "DATA", required = true)]
    data: Vec<String>,
    /// Where to write the model, replacing what is there [default: DATA.slug]
    #[arg(long, short, value_name = "MODEL")]
    output: Option<PathBuf>,
    #[command(flatten)]
    training: TrainingArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    files: DataArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline train tickets.csv
  slugline train news.jsonl.gz --text title,body --label desk -o news.slug
  slugline train sample
  slugline train reuters --preset notebook --seed 1 -o reuters.slug
  slugline train reuters --hidden 128 --dropout 0.5 --optimizer adam --patience 3 -o small.slug
  slugline train sample --epochs 6 --format json --quiet | jq .history.val_accuracy

JSON (stable; more fields may be added): one object with
  model          path of the model file
  data           name of the corpus
  seed           the seed
  command        the command that trains the same model again
  samples        {train, validation}: numbers of documents
  epochs         epochs trained to their end
  best_epoch     the epoch with the lowest validation loss, without validation the last one
  stop_reason    completed, stopped (by --patience), interrupted (Ctrl-C) or diverged
  parameters     number of weights and biases
  fit_seconds    time spent training
  auto           what was tried and chosen: {candidates: [{features, epochs, accuracy, log_loss}],
                 chosen, train_samples, held_out_samples, mean_tokens}; null with settings given
  history        {loss, accuracy, val_loss, val_accuracy}: one number an epoch; where nothing
                 was validated val_loss and val_accuracy are null";

/// A run on which everything is settled.
struct TrainRun<'a> {
    args: &'a TrainArgs,
    data: Data,
    plan: TrainingPlan,
    output: PathBuf,
}

impl TrainArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let plan = self.training.plan()?;
        let data = Data::of(&self.data);
        let output = self.output.clone().unwrap_or_else(|| format!("{}.slug", data.stem()).into());
        check_output(&output)?;
        TrainRun { args: self, data, plan, output }.run(console)
    }
}

/// Sees to it that a model can be written, before hours are spent on it.
pub(super) fn check_output(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Failure::Other(format!(
            "cannot write the model to {shown}, which is a folder; name a file: -o {}",
            path.join("model.slug").display()
        )));
    }
    save_target(path)?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(Failure::Other(format!(
            "cannot write the model to {shown}: there is no folder {}; make it first",
            folder.display()
        ))),
    }
}

impl TrainRun<'_> {
    fn run(&self, console: Console) -> Result<(), Failure> {
        let inputs: Vec<String> = self.args.data.iter().map(|input| quoted(input)).collect();
        let data = format!("{}{}", inputs.join(" "), self.args.read.words());
        let command = self.plan.command(&data);
        if console.verbose {
            console.note(format_args!("{command}"));
        }
        let mut bar = TrainingBar::new(console, self.plan.epochs());
        let (trained, fit_time) = self.train(console, &mut bar)?;
        let step = bar.step;
        drop(bar);

        let (classifier, diverged) = match trained {
            Ok(classifier) => (classifier, None),
            Err(ClassifierError::Diverged { error, reached }) => (*reached, Some(error)),
            Err(error) => return Err(error.into()),
        };
        let classifier = classifier.with_command(command);
        classifier.save(&self.output)?;
        let record = classifier.record();
        if record.history.stop_reason == StopReason::Interrupted {
            console.note(format_args!(
                "stopped in epoch {}, after step {step} of it; what was reached is saved",
                record.history.epochs.len() + 1,
            ));
        }
        if let Some(error) = diverged {
            let (path, epochs) = (self.output.display(), record.history.epochs.len());
            return Err(Failure::Other(format!(
                "{error}\n  the model as it was after epoch {epochs} is saved as {path}"
            )));
        }
        let parameters = classifier.network().parameter_count();
        if console.json() {
            write_json(&self.as_json(record, parameters, fit_time))
        } else {
            self.print(console, record, parameters, fit_time)
        }
    }

    /// Trains on the data, and says how long that took after they were loaded.
    fn train(
        &self,
        console: Console,
        bar: &mut TrainingBar,
    ) -> Result<(Result<Classifier, ClassifierError>, Duration), Failure> {
        let name = self.data.name();
        let documents = match (&self.data, self.plan.auto) {
            (Data::Dataset(dataset), None) => {
                let corpus = self.args.files.load(*dataset, &self.plan.sequences, console)?;
                console.note(format_args!(
                    "{STRONG}{name}{STRONG:#}: {} training documents, {} classes. {}",
                    grouped(corpus.train.len()),
                    corpus.class_names.len(),
                    corpus.description,
                ));
                let options = self.plan.options(corpus.train.len());
                interrupt::watch()?;
                let start = Instant::now();
                let trained = Classifier::train_with(&corpus, &options, &mut [bar]);
                return Ok((trained, start.elapsed()));
            }
            (Data::Dataset(dataset), Some(_)) => {
                self.args.files.documents(*dataset, console)?.train
            }
            (Data::Files(files), _) => self.args.read.read(files, None, console)?.train,
        };
        console.note(format_args!(
            "{STRONG}{name}{STRONG:#}: {} training documents, {} classes",
            grouped(documents.len()),
            documents.class_names().len(),
        ));
        interrupt::watch()?;
        if self.plan.auto.is_some() {
            console.note(format_args!("choosing by a share of the documents that is held out …"));
        }
        let start = Instant::now();
        let trained = if let Some(auto) = self.plan.auto {
            let go_on = || if interrupt::asked() { Flow::Stop } else { Flow::Continue };
            Classifier::train_auto(&documents, &name, auto, &go_on, &mut [bar])
        } else {
            let options = self.plan.options(documents.len());
            Classifier::train_documents(&documents, &name, &options, &mut [bar])
        };
        Ok((trained, start.elapsed()))
    }

    fn as_json(&self, record: &TrainingRecord, parameters: usize, fit_time: Duration) -> Value {
        let history = &record.history;
        json!({
            "model": self.output.display().to_string(),
            "data": record.corpus.name,
            "seed": record.options.seed,
            "command": record.command,
            "samples": {
                "train": record.corpus.train_samples,
                "validation": record.corpus.validation_samples,
            },
            "epochs": history.epochs.len(),
            "best_epoch": record.best_epoch,
            "stop_reason": history.stop_reason,
            "parameters": parameters,
            "fit_seconds": fit_time.as_secs_f64(),
            "auto": record.auto,
            "history": Series::of(history),
        })
    }

    fn print(
        &self,
        console: Console,
        record: &TrainingRecord,
        parameters: usize,
        fit_time: Duration,
    ) -> Result<(), Failure> {
        use std::io::Write;

        let history = &record.history;
        let mut table = Table::pairs();
        let size = std::fs::metadata(&self.output).map_or(0, |file| file.len());
        table.row([&"model", &format_args!("{BEST}{}{BEST:#}", self.output.display())]);
        table.row([&"size", &bytes(size)]);
        table.row([&"parameters", &grouped(parameters)]);
        table.row([
            &"samples",
            &format_args!(
                "{} to train, {} to validate",
                grouped(record.corpus.train_samples),
                grouped(record.corpus.validation_samples)
            ),
        ]);
        let time = format!("{:.2} s", fit_time.as_secs_f64());
        table.row([
            &"epochs",
            &format_args!("{} in {time} ({})", history.epochs.len(), history.stop_reason),
        ]);
        let last = |key: &str| history.last(key).map(score);
        if let (Some(loss), Some(accuracy)) = (last("loss"), last("accuracy")) {
            table.row([&"training", &format_args!("loss {loss}, accuracy {accuracy}")]);
        }
        if let (Some(loss), Some(accuracy)) = (last("val_loss"), last("val_accuracy")) {
            table.row([&"validation", &format_args!("loss {loss}, accuracy {accuracy}")]);
        }
        let best = history.epochs.get(record.best_epoch.wrapping_sub(1));
        if let Some(logs) = best.filter(|logs| logs.validation.is_some()) {
            let value = |key| logs.get(key).map(score).unwrap_or_default();
            let (loss, accuracy) = (value("val_loss"), value("val_accuracy"));
            let epoch = logs.epoch;
            table.row([
                &"best epoch",
                &format_args!("{epoch}: validation loss {loss}, accuracy {accuracy}"),
            ]);
        }
        let mut out = out();
        write!(out, "{table}")?;
        if let Some(auto) = &record.auto {
            write!(out, "\n{}", tried(auto))?;
        }
        out.flush()?;
        let unwatched =
            record.options.patience.is_none() && history.stop_reason == StopReason::Completed;
        if let Some(epoch) = history.overfits_after().filter(|_| unwatched) {
            console.note(format_args!(
                "overfitting began after epoch {epoch}; `--epochs {epoch}` or `--patience 3` makes the \
                 better model"
            ));
        }
        Ok(())
    }
}

/// What `auto` tried, the chosen one marked.
fn tried(auto: &AutoRecord) -> Table {
    let mut table = Table::new([
        ("tried", Align::Left),
        ("epochs", Align::Right),
        ("accuracy", Align::Right),
        ("log loss", Align::Right),
        ("", Align::Left),
    ]);
    for (i, candidate) in auto.candidates.iter().enumerate() {
        let chosen = if i == auto.chosen { "chosen" } else { "" };
        let figures = [candidate.accuracy, candidate.log_loss].map(score);
        table.row([
            &candidate.features,
            &candidate.epochs,
            &figures[0],
            &figures[1],
            &format_args!("{BEST}{chosen}{BEST:#}"),
        ]);
    }
    table
}

//! `slugline train`: from a corpus to a model file.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use slugline::checkpoint::{Checkpoints, Interval};
use slugline::classifier::{AutoRecord, Classifier, ClassifierError, FoldOptions, FoldsRecord};
use slugline::corpus::{Documents, LabelKind, SequenceOptions};
use slugline::model_file::save_target;
use slugline::nn::{Callback, Flow, StopReason};

use super::open_model;
use crate::failure::Failure;
use crate::interrupt;
use crate::options::{
    Data, DataArgs, FromArgs, FromPlan, HeldOut, ReadArgs, TrainingArgs, TrainingPlan, interval,
    quoted,
};
use crate::output::{
    Align, BEST, Console, FoldsReport, HEADING, STRONG, Series, Table, TrainingBar, bytes,
    fold_line, folds_table, grouped, out, score, score_of, write_json,
};

/// Train a classifier and save it as a model file
///
/// Epochs are told on standard error, the result on standard output. The same data, settings and
/// seed give the same file to the last byte, whatever the number of threads.
///
/// The first Ctrl-C stops the run after the step under way: what was reached is saved, and the exit
/// code is 0. A second one ends the program at once. A run whose loss is no longer a number stops
/// too; the model of its last good epoch is saved if there is one, and the exit code is 1.
///
/// A run of more than some seconds keeps a checkpoint in the folder MODEL.checkpoint until its model is
/// saved. Whatever ended it, Ctrl-C or a power cut: the same command with --resume goes on from there
/// and ends with the same file, to the last byte.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct TrainArgs {
    /// What to train on: files (CSV, TSV, JSON lines, Parquet, Arrow, fastText or SVMlight lines; gzip
    /// or zstd), a folder of folders, a pattern, `-`, or a corpus: sample, reuters, reuters-clean
    #[arg(value_name = "DATA", required = true)]
    data: Vec<String>,
    /// Where to write the model, replacing what is there [default: DATA.slug]
    #[arg(long, short, value_name = "MODEL")]
    output: Option<PathBuf>,
    /// Go on from the checkpoint of a run with the same data and settings; from the start where there is
    /// none
    #[arg(long)]
    resume: bool,
    /// Time between checkpoints, which are written at the end of an epoch; 0 for every epoch, or `none`
    /// [default: as often as costs less than a hundredth of the time, 10 at least]
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    checkpoint_every: Option<Interval>,
    /// Cross-validate first: divide the documents into K folds, every class evenly, and score each by
    /// a model trained on the others
    ///
    /// Whatever is chosen is chosen anew in every fold, so that no score comes from documents by which
    /// something was chosen. The scores are printed and noted in the model, which is then trained on
    /// all documents as without --folds. Takes K times as long; Ctrl-C before the last training ends the
    /// run without a model.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..))]
    folds: Option<u32>,
    #[command(flatten)]
    from: FromArgs,
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
  slugline train tickets.csv --folds 5
  slugline train sample
  slugline train reuters --preset notebook --seed 1 -o reuters.slug
  slugline train tickets.csv --threshold precision=0.9
  slugline train reuters --hidden 128 --dropout 0.5 --optimizer adam --patience 3 -o small.slug
  slugline train tickets.csv --validation held-out.csv
  slugline train tickets.csv --ngrams 2 --char-ngrams 3-5 --class-weight weights.csv
  slugline train topics.jsonl --preset text --loss binary_focal_crossentropy --gamma 2
  slugline train sample --epochs 6 --format json --quiet | jq .history.val_accuracy
  slugline train tickets.csv --resume
  slugline train june.csv --from tickets.slug --replay tickets.csv -o tickets-2.slug

JSON (stable; more fields may be added): one object with
  model          path of the model file
  data           name of the corpus
  seed           the seed
  command        the command that trains the same model again
  samples        {train, validation}: numbers of documents
  epochs         epochs trained to their end
  best_epoch     the epoch with the lowest validation loss, without validation the last one
  stop_reason    completed, stopped (by --patience), interrupted (Ctrl-C) or diverged
  ancestor       the model that it goes on from: {checksum, corpus, classes, features, replayed},
                 or null
  checkpoint     folder from which --resume goes on, of a run that was interrupted; else null
  parameters     number of weights and biases
  fit_seconds    time spent training
  auto           what was tried and chosen: {candidates: [{features, epochs, accuracy, log_loss}],
                 chosen, train_samples, held_out_samples, mean_tokens}; null with settings given;
                 candidates for any number of labels a document have micro_f1 too
  thresholds     {aim, documents, classes: [{support, predicted, precision, recall, f1, reached}]}:
                 what --threshold reaches on the held-out documents; null where none are fitted
  cross_validation  the scores of --folds: {folds: [{train_samples, samples, accuracy, macro_f1,
                 log_loss, ece}], accuracy: {mean, std}, macro_f1, log_loss, ece}; null without
  history        {loss, accuracy, val_loss, val_accuracy}: one number an epoch; where nothing
                 was validated val_loss and val_accuracy are null; with any number of labels a
                 document there are micro_f1 and val_micro_f1, and accuracy is null";

/// A run on which everything is settled.
struct TrainRun<'a> {
    args: &'a TrainArgs,
    data: Data,
    plan: Plan,
    output: PathBuf,
    checkpoints: Checkpoints,
}

/// Trains from the start, or goes on with a model.
enum Plan {
    New(Box<TrainingPlan>),
    From(FromPlan, Box<Classifier>),
}

impl Plan {
    fn command(&self, data: &str) -> String {
        match self {
            Self::New(plan) => plan.command(data),
            Self::From(plan, _) => plan.command(data),
        }
    }

    fn epochs(&self) -> usize {
        match self {
            Self::New(plan) => plan.epochs(),
            Self::From(plan, parent) => plan.epochs(parent),
        }
    }

    fn seed(&self) -> u64 {
        match self {
            Self::New(plan) => plan.seed(),
            Self::From(plan, _) => plan.seed(),
        }
    }

    /// Whether the program chooses by itself.
    fn chooses(&self) -> bool {
        matches!(self, Self::New(plan) if plan.auto.is_some())
    }
}

/// Documents with the name that models and reports give them, and those to be shown again.
#[derive(Clone, Copy)]
struct Material<'a> {
    documents: &'a Documents,
    name: &'a str,
    old: Option<&'a Documents>,
}

/// What came of a run.
struct Trained {
    classifier: Result<Classifier, ClassifierError>,
    fit_time: Duration,
    /// Steps made in the epoch in which it was stopped.
    step: usize,
    folds: Option<FoldsRecord>,
}

impl TrainArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let plan = match self.from.plan(&self.training)? {
            Some(plan) => {
                let parent = open_model(plan.model())?;
                Plan::From(plan, Box::new(parent))
            }
            None => Plan::New(Box::new(self.training.plan()?)),
        };
        let data = Data::of(&self.data);
        let output = self.output.clone().unwrap_or_else(|| format!("{}.slug", data.stem()).into());
        check_output(&output)?;
        self.check_folds(&data, &plan)?;
        let interval = self.checkpoint_every.unwrap_or_default();
        let checkpoints =
            Checkpoints::new(Checkpoints::beside(&output), interval).resuming(self.resume);
        TrainRun { args: self, data, plan, output, checkpoints }.run(console)
    }
}

impl TrainArgs {
    /// Refuses settings that a cross-validation, which works on texts, cannot follow.
    fn check_folds(&self, data: &Data, plan: &Plan) -> Result<(), Failure> {
        if self.folds.is_none() {
            return Ok(());
        }
        let refused =
            |problem: &str| Err(Failure::Usage { command: "train", problem: problem.into() });
        let Plan::New(plan) = plan else {
            return refused(
                "--folds scores a training from the start, and --from goes on with a model; leave out \
                 either",
            );
        };
        let usual =
            SequenceOptions { num_words: plan.sequences.num_words, ..SequenceOptions::default() };
        let loads = matches!(data, Data::Dataset(_)) && !plan.takes_text();
        if loads && plan.sequences != usual {
            return refused(
                "--folds divides texts, for which the settings under Loading have no meaning; leave \
                 out either",
            );
        }
        Ok(())
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
    fn run(mut self, console: Console) -> Result<(), Failure> {
        let inputs: Vec<String> = self.args.data.iter().map(|input| quoted(input)).collect();
        let data = format!("{}{}", inputs.join(" "), self.args.read.words());
        let folds = self.args.folds.map(|folds| format!(" --folds {folds}"));
        let command = format!("{}{}", self.plan.command(&data), folds.unwrap_or_default());
        if console.verbose {
            console.note(format_args!("{command}"));
        }
        self.announce(console)?;
        let trained = self.train(console);
        if let Some(failure) = self.checkpoints.take_failure() {
            let because = failure.source().map(|e| format!(": {e}")).unwrap_or_default();
            console.note(format_args!("{failure}{because}; the training went on without"));
        }
        let Trained { classifier, fit_time, step, folds } = trained.map_err(|e| self.ended(e))?;
        let (classifier, diverged) = match classifier {
            Ok(classifier) => (classifier, None),
            Err(ClassifierError::Diverged { error, reached }) => (*reached, Some(error)),
            Err(error) => return Err(self.ended(error.into())),
        };
        let mut classifier = classifier.with_command(command);
        if let Some(folds) = folds {
            classifier = classifier.with_cross_validation(folds);
        }
        classifier.save(&self.output)?;
        let record = classifier.record();
        if record.history.stop_reason == StopReason::Interrupted {
            console.note(format_args!(
                "stopped in epoch {}, after step {step} of it; what was reached is saved; {}",
                record.history.epochs.len() + 1,
                self.way_on()
            ));
        } else {
            self.checkpoints.remove()?;
        }
        if let Some(error) = diverged {
            let (path, epochs) = (self.output.display(), record.history.epochs.len());
            return Err(Failure::Other(format!(
                "{error}\n  the model as it was after epoch {epochs} is saved as {path}"
            )));
        }
        let parameters = classifier.network().parameter_count();
        if console.json() {
            write_json(&self.as_json(&classifier, parameters, fit_time)?)
        } else {
            self.print(console, &classifier, parameters, fit_time)
        }
    }

    /// Says what becomes of a checkpoint that is there.
    fn announce(&self, console: Console) -> Result<(), Failure> {
        let folder = Checkpoints::beside(&self.output);
        let folder = folder.display();
        match (self.args.resume, self.checkpoints.exists()?) {
            (true, true) => console.note(format_args!("going on from {folder}")),
            (true, false) => console.note(format_args!("no {folder}: beginning from the start")),
            (false, true) => console.note(format_args!(
                "beginning from the start: the checkpoint of an earlier run in {folder} is dropped; \
                 --resume would have gone on from it"
            )),
            (false, false) => {}
        }
        Ok(())
    }

    /// How to go on with a run that was interrupted.
    fn way_on(&self) -> &'static str {
        match self.checkpoints.exists() {
            Ok(true) => "the same command with --resume goes on from the last checkpoint",
            _ => "there is no checkpoint yet to go on from",
        }
    }

    /// Adds to the end of a run that was interrupted how to go on with it.
    fn ended(&self, error: Failure) -> Failure {
        match error {
            Failure::Classifier(ClassifierError::Interrupted) => {
                Failure::Other(format!("{}; {}", ClassifierError::Interrupted, self.way_on()))
            }
            error => error,
        }
    }

    /// Trains on the data, after a cross-validation if one is asked for, and says how long it took
    /// after they were loaded.
    fn train(&mut self, console: Console) -> Result<Trained, Failure> {
        let name = self.data.name();
        let (mut documents, apart) = match (&self.data, &self.plan) {
            (Data::Dataset(dataset), Plan::New(plan)) if !plan.takes_text() => {
                if let Some(HeldOut::File(file)) = &plan.held_out {
                    return Err(Failure::Usage {
                        command: "train",
                        problem: format!(
                            "--validation {file}: the numbered words of {name} have no file to \
                             validate on; add --preset text, or name a number or a share"
                        ),
                    });
                }
                let corpus = self.args.files.load(*dataset, &plan.sequences, console)?;
                console.note(format_args!(
                    "{STRONG}{name}{STRONG:#}: {} training documents, {} classes. {}",
                    grouped(corpus.train.len()),
                    corpus.class_names.len(),
                    corpus.description,
                ));
                let (samples, names) = (corpus.train.len(), &corpus.class_names);
                let options = plan.options_for(samples, LabelKind::Single, names)?;
                let documents = match self.args.folds {
                    Some(_) => Some(self.args.files.documents(*dataset, console)?.train),
                    None => None,
                };
                interrupt::watch()?;
                let folds = documents.map(|all| self.cross_validate(&all, None, &name, console));
                let folds = folds.transpose()?.flatten();
                let kept = &self.checkpoints;
                let fit = |bar: &mut TrainingBar| {
                    Classifier::train_resumable(&corpus, &options, &mut [bar], kept)
                };
                return Ok(self.timed(console, folds, fit));
            }
            (data, _) => {
                let found = self.documents(data, console)?;
                self.with_held_out(found, console)?
            }
        };
        let old = match &self.plan {
            Plan::From(plan, _) => plan.replay(),
            Plan::New(_) => None,
        };
        let old = old.map(|data| self.documents(&data, console)).transpose()?;
        let old = old.map(|(documents, _)| documents);
        interrupt::watch()?;
        let folds = self.cross_validate(&documents, apart.as_ref(), &name, console)?;
        if let Some(apart) = apart {
            documents.append(&apart)?;
        }
        if self.plan.chooses() {
            console.note(format_args!("choosing by a share of the documents that is held out …"));
        }
        let material = Material { documents: &documents, name: &name, old: old.as_ref() };
        Ok(self.timed(console, folds, |bar| self.fit(material, bar, &self.checkpoints)))
    }

    /// Runs the last training, with its bar and its time.
    fn timed(
        &self,
        console: Console,
        folds: Option<FoldsRecord>,
        fit: impl FnOnce(&mut TrainingBar) -> Result<Classifier, ClassifierError>,
    ) -> Trained {
        let mut bar = TrainingBar::new(console, self.plan.epochs());
        let start = Instant::now();
        let classifier = fit(&mut bar);
        Trained { classifier, fit_time: start.elapsed(), step: bar.step, folds }
    }

    /// Trains on documents by the plan.
    fn fit(
        &self,
        Material { documents, name, old }: Material<'_>,
        bar: &mut TrainingBar,
        kept: &Checkpoints,
    ) -> Result<Classifier, ClassifierError> {
        let callbacks: &mut [&mut dyn Callback] = &mut [bar];
        match &self.plan {
            Plan::From(plan, parent) => plan.train(parent, (documents, name), old, callbacks, kept),
            Plan::New(plan) => {
                let Some(auto) = plan.auto else {
                    let options = plan.options(documents.len());
                    return Classifier::train_documents_resumable(
                        documents, name, &options, callbacks, kept,
                    );
                };
                let go_on = || if interrupt::asked() { Flow::Stop } else { Flow::Continue };
                Classifier::train_auto_resumable(documents, name, auto, &go_on, callbacks, kept)
            }
        }
    }

    /// The training documents of a corpus or of files, and those that the files set apart to validate on.
    fn documents(
        &self,
        data: &Data,
        console: Console,
    ) -> Result<(Documents, Option<Documents>), Failure> {
        Ok(match data {
            Data::Dataset(dataset) => (self.args.files.documents(*dataset, console)?.train, None),
            Data::Files(files) => {
                let found = self.args.read.read(files, None, console)?;
                (found.train, found.validation)
            }
        })
    }

    /// The scores of the plan on documents that it did not see, if they are asked for. What was set
    /// apart to validate on validates in every fold.
    fn cross_validate(
        &self,
        documents: &Documents,
        apart: Option<&Documents>,
        name: &str,
        console: Console,
    ) -> Result<Option<FoldsRecord>, Failure> {
        let Some(folds) = self.args.folds else { return Ok(None) };
        let options = FoldOptions { folds, seed: self.plan.seed() };
        let found = Classifier::cross_validate(
            documents,
            name,
            options,
            &mut |fold, train| {
                let mut bar = TrainingBar::of_fold(console, self.plan.epochs(), fold, folds);
                let kept = self.checkpoints.within(&format!("fold-{}", fold + 1));
                let mut all = train.clone();
                if let Some(apart) = apart {
                    all.append(apart)?;
                }
                self.fit(Material { documents: &all, name, old: None }, &mut bar, &kept)
            },
            &mut |fold, scores| {
                console.note(format_args!("fold {}/{folds}   {}", fold + 1, fold_line(scores)));
            },
        )?;
        Ok(Some(found.record))
    }

    /// The documents to train on, and those that were set apart to validate on, by a file of their own or
    /// by the data themselves; the plan holds out as many from the end then.
    fn with_held_out(
        &mut self,
        (train, validation): (Documents, Option<Documents>),
        console: Console,
    ) -> Result<(Documents, Option<Documents>), Failure> {
        let (count, classes) = (train.len(), train.class_names().len());
        let kind = match train.label_kind() {
            LabelKind::Single => "",
            LabelKind::Multi => ", any number of them a document",
            LabelKind::Soft => ", a share of each a document",
        };
        console.note(format_args!(
            "{STRONG}{}{STRONG:#}: {} training documents, {classes} classes{kind}",
            self.data.name(),
            grouped(count),
        ));
        let unused = |validation: Option<Documents>, why: &str| {
            if let Some(unused) = validation {
                console.note(format_args!(
                    "{} documents for validation are not used, since {why}",
                    grouped(unused.len()),
                ));
            }
        };
        let Plan::New(plan) = &mut self.plan else {
            unused(validation, "--from holds out a share of its own");
            return Ok((train, None));
        };
        let held_out = match (&plan.held_out, validation) {
            (Some(HeldOut::File(file)), _) => {
                Some(self.args.read.read_held_out(file, &train, console)?)
            }
            (Some(HeldOut::Split(_)), validation) => {
                unused(validation, "--validation says otherwise");
                None
            }
            (_, validation) => validation,
        };
        if let Some(held_out) = &held_out {
            console.note(format_args!(
                "{} documents to validate on; they are not trained on",
                grouped(held_out.len()),
            ));
            plan.hold_out_last(held_out.len());
        }
        Ok((train, held_out))
    }

    fn as_json(
        &self,
        classifier: &Classifier,
        parameters: usize,
        fit_time: Duration,
    ) -> Result<Value, Failure> {
        let record = classifier.record();
        let history = &record.history;
        let interrupted = history.stop_reason == StopReason::Interrupted;
        let folder = Checkpoints::beside(&self.output);
        let checkpoint = interrupted && self.checkpoints.exists()?;
        Ok(json!({
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
            "checkpoint": checkpoint.then(|| folder.display().to_string()),
            "parameters": parameters,
            "fit_seconds": fit_time.as_secs_f64(),
            "auto": record.auto,
            "thresholds": classifier.decisions().fitted,
            "ancestor": record.ancestor,
            "cross_validation": record.cross_validation.as_ref().map(FoldsReport::of),
            "history": Series::of(history),
        }))
    }

    fn print(
        &self,
        console: Console,
        classifier: &Classifier,
        parameters: usize,
        fit_time: Duration,
    ) -> Result<(), Failure> {
        use std::io::Write;

        let record = classifier.record();
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
        let key = score_of(history);
        let (title, val_key) = (key.replace("micro_f1", "micro F1"), format!("val_{key}"));
        let last = |key: &str| history.last(key).map(score);
        if let (Some(loss), Some(value)) = (last("loss"), last(key)) {
            table.row([&"training", &format_args!("loss {loss}, {title} {value}")]);
        }
        if let (Some(loss), Some(value)) = (last("val_loss"), last(&val_key)) {
            table.row([&"validation", &format_args!("loss {loss}, {title} {value}")]);
        }
        let best = history.epochs.get(record.best_epoch.wrapping_sub(1));
        if let Some(logs) = best.filter(|logs| logs.validation.is_some()) {
            let value = |key: &str| logs.get(key).map(score).unwrap_or_default();
            let (loss, reached) = (value("val_loss"), value(&val_key));
            let epoch = logs.epoch;
            table.row([
                &"best epoch",
                &format_args!("{epoch}: validation loss {loss}, {title} {reached}"),
            ]);
        }
        if let Some(fitted) = &classifier.decisions().fitted {
            let (reached, all) = (fitted.reached(), fitted.classes.len());
            table.row([
                &"thresholds",
                &format_args!(
                    "{}: reached by {reached} of {all} classes on {} held-out documents",
                    fitted.aim,
                    grouped(fitted.documents)
                ),
            ]);
        }
        let mut out = out();
        write!(out, "{table}")?;
        if let Some(auto) = &record.auto {
            write!(out, "\n{}", tried(auto))?;
        }
        if let Some(folds) = &record.cross_validation {
            write!(out, "\n{HEADING}Cross-validation{HEADING:#}\n{}", folds_table(folds))?;
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
    let independent = auto.candidates.iter().any(|candidate| candidate.micro_f1.is_some());
    let mut table = Table::new([
        ("tried", Align::Left),
        ("epochs", Align::Right),
        (if independent { "micro F1" } else { "accuracy" }, Align::Right),
        ("log loss", Align::Right),
        ("", Align::Left),
    ]);
    for (i, candidate) in auto.candidates.iter().enumerate() {
        let chosen = if i == auto.chosen { "chosen" } else { "" };
        let reached = candidate.micro_f1.unwrap_or(candidate.accuracy);
        let figures = [reached, candidate.log_loss].map(score);
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

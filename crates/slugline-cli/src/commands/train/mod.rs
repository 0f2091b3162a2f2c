//! `slugline train`: from a corpus to a model file.

mod logs;
mod report;
mod run;

use std::path::{Path, PathBuf};

use clap::Args;
use slugline::checkpoint::{Checkpoints, Interval};
use slugline::corpus::SequenceOptions;
use slugline::model_file::save_target;

use super::open_model;
use crate::failure::Failure;
use crate::options::{
    Data, DataArgs, FromArgs, LogArgs, ReadArgs, RecordArgs, TrainingArgs, interval,
};
use crate::output::{Console, check_not_read};
use run::{Plan, TrainRun};

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
    /// Keep an index of the training documents in the model, their texts included, by which `explain
    /// --nearest` finds those that are most like a text
    ///
    /// A share of DATA that is held out is in it too; documents that are apart, by a file to validate on
    /// or as a part of their own, are not, and neither are those of --replay.
    #[arg(long)]
    index: bool,
    #[command(flatten)]
    from: FromArgs,
    #[command(flatten)]
    training: TrainingArgs,
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    record: RecordArgs,
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
  slugline train tickets.csv --index
  slugline train sample
  slugline train reuters --preset notebook --seed 1 -o reuters.slug
  slugline train tickets.csv --threshold precision=0.9
  slugline train reuters --hidden 128 --dropout 0.5 --optimizer adam --patience 3 -o small.slug
  slugline train tickets.csv --validation held-out.csv
  slugline train tickets.csv --ngrams 2 --char-ngrams 3-5 --class-weight weights.csv
  slugline train topics.jsonl --preset text --loss binary_focal_crossentropy --gamma 2
  slugline train sample --epochs 6 --format json --quiet | jq .history.val_accuracy
  slugline train tickets.csv --resume
  slugline train reuters --preset notebook --log-csv epochs.csv --tensorboard logs
  slugline train june.csv --from tickets.slug --replay tickets.csv -o tickets-2.slug

JSON (stable; more fields may be added): one object with
  model          path of the model file
  data           name of the corpus
  seed           the seed
  command        the command that trains the same model again
  run            number of the run, for `slugline runs show`; null where it is not noted
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
        let mut inputs = plan.paths();
        inputs.extend(data.paths().map(|path| ("the data", path.to_owned())));
        check_not_read(&output, inputs.iter().map(|(what, path)| (*what, path.as_path())))?;
        // A model may take the place of the one that it goes on from: it is whole before it does.
        if let Plan::From(plan, _) = &plan {
            inputs.push(("the model", plan.model().clone()));
        }
        self.logs.check(&inputs, &output)?;
        self.check_folds(&data, &plan)?;
        let interval = self.checkpoint_every.unwrap_or_default();
        let checkpoints =
            Checkpoints::new(Checkpoints::beside(&output), interval).resuming(self.resume);
        TrainRun { args: self, data, plan, output, checkpoints }.run(console)
    }

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

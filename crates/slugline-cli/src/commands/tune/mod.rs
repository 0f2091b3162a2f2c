//! `slugline tune`: better settings by search, and plain grids.

mod grid;
mod progress;
mod search;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use slugline::classifier::Preset;
use slugline::tune::{Metric, TuneOptions};

use crate::failure::Failure;
use crate::options::{
    Data, DataArgs, PlotTheme, ReadArgs, RecordArgs, Sweep, duration, one_of, positive, size,
    threads,
};
use crate::output::Console;

/// Search for better settings than those of `train`, or compare the points of a grid
///
/// Random search with successive halving: many settings near to those that `train` chooses by itself
/// are tried on a part of the documents; the best third goes on to all of them, and of these the best
/// third to every fold of a cross-validation. The best three are cross-validated once more on other
/// folds, together with the settings of `train`, which are always among the trials. The winner is
/// trained on all documents, calibrated and saved.
///
/// Every training is written to the trials file as it ends. The same command goes on from there: after
/// Ctrl-C (which trains and saves the best so far), after a crash, or with more time. With --trials the
/// result is the same whether it was interrupted or not, and for any number of threads; with --time
/// only what comes first is, as the clock decides how far it comes.
///
/// With --sweep, every combination of the values is trained with the options of `train` and compared
/// on the documents held out; no model is saved unless -o asks for it.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct TuneArgs {
    /// What to train on: files (CSV, TSV, JSON lines, fastText lines; gzip or zstd), a folder of
    /// folders, a pattern, `-`, or a corpus: sample, reuters, reuters-clean
    #[arg(value_name = "DATA", required = true)]
    data: Vec<String>,
    /// Where to write the model [default: DATA.slug; with --sweep none]
    #[arg(long, short, value_name = "MODEL")]
    output: Option<PathBuf>,
    /// What is made good; with --sweep `accuracy`, of documents with any number of labels `micro_f1`, or
    /// `log_loss`
    #[arg(long, value_name = "NAME", default_value = Metric::default().name(),
        value_parser = one_of(Metric::ALL.map(Metric::name), |name| name.parse::<Metric>().ok()))]
    metric: Metric,
    /// Settles folds, trials, weights, order and dropout
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads to work on, 0 for one a core; the result does not depend on it
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads())]
    threads: usize,

    /// How long it may take (90s, 5m, 1h30m), the last training included [default: 5m, or no limit
    /// with --trials]
    #[arg(long, value_name = "TIME", help_heading = "Search", value_parser = duration,
        conflicts_with = "sweep")]
    time: Option<Duration>,
    /// Settings to try, those of `train` included
    #[arg(long, value_name = "N", help_heading = "Search", value_parser = positive(),
        conflicts_with = "sweep")]
    trials: Option<usize>,
    /// Folds of the cross-validation
    #[arg(long, value_name = "K", help_heading = "Search", conflicts_with = "sweep",
        default_value_t = TuneOptions::default().folds,
        value_parser = clap::value_parser!(u32).range(2..=100))]
    folds: u32,
    /// Memory that trainings may take together (2G, 512M); what does not fit is skipped [default: 70 %
    /// of what the system has left]
    #[arg(long, value_name = "LIMIT", help_heading = "Search", value_parser = size,
        conflicts_with = "sweep")]
    memory: Option<u64>,
    /// Where trainings are written and taken up from [default: DATA.trials.jsonl]
    #[arg(long, value_name = "FILE", help_heading = "Search", conflicts_with = "sweep")]
    trials_file: Option<PathBuf>,

    /// An option of `train` and its values; may be given several times, for every combination. In a
    /// list of units `x` stands for the comma: hidden=64x4,64x64. One value alone sets the option
    #[arg(long, value_name = "NAME=VALUE,…", help_heading = "Sweep", required = false)]
    sweep: Vec<Sweep>,
    /// Seeds that each point is trained with, from --seed on
    #[arg(long, value_name = "N", help_heading = "Sweep", requires = "sweep", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Settings that the sweep changes
    #[arg(long, value_name = "NAME", help_heading = "Sweep", requires = "sweep",
        default_value = Preset::Notebook.name(),
        value_parser = one_of(Preset::ALL.map(Preset::name),
            |name| Preset::ALL.into_iter().find(|preset| preset.name() == name)))]
    preset: Preset,
    /// Draw accuracy and loss with their spread over the seeds, as .svg or .png
    #[arg(long, value_name = "FILE", help_heading = "Sweep", requires = "sweep")]
    plot: Option<PathBuf>,
    /// Colours of the plot
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "Sweep",
        requires = "plot",
        value_enum,
        default_value_t
    )]
    theme: PlotTheme,

    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    files: DataArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline tune tickets.csv --time 5m
  slugline tune tickets.csv --time 1h --metric macro_f1 -o tickets.slug
  slugline tune news.jsonl.gz --trials 64 --memory 4G --seed 1
  slugline tune reuters --sweep hidden=4,16,64,128
  slugline tune reuters --sweep hidden=64x4,64x16,64x64 --sweep batch-size=128 --seeds 3 \\
      --plot bottleneck.svg
  slugline tune sample --sweep optimizer=adam,rmsprop --sweep learning_rate=0.001,0.003

The trials file has one JSON object a line, after a first line that says what data they belong to:
  trial, settings, share, repeat, fold, samples, status (done, skipped, failed), scores, calibration,
  features, parameters, memory, seconds, key

JSON (stable; more fields may be added): one object, of a search with
  model, data, seed, command, seconds, parameters
  run            number of the run, for `slugline runs show`; null where it is not noted
  stopped        trials, time or interrupted
  trials_file    where the trainings are, and known: how many it held before
  trainings, skipped, failed
                 numbers of trainings
  compared       {trainings, chosen, auto}: by how many trainings the best settings and those of `train`
                 were compared at last, and {mean, std} of the metric of each
  search         {metric, folds, tried, samples, chosen, trials: [{trial, recipe, settings, scores,
                 metric: {mean, std}, trainings}]}: what the model file holds too
and of a sweep with
  data, preset, seeds, metric, model, plot, best: place of the best point
  points         [{settings: [[name, value]], parameters, val_accuracy: {mean, std}, val_loss,
                 best_epoch, seconds, runs: [{seed, val_accuracy, val_loss, best_epoch, seconds}]}]:
                 the highest accuracy and the lowest loss of the epochs; for any number of labels a
                 document val_micro_f1 in place of val_accuracy";

impl TuneArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let data = Data::of(&self.data);
        if self.sweep.is_empty() {
            search::SearchRun::new(self, data)?.run(console)
        } else {
            grid::GridRun::new(self, data)?.run(console)
        }
    }
}

fn usage(problem: String) -> Failure {
    Failure::Usage { command: "tune", problem }
}

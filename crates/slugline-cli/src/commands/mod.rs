//! One module a command: its arguments, its plan, its run.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod datasets;
pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod feedback;
mod findings;
pub(crate) mod inspect;
pub(crate) mod plot;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod serve;
pub(crate) mod threshold;
pub(crate) mod train;
pub(crate) mod tune;

use std::path::Path;

use slugline::classifier::Classifier;

use crate::cli::Command;
use crate::failure::Failure;
use crate::output::Console;

pub(crate) fn run(command: &Command, console: Console) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => args.run(console),
        Command::Check(args) => args.run(console),
        Command::Train(args) => args.run(console),
        Command::Tune(args) => args.run(console),
        Command::Evaluate(args) => args.run(console),
        Command::Compare(args) => args.run(console),
        Command::Threshold(args) => args.run(console),
        Command::Predict(args) => args.run(console),
        Command::Explain(args) => args.run(console),
        Command::Export(args) => args.run(console),
        Command::Inspect(args) => args.run(console),
        Command::Plot(args) => args.run(console),
        Command::Report(args) => args.run(console),
        Command::Serve(args) => args.run(console),
        Command::Feedback(args) => args.run(console),
        Command::Runs(args) => args.run(console),
        Command::Datasets(args) => args.run(console),
        Command::Completions(args) => args.run(),
    }
}

/// Opens a model file.
fn open_model(path: &Path) -> Result<Classifier, Failure> {
    Ok(Classifier::load(path)?)
}

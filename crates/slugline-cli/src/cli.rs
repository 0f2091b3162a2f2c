//! The command line as a whole.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    check, compare, completions, datasets, demo, evaluate, explain, export, feedback, inspect,
    plot, predict, report, runs, serve, threshold, train, tune,
};
use crate::output::{Console, Format};

/// Turns labelled text into a classifier: train, evaluate, explain, predict, report, serve
///
/// Slugline trains small, fast, exact text classifiers on the CPU. Every result is reproducible to
/// the last bit: one seed, one model, whatever the number of threads.
#[derive(Debug, Parser)]
#[command(
    name = "slugline",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_long_help = AFTER_HELP
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  slugline demo                                  a guided tour that needs no file and no network
  slugline train tickets.csv                     train on your own file: nothing to set
  slugline train sample -o sample.slug           train on the built-in corpus
  slugline evaluate sample.slug                  scores beside the baselines
  echo 'Wheat prices rose.' | slugline predict sample.slug
  slugline explain sample.slug 'Wheat prices rose.'
  slugline report sample.slug                    one page with scores, curves, confusions and reasons
  slugline train reuters --preset notebook --seed 1 -o reuters.slug
  slugline tune tickets.csv --time 5m            search for better settings
  slugline serve sample.slug                     an HTTP service, and a page to try the model

Results go to standard output, everything else to standard error.

Exit codes:
  0  done (also after Ctrl-C during training, once the model is saved)
  1  failed; standard error says why and what to do
  2  the command line was not understood

Environment:
  SLUGLINE_DATA_DIR  folder to look for data files in
  SLUGLINE_RUNS      file that keeps the past trainings, for `slugline runs`
  SLUGLINE_OFFLINE   set to 1 to forbid downloads
  SLUGLINE_CPU       set to `portable` to leave the CPU's vector instructions unused
  SLUGLINE_SERVE_…   the options of `slugline serve`
  NO_COLOR           set to anything for output without colour";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::DemoArgs),
    Check(Box<check::CheckArgs>),
    Train(Box<train::TrainArgs>),
    Tune(Box<tune::TuneArgs>),
    Evaluate(Box<evaluate::EvaluateArgs>),
    Compare(Box<compare::CompareArgs>),
    Threshold(Box<threshold::ThresholdArgs>),
    Predict(predict::PredictArgs),
    Explain(Box<explain::ExplainArgs>),
    Export(export::ExportArgs),
    Inspect(inspect::InspectArgs),
    Plot(Box<plot::PlotArgs>),
    Report(Box<report::ReportArgs>),
    Serve(Box<serve::ServeArgs>),
    Feedback(feedback::FeedbackArgs),
    Runs(runs::RunsArgs),
    Datasets(datasets::DatasetsArgs),
    Completions(completions::CompletionsArgs),
}

/// How to speak; understood by every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Form of the results: for people, or JSON for machines
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Colour in the output; `auto` only on a terminal and without NO_COLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    /// No progress and no notes; errors are still told
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// More detail: full tables, settings
    #[arg(long, short, global = true)]
    verbose: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl OutputArgs {
    pub(crate) fn console(&self) -> Console {
        match self.color {
            Color::Auto => anstream::ColorChoice::Auto,
            // Also where the console of Windows needs other means than escape sequences.
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Console { format: self.format, quiet: self.quiet, verbose: self.verbose }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declaration_is_consistent() {
        Cli::command().debug_assert();
    }
}

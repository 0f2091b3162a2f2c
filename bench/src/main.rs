//! The measurements that need to look inside; `bench/run` starts them.
//!
//! Every command answers with JSON on standard output, one object a line.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use slugline_bench::{Failure, export, fit, growth, roofline, step, wide};

#[cfg(feature = "peers")]
mod candle_fit;
#[cfg(feature = "peers")]
mod fasttext_crate;

/// Timed parts of Slugline, for `bench/run`
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train the published example once for each line of standard input
    Fit {
        /// Folder with the Reuters newswires
        #[arg(long)]
        data_dir: PathBuf,
        #[arg(long, default_value_t = 1)]
        threads: usize,
        #[arg(long, default_value_t = 20)]
        epochs: usize,
        /// Score the validation samples after each epoch
        #[arg(long)]
        validate: bool,
    },
    /// Time a training step on the same rows in a matrix of so many columns
    Step {
        /// Folder with the Reuters newswires
        #[arg(long)]
        data_dir: PathBuf,
        #[arg(long)]
        features: usize,
        /// Keep a row of weights for every feature, as if all of them occurred
        #[arg(long)]
        every_row: bool,
        #[arg(long, default_value_t = 512)]
        batch: usize,
        #[arg(long, default_value_t = 5)]
        epochs: usize,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Time generated documents from text to one epoch of training
    Growth {
        #[arg(long)]
        documents: usize,
        #[arg(long, default_value_t = 1)]
        repeat: usize,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Write a model of very many features, and fastText's lines for the same
    Wide {
        #[arg(long)]
        model: PathBuf,
        #[arg(long)]
        lines: PathBuf,
        #[arg(long, default_value_t = 1_000_000)]
        features: usize,
        #[arg(long, default_value_t = 64)]
        units: usize,
    },
    /// Write the Reuters newswires as lines of text
    Texts {
        /// Folder with the Reuters newswires
        #[arg(long)]
        data_dir: PathBuf,
        #[arg(long)]
        output: PathBuf,
        #[arg(long, default_value_t = 200_000)]
        lines: usize,
    },
    /// Measure the machine's peaks and the parts of the work beside them
    Roofline {
        /// Folder with the Reuters newswires
        #[arg(long)]
        data_dir: PathBuf,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Train the published example with candle, as `fit` does
    #[cfg(feature = "peers")]
    CandleFit {
        /// Folder with the Reuters newswires
        #[arg(long)]
        data_dir: PathBuf,
    },
    /// Answer lines of text with the Rust rewrite of fastText
    #[cfg(feature = "peers")]
    FasttextCrate { model: PathBuf, lines: PathBuf },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "a program tells why it failed")]
fn report(error: &(dyn Error + 'static)) {
    eprintln!("slugline-bench: {error}");
}

#[allow(clippy::print_stdout, reason = "the answer of the program")]
fn run(command: Command) -> Result<(), Failure> {
    let answer = match command {
        Command::Fit { data_dir, threads, epochs, validate } => {
            let plan = fit::Plan { threads, epochs, validate };
            return fit::serve(&data_dir, plan, io::stdin().lock(), io::stdout().lock());
        }
        Command::Step { data_dir, features, every_row, batch, epochs, threads } => {
            let plan = step::Plan { features, every_row, batch, epochs, threads };
            step::measure(&data_dir, plan)?
        }
        Command::Growth { documents, repeat, threads } => {
            growth::measure(documents, repeat, threads)?
        }
        Command::Wide { model, lines, features, units } => {
            wide::write(&model, &lines, features, units)?
        }
        Command::Texts { data_dir, output, lines } => export::texts(&data_dir, &output, lines)?,
        Command::Roofline { data_dir, threads } => roofline::measure(&data_dir, threads)?,
        #[cfg(feature = "peers")]
        Command::CandleFit { data_dir } => {
            return candle_fit::serve(&data_dir, io::stdin().lock(), io::stdout().lock());
        }
        #[cfg(feature = "peers")]
        Command::FasttextCrate { model, lines } => {
            return fasttext_crate::answer(&model, &lines, io::stdout().lock());
        }
    };
    println!("{answer}");
    Ok(())
}

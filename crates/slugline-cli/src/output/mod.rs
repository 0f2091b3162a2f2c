//! Results on standard output, talk on standard error.

mod bar;
mod curve;
mod download;
mod epochs;
mod file;
mod folds;
mod number;
mod predicting;
mod reading;
mod replace;
mod table;
mod wrap;

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice, StripStream};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

pub(crate) use bar::{Bar, Template};
pub(crate) use curve::Curve;
pub(crate) use download::DownloadBar;
pub(crate) use epochs::{Choosing, EpochLine, TrainingBar, score_of};
pub(crate) use file::{check_not_read, check_target, same_place, to_file};
pub(crate) use folds::{fold_line, folds_table};
pub(crate) use number::{bytes, grouped, rough, samples, score, significant};
pub(crate) use predicting::PredictBar;
pub(crate) use reading::ReadBar;
pub(crate) use replace::NewFile;
pub(crate) use table::{Align, Table};
pub(crate) use wrap::{one_line, printable, wrapped};

/// Headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// What matters most in a line.
pub(crate) const STRONG: Style = Style::new().bold();
/// What may be passed over.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// The answer, the best one.
pub(crate) const BEST: Style = AnsiColor::Green.on_default();
/// What comes from held-out documents, beside what comes from the training.
pub(crate) const HELD_OUT: Style = AnsiColor::Cyan.on_default();
/// The word `error:`.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Form of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// JSON, all in one line (`predict` and `explain`: a line for each text)
    Json,
}

/// Standard output and standard error, and how to speak on them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

impl Console {
    /// Whether results are for machines.
    pub(crate) fn json(self) -> bool {
        self.format == Format::Json
    }

    /// A line of talk; nothing with `--quiet`.
    pub(crate) fn note(self, line: fmt::Arguments<'_>) {
        if !self.quiet {
            alert(&line);
        }
    }

    /// Columns of the terminal that standard error is, if it is one.
    pub(crate) fn columns() -> Option<usize> {
        let (width, _) = terminal_size::terminal_size_of(io::stderr())?;
        Some(width.0.into())
    }

    /// Whether progress may be drawn and redrawn on standard error.
    pub(crate) fn draws(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// Standard output, without colour where none is wanted. To be flushed, or dropped.
pub(crate) fn out() -> Box<dyn Write> {
    let stdout = io::stdout().lock();
    // Below the removal of colours, which passes on piece by piece, standard output would ask the
    // system for every line.
    match AutoStream::choice(&stdout) {
        ColorChoice::Never => {
            let below: Box<dyn Write> = Box::new(BufWriter::with_capacity(1 << 16, stdout));
            Box::new(StripStream::new(below))
        }
        _ => Box::new(BufWriter::new(AutoStream::auto(stdout))),
    }
}

/// Writes a result as one line of JSON.
pub(crate) fn write_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()?;
    Ok(())
}

/// The same of an object with others before its fields. Numbers of single precision stay as short as they
/// are meant, which a [`serde_json::Value`] would make longer.
pub(crate) fn write_json_with(head: &Value, value: &impl Serialize) -> Result<(), Failure> {
    write_json(&Headed { head, value })
}

/// Two objects as one.
#[derive(Serialize)]
struct Headed<'a, T> {
    #[serde(flatten)]
    head: &'a Value,
    #[serde(flatten)]
    value: &'a T,
}

/// A line on standard error, with `--quiet` too.
pub(crate) fn alert(line: &impl fmt::Display) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_single_precision_stay_short_behind_other_fields() {
        #[derive(Serialize)]
        struct Rest {
            rate: f32,
        }
        let line = serde_json::to_string(&Headed {
            head: &serde_json::json!({ "model": "m" }),
            value: &Rest { rate: 0.3 },
        });
        assert_eq!(line.unwrap(), r#"{"model":"m","rate":0.3}"#);
    }
}

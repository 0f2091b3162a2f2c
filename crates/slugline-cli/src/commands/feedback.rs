//! `slugline feedback`: the corrections that `slugline serve` keeps.

mod export;
mod list;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use slugline::feedback::{Feedback, Query, Stored};

use crate::failure::Failure;
use crate::output::{Console, grouped, one_line, out, write_json};
use export::ExportArgs;
use list::ListArgs;

/// List, export and remove the corrections that people make of answers
///
/// `slugline serve --feedback FILE` keeps what people say an answer should have been. FILE may be read
/// and changed while the server runs.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct FeedbackArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List corrections, the newest first
    #[command(after_long_help = list::HELP)]
    List(ListArgs),
    /// Write corrections as JSON lines that `slugline train` reads
    ///
    /// Of several corrections of a text the last one counts. Every line has the text under `text`, and
    /// under `label` what it is; of a model that gives any number of labels, their list under `labels`.
    #[command(after_long_help = export::HELP)]
    Export(ExportArgs),
    /// Remove corrections for good
    #[command(after_long_help = "\
Examples:
  slugline feedback remove feedback.sqlite 3 4
  slugline feedback remove feedback.sqlite --all

JSON (stable; more fields may be added): one object with
  removed    numbers of the corrections that are removed")]
    Remove {
        /// The feedback file
        file: PathBuf,
        /// Numbers of the corrections
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// All corrections
        #[arg(long)]
        all: bool,
    },
}

impl FeedbackArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        match &self.action {
            Action::List(list) => list.run(console),
            Action::Export(export) => export.run(console),
            Action::Remove { file, ids, all } => remove(file, (!all).then_some(ids), console),
        }
    }
}

/// Opens a feedback file; `None` if nothing was ever written to it.
fn open(file: &Path) -> Result<Option<Feedback>, Failure> {
    match Feedback::open_existing(file)? {
        None if !file.exists() => {
            let file = file.display();
            Err(Failure::Other(format!(
                "there is no feedback file {file}; `slugline serve MODEL --feedback {file}` makes it"
            )))
        }
        found => Ok(found),
    }
}

/// Removes corrections by their numbers, or all.
fn remove(file: &Path, ids: Option<&Vec<i64>>, console: Console) -> Result<(), Failure> {
    let mut feedback = open(file)?;
    let mut removed = Vec::new();
    match (ids, &mut feedback) {
        (Some(ids), Some(feedback)) => {
            removed.clone_from(ids);
            removed.sort_unstable();
            removed.dedup();
            feedback.remove(&removed)?;
        }
        (Some(_), None) => {
            return Err(Failure::Other(format!("there are no corrections in {}", file.display())));
        }
        (None, Some(feedback)) => {
            feedback.for_each(&Query::default(), |stored| -> Result<(), Failure> {
                removed.push(stored.id);
                Ok(())
            })?;
            feedback.remove(&removed)?;
        }
        (None, None) => {}
    }
    if console.json() {
        return write_json(&json!({ "removed": removed }));
    }
    let mut out = out();
    match removed.len() {
        0 => writeln!(out, "there were no corrections to remove")?,
        n => writeln!(out, "removed {}", counted(n as u64))?,
    }
    out.flush()?;
    Ok(())
}

/// So many corrections, in words.
fn counted(n: u64) -> String {
    match n {
        1 => "1 correction".into(),
        n => format!("{} corrections", grouped(n)),
    }
}

/// Labels in a cell, or what it says where there are none. They come from anywhere.
fn shown(labels: &[String], none: &str) -> String {
    match labels {
        [] => none.into(),
        labels => one_line(&labels.join(", ")),
    }
}

/// The beginning of a text on one line.
fn beginning(stored: &Stored) -> String {
    const SHOWN: usize = 60;
    let text = &stored.correction.text;
    // A long text is not gone through for its beginning.
    let start: String = text.chars().take(4 * SHOWN).collect();
    let line = one_line(&start);
    match line.chars().count() > SHOWN || start.len() < text.len() {
        true => format!("{}…", line.chars().take(SHOWN).collect::<String>().trim_end()),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use slugline::feedback::Correction;

    use super::*;

    fn stored(text: &str) -> Stored {
        let correction = Correction {
            text: text.into(),
            labels: Vec::new(),
            multi_label: true,
            answer: Vec::new(),
            probability: None,
            model: String::new(),
            checksum: String::new(),
            note: None,
            time: UNIX_EPOCH,
        };
        Stored { id: 1, correction }
    }

    #[test]
    fn a_cell_has_the_beginning_and_no_commands() {
        assert_eq!(beginning(&stored("a\0\nb\x1b[2J")), "a\u{fffd} b\u{fffd}[2J");
        let long = beginning(&stored(&"word ".repeat(1000)));
        assert!(long.ends_with("word…") && long.chars().count() <= 61, "{long}");
        assert_eq!(beginning(&stored(&" ".repeat(1000))), "…");
        assert_eq!(shown(&["a\n".into(), "b".into()], ""), "a , b");
        assert_eq!(shown(&[], "none"), "none");
    }
}

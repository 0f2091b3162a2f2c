//! Corrections as documents to train on.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde::Serialize;
use serde_json::json;
use slugline::feedback::{Correction, Feedback, Query, Stored, Tally};

use super::list::utc;
use super::{counted, open};
use crate::failure::Failure;
use crate::options::{quoted, since};
use crate::output::{Console, NewFile, check_not_read, one_line, write_json};

pub(super) const HELP: &str = "\
Examples:
  slugline feedback export feedback.sqlite -o corrections.jsonl
  slugline feedback export feedback.sqlite --model news --since 2026-11-20 > corrections.jsonl
  slugline train corrections.jsonl --from news.slug --replay news.csv --validation none \\
    -o better.slug

The last command goes on with the model: --replay shows it documents again from which it has learned,
so that it does not forget them, and --validation none keeps its calibration, which a handful of
corrections could only spoil. A model of any number of labels, or of shares, does not go on; it is
trained anew on its data and the corrections: slugline train topics.jsonl corrections.jsonl

Each line also has the answer that was corrected, its probability, the model's name and checksum, the
note, the time and the number of the correction, which `train` passes over.

JSON of --output (stable; more fields may be added): one object with
  file         what was written
  corrections  how many
  model        name of the model
  multi_label  whether it gives any number of labels
  command      the command that trains with them; OLD_DATA stands for the data of the model";

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The feedback file
    file: PathBuf,
    /// Where to write them, replacing what is there [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Corrections of the model of this name; needed where there are those of several
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Corrections since a day (2026-11-20), or of the last days (7d)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<SystemTime>,
    /// Also corrections that a later one of the same text takes back
    #[arg(long)]
    all: bool,
}

/// A document, and what else is known of it. No key but `text`, `label` and `labels` may be one that
/// `train` takes for a text, a label or a part.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [String]>,
    answer: Answer<'a>,
    probability: Option<f32>,
    model: &'a str,
    checksum: &'a str,
    note: Option<&'a str>,
    time: String,
    id: i64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    One(Option<&'a str>),
    Many(&'a [String]),
}

impl<'a> Line<'a> {
    /// One label, or a list: the same form in all lines of a file.
    fn of(Stored { id, correction }: &'a Stored, multi_label: bool) -> Self {
        let Correction { text, labels, answer, probability, model, checksum, note, time, .. } =
            correction;
        let only = match (multi_label, labels.as_slice()) {
            (false, [label]) => Some(label.as_str()),
            _ => None,
        };
        Self {
            text,
            label: only,
            labels: only.is_none().then_some(labels.as_slice()),
            answer: match only {
                Some(_) => Answer::One(answer.first().map(String::as_str)),
                None => Answer::Many(answer),
            },
            probability: *probability,
            model,
            checksum,
            note: note.as_deref(),
            time: utc(*time),
            id: *id,
        }
    }
}

/// Where the lines go.
enum Target {
    File(NewFile),
    Stdout(BufWriter<StdoutLock<'static>>),
}

impl Target {
    fn write(&mut self, line: &[u8]) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.write(line),
            Self::Stdout(out) => Ok(out.write_all(line)?),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.finish(),
            Self::Stdout(mut out) => Ok(out.flush()?),
        }
    }
}

impl ExportArgs {
    pub(super) fn run(&self, console: Console) -> Result<(), Failure> {
        if let Some(output) = &self.output {
            check_not_read(output, [("the feedback file", self.file.as_path())])?;
        }
        let feedback = open(&self.file)?;
        let tallies = feedback.as_ref().map(Feedback::tallies).transpose()?.unwrap_or_default();
        let Tally { model, multi_label, .. } = self.choose(&tallies)?;
        let mut target = match &self.output {
            Some(path) => Target::File(NewFile::of_bytes(path)?),
            None => Target::Stdout(BufWriter::new(io::stdout().lock())),
        };
        let query = Query {
            model: Some(model.clone()),
            since: self.since,
            latest_only: !self.all,
            ..Query::default()
        };
        let mut count = 0;
        if let Some(feedback) = &feedback {
            feedback.for_each(&query, |stored| -> Result<(), Failure> {
                count += 1;
                let mut line = serde_json::to_vec(&Line::of(&stored, *multi_label))?;
                line.push(b'\n');
                target.write(&line)
            })?;
        }
        if count == 0 {
            return Err(Failure::Other(format!(
                "there are no corrections of {} since then in {}; leave out --since, or name an earlier \
                 day",
                one_line(model),
                self.file.display()
            )));
        }
        target.finish()?;
        let command = self.command(model, *multi_label);
        if let Some(output) = self.output.as_ref().filter(|_| console.json()) {
            return write_json(&json!({
                "file": output.display().to_string(),
                "corrections": count,
                "model": model,
                "multi_label": multi_label,
                "command": command,
            }));
        }
        let (counted, shown) = (counted(count), one_line(model));
        match &self.output {
            Some(output) => {
                console.note(format_args!("{counted} of {shown} written to {}", output.display()));
            }
            None => console.note(format_args!("{counted} of {shown}")),
        }
        console.note(format_args!("next: {command}"));
        console.note(format_args!("  where OLD_DATA is what {shown} has learned from"));
        Ok(())
    }

    /// The model whose corrections are wanted: labels of several do not go into one file.
    fn choose<'a>(&self, tallies: &'a [Tally]) -> Result<&'a Tally, Failure> {
        let file = self.file.display();
        let names: Vec<String> = tallies.iter().map(|tally| one_line(&tally.model)).collect();
        let names = names.join(", ");
        let problem = match (tallies, &self.model) {
            ([], _) => format!(
                "there are no corrections in {file} yet; people make them on the page of `slugline serve \
                 MODEL --feedback {file}`, and programs by POST /v1/feedback"
            ),
            ([only], None) => return Ok(only),
            (_, None) => {
                format!("{file} has corrections of several models: {names}; name one by --model")
            }
            (all, Some(model)) => match all.iter().find(|tally| tally.model == *model) {
                Some(found) => return Ok(found),
                None => format!("{file} has no corrections of the model {model}, but of {names}"),
            },
        };
        Err(Failure::Other(problem))
    }

    /// The command that trains with the corrections.
    fn command(&self, model: &str, multi_label: bool) -> String {
        let file = self.output.as_ref().map(|path| quoted(&path.to_string_lossy()));
        let file = file.unwrap_or_else(|| "corrections.jsonl".into());
        if multi_label {
            return format!("slugline train OLD_DATA {file} -o better.slug");
        }
        let from = quoted(&one_line(&format!("{model}.slug")));
        // So few documents cannot calibrate: the model's calibration stays.
        format!(
            "slugline train {file} --from {from} --replay OLD_DATA --validation none -o better.slug"
        )
    }
}

//! The list of corrections.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::Serialize;
use slugline::decision::UNKNOWN;
use slugline::feedback::{Feedback, Query, Stored};

use super::{beginning, open, shown};
use crate::commands::runs::moment;
use crate::failure::Failure;
use crate::options::since;
use crate::output::{Align, Console, Table, one_line, out};

pub(super) const HELP: &str = "\
Examples:
  slugline feedback list feedback.sqlite
  slugline feedback list feedback.sqlite --model news --since 7d --limit 0
  slugline feedback list feedback.sqlite --label metal --format json | jq '.[].text'

JSON (stable; more fields may be added): a list of
  {id, time, model, checksum, text, labels, multi_label, answer, probability, note}
  time           when it was made, in UTC
  model          name and checksum of the model that answered
  labels         a list of what it is, and answer a list of what the model said, empty where it
                 decided for no class
  multi_label    whether the model gives any number of labels
  probability    the largest probability of the answer, and note what was said to it; or null";

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The feedback file
    file: PathBuf,
    /// Corrections of the model of this name alone
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Corrections to this label alone
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// Corrections since a day (2026-11-20), or of the last days (7d)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<SystemTime>,
    /// The first N of them; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

/// A correction for machines.
#[derive(Serialize)]
struct AsJson<'a> {
    id: i64,
    time: String,
    model: &'a str,
    checksum: &'a str,
    text: &'a str,
    labels: &'a [String],
    multi_label: bool,
    answer: &'a [String],
    probability: Option<f32>,
    note: Option<&'a str>,
}

impl<'a> AsJson<'a> {
    fn of(Stored { id, correction }: &'a Stored) -> Self {
        Self {
            id: *id,
            time: utc(correction.time),
            model: &correction.model,
            checksum: &correction.checksum,
            text: &correction.text,
            labels: &correction.labels,
            multi_label: correction.multi_label,
            answer: &correction.answer,
            probability: correction.probability,
            note: correction.note.as_deref(),
        }
    }
}

/// A moment for machines.
pub(super) fn utc(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl ListArgs {
    pub(super) fn run(&self, console: Console) -> Result<(), Failure> {
        let feedback = open(&self.file)?;
        if console.json() {
            return self.json(feedback.as_ref());
        }
        let (left, right) = (Align::Left, Align::Right);
        let mut table = Table::new([
            ("id", right),
            ("time", left),
            ("model", left),
            ("label", left),
            ("answer", left),
            ("text", left),
        ]);
        let (mut rows, mut more) = (0, false);
        if let Some(feedback) = feedback {
            // One more tells whether there are more.
            let query = self.query((self.limit > 0).then(|| self.limit.saturating_add(1)));
            feedback.for_each(&query, |stored| -> Result<(), Failure> {
                more = self.limit > 0 && rows == self.limit;
                if !more {
                    rows += 1;
                    let correction = &stored.correction;
                    let undecided = if correction.multi_label { "none" } else { UNKNOWN };
                    table.row([
                        &stored.id,
                        &moment(correction.time),
                        &one_line(&correction.model),
                        &shown(&correction.labels, "none"),
                        &shown(&correction.answer, undecided),
                        &beginning(&stored),
                    ]);
                }
                Ok(())
            })?;
        }
        if rows == 0 {
            let any = self.model.is_none() && self.label.is_none() && self.since.is_none();
            let which = if any { "" } else { "such " };
            let file = self.file.display();
            console.note(format_args!("there are no {which}corrections in {file}"));
            return Ok(());
        }
        let mut out = out();
        write!(out, "{table}")?;
        out.flush()?;
        if more {
            console.note(format_args!("there are more; --limit 0 lists all"));
        }
        Ok(())
    }

    fn query(&self, limit: Option<usize>) -> Query {
        Query {
            model: self.model.clone(),
            label: self.label.clone(),
            since: self.since,
            newest_first: true,
            limit,
            ..Query::default()
        }
    }

    /// The list for machines, written as it is read.
    fn json(&self, feedback: Option<&Feedback>) -> Result<(), Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        out.write_all(b"[")?;
        if let Some(feedback) = feedback {
            let mut first = true;
            let query = self.query((self.limit > 0).then_some(self.limit));
            feedback.for_each(&query, |stored| -> Result<(), Failure> {
                if !std::mem::take(&mut first) {
                    out.write_all(b",")?;
                }
                serde_json::to_writer(&mut out, &AsJson::of(&stored))?;
                Ok(())
            })?;
        }
        out.write_all(b"]\n")?;
        out.flush()?;
        Ok(())
    }
}

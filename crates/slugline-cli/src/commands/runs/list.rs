//! The list of runs.

use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use clap::Args;
use serde_json::Value;
use slugline::runs::{self, Query, Run, Runs, Sort};

use super::{as_json, moment};
use crate::failure::Failure;
use crate::options::{one_of, since};
use crate::output::{Align, Console, Table, grouped, out, score, write_json};

pub(super) const HELP: &str = "\
Examples:
  slugline runs
  slugline runs --data reuters --since 7d --sort val_accuracy
  slugline runs --format json | jq '.[0].scores'
  slugline runs compare 11 12

JSON (stable; more fields may be added): a list of
  {id, started, seconds, command, data, fingerprint, samples: {train, validation}, epochs,
  best_epoch, stop_reason, scores, model, checksum, slugline_version, seed, settings}
  started        when the training began, in UTC
  seconds        how long it took; of `tune` the whole search
  scores         {loss, accuracy or micro_f1, val_loss, val_accuracy or val_micro_f1} of the epoch whose
                 weights the model has, and {held_out_accuracy or held_out_micro_f1,
                 held_out_log_loss} of what --preset auto chose; those that there are
  model          path of the model file, and checksum its checksum
  settings       as in `slugline inspect`";

/// Scores by which runs can be put in order.
const SCORES: [&str; 9] = [
    "loss",
    "accuracy",
    "micro_f1",
    "val_loss",
    "val_accuracy",
    "val_micro_f1",
    "held_out_accuracy",
    "held_out_micro_f1",
    "held_out_log_loss",
];

/// Scores that every list shows where there are any.
const USUAL: [&str; 5] =
    ["val_loss", "val_accuracy", "val_micro_f1", "held_out_accuracy", "held_out_micro_f1"];

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Runs on data of this name alone
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Runs since a day (2026-11-20), or of the last days (7d)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<SystemTime>,
    /// What comes first: the newest, the shortest (seconds), or the best by a score
    #[arg(long, value_name = "NAME", default_value = "newest", value_parser = sort())]
    sort: Sort,
    /// The first N of them; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

fn sort() -> impl clap::builder::TypedValueParser<Value = Sort> {
    let names = ["newest", "seconds"].into_iter().chain(SCORES);
    one_of(names, |name| {
        Some(match name {
            "newest" => Sort::Newest,
            "seconds" => Sort::Duration,
            score => Sort::Score(score.to_owned()),
        })
    })
}

impl ListArgs {
    pub(super) fn run(&self, console: Console) -> Result<(), Failure> {
        let path = runs::place()?;
        let query = Query {
            data: self.data.clone(),
            since: self.since,
            sort: self.sort.clone(),
            // One more tells whether there are more.
            limit: (self.limit > 0).then(|| self.limit.saturating_add(1)),
        };
        let mut runs = match Runs::open_existing(&path)? {
            Some(runs) => runs.list(&query)?,
            None => Vec::new(),
        };
        let more = self.limit > 0 && runs.len() > self.limit;
        runs.truncate(if more { self.limit } else { runs.len() });
        if console.json() {
            return write_json(&runs.iter().map(as_json).collect::<Vec<Value>>());
        }
        if runs.is_empty() {
            let which = if self.data.is_some() || self.since.is_some() { "such " } else { "" };
            console.note(format_args!("no {which}runs are noted in {}", path.display()));
            return Ok(());
        }
        let mut out = out();
        write!(out, "{}", self.table(&runs))?;
        out.flush()?;
        if more {
            console.note(format_args!("there are more; --limit 0 lists all"));
        }
        Ok(())
    }

    fn table(&self, runs: &[Run]) -> Table {
        let asked = match &self.sort {
            Sort::Score(name) => Some(name.as_str()),
            _ => None,
        };
        let named = SCORES.into_iter().filter(|name| USUAL.contains(name) || asked == Some(*name));
        let scores: Vec<&str> =
            named.filter(|name| runs.iter().any(|run| run.entry.score(name).is_some())).collect();
        let (left, right) = (Align::Left, Align::Right);
        let mut header = vec![("id", right), ("started", left), ("data", left)];
        header.extend([("documents", right), ("epochs", right), ("seconds", right)]);
        header.extend(scores.iter().map(|name| (*name, right)));
        header.push(("model", left));
        let header = header.into_iter().map(|(name, align)| (name.to_owned(), align));
        let mut table = Table::of(header.collect());
        for Run { id, entry } in runs {
            let mut cells = vec![
                id.to_string(),
                moment(entry.started),
                entry.data.clone(),
                grouped(entry.train_samples),
                entry.epochs.to_string(),
                format!("{:.1}", entry.duration.as_secs_f64()),
            ];
            cells.extend(scores.iter().map(|n| entry.score(n).map(score).unwrap_or_default()));
            cells.push(short(&entry.model));
            table.push(cells, false);
        }
        table
    }
}

/// A path from the current folder on, where it lies in it.
fn short(path: &Path) -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

//! `slugline runs`: past trainings.

mod compare;
mod list;
mod show;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use slugline::classifier::{Classifier, TrainingOptions};
use slugline::runs::{self, Entry, Query, Run, Runs, RunsError};

use crate::failure::Failure;
use crate::options::training_settings;
use crate::output::{Console, out, write_json};
use list::ListArgs;

/// List, show and compare past trainings
///
/// `train` and the search of `tune` note every run in a database on this machine, unless --no-record
/// says otherwise. The environment variable `SLUGLINE_RUNS` names another file for it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = list::HELP)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List runs, the newest first, as without a command
    #[command(after_long_help = list::HELP)]
    List(ListArgs),
    /// Show all that was noted of a run
    #[command(after_long_help = "\
Examples:
  slugline runs show 12
  slugline runs show 12 --format json | jq .settings

JSON (stable; more fields may be added): one object, as in the list of `slugline runs`")]
    Show {
        /// Number of the run
        #[arg(value_name = "ID")]
        id: i64,
    },
    /// Compare runs side by side: the settings that differ, and the scores
    #[command(after_long_help = "\
Examples:
  slugline runs compare 11 12
  slugline runs compare 9 11 12 --format json | jq .settings

JSON (stable; more fields may be added): one object with
  runs       the runs, as in the list of `slugline runs`
  settings   {name: [value of each run]} of the settings that differ, by the names of the options of
             `train`; null where a run has none
  scores     {name: [value of each run]} of all scores, in the same way")]
    Compare {
        /// Numbers of the runs
        #[arg(value_name = "ID", required = true, num_args = 2..)]
        ids: Vec<i64>,
    },
    /// Forget runs; their models stay
    #[command(after_long_help = "\
Examples:
  slugline runs remove 3 4
  slugline runs remove --all

JSON (stable; more fields may be added): one object with
  removed    the runs that are forgotten, as in the list of `slugline runs`")]
    Remove {
        /// Numbers of the runs
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// All runs
        #[arg(long)]
        all: bool,
    },
    /// Print where the runs are kept
    #[command(after_long_help = "\
Examples:
  slugline runs path
  sqlite3 \"$(slugline runs path)\" 'SELECT id, data, seconds FROM runs'

JSON: one object with
  path       the database, a file of SQLite; it is made when the first run is noted")]
    Path,
}

impl RunsArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        match &self.action {
            None => self.list.run(console),
            Some(Action::List(list)) => list.run(console),
            Some(Action::Show { id }) => show::run(*id, console),
            Some(Action::Compare { ids }) => compare::run(ids, console),
            Some(Action::Remove { ids, all }) => remove((!all).then_some(ids), console),
            Some(Action::Path) => path(console),
        }
    }
}

/// Notes a training and gives its number. What keeps it from being noted is told and does no harm.
pub(super) fn note_run(
    classifier: &Classifier,
    model: &Path,
    started: SystemTime,
    duration: Duration,
    console: Console,
) -> Option<i64> {
    let noted = Entry::new(classifier, model, started, duration)
        .and_then(|entry| Runs::open(runs::place()?)?.add(&entry));
    match noted {
        Ok(id) => Some(id),
        Err(error) => {
            let because = std::error::Error::source(&error).map(|e| format!(": {e}"));
            let because = because.unwrap_or_default();
            console.note(format_args!("the run is not noted: {error}{because}"));
            None
        }
    }
}

/// Runs by their numbers.
fn find(ids: &[i64]) -> Result<Vec<Run>, Failure> {
    let path = runs::place()?;
    match Runs::open_existing(&path)? {
        Some(runs) => Ok(ids.iter().map(|id| runs.get(*id)).collect::<Result<_, _>>()?),
        None => {
            Err(RunsError::Unknown { id: ids.first().copied().unwrap_or_default(), path }.into())
        }
    }
}

/// Forgets runs by their numbers, or all.
fn remove(ids: Option<&Vec<i64>>, console: Console) -> Result<(), Failure> {
    let removed = match ids {
        Some(ids) => {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            find(&ids)?
        }
        None => match Runs::open_existing(runs::place()?)? {
            Some(runs) => runs.list(&Query::default())?,
            None => Vec::new(),
        },
    };
    if let Some(mut runs) = Runs::open_existing(runs::place()?)? {
        runs.remove(&removed.iter().map(|run| run.id).collect::<Vec<i64>>())?;
    }
    if console.json() {
        let removed: Vec<Value> = removed.iter().map(as_json).collect();
        return write_json(&json!({ "removed": removed }));
    }
    let mut out = out();
    for Run { id, entry } in &removed {
        let (when, model) = (moment(entry.started), entry.model.display());
        writeln!(out, "removed run {id}: {} of {when}, {model}", entry.data)?;
    }
    if removed.is_empty() {
        writeln!(out, "there were no runs to remove")?;
    }
    out.flush()?;
    Ok(())
}

fn path(console: Console) -> Result<(), Failure> {
    let path = runs::place()?;
    let path = path.display();
    if console.json() {
        return write_json(&json!({ "path": path.to_string() }));
    }
    let mut out = out();
    writeln!(out, "{path}")?;
    out.flush()?;
    Ok(())
}

/// A run for machines.
fn as_json(Run { id, entry }: &Run) -> Value {
    let started = DateTime::<Utc>::from(entry.started);
    let scores = entry.scores.iter().map(|(name, value)| (name.clone(), (*value).into()));
    json!({
        "id": id,
        "started": started.to_rfc3339_opts(SecondsFormat::Millis, true),
        "seconds": entry.duration.as_secs_f64(),
        "command": entry.command,
        "data": entry.data,
        "fingerprint": entry.fingerprint,
        "samples": { "train": entry.train_samples, "validation": entry.validation_samples },
        "epochs": entry.epochs,
        "best_epoch": entry.best_epoch,
        "stop_reason": entry.stop_reason,
        "scores": scores.collect::<Map<String, Value>>(),
        "model": entry.model.display().to_string(),
        "checksum": entry.checksum,
        "slugline_version": entry.version,
        "seed": entry.seed,
        "settings": entry.settings,
    })
}

/// A moment by the local clock.
pub(super) fn moment(time: SystemTime) -> String {
    DateTime::<Local>::from(time).format("%Y-%m-%d %H:%M").to_string()
}

/// The settings of each run as names and values: those of the arguments, or where one of the runs is of
/// a version with other settings, those of the JSON.
fn settings(runs: &[Run]) -> Vec<Vec<(String, String)>> {
    let read = |run: &Run| serde_json::from_value::<TrainingOptions>(run.entry.settings.clone());
    match runs.iter().map(read).collect::<Result<Vec<_>, _>>() {
        Ok(options) => options.iter().map(training_settings).collect(),
        Err(_) => runs
            .iter()
            .map(|run| {
                let mut settings = Vec::new();
                flatten("", &run.entry.settings, &mut settings);
                settings
            })
            .collect(),
    }
}

/// The values within a value; each has the names on the way to it.
fn flatten(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let joined = match name {
                    "" => field.clone(),
                    name => format!("{name}.{field}"),
                };
                flatten(&joined, value, into);
            }
        }
        value => into.push((name.to_owned(), plain(value))),
    }
}

/// A value without the marks of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".into(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use slugline::nn::StopReason;

    use super::*;

    fn run(settings: Value) -> Run {
        let entry = Entry {
            started: UNIX_EPOCH,
            duration: Duration::ZERO,
            command: String::new(),
            settings,
            data: String::new(),
            fingerprint: String::new(),
            train_samples: 0,
            validation_samples: 0,
            epochs: 0,
            best_epoch: 0,
            stop_reason: StopReason::Completed,
            scores: Vec::new(),
            model: "m".into(),
            checksum: String::new(),
            version: String::new(),
            seed: 0,
        };
        Run { id: 1, entry }
    }

    #[test]
    fn settings_have_the_names_of_arguments_where_they_are_known() {
        let known = run(serde_json::to_value(TrainingOptions::default()).unwrap());
        let named = |runs: &[Run], name: &str| {
            let found = settings(runs)[0].iter().find(|(known, _)| known == name).cloned();
            found.map(|(_, value)| value)
        };
        assert_eq!(named(std::slice::from_ref(&known), "rho").as_deref(), Some("0.9"));
        let other = run(json!({ "hidden": [4, 2], "new": { "one": null, "two": "x" } }));
        let both = [other, known];
        assert_eq!(named(&both, "hidden").as_deref(), Some("4,2"));
        assert_eq!(named(&both, "new.one").as_deref(), Some("none"));
        assert_eq!(named(&both, "new.two").as_deref(), Some("x"));
        assert!(settings(&both)[1].iter().any(|(name, _)| name == "optimizer.rho"));
    }
}

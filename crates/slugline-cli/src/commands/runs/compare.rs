//! Runs side by side.

use std::io::Write;

use serde_json::{Map, Value, json};
use slugline::runs::Run;

use super::{as_json, find, moment, settings};
use crate::failure::Failure;
use crate::output::{Align, BEST, Console, Table, grouped, out, score, write_json};

/// A value of each run under one name.
type Line<T> = (String, Vec<Option<T>>);

pub(super) fn run(ids: &[i64], console: Console) -> Result<(), Failure> {
    let runs = find(ids)?;
    let mut settings = lines(settings(&runs));
    settings.retain(|(_, values)| values.windows(2).any(|pair| pair[0] != pair[1]));
    let scores = lines(runs.iter().map(|run| run.entry.scores.clone()).collect());
    if console.json() {
        return write_json(&json!({
            "runs": runs.iter().map(as_json).collect::<Vec<_>>(),
            "settings": object(settings),
            "scores": object(scores),
        }));
    }
    print(&runs, &settings, &scores)?;
    let same = runs.windows(2).all(|pair| pair[0].entry.fingerprint == pair[1].entry.fingerprint);
    if !same {
        console.note(format_args!("the data differ: their scores are not comparable"));
    }
    Ok(())
}

/// The values of all runs by name, in the order in which the names first come.
fn lines<T>(runs: Vec<Vec<(String, T)>>) -> Vec<Line<T>> {
    let count = runs.len();
    let mut lines: Vec<Line<T>> = Vec::new();
    for (place, values) in runs.into_iter().enumerate() {
        for (name, value) in values {
            let known = lines.iter().position(|(known, _)| *known == name);
            let at = known.unwrap_or_else(|| {
                let none = std::iter::repeat_with(|| None).take(count).collect();
                lines.push((name, none));
                lines.len() - 1
            });
            lines[at].1[place] = Some(value);
        }
    }
    lines
}

fn object<T: Into<Value>>(lines: Vec<Line<T>>) -> Map<String, Value> {
    let values = |values: Vec<Option<T>>| -> Value {
        values.into_iter().map(|value| value.map_or(Value::Null, Into::into)).collect()
    };
    lines.into_iter().map(|(name, line)| (name, values(line))).collect()
}

fn print(runs: &[Run], settings: &[Line<String>], scores: &[Line<f64>]) -> Result<(), Failure> {
    let mut header = vec![("run".to_owned(), Align::Left)];
    header.extend(runs.iter().map(|run| (run.id.to_string(), Align::Right)));
    let mut table = Table::of(header);
    let mut row = |name: &str, cells: Vec<String>| {
        table.push([vec![name.to_owned()], cells].concat(), false);
    };
    let each = |of: fn(&Run) -> String| runs.iter().map(of).collect::<Vec<String>>();
    row("started", each(|run| moment(run.entry.started)));
    row("data", each(|run| run.entry.data.clone()));
    row("documents", each(|run| grouped(run.entry.train_samples)));
    row("epochs trained", each(|run| run.entry.epochs.to_string()));
    row("seconds", each(|run| format!("{:.2}", run.entry.duration.as_secs_f64())));
    for (name, values) in settings {
        row(name, values.iter().map(|value| value.clone().unwrap_or_default()).collect());
    }
    for (name, values) in scores {
        let best = best(name, values);
        let shown = values.iter().map(|value| match value {
            None => String::new(),
            Some(value) if Some(*value) == best => format!("{BEST}{}{BEST:#}", score(*value)),
            Some(value) => score(*value),
        });
        row(name, shown.collect());
    }
    let mut out = out();
    write!(out, "{table}")?;
    out.flush()?;
    Ok(())
}

/// The best of the scores of that name: the lowest loss, the highest of any other.
fn best(name: &str, values: &[Option<f64>]) -> Option<f64> {
    let values = values.iter().flatten().copied();
    match name.ends_with("loss") {
        true => values.reduce(f64::min),
        false => values.reduce(f64::max),
    }
}

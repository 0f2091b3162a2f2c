//! All that was noted of a run.

use std::io::Write;

use slugline::runs::Run;

use super::{as_json, find, moment, settings};
use crate::failure::Failure;
use crate::output::{Console, HEADING, QUIET, Table, grouped, out, score, write_json};

pub(super) fn run(id: i64, console: Console) -> Result<(), Failure> {
    for run in find(&[id])? {
        if console.json() {
            write_json(&as_json(&run))?;
        } else {
            let settings = settings(std::slice::from_ref(&run)).concat();
            print(&run, settings)?;
        }
    }
    Ok(())
}

fn print(Run { id, entry }: &Run, settings: Vec<(String, String)>) -> Result<(), Failure> {
    let mut table = Table::pairs();
    table.row([&"started", &moment(entry.started)]);
    table.row([&"time", &format_args!("{:.2} s", entry.duration.as_secs_f64())]);
    table.row([&"command", &entry.command]);
    table.row([&"data", &entry.data]);
    table.row([&"fingerprint", &entry.fingerprint]);
    let [train, validation] = [entry.train_samples, entry.validation_samples].map(grouped);
    table.row([&"samples", &format_args!("{train} to train, {validation} to validate")]);
    table.row([&"epochs", &format_args!("{} ({})", entry.epochs, entry.stop_reason)]);
    table.row([&"best epoch", &entry.best_epoch]);
    let gone = if entry.model.exists() { "" } else { " (no longer there)" };
    table.row([&"model", &format_args!("{}{QUIET}{gone}{QUIET:#}", entry.model.display())]);
    table.row([&"checksum", &entry.checksum]);
    table.row([&"version", &entry.version]);
    table.row([&"seed", &entry.seed]);
    let mut scores = Table::pairs();
    for (name, value) in &entry.scores {
        scores.row([name, &score(*value)]);
    }
    let mut all = Table::pairs();
    for (name, value) in settings {
        all.row([&name, &value]);
    }
    let mut out = out();
    writeln!(out, "{HEADING}Run {id}{HEADING:#}\n{table}")?;
    writeln!(out, "{HEADING}Scores{HEADING:#}\n{scores}")?;
    write!(out, "{HEADING}Settings{HEADING:#}\n{all}")?;
    out.flush()?;
    Ok(())
}

//! What `slugline train` says of the model it made.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use slugline::checkpoint::Checkpoints;
use slugline::classifier::{AutoRecord, Classifier, EpochSeries, FoldsSummary};
use slugline::nn::StopReason;

use crate::failure::Failure;
use crate::output::{
    Align, BEST, Console, Curve, HEADING, Table, bytes, folds_table, grouped, out, samples, score,
    score_of,
};

/// A model and how it came about.
pub(super) struct Report<'a> {
    pub(super) classifier: &'a Classifier,
    pub(super) output: &'a Path,
    pub(super) fit_time: Duration,
    /// Whether there is a checkpoint.
    pub(super) checkpoint: bool,
    /// Its number among the runs, if it is noted.
    pub(super) run: Option<i64>,
}

impl Report<'_> {
    pub(super) fn as_json(&self) -> Value {
        let &Self { classifier, output, fit_time, checkpoint, run } = self;
        let record = classifier.record();
        let history = &record.history;
        let kept = checkpoint && history.stop_reason == StopReason::Interrupted;
        json!({
            "model": output.display().to_string(),
            "data": record.corpus.name,
            "seed": record.options.seed,
            "command": record.command,
            "run": run,
            "samples": {
                "train": record.corpus.train_samples,
                "validation": record.corpus.validation_samples,
            },
            "epochs": history.epochs.len(),
            "best_epoch": record.best_epoch,
            "stop_reason": history.stop_reason,
            "checkpoint": kept.then(|| Checkpoints::beside(output).display().to_string()),
            "parameters": classifier.network().parameter_count(),
            "fit_seconds": fit_time.as_secs_f64(),
            "auto": record.auto,
            "thresholds": classifier.decisions().fitted,
            "ancestor": record.ancestor,
            "cross_validation": record.cross_validation.as_ref().map(FoldsSummary::of),
            "history": EpochSeries::of(history),
        })
    }

    pub(super) fn print(&self, console: Console) -> Result<(), Failure> {
        let &Self { classifier, output, fit_time, run, .. } = self;
        let record = classifier.record();
        let history = &record.history;
        if let Some(curve) = Curve::of(history) {
            console.note(format_args!("{curve}\n"));
        }
        let mut table = Table::pairs();
        let size = fs::metadata(output).map_or(0, |file| file.len());
        table.row([&"model", &format_args!("{BEST}{}{BEST:#}", output.display())]);
        table.row([&"size", &bytes(size)]);
        table.row([&"parameters", &grouped(classifier.network().parameter_count())]);
        table.row([&"samples", &samples(&record.corpus)]);
        let time = format!("{:.2} s", fit_time.as_secs_f64());
        table.row([
            &"epochs",
            &format_args!("{} in {time} ({})", history.epochs.len(), history.stop_reason),
        ]);
        let key = score_of(history);
        let (title, val_key) = (key.replace("micro_f1", "micro F1"), format!("val_{key}"));
        let last = |key: &str| history.last(key).map(score);
        if let (Some(loss), Some(value)) = (last("loss"), last(key)) {
            table.row([&"training", &format_args!("loss {loss}, {title} {value}")]);
        }
        if let (Some(loss), Some(value)) = (last("val_loss"), last(&val_key)) {
            table.row([&"validation", &format_args!("loss {loss}, {title} {value}")]);
        }
        let best = history.epochs.get(record.best_epoch.wrapping_sub(1));
        if let Some(logs) = best.filter(|logs| logs.validation.is_some()) {
            let value = |key: &str| logs.get(key).map(score).unwrap_or_default();
            let (loss, reached) = (value("val_loss"), value(&val_key));
            let epoch = logs.epoch;
            table.row([
                &"best epoch",
                &format_args!("{epoch}: validation loss {loss}, {title} {reached}"),
            ]);
        }
        if let Some(run) = run {
            table.row([&"run", &run]);
        }
        if let Some(fitted) = &classifier.decisions().fitted {
            let (reached, all) = (fitted.reached(), fitted.classes.len());
            table.row([
                &"thresholds",
                &format_args!(
                    "{}: reached by {reached} of {all} classes on {} held-out documents",
                    fitted.aim,
                    grouped(fitted.documents)
                ),
            ]);
        }
        let mut out = out();
        write!(out, "{table}")?;
        if let Some(auto) = &record.auto {
            let held_out = grouped(auto.held_out_samples);
            writeln!(out, "\nchosen on {held_out} held-out documents")?;
            write!(out, "{}", tried(auto))?;
        }
        if let Some(folds) = &record.cross_validation {
            write!(out, "\n{HEADING}Cross-validation{HEADING:#}\n{}", folds_table(folds))?;
        }
        out.flush()?;
        if let Some(turn) = record.turn() {
            console.note(format_args!("{turn}"));
        }
        Ok(())
    }
}

/// What `auto` tried, the chosen one marked.
fn tried(auto: &AutoRecord) -> Table {
    let independent = auto.candidates.iter().any(|candidate| candidate.micro_f1.is_some());
    let mut table = Table::new([
        ("tried", Align::Left),
        ("epochs", Align::Right),
        (if independent { "micro F1" } else { "accuracy" }, Align::Right),
        ("log loss", Align::Right),
        ("", Align::Left),
    ]);
    for (i, candidate) in auto.candidates.iter().enumerate() {
        let chosen = if i == auto.chosen { "chosen" } else { "" };
        let reached = candidate.micro_f1.unwrap_or(candidate.accuracy);
        let figures = [reached, candidate.log_loss].map(score);
        table.row([
            &candidate.features,
            &candidate.epochs,
            &figures[0],
            &figures[1],
            &format_args!("{BEST}{chosen}{BEST:#}"),
        ]);
    }
    table
}

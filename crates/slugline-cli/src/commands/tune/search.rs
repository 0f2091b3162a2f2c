//! A search: its plan, its run, what is told of it.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use slugline::tune::{Metric, Outcome, Run, Settings, Trial, TuneOptions, Tuned, tune};

use super::TuneArgs;
use super::progress::{SearchBar, Unstopped};
use crate::commands::runs::note_run;
use crate::commands::train::check_output;
use crate::failure::Failure;
use crate::interrupt;
use crate::options::{Data, quoted};
use crate::output::{
    Align, BEST, Console, QUIET, STRONG, Table, check_not_read, grouped, out, score, write_json,
};

/// Time of a search of which nothing is said.
const USUAL_TIME: Duration = Duration::from_secs(300);

/// Trials shown without `--verbose`.
const SHOWN: usize = 8;

/// A search on which everything is settled.
pub(super) struct SearchRun<'a> {
    args: &'a TuneArgs,
    data: Data,
    options: TuneOptions,
    trials_file: PathBuf,
    output: PathBuf,
}

impl<'a> SearchRun<'a> {
    pub(super) fn new(args: &'a TuneArgs, data: Data) -> Result<Self, Failure> {
        let output = args.output.clone().unwrap_or_else(|| format!("{}.slug", data.stem()).into());
        check_output(&output)?;
        let trials_file = args
            .trials_file
            .clone()
            .unwrap_or_else(|| format!("{}.trials.jsonl", data.stem()).into());
        for target in [&output, &trials_file] {
            check_not_read(target, data.paths().map(|path| ("the data", path)))?;
        }
        let options = TuneOptions {
            metric: args.metric,
            trials: args.trials,
            time: args.time.or_else(|| args.trials.is_none().then_some(USUAL_TIME)),
            folds: args.folds,
            seed: args.seed,
            threads: args.threads,
            memory: args.memory,
            trials_file: Some(trials_file.clone()),
        };
        Ok(Self { args, data, options, trials_file, output })
    }

    pub(super) fn run(&self, console: Console) -> Result<(), Failure> {
        let (started, start) = (SystemTime::now(), Instant::now());
        let name = self.data.name();
        let documents = match &self.data {
            Data::Dataset(dataset) => self.args.files.documents(*dataset, console)?.train,
            Data::Files(files) => self.args.read.read(files, None, console)?.train,
        };
        console.note(format_args!(
            "{STRONG}{name}{STRONG:#}: {} training documents, {} classes; trials go to {}",
            grouped(documents.len()),
            documents.class_names().len(),
            self.trials_file.display(),
        ));
        interrupt::watch()?;
        // What reading took is part of the time.
        let time = self.options.time.map(|time| time.saturating_sub(start.elapsed()));
        let options = TuneOptions { time, ..self.options.clone() };
        let bar = SearchBar::new(console, options.metric, time);
        let mut last = Unstopped::new(console);
        let tuned = tune(
            &documents,
            &name,
            &options,
            &interrupt::asked,
            &|event| bar.tell(event),
            &mut [&mut last],
        )?;
        drop((bar, last));
        let command = self.command();
        let Tuned { classifier, .. } = &tuned;
        let classifier = classifier.clone().with_command(command);
        classifier.save(&self.output)?;
        let noted = !self.args.record.no_record;
        let time = start.elapsed();
        let run = noted.then(|| note_run(&classifier, &self.output, started, time, console));
        let seconds = time.as_secs_f64();
        if console.json() {
            let command = classifier.record().command.as_deref();
            write_json(&self.as_json(&tuned, command, run.flatten(), seconds))
        } else {
            self.print(console, &tuned, seconds)
        }
    }

    /// The command that searches again.
    fn command(&self) -> String {
        let inputs: Vec<String> = self.args.data.iter().map(|input| quoted(input)).collect();
        let mut command = format!("slugline tune {}{}", inputs.join(" "), self.args.read.words());
        let default = TuneOptions::default();
        let options = &self.options;
        // Writing to a string cannot fail.
        if let Some(trials) = options.trials {
            let _ = write!(command, " --trials {trials}");
        }
        if let Some(time) = options.time {
            let _ = write!(command, " --time {}s", time.as_secs_f64());
        }
        if options.metric != default.metric {
            let _ = write!(command, " --metric {}", options.metric.name());
        }
        if options.folds != default.folds {
            let _ = write!(command, " --folds {}", options.folds);
        }
        if options.seed != default.seed {
            let _ = write!(command, " --seed {}", options.seed);
        }
        command
    }

    fn as_json(
        &self,
        tuned: &Tuned,
        command: Option<&str>,
        run: Option<i64>,
        seconds: f64,
    ) -> Value {
        let metric = self.options.metric;
        json!({
            "model": self.output.display().to_string(),
            "data": self.data.name(),
            "seed": self.options.seed,
            "command": command,
            "run": run,
            "seconds": seconds,
            "parameters": tuned.classifier.network().parameter_count(),
            "stopped": tuned.stopped,
            "trials_file": self.trials_file.display().to_string(),
            "known": tuned.known,
            "trainings": runs(tuned).count(),
            "skipped": runs(tuned).filter(|run| is_skipped(run)).count(),
            "failed": runs(tuned).filter(|run| is_failed(run)).count(),
            "compared": {
                "trainings": tuned.compared_by,
                "chosen": tuned.compared(tuned.chosen, metric),
                "auto": tuned.compared(tuned.auto, metric),
            },
            "search": tuned.classifier.record().tune,
        })
    }

    fn print(&self, console: Console, tuned: &Tuned, seconds: f64) -> Result<(), Failure> {
        let mut out = out();
        let mut table = Table::pairs();
        table.row([&"model", &format_args!("{BEST}{}{BEST:#}", self.output.display())]);
        table.row([&"parameters", &grouped(tuned.classifier.network().parameter_count())]);
        let count = |which: fn(&Run) -> bool| runs(tuned).filter(|run| which(run)).count();
        let mut tried = format!(
            "{} in {} trainings",
            grouped(tuned.trials.len()),
            grouped(runs(tuned).count())
        );
        for (what, n) in [("skipped", count(is_skipped)), ("failed", count(is_failed))] {
            if n > 0 {
                // Writing to a string cannot fail.
                let _ = write!(tried, ", {} {what}", grouped(n));
            }
        }
        table.row([&"trials", &tried]);
        table.row([&"time", &format_args!("{seconds:.0} s")]);
        let metric = self.options.metric;
        let line = |trial| {
            let spread = tuned.compared(trial, metric);
            format!("{} ± {}", score(spread.mean), score(spread.std))
        };
        let by = format!("{} of {} trainings", metric.name(), tuned.compared_by);
        table.row([&by, &format_args!("{STRONG}{}{STRONG:#}", line(tuned.chosen))]);
        table.row([&"the same of `train`", &line(tuned.auto)]);
        write!(out, "{table}\n{}", self.ranked(console, tuned))?;
        let hint = format!("all trainings: {}", self.trials_file.display());
        writeln!(out, "{QUIET}  {hint}{QUIET:#}")?;
        out.flush()?;
        if tuned.chosen == tuned.auto {
            console
                .note(format_args!("nothing that was tried is better than what `train` chooses"));
        }
        Ok(())
    }

    /// The best trials, the chosen one first.
    fn ranked(&self, console: Console, tuned: &Tuned) -> Table {
        let metric = self.options.metric;
        let mut table = Table::new([
            ("trial", Align::Right),
            (metric.name(), Align::Right),
            ("±", Align::Left),
            ("log loss", Align::Right),
            ("trainings", Align::Right),
            ("", Align::Left),
            ("unlike `train`", Align::Left),
        ]);
        let auto = &tuned.trials[tuned.auto];
        let ranking = tuned.ranking(metric);
        let shown = |place: usize, trial: &Trial| {
            console.verbose || place < SHOWN || trial.number == auto.number
        };
        for (place, trial) in ranking.into_iter().enumerate() {
            if !shown(place, trial) {
                continue;
            }
            let spread = trial.spread(metric);
            let trainings = trial.full_scores().len();
            let loss = trial.spread(Metric::LogLoss).mean;
            let mark = match () {
                () if trial.number == tuned.chosen => "best",
                () if trial.recipe => "train",
                () => "",
            };
            let std = if trainings > 1 { score(spread.std) } else { String::new() };
            table.row([
                &trial.number,
                &score(spread.mean),
                &std,
                &score(loss),
                &trainings,
                &format_args!("{BEST}{mark}{BEST:#}"),
                &differences(&trial.settings, &auto.settings),
            ]);
        }
        table
    }
}

fn runs(tuned: &Tuned) -> impl Iterator<Item = &Run> {
    tuned.trials.iter().flat_map(|trial| &trial.runs)
}

fn is_skipped(run: &Run) -> bool {
    matches!(run.outcome, Outcome::Skipped { .. })
}

fn is_failed(run: &Run) -> bool {
    matches!(run.outcome, Outcome::Failed { .. })
}

/// What is set otherwise than in other settings; the weight of features that there are none of is
/// left out.
fn differences(settings: &Settings, other: &Settings) -> String {
    let gone = |name: &str| {
        let without = |of: &str, what: &Value| settings.get(of) == Some(what);
        (name.starts_with("ngram_") && without("word_ngrams", &json!(1)))
            || (name.starts_with("prefix_") && without("prefix_lengths", &json!([])))
            || (["char_min_df", "char_weight"].contains(&name)
                && without("char_ngrams", &Value::Null))
            || (name == "dropout" && without("hidden", &json!(0)))
    };
    let differ = settings
        .iter()
        .filter(|(name, value)| other.get(*name) != Some(value))
        .filter(|(name, _)| *name == "prefix_lengths" || !gone(name));
    let words: Vec<String> =
        differ.map(|(name, value)| format!("{name} {}", plain(value))).collect();
    words.join(", ")
}

/// A value without the marks of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(name) => name.clone(),
        Value::Array(all) if all.is_empty() => "none".into(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join("-"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_in_words() {
        let settings = |value: Value| value.as_object().cloned().unwrap();
        let auto = settings(json!({
            "word_ngrams": 2, "ngram_weight": 0.5, "prefix_lengths": [4, 6], "char_ngrams": null,
            "hidden": 64, "dropout": 0.5
        }));
        let other = settings(json!({
            "word_ngrams": 1, "ngram_weight": 1.0, "prefix_lengths": [], "char_ngrams": [3, 5],
            "hidden": 0, "dropout": 0.0
        }));
        assert_eq!(
            differences(&other, &auto),
            "word_ngrams 1, prefix_lengths none, char_ngrams 3-5, hidden 0"
        );
        assert_eq!(differences(&auto, &auto), "");
    }
}

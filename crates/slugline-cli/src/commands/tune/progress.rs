//! The course of a search.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use slugline::nn::{BatchReport, Callback, EpochLogs, Flow, Sequential};
use slugline::tune::{Metric, Outcome, Run, TuneEvent};

use crate::output::{Bar, Console, Template, TrainingBar, bytes, grouped, score};

/// Tells the course of a search on standard error: a line a batch of trials, and on a terminal one
/// that changes below them.
pub(super) struct SearchBar {
    console: Console,
    metric: Metric,
    start: Instant,
    time: Option<Duration>,
    bar: Bar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    trainings: usize,
    known: usize,
    best: String,
}

impl SearchBar {
    pub(super) fn new(console: Console, metric: Metric, time: Option<Duration>) -> Self {
        let bar = Bar::new(console, Template::Message).ticking();
        let (start, state) = (Instant::now(), Mutex::default());
        Self { console, metric, start, time, bar, state }
    }

    fn note(&self, line: &str) {
        self.bar.note(line);
    }

    /// What [`tune`](slugline::tune::tune) is to tell.
    pub(super) fn tell(&self, event: TuneEvent<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            TuneEvent::Opened { known, torn } => {
                if torn {
                    self.note(
                        "the last line of the trials file was not whole and has been taken off",
                    );
                }
                if known > 0 {
                    let known = grouped(known);
                    self.note(&format!(
                        "the trials file holds {known} trainings: going on from there"
                    ));
                }
            }
            TuneEvent::Known(_) => state.known += 1,
            TuneEvent::Run(run) => {
                state.trainings += 1;
                self.run(run, &state);
            }
            TuneEvent::Batch { trials, best: Some(best) } => {
                let spread = best.spread(self.metric);
                let (name, mean, std) = (self.metric.name(), score(spread.mean), score(spread.std));
                state.best = format!("best {name} {mean}");
                let line = format!(
                    "{} trials in {} trainings: best {name} {mean} ± {std} (trial {})",
                    grouped(trials),
                    grouped(state.trainings + state.known),
                    best.number
                );
                self.note(&line);
            }
            TuneEvent::Finals { trials } => {
                self.note(&format!("the best {trials} once more, on other folds"));
            }
            TuneEvent::Last(trial) => {
                let number = trial.number;
                self.note(&format!("training the settings of trial {number} on all documents"));
                if let Some(bar) = self.bar.drawn() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }

    /// Tells the end of a training.
    fn run(&self, run: &Run, state: &State) {
        let what = match &run.outcome {
            Outcome::Done { scores, .. } => {
                format!("{} {}", self.metric.name(), score(scores.get(self.metric)))
            }
            Outcome::Skipped { needs, limit } => {
                let (needs, limit) = (bytes(*needs), bytes(*limit));
                let line = format!(
                    "trial {} skipped: it needs {needs} of memory, and the limit is {limit}",
                    run.trial
                );
                self.note(&line);
                "skipped".to_owned()
            }
            Outcome::Failed { reason } => {
                self.note(&format!("trial {} failed: {reason}", run.trial));
                "failed".to_owned()
            }
        };
        if self.console.verbose {
            let (share, fold, seconds) = (run.budget.share, run.budget.fold + 1, run.seconds);
            self.note(&format!(
                "trial {}, {:.0} % of the documents outside fold {fold}: {what} in {seconds:.1} s",
                run.trial,
                share * 100.0
            ));
        }
        if let Some(bar) = self.bar.drawn() {
            let mut line = format!("{} trainings   trial {}: {what}", state.trainings, run.trial);
            // Writing to a string cannot fail.
            if !state.best.is_empty() {
                let _ = write!(line, "   {}", state.best);
            }
            if let Some(left) = self.time.map(|time| time.saturating_sub(self.start.elapsed())) {
                let _ = write!(line, "   {}:{:02} left", left.as_secs() / 60, left.as_secs() % 60);
            }
            bar.set_message(line);
        }
    }
}

/// Shows the last training, which the first Ctrl-C does not stop: it is what is left of the search.
pub(super) struct Unstopped {
    console: Console,
    bar: Option<TrainingBar>,
}

impl Unstopped {
    pub(super) fn new(console: Console) -> Self {
        Self { console, bar: None }
    }
}

impl Callback for Unstopped {
    fn on_epoch_begin(&mut self, epoch: usize) {
        // The first step tells the bar how many epochs there are.
        self.bar.get_or_insert_with(|| TrainingBar::new(self.console, 0)).on_epoch_begin(epoch);
    }

    fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
        if let Some(bar) = &mut self.bar {
            bar.on_batch_end(report);
        }
        Flow::Continue
    }

    fn on_epoch_end(&mut self, logs: &EpochLogs, model: &Sequential) -> Flow {
        self.bar.as_mut().map_or(Flow::Continue, |bar| bar.on_epoch_end(logs, model))
    }
}

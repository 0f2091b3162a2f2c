//! The course of a training run.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use indicatif::ProgressBar;
use slugline::nn::{BatchReport, Callback, EpochLogs, Flow, History, Sequential};

use super::bar::{Bar, Template};
use super::{Console, QUIET, grouped, rough, significant};
use crate::interrupt;

/// One epoch's scores in a line.
pub(crate) struct EpochLine<'a> {
    pub(crate) logs: &'a EpochLogs,
    /// Epochs asked for.
    pub(crate) epochs: usize,
    /// Training samples a second, where that was measured.
    pub(crate) speed: Option<f64>,
    /// Whether it has to do with 80 columns: shorter names, and three decimals.
    pub(crate) narrow: bool,
}

/// Keys of an epoch with their names where there is little room.
const KEYS: [(&str, &str); 6] = [
    ("loss", "loss"),
    ("accuracy", "acc"),
    ("micro_f1", "f1"),
    ("val_loss", "val_loss"),
    ("val_accuracy", "val_acc"),
    ("val_micro_f1", "val_f1"),
];

/// Columns that the longer form needs.
const WIDE: usize = 110;

impl fmt::Display for EpochLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { logs, epochs, speed, narrow } = self;
        let width = epochs.to_string().len();
        let (apart, decimals) = if *narrow { (" ", 3) } else { ("   ", 4) };
        write!(f, "epoch {:>width$}/{epochs}", logs.epoch)?;
        for (key, short) in KEYS {
            if let Some(value) = logs.get(key) {
                let name = if *narrow { short } else { key };
                write!(f, "{apart}{QUIET}{name}{QUIET:#} {value:.decimals$}")?;
            }
        }
        write!(f, "{apart}{QUIET}lr{QUIET:#} {}", significant(logs.learning_rate))?;
        match speed {
            Some(speed) if *narrow && *speed >= 1e4 => {
                write!(f, "{apart}{}k{QUIET}/s{QUIET:#}", significant((speed / 1e3).round()))
            }
            Some(speed) => write!(f, "{apart}{}{QUIET}/s{QUIET:#}", rough(*speed)),
            None => Ok(()),
        }
    }
}

/// The name of the score that a history has beside its loss: `accuracy`, or `micro_f1` where a document
/// may have any number of labels.
pub(crate) fn score_of(history: &History) -> &'static str {
    if history.series("micro_f1").is_some() { "micro_f1" } else { "accuracy" }
}

/// Tells the epochs on standard error, with a bar below them on a terminal, and stops the run where
/// Ctrl-C asked for it.
pub(crate) struct TrainingBar {
    epochs: usize,
    bar: Bar,
    /// The fold that is trained, if it is one: its epochs are not told.
    fold: Option<String>,
    /// Steps made in the epoch that is under way.
    pub(crate) step: usize,
    /// When it began.
    begun: Instant,
    /// Samples trained on in it, by all networks of an ensemble.
    samples: usize,
}

impl TrainingBar {
    pub(crate) fn new(console: Console, epochs: usize) -> Self {
        let bar = Bar::new(console, Template::Message).ticking();
        Self { epochs, bar, fold: None, step: 0, begun: Instant::now(), samples: 0 }
    }

    /// Shows on the same bar that something is chosen, before it shows the training.
    pub(crate) fn choosing(&self) -> Choosing {
        let fold = self.fold.clone().unwrap_or_default();
        Choosing { bar: self.bar.drawn().cloned(), fold, steps: AtomicU64::new(0) }
    }

    /// A bar for one fold of several, without a line an epoch.
    pub(crate) fn of_fold(console: Console, epochs: usize, fold: u32, folds: u32) -> Self {
        let mut bar = Self::new(console, epochs);
        bar.fold = Some(format!("fold {}/{folds}  ", fold + 1));
        bar
    }
}

/// The course of the trainings by which is chosen, which run side by side and whose steps nobody knows
/// the number of beforehand.
pub(crate) struct Choosing {
    bar: Option<ProgressBar>,
    fold: String,
    steps: AtomicU64,
}

impl Choosing {
    /// One more step is made; those of the training itself are counted by its own bar, which has a
    /// length.
    pub(crate) fn step(&self) {
        let Some(bar) = self.bar.as_ref().filter(|bar| bar.length().is_none()) else { return };
        let steps = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        bar.set_message(format!("{}choosing, step {}", self.fold, grouped(steps)));
    }
}

impl Callback for TrainingBar {
    fn on_epoch_begin(&mut self, _epoch: usize) {
        (self.begun, self.samples) = (Instant::now(), 0);
    }

    fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
        (self.step, self.epochs) = (report.step, report.epochs);
        self.samples += report.samples;
        if let Some(bar) = self.bar.drawn() {
            if bar.length().is_none() {
                // The time that choosing took says nothing of the time that is left.
                self.bar.set_template(Template::Steps);
                bar.reset();
            }
            bar.set_length((report.epochs * report.steps) as u64);
            bar.set_position(((report.epoch - 1) * report.steps + report.step) as u64);
            let fold = self.fold.as_deref().unwrap_or_default();
            bar.set_message(format!(
                "{fold}epoch {}/{}  loss {:.4}",
                report.epoch, report.epochs, report.loss
            ));
        }
        if interrupt::asked() { Flow::Stop } else { Flow::Continue }
    }

    fn on_epoch_end(&mut self, logs: &EpochLogs, _model: &Sequential) -> Flow {
        self.step = 0;
        if self.fold.is_some() {
            return Flow::Continue;
        }
        let speed = Some(self.samples as f64 / self.begun.elapsed().as_secs_f64());
        let speed = speed.filter(|speed| speed.is_finite());
        let narrow = Console::columns().is_some_and(|columns| columns < WIDE);
        self.bar.note(EpochLine { logs, epochs: self.epochs, speed, narrow });
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slugline::nn::Scores;

    #[test]
    fn an_epoch_is_one_line() {
        let scores = |loss| Scores { loss, metrics: vec![("accuracy".into(), 0.5)] };
        let logs = EpochLogs { epoch: 3, train: scores(1.0), validation: None, learning_rate: 0.1 };
        let line_of = |logs: &EpochLogs, speed, narrow| {
            let line = EpochLine { logs, epochs: 20, speed, narrow }.to_string();
            anstream::adapter::strip_str(&line).to_string()
        };
        let line = |logs: &EpochLogs, speed| line_of(logs, speed, false);
        assert_eq!(line(&logs, None), "epoch  3/20   loss 1.0000   accuracy 0.5000   lr 0.1");
        let validated = EpochLogs { validation: Some(scores(2.0)), ..logs };
        assert_eq!(
            line(&validated, Some(41_249.0)),
            "epoch  3/20   loss 1.0000   accuracy 0.5000   val_loss 2.0000   val_accuracy 0.5000   \
             lr 0.1   41,200/s"
        );
        let narrow = line_of(&validated, Some(141_249.0), true);
        assert_eq!(
            narrow,
            "epoch  3/20 loss 1.000 acc 0.500 val_loss 2.000 val_acc 0.500 lr 0.1 141k/s"
        );
        let slow = line_of(&validated, Some(432.1), true);
        assert!(slow.ends_with(" lr 0.1 432/s"), "{slow}");
    }
}

//! Settings that are tried, and the trainings by which they are judged.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::metric::{Metric, Scores};
use super::space::Settings;
use crate::classifier::{Spread, TrainingOptions};
use crate::evaluation::Calibration;
use crate::hex::hex;

/// What a training may use: a part of the documents, and the fold that it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Share of the documents outside the fold that it is trained on, of every class.
    pub share: f64,
    /// Which division into folds, counted from 0; each has a seed of its own.
    pub repeat: u32,
    /// The fold held out, counted from 0.
    pub fold: u32,
}

/// How a training ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    /// To its end.
    Done {
        /// Its scores on the held-out documents.
        scores: Scores,
        /// What calibrates it, by the held-out documents.
        calibration: Calibration,
        /// Features that it had.
        features: usize,
        /// Weights and biases.
        parameters: usize,
        /// Bytes that it needed by the estimate.
        memory: u64,
    },
    /// Not begun, or not trained, as it needs more memory than there may be.
    Skipped {
        /// Bytes that it needs by the estimate.
        needs: u64,
        /// Bytes that there may be.
        limit: u64,
    },
    /// Impossible: no feature was left, or it diverged.
    Failed {
        /// Why.
        reason: String,
    },
}

/// One training: a line of the trials file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Number of the trial that it belongs to, counted from 0.
    pub trial: usize,
    /// The value of every choice.
    pub settings: Settings,
    /// What it was trained on and held against.
    #[serde(flatten)]
    pub budget: Budget,
    /// Documents that it was trained on.
    pub samples: usize,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took.
    pub seconds: f64,
    /// Fingerprint of settings and budget.
    pub key: String,
}

impl Run {
    /// The scores, if it came to its end.
    pub fn scores(&self) -> Option<&Scores> {
        match &self.outcome {
            Outcome::Done { scores, .. } => Some(scores),
            _ => None,
        }
    }
}

/// Settings that are tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its number, counted from 0.
    pub number: usize,
    /// Whether these are settings of `auto`.
    pub recipe: bool,
    /// The settings.
    pub options: TrainingOptions,
    /// The value of every choice.
    pub settings: Settings,
    /// Its trainings, sorted by share, repeat and fold.
    pub runs: Vec<Run>,
}

impl Trial {
    /// Adds a training at its place.
    pub(super) fn add(&mut self, run: Run) {
        let order = |run: &Run| (run.budget.share, run.budget.repeat, run.budget.fold);
        let at = self.runs.partition_point(|other| order(other) < order(&run));
        self.runs.insert(at, run);
    }

    /// Whether a training with this budget has ended.
    pub(super) fn has(&self, budget: Budget) -> bool {
        self.runs.iter().any(|run| run.budget == budget)
    }

    /// Whether a training of it was skipped or failed.
    pub fn is_out(&self) -> bool {
        self.runs.iter().any(|run| run.scores().is_none())
    }

    /// The scores on these budgets, if all of them are there.
    pub(super) fn scores_on(&self, budgets: &[Budget]) -> Option<Vec<Scores>> {
        let of = |budget: &Budget| {
            let run = self.runs.iter().find(|run| run.budget == *budget)?;
            run.scores().copied()
        };
        budgets.iter().map(of).collect()
    }

    /// The scores of the trainings on all documents outside a fold, by repeat and fold.
    pub fn full_scores(&self) -> Vec<Scores> {
        let full = self.runs.iter().filter(|run| run.budget.share == 1.0);
        full.filter_map(Run::scores).copied().collect()
    }

    /// Mean and spread of a score over the trainings on all documents outside a fold.
    pub fn spread(&self, metric: Metric) -> Spread {
        let values: Vec<f64> = self.full_scores().iter().map(|s| s.get(metric)).collect();
        Spread::of(&values)
    }

    /// The calibration of the first training on all documents outside a fold.
    pub(super) fn calibration(&self) -> Option<&Calibration> {
        let full = self.runs.iter().filter(|run| run.budget.share == 1.0);
        let mut found = full.filter_map(|run| match &run.outcome {
            Outcome::Done { calibration, .. } => Some(calibration),
            _ => None,
        });
        found.next()
    }
}

/// Fingerprint of settings and budget: the same trains the same network on the same documents.
pub(super) fn key(options: &TrainingOptions, budget: Budget) -> String {
    let mut hash = Sha256::new();
    // Plain data without maps: it always has a JSON form, and the same one.
    hash.update(serde_json::to_vec(options).unwrap_or_default());
    hash.update(budget.share.to_bits().to_le_bytes());
    hash.update(budget.repeat.to_le_bytes());
    hash.update(budget.fold.to_le_bytes());
    hex(&hash.finalize()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(share: f64, repeat: u32, fold: u32, accuracy: f64) -> Run {
        let scores = Scores { accuracy, ..Scores::default() };
        Run {
            trial: 0,
            settings: Settings::new(),
            budget: Budget { share, repeat, fold },
            samples: 1,
            outcome: Outcome::Done {
                scores,
                calibration: Calibration::Temperature { temperature: accuracy * 10.0 },
                features: 1,
                parameters: 2,
                memory: 3,
            },
            seconds: 0.1,
            key: String::new(),
        }
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let skipped = Outcome::Skipped { needs: 5, limit: 4 };
        for run in [run(1.0 / 3.0, 0, 1, 0.1), Run { outcome: skipped, ..run(1.0, 0, 1, 0.0) }] {
            let line = serde_json::to_string(&run).unwrap();
            assert_eq!(serde_json::from_str::<Run>(&line).unwrap(), run, "{line}");
        }
    }

    #[test]
    fn runs_stand_in_one_order_and_only_full_ones_count() {
        let options = TrainingOptions::default();
        let settings = Settings::new();
        let mut trial = Trial { number: 0, recipe: false, options, settings, runs: Vec::new() };
        for (share, repeat, fold, accuracy) in
            [(1.0, 1, 0, 0.4), (1.0, 0, 1, 0.2), (0.5, 0, 0, 0.9), (1.0, 0, 0, 0.1)]
        {
            trial.add(run(share, repeat, fold, accuracy));
        }
        let full: Vec<f64> = trial.full_scores().iter().map(|s| s.accuracy).collect();
        assert_eq!(full, [0.1, 0.2, 0.4]);
        assert_eq!(trial.calibration(), Some(&Calibration::Temperature { temperature: 1.0 }));
        assert!(!trial.is_out());
        let budget = Budget { share: 1.0, repeat: 0, fold: 2 };
        assert!(trial.scores_on(&[budget]).is_none() && !trial.has(budget));
    }

    #[test]
    fn a_key_tells_settings_and_budgets_apart() {
        let (options, budget) =
            (TrainingOptions::default(), Budget { share: 1.0, repeat: 0, fold: 0 });
        let other = TrainingOptions { epochs: 3, ..options.clone() };
        let keys = [
            key(&options, budget),
            key(&other, budget),
            key(&options, Budget { fold: 1, ..budget }),
            key(&options, Budget { share: 0.5, ..budget }),
        ];
        assert!(keys.iter().enumerate().all(|(i, a)| keys[..i].iter().all(|b| a != b)));
        // Threads make no difference to a model.
        assert_eq!(key(&TrainingOptions { threads: 7, ..options }, budget), keys[0]);
    }
}

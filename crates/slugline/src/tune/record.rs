//! What a search leaves behind: in the model, and for who asked for it.

use serde::{Deserialize, Serialize};

use super::metric::{Metric, Scores};
use super::space::Settings;
use super::trial::Trial;
use crate::classifier::{Classifier, Spread};

/// The search that found a model's settings. Holds no time: the same trials make the same record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuneRecord {
    /// What was made good.
    pub metric: Metric,
    /// Folds of a division.
    pub folds: u32,
    /// Settings tried in all.
    pub tried: usize,
    /// Documents that were searched on.
    pub samples: usize,
    /// Those that were judged on all folds, the best first.
    pub trials: Vec<TrialRecord>,
    /// Number of the trial chosen.
    pub chosen: usize,
}

/// Settings that were judged on all folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialRecord {
    /// Number of the trial.
    pub trial: usize,
    /// Whether these are settings of `auto`.
    pub recipe: bool,
    /// The value of every choice.
    pub settings: Settings,
    /// Mean scores over the trainings on all documents outside a fold.
    pub scores: Scores,
    /// Mean and spread of the metric over the same.
    pub metric: Spread,
    /// Number of these trainings.
    pub trainings: usize,
}

impl TrialRecord {
    pub(super) fn of(trial: &Trial, metric: Metric) -> Self {
        let full = trial.full_scores();
        Self {
            trial: trial.number,
            recipe: trial.recipe,
            settings: trial.settings.clone(),
            scores: Scores::mean(&full),
            metric: trial.spread(metric),
            trainings: full.len(),
        }
    }
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// So many trials as were asked for.
    Trials,
    /// The time was up.
    Time,
    /// Somebody asked to stop.
    Interrupted,
}

/// What a search found.
#[derive(Debug)]
pub struct Tuned {
    /// The classifier with the best settings, trained on all documents.
    pub classifier: Classifier,
    /// Every trial, by number.
    pub trials: Vec<Trial>,
    /// Number of the best one.
    pub chosen: usize,
    /// Number of the best one of those of `auto`.
    pub auto: usize,
    /// Trainings by which these two were compared: those on all documents outside a fold that both
    /// have.
    pub compared_by: usize,
    /// Why the search ended.
    pub stopped: Stopped,
    /// Trainings that the trials file already held.
    pub known: usize,
}

impl Tuned {
    /// Mean and spread of a score of a trial over the trainings by which the best was chosen.
    pub fn compared(&self, trial: usize, metric: Metric) -> Spread {
        let scores = self.trials.get(trial).map(Trial::full_scores).unwrap_or_default();
        let values = scores.iter().take(self.compared_by).map(|scores| scores.get(metric));
        Spread::of(&values.collect::<Vec<f64>>())
    }

    /// The trials that have scores, those judged by more trainings first, of these the better ones
    /// first.
    pub fn ranking(&self, metric: Metric) -> Vec<&Trial> {
        rank(&self.trials, metric, self.chosen)
    }
}

/// The chosen trial first; then the trials with more trainings on all documents outside a fold, of
/// these the better ones.
pub(super) fn rank(trials: &[Trial], metric: Metric, chosen: usize) -> Vec<&Trial> {
    let mut all: Vec<&Trial> = trials.iter().filter(|t| !t.full_scores().is_empty()).collect();
    all.sort_by(|a, b| {
        let trainings = |trial: &Trial| trial.full_scores().len();
        let (spread_a, spread_b) = (a.spread(metric), b.spread(metric));
        (b.number == chosen)
            .cmp(&(a.number == chosen))
            .then(trainings(b).cmp(&trainings(a)))
            .then(metric.order(spread_b.mean, spread_a.mean))
            .then(a.number.cmp(&b.number))
    });
    all
}

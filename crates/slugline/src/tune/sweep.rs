//! Plain grids: every point trained with several seeds.

use serde::Serialize;

use super::TuneError;
use super::metric::Metric;
use crate::classifier::{Classifier, Spread};
use crate::nn::{History, StopReason};

/// A point of a grid: the value of each setting that is swept, as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GridPoint {
    /// Name and value, in the order of the sweeps.
    pub settings: Vec<(String, String)>,
}

/// Every combination of the values of some settings; the last setting changes fastest.
///
/// ```
/// use slugline::tune::grid;
///
/// let of = |name: &str, values: &[&str]| {
///     (name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
/// };
/// let points = grid(&[of("hidden", &["4", "64"]), of("dropout", &["0", "0.5"])]);
/// assert_eq!(points.len(), 4);
/// assert_eq!(points[1].settings[1], ("dropout".to_owned(), "0.5".to_owned()));
/// ```
pub fn grid(sweeps: &[(String, Vec<String>)]) -> Vec<GridPoint> {
    let mut points = vec![GridPoint { settings: Vec::new() }];
    for (name, values) in sweeps {
        points = points
            .iter()
            .flat_map(|point| {
                values.iter().map(|value| {
                    let mut settings = point.settings.clone();
                    settings.push((name.clone(), value.clone()));
                    GridPoint { settings }
                })
            })
            .collect();
    }
    points
}

/// One training of a point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepRun {
    /// Its seed.
    pub seed: u64,
    /// The highest validation accuracy of an epoch; none of documents with any number of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_accuracy: Option<f64>,
    /// The highest validation micro F1 of an epoch, of documents with any number of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_micro_f1: Option<f64>,
    /// The lowest validation loss of an epoch.
    pub val_loss: f64,
    /// The epoch with the lowest validation loss, counted from 1.
    pub best_epoch: usize,
    /// How long it took.
    pub seconds: f64,
}

impl SweepRun {
    /// The accuracy, or the loss for [`Metric::LogLoss`], of documents with any number of labels the micro
    /// F1.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::LogLoss => self.val_loss,
            _ => self.val_accuracy.or(self.val_micro_f1).unwrap_or_default(),
        }
    }
}

/// What the trainings of a point reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointScores {
    /// The point.
    #[serde(flatten)]
    pub point: GridPoint,
    /// Weights and biases.
    pub parameters: usize,
    /// The highest validation accuracy of an epoch; none of documents with any number of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_accuracy: Option<Spread>,
    /// The highest validation micro F1 of an epoch, of documents with any number of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_micro_f1: Option<Spread>,
    /// The lowest validation loss of an epoch.
    pub val_loss: Spread,
    /// The epoch with the lowest validation loss.
    pub best_epoch: Spread,
    /// How long a training took.
    pub seconds: Spread,
    /// The trainings, one a seed.
    pub runs: Vec<SweepRun>,
}

impl PointScores {
    fn new(point: GridPoint, parameters: usize, runs: Vec<SweepRun>) -> Self {
        let spread =
            |of: fn(&SweepRun) -> f64| Spread::of(&runs.iter().map(of).collect::<Vec<_>>());
        let optional = |of: fn(&SweepRun) -> Option<f64>| {
            let all: Option<Vec<f64>> = runs.iter().map(of).collect();
            all.filter(|all| !all.is_empty()).map(|all| Spread::of(&all))
        };
        Self {
            point,
            parameters,
            val_accuracy: optional(|run| run.val_accuracy),
            val_micro_f1: optional(|run| run.val_micro_f1),
            val_loss: spread(|run| run.val_loss),
            best_epoch: spread(|run| run.best_epoch as f64),
            seconds: spread(|run| run.seconds),
            runs,
        }
    }

    /// Mean and spread of the validation accuracy or micro F1, whichever is measured.
    pub fn score(&self) -> Spread {
        self.val_accuracy.or(self.val_micro_f1).unwrap_or_default()
    }

    /// Mean and spread of the score, or of the loss for [`Metric::LogLoss`].
    pub fn get(&self, metric: Metric) -> Spread {
        match metric {
            Metric::LogLoss => self.val_loss,
            _ => self.score(),
        }
    }
}

/// Trains every point with every seed, in order, and gives their scores.
///
/// `train` is to train a point with a seed and to say how long that took, in seconds; it needs documents
/// held out. A training that was interrupted ends the sweep, and the points before it are given.
/// `each` sees every point with the classifiers of its seeds as soon as they are trained.
///
/// # Errors
/// What `train` gives; [`TuneError::Setting`] for a training without validation.
pub fn sweep<E: From<TuneError>>(
    points: &[GridPoint],
    seeds: &[u64],
    train: &mut dyn FnMut(usize, u64) -> Result<(Classifier, f64), E>,
    each: &mut dyn FnMut(&PointScores, Vec<Classifier>),
) -> Result<Vec<PointScores>, E> {
    let mut all = Vec::new();
    for (number, point) in points.iter().enumerate() {
        let (mut runs, mut classifiers) = (Vec::new(), Vec::new());
        for &seed in seeds {
            let (classifier, seconds) = train(number, seed)?;
            let history = &classifier.record().history;
            if history.stop_reason == StopReason::Interrupted {
                return Ok(all);
            }
            let scores = run(history, seed, seconds);
            runs.push(scores.ok_or_else(|| TuneError::Setting {
                name: "validation",
                value: "none".into(),
                expected: "documents held out, by which points are compared",
            })?);
            classifiers.push(classifier);
        }
        let parameters = classifiers.first().map_or(0, |c| c.network().parameter_count());
        let scores = PointScores::new(point.clone(), parameters, runs);
        each(&scores, classifiers);
        all.push(scores);
    }
    Ok(all)
}

/// The best validation scores of a training; `None` where nothing was validated.
fn run(history: &History, seed: u64, seconds: f64) -> Option<SweepRun> {
    let best = |key: &str| {
        let epoch = history.best_epoch(key)?;
        Some((epoch, history.epochs.get(epoch - 1)?.get(key)?))
    };
    let value = |key: &str| best(key).map(|(_, value)| value);
    let (val_accuracy, val_micro_f1) = (value("val_accuracy"), value("val_micro_f1"));
    let (best_epoch, val_loss) = best("val_loss")?;
    Some(SweepRun { seed, val_accuracy, val_micro_f1, val_loss, best_epoch, seconds })
}

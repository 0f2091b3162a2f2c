//! A search for better settings than those of the recipe that chooses by itself, and plain grids.
//!
//! [`tune`] is random search with successive halving (Jamieson & Talwalkar 2016, "Non-stochastic Best
//! Arm Identification and Hyperparameter Optimization"; Li et al. 2018, "Hyperband"). A trial is a set
//! of settings near to those of [`Classifier::train_auto`](crate::classifier::Classifier::train_auto):
//! each choice (kinds of features and their weights, weighting of terms, hidden units, dropout, label
//! smoothing, class weight, learning rate, epochs, batch size) is left or drawn anew with even odds.
//! Trials come in batches of 16 and climb levels; on each, the best third of all that reached it goes
//! on to the next:
//!
//! 1. trained on a third of the documents outside the first fold (where that are 2,000 or more),
//! 2. trained on all documents outside the first fold,
//! 3. trained once outside of each fold: cross-validation, so that every document has judged.
//!
//! The best of many scores is in part luck. So the three best trials and the best settings of `auto`
//! are cross-validated once more, on another division into folds and with other starting weights, and
//! the best mean over both wins. The settings of `auto` are always among the trials: what is chosen
//! has at least their score. Even so the winner's score is a little too good, being a maximum;
//! only documents that the search has never seen tell how good the model is.
//!
//! The best settings are then trained on all documents, with fewer epochs in the measure in which `auto`
//! takes fewer, and calibrated as they were by the documents of the first fold. Of more than 60,000 documents, so many are drawn to search on, and
//! 12,000 stay out of the last training to calibrate by.
//!
//! Every training is written to the trials file when it ends. A search that was cut short goes on
//! from there: with a number of trials the outcome is the same as if it had not been cut, and the same
//! for any number of threads. A time ends a search at another point each time; what it has tried by
//! then begins as every other search with that seed does. Both hold for one machine's memory limit: a
//! training that needs more memory than there may be is skipped, and settings whose last training
//! would need more are not chosen, unless they are those of `auto`.
//!
//! [`sweep`] trains every point of a grid with several seeds.

mod judge;
mod ledger;
mod memory;
mod metric;
mod record;
mod search;
mod space;
mod sweep;
mod trial;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use judge::{Judge, Terms};
use ledger::{Head, Ledger};
use search::Search;
use space::for_samples;

use crate::checkpoint::Part;
use crate::classifier::auto::to_finish_by;
use crate::classifier::documents::{Prepared, check_enough};
use crate::classifier::recipe::{MANY, analyzer, candidates, usual_epochs};
use crate::classifier::{AutoOptions, Classifier, ClassifierError, TrainingOptions};
use crate::corpus::{Content, Documents};
use crate::nn::{Callback, MAX_THREADS, NnError, with_threads};

pub use ledger::TrialsFileError;
pub use memory::default_memory;
pub use metric::{Metric, Scores};
pub use record::{Stopped, TrialRecord, TuneRecord, Tuned};
pub use space::Settings;
pub use sweep::{GridPoint, PointScores, SweepRun, grid, sweep};
pub use trial::{Budget, Outcome, Run, Trial};

/// What a search goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct TuneOptions {
    /// What is made good. Default accuracy.
    pub metric: Metric,
    /// Trials, the two settings of `auto` counted; `None`, the default, for as many as there
    /// is time for.
    pub trials: Option<usize>,
    /// How long it may take, the last training included; it takes longer where not even the settings
    /// of `auto` can be judged in time. `None`, the default, for no limit.
    pub time: Option<Duration>,
    /// Folds of a division, at least 2. Default 5.
    pub folds: u32,
    /// Settles folds, trials, weights, order and dropout. Default 0.
    pub seed: u64,
    /// Trainings at a time, 0 for one a core. The result does not depend on it.
    pub threads: usize,
    /// Bytes that the trainings under way may take together, beside documents and tokens; `None`, the default, for
    /// [`default_memory`].
    pub memory: Option<u64>,
    /// Where finished trainings are written, and taken from if it exists. Default nowhere.
    pub trials_file: Option<PathBuf>,
}

impl Default for TuneOptions {
    fn default() -> Self {
        Self {
            metric: Metric::Accuracy,
            trials: None,
            time: None,
            folds: 5,
            seed: 0,
            threads: 0,
            memory: None,
            trials_file: None,
        }
    }
}

/// What happens in a search. Told on the thread on which it happens.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum TuneEvent<'a> {
    /// The trials file is open.
    Opened {
        /// Trainings that it holds.
        known: usize,
        /// Whether its last line was torn and has been taken off.
        torn: bool,
    },
    /// A training has ended.
    Run(&'a Run),
    /// A training was taken from the trials file.
    Known(&'a Run),
    /// A batch of trials has been judged.
    Batch {
        /// Trials so far.
        trials: usize,
        /// The best of those judged on all folds.
        best: Option<&'a Trial>,
    },
    /// The best are judged a second time.
    Finals {
        /// How many.
        trials: usize,
    },
    /// The best settings are trained on all documents.
    Last(&'a Trial),
}

/// Why a search found nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The documents cannot be trained on, or the last training failed.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// The trials file cannot be used.
    #[error(transparent)]
    TrialsFile(TrialsFileError),
    /// A setting out of range.
    #[error("{name} is {value}: expected {expected}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Not even the settings of `auto` fit into the memory.
    #[error(
        "one training needs about {needs} bytes of memory, and {limit} is the limit; raise it, or give \
         fewer documents"
    )]
    Memory {
        /// Bytes needed.
        needs: u64,
        /// Bytes that there may be.
        limit: u64,
    },
    /// Lists of features, of which there is nothing to choose.
    #[error(
        "the documents are lists of features, and a search chooses features of texts; give texts"
    )]
    Features,
    /// None of the settings of `auto` could be trained.
    #[error("none of the settings that the search begins with can be trained: {reason}")]
    Nothing {
        /// Why the first one could not.
        reason: String,
    },
    /// The search was stopped before anything was judged.
    #[error("stopped before any settings were judged")]
    Interrupted,
}

impl TuneOptions {
    fn check(&self) -> Result<(), TuneError> {
        let bad = |name, value: String, expected| Err(TuneError::Setting { name, value, expected });
        if !(2..=100).contains(&self.folds) {
            return bad("folds", self.folds.to_string(), "from 2 to 100");
        }
        if self.trials == Some(0) {
            return bad("trials", "0".into(), "at least 1");
        }
        if self.threads > MAX_THREADS {
            return bad("threads", self.threads.to_string(), "at most 1024");
        }
        Ok(())
    }

    /// The number of trainings at a time.
    fn workers(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }
}

/// Searches for settings and trains a classifier with the best; how is told [above](self). `name` is
/// what records call the documents.
///
/// With neither [`TuneOptions::trials`] nor [`TuneOptions::time`] it goes on until `stop` says so.
/// `stop` is asked at every step of a training, on several threads; a search that is stopped still
/// trains the best settings so far. `tell` hears what happens, `callbacks` watch the last training.
///
/// ```
/// use slugline::corpus::Documents;
/// use slugline::tune::{TuneOptions, tune};
///
/// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
/// for i in 0..20 {
///     documents.push(&format!("wheat and corn fell {i}"), 0);
///     documents.push(&format!("gold and silver rose {i}"), 1);
/// }
/// let options = TuneOptions { trials: Some(4), folds: 2, ..Default::default() };
/// let tuned = tune(&documents, "news", &options, &|| false, &|_| {}, &mut [])?;
/// assert_eq!(tuned.trials.len(), 4);
/// assert_eq!(tuned.classifier.predict("corn prices").label, "grain");
/// # Ok::<(), slugline::tune::TuneError>(())
/// ```
///
/// # Errors
/// [`TuneError::Setting`] for options out of range; [`TuneError::Features`] for documents without
/// text; [`TuneError::Classifier`] for documents of fewer than two classes, or fewer than two of every
/// class;
/// [`TuneError::TrialsFile`] for a file of another search, one that is broken, or one that cannot be
/// written; [`TuneError::Memory`], [`TuneError::Nothing`] and [`TuneError::Interrupted`] if nothing
/// could be judged.
pub fn tune(
    documents: &Documents,
    name: &str,
    options: &TuneOptions,
    stop: &(dyn Fn() -> bool + Sync),
    tell: &(dyn Fn(TuneEvent<'_>) + Sync),
    callbacks: &mut [&mut dyn Callback],
) -> Result<Tuned, TuneError> {
    let start = Instant::now();
    options.check()?;
    if documents.content() == Content::Features {
        return Err(TuneError::Features);
    }
    check_enough(documents)?;
    let all_labels = documents.labels();
    let n = documents.len();
    // What is best for many is found on some of them.
    let searched: Cow<'_, Documents> = if n > MANY {
        let share = MANY as f64 / n as f64;
        Cow::Owned(documents.select(&all_labels.split(share, options.seed).1))
    } else {
        Cow::Borrowed(documents)
    };
    let labels = searched.labels();
    let ledger = match &options.trials_file {
        None => Ledger::none(),
        Some(path) => Ledger::open(path, &head(documents, name, options))?,
    };
    let known = ledger.len();
    tell(TuneEvent::Opened { known, torn: ledger.torn });
    let judge = Judge::new(Terms {
        documents: &searched,
        labels,
        name,
        folds: options.folds,
        seed: options.seed,
        threads: options.workers(),
        memory: options.memory.unwrap_or_else(default_memory),
        ledger,
        stop,
        tell,
    });
    let mean_tokens = with_threads(options.threads, || judge.mean_tokens(&analyzer()));
    let mean_tokens = mean_tokens.map_err(ClassifierError::from)?;
    let samples = searched.len() - searched.len() / options.folds as usize;
    let auto = AutoOptions { seed: options.seed, ..AutoOptions::default() };
    let classes = documents.class_names().len();
    let recipes = candidates(n, samples, classes, mean_tokens, auto, labels.kind());
    let growth = n as f64 / searched.len().max(1) as f64;
    let found = Search::new(options, &judge, recipes, samples, growth).run(start)?;
    drop(judge);

    let chosen = &found.trials[found.chosen];
    tell(TuneEvent::Last(chosen));
    let trials = record::rank(&found.trials, options.metric, found.chosen)
        .into_iter()
        .filter(|t| t.full_scores().len() >= options.folds as usize || t.number == found.chosen)
        .map(|trial| TrialRecord::of(trial, options.metric))
        .collect();
    let record = TuneRecord {
        metric: options.metric,
        folds: options.folds,
        tried: found.trials.len(),
        samples: searched.len(),
        trials,
        chosen: found.chosen,
    };
    let last = Last { documents, name, samples, chosen };
    let classifier = with_threads(options.threads, || last.train(options.seed, callbacks))
        .map_err(ClassifierError::from)??;
    Ok(Tuned {
        classifier: classifier.with_search(record),
        trials: found.trials,
        chosen: found.chosen,
        auto: found.auto,
        compared_by: found.compared_by,
        stopped: found.stopped,
        known,
    })
}

/// The first line of a trials file.
fn head(documents: &Documents, name: &str, options: &TuneOptions) -> Head {
    Head {
        slugline_trials: 1,
        slugline_version: env!("CARGO_PKG_VERSION").to_owned(),
        data: name.to_owned(),
        fingerprint: documents.fingerprint(),
        documents: documents.len(),
        folds: options.folds,
        seed: options.seed,
    }
}

/// The last training.
struct Last<'a> {
    documents: &'a Documents,
    name: &'a str,
    /// Documents that trials were trained on.
    samples: usize,
    chosen: &'a Trial,
}

impl Last<'_> {
    /// Trains the settings chosen on all documents, or of many on all but a few that calibrate.
    fn train(
        &self,
        seed: u64,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Classifier, ClassifierError> {
        let auto = AutoOptions { seed, ..AutoOptions::default() };
        let division = to_finish_by(self.documents.labels(), auto)?;
        let train = division.train.len();
        let mut options = TrainingOptions { seed, ..self.chosen.options.clone() };
        // Of more documents each is seen less often, as `auto` does it.
        let classes = self.documents.class_names().len();
        let [before, now] = [self.samples, train].map(|n| usual_epochs(n, classes));
        options.epochs = (options.epochs * now).div_ceil(before).max(1);
        let options = for_samples(&options, train);
        let features = options.vectorizer.clone().unwrap_or_default();
        let prepared = Prepared::new(self.documents, &features.analyzer);
        let rows = prepared.rows(&division, &features)?;
        let (classifier, _) =
            prepared.train(&Part::none(), &rows, &options, self.name, callbacks)?;
        Ok(match self.chosen.calibration() {
            Some(calibration) if division.held_out.is_empty() => {
                classifier.with_calibration(calibration.clone())
            }
            _ => classifier,
        })
    }
}

impl From<NnError> for TuneError {
    fn from(error: NnError) -> Self {
        Self::Classifier(error.into())
    }
}

#[cfg(test)]
mod tests;

//! Random search with successive halving.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::judge::Judge;
use super::metric::Metric;
use super::space::{Choice, choices, for_samples, settings_of, vary};
use super::trial::{Budget, Trial, key};
use super::{Stopped, TuneError, TuneEvent, TuneOptions};
use crate::classifier::TrainingOptions;

/// Of so many trials on a level one goes on to the next.
const KEPT: usize = 3;

/// Trials that are drawn at a time: what one batch has shown decides with which of it the search goes on.
const BATCH: usize = 16;

/// The first level trains on a part of the documents where that part has at least so many.
const LEAST_PART: usize = 2_000;

/// Trials that are judged a second time at the end, beside the best settings of `auto`.
const FINALISTS: usize = 3;

/// Purpose of the stream of random numbers that trials are drawn from.
const STREAM: u64 = 7;

/// Draws of a trial that was there before, after which no new one is looked for.
const ATTEMPTS: usize = 1_000;

/// What a level judges by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// A third of the documents outside the first fold.
    Part,
    /// All documents outside the first fold.
    Fold,
    /// All folds.
    Folds,
    /// All folds of another division.
    Again,
}

impl Level {
    /// The trainings by which a trial is judged on it, those of earlier levels included that count.
    fn budgets(self, folds: u32) -> Vec<Budget> {
        let full = |repeat| (0..folds).map(move |fold| Budget { share: 1.0, repeat, fold });
        match self {
            Self::Part => vec![Budget { share: 1.0 / KEPT as f64, repeat: 0, fold: 0 }],
            Self::Fold => full(0).take(1).collect(),
            Self::Folds => full(0).collect(),
            Self::Again => full(0).chain(full(1)).collect(),
        }
    }
}

/// Until when trials are judged on each level.
#[derive(Debug, Clone, Copy, Default)]
struct Deadlines {
    part: Option<Instant>,
    fold: Option<Instant>,
    folds: Option<Instant>,
    again: Option<Instant>,
}

/// A search under way.
pub(super) struct Search<'a, 'd> {
    options: &'a TuneOptions,
    judge: &'a Judge<'d>,
    choices: Vec<Choice>,
    /// What trials are drawn near to: the settings of `auto`.
    recipes: Vec<TrainingOptions>,
    /// Documents outside a fold.
    samples: usize,
    /// Times as many documents as in the search that the last training has.
    growth: f64,
    trials: Vec<Trial>,
    drawn: HashSet<String>,
}

/// What a search found.
pub(super) struct Found {
    pub(super) trials: Vec<Trial>,
    /// The best one.
    pub(super) chosen: usize,
    /// The best one of those of `auto`.
    pub(super) auto: usize,
    /// Number of trainings that chosen and rivals were compared by.
    pub(super) compared_by: usize,
    pub(super) stopped: Stopped,
}

impl<'a, 'd> Search<'a, 'd> {
    pub(super) fn new(
        options: &'a TuneOptions,
        judge: &'a Judge<'d>,
        recipes: Vec<TrainingOptions>,
        samples: usize,
        growth: f64,
    ) -> Self {
        let choices = recipes.first().map(choices).unwrap_or_default();
        let (trials, drawn) = (Vec::new(), HashSet::new());
        let mut search = Self { options, judge, choices, recipes, samples, growth, trials, drawn };
        for recipe in search.recipes.clone() {
            search.push(recipe, true);
        }
        search
    }

    fn push(&mut self, options: TrainingOptions, recipe: bool) -> bool {
        // What differs in nothing but the length of a schedule is the same.
        let whole = Budget { share: 1.0, repeat: 0, fold: 0 };
        let new = self.drawn.insert(key(&for_samples(&options, self.samples), whole));
        if new {
            let settings = settings_of(&self.choices, &options);
            let number = self.trials.len();
            self.trials.push(Trial { number, recipe, options, settings, runs: Vec::new() });
        }
        new
    }

    /// Draws trials up to this number; they depend on the seed and their numbers alone.
    fn draw(&mut self, total: usize) -> bool {
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        while self.trials.len() < total {
            random.set_stream(STREAM << 48 | self.trials.len() as u64);
            random.set_word_pos(0);
            let new = (0..ATTEMPTS).any(|_| {
                let mut draw =
                    |n: usize| ((u64::from(random.next_u32()) * n as u64) >> 32) as usize;
                let recipe = draw(self.recipes.len());
                let options = vary(&self.choices, &self.recipes[recipe], &mut draw);
                self.push(options, false)
            });
            if !new {
                return false;
            }
        }
        true
    }

    /// Judges trials on a level; gives whether all have been.
    fn judge(
        &mut self,
        who: &[usize],
        level: Level,
        until: Option<Instant>,
    ) -> Result<bool, TuneError> {
        let budgets = level.budgets(self.options.folds);
        let tasks: Vec<(usize, Budget)> =
            who.iter().flat_map(|&trial| budgets.iter().map(move |&b| (trial, b))).collect();
        self.judge.judge(&mut self.trials, &tasks, until)
    }

    /// The mean score of a trial on a level, if it has been judged there.
    fn score(&self, trial: usize, level: Level) -> Option<f64> {
        let scores = self.trials[trial].scores_on(&level.budgets(self.options.folds))?;
        Some(mean(&scores.iter().map(|s| s.get(self.options.metric)).collect::<Vec<_>>()))
    }

    /// The trials judged on a level, the best first, of equals the earlier one.
    fn ranking(&self, level: Level) -> Vec<usize> {
        let mut all: Vec<(usize, f64)> = (0..self.trials.len())
            .filter(|&trial| !self.trials[trial].is_out())
            .filter_map(|trial| Some((trial, self.score(trial, level)?)))
            .collect();
        let metric: Metric = self.options.metric;
        all.sort_by(|a, b| metric.order(b.1, a.1).then(a.0.cmp(&b.0)));
        all.into_iter().map(|(trial, _)| trial).collect()
    }

    /// The best third of all that have been judged on a level.
    fn promoted(&self, level: Level) -> Vec<usize> {
        let mut ranking = self.ranking(level);
        ranking.truncate(ranking.len().div_ceil(KEPT));
        ranking
    }

    /// The best settings of `auto` on the highest level that one of them has reached.
    fn best_recipe(&self) -> Option<usize> {
        [Level::Folds, Level::Fold].into_iter().find_map(|level| {
            let ranking = self.ranking(level);
            ranking.into_iter().find(|&trial| self.trials[trial].recipe)
        })
    }

    /// Searches to the end.
    pub(super) fn run(mut self, start: Instant) -> Result<Found, TuneError> {
        let recipes: Vec<usize> = (0..self.trials.len()).collect();
        // Without these there is nothing to compare with: they are judged however little time there is.
        self.judge(&recipes, Level::Fold, None)?;
        let Some(auto) = self.best_recipe() else { return Err(self.nothing()) };
        let deadlines = self.deadlines(start);
        let mut done = self.judge(&[auto], Level::Folds, deadlines.folds)?;
        let most = self.options.trials.unwrap_or(usize::MAX);
        let is_over = |until: Option<Instant>| until.is_some_and(|until| Instant::now() >= until);
        let mut full = false;
        while !full && self.trials.len() < most && !self.judge.is_stopped() {
            if is_over(deadlines.part) {
                done = false;
                break;
            }
            let before = self.trials.len();
            full = !self.draw(before.saturating_add(BATCH).min(most));
            done &= self.batch(before, deadlines)?;
        }
        let level = self.finals(deadlines.again)?;
        let stopped = match (done, self.judge.is_stopped()) {
            (_, true) => Stopped::Interrupted,
            (true, _) => Stopped::Trials,
            (false, _) => Stopped::Time,
        };
        // Trials for which there was no time have not been tried.
        let tried = self.trials.iter().rposition(|trial| !trial.runs.is_empty());
        self.trials.truncate(tried.map_or(0, |last| last + 1));
        // Of many documents the last training may need more than there is; `auto` needs what it needs.
        let fits = |&trial: &usize| {
            let trial = &self.trials[trial];
            trial.recipe || self.judge.fits(trial, self.growth)
        };
        let chosen = self.ranking(level).into_iter().find(fits).unwrap_or(auto);
        let auto = self
            .ranking(level)
            .into_iter()
            .find(|&trial| self.trials[trial].recipe)
            .unwrap_or(auto);
        let compared_by = level.budgets(self.options.folds).len();
        Ok(Found { trials: self.trials, chosen, auto, compared_by, stopped })
    }

    /// Judges the trials from a number on, level by level, each until its time is up; gives whether
    /// all were judged that should have been.
    fn batch(&mut self, from: usize, until: Deadlines) -> Result<bool, TuneError> {
        let mut going_on: Vec<usize> = (from..self.trials.len()).collect();
        let mut done = true;
        if self.samples / KEPT >= LEAST_PART {
            done &= self.judge(&going_on, Level::Part, until.part)?;
            going_on = self.promoted(Level::Part);
        }
        done &= self.judge(&going_on, Level::Fold, until.fold)?;
        let best = self.promoted(Level::Fold);
        done &= self.judge(&best, Level::Folds, until.folds)?;
        let best = self.ranking(Level::Folds).first().copied();
        self.judge.tell(TuneEvent::Batch {
            trials: self.trials.len(),
            best: best.map(|best| &self.trials[best]),
        });
        Ok(done)
    }

    /// Judges the best a second time, on another division, so that the one chosen is not just lucky;
    /// gives the level on which to choose.
    fn finals(&mut self, until: Option<Instant>) -> Result<Level, TuneError> {
        let ranking = self.ranking(Level::Folds);
        // The best of `auto` is judged too: who is chosen is at least as good.
        let recipe = ranking.iter().copied().find(|&trial| self.trials[trial].recipe);
        let Some(recipe) = recipe else { return Ok(Level::Fold) };
        let mut finalists: Vec<usize> = ranking.into_iter().take(FINALISTS).collect();
        if !finalists.contains(&recipe) {
            finalists.push(recipe);
        }
        if finalists.len() == 1 {
            return Ok(Level::Folds);
        }
        if !self.judge.is_stopped() {
            self.judge.tell(TuneEvent::Finals { trials: finalists.len() });
            if self.judge(&finalists, Level::Again, until)? {
                return Ok(Level::Again);
            }
        }
        Ok(Level::Folds)
    }

    /// Until when levels are judged, so that what comes after them is done in time: the time that is
    /// left without the last training is divided among them. A level whose time is up hands the best
    /// of what it has on to the next.
    fn deadlines(&self, start: Instant) -> Deadlines {
        const SHARES: [f64; 4] = [0.45, 0.65, 0.85, 1.0];
        let Some(time) = self.options.time else { return Deadlines::default() };
        let seconds: Vec<f64> =
            self.trials.iter().flat_map(|t| t.runs.iter().map(|run| run.seconds)).collect();
        let folds = f64::from(self.options.folds);
        // The last training is of all documents.
        let last = mean(&seconds) * folds / (folds - 1.0) * self.growth;
        let (gone, total) = (start.elapsed().as_secs_f64(), time.as_secs_f64());
        let left = (total - gone - last).max((total - gone) / 2.0).max(0.0);
        let [part, fold, folds, again] =
            SHARES.map(|share| start.checked_add(Duration::from_secs_f64(gone + share * left)));
        Deadlines { part, fold, folds, again }
    }

    /// Why nothing could be judged.
    fn nothing(&self) -> TuneError {
        use super::Outcome;

        let outcomes: Vec<&Outcome> = self
            .trials
            .iter()
            .flat_map(|trial| trial.runs.iter().map(|run| &run.outcome))
            .collect();
        let needed = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Skipped { needs, limit } => Some((*needs, *limit)),
            _ => None,
        });
        if let Some((needs, limit)) = needed.min() {
            return TuneError::Memory { needs, limit };
        }
        let reason = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Failed { reason } => Some(reason.clone()),
            _ => None,
        });
        reason.map_or(TuneError::Interrupted, |reason| TuneError::Nothing { reason })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

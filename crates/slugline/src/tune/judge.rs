//! Trains and scores settings on a budget, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::ledger::{Ledger, TrialsFileError};
use super::memory::{Memory, TextSize, network};
use super::metric::Scores;
use super::space::for_samples;
use super::trial::{Budget, Outcome, Run, Trial, key};
use super::{TuneError, TuneEvent};
use crate::checkpoint::Part;
use crate::classifier::documents::{Division, Prepared};
use crate::classifier::{ClassifierError, TrainingOptions};
use crate::corpus::{Documents, Labels};
use crate::nn::{BatchReport, Callback, Flow, NnError, StopReason, with_threads};
use crate::text::{AnalyzerOptions, VectorizerOptions};

/// Documents, divided and cut into tokens as trials need them.
pub(super) struct Judge<'a> {
    documents: &'a Documents,
    labels: &'a Labels,
    name: &'a str,
    folds: u32,
    seed: u64,
    threads: usize,
    memory: Memory,
    ledger: Mutex<Ledger>,
    /// Texts under the rules by which they were cut so far.
    prepared: Mutex<Vec<Cut<'a>>>,
    stop: &'a (dyn Fn() -> bool + Sync),
    tell: &'a (dyn Fn(TuneEvent<'_>) + Sync),
}

/// A rule, and the texts cut by it once somebody has done so.
type Cut<'a> = (AnalyzerOptions, Arc<Mutex<Option<Arc<Prepared<'a>>>>>);

/// What a judge is to know.
pub(super) struct Terms<'a> {
    pub(super) documents: &'a Documents,
    pub(super) labels: &'a Labels,
    pub(super) name: &'a str,
    pub(super) folds: u32,
    pub(super) seed: u64,
    pub(super) threads: usize,
    pub(super) memory: u64,
    pub(super) ledger: Ledger,
    pub(super) stop: &'a (dyn Fn() -> bool + Sync),
    pub(super) tell: &'a (dyn Fn(TuneEvent<'_>) + Sync),
}

/// Stops a training when asked to, or when its time is up.
struct Watch<'a> {
    stop: &'a (dyn Fn() -> bool + Sync),
    until: Option<Instant>,
}

impl Watch<'_> {
    fn is_over(&self) -> bool {
        (self.stop)() || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

impl Callback for Watch<'_> {
    fn on_batch_end(&mut self, _: &BatchReport) -> Flow {
        if self.is_over() { Flow::Stop } else { Flow::Continue }
    }
}

impl<'a> Judge<'a> {
    pub(super) fn new(terms: Terms<'a>) -> Self {
        Self {
            documents: terms.documents,
            labels: terms.labels,
            name: terms.name,
            folds: terms.folds,
            seed: terms.seed,
            threads: terms.threads,
            memory: Memory::new(terms.memory),
            ledger: Mutex::new(terms.ledger),
            prepared: Mutex::new(Vec::new()),
            stop: terms.stop,
            tell: terms.tell,
        }
    }

    /// Whether somebody asked to stop.
    pub(super) fn is_stopped(&self) -> bool {
        (self.stop)()
    }

    /// Tells what happened.
    pub(super) fn tell(&self, event: TuneEvent<'_>) {
        (self.tell)(event);
    }

    /// The texts cut by a rule: on first use by who asks first, while others wait for it.
    fn prepared(&self, analyzer: &AnalyzerOptions) -> Arc<Prepared<'a>> {
        let cut = {
            let mut all = lock(&self.prepared);
            let known = all.iter().find(|(rule, _)| rule == analyzer);
            if let Some((_, cut)) = known {
                Arc::clone(cut)
            } else {
                let cut = Arc::default();
                all.push((analyzer.clone(), Arc::clone(&cut)));
                cut
            }
        };
        let mut cut = lock(&cut);
        if let Some(prepared) = &*cut {
            return Arc::clone(prepared);
        }
        let prepared = Arc::new(Prepared::new(self.documents, analyzer));
        *cut = Some(Arc::clone(&prepared));
        prepared
    }

    /// Mean number of tokens of a document.
    pub(super) fn mean_tokens(&self, analyzer: &AnalyzerOptions) -> f64 {
        let tokens = self.prepared(analyzer).tokenised.tokens();
        tokens as f64 / self.documents.len().max(1) as f64
    }

    /// Whether the settings of a trial fit into the memory when they are trained on `growth` times the
    /// documents, by what they needed on these.
    pub(super) fn fits(&self, trial: &Trial, growth: f64) -> bool {
        /// What counting takes beside the rows that stay, and the documents of one fold more.
        const MORE: f64 = 1.5;
        let needed = trial.runs.iter().filter_map(|run| match run.outcome {
            Outcome::Done { memory, .. } if run.budget.share == 1.0 => Some(memory),
            _ => None,
        });
        needed.max().is_none_or(|bytes| bytes as f64 * growth * MORE <= self.memory.limit() as f64)
    }

    /// The documents of a budget.
    fn division(&self, budget: Budget) -> Division {
        let seed = self.seed.wrapping_add(u64::from(budget.repeat));
        let folds = self.labels.folds(self.folds, seed);
        let all: Vec<usize> = (0..self.labels.len()).collect();
        let mut division = Division::by_fold(&all, &folds, budget.fold);
        if budget.share < 1.0 {
            let (_, kept) = self.labels.select(&division.train).split(budget.share, seed);
            division.train = kept.into_iter().map(|at| division.train[at]).collect();
        }
        division
    }

    /// Trains trials on budgets, several at a time, and adds the results to them; what has ended
    /// before is taken from there. Gives whether all have ended: `until` a time, or as long as nobody
    /// asks to stop.
    pub(super) fn judge(
        &self,
        trials: &mut [Trial],
        tasks: &[(usize, Budget)],
        until: Option<Instant>,
    ) -> Result<bool, TuneError> {
        let tasks: Vec<(usize, Budget)> = tasks
            .iter()
            .copied()
            .filter(|&(trial, budget)| !trials[trial].is_out() && !trials[trial].has(budget))
            .collect();
        let next = AtomicUsize::new(0);
        let results: Vec<OnceLock<Result<Run, TuneError>>> =
            tasks.iter().map(|_| OnceLock::new()).collect();
        let work = || {
            let watch = Watch { stop: self.stop, until };
            while !watch.is_over() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(&(trial, budget)) = tasks.get(number) else { break };
                if let Some(result) = self.run(&trials[trial], budget, until).transpose() {
                    let failed = result.is_err();
                    let _ = results[number].set(result);
                    if failed {
                        break;
                    }
                }
            }
        };
        // Threads of their own: those of a pool would take up other trials while they wait within one.
        std::thread::scope(|scope| {
            let extra = self.threads.min(tasks.len()).saturating_sub(1);
            for _ in 0..extra {
                scope.spawn(work);
            }
            work();
        });
        let mut all = true;
        for ((trial, _), result) in tasks.iter().zip(results) {
            match result.into_inner() {
                Some(run) => trials[*trial].add(run?),
                None => all = false,
            }
        }
        Ok(all)
    }

    /// One training, from the trials file or done; `None` if it was stopped.
    fn run(
        &self,
        trial: &Trial,
        budget: Budget,
        until: Option<Instant>,
    ) -> Result<Option<Run>, TuneError> {
        let start = Instant::now();
        let division = self.division(budget);
        let options = TrainingOptions {
            seed: self.seed.wrapping_add(u64::from(budget.repeat)),
            threads: 1,
            ..for_samples(&trial.options, division.train.len())
        };
        let key = key(&options, budget);
        if let Some(known) = lock(&self.ledger).get(&key) {
            // What was too large then may fit now.
            let again = matches!(known.outcome, Outcome::Skipped { .. });
            if !again {
                let run = Run { trial: trial.number, ..known.clone() };
                self.tell(TuneEvent::Known(&run));
                return Ok(Some(run));
            }
        }
        let watch = Watch { stop: self.stop, until };
        let outcome = with_threads(1, || self.outcome(&options, &division, watch))
            .map_err(ClassifierError::from)??;
        let Some(outcome) = outcome else { return Ok(None) };
        let run = Run {
            trial: trial.number,
            settings: trial.settings.clone(),
            budget,
            samples: division.train.len(),
            outcome,
            seconds: start.elapsed().as_secs_f64(),
            key,
        };
        lock(&self.ledger).add(&run)?;
        self.tell(TuneEvent::Run(&run));
        Ok(Some(run))
    }

    /// How a training ends; `None` if it was stopped.
    fn outcome(
        &self,
        options: &TrainingOptions,
        division: &Division,
        mut watch: Watch<'_>,
    ) -> Result<Option<Outcome>, TuneError> {
        let default = VectorizerOptions::default();
        let features = options.vectorizer.as_ref().unwrap_or(&default);
        let prepared = self.prepared(&features.analyzer);
        let (classes, held_out) = (self.documents.class_names().len(), division.held_out.len());

        let share = (division.train.len() + held_out) as f64 / self.documents.len().max(1) as f64;
        let tokens = prepared.tokenised.tokens();
        let size = TextSize {
            tokens: (tokens as f64 * share) as u64,
            distinct: prepared.tokenised.distinct() as u64,
            mean_bytes: self.documents.text_bytes() as f64 / tokens.max(1) as f64,
        };
        let (rows, limit) = (size.rows(features), self.memory.limit());
        if rows > limit {
            return Ok(Some(Outcome::Skipped { needs: rows, limit }));
        }
        let most = network(options, size.most_features(features), classes, held_out);
        let mut part = self.memory.take(rows + most);
        if watch.is_over() {
            return Ok(None);
        }
        let rows = match prepared.rows(division, features) {
            Ok(rows) => rows,
            Err(error @ ClassifierError::Terms(_)) => return Ok(Some(failed(&error))),
            Err(error) => return Err(error.into()),
        };
        // Now that the features are known, so is what the network needs.
        let needs =
            rows.stored() as u64 * 8 + network(options, rows.width() as u64, classes, held_out);
        if needs > limit {
            return Ok(Some(Outcome::Skipped { needs, limit }));
        }
        part.shrink(needs);
        let kept = Part::none();
        let trained = prepared.train(&kept, &rows, options, self.name, &mut [&mut watch]);
        let (classifier, mut probabilities) = match trained {
            Ok(trained) => trained,
            Err(
                error @ (ClassifierError::Diverged { .. }
                | ClassifierError::Network(NnError::Diverged { .. })),
            ) => return Ok(Some(failed(&error))),
            Err(error) => return Err(error.into()),
        };
        if classifier.record().history.stop_reason == StopReason::Interrupted {
            return Ok(None);
        }
        let calibration = classifier.calibration().clone();
        calibration.apply_rows(&mut probabilities);
        let evaluation = classifier.scores(&probabilities, &rows.y_held_out)?;
        Ok(Some(Outcome::Done {
            scores: Scores::of(&evaluation),
            calibration,
            features: rows.width(),
            parameters: classifier.network().parameter_count(),
            memory: needs,
        }))
    }
}

/// What a lock guards; whoever panicked with it left it whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: &ClassifierError) -> Outcome {
    Outcome::Failed { reason: error.to_string() }
}

impl From<TrialsFileError> for TuneError {
    fn from(error: TrialsFileError) -> Self {
        Self::TrialsFile(error)
    }
}

//! The training loop.

use std::collections::BTreeMap;

use super::callback::{BatchReport, Callback, Flow};
use super::evaluate::scores;
use super::history::{EpochLogs, History, StopReason};
use super::kept::Kept;
use super::parameters::Working;
use super::progress::Progress;
use super::step::{Stepper, TrainingData, Turn};
use super::{Compiled, with_threads};
use crate::NnError;
use crate::layers::Activation;
use crate::loss::{Loss, LossWeights};
use crate::matrix::{CsrMatrix, Targets};
use crate::model::Sequential;
use crate::optimizer::LearningRate;
use crate::random::{SHUFFLE, Stream};

/// What a model is validated on after each epoch.
#[derive(Debug, Clone, Copy, Default)]
pub enum Validation<'a> {
    /// Nothing. The default.
    #[default]
    None,
    /// The last share of the training samples, from 0 to below 1, taken before shuffling and not
    /// trained on; as Keras's `validation_split`.
    Split(f64),
    /// Data of their own.
    Data(&'a CsrMatrix, &'a Targets),
}

/// How to train; the defaults are Keras's.
#[derive(Debug, Clone)]
pub struct FitOptions<'a> {
    /// Passes over the data. Default 1.
    pub epochs: usize,
    /// Samples a step. Default 32.
    pub batch_size: usize,
    /// Whether the samples are put in a new order in each epoch. Default yes.
    pub shuffle: bool,
    /// What to validate on. Default nothing.
    pub validation: Validation<'a>,
    /// Factor of the loss of each sample; default 1 each. The sum is still divided by the number of
    /// samples, as in Keras.
    pub sample_weight: Option<&'a [f32]>,
    /// Factor of the loss of the samples of a class; 1 for a class that is not named. Multiplies
    /// `sample_weight`.
    pub class_weight: BTreeMap<u32, f32>,
    /// Factor `w` of each output's loss where its target is 1, one an output: the loss of an output
    /// with target `y` is multiplied by `1 + y·(w − 1)`. For the losses of independent outputs
    /// (`binary_crossentropy`, `binary_focal_crossentropy`), where a class that few samples have needs
    /// more say; what `BCEWithLogitsLoss` of `PyTorch` calls `pos_weight`. Default 1 each.
    pub positive_weight: Option<&'a [f32]>,
    /// Threads to work on; 0, the default, for those of the current pool. The trained model does not
    /// depend on it.
    pub threads: usize,
    /// Where an earlier `fit` of the same model, data and settings stood, whose epochs are not trained
    /// again. The model has to have the weights of that moment, and to be compiled anew. Default
    /// nothing.
    pub resume: Option<&'a Progress>,
}

impl Default for FitOptions<'_> {
    fn default() -> Self {
        Self {
            epochs: 1,
            batch_size: 32,
            shuffle: true,
            validation: Validation::None,
            sample_weight: None,
            class_weight: BTreeMap::new(),
            positive_weight: None,
            threads: 0,
            resume: None,
        }
    }
}

impl Sequential {
    /// Trains on `x` and `y`; a second call goes on where the first one ended.
    ///
    /// # Errors
    /// [`NnError::NotCompiled`] before `compile`; [`NnError::Setting`] for options out of range;
    /// [`NnError::Empty`], [`NnError::Shape`], [`NnError::Label`], [`NnError::NotFinite`] or
    /// [`NnError::Loss`] for data that do not fit; [`NnError::Diverged`] if the loss stops being a
    /// finite number, with the weights of the last good epoch kept.
    pub fn fit(
        &mut self,
        x: &CsrMatrix,
        y: &Targets,
        options: &FitOptions<'_>,
    ) -> Result<History, NnError> {
        self.fit_with(x, y, options, &mut [])
    }

    /// [`fit`](Self::fit) with callbacks, which are told of every batch and epoch in the order given.
    ///
    /// ```
    /// use slugline_nn::*;
    ///
    /// struct Count(usize);
    /// impl Callback for Count {
    ///     fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
    ///         self.0 += 1;
    ///         if report.loss.is_finite() { Flow::Continue } else { Flow::Stop }
    ///     }
    /// }
    ///
    /// let x = CsrMatrix::new(2, vec![0, 1, 2], vec![0, 1], vec![1.0, 1.0])?;
    /// let mut model = Sequential::new(2, [Dense::new(1).into()], 0)?;
    /// model.compile(Optimizer::sgd(), Loss::MeanSquaredError, &[])?;
    /// let mut count = Count(0);
    /// let y = Matrix::new(2, 1, vec![0.0, 1.0])?.into();
    /// model.fit_with(&x, &y, &FitOptions { epochs: 3, ..Default::default() }, &mut [&mut count])?;
    /// assert_eq!(count.0, 3);
    /// # Ok::<(), NnError>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_with(
        &mut self,
        x: &CsrMatrix,
        y: &Targets,
        options: &FitOptions<'_>,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<History, NnError> {
        let mut compiled = self.compiled.take().ok_or(NnError::NotCompiled { before: "fit" })?;
        let result = self.fit_compiled(&mut compiled, x, y, options, callbacks);
        self.compiled = Some(compiled);
        result
    }

    fn fit_compiled(
        &mut self,
        compiled: &mut Compiled,
        x: &CsrMatrix,
        y: &Targets,
        options: &FitOptions<'_>,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<History, NnError> {
        options.check()?;
        self.check_data(compiled, x, y, "training data")?;
        let sample_weights = options.sample_weights(y)?;
        options.check_positive_weight(compiled.loss, self.units())?;
        let weights =
            LossWeights { sample: sample_weights.as_deref(), positive: options.positive_weight };
        let held_out;
        let (samples, validation) = match options.validation {
            Validation::None => (x.rows(), None),
            Validation::Data(x_val, y_val) => {
                self.check_data(compiled, x_val, y_val, "validation data")?;
                (
                    x.rows(),
                    Some(TrainingData { x: x_val, y: y_val, weights: LossWeights::default() }),
                )
            }
            Validation::Split(share) => {
                let kept = (x.rows() as f64 * (1.0 - share)) as usize;
                if kept == 0 {
                    return Err(NnError::Empty {
                        what: "training data after the validation split",
                    });
                }
                held_out = (x.slice_rows(kept..x.rows())?, y.slice(kept..x.rows()));
                let sample = weights.sample.map(|w| &w[kept..]);
                let weights = LossWeights { sample, positive: None };
                let data = TrainingData { x: &held_out.0, y: &held_out.1, weights };
                (kept, (kept < x.rows()).then_some(data))
            }
        };
        compiled.prepare(self.parameters());
        if let Some(progress) = options.resume {
            compiled.resume(progress)?;
        }
        let y = y.compact();
        let data = TrainingData { x, y: &y, weights };
        // Where every weight moves in every step, none can be left out.
        let lazy = !compiled.optimizer.moves_absent_features()
            && self.stages()[0].dense.kernel_regularizer.is_zero();
        let kept = lazy.then(|| Kept::of(x, samples, validation.map(|v| v.x))).flatten();
        let narrowed = kept.as_ref().zip(validation).map(|(kept, v)| kept.narrow(v.x));
        let validation =
            validation.map(|v| TrainingData { x: narrowed.as_ref().unwrap_or(v.x), ..v });
        let mut run = Run { compiled, options, data, samples, validation, kept };
        with_threads(options.threads, || run.epochs(self, callbacks))?
    }
}

impl FitOptions<'_> {
    fn check(&self) -> Result<(), NnError> {
        let bad = |name, value: String, expected| Err(NnError::Setting { name, value, expected });
        if self.epochs == 0 {
            return bad("epochs", "0".into(), "at least 1");
        }
        if self.batch_size == 0 || u32::try_from(self.batch_size).is_err() {
            return bad("batch_size", self.batch_size.to_string(), "from 1 to 2^32 - 1");
        }
        match self.validation {
            Validation::Split(share) if !(0.0..1.0).contains(&share) => {
                bad("validation split", share.to_string(), "at least 0 and below 1")
            }
            _ => Ok(()),
        }
    }

    fn check_positive_weight(&self, loss: Loss, units: usize) -> Result<(), NnError> {
        let Some(weights) = self.positive_weight else { return Ok(()) };
        if loss.output_activation() != Some(Activation::Sigmoid) {
            let problem = "takes no weights of positive answers, as its outputs are not independent; \
                           use binary_crossentropy, or weights of classes";
            return Err(NnError::Loss { loss: loss.name(), problem: problem.into() });
        }
        if weights.len() != units {
            return Err(NnError::Shape {
                what: "weights of positive answers (units of the last layer)",
                expected: units,
                got: weights.len(),
            });
        }
        match weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
            Some((class, weight)) => Err(NnError::Setting {
                name: "weight of positive answers",
                value: format!("{weight} (class {class})"),
                expected: "a finite number of at least 0",
            }),
            None => Ok(()),
        }
    }

    /// The factor of each sample's loss, or `None` if all are 1.
    fn sample_weights(&self, y: &Targets) -> Result<Option<Vec<f32>>, NnError> {
        if let Some(weights) = self.sample_weight.filter(|w| w.len() != y.len()) {
            return Err(NnError::Shape {
                what: "sample weights (rows of the input)",
                expected: y.len(),
                got: weights.len(),
            });
        }
        if self.sample_weight.is_none() && self.class_weight.is_empty() {
            return Ok(None);
        }
        let mut weights = self.sample_weight.map_or_else(|| vec![1.0; y.len()], <[f32]>::to_vec);
        if !self.class_weight.is_empty() {
            for (weight, class) in weights.iter_mut().zip(y.classes()) {
                *weight *= self.class_weight.get(&class).copied().unwrap_or(1.0);
            }
        }
        match weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
            Some((row, weight)) => Err(NnError::Setting {
                name: "sample weight",
                value: format!("{weight} (sample {row})"),
                expected: "a finite number of at least 0",
            }),
            None => Ok(Some(weights)),
        }
    }
}

/// A training run on data that have been checked.
struct Run<'a> {
    compiled: &'a mut Compiled,
    options: &'a FitOptions<'a>,
    data: TrainingData<'a>,
    /// Rows of the data that are trained on, from the first one.
    samples: usize,
    validation: Option<TrainingData<'a>>,
    /// The features that occur, if the others are left out while training; the rows to validate on
    /// have places for features then.
    kept: Option<Kept>,
}

impl Run<'_> {
    fn epochs(
        &mut self,
        model: &mut Sequential,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<History, NnError> {
        let threads = rayon::current_num_threads();
        let mut working = Working::new(model, self.compiled, threads, self.kept.take());
        let result = self.epochs_on(&mut working, model, callbacks);
        self.compiled.state = working.into_state(model);
        result
    }

    fn epochs_on(
        &mut self,
        working: &mut Working,
        model: &mut Sequential,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<History, NnError> {
        let mut stepper = Stepper::new(model, self.compiled);
        let mut history = History::default();
        if let Some(progress) = self.options.resume {
            history.epochs.clone_from(&progress.history.epochs);
            for callback in callbacks.iter_mut() {
                callback.restore(&progress.callbacks);
            }
        }
        for epoch in history.epochs.len() + 1..=self.options.epochs {
            for callback in callbacks.iter_mut() {
                callback.on_epoch_begin(epoch);
            }
            // Every callback is asked, whatever the others answer.
            let rate = callbacks
                .iter_mut()
                .fold(None, |rate, callback| callback.learning_rate(epoch).or(rate));
            if let Some(rate) = rate.map(LearningRate::Constant) {
                rate.check()?;
                let optimizer = self.compiled.optimizer.clone();
                self.compiled.optimizer = optimizer.with_learning_rate(rate);
            }
            let Some(logs) = self.epoch(epoch, &mut stepper, working, model, callbacks)? else {
                history.stop_reason = StopReason::Interrupted;
                break;
            };
            // Every callback hears of the epoch, also after one of them wants to stop.
            let flows: Vec<Flow> =
                callbacks.iter_mut().map(|c| c.on_epoch_end(&logs, model)).collect();
            history.epochs.push(logs);
            if flows.contains(&Flow::Stop) {
                history.stop_reason = StopReason::Stopped;
                break;
            }
            if epoch < self.options.epochs && callbacks.iter().any(|c| c.wants_progress()) {
                let progress = Progress {
                    steps: self.compiled.steps,
                    epochs: self.compiled.epochs,
                    history: history.clone(),
                    optimizer: working.state(model),
                    callbacks: callbacks.iter().filter_map(|c| c.state()).collect(),
                };
                for callback in callbacks.iter_mut().filter(|c| c.wants_progress()) {
                    callback.on_progress(&progress, model);
                }
            }
        }
        for callback in callbacks.iter_mut() {
            callback.on_train_end(model);
        }
        Ok(history)
    }

    /// Trains one epoch; `None` if a callback stopped it within.
    fn epoch(
        &mut self,
        epoch: usize,
        stepper: &mut Stepper,
        working: &mut Working,
        model: &mut Sequential,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Option<EpochLogs>, NnError> {
        let mut order: Vec<usize> = (0..self.samples).collect();
        if self.options.shuffle {
            Stream::new(model.seed(), SHUFFLE, self.compiled.epochs).shuffle(&mut order);
        }
        let mut batches = order.chunks(self.options.batch_size).peekable();
        let first = batches.peek().copied().unwrap_or_default();
        stepper.begin_epoch(model, working, self.compiled.epochs, self.data.x, first);
        self.compiled.epochs += 1;
        let steps = self.samples.div_ceil(self.options.batch_size);
        let mut tally = stepper.tallying().tally();
        let (mut loss_sum, mut seen, mut learning_rate) = (0.0, 0, 0.0);
        let mut step = 0;
        while let Some(samples) = batches.next() {
            let turn = Turn { samples, upcoming: batches.peek().copied() };
            let report =
                stepper.step(model, working, self.compiled, self.data, turn, &mut tally)?;
            step += 1;
            let n = samples.len() as f64;
            let loss = report.loss_sum / n + report.penalty;
            learning_rate = report.learning_rate;
            if !loss.is_finite() {
                return Err(NnError::Diverged {
                    epoch,
                    step,
                    loss,
                    learning_rate,
                    last_good: epoch - 1,
                });
            }
            loss_sum += loss * n;
            seen += samples.len();
            let report = BatchReport {
                epoch,
                epochs: self.options.epochs,
                step,
                steps,
                samples: samples.len(),
                loss: loss_sum / seen as f64,
            };
            let flows: Vec<Flow> = callbacks.iter_mut().map(|c| c.on_batch_end(&report)).collect();
            if flows.contains(&Flow::Stop) {
                working.write(model);
                return Ok(None);
            }
        }
        // The last step's weights have not met a loss yet, and those of an epoch may be kept.
        if !working.is_finite() {
            return Err(NnError::Diverged {
                epoch,
                step: steps,
                loss: f64::NAN,
                learning_rate,
                last_good: epoch - 1,
            });
        }
        let train = scores(
            loss_sum / seen as f64,
            &self.compiled.metrics,
            stepper.tallying().values(&tally),
        );
        let validation = self.validation.map(|data| {
            let (forward, penalty) = (working.forward(model), working.penalty(model));
            model.scores(&forward, penalty, self.compiled, data)
        });
        if let Some(scores) = validation.as_ref().filter(|s| !s.loss.is_finite()) {
            return Err(NnError::Diverged {
                epoch,
                step: steps,
                loss: scores.loss,
                learning_rate,
                last_good: epoch - 1,
            });
        }
        working.write(model);
        Ok(Some(EpochLogs { epoch, train, validation, learning_rate }))
    }
}

//! A run in two parts is the run in one, to the last bit.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use proptest::prelude::*;
use slugline_nn::{
    Activation, Callback, CallbackState, CsrMatrix, Dense, Dropout, EarlyStopping, EpochLogs,
    FitOptions, Flow, History, LearningRate, Loss, Metric, NnError, Optimizer, ParameterState,
    Progress, Sequential, SparseRule, StopReason, Targets, Validation, WeightAverage, Weights,
};

/// Rows with a few of `width` features, each class with some that it has more often.
fn data(rows: u32, width: u32) -> (CsrMatrix, Targets) {
    let mut x = CsrMatrix::with_cols(width as usize);
    for row in 0..rows {
        let mut ids: Vec<u32> = (0..6)
            .map(|i| {
                let z = (row * 6 + i).wrapping_mul(2_654_435_761) >> 7;
                if i < 2 { z % 7 + row % 3 * 7 } else { z % width }
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        x.push_row(&ids, &vec![0.7; ids.len()]).unwrap();
    }
    (x, Targets::from((0..rows).map(|row| row % 3).collect::<Vec<u32>>()))
}

fn optimizers() -> Vec<Optimizer> {
    let momentum = |sparse_rule, nesterov| Optimizer::Sgd {
        learning_rate: LearningRate::Constant(0.05),
        momentum: 0.9,
        nesterov,
        sparse_rule,
    };
    let adam = |sparse_rule| Optimizer::Adam {
        learning_rate: LearningRate::PolynomialDecay {
            initial_learning_rate: 0.01,
            decay_steps: 60,
            end_learning_rate: 0.001,
            power: 1.0,
        },
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        sparse_rule,
    };
    vec![
        Optimizer::sgd(),
        momentum(SparseRule::Dense, false),
        momentum(SparseRule::Lazy, true),
        Optimizer::rmsprop(),
        Optimizer::rmsprop_keras2(),
        Optimizer::adagrad().with_learning_rate(LearningRate::Constant(0.05)),
        adam(SparseRule::Dense),
        adam(SparseRule::Lazy),
        Optimizer::adamw(),
    ]
}

fn model(width: usize, optimizer: &Optimizer) -> Sequential {
    let layers = [
        Dropout::new(0.2).into(),
        Dense::new(64).activation(Activation::Relu).into(),
        Dropout::new(0.4).into(),
        Dense::new(9).activation(Activation::Tanh).into(),
        Dense::new(3).activation(Activation::Softmax).into(),
    ];
    let mut model = Sequential::new(width, layers, 8).unwrap();
    model
        .compile(optimizer.clone(), Loss::SparseCategoricalCrossentropy, &[Metric::Accuracy])
        .unwrap();
    model
}

type Kept = (Progress, Vec<(Weights, Weights)>);

/// Keeps the progress of each epoch, and stops the run in one of its steps.
#[derive(Default)]
struct Keep {
    kept: Vec<Kept>,
    stop: Option<(usize, usize)>,
}

impl Callback for Keep {
    fn on_batch_end(&mut self, report: &slugline_nn::BatchReport) -> Flow {
        match self.stop {
            Some(at) if at == (report.epoch, report.step) => Flow::Stop,
            _ => Flow::Continue,
        }
    }

    fn wants_progress(&self) -> bool {
        true
    }

    fn on_progress(&mut self, progress: &Progress, model: &Sequential) {
        self.kept.push((progress.clone(), model.weights()));
    }
}

struct Case<'a> {
    x: &'a CsrMatrix,
    y: &'a Targets,
    optimizer: &'a Optimizer,
    epochs: usize,
    patience: Option<usize>,
}

impl Case<'_> {
    /// Trains from the beginning or from where a run stood; gives what it kept too.
    fn train(
        &self,
        threads: usize,
        from: Option<&Kept>,
        keep: Keep,
    ) -> (Sequential, History, Keep) {
        let mut model = model(self.x.cols(), self.optimizer);
        if let Some((_, weights)) = from {
            let layers = model.layers().to_vec();
            model = Sequential::from_parameters(self.x.cols(), layers, weights.clone(), 8).unwrap();
            model
                .compile(
                    self.optimizer.clone(),
                    Loss::SparseCategoricalCrossentropy,
                    &[Metric::Accuracy],
                )
                .unwrap();
        }
        let options = FitOptions {
            epochs: self.epochs,
            batch_size: 8,
            validation: Validation::Split(0.2),
            threads,
            resume: from.map(|(progress, _)| progress),
            ..Default::default()
        };
        let mut keep = keep;
        let mut stopping =
            EarlyStopping::new("val_loss", self.patience.unwrap_or(99)).restore_best_weights(true);
        let mut average = WeightAverage::from_epoch(self.epochs - 2);
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut keep];
        match self.patience {
            Some(_) => callbacks.push(&mut stopping),
            None => callbacks.push(&mut average),
        }
        let history = model.fit_with(self.x, self.y, &options, &mut callbacks).unwrap();
        (model, history, keep)
    }
}

#[test]
fn every_optimizer_goes_on_from_every_epoch() {
    let (x, y) = data(90, 300);
    for optimizer in &optimizers() {
        for patience in [None, Some(2)] {
            let case = Case { x: &x, y: &y, optimizer, epochs: 7, patience };
            let (whole, history, keep) = case.train(2, None, Keep::default());
            // The last epoch is followed by nothing that could be gone on with.
            assert_eq!(keep.kept.len(), history.epochs.len() - 1, "{optimizer:?}");
            for (kept, threads) in keep.kept.iter().zip([1, 2, 3].into_iter().cycle()) {
                let (again, history_again, _) = case.train(threads, Some(kept), Keep::default());
                assert!(again.same_weights(&whole), "{optimizer:?} {patience:?}");
                assert_eq!(history_again, history, "{optimizer:?} {patience:?}");
            }
        }
    }
}

#[test]
fn features_left_out_while_training_keep_their_memory() {
    // Few of very many features: those that do not occur have no rows while training.
    let (x, y) = data(60, 70_000);
    for optimizer in &optimizers() {
        if matches!(optimizer, Optimizer::AdamW { .. }) {
            continue;
        }
        let case = Case { x: &x, y: &y, optimizer, epochs: 4, patience: None };
        let (whole, _, keep) = case.train(2, None, Keep::default());
        let (again, _, _) = case.train(3, Some(&keep.kept[1]), Keep::default());
        assert!(again.same_weights(&whole), "{optimizer:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_run_stopped_anywhere_goes_on_from_its_last_epoch(
        rows in 20_u32..70,
        which in 0_usize..9,
        stop in (1_usize..6, 1_usize..8),
        threads in (1_usize..4, 1_usize..4),
        patience in prop::option::of(1_usize..4),
    ) {
        let (x, y) = data(rows, 80);
        let optimizer = &optimizers()[which];
        let case = Case { x: &x, y: &y, optimizer, epochs: 6, patience };
        let (whole, history, _) = case.train(threads.0, None, Keep::default());
        let stopped = Keep { stop: Some(stop), ..Keep::default() };
        let (_, broken, keep) = case.train(threads.0, None, stopped);
        prop_assert!(broken.stop_reason != StopReason::Interrupted || broken.epochs.len() + 1 == stop.0);
        let (again, history_again, _) = case.train(threads.1, keep.kept.last(), Keep::default());
        prop_assert!(again.same_weights(&whole));
        prop_assert_eq!(history_again, history);
    }
}

#[test]
fn the_progress_of_another_network_is_refused() {
    let (x, y) = data(30, 50);
    let (adam, sgd) = (Optimizer::adam(), Optimizer::sgd());
    let case = Case { x: &x, y: &y, optimizer: &adam, epochs: 3, patience: None };
    let (_, _, keep) = case.train(1, None, Keep::default());
    let progress = &keep.kept[0].0;
    let refuse = |optimizer: &Optimizer, progress: &Progress| {
        let mut model = model(50, optimizer);
        let options = FitOptions { epochs: 3, resume: Some(progress), ..Default::default() };
        let error = model.fit(&x, &y, &options).unwrap_err();
        // Nothing was taken over: the model trains as a new one does.
        model.fit(&x, &y, &FitOptions::default()).unwrap();
        error
    };
    let error = refuse(&sgd, progress).to_string();
    assert_eq!(error, "first moments that a run goes on from: expected 0, got 3200");
    let fewer = Progress { optimizer: progress.optimizer[1..].to_vec(), ..progress.clone() };
    assert!(matches!(refuse(&adam, &fewer), NnError::Shape { expected: 3, got: 2, .. }));
    let rmsprop = Optimizer::rmsprop();
    let case = Case { optimizer: &rmsprop, ..case };
    let (_, _, keep) = case.train(1, None, Keep::default());
    let mut late = keep.kept[0].0.clone();
    let (kernel, _) = &late.optimizer[0];
    let visits = vec![late.steps as u32 + 1; kernel.last_visit().len()];
    late.optimizer[0].0 = ParameterState::from_parts(kernel.m(), kernel.v(), visits);
    let error = refuse(&rmsprop, &late).to_string();
    assert!(error.starts_with("last visit = "), "{error}");
}

#[test]
fn the_best_value_of_a_checkpoint_goes_on_too() {
    let logs = |loss| EpochLogs {
        epoch: 1,
        train: slugline_nn::Scores { loss, metrics: Vec::new() },
        validation: None,
        learning_rate: 0.1,
    };
    let model = Sequential::new(1, [Dense::new(1).into()], 0).unwrap();
    let keep = || slugline_nn::Checkpoint::best_only("loss", |_, _| Flow::Stop);
    let mut first = keep();
    assert_eq!(first.on_epoch_end(&logs(1.0), &model), Flow::Stop);
    let states: Vec<CallbackState> = first.state().into_iter().collect();
    let mut second = keep();
    second.restore(&states);
    assert_eq!(second.on_epoch_end(&logs(1.5), &model), Flow::Continue);
    assert_eq!(second.on_epoch_end(&logs(0.5), &model), Flow::Stop);
}

//! Training as a user meets it: refusals, early ends, callbacks, weights of samples.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;

use slugline_nn::*;

/// Rows over 20 features in three classes; a third of the features speaks for each class.
fn data(n: usize) -> (CsrMatrix, Vec<u32>) {
    let mut x = CsrMatrix::with_cols(20);
    let mut labels = Vec::new();
    for i in 0..n as u32 {
        let class = i * 7 % 3;
        let mut ids = vec![class * 6 + i % 6, class * 6 + (i / 6) % 6, 18 + i % 2];
        ids.sort_unstable();
        ids.dedup();
        x.push_row(&ids, &vec![1.0; ids.len()]).unwrap();
        labels.push(class);
    }
    (x, labels)
}

fn model(optimizer: Optimizer) -> Sequential {
    let layers: [Layer; 3] = [
        Dense::new(8).activation(Activation::Relu).into(),
        Dropout::new(0.2).into(),
        Dense::new(3).activation(Activation::Softmax).into(),
    ];
    let mut model = Sequential::new(20, layers, 5).unwrap();
    model.compile(optimizer, Loss::SparseCategoricalCrossentropy, &[Metric::Accuracy]).unwrap();
    model
}

fn options(epochs: usize) -> FitOptions<'static> {
    FitOptions { epochs, batch_size: 16, ..FitOptions::default() }
}

#[test]
fn misuse_is_refused_with_the_shapes() {
    let (x, labels) = data(30);
    let y = Targets::from(labels.clone());
    let wide = CsrMatrix::with_cols(21);
    let empty = CsrMatrix::with_cols(20);
    let none = Targets::from(Vec::new());
    let bad_label = Targets::from(vec![3; 30]);
    let rows = Targets::from(to_categorical(&labels, 3).unwrap());
    let heavy = [f32::NAN; 30];
    let short = [1.0; 29];
    let fit = |x: &CsrMatrix, y: &Targets, options: FitOptions<'_>| {
        let error = model(Optimizer::sgd()).fit(x, y, &options).unwrap_err();
        error.to_string()
    };
    let cases = [
        (fit(&wide, &none, options(1)), "columns of the input: expected 20, got 21"),
        (fit(&empty, &none, options(1)), "training data is empty"),
        (fit(&x, &none, options(1)), "targets (rows of the input): expected 30, got 0"),
        (fit(&x, &bad_label, options(1)), "sample 0: label 3 is out of range for 3 classes"),
        (
            fit(&x, &rows, options(1)),
            "takes integer labels, but the targets are rows of shape [30, 3]",
        ),
        (fit(&x, &y, options(0)), "epochs = 0: must be at least 1"),
        (fit(&x, &y, FitOptions { batch_size: 0, ..options(1) }), "batch_size = 0"),
        (
            fit(&x, &y, FitOptions { validation: Validation::Split(1.0), ..options(1) }),
            "validation split = 1",
        ),
        (
            fit(&x, &y, FitOptions { validation: Validation::Data(&wide, &none), ..options(1) }),
            "columns of the input: expected 20, got 21",
        ),
        (
            fit(&x, &y, FitOptions { sample_weight: Some(&short), ..options(1) }),
            "sample weights (rows of the input): expected 30, got 29",
        ),
        (
            fit(&x, &y, FitOptions { sample_weight: Some(&heavy), ..options(1) }),
            "sample weight = NaN (sample 0)",
        ),
    ];
    for (message, want) in cases {
        assert!(message.contains(want), "{message:?} should contain {want:?}");
    }
    let mut raw = Sequential::new(20, [Dense::new(3).into()], 0).unwrap();
    assert_eq!(raw.fit(&x, &y, &options(1)).unwrap_err(), NnError::NotCompiled { before: "fit" });
    let error = raw.compile(Optimizer::sgd(), Loss::default(), &[]).unwrap_err().to_string();
    assert!(error.contains("needs a last layer with softmax, but it has 3 units with linear"));
    assert!(
        raw.compile(Optimizer::sgd(), Loss::MeanSquaredError, &[Metric::TopKAccuracy { k: 4 }])
            .is_err()
    );
}

#[test]
fn a_run_that_diverges_keeps_the_last_good_weights() {
    let (x, labels) = data(64);
    let y = Targets::Rows(Matrix::new(64, 1, labels.iter().map(|l| *l as f32).collect()).unwrap());
    let train = |rate: f64, epochs| {
        let mut model = Sequential::new(20, [Dense::new(1).into()], 1).unwrap();
        let sgd = Optimizer::sgd().with_learning_rate(LearningRate::PiecewiseConstantDecay {
            boundaries: vec![7],
            values: vec![0.01, rate],
        });
        model.compile(sgd, Loss::MeanSquaredError, &[]).unwrap();
        let result = model.fit(&x, &y, &options(epochs));
        (model, result)
    };
    // Four steps an epoch: the first two epochs are sound, then the rate explodes.
    let (good, history) = train(0.01, 2);
    assert_eq!(history.unwrap().epochs.len(), 2);
    let (model, result) = train(1e30, 9);
    let error = result.unwrap_err();
    assert!(matches!(error, NnError::Diverged { epoch: 3, last_good: 2, .. }), "{error}");
    assert!(error.to_string().contains("Lower the learning rate"), "{error}");
    assert_eq!(model.weights(), good.weights());
}

#[test]
fn early_stopping_ends_and_restores_the_best_epoch() {
    let (x, labels) = data(48);
    let y = Targets::from(labels);
    // Labels that contradict the training data: the better the fit, the worse the validation.
    let wrong = Targets::from(y.classes().iter().map(|l| (l + 1) % 3).collect::<Vec<u32>>());
    let fit = |patience, restore, epochs| {
        let mut model = model(Optimizer::adam());
        let mut stopping = EarlyStopping::new("val_loss", patience).restore_best_weights(restore);
        let options = FitOptions { validation: Validation::Data(&x, &wrong), ..options(epochs) };
        let history = model.fit_with(&x, &y, &options, &mut [&mut stopping]).unwrap();
        (model, history, stopping)
    };
    let (restored, history, stopping) = fit(2, true, 50);
    let best = stopping.best_epoch().unwrap();
    assert_eq!(history.best_epoch("val_loss"), Some(best));
    assert_eq!((history.epochs.len(), history.stop_reason), (best + 2, StopReason::Stopped));
    let (at_best, history, _) = fit(50, false, best);
    assert_eq!(history.stop_reason, StopReason::Completed);
    assert_eq!(restored.weights(), at_best.weights());
    // Where all epochs are trained the best weights come back too.
    let (completed, ..) = fit(50, true, best + 1);
    assert_eq!(completed.weights(), at_best.weights());
}

#[test]
fn checkpoints_hand_over_every_epoch_or_the_best_ones() {
    let (x, labels) = data(48);
    let y = Targets::from(labels);
    let mut every = Vec::new();
    let mut best = Vec::new();
    let mut losses = Vec::new();
    {
        let mut all = Checkpoint::every_epoch(|model: &Sequential, logs: &EpochLogs| {
            every.push(model.weights());
            losses.push(logs.get("val_loss").unwrap());
            Flow::Continue
        });
        let mut only = Checkpoint::best_only("val_loss", |model: &Sequential, logs: &EpochLogs| {
            best.push((logs.epoch, model.weights()));
            if logs.epoch >= 4 { Flow::Stop } else { Flow::Continue }
        });
        let options = FitOptions { validation: Validation::Split(0.25), ..options(20) };
        let history = model(Optimizer::adam())
            .fit_with(&x, &y, &options, &mut [&mut all, &mut only])
            .unwrap();
        assert_eq!(history.stop_reason, StopReason::Stopped);
    }
    let want: Vec<usize> = (0..losses.len())
        .filter(|&i| losses[..i].iter().all(|&earlier| losses[i] < earlier))
        .collect();
    assert_eq!(best.iter().map(|(epoch, _)| epoch - 1).collect::<Vec<_>>(), want);
    for (epoch, weights) in &best {
        assert_eq!(weights, &every[epoch - 1]);
    }
}

#[test]
fn an_epoch_is_told_from_its_beginning_to_its_end() {
    #[derive(Default)]
    struct Told(Vec<String>);
    impl Callback for Told {
        fn on_epoch_begin(&mut self, epoch: usize) {
            self.0.push(format!("begin {epoch}"));
        }
        fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
            self.0.push(format!("{} samples", report.samples));
            Flow::Continue
        }
        fn on_epoch_end(&mut self, logs: &EpochLogs, _model: &Sequential) -> Flow {
            self.0.push(format!("end {}", logs.epoch));
            Flow::Continue
        }
    }
    let (x, labels) = data(20);
    let mut told = Told::default();
    let y = Targets::from(labels);
    model(Optimizer::sgd()).fit_with(&x, &y, &options(2), &mut [&mut told]).unwrap();
    let epoch = |n: usize| {
        [format!("begin {n}"), "16 samples".into(), "4 samples".into(), format!("end {n}")]
    };
    assert_eq!(told.0, [epoch(1), epoch(2)].concat());
}

#[test]
fn a_callback_stops_within_an_epoch_and_what_was_reached_stays() {
    struct After(usize);
    impl Callback for After {
        fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
            assert_eq!((report.epochs, report.steps, report.samples), (5, 3, 16));
            self.0 -= 1;
            if self.0 == 0 { Flow::Stop } else { Flow::Continue }
        }
    }
    let (x, labels) = data(48);
    let y = Targets::from(labels);
    let mut stopped = model(Optimizer::sgd());
    let start = stopped.weights();
    let history = stopped.fit_with(&x, &y, &options(5), &mut [&mut After(4)]).unwrap();
    assert_eq!((history.epochs.len(), history.stop_reason), (1, StopReason::Interrupted));
    assert_ne!(stopped.weights(), start);
}

#[test]
fn a_weight_of_zero_takes_a_sample_out_and_class_weights_multiply() {
    let (x, labels) = data(48);
    let y = Targets::from(labels.clone());
    let train = |options: FitOptions<'_>| {
        let mut model = model(Optimizer::sgd());
        model.fit(&x, &y, &options).unwrap();
        model.weights()
    };
    let by_class: BTreeMap<u32, f32> = [(0, 0.0), (1, 2.0)].into();
    let by_sample: Vec<f32> = labels.iter().map(|l| [0.0, 2.0, 1.0][*l as usize]).collect();
    let weighted = train(FitOptions { class_weight: by_class.clone(), ..options(3) });
    assert_eq!(weighted, train(FitOptions { sample_weight: Some(&by_sample), ..options(3) }));
    let half = vec![0.5; 48];
    let both = FitOptions { class_weight: by_class, sample_weight: Some(&half), ..options(3) };
    let product: Vec<f32> = by_sample.iter().map(|w| w * 0.5).collect();
    assert_eq!(train(both), train(FitOptions { sample_weight: Some(&product), ..options(3) }));
    assert_ne!(weighted, train(options(3)));
}

#[test]
fn weights_of_positive_answers_are_those_of_the_samples_that_have_them() {
    let (x, labels) = data(48);
    // One output: yes for the samples of class 1.
    let yes: Vec<f32> = labels.iter().map(|&label| f32::from(u8::from(label == 1))).collect();
    let y = Targets::from(Matrix::new(48, 1, yes.clone()).unwrap());
    for loss in [Loss::BINARY_CROSSENTROPY, Loss::BINARY_FOCAL_CROSSENTROPY] {
        let train = |options: FitOptions<'_>| {
            let layers = [Dense::new(1).activation(Activation::Sigmoid).into()];
            let mut model = Sequential::new(20, layers, 5).unwrap();
            model.compile(Optimizer::adam(), loss, &[]).unwrap();
            let history = model.fit(&x, &y, &options).unwrap();
            (model.weights(), history.series("loss"))
        };
        let weights: Vec<f32> = yes.iter().map(|y| 1.0 + 3.0 * y).collect();
        let by_output = train(FitOptions { positive_weight: Some(&[4.0]), ..options(3) });
        assert_eq!(by_output, train(FitOptions { sample_weight: Some(&weights), ..options(3) }));
        assert_ne!(by_output, train(options(3)));
    }
    let refused = |loss, weights: &[f32]| {
        let output = if loss == Loss::CATEGORICAL_CROSSENTROPY {
            Activation::Softmax
        } else {
            Activation::Sigmoid
        };
        let layers = [Dense::new(1).activation(output).into()];
        let mut model = Sequential::new(20, layers, 5).unwrap();
        model.compile(Optimizer::adam(), loss, &[]).unwrap();
        let options = FitOptions { positive_weight: Some(weights), ..options(1) };
        model.fit(&x, &y, &options).unwrap_err().to_string()
    };
    for (message, want) in [
        (refused(Loss::CATEGORICAL_CROSSENTROPY, &[1.0]), "outputs are not independent"),
        (refused(Loss::BINARY_CROSSENTROPY, &[1.0, 2.0]), "expected 1, got 2"),
        (refused(Loss::BINARY_CROSSENTROPY, &[-1.0]), "weight of positive answers = -1 (class 0)"),
    ] {
        assert!(message.contains(want), "{message:?} should contain {want:?}");
    }
}

#[test]
fn lazy_rules_leave_absent_features_alone_and_dense_rules_move_them() {
    let mut x = CsrMatrix::with_cols(3);
    x.push_row(&[0, 1], &[1.0, 1.0]).unwrap();
    x.push_row(&[1, 2], &[1.0, 1.0]).unwrap();
    let y = Targets::from(vec![0, 1]);
    let moved = |sparse_rule| {
        let layers = [Dense::new(2).activation(Activation::Softmax).into()];
        let mut model = Sequential::new(3, layers, 0).unwrap();
        let adam = Optimizer::Adam {
            learning_rate: LearningRate::Constant(0.1),
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            sparse_rule,
        };
        model.compile(adam, Loss::SparseCategoricalCrossentropy, &[]).unwrap();
        let options = FitOptions { batch_size: 1, shuffle: false, ..options(1) };
        // Feature 0 occurs in the first step only: does it move in the second?
        let only = |row| x.select_rows(&[row]).unwrap();
        model.fit(&only(0), &y.slice(0..1), &options).unwrap();
        let before = model.parameters()[0].kernel.as_slice()[..2].to_vec();
        model.fit(&only(1), &y.slice(1..2), &options).unwrap();
        before != model.parameters()[0].kernel.as_slice()[..2]
    };
    assert!(moved(SparseRule::Dense));
    assert!(!moved(SparseRule::Lazy));
}

#[test]
fn a_second_fit_goes_on_where_the_first_one_ended() {
    let (x, labels) = data(48);
    let y = Targets::from(labels);
    for optimizer in Optimizer::NAMES.map(|name| Optimizer::by_name(name).unwrap()) {
        let mut once = model(optimizer.clone());
        once.fit(&x, &y, &options(6)).unwrap();
        let mut twice = model(optimizer);
        twice.fit(&x, &y, &options(2)).unwrap();
        twice.fit(&x, &y, &options(4)).unwrap();
        assert_eq!(once.weights(), twice.weights());
    }
}

#[test]
fn a_run_goes_on_from_its_weights_and_progress_in_another_network() {
    let (x, labels) = data(48);
    let y = Targets::from(labels);
    for optimizer in Optimizer::NAMES.map(|name| Optimizer::by_name(name).unwrap()) {
        let mut first = model(optimizer.clone());
        assert_eq!(first.progress().unwrap().steps, 0);
        first.fit(&x, &y, &options(2)).unwrap();
        let mut second = model(optimizer);
        second.set_weights(first.weights()).unwrap();
        second.set_progress(&first.progress().unwrap()).unwrap();
        first.fit(&x, &y, &options(3)).unwrap();
        second.fit(&x, &y, &options(3)).unwrap();
        assert!(first.same_weights(&second));
        // Back to the beginning.
        let untouched = model(Optimizer::sgd());
        second.set_progress(&untouched.progress().unwrap()).unwrap();
        assert_eq!(second.progress().unwrap().steps, 0);
    }
    let mut other = model(Optimizer::sgd());
    let mut weights = other.weights();
    weights.pop();
    let err = other.set_weights(weights).unwrap_err().to_string();
    assert!(err.starts_with("dense layers with weights: expected"), "{err}");
    let mut adam = model(Optimizer::adam());
    adam.fit(&x, &y, &options(1)).unwrap();
    assert!(other.set_progress(&adam.progress().unwrap()).is_err());
}

#[test]
fn a_callback_sets_the_learning_rate_from_an_epoch_on() {
    struct Slower(Vec<Option<f64>>);
    impl Callback for Slower {
        fn learning_rate(&mut self, epoch: usize) -> Option<f64> {
            self.0[epoch - 1]
        }
    }
    let (x, labels) = data(48);
    let y = Targets::from(labels);
    let mut steered = model(Optimizer::adam());
    let mut slower = Slower(vec![None, None, Some(0.25), None]);
    let history = steered.fit_with(&x, &y, &options(4), &mut [&mut slower]).unwrap();
    assert_eq!(history.series("learning_rate"), Some(vec![0.001, 0.001, 0.25, 0.25]));
    let mut by_hand = model(Optimizer::adam());
    by_hand.fit(&x, &y, &options(2)).unwrap();
    let (weights, progress) = (by_hand.weights(), by_hand.progress().unwrap());
    let faster = Optimizer::adam().with_learning_rate(LearningRate::Constant(0.25));
    by_hand.compile(faster.clone(), Loss::SparseCategoricalCrossentropy, &[]).unwrap();
    by_hand.set_weights(weights).unwrap();
    by_hand.set_progress(&progress).unwrap();
    by_hand.fit(&x, &y, &options(2)).unwrap();
    assert!(steered.same_weights(&by_hand));
    assert_eq!(steered.optimizer(), Some(&faster));
    let mut bad = Slower(vec![Some(-1.0)]);
    assert!(steered.fit_with(&x, &y, &options(1), &mut [&mut bad]).is_err());
}

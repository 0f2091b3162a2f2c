//! The published Reuters example on the real data: the figures of its log, and real Keras from the
//! same starting weights.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

use safetensors::SafeTensors;
use serde_json::Value;
use slugline::classifier::{Classifier, TrainingOptions};
use slugline::corpus::{Corpus, SequenceOptions, reuters};
use slugline::nn::{
    Activation, Dense, EpsilonPlacement, FitOptions, LearningRate, Loss, Metric, Optimizer,
    Sequential, Validation, Weights, to_categorical,
};
use slugline::text::multi_hot;

/// Says something on standard error. Not by a macro: what those print in a passing test is not shown.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The corpus, or `None` after a loud word where the data are not at hand.
fn corpus(test: &str) -> Option<&'static Corpus> {
    static CORPUS: OnceLock<Option<Corpus>> = OnceLock::new();
    let corpus = CORPUS.get_or_init(|| {
        let folder = PathBuf::from(std::env::var_os("SLUGLINE_DATA_DIR")?);
        let source = reuters::Source::in_folder(&folder)?;
        let options = SequenceOptions { num_words: Some(10_000), ..Default::default() };
        Some(reuters::load(&source, reuters::Variant::Original, &options).unwrap())
    });
    if corpus.is_none() {
        say(&format!("SKIPPED (set SLUGLINE_DATA_DIR): {test}"));
    }
    corpus.as_ref()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn best(classifier: &Classifier, key: &str) -> f64 {
    let series = classifier.record().history.series(key).unwrap();
    series.into_iter().fold(f64::MIN, f64::max)
}

/// Says the value, and fails unless it lies in the range.
fn within(what: &str, value: f64, range: std::ops::RangeInclusive<f64>) {
    say(&format!("{what}: {value:.4}"));
    assert!(range.contains(&value), "{what}: {value} is outside {range:?}");
}

#[test]
fn twenty_epochs_end_where_the_published_log_ends() {
    let Some(corpus) = corpus("twenty_epochs_end_where_the_published_log_ends") else { return };
    let runs: Vec<Classifier> = (0..5)
        .map(|seed| {
            Classifier::train(corpus, &TrainingOptions { seed, ..Default::default() }).unwrap()
        })
        .collect();
    let network = runs[0].network();
    let counts: Vec<usize> = network.summary().layers.iter().map(|l| l.parameters).collect();
    assert_eq!((&counts[..], network.parameter_count()), (&[640_064, 4_160, 2_990][..], 647_214));
    let last = |key: &str| mean(runs.iter().map(|c| c.record().history.last(key).unwrap()));
    within("training loss after 20 epochs (published 0.111)", last("loss"), 0.105..=0.120);
    within("training accuracy (published 0.959)", last("accuracy"), 0.954..=0.962);
    let validation = mean(runs.iter().map(|c| best(c, "val_accuracy")));
    within("best validation accuracy (published 0.815)", validation, 0.805..=1.0);

    // The 4-unit bottleneck, in the published batches of 128 and in those of the other figures.
    for batch_size in [128, 512] {
        let validation = |middle| {
            mean((0..5).map(|seed| {
                let hidden = vec![64, middle];
                let options = TrainingOptions { hidden, batch_size, seed, ..Default::default() };
                best(&Classifier::train(corpus, &options).unwrap(), "val_accuracy")
            }))
        };
        let (wide, narrow) = (validation(64), validation(4));
        say(&format!("best validation accuracy, batches of {batch_size}, 64 units: {wide:.4}"));
        within("the same, 4 units (published about 0.71)", narrow, 0.5..=wide - 0.05);
    }
}

#[test]
fn six_epochs_reach_the_published_test_accuracy() {
    let Some(corpus) = corpus("six_epochs_reach_the_published_test_accuracy") else { return };
    let runs: Vec<Classifier> = (0..10)
        .map(|seed| {
            let options = TrainingOptions { epochs: 6, seed, ..Default::default() };
            Classifier::train(corpus, &options).unwrap()
        })
        .collect();
    let loss = |epoch: usize| {
        mean(runs.iter().map(|c| c.record().history.series("loss").unwrap()[epoch - 1]))
    };
    within("training loss after epoch 1 (published 2.54)", loss(1), 2.45..=2.80);
    within("training loss after epoch 6 (published 0.512)", loss(6), 0.495..=0.535);
    let scores: Vec<_> = runs.iter().map(|c| c.evaluate(&corpus.test).unwrap()).collect();
    let accuracy = mean(scores.iter().map(|e| e.accuracy));
    within("test accuracy (published 0.776 and 0.780)", accuracy, 0.775..=1.0);
    let baselines = scores[0].baselines;
    within("majority class", baselines.majority, 0.361..=0.363);
    within(
        "random permutation (published 0.18 to 0.19)",
        baselines.random_permutation,
        0.18..=0.195,
    );
}

#[test]
fn integer_labels_train_the_same_model_as_one_hot_labels() {
    let Some(corpus) = corpus("integer_labels_train_the_same_model_as_one_hot_labels") else {
        return;
    };
    let train = |loss| {
        let options = TrainingOptions { epochs: 2, loss, ..Default::default() };
        Classifier::train(corpus, &options).unwrap()
    };
    let one_hot = train(Loss::CATEGORICAL_CROSSENTROPY);
    let integer = train(Loss::SparseCategoricalCrossentropy);
    assert_eq!(one_hot.network().weights(), integer.network().weights());
    assert_eq!(one_hot.record().history, integer.record().history);
}

#[test]
fn any_number_of_threads_trains_the_same_model() {
    let Some(corpus) = corpus("any_number_of_threads_trains_the_same_model") else { return };
    let train = |threads| {
        let options = TrainingOptions { epochs: 2, threads, ..Default::default() };
        Classifier::train(corpus, &options).unwrap()
    };
    let alone = train(1);
    for threads in [2, 3, 8] {
        let classifier = train(threads);
        assert_eq!(classifier.network().weights(), alone.network().weights(), "{threads} threads");
        assert_eq!(classifier.record().history, alone.record().history, "{threads} threads");
    }
}

/// The goldens are from `scripts/goldens/keras_goldens.py`; their header names the versions.
#[test]
fn from_keras_own_weights_the_epoch_losses_follow_keras() {
    let Some(corpus) = corpus("from_keras_own_weights_the_epoch_losses_follow_keras") else {
        return;
    };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../slugline-nn/tests/golden");
    let golden: Value =
        serde_json::from_slice(&std::fs::read(folder.join("keras_reuters.json")).unwrap()).unwrap();
    let start = std::fs::read(folder.join("keras_reuters_start.safetensors")).unwrap();
    let start = SafeTensors::deserialize(&start).unwrap();
    let weights = |name: String| -> Weights {
        let bytes = start.tensor(&name).unwrap().data().to_vec();
        let (numbers, _) = bytes.as_chunks::<4>();
        numbers.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>().into()
    };
    let x = multi_hot(&corpus.train, 10_000).unwrap();
    let labels = corpus.train.labels();
    let y = |range: std::ops::Range<usize>| to_categorical(&labels[range], 46).unwrap().into();
    let (x_train, y_train) = (x.slice_rows(1000..8982).unwrap(), y(1000..8982));
    let (x_val, y_val) = (x.slice_rows(0..1000).unwrap(), y(0..1000));
    let x_test = multi_hot(&corpus.test, 10_000).unwrap();
    let y_test = to_categorical(corpus.test.labels(), 46).unwrap().into();

    for (run, epsilon_placement, epsilon) in [
        ("rmsprop_keras_3", EpsilonPlacement::InsideRoot, 1e-7),
        // Keras 3 with a tiny epsilon stands for the form of Keras 2.2.4, whose epsilon outside the
        // root is as good as none.
        ("rmsprop_like_keras_2_2_4", EpsilonPlacement::InsideRoot, 1e-14),
        ("rmsprop_like_keras_2_2_4", EpsilonPlacement::OutsideRoot, 1e-7),
    ] {
        let golden = golden["runs"].as_array().unwrap().iter().find(|r| r["name"] == run).unwrap();
        let layers = [
            Dense::new(64).activation(Activation::Relu).into(),
            Dense::new(64).activation(Activation::Relu).into(),
            Dense::new(46).activation(Activation::Softmax).into(),
        ];
        let parameters = ["dense", "dense_1", "dense_2"]
            .map(|n| (weights(format!("{n}.kernel")), weights(format!("{n}.bias"))));
        let mut model = Sequential::from_parameters(10_000, layers, parameters, 0).unwrap();
        let optimizer = Optimizer::RmsProp {
            learning_rate: LearningRate::Constant(0.001),
            rho: 0.9,
            epsilon,
            epsilon_placement,
        };
        model.compile(optimizer, Loss::CATEGORICAL_CROSSENTROPY, &[Metric::Accuracy]).unwrap();
        let options = FitOptions {
            epochs: 6,
            batch_size: 512,
            shuffle: false,
            validation: Validation::Data(&x_val, &y_val),
            ..Default::default()
        };
        let history = model.fit(&x_train, &y_train, &options).unwrap();
        for key in ["loss", "val_loss"] {
            let want: Vec<f64> = golden["history"][key]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap())
                .collect();
            let got = history.series(key).unwrap();
            for (epoch, (got, want)) in got.iter().zip(&want).enumerate() {
                let error = (got - want).abs() / want;
                assert!(error < 0.01, "{run}: {key} of epoch {}: {got} for {want}", epoch + 1);
            }
        }
        let test = model.evaluate(&x_test, &y_test).unwrap();
        let want = golden["test"]["accuracy"].as_f64().unwrap();
        within("test accuracy", test.get("accuracy").unwrap(), want - 0.01..=want + 0.01);
    }
}

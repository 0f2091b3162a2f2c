//! Runs that are ended and gone on with end as if nothing had happened.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use slugline::checkpoint::{Checkpoints, Interval};
use slugline::classifier::{
    AutoOptions, Classifier, ClassifierError, Preset, TrainingOptions, ValidationSplit,
};
use slugline::corpus::{Corpus, Documents, SequenceOptions, sample};
use slugline::nn::{
    BatchReport, Callback, Flow, LearningRate, Loss, Optimizer, SparseRule, StopReason,
};
use slugline::text::VectorizerOptions;

const ALWAYS: Interval = Interval::Every(Duration::ZERO);

fn corpus() -> Corpus {
    sample::load(&SequenceOptions { num_words: Some(1000), ..Default::default() }).unwrap()
}

/// Stops after so many steps of the run.
struct StopAfter(usize);

impl Callback for StopAfter {
    fn on_batch_end(&mut self, _: &BatchReport) -> Flow {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Flow::Stop } else { Flow::Continue }
    }
}

fn lines() -> Vec<TrainingOptions> {
    let base = TrainingOptions { max_features: 1000, epochs: 4, ..Preset::Notebook.options() };
    let adam = |sparse_rule| Optimizer::Adam {
        learning_rate: LearningRate::CosineDecay {
            initial_learning_rate: 0.003,
            decay_steps: 64,
            alpha: 0.0,
            warmup_target: None,
            warmup_steps: 0,
        },
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        sparse_rule,
    };
    let momentum = Optimizer::Sgd {
        learning_rate: LearningRate::Constant(0.05),
        momentum: 0.9,
        nesterov: true,
        sparse_rule: SparseRule::Dense,
    };
    vec![
        base.clone(),
        TrainingOptions { optimizer: adam(SparseRule::Dense), dropout: 0.4, ..base.clone() },
        TrainingOptions { optimizer: adam(SparseRule::Lazy), average: 3, ..base.clone() },
        TrainingOptions { optimizer: Optimizer::adagrad(), l2: 1e-4, ..base.clone() },
        TrainingOptions { optimizer: momentum, patience: Some(1), ..base.clone() },
        TrainingOptions { ensemble: 3, dropout: 0.2, hidden: vec![20, 8], ..base },
    ]
}

#[test]
fn every_kind_of_network_goes_on_on_other_threads() {
    let corpus = corpus();
    for (number, options) in lines().into_iter().enumerate() {
        let place = tempfile::tempdir().unwrap();
        let whole = Classifier::train(&corpus, &options).unwrap().to_bytes().unwrap();
        let kept = || Checkpoints::new(place.path(), ALWAYS);
        // 16 steps an epoch: in the second one, then in the third or fourth.
        let first = TrainingOptions { threads: 1, ..options.clone() };
        let stop = &mut StopAfter((20 + number) * options.ensemble);
        let broken = Classifier::train_resumable(&corpus, &first, &mut [stop], &kept()).unwrap();
        assert_eq!(broken.record().history.stop_reason, StopReason::Interrupted);
        assert!(kept().exists().unwrap(), "{options:?}");
        let second = TrainingOptions { threads: 2, ..options.clone() };
        let stop = &mut StopAfter((18 + number) * options.ensemble);
        let kept_on = kept().resuming(true);
        Classifier::train_resumable(&corpus, &second, &mut [stop], &kept_on).unwrap();
        let third = TrainingOptions { threads: 3, ..options.clone() };
        let again =
            Classifier::train_resumable(&corpus, &third, &mut [], &kept().resuming(true)).unwrap();
        assert!(again.to_bytes().unwrap() == whole, "{options:?}");
    }
}

fn documents(classes: usize, each: usize) -> Documents {
    let words = ["wheat", "gold", "bank", "ship", "film", "rain", "goal", "court"];
    let names = (0..classes).map(|i| format!("class {i}")).collect();
    let mut documents = Documents::new(names);
    for i in 0..classes * each {
        let class = i % classes;
        let other = words[(i * 5 + i / 7) % words.len()];
        let text = format!("{} {other} fell w{} and x{}", words[class], i % 11, i % 17);
        documents.push(&text, class as u32);
    }
    documents
}

#[test]
fn settings_with_features_go_on_and_calibrate_the_same() {
    let documents = documents(3, 40);
    let options = TrainingOptions {
        vectorizer: Some(VectorizerOptions { word_ngrams: 2, ..Default::default() }.tf_idf(true)),
        hidden: vec![8],
        dropout: 0.3,
        optimizer: Optimizer::adam(),
        loss: Loss::CategoricalCrossentropy { label_smoothing: 0.1 },
        batch_size: 8,
        epochs: 5,
        validation: ValidationSplit::Fraction(0.2),
        ..TrainingOptions::default()
    };
    let train = |stop: usize, kept: &Checkpoints| {
        let stop = &mut StopAfter(stop);
        Classifier::train_documents_resumable(&documents, "d", &options, &mut [stop], kept).unwrap()
    };
    let whole = train(usize::MAX, &Checkpoints::none()).to_bytes().unwrap();
    let place = tempfile::tempdir().unwrap();
    train(30, &Checkpoints::new(place.path(), ALWAYS));
    let kept = Checkpoints::new(place.path(), ALWAYS).resuming(true);
    assert!(train(usize::MAX, &kept).to_bytes().unwrap() == whole);
}

#[test]
fn auto_goes_on_and_does_not_try_again_what_is_finished() {
    let documents = documents(4, 30);
    for auto in [
        AutoOptions { seed: 3, ..AutoOptions::default() },
        AutoOptions { ensemble: 2, average: 2, ..AutoOptions::default() },
    ] {
        let steps = AtomicUsize::new(0);
        let train = |most: usize, final_steps: usize, threads, kept: &Checkpoints| {
            steps.store(0, Ordering::SeqCst);
            let go_on = || match steps.fetch_add(1, Ordering::SeqCst) + 1 >= most {
                true => Flow::Stop,
                false => Flow::Continue,
            };
            let auto = AutoOptions { threads, ..auto };
            let stop = &mut StopAfter(final_steps);
            Classifier::train_auto_resumable(&documents, "d", auto, &go_on, &mut [stop], kept)
        };
        let never = usize::MAX;
        let whole = train(never, never, 2, &Checkpoints::none()).unwrap().to_bytes().unwrap();
        let all = steps.load(Ordering::SeqCst);
        let place = tempfile::tempdir().unwrap();
        let kept = || Checkpoints::new(place.path(), ALWAYS);
        // Ended while candidates are tried, then while the last network is trained.
        let error = train(all / 2, never, 1, &kept()).unwrap_err();
        assert!(matches!(error, ClassifierError::Interrupted));
        train(never, 25, 3, &kept().resuming(true)).unwrap();
        let left = steps.load(Ordering::SeqCst);
        assert!(left > 0 && left < all, "{left} of {all}");
        let again = train(never, never, 1, &kept().resuming(true)).unwrap();
        assert_eq!(steps.load(Ordering::SeqCst), 0, "candidates were tried again");
        assert!(again.to_bytes().unwrap() == whole, "{auto:?}");

        let other = AutoOptions { seed: 9, ..auto };
        let kept = kept().resuming(true);
        let go_on = || Flow::Continue;
        let error =
            Classifier::train_auto_resumable(&documents, "d", other, &go_on, &mut [], &kept);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("settings.seed is") && error.contains("9 here"), "{error}");
    }
}

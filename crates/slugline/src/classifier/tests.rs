//! Training on documents with labels of every kind.

use super::train::Fitting;
use super::*;
use crate::checkpoint::Part;
use crate::corpus::Documents;
use crate::corpus::Labels;
use crate::nn::{CsrMatrix, Flow, LearningRate, Loss, Matrix, Optimizer};

const CLASSES: [&str; 3] = ["grain", "metal", "energy"];
const WORDS: [[&str; 3]; 3] =
    [["wheat", "corn", "barley"], ["gold", "silver", "zinc"], ["oil", "gas", "coal"]];

fn names() -> Vec<String> {
    CLASSES.map(String::from).to_vec()
}

/// A text with a word of each class in the set.
fn text(i: usize, set: &[u32]) -> String {
    let words: Vec<&str> = set.iter().map(|&class| WORDS[class as usize][i % 3]).collect();
    format!("{} moved on day {}", words.join(" and "), i % 7)
}

/// Documents with none, one, two or three classes.
fn several(n: usize) -> Documents {
    let sets = (0..n).map(|i| (0..3).filter(|&class| (i / 3) >> class & 1 == 1).collect());
    let sets: Vec<Vec<u32>> = sets.collect();
    let mut documents = Documents::of_kind(names(), LabelKind::Multi);
    sets.iter().enumerate().for_each(|(i, set)| documents.push_text(&text(i, set)));
    documents.with_labels(Labels::Multi(sets)).unwrap()
}

/// Documents of two classes, which word is in them says with which shares.
fn soft(n: usize) -> Documents {
    let mut documents = Documents::of_kind(names(), LabelKind::Soft);
    let mut shares = Vec::new();
    for i in 0..n {
        documents.push_text(&text(i, &[(i / 3 % 3) as u32]));
        shares.extend([[0.8, 0.2, 0.0], [0.1, 0.9, 0.0], [0.3, 0.3, 0.4]][i / 3 % 3]);
    }
    documents.with_labels(Labels::Soft(Matrix::new(n, 3, shares).unwrap())).unwrap()
}

fn auto(documents: &Documents, options: AutoOptions) -> Result<Classifier, ClassifierError> {
    Classifier::train_auto(documents, "made up", options, &|| Flow::Continue, &mut [])
}

fn trained(
    documents: &Documents,
    options: &TrainingOptions,
) -> Result<Classifier, ClassifierError> {
    Classifier::train_documents(documents, "made up", options, &mut [])
}

/// The bytes of the model file.
fn bytes(classifier: &Classifier) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.slug");
    classifier.save(&path).unwrap();
    let loaded = Classifier::load(&path).unwrap();
    assert_eq!(loaded.predict("wheat and gas"), classifier.predict("wheat and gas"));
    assert_eq!(loaded.calibration(), classifier.calibration());
    // The number of threads is no part of a model.
    let mut record = classifier.record().clone();
    record.options.threads = 0;
    assert_eq!(loaded.record(), &record);
    std::fs::read(path).unwrap()
}

#[test]
fn documents_with_any_number_of_labels_are_learned() {
    let documents = several(240);
    let classifier = auto(&documents, AutoOptions::default()).unwrap();
    assert_eq!(classifier.label_kind(), LabelKind::Multi);
    let record = classifier.record();
    assert_eq!(record.options.loss.name(), "binary_crossentropy");
    assert_eq!(record.class_counts, documents.class_counts());
    assert!(record.history.last("micro_f1").unwrap() > 0.95, "{:?}", record.history);
    let tried = record.auto.as_ref().unwrap();
    assert!(tried.candidates.iter().all(|candidate| candidate.micro_f1.is_some()));
    assert!(
        matches!(classifier.calibration(), Calibration::Platt { scales, .. } if scales.len() == 3)
    );
    for (text, want) in [
        ("wheat and zinc moved", [true, true, false]),
        ("oil", [false, false, true]),
        ("moved on day 3", [false; 3]),
        ("barley and gold and coal moved", [true; 3]),
    ] {
        let answer = classifier.predict(text).probabilities;
        assert_eq!(answer.iter().map(|&p| p > 0.5).collect::<Vec<_>>(), want, "{text}: {answer:?}");
    }
    let file = bytes(&classifier);
    for threads in [1, 2, 3] {
        let same = auto(&documents, AutoOptions { threads, ..Default::default() }).unwrap();
        assert!(bytes(&same) == file, "{threads} threads differ");
    }
    assert!(
        bytes(&auto(&documents, AutoOptions { seed: 1, ..Default::default() }).unwrap()) != file
    );
}

#[test]
fn shares_are_learned_as_shares() {
    let documents = soft(180);
    let classifier = auto(&documents, AutoOptions::default()).unwrap();
    assert_eq!(classifier.label_kind(), LabelKind::Soft);
    assert!(matches!(classifier.calibration(), Calibration::Temperature { .. }));
    for (text, want) in [
        ("wheat moved", [0.8, 0.2, 0.0]),
        ("zinc moved", [0.1, 0.9, 0.0]),
        ("oil", [0.3, 0.3, 0.4]),
    ] {
        let answer = classifier.predict(text).probabilities;
        let near = answer.iter().zip(want).all(|(p, share)| (p - share).abs() < 0.12);
        assert!(near, "{text}: {answer:?} for {want:?}");
        assert!((answer.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let file = bytes(&classifier);
    for threads in [1, 2, 3] {
        let same = auto(&documents, AutoOptions { threads, ..Default::default() }).unwrap();
        assert!(bytes(&same) == file, "{threads} threads differ");
    }
}

#[test]
fn every_preset_trains_on_every_kind() {
    for documents in [several(120), soft(120)] {
        let kind = documents.label_kind();
        for preset in Preset::ALL {
            let options = TrainingOptions {
                max_features: 60,
                hidden: vec![16],
                epochs: 30,
                batch_size: 8,
                validation: ValidationSplit::Fraction(0.2),
                class_weight: ClassWeight::Balanced,
                ..preset.options()
            };
            let classifier = trained(&documents, &options.clone().for_labels(kind)).unwrap();
            let (first, last) = (
                classifier.record().history.first("val_loss"),
                classifier.record().history.last("val_loss"),
            );
            assert!(last.unwrap() < first.unwrap(), "{kind:?} {}", preset.name());
            let metal = classifier.predict("gold moved on day 1").probabilities[1];
            assert!(metal > 0.5, "{kind:?} {}: {metal}", preset.name());
            let mut files = [1, 2, 3].map(|threads| {
                let options = TrainingOptions { threads, ..options.clone().for_labels(kind) };
                bytes(&trained(&documents, &options).unwrap())
            });
            files.sort();
            assert!(files[0] == files[2], "{kind:?} {}", preset.name());
        }
        let wrong =
            TrainingOptions { loss: Loss::SparseCategoricalCrossentropy, ..Preset::Text.options() };
        let error = trained(&documents, &wrong).unwrap_err();
        assert!(matches!(error, ClassifierError::LossForLabels { .. }), "{error}");
    }
}

#[test]
fn documents_set_apart_choose_and_calibrate_and_are_not_trained_on() {
    let mut documents = several(120);
    let mut apart = Documents::of_kind(names(), LabelKind::Multi);
    for _ in 0..9 {
        apart.push_text("wheat and quartz moved");
    }
    documents.append(&apart.with_labels(Labels::Multi(vec![vec![0]; 9])).unwrap()).unwrap();
    let validation = ValidationSplit::Last(9);
    let options = TrainingOptions {
        epochs: 2,
        validation,
        ..Preset::Text.options().for_labels(LabelKind::Multi)
    };
    let chosen = auto(&documents, AutoOptions { validation, ..Default::default() }).unwrap();
    let tried = chosen.record().auto.as_ref().unwrap();
    assert_eq!((tried.train_samples, tried.held_out_samples), (120, 9));
    for classifier in [chosen, trained(&documents, &options).unwrap()] {
        let corpus = &classifier.record().corpus;
        assert_eq!((corpus.train_samples, corpus.validation_samples), (120, 9));
        assert_eq!(classifier.predict("quartz").unknown_words, 1);
        assert!(matches!(classifier.calibration(), Calibration::Platt { .. }));
    }
    let numbered = TrainingOptions {
        vectorizer: None,
        max_features: 100,
        optimizer: Optimizer::rmsprop(),
        ..options
    };
    let corpus = trained(&documents, &numbered).unwrap().record().corpus.clone();
    assert_eq!((corpus.train_samples, corpus.validation_samples), (120, 9));

    let all = ValidationSplit::Last(129);
    let error =
        auto(&documents, AutoOptions { validation: all, ..Default::default() }).unwrap_err();
    assert!(error.to_string().contains("leaves 0 of 129"), "{error}");
    let none = auto(&several(1), AutoOptions::default()).unwrap_err();
    assert!(matches!(none, ClassifierError::TooFew { documents: 1, .. }), "{none}");
}

/// With all documents in one batch, a weight of 2 is the document twice; the mean is over one document
/// more then, which a larger learning rate makes up for.
#[test]
fn a_weight_of_2_is_the_document_twice() {
    let rows = |places: &[usize]| {
        let mut x = CsrMatrix::with_cols(6);
        for &i in places {
            x.push_row(&[(i % 3) as u32, 3 + (i % 2) as u32], &[1.0, 0.5 + i as f32]).unwrap();
        }
        x
    };
    let once: Vec<usize> = (0..6).collect();
    let twice: Vec<usize> = once.iter().copied().chain([4]).collect();
    let weights = [1.0, 1.0, 1.0, 1.0, 2.0, 1.0];
    let single = Labels::Single(vec![0, 1, 2, 0, 1, 2]);
    let multi = Labels::Multi(vec![vec![0, 1], vec![], vec![2], vec![0], vec![1, 2], vec![0]]);
    let soft = Labels::Soft(Matrix::new(6, 3, [0.5, 0.25, 0.25, 0.0, 0.1, 0.9].repeat(3)).unwrap());
    for labels in [single, multi, soft] {
        let train = |places: &[usize], weights: Option<&[f32]>| {
            let rate = LearningRate::Constant(0.05 * places.len() as f64);
            let options = TrainingOptions {
                hidden: vec![5],
                optimizer: Optimizer::sgd().with_learning_rate(rate),
                epochs: 20,
                batch_size: 100,
                ..TrainingOptions::default().for_labels(labels.kind())
            };
            let y = labels.select(places);
            let x = rows(places);
            let class_names = &names();
            let fitting = Fitting {
                options: &options,
                class_names,
                x: &x,
                y: &y,
                held_out: None,
                weights,
                start: None,
            };
            let fitted = fitting.run(&Part::none(), &mut []).unwrap();
            fitted.network.predict(&rows(&once)).unwrap()
        };
        let (weighted, doubled) = (train(&once, Some(&weights)), train(&twice, None));
        let plain = train(&once, None);
        let distance = |a: &Matrix, b: &Matrix| {
            a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(distance(&weighted, &doubled) < 1e-5, "{:?}", labels.kind());
        assert!(distance(&weighted, &plain) > 1e-3, "{:?}", labels.kind());
    }
}

#[test]
fn weights_of_documents_reach_every_way_of_training() {
    for preset in Preset::ALL {
        let options = TrainingOptions {
            max_features: 60,
            epochs: 2,
            validation: ValidationSplit::None,
            ..preset.options().for_labels(LabelKind::Multi)
        };
        let weights: Vec<f32> = (0..60).map(|i| (i % 4) as f32).collect();
        let plain = several(60);
        let ones = plain.clone().with_weights(Some(vec![1.0; 60])).unwrap();
        let weighted = plain.clone().with_weights(Some(weights)).unwrap();
        let answer =
            |documents| trained(documents, &options).unwrap().predict("zinc").probabilities;
        assert_eq!(answer(&plain), answer(&ones), "{}", preset.name());
        assert_ne!(answer(&plain), answer(&weighted), "{}", preset.name());
    }
}

#[test]
fn texts_lie_where_the_last_hidden_layer_puts_them() {
    let documents = several(120);
    let options = TrainingOptions {
        hidden: vec![8],
        epochs: 2,
        loss: Loss::BINARY_CROSSENTROPY,
        ..Preset::Text.options()
    };
    let classifier = trained(&documents, &options).unwrap();
    let texts: Vec<&str> = documents.texts().collect();
    let rows = classifier.embed(&texts).unwrap();
    assert_eq!((rows.rows(), rows.cols()), (120, 8));
    let mut x = CsrMatrix::with_cols(classifier.network().input_width());
    let mut buffer = crate::text::FeatureBuffer::default();
    for text in &texts {
        let row = classifier.vectorizer().vectorize(text, &mut buffer);
        x.push_row(row.indices, row.values).unwrap();
    }
    assert_eq!(rows, classifier.network().hidden(&x).unwrap());
    assert_eq!(crate::nn::with_threads(1, || classifier.embed(&texts)).unwrap().unwrap(), rows);
    assert_eq!(classifier.embed::<&str>(&[]).unwrap().rows(), 0);
}

use super::*;
use crate::classifier::{TrainingOptions, TrainingRecord, ValidationSplit};
use crate::corpus::{Corpus, CorpusInfo, Labels, SequenceOptions};
use crate::decision::Decisions;
use crate::evaluation::Mean;
use crate::nn::{LearningRate, Loss, Optimizer};

const NAMES: [&str; 3] = ["grain", "metal", "oil"];

const TEXTS: [(&str, u32); 6] = [
    ("wheat and corn fell", 0),
    ("gold rose", 1),
    ("crude oil rose", 2),
    ("silver and gold fell", 1),
    ("corn and wheat", 0),
    ("oil and crude", 2),
];

/// Trained on the texts, with the classes in an order of numbers.
fn train(order: [usize; 3], loss: Loss) -> Classifier {
    let place = |class: u32| order.iter().position(|&at| at == class as usize).unwrap() as u32;
    let info = CorpusInfo {
        name: "goods".into(),
        description: "made up for a test".into(),
        class_names: order.map(|at| NAMES[at].to_owned()).to_vec(),
    };
    let sequences =
        SequenceOptions { num_words: Some(30), test_split: 0.0, ..SequenceOptions::default() };
    let options = TrainingOptions {
        max_features: 30,
        hidden: vec![16],
        epochs: 40,
        batch_size: 2,
        loss,
        optimizer: Optimizer::rmsprop().with_learning_rate(LearningRate::Constant(0.02)),
        validation: ValidationSplit::None,
        ..TrainingOptions::default()
    };
    let texts = TEXTS.map(|(text, class)| (text, place(class)));
    Classifier::train(&Corpus::from_texts(info, texts, &sequences).unwrap(), &options).unwrap()
}

fn single() -> Classifier {
    train([0, 1, 2], Loss::CATEGORICAL_CROSSENTROPY)
}

/// The same with other classes' names.
fn renamed(classifier: &Classifier, names: [&str; 3]) -> Classifier {
    Classifier::from_parts(
        classifier.vectorizer().clone(),
        classifier.network().clone(),
        names.map(str::to_owned).to_vec(),
        classifier.record().clone(),
    )
    .unwrap()
}

fn multi(order: [usize; 3]) -> Classifier {
    let c = train(order, Loss::BINARY_CROSSENTROPY);
    let record = TrainingRecord { label_kind: LabelKind::Multi, ..c.record().clone() };
    let names = c.class_names().to_vec();
    Classifier::from_parts(c.vectorizer().clone(), c.network().clone(), names, record).unwrap()
}

fn documents() -> Documents {
    let mut documents = Documents::new(NAMES.map(str::to_owned).to_vec());
    for (text, class) in TEXTS {
        documents.push(text, class);
    }
    documents
}

fn compare(a: &Classifier, b: &Classifier, documents: &Documents) -> Comparison {
    Comparison::new(a, b, documents, "goods", &CompareOptions::default()).unwrap()
}

#[test]
fn classes_are_found_by_their_names() {
    let a = single();
    let b = train([2, 0, 1], Loss::CATEGORICAL_CROSSENTROPY);
    let same = compare(&a, &b, &documents());
    assert_eq!(same.mcnemar, McNemar::new(6, 0, 0, 0));
    assert_eq!((same.changed, same.changes.as_slice()), (0, &[][..]));
    assert_eq!(same.scores[0].name, "accuracy");
    assert_eq!(same.score(Score::Accuracy).unwrap().b, 1.0);
    assert_eq!(same.score(Score::F1(Mean::Macro)).unwrap().difference_interval, Some([0.0, 0.0]));
    // The documents may have the classes in either order, or in a third one.
    for order in [[2, 0, 1], [1, 0, 2]] {
        let other = documents_of(&train(order, Loss::CATEGORICAL_CROSSENTROPY));
        assert_eq!(compare(&a, &b, &other).mcnemar, same.mcnemar);
    }
    // The order of the classes of both is turned round, and the scores are those of B alone.
    let turned = documents_of(&b);
    let back = compare(&b, &a, &turned);
    let alone = b.evaluate_documents(&turned, "goods").unwrap();
    for change in &same.scores {
        let other = back.score(change.score).unwrap();
        assert!((change.difference + other.difference).abs() < 1e-12, "{}", change.name);
        assert!((change.b - alone.score(change.score).unwrap()).abs() < 1e-12, "{}", change.name);
    }

    let labels = Labels::Multi(vec![vec![0], vec![1], vec![2], vec![1], vec![0], vec![2]]);
    let sets = documents().with_labels(labels).unwrap();
    let strict = Decisions { thresholds: vec![1.0, 0.5, 0.5], ..Decisions::default() };
    let b = multi([2, 0, 1]).with_decisions(strict).unwrap();
    let change = compare(&multi([0, 1, 2]), &b, &sets);
    // B never says oil, which is its first class.
    assert_eq!((change.scores[0].name.as_str(), change.mcnemar.only_a), ("all labels right", 2));
    let wanted =
        Change { from: vec!["oil".into()], to: vec![], documents: 2, a_right: 2, b_right: 0 };
    assert_eq!(change.changes, [wanted]);
    assert_eq!((change.classes[0].name.as_str(), change.classes[0].difference.f1), ("oil", -1.0));
}

#[test]
fn what_changes_is_told_by_answers_classes_and_documents() {
    let a = single();
    // Takes metal for oil and oil for metal.
    let b = renamed(&single(), ["grain", "oil", "metal"]);
    let options = CompareOptions { disagreements: 3, ..CompareOptions::default() };
    let change = Comparison::new(&a, &b, &documents(), "goods", &options).unwrap();
    assert_eq!(change.mcnemar, McNemar::new(2, 4, 0, 0));
    assert_eq!((change.samples, change.changed), (6, 4));
    let pair = |from: &str, to: &str| Change {
        from: vec![from.into()],
        to: vec![to.into()],
        documents: 2,
        a_right: 2,
        b_right: 0,
    };
    assert_eq!(change.changes, [pair("metal", "oil"), pair("oil", "metal")]);
    let classes: Vec<_> = change.classes.iter().map(|c| (c.name.as_str(), c.support)).collect();
    assert_eq!(classes, [("metal", 2), ("oil", 2), ("grain", 2)]);
    assert_eq!(change.classes[0].difference.recall, -1.0);
    let accuracy = &change.scores[0];
    assert!((accuracy.difference + 2.0 / 3.0).abs() < 1e-12);
    let [low, high] = accuracy.difference_interval.unwrap();
    assert!(low >= -1.0 && high <= 0.0, "{low} {high}");

    let found = &change.disagreements;
    assert!(found.only_b_right.is_empty() && found.both_wrong.is_empty());
    assert_eq!(found.only_a_right.len(), 3);
    let drop = |d: &Disagreement| d.a.truth_probability - d.b.truth_probability;
    assert!(found.only_a_right.windows(2).all(|pair| drop(&pair[0]) >= drop(&pair[1])));
    let first = &found.only_a_right[0];
    assert_eq!((&first.a.answer, first.place.as_ref()), (&first.truth, None));
    assert_eq!(first.text, TEXTS[first.document].0);
    assert_eq!(first.a.probability, first.a.truth_probability);
    // What the one is sure of, the other says of the class with the other name.
    assert_eq!(first.b.probability, first.a.probability);

    let turned = Comparison::new(&b, &a, &documents_of(&b), "goods", &options).unwrap();
    assert_eq!(turned.mcnemar, McNemar::new(2, 0, 4, 0));
    assert_eq!(turned.disagreements.only_b_right.len(), 3);
}

/// The documents with the classes in the order of a classifier.
fn documents_of(classifier: &Classifier) -> Documents {
    let mut documents = Documents::new(classifier.class_names().to_vec());
    for (text, class) in TEXTS {
        let name = NAMES[class as usize];
        let place = classifier.class_names().iter().position(|found| found == name).unwrap();
        documents.push(text, place as u32);
    }
    documents
}

#[test]
fn classifiers_with_too_little_in_common_are_refused() {
    let a = single();
    let options = CompareOptions::default();
    let refused = |a: &Classifier, b: &Classifier| {
        Comparison::new(a, b, &documents(), "goods", &options).unwrap_err()
    };
    let other = renamed(&single(), ["grain", "gold", "oil"]);
    let error = refused(&a, &other);
    assert!(matches!(&error, CompareError::Classes { class, .. } if class == "metal"));
    let wanted = "model A has the class `metal` and model B does not";
    assert!(error.to_string().contains(wanted), "{error}");
    let error = refused(&a, &multi([0, 1, 2]));
    assert!(matches!(error, CompareError::Kinds { single: Model::A, multi: Model::B }));
    let error = refused(&other, &other).to_string();
    assert!(error.contains("class 1 is `metal` there and `gold` here"), "{error}");

    let labels = Labels::Multi(vec![vec![]; 6]);
    let sets = documents().with_labels(labels).unwrap();
    let error = Comparison::new(&a, &a, &sets, "goods", &options).unwrap_err();
    let wanted = ClassifierError::LabelKind { found: LabelKind::Multi };
    assert_eq!(error.to_string(), wanted.to_string());
    let none = Documents::new(a.class_names().to_vec());
    assert!(Comparison::new(&a, &a, &none, "none", &options).is_err());
}

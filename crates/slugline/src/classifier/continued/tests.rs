//! What a model keeps and learns when it goes on.

use super::*;
use crate::classifier::AutoOptions;
use crate::nn::{BatchReport, Flow};

fn documents(classes: &[(&str, &str)], each: usize) -> Documents {
    let mut documents = Documents::new(classes.iter().map(|c| c.0.to_owned()).collect());
    for i in 0..each {
        for (class, (_, words)) in classes.iter().enumerate() {
            documents.push(&format!("{words} w{} x{}", i % 7, i % 5), class as u32);
        }
    }
    documents
}

const OLD: [(&str, &str); 2] = [("metal", "gold and silver rose"), ("grain", "wheat fell")];
const NEW: [(&str, &str); 3] =
    [("zinc", "zinc prices"), ("grain", "barley fell again"), ("Ship", "a tanker sank")];

fn parents() -> Vec<Classifier> {
    let old = documents(&OLD, 30);
    let go_on = || Flow::Continue;
    let auto = |auto| Classifier::train_auto(&old, "old", auto, &go_on, &mut []).unwrap();
    let numbered = TrainingOptions {
        max_features: 100,
        hidden: vec![8],
        epochs: 20,
        batch_size: 8,
        validation: ValidationSplit::None,
        ..TrainingOptions::default()
    };
    vec![
        auto(AutoOptions::default()),
        auto(AutoOptions { ensemble: 2, ..AutoOptions::default() }),
        Classifier::train_documents(&old, "old", &numbered, &mut []).unwrap(),
    ]
}

fn go_on(
    parent: &Classifier,
    options: &ContinueOptions,
    callbacks: &mut [&mut dyn Callback],
    checkpoints: &Checkpoints,
) -> Classifier {
    let (old, new) = (documents(&OLD, 30), documents(&NEW, 30));
    let replay = Some(Replay { documents: &old, share: Some(0.5) });
    Classifier::train_from(parent, &new, "new", replay, options, callbacks, checkpoints).unwrap()
}

#[test]
fn nothing_moves_before_the_first_step() {
    for parent in parents() {
        let still = ContinueOptions {
            learning_rate: Some(0.0),
            validation: 0.0,
            epochs: Some(1),
            ..ContinueOptions::default()
        };
        let child = go_on(&parent, &still, &mut [], &Checkpoints::none());
        // Old numbers first, new names sorted behind.
        assert_eq!(child.class_names(), ["metal", "grain", "Ship", "zinc"]);
        assert_eq!(child.calibration(), &parent.calibration().widened(4));
        let old = documents(&OLD, 5);
        for text in old.texts() {
            let (a, b) = (parent.predict(text), child.predict(text));
            let ratio = |p: &[f32]| f64::from(p[0]) / f64::from(p[1]);
            let (a, b) = (ratio(&a.probabilities), ratio(&b.probabilities));
            assert!((a / b - 1.0).abs() < 1e-4, "{a} {b}");
        }
    }
}

#[test]
fn new_classes_and_words_are_learned_and_old_ones_kept() {
    for parent in parents() {
        let options = ContinueOptions { epochs: Some(25), ..ContinueOptions::default() };
        let child = go_on(&parent, &options, &mut [], &Checkpoints::none());
        for (text, label) in [
            ("zinc prices", "zinc"),
            ("a tanker sank", "Ship"),
            ("gold and silver rose", "metal"),
            ("barley fell again", "grain"),
            ("wheat fell", "grain"),
        ] {
            assert_eq!(child.predict(text).label, label, "{text}");
        }
        let record = child.record();
        let ancestor = record.ancestor.as_ref().unwrap();
        assert_eq!(ancestor.checksum, parent.checksum().unwrap());
        assert_eq!((ancestor.classes, ancestor.replayed), (2, 30));
        assert_eq!(ancestor.features, parent.vectorizer().width());
        // A numbered vocabulary may have had room for the new words.
        assert!(child.vectorizer().width() >= ancestor.features);
        let known = |model: &Classifier| model.predict("zinc prices").unknown_words;
        assert_eq!((known(&parent), known(&child)), (2, 0));
        assert_eq!(record.class_counts, [30, 60, 30, 30]);
        assert_eq!(record.corpus.train_samples + record.corpus.validation_samples, 120);
        let stored = Classifier::from_bytes(child.to_bytes().unwrap()).unwrap();
        assert_eq!(stored.record(), record);
        assert_eq!(stored.checksum().unwrap(), child.checksum().unwrap());
        // And so it goes on.
        let grandchild = go_on(&stored, &options, &mut [], &Checkpoints::none());
        assert_eq!(grandchild.class_names(), child.class_names());
    }
}

struct StopAt(usize);

impl Callback for StopAt {
    fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
        if report.epoch == self.0 { Flow::Stop } else { Flow::Continue }
    }
}

#[test]
fn it_is_resumed_to_the_same_bytes() {
    let parent = parents().remove(0);
    let options = |threads| ContinueOptions { threads, average: 2, ..ContinueOptions::default() };
    let whole = go_on(&parent, &options(2), &mut [], &Checkpoints::none()).to_bytes().unwrap();
    let place = tempfile::tempdir().unwrap();
    let always = crate::checkpoint::Interval::Every(std::time::Duration::ZERO);
    let kept = || Checkpoints::new(place.path(), always);
    go_on(&parent, &options(1), &mut [&mut StopAt(3)], &kept());
    assert!(kept().exists().unwrap());
    let again = go_on(&parent, &options(3), &mut [], &kept().resuming(true));
    assert!(again.to_bytes().unwrap() == whole);
}

#[test]
fn what_cannot_be_gone_on_with_is_refused() {
    let parent = parents().remove(0);
    let (old, new) = (documents(&OLD, 3), documents(&NEW, 3));
    let refuse = |documents: &Documents, replay, options: &ContinueOptions| {
        let none = Checkpoints::none();
        let replay = Some(Replay { documents: replay, share: Some(1.0) });
        Classifier::train_from(&parent, documents, "x", replay, options, &mut [], &none)
            .unwrap_err()
            .to_string()
    };
    let usual = ContinueOptions::default();
    assert!(refuse(&new, &new, &usual).contains("the class `zinc`"));
    let empty = Documents::new(vec!["metal".into()]);
    assert!(refuse(&empty, &old, &usual).contains("the documents to go on with"));
    let all = ContinueOptions { validation: 1.0, ..usual };
    assert!(refuse(&new, &old, &all).starts_with("validation = 1"));
}

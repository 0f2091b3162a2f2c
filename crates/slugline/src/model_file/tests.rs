//! What a model file must keep, and what its reader must refuse.

use std::sync::Arc;

use super::*;
use crate::classifier::{Classifier, FoldScores, FoldsRecord, TrainingOptions, ValidationSplit};
use crate::corpus::{Corpus, CorpusInfo, Documents, SequenceOptions};
use crate::decision::{Aim, DecisionOptions, Threshold};
use crate::nn::{Activation, Loss, Optimizer};

mod accidents;
mod forgeries;

const TEXTS: [(&str, u32); 8] = [
    ("wheat and corn and oats", 0),
    ("the price of wheat rose", 0),
    ("rain on the corn", 0),
    ("corn and wheat fell", 0),
    ("the bank's rate rose", 1),
    ("the bank cut the rate", 1),
    ("rate cut at the café bank", 1),
    ("a rate, a bank, a price", 1),
];

/// A classifier trained on a few texts.
pub(super) fn tiny(options: &TrainingOptions) -> Classifier {
    let info = CorpusInfo {
        name: "tiny".into(),
        description: "eight \"texts\"".into(),
        class_names: vec!["grain".into(), "mönch \"checksum\":\"".into()],
    };
    let sequences = SequenceOptions {
        num_words: Some(options.max_features as u32),
        test_split: 0.0,
        ..Default::default()
    };
    let corpus = Corpus::from_texts(info, TEXTS, &sequences).unwrap();
    Classifier::train(&corpus, options).unwrap()
}

/// Settings for a model of few bytes.
pub(super) fn small() -> TrainingOptions {
    TrainingOptions {
        max_features: 20,
        hidden: vec![3],
        epochs: 2,
        batch_size: 4,
        validation: ValidationSplit::First(2),
        ..Default::default()
    }
}

fn assert_same(loaded: &Classifier, original: &Classifier) {
    assert_eq!(loaded.class_names(), original.class_names());
    assert_eq!(loaded.vectorizer(), original.vectorizer());
    assert_eq!(loaded.record(), original.record());
    assert_eq!(loaded.decisions(), original.decisions());
    assert_eq!(loaded.network().layers(), original.network().layers());
    assert_eq!(loaded.network().parameters(), original.network().parameters());
    assert_eq!(loaded.network().seed(), original.network().seed());
    let texts = TEXTS.map(|(text, _)| text);
    assert_eq!(loaded.predict_batch(&texts), original.predict_batch(&texts));
}

#[test]
fn every_classifier_comes_back_exactly_and_saves_as_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        small(),
        TrainingOptions { hidden: vec![], validation: ValidationSplit::None, ..small() },
        TrainingOptions {
            hidden: vec![5, 4, 3],
            activation: Activation::Gelu,
            dropout: 0.25,
            l1: 0.1,
            l2: 1e-7,
            optimizer: Optimizer::by_name("adamw").unwrap(),
            loss: Loss::CategoricalCrossentropy { label_smoothing: 0.1 },
            validation: ValidationSplit::Fraction(0.3),
            patience: Some(1),
            seed: u64::MAX,
            ..small()
        },
        TrainingOptions { loss: Loss::BINARY_CROSSENTROPY, ..small() },
        TrainingOptions {
            decision: DecisionOptions {
                threshold: Threshold::Fitted(Aim::Precision(0.95)),
                min_confidence: 0.3,
                max_unknown_words: 0.1,
            },
            ..small()
        },
    ];
    for (i, options) in cases.iter().enumerate() {
        let mut classifier = tiny(options).with_command(format!("slugline train tiny --case {i}"));
        if i == 1 {
            let fold = FoldScores {
                train_samples: 3,
                samples: 1,
                accuracy: 1.0,
                macro_f1: 0.1,
                log_loss: 1.0 / 3.0,
                ece: 0.0,
            };
            classifier = classifier.with_cross_validation(FoldsRecord { folds: vec![fold; 2] });
        }
        let path = folder.path().join("model.slug");
        classifier.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes, classifier.to_bytes().unwrap());

        let mapped = Classifier::load(&path).unwrap();
        assert_same(&mapped, &classifier);
        assert_eq!(mapped.to_bytes().unwrap(), bytes);
        assert_same(&Classifier::from_bytes(bytes).unwrap(), &classifier);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files are left");
}

/// A model with an index of the texts that it was trained on.
pub(super) fn indexed() -> Classifier {
    let classifier = tiny(&small());
    let mut documents = Documents::new(classifier.class_names().to_vec());
    for (text, class) in TEXTS {
        documents.push(text, class);
    }
    classifier.with_index(&documents).unwrap()
}

#[test]
fn an_index_of_documents_comes_back() {
    let classifier = indexed();
    let bytes = classifier.to_bytes().unwrap();
    let loaded = Classifier::from_bytes(bytes.clone()).unwrap();
    assert_same(&loaded, &classifier);
    assert_eq!(loaded.index(), classifier.index());
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    let text = TEXTS[6].0;
    let nearest = loaded.nearest(text, 2).unwrap();
    assert_eq!(nearest, classifier.nearest(text, 2).unwrap());
    assert_eq!((nearest[0].text.as_str(), nearest[0].document), (text, 6));
    assert!((nearest[0].similarity - 1.0).abs() < 1e-6);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("index.vectors").unwrap().shape(), [8, 3]);
    for (name, tensor) in file.iter() {
        let at = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(at % (tensor.dtype().bitsize() / 8), 0, "{name} is not aligned");
    }
}

#[test]
fn files_of_the_format_before_are_still_read() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/model_file");
    for kind in 0..4 {
        let bytes = std::fs::read(seeds.join(format!("format-3-{kind}"))).unwrap();
        let classifier = Classifier::from_bytes(bytes.clone()).unwrap();
        assert!(classifier.index().is_none());
        assert_ne!(classifier.to_bytes().unwrap(), bytes, "it is written in the present format");
    }
}

#[test]
fn the_same_training_gives_the_same_bytes_on_any_number_of_threads() {
    let bytes = |threads| tiny(&TrainingOptions { threads, ..small() }).to_bytes().unwrap();
    assert_eq!(bytes(1), bytes(2));
}

#[test]
fn the_file_begins_as_the_page_says_and_any_safetensors_reader_can_use_it() {
    let classifier = tiny(&small());
    let bytes = classifier.to_bytes().unwrap();
    let start = br#"{"__metadata__":{"slugline":"{\"format\":\"slugline model\",\"version\":4,\"checksum\":\""#;
    assert!(bytes[8..].starts_with(start));
    let digits = &bytes[8 + start.len()..][..32];
    assert!(digits.iter().all(|d| d.is_ascii_digit() || (b'a'..=b'f').contains(d)));

    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<_> = classifier
        .network()
        .summary()
        .layers
        .iter()
        .flat_map(|row| [format!("{}.kernel", row.name), format!("{}.bias", row.name)])
        .collect();
    names.extend(["vocabulary.bytes", "vocabulary.offsets", "vocabulary.table"].map(String::from));
    let mut found = file.names();
    found.sort_unstable();
    names.sort_unstable();
    assert_eq!(found, names);
    assert_eq!(file.tensor("dense.kernel").unwrap().shape(), [20, 3]);
    for (name, tensor) in file.iter() {
        let at = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(at % (tensor.dtype().bitsize() / 8), 0, "{name} is not aligned");
    }
}

#[test]
fn weights_and_words_are_used_where_they_lie() {
    // Whole words, so that the content begins at a multiple of 8.
    struct Aligned(Arc<Vec<u64>>, usize);
    impl AsRef<[u8]> for Aligned {
        fn as_ref(&self) -> &[u8] {
            &bytemuck::cast_slice(&self.0)[..self.1]
        }
    }
    let mut bytes = tiny(&small()).to_bytes().unwrap();
    let length = bytes.len();
    bytes.resize(length.next_multiple_of(8), 0);
    let words: Vec<u64> = bytes.chunks_exact(8).map(bytemuck::pod_read_unaligned).collect();
    let kept = Arc::new(words);
    let classifier = Classifier::from_bytes(Aligned(Arc::clone(&kept), length)).unwrap();
    let inside = bytemuck::cast_slice::<u64, u8>(&kept).as_ptr_range();
    let (words, offsets, table) = classifier.vectorizer().words().unwrap().stored();
    let mut starts = vec![words.as_ptr(), offsets.as_ptr().cast(), table.as_ptr().cast()];
    for parameters in classifier.network().parameters() {
        starts.push(parameters.kernel.as_slice().as_ptr().cast());
        starts.push(parameters.bias.as_slice().as_ptr().cast());
    }
    assert!(starts.iter().all(|start| inside.contains(start)));
}

#[test]
fn bytes_at_odd_addresses_are_copied_and_give_the_same() {
    struct Shifted(Vec<u8>, usize);
    impl AsRef<[u8]> for Shifted {
        fn as_ref(&self) -> &[u8] {
            &self.0[self.1..]
        }
    }
    let classifier = tiny(&small());
    let bytes = classifier.to_bytes().unwrap();
    for shift in 1..8 {
        let shifted = [vec![0; shift], bytes.clone()].concat();
        assert_same(&Classifier::from_bytes(Shifted(shifted, shift)).unwrap(), &classifier);
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_what_is_no_file_is_left_alone() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let classifier = tiny(&small());
    // A link to a file, a link to that link, and a link to a file that is still to be.
    classifier.save(at("model.slug")).unwrap();
    let want = std::fs::read(at("model.slug")).unwrap();
    std::fs::write(at("old.slug"), "old").unwrap();
    symlink("old.slug", at("link")).unwrap();
    symlink("link", at("second")).unwrap();
    symlink("new.slug", at("dangling")).unwrap();
    for (link, target) in [("second", "old.slug"), ("dangling", "new.slug")] {
        classifier.save(at(link)).unwrap();
        assert_eq!(std::fs::read(at(target)).unwrap(), want);
        assert!(std::fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
    }
    symlink("round", at("round")).unwrap();
    assert!(matches!(classifier.save(at("round")), Err(ModelFileError::Write { .. })));

    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    symlink("socket", at("to-socket")).unwrap();
    for name in ["socket", "to-socket"] {
        let err = classifier.save(at(name)).unwrap_err().to_string();
        assert!(err.contains("a device, pipe or socket stands there"), "{err}");
    }
    assert!(std::fs::symlink_metadata(at("socket")).unwrap().file_type().is_socket());
    assert!(classifier.save(folder.path()).unwrap_err().to_string().contains("a folder stands"));
}

#[test]
fn what_a_file_cannot_hold_is_refused_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.slug");
    let good = tiny(&small());
    good.save(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let from_parts = |network, record| {
        let names = good.class_names().to_vec();
        Classifier::from_parts(good.vectorizer().clone(), network, names, record).unwrap()
    };

    let mut record = good.record().clone();
    record.history.epochs[0].train.loss = f64::NAN;
    let err = from_parts(good.network().clone(), record).save(&path).unwrap_err().to_string();
    assert!(
        err.contains("the training record holds a figure that is not a finite number"),
        "{err}"
    );

    let network = good.network();
    let mut parameters: Vec<_> =
        network.parameters().iter().map(|p| (p.kernel.clone(), p.bias.clone())).collect();
    parameters[1].0.make_mut()[4] = f32::INFINITY;
    let network = crate::nn::Sequential::from_parameters(
        network.input_width(),
        network.layers().to_vec(),
        parameters,
        0,
    );
    let bad = from_parts(network.unwrap(), good.record().clone());
    let err = bad.save(&path).unwrap_err().to_string();
    assert!(err.contains("dense_1.kernel holds the value inf at position 4"), "{err}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_save_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("folder.slug");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("kept"), "kept").unwrap();
    let classifier = tiny(&small());
    let err = classifier.save(&target).unwrap_err();
    assert!(matches!(&err, ModelFileError::NotAFile { path, .. } if *path == target), "{err}");
    assert_eq!(std::fs::read(target.join("kept")).unwrap(), b"kept");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let err = classifier.save(folder.path().join("missing").join("model.slug")).unwrap_err();
    assert!(err.to_string().starts_with("cannot write model file"), "{err}");
}

#[test]
fn a_save_replaces_the_old_file_and_leaves_it_to_those_who_have_it_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.slug");
    let (old, new) = (tiny(&small()), tiny(&TrainingOptions { hidden: vec![8], ..small() }));
    old.save(&path).unwrap();
    let loaded = Classifier::load(&path).unwrap();
    new.save(&path).unwrap();
    assert_same(&loaded, &old);
    assert_same(&Classifier::load(&path).unwrap(), &new);
}

#[cfg(unix)]
#[test]
fn a_saved_file_may_be_read_by_those_whom_the_mask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (model, plain) = (folder.path().join("model.slug"), folder.path().join("plain"));
    tiny(&small()).save(&model).unwrap();
    std::fs::write(&plain, "").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&model), mode(&plain));
}

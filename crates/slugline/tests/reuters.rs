//! The Reuters corpora from the real files, held against published facts and against Keras.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use slugline::corpus::reuters::{self, Dropped, Source, Variant};
use slugline::corpus::shuffle::legacy_permutation;
use slugline::corpus::tokenize::tokens;
use slugline::corpus::{Corpus, CorpusError, SequenceOptions, Sequences};

/// The folder of the data files, or `None`, said loudly, where there is none.
fn data_dir(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SLUGLINE_DATA_DIR").map(PathBuf::from);
    if folder.is_none() {
        // Not by a macro: what those print in a passing test is not shown.
        let line = format!("SKIPPED (set SLUGLINE_DATA_DIR): {test}\n");
        std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
    }
    folder
}

/// Runs the rest of a test with the data folder at hand, or skips it.
macro_rules! data_dir_or_skip {
    ($test:literal) => {
        match data_dir($test) {
            Some(folder) => folder,
            None => return,
        }
    };
}

fn archive(folder: &std::path::Path) -> Source {
    Source::Archive(folder.join(reuters::ARCHIVE))
}

fn keras(folder: &std::path::Path) -> Source {
    Source::Keras {
        npz: folder.join(reuters::KERAS_NPZ),
        word_index: folder.join(reuters::KERAS_WORD_INDEX),
    }
}

fn ten_thousand() -> SequenceOptions {
    SequenceOptions { num_words: Some(10_000), ..SequenceOptions::default() }
}

const TOPICS: &str = "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar \
    trade reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum \
    oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc \
    orange pet-chem dlr gas silver wpi hog lead";

#[test]
fn the_archive_gives_the_published_facts() {
    let folder = data_dir_or_skip!("the_archive_gives_the_published_facts");
    let corpus = reuters::load(&archive(&folder), Variant::Original, &ten_thousand()).unwrap();

    assert_eq!(corpus.name, "reuters");
    assert_eq!(corpus.class_names, TOPICS.split(' ').collect::<Vec<_>>());
    assert_eq!((corpus.train.len(), corpus.test.len()), (8982, 2246));
    let lengths: Vec<usize> =
        (0..9000).step_by(1000).map(|i| corpus.train.get(i).unwrap().len()).collect();
    assert_eq!(lengths, [87, 626, 34, 17, 187, 243, 65, 41, 267]);

    let wire = corpus.train.get(25).unwrap();
    assert_eq!(wire.len(), 110);
    let text = corpus.decode(wire);
    let beginning = "? there were 106 200 tonnes of u s corn shipped to the soviet union in the week \
        ended march 26 according to the u s agriculture department's latest export sales report";
    assert!(text.starts_with(beginning), "{text}");

    let description = corpus.describe();
    assert_eq!(description.largest_id, Some(9999));
    assert_eq!(description.ranked_words, 30_984);
    assert_eq!(description.train.documents + description.test.documents, 11_228);
    assert_eq!(description.classes[3].name, "earn");

    assert_eq!(corpus.test.labels()[0], 3);
    let n = corpus.test.len() as f64;
    let majority = description.classes.iter().map(|class| class.test).max().unwrap();
    assert_eq!((majority as f64 / n * 1000.0).round(), 362.0);
    let labels = corpus.test.labels();
    for seed in 0..5 {
        let order = legacy_permutation(seed, labels.len() as u32);
        let hits = order.iter().zip(labels).filter(|(i, y)| labels[**i as usize] == **y).count();
        let share = hits as f64 / n;
        assert!((0.16..0.21).contains(&share), "seed {seed}: {share}");
    }
}

#[test]
fn the_original_has_its_known_flaws() {
    let folder = data_dir_or_skip!("the_original_has_its_known_flaws");
    let documents = reuters::documents(&archive(&folder), Variant::Original).unwrap();
    let mut labels: HashMap<&str, HashSet<u32>> = HashMap::new();
    for document in &documents.documents {
        labels.entry(&document.text).or_default().insert(document.label);
    }
    assert_eq!(labels.values().filter(|labels| labels.len() > 1).count(), 398);

    let split = documents.split(&SequenceOptions::default()).unwrap();
    let text = |i: &usize| documents.documents[*i].text.as_str();
    let train: HashSet<&str> = split.train.iter().map(text).collect();
    assert_eq!(split.test.iter().map(text).filter(|text| train.contains(text)).count(), 225);
}

#[test]
fn archive_and_keras_files_give_the_same_corpus() {
    let folder = data_dir_or_skip!("archive_and_keras_files_give_the_same_corpus");
    for options in [SequenceOptions::default(), ten_thousand()] {
        let a = reuters::load(&archive(&folder), Variant::Original, &options).unwrap();
        let k = reuters::load(&keras(&folder), Variant::Original, &options).unwrap();
        assert!(a.train == k.train, "training parts differ");
        assert!(a.test == k.test, "test parts differ");
        assert!(a.word_index == k.word_index, "word ranks differ");
        assert_eq!(a.class_names, k.class_names);
        assert_eq!(a.options, k.options);
    }
}

#[test]
fn a_folder_of_sgml_files_gives_the_same_texts_as_the_archive() {
    let folder = data_dir_or_skip!("a_folder_of_sgml_files_gives_the_same_texts_as_the_archive");
    let unpacked = tempfile::tempdir().unwrap();
    let file = std::fs::File::open(folder.join(reuters::ARCHIVE)).unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(&unpacked).unwrap();
    let source = Source::in_folder(unpacked.path()).unwrap();
    assert_eq!(source, Source::Folder(unpacked.path().to_owned()));
    for variant in [Variant::Original, Variant::Clean] {
        let from_folder = reuters::documents(&source, variant).unwrap();
        assert!(from_folder == reuters::documents(&archive(&folder), variant).unwrap());
    }
}

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    options: SequenceOptions,
    train: Part,
    test: Part,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Part {
    documents: usize,
    total_ids: usize,
    sha256: String,
}

impl Part {
    /// Of 32-bit little-endian integers: the number of documents, then for each its length, its ids
    /// and its label.
    fn of(sequences: &Sequences) -> Self {
        let mut hasher = Sha256::new();
        let mut add = |n: u32| hasher.update(n.to_le_bytes());
        add(sequences.len() as u32);
        for (ids, &label) in sequences.iter().zip(sequences.labels()) {
            add(ids.len() as u32);
            ids.iter().copied().for_each(&mut add);
            add(label);
        }
        let mut sha256 = String::new();
        for byte in hasher.finalize() {
            write!(sha256, "{byte:02x}").expect("a string takes everything");
        }
        Self { documents: sequences.len(), total_ids: sequences.total_ids(), sha256 }
    }
}

/// Figures of `scripts/goldens/keras_reuters_loading.py`.
#[test]
fn every_option_means_what_it_means_in_keras() {
    let folder = data_dir_or_skip!("every_option_means_what_it_means_in_keras");
    let goldens: Goldens =
        serde_json::from_str(include_str!("golden/keras_reuters_loading.json")).unwrap();
    assert!(goldens.cases.len() >= 12);
    for case in goldens.cases {
        let corpus = reuters::load(&keras(&folder), Variant::Original, &case.options).unwrap();
        assert_eq!(Part::of(&corpus.train), case.train, "train, {:?}", case.options);
        assert_eq!(Part::of(&corpus.test), case.test, "test, {:?}", case.options);
    }
}

/// Every document's ids come out of its text once more.
fn assert_texts_encode_to_their_ids(corpus: &Corpus, documents: &reuters::Documents) {
    let split = documents.split(&corpus.options).expect("options that loaded a corpus");
    let encoder = corpus.encoder();
    for (part, positions) in [(&corpus.train, &split.train), (&corpus.test, &split.test)] {
        assert_eq!(part.len(), positions.len());
        for ((ids, &label), &i) in part.iter().zip(part.labels()).zip(positions) {
            let document = &documents.documents[i];
            assert_eq!(label, document.label);
            assert!(ids == encoder.encode(&document.text), "document {i}");
        }
    }
}

#[test]
fn texts_encode_to_the_ids_of_their_documents() {
    let folder = data_dir_or_skip!("texts_encode_to_the_ids_of_their_documents");
    let odd = SequenceOptions {
        num_words: Some(5000),
        skip_top: 10,
        maxlen: Some(300),
        oov_char: None,
        seed: 9,
        ..SequenceOptions::default()
    };
    for variant in [Variant::Original, Variant::Clean] {
        let documents = reuters::documents(&archive(&folder), variant).unwrap();
        for options in [SequenceOptions::default(), ten_thousand(), odd.clone()] {
            let corpus = reuters::load(&archive(&folder), variant, &options).unwrap();
            assert_texts_encode_to_their_ids(&corpus, &documents);
        }
    }
}

#[test]
fn the_clean_variant_is_clean() {
    let folder = data_dir_or_skip!("the_clean_variant_is_clean");
    let documents = reuters::documents(&archive(&folder), Variant::Clean).unwrap();
    let mut texts = HashSet::new();
    for document in &documents.documents {
        let words = tokens(&document.text);
        assert!(words.last().is_some_and(|word| word != "reuter"), "{:?}", document.text);
        assert!(texts.insert(words), "twice: {:?}", document.text);
        assert!(!document.text.contains("&lt;"));
        assert!(document.text.chars().all(|c| c == '\n' || !c.is_control()));
    }
    let corpus = reuters::load(&archive(&folder), Variant::Clean, &ten_thousand()).unwrap();
    let sizes = corpus.describe();
    assert!(sizes.classes.iter().all(|class| class.train + class.test >= reuters::MIN_DOCUMENTS));

    // The figures that the documentation of the module gives.
    let expected =
        Dropped { no_body: 990, empty: 0, copies: 141, contradictory: 30, rare_topic: 134 };
    assert_eq!(documents.dropped, expected);
    assert_eq!(documents.documents.len(), 10_072);
    let lost: Vec<&str> =
        TOPICS.split(' ').filter(|topic| !corpus.class_names.iter().any(|c| c == topic)).collect();
    assert_eq!((corpus.class_names.len(), lost), (45, vec!["lei"]));
    assert_eq!((corpus.train.len(), corpus.test.len()), (8057, 2015));
    assert_eq!(sizes.ranked_words, 27_392);
}

#[test]
fn ranks_of_the_clean_variant_come_from_its_training_part() {
    let folder = data_dir_or_skip!("ranks_of_the_clean_variant_come_from_its_training_part");
    let options = SequenceOptions { num_words: Some(100_000), ..SequenceOptions::default() };
    let corpus = reuters::load(&archive(&folder), Variant::Clean, &options).unwrap();
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for &id in corpus.train.ids() {
        *counts.entry(id).or_default() += 1;
    }
    assert!(!counts.contains_key(&2), "no training word is unknown");
    assert!(corpus.test.ids().contains(&2), "some test words are");
    let ranked: Vec<usize> =
        (1..=corpus.word_index.words().len() as u32).map(|rank| counts[&(rank + 3)]).collect();
    assert!(ranked.is_sorted_by(|a, b| a >= b));
}

#[test]
fn a_data_folder_offers_the_archive_first() {
    let folder = data_dir_or_skip!("a_data_folder_offers_the_archive_first");
    assert_eq!(Source::in_folder(&folder), Some(archive(&folder)));
}

#[test]
fn sources_are_found_by_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let touch = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
    assert_eq!(Source::in_folder(folder.path()), None);
    touch(reuters::KERAS_NPZ);
    assert_eq!(Source::in_folder(folder.path()), None);
    touch(reuters::KERAS_WORD_INDEX);
    assert_eq!(Source::in_folder(folder.path()), Some(keras(folder.path())));
    touch("reut2-000.sgm");
    assert_eq!(Source::in_folder(folder.path()), Some(Source::Folder(folder.path().into())));
    touch(reuters::ARCHIVE);
    assert_eq!(Source::in_folder(folder.path()), Some(archive(folder.path())));
}

#[test]
fn texts_are_not_to_be_had_from_keras_files() {
    let source = keras(std::path::Path::new("somewhere"));
    let clean = reuters::load(&source, Variant::Clean, &SequenceOptions::default());
    let texts = reuters::documents(&source, Variant::Original);
    for error in [clean.unwrap_err(), texts.unwrap_err()] {
        assert!(matches!(error, CorpusError::NoTexts { .. }));
        assert!(error.to_string().contains("reuters21578.tar.gz"), "{error}");
    }
}

#[test]
fn variants_have_names() {
    for variant in [Variant::Original, Variant::Clean] {
        assert_eq!(variant.to_string().parse::<Variant>().unwrap(), variant);
    }
    let error = "reuter".parse::<Variant>().unwrap_err();
    assert!(error.to_string().contains("expected `reuters` or `reuters-clean`"), "{error}");
}

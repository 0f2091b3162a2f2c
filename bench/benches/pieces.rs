//! The pieces that a document passes on its way, one by one: `cargo bench -p slugline-bench`.
//!
//! Texts and rows are those of the Reuters newswires if `SLUGLINE_DATA_DIR` names a folder that has
//! them, else of the embedded sample. Every piece is checked to have done its work.

#![allow(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::path::PathBuf;
use std::sync::LazyLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use slugline::classifier::{Classifier, TrainingOptions};
use slugline::corpus::reuters::{self, Variant};
use slugline::corpus::tokenize::Tokenizer;
use slugline::corpus::{Corpus, sample};
use slugline::nn::{CsrMatrix, FitOptions, Targets, with_threads};
use slugline::text::{FeatureBuffer, multi_hot};
use slugline_bench::data;

const BATCH: usize = 512;
const THREADS: [usize; 2] = [1, 2];

struct Fixture {
    texts: Vec<String>,
    x: CsrMatrix,
    y: Targets,
    classifier: Classifier,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let folder = std::env::var_os("SLUGLINE_DATA_DIR").map(PathBuf::from);
    let (corpus, texts): (Corpus, Vec<String>) = if let Some(folder) = &folder {
        let source = data::source(folder).unwrap();
        let documents = reuters::documents(&source, Variant::Original).unwrap().documents;
        let texts = documents.into_iter().map(|document| document.text);
        (data::corpus(folder).unwrap(), texts.collect())
    } else {
        let corpus = sample::load(&data::sequence_options()).unwrap();
        let texts = corpus.train.iter().map(|ids| corpus.decode(ids)).collect();
        (corpus, texts)
    };
    let options = TrainingOptions { epochs: 1, ..Default::default() };
    let x = multi_hot(&corpus.train, options.max_features).unwrap();
    let y = corpus.train.labels().to_vec().into();
    let classifier = Classifier::train(&corpus, &options).unwrap();
    Fixture { texts: texts.into_iter().take(1000).collect(), x, y, classifier }
});

fn main() {
    LazyLock::force(&FIXTURE);
    divan::main();
}

fn text_bytes() -> BytesCount {
    BytesCount::new(FIXTURE.texts.iter().map(String::len).sum::<usize>())
}

#[divan::bench]
fn tokenise_1000_texts(bencher: Bencher<'_, '_>) {
    let mut tokenizer = Tokenizer::default();
    bencher.counter(text_bytes()).bench_local(|| {
        let mut letters = 0;
        for text in &FIXTURE.texts {
            tokenizer.for_each(text, |word| letters += black_box(word.as_str()).len());
        }
        assert!(letters > 1000);
        letters
    });
}

#[divan::bench]
fn vectorize_1000_texts(bencher: Bencher<'_, '_>) {
    let vectorizer = FIXTURE.classifier.vectorizer();
    let mut buffer = FeatureBuffer::default();
    bencher.counter(text_bytes()).bench_local(|| {
        let mut features = 0;
        for text in &FIXTURE.texts {
            vectorizer.vectorize(text, &mut buffer);
            features += buffer.row().indices.len();
        }
        assert!(features > 1000);
        features
    });
}

#[divan::bench]
fn predict_1000_texts_one_by_one(bencher: Bencher<'_, '_>) {
    let mut predictor = FIXTURE.classifier.predictor();
    bencher.counter(ItemsCount::new(FIXTURE.texts.len())).bench_local(|| {
        for text in &FIXTURE.texts {
            assert!(predictor.predict(text).words > 0 || text.trim().is_empty());
        }
    });
}

/// What a service could gain by collecting texts of several requests.
#[divan::bench(args = [4, 16, 64])]
fn predict_1000_texts_in_batches(bencher: Bencher<'_, '_>, size: usize) {
    let mut predictor = FIXTURE.classifier.predictor();
    bencher.counter(ItemsCount::new(FIXTURE.texts.len())).bench_local(|| {
        for texts in FIXTURE.texts.chunks(size) {
            assert_eq!(predictor.predict_batch(texts).len(), texts.len());
        }
    });
}

#[divan::bench(args = THREADS)]
fn predict_rows(bencher: Bencher<'_, '_>, threads: usize) {
    let network = FIXTURE.classifier.network();
    bencher.counter(ItemsCount::new(FIXTURE.x.rows())).bench(|| {
        let out = with_threads(threads, || network.predict(&FIXTURE.x)).unwrap().unwrap();
        assert_eq!(out.rows(), FIXTURE.x.rows());
        out
    });
}

#[divan::bench(args = THREADS)]
fn train_one_epoch(bencher: Bencher<'_, '_>, threads: usize) {
    let width = FIXTURE.x.cols();
    let classes = FIXTURE.classifier.class_names().len();
    bencher
        .counter(ItemsCount::new(FIXTURE.x.rows()))
        .with_inputs(|| {
            let mut network = data::network(width, classes, 0).unwrap();
            let loss = slugline::nn::Loss::SparseCategoricalCrossentropy;
            network.compile(network.optimizer().unwrap().clone(), loss, &[]).unwrap();
            network
        })
        .bench_values(|mut network| {
            let options = FitOptions { batch_size: BATCH, threads, ..Default::default() };
            let history = network.fit(&FIXTURE.x, &FIXTURE.y, &options).unwrap();
            assert!(history.last("loss").unwrap() < (classes as f64).ln());
            network
        });
}

#[divan::bench]
fn load_model(bencher: Bencher<'_, '_>) {
    let path = std::env::temp_dir().join(format!("slugline-bench-{}.slug", std::process::id()));
    FIXTURE.classifier.save(&path).unwrap();
    let length = std::fs::metadata(&path).unwrap().len();
    bencher.counter(BytesCount::new(length)).bench(|| Classifier::load(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
}

//! What loading and saving cost in memory, as the system counts it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use slugline::classifier::{Classifier, TrainingOptions, ValidationSplit};
use slugline::corpus::{SequenceOptions, sample};
use slugline::nn::{Activation, Dense, Sequential};
use slugline::text::MultiHotVectorizer;
use twox_hash::XxHash3_128;

const MIB: usize = 1 << 20;

/// A figure of this process in bytes: `VmPeak` (address space), `VmHWM` (highest use of memory),
/// `RssAnon` (memory that belongs to no file).
fn memory(figure: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    let kib = line.trim_start_matches(':').trim().trim_end_matches(" kB");
    kib.parse::<usize>().unwrap() * 1024
}

/// A classifier whose first kernel has 64 MiB.
fn large() -> Classifier {
    let width = 1 << 18;
    let options = TrainingOptions {
        max_features: 500,
        hidden: vec![],
        epochs: 1,
        validation: ValidationSplit::None,
        ..Default::default()
    };
    let corpus =
        sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() }).unwrap();
    let small = Classifier::train(&corpus, &options).unwrap();
    let classes = small.class_names().len();
    let layers =
        [Dense::new(64).into(), Dense::new(classes).activation(Activation::Softmax).into()];
    let vectorizer = MultiHotVectorizer::from_parts(
        small.vectorizer().words().unwrap().clone(),
        small.vectorizer().as_multi_hot().unwrap().options().clone(),
        width,
    );
    Classifier::from_parts(
        vectorizer,
        Sequential::new(width, layers, 1).unwrap(),
        small.class_names().to_vec(),
        small.record().clone(),
    )
    .unwrap()
}

/// A file of a header and nothing else, sealed by the rule on the format's page.
fn sealed(header: &str) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let zeros = "0".repeat(32);
    let digits = XxHash3_128::oneshot(&XxHash3_128::oneshot(&file).to_be_bytes());
    let at = header.find(&zeros).unwrap() + 8;
    file[at..at + 32].copy_from_slice(format!("{digits:032x}").as_bytes());
    file
}

// One test, because the figures count the whole process.
#[test]
fn memory_is_used_for_what_is_there_and_not_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.slug");
    let classifier = large();
    let text = "the price of oil rose";
    let prediction = classifier.predict(text);

    let before = memory("VmHWM");
    classifier.save(&path).unwrap();
    let used = memory("VmHWM") - before;
    assert!(used < 8 * MIB, "saving took {used} bytes");
    drop(classifier);

    assert!(std::fs::metadata(&path).unwrap().len() > 64 * MIB as u64);
    let before = memory("RssAnon");
    let loaded = Classifier::load(&path).unwrap();
    assert_eq!(loaded.predict(text), prediction);
    let used = memory("RssAnon").saturating_sub(before);
    assert!(used < 8 * MIB, "loading took {used} bytes");
    drop(loaded);

    let start = r#"{"__metadata__":{"slugline":"{\"format\":\"slugline model\",\"version\":1,\"checksum\":\"00000000000000000000000000000000\"}"}"#;
    let tensor = |shape: &str, end: u64| {
        format!(
            r#"{start},"dense.kernel":{{"dtype":"U8","shape":[{shape}],"data_offsets":[0,{end}]}}}}"#
        )
    };
    let huge = [
        (sealed(&tensor("1099511627776", 1 << 40)), "the file: expected 10995"),
        (sealed(&tensor("4194304,262144", 1 << 40)), "the file: expected 10995"),
        (sealed(&format!("{start}}}")), "the description"),
        ([&[0, 0, 0, 0, 0, 1, 0, 0], &sealed(&format!("{start}}}"))[8..]].concat(), "damaged"),
    ];
    let before = memory("VmPeak");
    for (file, want) in huge {
        let err = Classifier::from_bytes(file).unwrap_err().to_string();
        assert!(err.contains(want), "{want}: {err}");
    }
    let used = memory("VmPeak") - before;
    assert!(used < 8 * MIB, "a small file took {used} bytes of address space");
}

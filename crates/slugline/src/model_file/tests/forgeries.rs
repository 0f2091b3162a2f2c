//! Files with a right checksum and a wrong content.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A file taken apart: the description, the rest of the header, the tensors' bytes.
struct Parts {
    description: Value,
    tensors: Value,
    data: Vec<u8>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut header: Value = serde_json::from_slice(&bytes[8..end]).unwrap();
        let metadata = header.as_object_mut().unwrap().shift_remove("__metadata__").unwrap();
        let description = serde_json::from_str(metadata["slugline"].as_str().unwrap()).unwrap();
        Self { description, tensors: header, data: bytes[end..].to_vec() }
    }

    /// The file, sealed.
    fn bytes(&self) -> Vec<u8> {
        let text = self.description.to_string();
        let mut header = serde_json::Map::new();
        header.insert("__metadata__".into(), json!({ "slugline": text }));
        header.extend(self.tensors.as_object().unwrap().clone());
        file(&Value::Object(header).to_string(), &self.data)
    }

    fn place(&self, tensor: &str) -> usize {
        self.tensors[tensor]["data_offsets"][0].as_u64().unwrap() as usize
    }
}

/// A sealed file of a header and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut header = header.as_bytes().to_vec();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    seal(&mut bytes);
    bytes
}

/// Puts the right checksum into a file.
fn seal(bytes: &mut [u8]) {
    if let Some(place) = bytes.get_mut(description::CHECKSUM) {
        place.copy_from_slice(crate::container::BLANK);
        let digits = crate::container::checksum(&[bytes]);
        bytes[description::CHECKSUM].copy_from_slice(digits.as_bytes());
    }
}

fn refused(bytes: Vec<u8>) -> String {
    let err = Classifier::from_bytes(bytes).unwrap_err();
    match std::error::Error::source(&err) {
        Some(source) => format!("{err}: {source}"),
        None => err.to_string(),
    }
}

#[test]
fn a_forged_index_is_refused() {
    let bytes = indexed().to_bytes().unwrap();
    let forged = |change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::of(&bytes);
        change(&mut parts);
        refused(parts.bytes())
    };
    let put = |tensor: &'static str, byte: u8| {
        move |parts: &mut Parts| {
            let place = parts.place(tensor);
            parts.data[place] = byte;
        }
    };
    let error = forged(&|parts| parts.description["index"]["documents"] = json!(9));
    assert!(error.contains("index.text_ends: expected U64 [9], found U64 [8]"), "{error}");
    let error = forged(&put("index.text_ends", 255));
    assert!(error.contains("ends of texts that do not rise"), "{error}");
    let error = forged(&put("index.classes", 2));
    assert!(error.contains("class 2 of 2"), "{error}");
    let error = forged(&put("index.text", 0xFF));
    assert!(error.contains("utf-8"), "{error}");
    let error = forged(&|parts| {
        let place = parts.place("index.vectors");
        parts.data[place..place + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    assert!(error.contains("index.vectors: expected finite numbers"), "{error}");
}

#[test]
fn a_file_without_decisions_has_the_usual_ones() {
    let mut parts = Parts::of(&tiny(&small()).to_bytes().unwrap());
    parts.description.as_object_mut().unwrap().shift_remove("decisions").unwrap();
    let options = parts.description["record"]["options"].as_object_mut().unwrap();
    options.shift_remove("decision").unwrap();
    let read = Classifier::from_bytes(parts.bytes()).unwrap();
    assert!(read.decisions().are_default());
}

#[test]
fn a_newer_format_says_what_to_do() {
    for (version, want) in [
        ("5", "format 5"),
        ("17", "format 17"),
        ("99999999999999999999999", "format 18446744073709551615"),
    ] {
        let header = format!(
            r#"{{"__metadata__":{{"slugline":"{{\"format\":\"slugline model\",\"version\":{version},\"other\":1}}"}}}}"#
        );
        let err = refused(file(&header, &[]));
        for want in [want, "newer Slugline", "this one reads format 4", "update"] {
            assert!(err.contains(want), "{err}");
        }
    }
    let parts = Parts::of(&tiny(&small()).to_bytes().unwrap());
    for version in [json!(0), json!(-1), json!("1")] {
        let mut parts =
            Parts { description: parts.description.clone(), ..Parts::of(&parts.bytes()) };
        parts.description["version"] = version;
        assert!(refused(parts.bytes()).contains("the version: expected 1 or more"));
    }
}

/// A name, a change to a good file, and a piece of the message.
type Case = (&'static str, fn(&mut Parts), &'static str);

const CASES: &[Case] = &[
    (
        "a threshold for one of two classes",
        |p| p.description["decisions"]["thresholds"] = json!([0.5]),
        "1 thresholds for 2 classes",
    ),
    (
        "a threshold below 0",
        |p| p.description["decisions"]["thresholds"] = json!([0.5, -0.1]),
        "threshold 1 is -0.1",
    ),
    (
        "a confidence that nothing has",
        |p| p.description["decisions"]["min_confidence"] = json!(7),
        "the smallest confidence is 7",
    ),
    (
        "an aim that there is not",
        |p| {
            p.description["decisions"]["fitted"] =
                json!({"aim": "luck=1", "documents": 1, "classes": []});
        },
        "expected f1, precision=P or recall=R",
    ),
    (
        "offsets beyond the file",
        |p| p.tensors["vocabulary.bytes"]["data_offsets"][1] = json!(1u64 << 40),
        "the header",
    ),
    (
        "a shape of 2^80",
        |p| p.tensors["dense.kernel"]["shape"] = json!([1u64 << 40, 1u64 << 40]),
        "the header",
    ),
    (
        "sizes that overflow",
        |p| {
            let mut start = p.data.len() as u64;
            for i in 0..8 {
                let size = ((1 << 61) - 1).min(u64::MAX - start);
                p.tensors[format!("z{i}")] =
                    json!({"dtype": "U8", "shape": [size], "data_offsets": [start, start + size]});
                start += size;
            }
        },
        "the file: expected 18446744073709551615 bytes",
    ),
    (
        "a tensor of 2^40 bytes",
        |p| {
            let start = p.data.len() as u64;
            p.tensors["zzz"] = json!({"dtype": "U8", "shape": [1u64 << 40], "data_offsets": [start, start + (1 << 40)]});
        },
        "the file: expected 10995",
    ),
    (
        "offsets below zero",
        |p| p.tensors["dense.bias"]["data_offsets"][0] = json!(-4),
        "the header",
    ),
    (
        "overlapping tensors",
        |p| {
            let kernel = p.tensors["dense.kernel"]["data_offsets"].clone();
            p.tensors["dense.bias"]["data_offsets"] = kernel;
        },
        "the header",
    ),
    (
        "a hole",
        |p| {
            let offsets = &mut p.tensors["vocabulary.bytes"]["data_offsets"];
            *offsets = json!([offsets[0].as_u64().unwrap() + 8, offsets[1].as_u64().unwrap() + 8]);
            p.data.extend([0; 8]);
        },
        "the header",
    ),
    ("bytes after the tensors", |p| p.data.push(0), "the file: expected"),
    (
        "a transposed kernel",
        |p| p.tensors["dense.kernel"]["shape"] = json!([3, 20]),
        "dense.kernel: expected F32 [20, 3], found F32 [3, 20]",
    ),
    (
        "a flat kernel",
        |p| p.tensors["dense.kernel"]["shape"] = json!([60]),
        "dense.kernel: expected F32 [20, 3], found F32 [60]",
    ),
    (
        "another type",
        |p| p.tensors["dense.bias"]["dtype"] = json!("I32"),
        "dense.bias: expected F32 [3], found I32 [3]",
    ),
    ("an unknown type", |p| p.tensors["dense.bias"]["dtype"] = json!("F33"), "the header"),
    (
        "a table of floats",
        |p| p.tensors["vocabulary.table"]["dtype"] = json!("F64"),
        "vocabulary.table: expected U64",
    ),
    (
        "words in a matrix",
        |p| {
            let length = p.tensors["vocabulary.bytes"]["shape"][0].clone();
            p.tensors["vocabulary.bytes"]["shape"] = json!([1, length]);
        },
        "vocabulary.bytes: expected U8 of one dimension",
    ),
    (
        "a tensor too few",
        |p| {
            let tensors = p.tensors.as_object_mut().unwrap();
            let bias = tensors.shift_remove("dense_1.bias").unwrap();
            tensors.insert("dense_2.bias".into(), bias);
        },
        "dense_1.bias: expected F32 [2], found no such tensor",
    ),
    (
        "a tensor too many",
        |p| {
            let end = p.data.len();
            p.tensors["dense_2.bias"] =
                json!({"dtype": "U8", "shape": [1], "data_offsets": [end, end + 1]});
            p.data.push(0);
        },
        "the tensors: expected the 7 of this network",
    ),
    (
        "a weight that is NaN",
        |p| {
            let at = p.place("dense.kernel") + 8;
            p.data[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        },
        "dense.kernel: expected finite numbers, found NaN at position 2",
    ),
    (
        "words that are not UTF-8",
        |p| {
            let at = p.place("vocabulary.bytes");
            p.data[at] = 0xFF;
        },
        "vocabulary.bytes: expected UTF-8",
    ),
    (
        "falling offsets",
        |p| {
            let at = p.place("vocabulary.offsets") + 4;
            p.data[at..at + 4].copy_from_slice(&9999u32.to_le_bytes());
        },
        "vocabulary.offsets: expected offsets that rise",
    ),
    (
        "offsets that start late",
        |p| {
            let at = p.place("vocabulary.offsets");
            p.data[at] = 1;
        },
        "offsets must run from 0",
    ),
    (
        "a full table",
        |p| {
            let at = p.place("vocabulary.table");
            let length = p.tensors["vocabulary.table"]["shape"][0].as_u64().unwrap() as usize;
            p.data[at..at + 8 * length].fill(1);
        },
        "vocabulary.table: expected",
    ),
    (
        "a class name too many",
        |p| p.description["class_names"].as_array_mut().unwrap().push(json!("x")),
        "class names: expected 2, found 3",
    ),
    (
        "a class name that is a number",
        |p| p.description["class_names"][0] = json!(1),
        "the description",
    ),
    (
        "class counts of another corpus",
        |p| p.description["record"]["class_counts"] = json!([1]),
        "class counts of the training record",
    ),
    (
        "another width",
        |p| p.description["vectorizer"]["width"] = json!(21),
        "features of the vectorizer: expected 20, found 21",
    ),
    (
        "a wider network",
        |p| p.description["network"]["input_width"] = json!(1u64 << 40),
        "dense.kernel: expected F32 [1099511627776, 3]",
    ),
    (
        "a layer of 2^63 units",
        |p| p.description["network"]["layers"][0]["config"]["units"] = json!(1u64 << 63),
        "dense.kernel: expected",
    ),
    ("no layers", |p| p.description["network"]["layers"] = json!([]), "the tensors"),
    (
        "an unknown layer",
        |p| p.description["network"]["layers"][0]["class_name"] = json!("Lambda"),
        "the description",
    ),
    (
        "an unknown kind of features",
        |p| p.description["vectorizer"]["kind"] = json!("tf_idf"),
        "unknown variant `tf_idf`",
    ),
    (
        "an unknown field",
        |p| p.description["network"]["code"] = json!("rm"),
        "unknown field `code`",
    ),
    (
        "a missing field",
        |p| {
            p.description.as_object_mut().unwrap().shift_remove("record");
        },
        "missing field `record`",
    ),
    (
        "a loss that does not fit",
        |p| {
            p.description["record"]["options"]["loss"] =
                json!({"name": "binary_crossentropy", "label_smoothing": 0.0});
        },
        "needs a last layer with sigmoid",
    ),
    (
        "an optimizer out of range",
        |p| p.description["record"]["options"]["optimizer"]["rho"] = json!(2.0),
        "rho = 2",
    ),
    (
        "a best epoch that never was",
        |p| p.description["record"]["best_epoch"] = json!(3),
        "best_epoch of the record: expected at most 2, found 3",
    ),
];

#[test]
fn forged_files_are_refused_by_name() {
    let good = tiny(&small()).to_bytes().unwrap();
    assert_eq!(Parts::of(&good).bytes(), good, "taking apart and sealing changes nothing");
    for (name, change, want) in CASES {
        let mut parts = Parts::of(&good);
        change(&mut parts);
        let err = refused(parts.bytes());
        assert!(err.contains(want), "{name}: {err}");
        assert!(err.starts_with("model bytes: "), "{name}: {err}");
    }
}

#[test]
fn headers_that_are_no_headers_are_refused() {
    let good = tiny(&small()).to_bytes().unwrap();
    let parts = Parts::of(&good);
    let text = Value::String(parts.description.to_string()).to_string();
    let deep = "[".repeat(100_000);
    let start = format!(r#"{{"__metadata__":{{"slugline":{text}"#);
    let cases = [
        (
            format!(r#"{start},"other":"x"}}}}"#),
            "__metadata__: expected the one key `slugline`, found 2 keys",
        ),
        (format!(r"{start}}}"), "the header"),
        (format!(r#"{start}}},"deep":{deep}"#), "the header"),
        (format!(r#"{start}}},"__metadata__":{{}}}}"#), "the header"),
        (text.replace('x', "y"), "expected a Slugline model file"),
    ];
    for (header, want) in cases {
        let err = refused(file(&header, &[]));
        assert!(err.contains(want), "{want}: {err}");
    }
    // The JSON within the JSON has its own depth.
    let mut deeper = parts.description.clone();
    deeper["record"]["options"]["optimizer"]["rho"] = json!("DEEP");
    let text = Value::String(deeper.to_string().replace("\"DEEP\"", &deep)).to_string();
    let err = refused(file(&format!(r#"{{"__metadata__":{{"slugline":{text}}}}}"#), &[]));
    assert!(err.contains("recursion limit"), "{err}");

    // A header that is not text, and lengths that no header has.
    let mut not_text = good.clone();
    not_text[description::CHECKSUM.end + 20] = 0xFF;
    seal(&mut not_text);
    assert!(refused(not_text).contains("the header"));
    for length in [0, 8, 100_000_000, 100_000_001, 1 << 40, u64::MAX - 7, u64::MAX] {
        let mut bytes = good[..200].to_vec();
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        seal(&mut bytes);
        assert!(!refused(bytes).is_empty());
    }
}

#[test]
fn a_foreign_order_of_the_tensors_is_read() {
    // One byte before the others puts all of them at odd places.
    let classifier = tiny(&small());
    let mut parts = Parts::of(&classifier.to_bytes().unwrap());
    let places = parts.tensors.as_object().unwrap().clone();
    let (words, others): (Vec<_>, Vec<_>) =
        places.iter().partition(|(name, _)| *name == "vocabulary.bytes");
    let old = std::mem::take(&mut parts.data);
    for (name, info) in words.into_iter().chain(others) {
        let range = |i: usize| info["data_offsets"][i].as_u64().unwrap() as usize;
        let start = parts.data.len();
        parts.data.extend(&old[range(0)..range(1)]);
        parts.tensors[name]["data_offsets"] = json!([start, parts.data.len()]);
    }
    assert_ne!(parts.place("vocabulary.table") % 8, 0);
    assert_same(&Classifier::from_bytes(parts.bytes()).unwrap(), &classifier);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_changes_under_a_right_checksum_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        thread_local!(static GOOD: Vec<u8> = tiny(&small()).to_bytes().unwrap());
        let mut bytes = GOOD.with(Clone::clone);
        for (at, value, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes[at] = b"0123456789[]{}\",:\\ "[usize::from(value) % 19],
                2 => bytes.insert(at, value),
                _ => { bytes.remove(at); }
            }
        }
        seal(&mut bytes);
        if let Ok(classifier) = Classifier::from_bytes(bytes) {
            for (text, _) in TEXTS {
                let prediction = classifier.predict(text);
                prop_assert_eq!(prediction.probabilities.len(), classifier.class_names().len());
            }
            let _ = classifier.to_bytes();
        }
    }
}

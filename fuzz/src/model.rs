//! The model file.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};
use slugline::classifier::{Classifier, TrainingOptions, ValidationSplit};
use slugline::corpus::{Documents, LabelKind, Labels};
use slugline::decision::Decisions;
use slugline::evaluation::{Calibration, Mixture};
use slugline::explain::ExplainOptions;
use slugline::text::{Selection, Vectorizer, VectorizerOptions};
use twox_hash::XxHash3_128;

/// A sound file of each kind of model: numbered words, terms with several labels a document, terms,
/// hashed terms, and terms with an index of documents.
pub(crate) static FILES: LazyLock<[Vec<u8>; 5]> = LazyLock::new(|| {
    let terms = VectorizerOptions {
        word_ngrams: 2,
        ngrams: Selection { min_df: 2, ..Default::default() },
        prefix_lengths: vec![2],
        char_ngrams: Some((3, 3)),
        ..Default::default()
    }
    .tf_idf(true);
    let hashed = VectorizerOptions { hashing: Some(4), ..Default::default() };
    let several = Calibration::Platt { scales: vec![1.0, 0.5], offsets: vec![0.1, -0.1] };
    let mixed = Calibration::Mixture(Mixture {
        temperature: 1.5,
        noise: 0.1,
        shares: vec![0.5, 0.5],
        confidence: [1.0, 0.9, 0.1],
    });
    let single = LabelKind::Single;
    let tempered = Calibration::Temperature { temperature: 2.0 };
    [
        sound(None, single, Calibration::None, false),
        sound(Some(terms.clone()), LabelKind::Multi, several, false),
        sound(Some(terms.clone()), single, mixed, false),
        sound(Some(hashed), single, tempered, false),
        sound(Some(terms), LabelKind::Multi, Calibration::None, true),
    ]
});

/// The file of a model that learned a little.
fn sound(
    vectorizer: Option<VectorizerOptions>,
    kind: LabelKind,
    calibration: Calibration,
    indexed: bool,
) -> Vec<u8> {
    let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    for i in 0..4 {
        documents.push(&format!("wheat fell {i}"), 0);
        documents.push(&format!("gold rose {i}"), 1);
    }
    if kind == LabelKind::Multi {
        let sets = (0..8).map(|i| [vec![0], vec![0, 1], vec![1], vec![]][i % 4].clone());
        let labels = Labels::Multi(sets.collect());
        documents = documents.with_labels(labels).expect("as many as documents");
    }
    let options = TrainingOptions {
        vectorizer,
        max_features: 16,
        hidden: vec![3],
        epochs: 1,
        validation: ValidationSplit::Fraction(0.25),
        ..Default::default()
    };
    let options = options.for_labels(kind);
    let decisions = Decisions { thresholds: vec![0.4, 0.6], ..Default::default() };
    let classifier = Classifier::train_documents(&documents, "fuzz", &options, &mut []);
    let classifier = classifier.expect("these can be learned").with_calibration(calibration);
    let classifier = classifier.with_decisions(decisions).expect("as many as classes");
    let classifier = match indexed {
        true => classifier.with_index(&documents).expect("these are its own"),
        false => classifier,
    };
    classifier.to_bytes().expect("this can be stored")
}

/// Where the checksum stands.
const CHECKSUM: usize = 97;

/// Puts the checksum that the format demands into a file.
fn seal(file: &mut [u8]) {
    let Some(place) = file.get_mut(CHECKSUM..CHECKSUM + 32) else { return };
    place.fill(b'0');
    let pieces = file.chunks(1 << 20);
    let hashes: Vec<u8> =
        pieces.flat_map(|piece| XxHash3_128::oneshot(piece).to_be_bytes()).collect();
    let digits = format!("{:032x}", XxHash3_128::oneshot(&hashes));
    file[CHECKSUM..CHECKSUM + 32].copy_from_slice(digits.as_bytes());
}

/// A file as it is, its checksum put right.
pub(crate) fn file(data: &[u8]) {
    let _ = Classifier::from_bytes(data.to_vec());
    let mut sealed = data.to_vec();
    seal(&mut sealed);
    loaded(&sealed, "");
}

/// Edits of a sound file, and a text to ask for.
pub(crate) fn edited(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(kind) = input.int_in_range(0..=FILES.len() - 1) else { return };
    let original = &FILES[kind];
    let mut parts = Parts::of(original);
    let edits = input.int_in_range(0..=6).unwrap_or(0);
    for _ in 0..edits {
        if parts.edit(&mut input).is_err() {
            break;
        }
    }
    let file = parts.file();
    if edits == 0 {
        assert_eq!(file, *original, "taking apart and putting together changes nothing");
    }
    loaded(&file, &String::from_utf8_lossy(input.take_rest()));
}

/// Loads a file and, if that succeeds, holds the model to what models promise.
fn loaded(file: &[u8], text: &str) {
    let Ok(classifier) = Classifier::from_bytes(file.to_vec()) else { return };
    let again = classifier.to_bytes().expect("what could be loaded can be saved");
    if FILES.iter().any(|original| original == file) {
        assert_eq!(again, file, "a loaded model saves as the same bytes");
    }
    let reloaded = Classifier::from_bytes(again.clone()).expect("what was saved can be loaded");
    assert_eq!(reloaded.to_bytes().expect("and saved"), again);
    if let Vectorizer::Terms(terms) = classifier.vectorizer() {
        assert!(terms.terms().len() <= terms.width());
    }
    // Weights without measure overflow; that they do so quietly is all that can be asked.
    let small = |values: &[f32]| values.iter().all(|value| value.abs() < 1e4);
    let network = classifier.network();
    let moderate =
        network.parameters().iter().all(|p| small(p.kernel.as_slice()) && small(p.bias.as_slice()))
            && classifier.vectorizer().as_terms().is_none_or(|terms| small(terms.factors()));
    let single = matches!(network.output_activation(), slugline::nn::Activation::Softmax);
    let mut explainer = classifier.explainer();
    for text in ["wheat rose", "", "gold 1 2 3 zzz", text] {
        let why = explainer.explain(text, ExplainOptions::default()).expect("there is a class");
        let pieces: String = why.pieces(text).iter().map(|piece| piece.0).collect();
        assert_eq!(pieces, text);
        let rise: f64 = why.spans.iter().map(|span| span.contribution).sum();
        let missing = (why.baseline + rise - why.logit).abs();
        assert!(!moderate || missing < 1e-3 * why.logit.abs().max(1.0), "{why:?}");
        let near = classifier.nearest(text, 3).expect("rows fit the network");
        assert_eq!(near.len(), classifier.index().map_or(0, |index| index.len().min(3)));
        let answer = classifier.predict(text);
        let bits = |answer: &[f32]| answer.iter().map(|p| p.to_bits()).collect::<Vec<_>>();
        let again = reloaded.predict(text);
        assert_eq!(bits(&answer.probabilities), bits(&again.probabilities), "{answer:?}");
        assert_eq!(answer.probabilities.len(), classifier.class_names().len());
        assert!((answer.class as usize) < classifier.class_names().len());
        assert!((0.0..=1.0).contains(&answer.unknown_share()));
        if moderate {
            assert!(answer.probabilities.iter().all(|p| p.is_finite()), "{answer:?}");
        }
        if moderate && single {
            let sum: f32 = answer.probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 1e-4, "{answer:?}");
        }
    }
}

/// A file taken apart: the description, the rest of the header, the tensors' bytes.
struct Parts {
    description: Value,
    tensors: Value,
    data: Vec<u8>,
}

impl Parts {
    fn of(file: &[u8]) -> Self {
        let length = u64::from_le_bytes(*file.first_chunk().expect("a length")) as usize;
        let (header, data) = file[8..].split_at(length);
        let mut header: Map<String, Value> = serde_json::from_slice(header).expect("a header");
        let metadata = header.shift_remove("__metadata__").expect("a description");
        let text = metadata["slugline"].as_str().expect("a text");
        let description = serde_json::from_str(text).expect("JSON");
        Self { description, tensors: Value::Object(header), data: data.to_vec() }
    }

    /// The file, sealed.
    fn file(&self) -> Vec<u8> {
        let mut header = Map::new();
        header.insert("__metadata__".into(), json!({ "slugline": self.description.to_string() }));
        header.extend(self.tensors.as_object().cloned().unwrap_or_default());
        let mut header = Value::Object(header).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header);
        file.extend(&self.data);
        seal(&mut file);
        file
    }

    fn edit(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.int_in_range(0..=7)? {
            0 => {
                let at = input.choose_index(self.data.len())?;
                self.data[at] = input.arbitrary()?;
            }
            1 => {
                let number = *input.choose(&[0, 1, 2, 3, u32::MAX - 1, u32::MAX, 1 << 31])?;
                self.put(input, number.to_le_bytes())?;
            }
            2 => {
                let number = *input.choose(&[
                    0.0_f32,
                    -1.0,
                    100.0,
                    1e30,
                    f32::MIN_POSITIVE / 8.0,
                    f32::NAN,
                    f32::INFINITY,
                ])?;
                self.put(input, number.to_le_bytes())?;
            }
            3 => replace(&mut self.description, input)?,
            4 => replace(&mut self.tensors, input)?,
            5 => {
                let keep = input.choose_index(self.data.len() + 1)?;
                self.data.truncate(keep);
            }
            6 => self.data.extend(input.arbitrary::<[u8; 4]>()?),
            _ => {
                let tensors =
                    self.tensors.as_object_mut().ok_or(arbitrary::Error::IncorrectFormat)?;
                let names: Vec<String> = tensors.keys().cloned().collect();
                let (a, b) = (input.choose(&names)?, input.choose(&names)?);
                let (x, y) = (tensors[a].clone(), tensors[b].clone());
                (tensors[a], tensors[b]) = (y, x);
            }
        }
        Ok(())
    }

    /// Writes four bytes at a multiple of four.
    fn put(&mut self, input: &mut Unstructured<'_>, bytes: [u8; 4]) -> Result<()> {
        let places = self.data.len() / 4;
        let at = 4 * input.choose_index(places)?;
        self.data[at..at + 4].copy_from_slice(&bytes);
        Ok(())
    }
}

/// Replaces or removes some part of a JSON value.
fn replace(value: &mut Value, input: &mut Unstructured<'_>) -> Result<()> {
    let deeper = match value {
        Value::Array(list) if !list.is_empty() => input.ratio(7, 8)?,
        Value::Object(map) if !map.is_empty() => input.ratio(7, 8)?,
        _ => false,
    };
    if !deeper {
        *value = other(input)?;
        return Ok(());
    }
    match value {
        Value::Array(list) => {
            let at = input.choose_index(list.len())?;
            match input.int_in_range(0..=9)? {
                0 => {
                    list.remove(at);
                }
                1 => list.push(list[at].clone()),
                _ => replace(&mut list[at], input)?,
            }
        }
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = input.choose(&keys)?;
            match input.int_in_range(0..=19)? {
                0 => {
                    map.shift_remove(key);
                }
                _ => replace(&mut map[key], input)?,
            }
        }
        _ => {}
    }
    Ok(())
}

fn other(input: &mut Unstructured<'_>) -> Result<Value> {
    let number = *input.choose(&[
        0.5,
        -1.0,
        1e-30,
        1e30,
        1e39,
        1e300,
        4_294_967_295.0,
        9_007_199_254_740_992.0,
    ])?;
    Ok(match input.int_in_range(0..=9)? {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3 => json!(number),
        4 => json!(number as u64),
        5 => json!(u64::MAX),
        6 => json!("none"),
        7 => json!([]),
        8 => json!({}),
        _ => json!(input.int_in_range(0..=9)?),
    })
}

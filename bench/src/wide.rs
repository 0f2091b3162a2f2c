//! A model of very many features, and lines of as many words for fastText.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use slugline::classifier::{Classifier, Preset, TrainingOptions};
use slugline::corpus::encode::CorpusInfo;
use slugline::corpus::{Corpus, SequenceOptions};

use crate::Failure;
use crate::growth::word;

const CLASSES: usize = 46;
const WORDS_A_LINE: usize = 20;

/// Trains one epoch on texts that have `features` distinct words, with one hidden layer of `units`,
/// and saves the model as `model`; writes the same texts with their labels to `lines`, for fastText.
///
/// # Errors
/// If the training fails or a file cannot be written.
pub fn write(model: &Path, lines: &Path, features: usize, units: usize) -> Result<Value, Failure> {
    let texts: Vec<(String, u32)> = (0..features.div_ceil(WORDS_A_LINE))
        .map(|line| {
            let numbers = line * WORDS_A_LINE..((line + 1) * WORDS_A_LINE).min(features);
            let words: Vec<String> = numbers.map(word).collect();
            (words.join(" "), (line % CLASSES) as u32)
        })
        .collect();
    let mut file = BufWriter::new(File::create(lines)?);
    for (text, label) in &texts {
        writeln!(file, "__label__{label} {text}")?;
    }
    file.flush()?;

    let info = CorpusInfo {
        name: "wide".into(),
        description: "Generated lines of words that stand in one of them each".into(),
        class_names: (0..CLASSES).map(|class| class.to_string()).collect(),
    };
    let options = SequenceOptions { test_split: 0.0, ..Default::default() };
    let width = features + options.index_from as usize + 1;
    let texts = texts.iter().map(|(text, label)| (text.as_str(), *label));
    let corpus = Corpus::from_texts(info, texts, &options)?;
    let options = TrainingOptions {
        max_features: width,
        hidden: vec![units],
        epochs: 1,
        validation: slugline::classifier::ValidationSplit::None,
        ..Preset::Notebook.options()
    };
    let classifier = Classifier::train(&corpus, &options)?;
    classifier.save(model)?;
    Ok(json!({
        "words": classifier.vectorizer().words().map_or(0, slugline::text::Vocabulary::len),
        "features": width,
        "units": units,
        "bytes": std::fs::metadata(model)?.len(),
    }))
}

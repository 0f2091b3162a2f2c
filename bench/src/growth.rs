//! Whether a hundred times the documents cost a hundred times as much, and no more.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use slugline::classifier::Preset;
use slugline::corpus::SequenceOptions;
use slugline::nn::{CsrMatrix, FitOptions, Sequential, Targets};
use slugline::text::{FeatureBuffer, MultiHotVectorizer, Vocabulary};

use crate::Failure;
use crate::data::network;

const WORDS: usize = 50_000;
const WORDS_A_DOCUMENT: u64 = 80;
const CLASSES: usize = 46;
/// Documents generated together, outside the clock.
const CHUNK: usize = 1000;

/// Turns `documents` generated texts into rows, trains one epoch on them, and tells the time of
/// both and the memory at its highest. With `repeat` the time is that of so many rounds, over the
/// documents of all of them; each round draws its own texts.
///
/// The texts have 40 to 119 words of 50,000, drawn by Zipf's law; 9 in 10 words of a text are drawn
/// from all, the others from those of its class. The vocabulary does not grow with the documents, so
/// that neither does the model.
///
/// # Errors
/// If the training fails, or the system does not tell its memory.
pub fn measure(documents: usize, repeat: usize, threads: usize) -> Result<Value, Failure> {
    let width = Preset::Notebook.options().max_features;
    let words: Vec<String> = (0..WORDS).map(word).collect();
    let options = SequenceOptions { num_words: Some(width as u32), ..Default::default() };
    let kept = width - options.index_from as usize - 1;
    let vocabulary = Vocabulary::new(&words[..kept])?;
    let vectorizer = MultiHotVectorizer::from_parts(vocabulary, options, width);
    let mut writer = Writer::new(words);
    let mut network = network(width, CLASSES, 0)?;

    // Everything that does not grow is in place before memory is read: the model, the optimizer's
    // memory, the buffers of a step.
    let batch = Preset::Notebook.options().batch_size;
    round(&mut writer, &vectorizer, &mut network, 4 * batch, threads)?;
    let fixed = peak_memory()?;

    let mut all = Round::default();
    for _ in 0..repeat {
        let done = round(&mut writer, &vectorizer, &mut network, documents, threads)?;
        all = Round {
            vectorize: all.vectorize + done.vectorize,
            train: all.train + done.train,
            ..done
        };
    }
    let Round { vectorize, train, non_zeros, loss } = all;
    let total = (documents * repeat) as f64;
    let grown = peak_memory()?.saturating_sub(fixed);
    Ok(json!({
        "documents": documents,
        "repeat": repeat,
        "seconds_per_document": (vectorize + train).as_secs_f64() / total,
        "vectorize_seconds_per_document": vectorize.as_secs_f64() / total,
        "train_seconds_per_document": train.as_secs_f64() / total,
        "non_zeros": non_zeros,
        "fixed_bytes": fixed,
        "grown_bytes": grown,
        "bytes_per_non_zero": grown as f64 / non_zeros as f64,
        "loss": loss,
    }))
}

#[derive(Default)]
struct Round {
    vectorize: Duration,
    train: Duration,
    non_zeros: usize,
    loss: Option<f64>,
}

fn round(
    writer: &mut Writer,
    vectorizer: &MultiHotVectorizer,
    network: &mut Sequential,
    documents: usize,
    threads: usize,
) -> Result<Round, Failure> {
    let mut done = Round::default();
    let mut buffer = FeatureBuffer::default();
    let (mut indptr, mut indices, mut labels) = (vec![0], Vec::new(), Vec::new());
    let mut texts = Vec::new();
    while labels.len() < documents {
        texts.clear();
        for _ in 0..CHUNK.min(documents - labels.len()) {
            let (label, text) = writer.document();
            labels.push(label);
            texts.push(text);
        }
        let start = Instant::now();
        for text in &texts {
            vectorizer.vectorize(text, &mut buffer);
            indices.extend_from_slice(buffer.row().indices);
            indptr.push(indices.len());
        }
        done.vectorize += start.elapsed();
    }
    drop(texts);
    let start = Instant::now();
    let values = vec![1.0; indices.len()];
    let x = CsrMatrix::new(vectorizer.width(), indptr, indices, values)?;
    done.vectorize += start.elapsed();
    let y = Targets::from(labels);
    let options = FitOptions {
        epochs: 1,
        batch_size: Preset::Notebook.options().batch_size,
        threads,
        ..Default::default()
    };
    let start = Instant::now();
    // One-hot rows, which the preset's loss would take, grow with the classes: integer labels serve.
    network.compile(
        Preset::Notebook.options().optimizer,
        slugline::nn::Loss::SparseCategoricalCrossentropy,
        &[],
    )?;
    let history = network.fit(&x, &y, &options)?;
    done.train += start.elapsed();
    done.non_zeros = x.nnz();
    done.loss = history.last("loss");
    Ok(done)
}

/// Draws texts.
struct Writer {
    words: Vec<String>,
    /// Sum of the shares of the words up to each.
    shares: Vec<f64>,
    state: u64,
}

impl Writer {
    fn new(words: Vec<String>) -> Self {
        let mut sum = 0.0;
        let shares = (1..=words.len())
            .map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            })
            .collect();
        Self { words, shares, state: 1 }
    }

    /// The next number of the generator `SplitMix64`.
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn document(&mut self) -> (u32, String) {
        let label = self.bits() as usize % CLASSES;
        let length = WORDS_A_DOCUMENT / 2 + self.bits() % WORDS_A_DOCUMENT;
        let mut text = String::with_capacity(8 * length as usize);
        for _ in 0..length {
            let bits = self.bits();
            let word = if bits.is_multiple_of(10) {
                // Every class has some words of its own among the thousand most frequent ones.
                (self.bits() as usize % (1000 / CLASSES)) * CLASSES + label
            } else {
                let all = self.shares[self.shares.len() - 1];
                let drawn = (bits >> 11) as f64 / (1u64 << 53) as f64 * all;
                self.shares.partition_point(|share| *share < drawn).min(self.words.len() - 1)
            };
            text.push_str(&self.words[word]);
            text.push(' ');
        }
        (label as u32, text)
    }
}

/// A word of its own for each number, short for small ones as in a language.
pub(crate) fn word(number: usize) -> String {
    let mut word = String::new();
    let mut rest = number + 26;
    while rest > 0 {
        // Writing to a string does not fail.
        let _ = write!(word, "{}", char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    word
}

/// The most memory that this process has held so far, in bytes.
fn peak_memory() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.ok_or("/proc/self/status has no VmHWM")?.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_distinct_letters() {
        let words: HashSet<String> = (0..WORDS).map(word).collect();
        assert_eq!(words.len(), WORDS);
        assert!(words.iter().all(|w| w.bytes().all(|b| b.is_ascii_lowercase())));
    }

    #[test]
    fn frequent_words_are_frequent() {
        let mut writer = Writer::new((0..WORDS).map(word).collect());
        let first = word(0);
        let (mut words, mut firsts) = (0, 0);
        for _ in 0..500 {
            let (label, text) = writer.document();
            assert!((label as usize) < CLASSES);
            words += text.split(' ').count() - 1;
            firsts += text.split(' ').filter(|w| **w == first).count();
        }
        assert!((35_000..45_000).contains(&words), "{words} words");
        // The first word's share of the draws by Zipf's law is 1/ln(50,000), some 9 in 100.
        assert!((words / 15..words / 9).contains(&firsts), "{firsts} of {words}");
    }
}

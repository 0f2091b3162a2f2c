//! Why a label: what every word and n-gram of a text adds to a class, and what words speak for a class
//! in general.
//!
//! A text is explained by integrated gradients from the empty text on (see
//! [`Attributor`]): contributions add up to what lies between the logit of the empty text, the
//! *baseline*, and that of the text. For linear models they are weight times value.

mod spans;
mod words;

use std::collections::HashMap;

use serde::Serialize;

use crate::classifier::Classifier;
use crate::nn::{Attributor, NnError, Predictor, SparseRow};
use crate::text::{FeatureBuffer, Occurrence};

pub use words::{ClassWords, WeightedWord, WordsError};

/// What is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExplainOptions {
    /// Number of the class. `None`, the default, for the most probable one besides `against`.
    pub class: Option<u32>,
    /// Number of a class that it is held against: explained is then the difference of their logits, why
    /// the one and not the other. `None`, the default, for none.
    pub against: Option<u32>,
}

/// Why a text has a class, or has not.
///
/// As JSON it has the same fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Name of the class that is explained.
    pub label: String,
    /// Name of the class that it is held against, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// Its calibrated probability.
    pub probability: f32,
    /// The answer for the text: a class, or [`UNKNOWN`](crate::decision::UNKNOWN); of multi-label answers
    /// the most probable one, `None` where there is none.
    pub answer: Option<String>,
    /// What the network gives the class, before the last activation and before calibration; with
    /// `against`, how far that lies above what it gives the other class.
    pub logit: f64,
    /// The same for the empty text. With the contributions of all spans it makes the logit.
    pub baseline: f64,
    /// What the features of each stretch of the text contribute, by their places. Words overlap with the
    /// n-grams that they are part of.
    pub spans: Vec<Span>,
    /// The same by tokens, which do not overlap: each has its own contribution and an even part of those
    /// of its n-grams. They too make the logit.
    pub tokens: Vec<Span>,
    /// Number of words of the text.
    pub words: usize,
    /// How many of them the model does not know.
    pub unknown_words: usize,
}

/// A stretch of a text and what it contributes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Span {
    /// Where it begins, in characters (Unicode scalar values) from 0.
    pub start: usize,
    /// Where it ends: the character behind its last one.
    pub end: usize,
    /// What stands there.
    pub text: String,
    /// What it adds to the logit.
    #[serde(serialize_with = "rounded")]
    pub contribution: f64,
}

/// Seven decimals: what lies beyond is of no use, and would make up most of a long list in JSON.
fn rounded<S: serde::Serializer>(contribution: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((contribution * 1e7).round() / 1e7)
}

/// All places of a word or n-gram in a text together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sum {
    /// How it is written, where it first stands.
    pub text: String,
    /// How often it stands there, in upper or lower case.
    pub times: usize,
    /// What it adds to the logit.
    pub contribution: f64,
}

impl Explanation {
    /// The spans added up by what is written there, the largest contributions, for or against, first.
    pub fn by_text(&self) -> Vec<Sum> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut sums: Vec<Sum> = Vec::new();
        for span in &self.spans {
            let at = *places.entry(span.text.to_lowercase()).or_insert(sums.len());
            if at == sums.len() {
                sums.push(Sum { text: span.text.clone(), times: 0, contribution: 0.0 });
            }
            sums[at].times += 1;
            sums[at].contribution += span.contribution;
        }
        sums.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        sums
    }

    /// The text that was explained, cut at the tokens: each piece with the contribution of its token,
    /// `None` for what stands between tokens.
    pub fn pieces<'t>(&self, text: &'t str) -> Vec<(&'t str, Option<f64>)> {
        let starts: Vec<usize> =
            text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let last = starts.len() - 1;
        let (mut pieces, mut end) = (Vec::new(), 0);
        let mut push = |from: usize, to: usize, contribution| {
            if from < to {
                pieces.push((&text[starts[from]..starts[to]], contribution));
            }
        };
        for token in &self.tokens {
            // Two tokens may have come from what is seen as one character.
            let start = token.start.clamp(end, last);
            let stop = token.end.clamp(start, last);
            push(end, start, None);
            push(start, stop, Some(token.contribution));
            end = stop;
        }
        push(end, last, None);
        pieces
    }
}

/// Explains text after text, reusing its buffers: one for each thread that explains.
///
/// ```
/// use slugline::classifier::{Classifier, TrainingOptions};
/// use slugline::corpus::{SequenceOptions, sample};
///
/// let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
/// let options = TrainingOptions { max_features: 2000, hidden: vec![16], epochs: 3, ..Default::default() };
/// let classifier = Classifier::train(&corpus, &options)?;
/// let why = classifier.explain("The wheat harvest was delayed by rain.");
/// let sum: f64 = why.spans.iter().map(|span| span.contribution).sum();
/// assert!((why.baseline + sum - why.logit).abs() < 1e-3);
/// assert_eq!(why.tokens[1].text, "wheat");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Explainer<'a> {
    classifier: &'a Classifier,
    buffer: FeatureBuffer,
    network: Predictor<'a>,
    attributor: Attributor<'a>,
    /// The row of the empty text: marks that every text has.
    empty: (Vec<u32>, Vec<f32>),
    occurrences: Vec<Occurrence>,
}

impl Classifier {
    /// A reusable way to ask why.
    pub fn explainer(&self) -> Explainer<'_> {
        let mut buffer = FeatureBuffer::default();
        let row = self.vectorizer().vectorize("", &mut buffer);
        let empty = (row.indices.to_vec(), row.values.to_vec());
        Explainer {
            classifier: self,
            buffer,
            network: self.network().predictor(),
            attributor: self.network().attributor(),
            empty,
            occurrences: Vec::new(),
        }
    }

    /// Why the most probable class of a text is that.
    pub fn explain(&self, text: &str) -> Explanation {
        let why = self.explainer().explain(text, ExplainOptions::default());
        why.unwrap_or_else(|_| unreachable!("a text always has a most probable class"))
    }
}

impl<'a> Explainer<'a> {
    /// An explainer for another thread, which shares what this one has prepared.
    #[must_use]
    pub fn fork(&self) -> Explainer<'a> {
        Explainer {
            classifier: self.classifier,
            buffer: FeatureBuffer::default(),
            network: self.network.fork(),
            attributor: self.attributor.fork(),
            empty: self.empty.clone(),
            occurrences: Vec::new(),
        }
    }

    /// Why a text has a class, or has not.
    ///
    /// # Errors
    /// [`NnError::Shape`] if the options name a class that is not there.
    pub fn explain(&mut self, text: &str, what: ExplainOptions) -> Result<Explanation, NnError> {
        let Self { classifier, buffer, network, attributor, empty, occurrences } = self;
        let vectorizer = classifier.vectorizer();
        occurrences.clear();
        let row = vectorizer.vectorize_with(text, buffer, |found| occurrences.push(found));
        attributor.set_path(SparseRow { indices: &empty.0, values: &empty.1 }, row)?;
        let outputs = network.predict(row)?.to_vec();
        let prediction = classifier.calibrated(outputs, classifier.known_of(buffer));
        let other = |&(class, _): &(u32, f32)| Some(class) != what.against;
        let best = || prediction.top_k(2).into_iter().find(other).map(|(class, _)| class);
        let class = what.class.or_else(best).unwrap_or(prediction.class);
        let rise = |logits: &[f64]| {
            let of = |class: u32| logits.get(class as usize).copied().unwrap_or_default();
            of(class) - what.against.map_or(0.0, of)
        };
        let (logit, baseline) = (rise(attributor.logits()), rise(attributor.baseline_logits()));
        let contributions = attributor.contributions(class, what.against)?;
        let places = vectorizer.token_spans(text);
        let found = spans::of_occurrences(text, &places, occurrences, contributions);
        let name = |class: u32| classifier.class_names()[class as usize].clone();
        Ok(Explanation {
            label: name(class),
            against: what.against.map(name),
            probability: prediction.probabilities[class as usize],
            answer: Some(prediction.label).filter(|label| !label.is_empty()),
            logit,
            baseline,
            spans: found.spans,
            tokens: found.tokens,
            words: prediction.words,
            unknown_words: prediction.unknown_words,
        })
    }
}

#[cfg(test)]
mod tests;

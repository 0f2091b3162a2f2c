//! Answers for new text.

use rayon::prelude::*;
use serde::Serialize;

use super::{Classifier, ClassifierError};
use crate::corpus::Sequences;
use crate::decision::{Answer, Decisions, Known, UNKNOWN};
use crate::nn::{CsrMatrix, Matrix, NnError, Predictor, argmax};
use crate::text::{FeatureBuffer, Vectorizer, multi_hot};

/// The answer for one text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Name of the class that is the answer, or [`UNKNOWN`]; of multi-label answers the most probable
    /// one, empty where there is none.
    pub label: String,
    /// The answer by the classifier's decisions; see [`decision`](crate::decision).
    pub answer: Answer,
    /// Number of the most probable class, whatever the answer.
    pub class: u32,
    /// The probability of each class, in the order of the class names.
    pub probabilities: Vec<f32>,
    /// Number of words of the text.
    pub words: usize,
    /// How many of them the vocabulary does not have.
    pub unknown_words: usize,
}

impl Prediction {
    /// The share of unknown words; 0 for a text without words.
    pub fn unknown_share(&self) -> f32 {
        let Self { words, unknown_words, .. } = *self;
        Known { words, unknown_words, nothing: false }.unknown_share()
    }

    /// The largest of the probabilities, that of `class`; 0 where there are none.
    pub fn largest_probability(&self) -> f32 {
        self.probabilities.get(self.class as usize).copied().unwrap_or_default()
    }

    /// The `k` most probable classes with their probabilities, the most probable first; equal ones in
    /// the order of the classes.
    pub fn top_k(&self, k: usize) -> Vec<(u32, f32)> {
        if k == 1 {
            let best = self.probabilities.get(self.class as usize);
            return best.map(|&p| (self.class, p)).into_iter().collect();
        }
        let mut ranked: Vec<(u32, f32)> = (0..).zip(self.probabilities.iter().copied()).collect();
        let falling = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if k < ranked.len() {
            ranked.select_nth_unstable_by(k, falling);
            ranked.truncate(k);
        }
        ranked.sort_unstable_by(falling);
        ranked
    }
}

/// Texts that are answered together: the network uses each weight for several of them.
const BLOCK: usize = 48;

/// Answers text after text, reusing its buffers: one for each thread that predicts.
pub struct TextPredictor<'a> {
    classifier: &'a Classifier,
    features: FeatureBuffer,
    rows: CsrMatrix,
    network: Predictor<'a>,
}

impl<'a> TextPredictor<'a> {
    /// A predictor for another thread, which shares what this one has prepared.
    #[must_use]
    pub fn fork(&self) -> TextPredictor<'a> {
        TextPredictor {
            classifier: self.classifier,
            features: FeatureBuffer::default(),
            rows: CsrMatrix::with_cols(self.rows.cols()),
            network: self.network.fork(),
        }
    }

    /// The answer for `text`.
    pub fn predict(&mut self, text: &str) -> Prediction {
        self.predict_batch(&[text]).pop().unwrap_or_else(|| unreachable!("one answer a text"))
    }

    /// The answers for texts, in their order, on this thread.
    ///
    /// ```
    /// use slugline::classifier::{Classifier, TrainingOptions};
    /// use slugline::corpus::{SequenceOptions, sample};
    ///
    /// let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
    /// let options = TrainingOptions { max_features: 2000, epochs: 1, ..Default::default() };
    /// let classifier = Classifier::train(&corpus, &options)?;
    /// let answers = classifier.predictor().predict_batch(&["wheat", "gold"]);
    /// assert_eq!(answers, [classifier.predict("wheat"), classifier.predict("gold")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn predict_batch<T: AsRef<str>>(&mut self, texts: &[T]) -> Vec<Prediction> {
        let mut answers = Vec::with_capacity(texts.len());
        for block in texts.chunks(BLOCK) {
            self.predict_block(block, &mut answers);
        }
        answers
    }

    /// The hidden activations of a block of texts.
    fn embed_block<T: AsRef<str>>(&mut self, texts: &[T], out: &mut [f32]) -> Result<(), NnError> {
        let Self { classifier, features, rows, network } = self;
        rows.clear();
        for text in texts {
            let row = classifier.vectorizer.vectorize(text.as_ref(), features);
            rows.push_row(row.indices, row.values)?;
        }
        out.copy_from_slice(network.hidden_rows(rows)?);
        Ok(())
    }

    fn predict_block<T: AsRef<str>>(&mut self, texts: &[T], answers: &mut Vec<Prediction>) {
        let Self { classifier, features, rows, network } = self;
        rows.clear();
        let mut known = Vec::with_capacity(texts.len());
        for text in texts {
            let row = classifier.vectorizer.vectorize(text.as_ref(), features);
            // The vectorizer's rows rise and end below its width, which is the network's.
            let pushed = rows.push_row(row.indices, row.values);
            debug_assert!(pushed.is_ok());
            known.push(classifier.known_of(features));
        }
        let outputs = network.predict_rows(rows).unwrap_or_default();
        let all = outputs.chunks_exact(classifier.class_names.len()).zip(known);
        answers.extend(all.map(|(p, known)| classifier.calibrated(p.to_vec(), known)));
    }
}

impl Classifier {
    /// A reusable way to ask for texts one by one.
    pub fn predictor(&self) -> TextPredictor<'_> {
        TextPredictor {
            classifier: self,
            features: FeatureBuffer::default(),
            rows: CsrMatrix::with_cols(self.network.input_width()),
            network: self.network.predictor(),
        }
    }

    /// The answer for one text.
    pub fn predict(&self, text: &str) -> Prediction {
        self.predictor().predict(text)
    }

    /// The answer for a document of a corpus that numbers words as the training corpus did; see
    /// [`check_corpus`](Self::check_corpus). Its words are its ids without the start mark, the
    /// unknown ones those that stand for a word left out.
    ///
    /// # Errors
    /// [`ClassifierError::Network`] for an id beyond the features of the model,
    /// [`ClassifierError::TakesText`] for a model that was trained on text without numbers.
    pub fn predict_document(&self, ids: &[u32]) -> Result<Prediction, ClassifierError> {
        let mut document = Sequences::new();
        document.push(ids, 0);
        let row = multi_hot(&document, self.vectorizer.width())?;
        Ok(self.calibrated(self.network.predict(&row)?.row(0).to_vec(), self.known(ids)?))
    }

    /// How much of a document of a numbered corpus is known.
    pub(super) fn known(&self, ids: &[u32]) -> Result<Known, ClassifierError> {
        let Some(vectorizer) = self.vectorizer.as_multi_hot() else {
            return Err(ClassifierError::TakesText { corpus: self.record.corpus.name.clone() });
        };
        let options = vectorizer.options();
        let starts = ids.first().is_some_and(|&id| Some(id) == options.start_char);
        let words = &ids[usize::from(starts)..];
        let unknown_words = words.iter().filter(|&&id| Some(id) == options.oov_char).count();
        Ok(Known { words: words.len(), unknown_words, nothing: unknown_words == words.len() })
    }

    /// How much of the text is known that `features` holds.
    pub(crate) fn known_of(&self, features: &FeatureBuffer) -> Known {
        let (words, unknown_words) = (features.words(), features.unknown_words());
        let nothing = match self.vectorizer {
            // The marks of numbered documents are in every row.
            Vectorizer::MultiHot(_) => words == unknown_words,
            Vectorizer::Terms(_) => features.row().indices.is_empty(),
            // A list without features says that all are zero.
            Vectorizer::Features(_) => words > 0 && words == unknown_words,
        };
        Known { words, unknown_words, nothing }
    }

    /// The answer that follows from the network's outputs.
    pub(crate) fn calibrated(&self, mut outputs: Vec<f32>, known: Known) -> Prediction {
        self.calibration.apply(&mut outputs);
        self.answer_by(&self.decisions, outputs, known)
    }

    /// The answer that decisions make of probabilities.
    pub(super) fn answer_by(
        &self,
        decisions: &Decisions,
        probabilities: Vec<f32>,
        known: Known,
    ) -> Prediction {
        let class = argmax(&probabilities);
        let answer = decisions.answer_with(self.label_kind(), &probabilities, class, known);
        let answered = match &answer {
            Answer::Class(class) => Some(*class),
            Answer::Labels(labels) => labels.first().copied(),
            Answer::Unknown(_) => None,
        };
        let label = match answered {
            Some(class) => self.class_names.get(class as usize).cloned().unwrap_or_default(),
            None if matches!(answer, Answer::Unknown(_)) => UNKNOWN.to_owned(),
            None => String::new(),
        };
        let Known { words, unknown_words, .. } = known;
        Prediction { label, answer, class, probabilities, words, unknown_words }
    }

    /// What the network makes its answers of, for many texts: the activations of its last hidden layer,
    /// or of a linear model its sums; see [`Sequential::hidden`](crate::nn::Sequential::hidden). Shape
    /// `[texts, hidden_units]`. Texts that the network takes for similar have similar rows. Runs on all
    /// threads of the current pool.
    ///
    /// ```
    /// use slugline::classifier::{Classifier, TrainingOptions};
    /// use slugline::corpus::{SequenceOptions, sample};
    ///
    /// let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
    /// let options = TrainingOptions { max_features: 2000, epochs: 1, ..Default::default() };
    /// let classifier = Classifier::train(&corpus, &options)?;
    /// let rows = classifier.embed(&["wheat rose", "gold fell"])?;
    /// assert_eq!((rows.rows(), rows.cols()), (2, 64));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClassifierError::Network`] if the vectorizer's rows do not fit the network, which cannot happen
    /// to a classifier from [`from_parts`](Self::from_parts).
    pub fn embed<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<Matrix, ClassifierError> {
        let width = self.network.hidden_units();
        let mut out = Matrix::zeros(texts.len(), width);
        let predictor = self.predictor();
        let blocks = texts.par_chunks(BLOCK).zip(out.data_mut().par_chunks_mut(BLOCK * width));
        blocks.try_for_each_init(
            || predictor.fork(),
            |predictor, (texts, out)| predictor.embed_block(texts, out),
        )?;
        Ok(out)
    }

    /// The answers for many texts, in their order, on all threads of the current pool.
    pub fn predict_batch<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Vec<Prediction> {
        let predictor = self.predictor();
        let blocks: Vec<Vec<Prediction>> = texts
            .par_chunks(BLOCK)
            .map_init(|| predictor.fork(), TextPredictor::predict_batch)
            .collect();
        blocks.into_iter().flatten().collect()
    }
}

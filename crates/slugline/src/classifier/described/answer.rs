//! The answer for a text.

use serde::{Serialize, Serializer};

use crate::classifier::{Classifier, Prediction};
use crate::corpus::LabelKind;
use crate::decision::{Answer, Decisions, Known, Reason};

/// An answer by its names; as JSON it has the same fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DescribedAnswer<'a> {
    /// The class that is the answer, or [`UNKNOWN`](crate::decision::UNKNOWN); of a multi-label
    /// classifier the most probable of its labels, `None` where there is none.
    pub label: Option<&'a str>,
    /// The labels of a multi-label classifier, the most probable first; `None` for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<&'a str>>,
    /// The most probable classes.
    pub probabilities: Ranked<&'a str>,
    /// Number of words of the text.
    pub words: usize,
    /// How many of them the classifier does not know.
    pub unknown_words: usize,
    /// Their share of the words; 0 for a text without words.
    pub unknown_share: f32,
    /// Why the answer is [`UNKNOWN`](crate::decision::UNKNOWN), if it is.
    pub reason: Option<Reason>,
}

/// Classes and their probabilities, the most probable first: as JSON an object, by names.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked<N>(pub Vec<(N, f32)>);

impl Ranked<&str> {
    /// The same with names of its own.
    pub fn into_owned(self) -> Ranked<String> {
        Ranked(self.0.into_iter().map(|(name, p)| (name.to_owned(), p)).collect())
    }
}

impl<N: Serialize> Serialize for Ranked<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, p)| (name, p)))
    }
}

impl Classifier {
    /// The answer by its names, with the `top_k` most probable classes.
    ///
    /// ```
    /// use slugline::classifier::{Classifier, TrainingOptions};
    /// use slugline::corpus::{SequenceOptions, sample};
    ///
    /// let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
    /// let options = TrainingOptions { max_features: 2000, epochs: 20, ..Default::default() };
    /// let classifier = Classifier::train(&corpus, &options)?;
    /// let prediction = classifier.predict("Coffee exporters said arrivals rose.");
    /// let answer = serde_json::to_value(classifier.described(&prediction, 3))?;
    /// assert_eq!(answer["label"], "coffee");
    /// assert_eq!(answer["probabilities"].as_object().unwrap().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn described<'a>(
        &'a self,
        prediction: &'a Prediction,
        top_k: usize,
    ) -> DescribedAnswer<'a> {
        let multi_label = self.label_kind() == LabelKind::Multi;
        DescribedAnswer {
            label: Some(prediction.label.as_str()).filter(|label| !label.is_empty()),
            labels: multi_label.then(|| self.answered(prediction)),
            probabilities: self.ranked(prediction, top_k),
            words: prediction.words,
            unknown_words: prediction.unknown_words,
            unknown_share: prediction.unknown_share(),
            reason: match prediction.answer {
                Answer::Unknown(reason) => Some(reason),
                Answer::Class(_) | Answer::Labels(_) => None,
            },
        }
    }

    /// The names of the classes that are the answer: one or, of a multi-label classifier, any number;
    /// none where it is unknown.
    pub fn answered(&self, prediction: &Prediction) -> Vec<&str> {
        let name = |&class: &u32| self.class_names.get(class as usize).map(String::as_str);
        match &prediction.answer {
            Answer::Class(class) => name(class).into_iter().collect(),
            Answer::Labels(labels) => labels.iter().filter_map(name).collect(),
            Answer::Unknown(_) => Vec::new(),
        }
    }

    /// The names of the `top_k` most probable classes with their probabilities.
    pub fn ranked(&self, prediction: &Prediction, top_k: usize) -> Ranked<&str> {
        let named =
            |(class, p): (u32, f32)| Some((self.class_names.get(class as usize)?.as_str(), p));
        Ranked(prediction.top_k(top_k).into_iter().filter_map(named).collect())
    }

    /// What the answer is by other decisions than the classifier's own.
    ///
    /// ```
    /// use slugline::classifier::{Classifier, TrainingOptions};
    /// use slugline::corpus::{SequenceOptions, sample};
    /// use slugline::decision::{Decisions, UNKNOWN};
    ///
    /// let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
    /// let options = TrainingOptions { max_features: 2000, epochs: 1, ..Default::default() };
    /// let classifier = Classifier::train(&corpus, &options)?;
    /// let strict = Decisions { min_confidence: 0.999_999, ..Decisions::default() };
    /// let answer = classifier.decided(classifier.predict("Rain."), &strict);
    /// assert_eq!(answer.label, UNKNOWN);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn decided(&self, prediction: Prediction, decisions: &Decisions) -> Prediction {
        let nothing = prediction.answer == Answer::Unknown(Reason::NothingKnown);
        let Prediction { words, unknown_words, probabilities, .. } = prediction;
        self.answer_by(decisions, probabilities, Known { words, unknown_words, nothing })
    }
}

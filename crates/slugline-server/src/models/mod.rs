//! Classifiers by name, put in place of others while requests go on.

mod engine;
mod slot;

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderValue};
use slugline::classifier::{Classifier, Prediction};
use slugline::decision::{Decisions, Threshold};

use crate::error::ServeError;
use crate::metrics::{Metrics, ModelMetrics};
use crate::options::Source;
use crate::problem::{Code, Problem};

pub(crate) use engine::Engine;
pub(crate) use slot::Slot;

/// Names the model of an answer.
pub(crate) const MODEL_HEADER: &str = "slugline-model";
/// Tells the checksum of its file.
pub(crate) const CHECKSUM_HEADER: &str = "slugline-checksum";

/// A model that is served.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) engine: Engine,
    /// The checksum of its file.
    pub(crate) checksum: String,
    pub(crate) size_bytes: u64,
    /// When it was loaded.
    pub(crate) loaded: SystemTime,
    pub(crate) metrics: ModelMetrics,
    name_header: HeaderValue,
    checksum_header: HeaderValue,
}

impl Model {
    pub(crate) fn classifier(&self) -> &Classifier {
        self.engine.classifier()
    }

    /// The answers for texts, counted; by other decisions than the model's own where some are given.
    pub(crate) fn answer<T: AsRef<str>>(
        &self,
        texts: &[T],
        decisions: Option<&Decisions>,
    ) -> Vec<Prediction> {
        let mut answers = self.engine.predict(texts);
        if let Some(decisions) = decisions {
            let decide = |answer| self.classifier().decided(answer, decisions);
            answers = answers.into_iter().map(decide).collect();
        }
        self.metrics.count(&answers);
        answers
    }

    /// Adds which model answered.
    pub(crate) fn sign(&self, headers: &mut HeaderMap) {
        headers.insert(MODEL_HEADER, self.name_header.clone());
        headers.insert(CHECKSUM_HEADER, self.checksum_header.clone());
    }

    /// The number of a class.
    pub(crate) fn class(&self, name: &str) -> Result<u32, Problem> {
        let found = self.classifier().class_names().iter().position(|class| class == name);
        found.map(|class| class as u32).ok_or_else(|| {
            Problem::new(
                Code::UnknownClass,
                format!(
                    "The model `{}` has no class `{name}`; GET /v1/model?model={} lists its classes.",
                    self.name, self.name
                ),
            )
        })
    }
}

/// All models, the default one first.
pub(crate) struct Models(Vec<Slot>);

impl Models {
    pub(crate) fn load(sources: &[Source], metrics: &Metrics) -> Result<Self, ServeError> {
        if sources.is_empty() {
            return Err(ServeError::NoModel);
        }
        for (i, source) in sources.iter().enumerate() {
            if !is_name(&source.name) {
                return Err(ServeError::Name { name: source.name.clone() });
            }
            if sources[..i].iter().any(|other| other.name == source.name) {
                return Err(ServeError::SameName { name: source.name.clone() });
            }
        }
        let load = |source: &Source| Slot::load(source, metrics);
        Ok(Self(sources.iter().map(load).collect::<Result<_, _>>()?))
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.0
    }

    /// The model of a name, as it is now; of no name the default one.
    pub(crate) fn get(&self, name: Option<&str>) -> Result<Arc<Model>, Problem> {
        let found = match name {
            None => self.0.first(),
            Some(name) => self.0.iter().find(|slot| slot.name() == name),
        };
        found.map(Slot::model).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(Slot::name).collect();
            Problem::new(
                Code::UnknownModel,
                format!(
                    "There is no model `{}` here; these are served: {}.",
                    name.unwrap_or_default(),
                    names.join(", ")
                ),
            )
        })
    }
}

/// Whether a model may be called so: what stands in paths and headers as it is.
fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=100).contains(&name.len()) && name.bytes().all(fits)
}

/// Decisions in place of a model's own, as far as a request gives some.
pub(crate) fn decisions(
    own: &Decisions,
    classes: usize,
    threshold: Option<Threshold>,
    min_confidence: Option<f32>,
    max_unknown_words: Option<f32>,
) -> Option<Decisions> {
    if threshold.is_none() && min_confidence.is_none() && max_unknown_words.is_none() {
        return None;
    }
    let mut decisions = own.clone();
    if let Some(threshold) = threshold {
        decisions.fitted = None;
        decisions.thresholds = match threshold {
            Threshold::All(p) => vec![p; classes],
            Threshold::None | Threshold::Fitted(_) => Vec::new(),
        };
    }
    decisions.min_confidence = min_confidence.unwrap_or(own.min_confidence);
    decisions.max_unknown_words = max_unknown_words.unwrap_or(own.max_unknown_words);
    Some(decisions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_paths_as_they_are() {
        assert!(["reuters", "a.b-c_1", "X"].into_iter().all(is_name));
        let long = "x".repeat(101);
        assert!(!["", "a b", "a/b", "ä", "a%20", &long].into_iter().any(is_name));
    }

    #[test]
    fn what_a_request_does_not_say_stays_the_models_own() {
        let own =
            Decisions { min_confidence: 0.5, thresholds: vec![0.1, 0.2], ..Decisions::default() };
        assert_eq!(decisions(&own, 2, None, None, None), None);
        let other = decisions(&own, 2, None, None, Some(0.3)).unwrap();
        assert_eq!(other, Decisions { max_unknown_words: 0.3, ..own.clone() });
        let other = decisions(&own, 2, Some(Threshold::All(0.7)), Some(0.0), None).unwrap();
        assert_eq!((other.thresholds, other.min_confidence), (vec![0.7, 0.7], 0.0));
        assert!(
            decisions(&own, 2, Some(Threshold::None), None, None).unwrap().thresholds.is_empty()
        );
    }
}

//! When a model answers: what is said in place of its own thresholds and limits.

use clap::Args;
use slugline::classifier::Classifier;
use slugline::decision::{DecisionOptions, Decisions, Threshold};

use super::parse::probability;
use crate::failure::Failure;

/// What decides on the answers of a model in use.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Answers")]
pub(crate) struct AnswerArgs {
    /// Probability from which on a class is answered, in place of the model's thresholds; `none` for
    /// the most probable class, or labels from 0.5 on
    #[arg(long, value_name = "P|none", value_parser = set_threshold)]
    threshold: Option<Threshold>,
    #[command(flatten)]
    limits: LimitArgs,
}

/// What is answered with `unknown`.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Answers")]
pub(crate) struct LimitArgs {
    /// Answer `unknown` where the largest probability is below P [default: as stored, else 0]
    #[arg(long, value_name = "P", value_parser = probability)]
    min_confidence: Option<f32>,
    /// Answer `unknown` where the share of unknown words is above SHARE [default: as stored, else 1]
    #[arg(long, value_name = "SHARE", value_parser = probability)]
    max_unknown_words: Option<f32>,
}

/// A threshold that needs no documents.
fn set_threshold(text: &str) -> Result<Threshold, String> {
    match text.parse()? {
        Threshold::Fitted(aim) => Err(format!(
            "{aim} is fitted on labelled documents: by `slugline threshold`, or `train --threshold`; here \
             give a number from 0 to 1, or none"
        )),
        threshold => Ok(threshold),
    }
}

impl AnswerArgs {
    /// The model with what is said here in place of its own.
    pub(crate) fn apply(&self, classifier: Classifier) -> Result<Classifier, Failure> {
        let stored = classifier.decisions();
        let mut decisions = stored.clone();
        if let Some(threshold) = self.threshold {
            let set = DecisionOptions { threshold, ..DecisionOptions::default() };
            let classes = classifier.class_names().len();
            let Decisions { thresholds, fitted, .. } =
                set.unfitted(classes).map_err(slugline::classifier::ClassifierError::from)?;
            (decisions.thresholds, decisions.fitted) = (thresholds, fitted);
        }
        let limits = self.limits.or(stored);
        decisions.min_confidence = limits.min_confidence;
        decisions.max_unknown_words = limits.max_unknown_words;
        Ok(classifier.with_decisions(decisions)?)
    }
}

impl LimitArgs {
    /// What is said here, the rest as in `stored`; without thresholds.
    pub(crate) fn or(self, stored: &Decisions) -> DecisionOptions {
        DecisionOptions {
            min_confidence: self.min_confidence.unwrap_or(stored.min_confidence),
            max_unknown_words: self.max_unknown_words.unwrap_or(stored.max_unknown_words),
            ..DecisionOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aims_need_documents() {
        assert_eq!(set_threshold("0.3"), Ok(Threshold::All(0.3)));
        assert_eq!(set_threshold("none"), Ok(Threshold::None));
        assert!(set_threshold("precision=0.9").unwrap_err().contains("`slugline threshold`"));
        assert!(set_threshold("2").is_err());
    }
}

//! The model card: what a model is, what it is for, what to mind, where it comes from.

use serde_json::Value;

use crate::classifier::{Classifier, TrainingOptions};
use crate::corpus::LabelKind;
use crate::nn::Layer;
use crate::number::grouped;
use crate::plot::Architecture;
use crate::report::Report;

/// Classes of fewer training documents are told.
const FEW: u64 = 20;
/// Classes of a lower F1 are told.
const LOW_F1: f64 = 0.5;
/// A larger calibration error is told.
const HIGH_ECE: f64 = 0.05;
/// Classes told by name in one sentence.
const TOLD: usize = 12;

/// What the model is, in a sentence or two.
pub(super) fn what(classifier: &Classifier) -> String {
    let network = classifier.network();
    let features = grouped(network.input_width() as u64);
    let input = Architecture::of(classifier).input;
    let units: Vec<String> = network
        .layers()
        .iter()
        .filter_map(|layer| match layer {
            Layer::Dense(dense) => Some(format!("{} ({})", dense.units, dense.activation)),
            Layer::Dropout(_) => None,
        })
        .collect();
    let answer = match classifier.label_kind() {
        LabelKind::Multi => "any number of the classes",
        LabelKind::Single | LabelKind::Soft => "one class, or with “unknown”",
    };
    format!(
        "A feed-forward network over {features} features ({input}), with layers of {} units and {} parameters in all. It answers \
         with {answer}, and gives a probability for each of {} classes.",
        units.join(", "),
        grouped(network.parameter_count() as u64),
        grouped(classifier.class_names().len() as u64)
    )
}

/// What it is for, as far as anybody has said.
pub(super) fn purpose(report: &Report, classifier: &Classifier) -> String {
    let corpus = &classifier.record().corpus;
    let description = match corpus.description.as_str() {
        "" => String::new(),
        description => format!(" ({description})"),
    };
    let rest = match report.notes {
        Some(_) => "The notes above say more.",
        None => {
            "What else it may be used for, and who answers for it, has not been said (the option --notes \
             of slugline report puts it here)."
        }
    };
    format!("Sorting texts like those of {}{description}. {rest}", corpus.name)
}

/// What whoever uses it should know.
pub(super) fn caveats(report: &Report, classifier: &Classifier) -> Vec<String> {
    let e = &report.evaluation;
    let record = classifier.record();
    let mut all = Vec::new();
    if report.trained_on {
        all.push(
            "The documents scored here are those that it was trained on: the scores say nothing of others."
                .to_owned(),
        );
    }
    let named = |names: Vec<&str>| {
        let told = names[..names.len().min(TOLD)].join(", ");
        match names.len().saturating_sub(TOLD) {
            0 => told,
            more => format!("{told} and {more} more"),
        }
    };
    let counted = e.classes.iter().zip(&record.class_counts);
    let few: Vec<&str> =
        counted.filter(|(_, n)| **n < FEW).map(|(class, _)| class.name.as_str()).collect();
    if !few.is_empty() {
        all.push(format!("Trained on fewer than {FEW} documents: {}.", named(few)));
    }
    let weak = e.classes.iter().filter(|class| class.support > 0 && class.f1 < LOW_F1);
    let weak: Vec<&str> = weak.map(|class| class.name.as_str()).collect();
    if !weak.is_empty() {
        all.push(format!("F1 below {LOW_F1} on these documents: {}.", named(weak)));
    }
    let absent = e.classes.iter().filter(|class| class.support == 0);
    let absent: Vec<&str> = absent.map(|class| class.name.as_str()).collect();
    if !absent.is_empty() {
        all.push(format!("Not scored, as no document here has them: {}.", named(absent)));
    }
    if e.reliability.ece > HIGH_ECE {
        all.push(format!(
            "Its confidence is {:.3} away from its accuracy on average: a probability should not be taken \
             at its word.",
            e.reliability.ece
        ));
    }
    all.push(format!(
        "The scores hold for texts like those of {}; texts of another kind, time or language may fare \
         worse. The share of words that the model does not know is told with every answer.",
        report.data
    ));
    all
}

/// Where it comes from.
pub(super) fn provenance(report: &Report, classifier: &Classifier) -> Vec<(&'static str, String)> {
    let record = classifier.record();
    let samples = |n: usize| grouped(n as u64);
    let mut rows = vec![
        ("trained on", record.corpus.name.clone()),
        ("its fingerprint", record.corpus.fingerprint.clone()),
        (
            "training documents",
            format!(
                "{} to train, {} to validate",
                samples(record.corpus.train_samples),
                samples(record.corpus.validation_samples)
            ),
        ),
        ("scored on", report.scored_on()),
        ("its fingerprint", report.fingerprint.clone()),
        ("epochs", format!("{} ({})", record.history.epochs.len(), record.history.stop_reason)),
        ("seed", record.options.seed.to_string()),
        ("trained by", format!("Slugline {}", record.slugline_version)),
    ];
    rows.extend(record.command.clone().map(|command| ("command", command)));
    if let Some(ancestor) = &record.ancestor {
        let from = format!("a model of {} ({})", ancestor.corpus.name, ancestor.checksum);
        rows.push(("goes on from", from));
    }
    if let Some(auto) = &record.auto {
        let tried = auto.candidates.len();
        let held_out = samples(auto.held_out_samples);
        rows.push(("settings", format!("chosen among {tried} on {held_out} held-out documents")));
    }
    // A model that cannot be stored has no checksum; the page is of use all the same.
    rows.extend(classifier.checksum().ok().map(|checksum| ("checksum of the model", checksum)));
    rows
}

/// The settings by their names in a model file.
pub(super) fn settings(options: &TrainingOptions) -> Vec<(String, String)> {
    // By way of text, so that numbers of 32 bits have as few digits as they need.
    let text = serde_json::to_string(options).unwrap_or_default();
    let all: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let shown = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    all.into_iter().map(|(name, value)| (name, shown(value))).collect()
}

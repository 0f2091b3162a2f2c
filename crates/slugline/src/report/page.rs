//! The page of a report.

mod card;

use std::fmt::Write;

use askama::Template;

use super::document::Document;
use super::{ConfusedPair, Report, ReportError};
use crate::classifier::Classifier;
use crate::corpus::LabelKind;
use crate::evaluation::{Calibration, Mean, Score};
use crate::number::grouped;
use crate::plot::{
    Architecture, ClassOrder, ClassSizes, Confusion, Curves, Picture, ReliabilityDiagram, Theme,
};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    version: &'static str,
    base_css: &'static str,
    report_css: &'static str,
    script: &'static str,
    what: String,
    sections: Vec<(&'static str, &'static str)>,
    verdict: String,
    interval_name: String,
    resamples: String,
    headlines: Vec<HeadlineRow>,
    turn: Option<String>,
    curves: String,
    classes: Vec<ClassRow>,
    has_thresholds: bool,
    /// None where documents have any number of labels.
    confusion: Option<String>,
    pairs: Vec<PairRow<'a>>,
    calibration: String,
    reliability: String,
    /// Least confidence, share answered, accuracy.
    coverage: Vec<(String, String, String)>,
    decisions: Vec<(&'static str, String)>,
    has_texts: bool,
    wrong: Vec<Document<'a>>,
    hardest: Vec<Document<'a>>,
    notes: Option<&'a str>,
    card_what: String,
    card_use: String,
    caveats: Vec<String>,
    architecture: String,
    sizes: String,
    provenance: Vec<(&'static str, String)>,
    settings: Vec<(String, String)>,
}

struct HeadlineRow {
    name: String,
    value: String,
    interval: String,
    baseline: bool,
}

struct ClassRow {
    name: String,
    trained_on: String,
    support: String,
    predicted: String,
    precision: String,
    recall: String,
    f1: String,
    roc_auc: String,
    threshold: String,
    words: String,
}

struct PairRow<'a> {
    truth: &'a str,
    answer: &'a str,
    documents: String,
    support: String,
    examples: Vec<Document<'a>>,
}

impl<'a> PairRow<'a> {
    fn of(pair: &'a ConfusedPair) -> Self {
        Self {
            truth: &pair.truth,
            answer: &pair.answer,
            documents: grouped(pair.documents),
            support: grouped(pair.support),
            examples: pair.examples.iter().map(Document::of).collect(),
        }
    }
}

/// Stands where there is no value.
const NONE: &str = "–";

pub(super) fn html(report: &Report, classifier: &Classifier) -> Result<String, ReportError> {
    let e = &report.evaluation;
    let record = classifier.record();
    let confusion = if e.confusion.is_empty() {
        None
    } else {
        let picture = Confusion::new("", e, ClassOrder::Size)?;
        Some(figure(&picture, "Confusion matrix", 0.7)?)
    };
    let mut sections = vec![
        ("scores", "Scores"),
        ("training", "Training"),
        ("classes", "Classes"),
        ("confusions", "Confusions"),
        ("calibration", "Calibration"),
        ("documents", "Documents"),
        ("card", "Model card"),
    ];
    sections.retain(|section| section.0 != "confusions" || confusion.is_some());
    let page = Page {
        report,
        version: env!("CARGO_PKG_VERSION"),
        base_css: include_str!("../../templates/base.css"),
        report_css: include_str!("../../templates/report.css"),
        script: include_str!("../../templates/report.js"),
        what: format!(
            "Scored on {} documents of {}; {} classes, trained on {}.",
            grouped(e.samples as u64),
            report.scored_on(),
            grouped(e.classes.len() as u64),
            record.corpus.name
        ),
        sections,
        verdict: verdict(report),
        interval_name: e
            .bootstrap
            .map_or_else(String::new, |b| format!("{} % interval", b.confidence * 100.0)),
        resamples: e.bootstrap.map_or_else(String::new, |b| grouped(b.resamples as u64)),
        headlines: headlines(report),
        turn: turn(classifier),
        curves: match record.history.epochs.is_empty() {
            true => String::new(),
            false => figure(&Curves::new("", &record.history), "Training curves", 0.6)?,
        },
        classes: class_rows(report, classifier),
        has_thresholds: !classifier.decisions().thresholds.is_empty(),
        confusion,
        pairs: report.confused.iter().map(PairRow::of).collect(),
        calibration: calibration(report, classifier),
        reliability: figure(&ReliabilityDiagram::new("", e), "Reliability diagram", 0.6)?,
        coverage: e
            .decisions
            .risk_coverage
            .iter()
            .map(|row| (four(row.min_confidence.into()), four(row.coverage), four(row.accuracy)))
            .collect(),
        decisions: decisions(report),
        has_texts: report.wrong.iter().chain(&report.hardest).any(|d| d.why.is_some()),
        wrong: report.wrong.iter().map(Document::of).collect(),
        hardest: report.hardest.iter().map(Document::of).collect(),
        notes: report.notes.as_deref(),
        card_what: card::what(classifier),
        card_use: card::purpose(report, classifier),
        caveats: card::caveats(report, classifier),
        architecture: figure(&Architecture::of(classifier), "The network", 0.8)?,
        sizes: figure(&ClassSizes::of(classifier), "Training documents of each class", 0.8)?,
        provenance: card::provenance(report, classifier),
        settings: card::settings(&record.options),
    };
    Ok(page.render()?)
}

/// A picture for light and for dark surroundings, which may be drawn as small as a share of its width.
fn figure(picture: &dyn Picture, label: &str, least: f64) -> Result<String, ReportError> {
    let mut figure = String::new();
    for (theme, class) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let svg = picture.svg(theme)?;
        let width = svg.split_once("width=\"").and_then(|(_, rest)| rest.split_once('"'));
        let width = width.and_then(|(width, _)| width.parse::<f64>().ok()).unwrap_or(600.0);
        let least = (width * least).round();
        // Writing to a string cannot fail.
        let _ = writeln!(
            figure,
            "<figure class=\"{class}\" style=\"--least:{least}px\" aria-label=\"{label}\">{svg}</figure>"
        );
    }
    Ok(figure)
}

fn three(value: f64) -> String {
    format!("{value:.3}")
}

fn four(value: f64) -> String {
    format!("{value:.4}")
}

/// The most important score in a sentence.
fn verdict(report: &Report) -> String {
    let e = &report.evaluation;
    let (name, score, value) = match e.label_kind {
        LabelKind::Multi => {
            let score = Score::F1(Mean::Micro);
            ("Micro F1", score, e.score(score).unwrap_or_default())
        }
        LabelKind::Single | LabelKind::Soft => ("Accuracy", Score::Accuracy, e.accuracy),
    };
    let interval = match (e.intervals.get(score), e.bootstrap) {
        (Some([low, high]), Some(bootstrap)) => format!(
            " ({} % interval {} to {})",
            bootstrap.confidence * 100.0,
            four(*low),
            four(*high)
        ),
        _ => String::new(),
    };
    let baseline = match e.label_kind {
        LabelKind::Multi => String::new(),
        _ => format!(
            " Always answering with the largest class would reach {}.",
            four(e.baselines.majority)
        ),
    };
    format!("{name} {}{interval}.{baseline}", four(value))
}

fn headlines(report: &Report) -> Vec<HeadlineRow> {
    let row = |headline: crate::evaluation::Headline| HeadlineRow {
        name: headline.name,
        value: four(headline.value),
        interval: headline
            .interval
            .map_or_else(String::new, |[low, high]| format!("{} – {}", four(low), four(high))),
        baseline: headline.baseline,
    };
    report.evaluation.headlines().into_iter().map(row).collect()
}

/// Where the network overfits, as a sentence by itself.
fn turn(classifier: &Classifier) -> Option<String> {
    let turn = classifier.record().turn()?;
    let mut letters = turn.chars();
    let first = letters.next()?.to_uppercase();
    Some(format!("{first}{}.", letters.as_str()))
}

fn class_rows(report: &Report, classifier: &Classifier) -> Vec<ClassRow> {
    let e = &report.evaluation;
    let thresholds = &classifier.decisions().thresholds;
    let row = |(i, class): (usize, &crate::evaluation::ClassScores)| ClassRow {
        name: class.name.clone(),
        trained_on: grouped(classifier.record().class_counts[i]),
        support: grouped(class.support),
        predicted: grouped(class.predicted),
        precision: three(class.precision),
        recall: three(class.recall),
        f1: three(class.f1),
        roc_auc: class.roc_auc.map_or_else(|| NONE.to_owned(), three),
        threshold: match thresholds.get(i) {
            None => String::new(),
            Some(&threshold) if threshold > 1.0 => "never".to_owned(),
            Some(&threshold) => four(threshold.into()),
        },
        words: report.words.get(i).map_or_else(String::new, |words| {
            let all = words.speak_for.iter().map(|word| word.text.as_str());
            all.collect::<Vec<_>>().join(" · ")
        }),
    };
    let mut all: Vec<_> = e.classes.iter().enumerate().collect();
    all.sort_by_key(|(i, class)| (std::cmp::Reverse(class.support), *i));
    all.into_iter().map(row).collect()
}

/// What the probabilities are, and how far they can be trusted, in words.
fn calibration(report: &Report, classifier: &Classifier) -> String {
    let by = match classifier.calibration() {
        Calibration::None => "The probabilities are the network's own; nothing calibrates them.".into(),
        Calibration::Temperature { temperature } => format!(
            "The probabilities are calibrated on held-out documents by a temperature of {temperature:.3}."
        ),
        Calibration::Mixture(mixture) => format!(
            "The probabilities are calibrated on held-out documents by a temperature of {:.3} and label \
             noise of {:.3}.",
            mixture.temperature, mixture.noise
        ),
        Calibration::Platt { .. } => {
            "The probabilities are calibrated on held-out documents, for each label by Platt's method."
                .into()
        }
    };
    let ece = three(report.evaluation.reliability.ece);
    format!("{by} On these documents confidence and accuracy lie {ece} apart on average (ECE).")
}

/// What thresholds and `unknown` do; nothing where every document is answered without thresholds.
fn decisions(report: &Report) -> Vec<(&'static str, String)> {
    let d = &report.evaluation.decisions;
    if d.unknown == 0 && d.classes.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![
        ("documents answered", grouped(d.answered)),
        ("answered with `unknown`", grouped(d.unknown)),
        ("coverage", four(d.coverage)),
    ];
    rows.extend(d.accuracy.map(|accuracy| ("accuracy of the answers", four(accuracy))));
    rows.extend([
        ("macro precision of the answers", four(d.macro_precision)),
        ("macro recall", four(d.macro_recall)),
        ("macro F1", four(d.macro_f1)),
    ]);
    rows
}

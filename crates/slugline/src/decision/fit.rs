//! Thresholds fitted to an aim.

use serde::{Deserialize, Serialize};

use super::{
    Aim, DecisionError, DecisionOptions, Decisions, EVEN, NEVER, Threshold, most_probable_reaching,
};
use crate::corpus::Labels;
use crate::nn::{ClassCounts, Matrix, argmax};

/// How thresholds were fitted, and what they reach on the documents that they were fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedThresholds {
    /// What they were fitted for.
    pub aim: Aim,
    /// Number of documents that they were fitted on.
    pub documents: usize,
    /// What each class reaches there.
    pub classes: Vec<FittedClass>,
}

/// What a class reaches by the rule of [`decision`](super) on the documents that its threshold was
/// fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedClass {
    /// Documents of the class.
    pub support: u64,
    /// Documents answered with it.
    pub predicted: u64,
    /// Share of these answers that are right; 0 without any.
    pub precision: f64,
    /// Share of its documents that are found; 0 without any.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Whether the aim is reached; for the best F1, whether there is an F1 above 0.
    pub reached: bool,
}

impl FittedThresholds {
    /// Number of classes that reach the aim.
    pub fn reached(&self) -> usize {
        self.classes.iter().filter(|class| class.reached).count()
    }
}

impl DecisionOptions {
    /// The decisions that are asked for, their thresholds fitted on held-out documents: calibrated
    /// `probabilities`, one row a document, and the labels.
    ///
    /// Candidates for the threshold of a class are the probabilities that it has there, as in
    /// scikit-learn's `precision_recall_curve`. By the aim:
    ///
    /// * [`Aim::F1`]: the one with the best F1, of equals the highest;
    /// * [`Aim::Precision`]: the lowest one with such a precision; where there is none, the class is
    ///   never answered ([`NEVER`]);
    /// * [`Aim::Recall`]: the highest one with such a recall.
    ///
    /// A class without documents, of which neither F1 nor recall is known, gets [`EVEN`].
    ///
    /// Where a text has one class, a class is answered less often than its probability reaches its
    /// threshold, as another one may be more probable. So for F1 the thresholds are then improved in
    /// turns while that raises the mean F1, and are dropped (0) should the most probable class alone be
    /// better; for precision they are raised until every class reaches it; for recall they are fitted on
    /// the documents of which the class is the most probable one. A recall beyond what the most
    /// probable class reaches may not be reachable. [`FittedThresholds`] says what was reached.
    ///
    /// ```
    /// use slugline::corpus::Labels;
    /// use slugline::decision::{Aim, DecisionOptions, Threshold};
    /// use slugline::nn::Matrix;
    ///
    /// let p = Matrix::new(4, 2, vec![0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.4, 0.6])?;
    /// let labels = Labels::Single(vec![0, 0, 1, 1]);
    /// let threshold = Threshold::Fitted(Aim::Precision(1.0));
    /// let decisions = DecisionOptions { threshold, ..Default::default() }.fit(&p, &labels)?;
    /// assert_eq!(decisions.thresholds, [0.8, 0.3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DecisionError::NothingHeldOut`] if thresholds are to be fitted on no document;
    /// [`DecisionError::Range`] for a number out of range.
    ///
    /// # Panics
    /// If there are not as many labels as rows, or a label has no column.
    pub fn fit(&self, probabilities: &Matrix, labels: &Labels) -> Result<Decisions, DecisionError> {
        let classes = probabilities.cols();
        assert_eq!(probabilities.rows(), labels.len(), "labels for each row");
        let mut decisions = Decisions {
            min_confidence: self.min_confidence,
            max_unknown_words: self.max_unknown_words,
            ..Decisions::default()
        };
        match self.threshold {
            Threshold::None => {}
            Threshold::All(threshold) => decisions.thresholds = vec![threshold; classes],
            Threshold::Fitted(aim) if labels.is_empty() => {
                return Err(DecisionError::NothingHeldOut { aim });
            }
            Threshold::Fitted(aim) => {
                let held_out = HeldOut::new(aim, probabilities, labels);
                decisions.thresholds = held_out.thresholds();
                decisions.fitted = Some(held_out.reached(&decisions.thresholds));
            }
        }
        decisions.check(classes)?;
        Ok(decisions)
    }

    /// The decisions that need no documents: an error where thresholds are to be fitted.
    ///
    /// # Errors
    /// As [`fit`](Self::fit) without documents.
    pub fn unfitted(&self, classes: usize) -> Result<Decisions, DecisionError> {
        self.fit(&Matrix::zeros(0, classes), &Labels::Single(Vec::new()))
    }
}

/// What thresholds are fitted on.
struct HeldOut<'a> {
    aim: Aim,
    probabilities: &'a Matrix,
    /// The documents of each class, rising.
    members: Vec<Vec<u32>>,
    /// The class of each document, where each has one.
    single: Option<Vec<u32>>,
}

/// A document whose answer is a class from some threshold on: its probability, and whether it is one
/// of the class.
type Candidate = (f32, bool);

impl<'a> HeldOut<'a> {
    fn new(aim: Aim, probabilities: &'a Matrix, labels: &Labels) -> Self {
        let mut members = vec![Vec::new(); probabilities.cols()];
        for document in 0..labels.len() {
            for class in labels.classes(document) {
                members[class as usize].push(document as u32);
            }
        }
        let single = match labels {
            Labels::Single(classes) => Some(classes.clone()),
            Labels::Multi(_) => None,
            Labels::Soft(shares) => Some(shares.argmax_rows()),
        };
        Self { aim, probabilities, members, single }
    }

    fn thresholds(&self) -> Vec<f32> {
        let classes = 0..self.probabilities.cols();
        let alone = classes
            .map(|class| self.best(class, self.candidates(class, |_| true)))
            .collect::<Vec<f32>>();
        match (&self.single, self.aim) {
            (Some(truth), Aim::F1) => self.improved(truth, alone),
            (Some(truth), Aim::Precision(share)) => self.raised(truth, alone, share),
            (Some(_), Aim::Recall(_)) => self.kept(alone),
            _ => alone,
        }
    }

    /// The documents that may be answered with a class.
    fn candidates(&self, class: usize, eligible: impl Fn(&[f32]) -> bool) -> Vec<Candidate> {
        let mut members = self.members[class].iter().copied().peekable();
        let rows = (0..).zip(self.probabilities.iter_rows());
        let all = rows.map(|(document, row)| (row, members.next_if_eq(&document).is_some()));
        all.filter(|(row, _)| eligible(row)).map(|(row, of_class)| (row[class], of_class)).collect()
    }

    /// The best threshold of a class by the aim, for documents that may be answered with it.
    fn best(&self, class: usize, mut candidates: Vec<Candidate>) -> f32 {
        let support = self.members[class].len() as u64;
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        let curve = candidates.chunk_by(|a, b| a.0 == b.0);
        let mut counts = ClassCounts { false_negatives: support, ..ClassCounts::default() };
        let points = curve.map(|equal| {
            let found = equal.iter().filter(|(_, of_class)| *of_class).count() as u64;
            counts.true_positives += found;
            counts.false_negatives -= found;
            counts.false_positives += equal.len() as u64 - found;
            (equal[0].0, counts)
        });
        let points: Vec<(f32, ClassCounts)> = points.collect();
        let found = match self.aim {
            _ if support == 0 && !matches!(self.aim, Aim::Precision(_)) => return EVEN,
            // The first of equals.
            Aim::F1 => points.iter().rev().max_by(|a, b| a.1.f1().total_cmp(&b.1.f1())),
            Aim::Precision(share) => points.iter().rev().find(|p| p.1.precision() >= share),
            Aim::Recall(share) => points.iter().find(|p| p.1.recall() >= share),
        };
        found.map_or(NEVER, |(threshold, _)| *threshold)
    }

    /// Thresholds for F1 by the rule of one class a text: each in turn is set to the best for the
    /// documents that no more probable class takes.
    fn improved(&self, truth: &[u32], start: Vec<f32>) -> Vec<f32> {
        const SWEEPS: usize = 5;
        let mean_f1 = |thresholds: &[f32]| -> f64 {
            self.counts(truth, thresholds).iter().map(ClassCounts::f1).sum()
        };
        let plain = vec![0.0; start.len()];
        let mut best = (mean_f1(&plain), plain);
        let mut thresholds = start;
        for _ in 0..=SWEEPS {
            let reached = mean_f1(&thresholds);
            if reached <= best.0 {
                break;
            }
            best = (reached, thresholds.clone());
            for class in 0..thresholds.len() {
                let free = |row: &[f32]| {
                    let taken = |(other, (&p, &threshold)): (usize, (&f32, &f32))| {
                        let before = p > row[class] || (p == row[class] && other < class);
                        before && p >= threshold
                    };
                    !row.iter().zip(&thresholds).enumerate().any(taken)
                };
                let candidates = self.candidates(class, free);
                if self.members[class].is_empty() || candidates.is_empty() {
                    continue;
                }
                thresholds[class] = self.best(class, candidates);
            }
        }
        best.1
    }

    /// Thresholds raised until every class that is answered has the precision.
    fn raised(&self, truth: &[u32], mut thresholds: Vec<f32>, share: f64) -> Vec<f32> {
        // Ends, as each turn raises a threshold to another probability or for good.
        loop {
            let answers = self.answers(&thresholds);
            let mut counts = vec![ClassCounts::default(); thresholds.len()];
            count(truth, &answers, &mut counts);
            let short = |counts: &ClassCounts| {
                let predicted = counts.true_positives + counts.false_positives;
                predicted > 0 && counts.precision() < share
            };
            if !counts.iter().any(short) {
                return thresholds;
            }
            for class in (0..thresholds.len()).filter(|&class| short(&counts[class])) {
                let taken = self.probabilities.iter_rows().zip(truth).zip(&answers);
                let taken = taken.filter(|(_, answer)| **answer == Some(class as u32));
                let candidates =
                    taken.map(|((row, &label), _)| (row[class], label as usize == class));
                thresholds[class] = self.best(class, candidates.collect());
            }
        }
    }

    /// Thresholds for recall by the rule of one class a text: the best ones that leave the recall to
    /// the documents of which the class is the most probable one. Where these are too few, no document
    /// of the class is turned away among them, and those that a threshold for the class alone would
    /// find are answered with it if no more probable class takes them.
    fn kept(&self, mut thresholds: Vec<f32>) -> Vec<f32> {
        for (class, threshold) in thresholds.iter_mut().enumerate() {
            if self.members[class].is_empty() {
                continue;
            }
            let candidates = self.candidates(class, |row| argmax(row) as usize == class);
            let found = candidates.iter().filter(|(_, of_class)| *of_class);
            let lowest = found.map(|(p, _)| *p).fold(*threshold, f32::min);
            let best = self.best(class, candidates);
            *threshold = if best == NEVER { lowest } else { best };
        }
        thresholds
    }

    /// The answer for each document by the rule of one class a text.
    fn answers(&self, thresholds: &[f32]) -> Vec<Option<u32>> {
        let rows = self.probabilities.iter_rows();
        rows.map(|row| most_probable_reaching(thresholds, row)).collect()
    }

    /// Right and wrong answers of each class.
    fn counts(&self, truth: &[u32], thresholds: &[f32]) -> Vec<ClassCounts> {
        let mut counts = vec![ClassCounts::default(); thresholds.len()];
        count(truth, &self.answers(thresholds), &mut counts);
        counts
    }

    /// What thresholds reach.
    fn reached(&self, thresholds: &[f32]) -> FittedThresholds {
        let counts = match &self.single {
            Some(truth) => self.counts(truth, thresholds),
            None => (0..thresholds.len())
                .map(|class| self.counts_alone(class, thresholds[class]))
                .collect(),
        };
        let classes = counts.iter().map(|counts| {
            let predicted = counts.true_positives + counts.false_positives;
            FittedClass {
                support: counts.support(),
                predicted,
                precision: counts.precision(),
                recall: counts.recall(),
                f1: counts.f1(),
                reached: match self.aim {
                    Aim::F1 => counts.true_positives > 0,
                    Aim::Precision(share) => predicted > 0 && counts.precision() >= share,
                    Aim::Recall(share) => counts.support() > 0 && counts.recall() >= share,
                },
            }
        });
        let classes = classes.collect();
        FittedThresholds { aim: self.aim, documents: self.probabilities.rows(), classes }
    }

    /// Right and wrong answers of a class by itself.
    fn counts_alone(&self, class: usize, threshold: f32) -> ClassCounts {
        let mut counts = ClassCounts::default();
        for (p, of_class) in self.candidates(class, |_| true) {
            match (of_class, p >= threshold) {
                (true, true) => counts.true_positives += 1,
                (true, false) => counts.false_negatives += 1,
                (false, true) => counts.false_positives += 1,
                (false, false) => {}
            }
        }
        counts
    }
}

/// Counts answers, which may be missing.
fn count(truth: &[u32], answers: &[Option<u32>], counts: &mut [ClassCounts]) {
    for (&label, &answer) in truth.iter().zip(answers) {
        if answer == Some(label) {
            counts[label as usize].true_positives += 1;
            continue;
        }
        counts[label as usize].false_negatives += 1;
        if let Some(answer) = answer {
            counts[answer as usize].false_positives += 1;
        }
    }
}

#[cfg(test)]
mod tests;

//! What differs from one kind of labels to the next: losses, targets, weights, scores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ClassWeight, ClassifierError};
use crate::corpus::{LabelKind, Labels};
use crate::evaluation::{mean_log_loss, several_hot};
use crate::nn::{
    Activation, Average, ClassCounts, Loss, Matrix, Metric, Targets, average_score, to_categorical,
};

/// The loss for labels of a kind that is most like the one given: for any number of labels a document
/// the one of independent outputs, for shares one that takes rows.
pub(super) fn loss_for(loss: Loss, kind: LabelKind) -> Loss {
    match (kind, loss) {
        (LabelKind::Multi, Loss::CategoricalCrossentropy { label_smoothing }) => {
            Loss::BinaryCrossentropy { label_smoothing }
        }
        (
            LabelKind::Multi,
            Loss::CategoricalFocalCrossentropy { alpha, gamma, label_smoothing },
        ) => {
            let apply_class_balancing = false;
            Loss::BinaryFocalCrossentropy { apply_class_balancing, alpha, gamma, label_smoothing }
        }
        (LabelKind::Multi, Loss::SparseCategoricalCrossentropy | Loss::MeanSquaredError) => {
            Loss::BINARY_CROSSENTROPY
        }
        (LabelKind::Soft, Loss::SparseCategoricalCrossentropy) => Loss::CATEGORICAL_CROSSENTROPY,
        (_, loss) => loss,
    }
}

/// The wanted answers for documents, in the form that a loss takes.
///
/// # Errors
/// [`ClassifierError::LossForLabels`] for a loss that does not go with the kind of the labels.
pub(super) fn targets(
    loss: Loss,
    labels: &Labels,
    classes: usize,
) -> Result<Targets, ClassifierError> {
    let independent = loss.output_activation() == Some(Activation::Sigmoid);
    Ok(match (labels, loss) {
        (Labels::Single(labels), Loss::SparseCategoricalCrossentropy) => {
            Targets::Classes(labels.clone())
        }
        (Labels::Single(labels), _) => Targets::Rows(to_categorical(labels, classes)?),
        (Labels::Multi(sets), _) if independent => Targets::Rows(several_hot(sets, classes)),
        (Labels::Soft(shares), loss) if loss_for(loss, LabelKind::Soft) == loss => {
            Targets::Rows(shares.clone())
        }
        (labels, loss) => {
            let kind = labels.kind();
            let instead = loss_for(loss, kind).name();
            return Err(ClassifierError::LossForLabels { loss: loss.name(), kind, instead });
        }
    })
}

/// What a classifier reports beside its loss.
pub(super) fn metrics(kind: LabelKind) -> [Metric; 1] {
    match kind {
        LabelKind::Single | LabelKind::Soft => [Metric::Accuracy],
        LabelKind::Multi => [Metric::F1Score(Average::Micro)],
    }
}

/// Whether documents are too few to learn from.
pub(super) fn too_few(counts: &[u64], kind: LabelKind) -> bool {
    let used = counts.iter().filter(|&&count| count > 0).count();
    let least = if kind == LabelKind::Multi { 1 } else { 2 };
    used < least || counts.iter().all(|&count| count < 2)
}

/// How much classes and documents count in training.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Weights {
    /// Factor of each class, where a document has one.
    pub(super) class: BTreeMap<u32, f32>,
    /// Factor of each document.
    pub(super) sample: Option<Vec<f32>>,
    /// Factor of each class's answers where they are yes.
    pub(super) positive: Option<Vec<f32>>,
}

impl Weights {
    /// Of documents with labels, and with weights of their own.
    pub(super) fn new(
        choice: &ClassWeight,
        labels: &Labels,
        class_names: &[String],
        documents: Option<&[f32]>,
    ) -> Result<Self, ClassifierError> {
        let sample = documents.map(<[f32]>::to_vec);
        let none = Self { sample, ..Self::default() };
        if *choice == ClassWeight::None {
            return Ok(none);
        }
        let sizes = sizes(labels, class_names.len());
        let factors = choice.factors(&sizes, labels, class_names)?;
        Ok(match labels {
            Labels::Single(_) => {
                let used = (0..).zip(factors).zip(&sizes).filter(|(_, size)| **size > 0.0);
                Self { class: used.map(|(pair, _)| pair).collect(), ..none }
            }
            Labels::Multi(_) => Self { positive: Some(factors), ..none },
            Labels::Soft(shares) => {
                let mut sample = none.sample.unwrap_or_else(|| vec![1.0; labels.len()]);
                for (weight, row) in sample.iter_mut().zip(shares.iter_rows()) {
                    *weight *= row.iter().zip(&factors).map(|(share, f)| share * f).sum::<f32>();
                }
                Self { sample: Some(sample), ..Self::default() }
            }
        })
    }
}

/// Documents of each class; of shares their sum.
fn sizes(labels: &Labels, classes: usize) -> Vec<f64> {
    let mut sizes = vec![0.0; classes];
    match labels {
        Labels::Single(labels) => labels.iter().for_each(|&class| sizes[class as usize] += 1.0),
        Labels::Multi(sets) => {
            sets.iter().flatten().for_each(|&class| sizes[class as usize] += 1.0);
        }
        Labels::Soft(rows) => {
            for row in rows.iter_rows() {
                sizes.iter_mut().zip(row).for_each(|(size, share)| *size += f64::from(*share));
            }
        }
    }
    sizes
}

/// How good calibrated probabilities are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scores {
    /// Share of documents answered rightly: with their class, the class of the largest share, or exactly
    /// the set of their classes.
    pub(super) accuracy: f64,
    /// Where a document may have any number of classes, the F1 of all answers above one half together.
    pub(super) micro_f1: Option<f64>,
    /// The mean of `−ln p` of the true classes, weighted by their shares; of independent classes the
    /// mean binary cross-entropy of all answers.
    pub(super) log_loss: f64,
}

impl Scores {
    /// Of one row of probabilities a document.
    pub(super) fn new(probabilities: &Matrix, labels: &Labels) -> Self {
        let n = labels.len().max(1) as f64;
        match labels {
            Labels::Single(labels) => {
                let answers = probabilities.argmax_rows();
                let right = answers.iter().zip(labels).filter(|(a, b)| a == b).count();
                let log_loss = mean_log_loss(probabilities, labels);
                Self { accuracy: right as f64 / n, micro_f1: None, log_loss }
            }
            Labels::Soft(shares) => {
                let pairs = probabilities.argmax_rows().into_iter().zip(shares.argmax_rows());
                let right = pairs.filter(|(a, b)| a == b).count();
                let both = probabilities.data().iter().zip(shares.data());
                let sum: f64 = both.map(|(&p, &y)| f64::from(y) * surprise(p)).sum();
                Self { accuracy: right as f64 / n, micro_f1: None, log_loss: sum / n }
            }
            Labels::Multi(sets) => {
                let truth = several_hot(sets, probabilities.cols());
                let mut counts = ClassCounts::default();
                let (mut right, mut sum) = (0_usize, 0.0);
                for (row, truth) in probabilities.iter_rows().zip(truth.iter_rows()) {
                    let mut all = true;
                    for (&p, &y) in row.iter().zip(truth) {
                        let (given, wanted) = (p > 0.5, y > 0.5);
                        counts.true_positives += u64::from(given && wanted);
                        counts.false_positives += u64::from(given && !wanted);
                        counts.false_negatives += u64::from(wanted && !given);
                        all &= given == wanted;
                        sum += surprise(if wanted { p } else { 1.0 - p });
                    }
                    right += usize::from(all);
                }
                let answers = probabilities.data().len().max(1) as f64;
                let micro_f1 = average_score(&[counts], Average::Micro, ClassCounts::f1);
                Self {
                    accuracy: right as f64 / n,
                    micro_f1: Some(micro_f1),
                    log_loss: sum / answers,
                }
            }
        }
    }

    /// The place of the best of several scores of the same `samples` documents, whose labels are of a
    /// kind: that with the most right answers; of any number of classes the highest micro F1; of shares
    /// the lowest log loss. Of equals the one with the lower log loss, then the first.
    ///
    /// The order of those that lie no more than half a standard error `√(p·(1 − p)/samples)` below it is
    /// chance. If one of them has a log loss, in which every document has a say, that is lower by more than
    /// a hundredth, that one is taken.
    pub(super) fn best(all: &[Self], samples: usize, kind: LabelKind) -> Option<usize> {
        let value = |i: &usize| match kind {
            LabelKind::Single => all[*i].accuracy,
            LabelKind::Soft => 0.0,
            LabelKind::Multi => all[*i].micro_f1.unwrap_or_default(),
        };
        let by_loss = |a: &usize, b: &usize| all[*a].log_loss.total_cmp(&all[*b].log_loss);
        let top =
            (0..all.len()).min_by(|a, b| value(b).total_cmp(&value(a)).then(by_loss(a, b)))?;
        let best = value(&top);
        let error = (best * (1.0 - best) / samples.max(1) as f64).sqrt();
        let surest = (0..all.len()).filter(|i| value(i) >= best - error / 2.0).min_by(by_loss)?;
        let surer = all[surest].log_loss < 0.99 * all[top].log_loss;
        Some(if surer { surest } else { top })
    }
}

/// `−ln p`, finite.
fn surprise(p: f32) -> f64 {
    -libm::log(f64::from(p.max(f32::MIN_POSITIVE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("class {i}")).collect()
    }

    fn of(choice: &ClassWeight, labels: &Labels, n: usize) -> Weights {
        Weights::new(choice, labels, &names(n), None).unwrap()
    }

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1])
        let labels = Labels::Single(vec![0, 0, 0, 1]);
        let weights = of(&ClassWeight::Balanced, &labels, 2);
        assert_eq!(weights.class, BTreeMap::from([(0, 4.0 / 6.0), (1, 4.0 / 2.0)]));
        assert_eq!((weights.sample, weights.positive), (None, None));
    }

    #[test]
    fn square_root_weights_have_the_mean_1() {
        let labels = Labels::Single(vec![0, 0, 0, 0, 1]);
        let weights = of(&ClassWeight::SquareRoot, &labels, 2).class;
        assert!((weights[&1] / weights[&0] - 2.0).abs() < 1e-6);
        assert!((weights[&0] * 4.0 + weights[&1] - 5.0).abs() < 1e-5);
    }

    #[test]
    fn independent_classes_have_weights_where_the_answer_is_yes() {
        let labels = Labels::Multi(vec![vec![0, 1], vec![0], vec![0], vec![], vec![0]]);
        let balanced = of(&ClassWeight::Balanced, &labels, 3);
        // One no for four yes, four no for one yes; nothing can be said of a class without any.
        assert_eq!(balanced.positive, Some(vec![0.25, 4.0, 1.0]));
        let root = of(&ClassWeight::SquareRoot, &labels, 3);
        assert_eq!(root.positive, Some(vec![0.5, 2.0, 1.0]));
        let named = ClassWeight::Named([("class 1".to_owned(), 3.0)].into());
        assert_eq!(of(&named, &labels, 3).positive, Some(vec![1.0, 3.0, 1.0]));
    }

    #[test]
    fn shares_of_one_weigh_as_classes_do() {
        let hot = Matrix::new(4, 2, vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
        for choice in [ClassWeight::Balanced, ClassWeight::SquareRoot] {
            let soft = of(&choice, &Labels::Soft(hot.clone()), 2).sample.unwrap();
            let hard = of(&choice, &Labels::Single(vec![0, 0, 0, 1]), 2).class;
            assert_eq!(soft, [hard[&0], hard[&0], hard[&0], hard[&1]]);
        }
        let half = Labels::Soft(Matrix::new(1, 2, vec![0.5, 0.5]).unwrap());
        let named = ClassWeight::Named([("class 0".to_owned(), 3.0)].into());
        let weights = Weights::new(&named, &half, &names(2), Some(&[2.0])).unwrap();
        assert_eq!(weights.sample, Some(vec![4.0]));
    }

    #[test]
    fn a_name_that_no_class_has_is_refused() {
        let named = ClassWeight::Named([("clas 0".to_owned(), 3.0)].into());
        let labels = Labels::Single(vec![0, 1]);
        let error = Weights::new(&named, &labels, &names(2), None).unwrap_err().to_string();
        assert!(error.contains("`clas 0`") && error.contains("class 0, class 1"), "{error}");
    }

    #[test]
    fn losses_are_matched_to_labels() {
        let multi = Labels::Multi(vec![vec![0, 1], vec![]]);
        let soft = Labels::Soft(Matrix::new(1, 2, vec![0.5, 0.5]).unwrap());
        for loss in Loss::NAMES.map(|name| Loss::by_name(name).unwrap()) {
            for labels in [&multi, &soft, &Labels::Single(vec![1, 0])] {
                let fitting = loss_for(loss, labels.kind());
                assert_eq!(targets(fitting, labels, 2).unwrap().len(), labels.len());
                let as_it_is = targets(loss, labels, 2);
                assert_eq!(as_it_is.is_ok(), fitting == loss, "{loss} {:?}", labels.kind());
            }
        }
        let error = targets(Loss::CATEGORICAL_CROSSENTROPY, &multi, 2).unwrap_err().to_string();
        assert!(error.contains("binary_crossentropy"), "{error}");
    }

    #[test]
    fn what_is_better_depends_on_the_kind() {
        let of = |accuracy, micro_f1, log_loss| Scores { accuracy, micro_f1, log_loss };
        let best = |all: &[Scores], kind| Scores::best(all, 900, kind).unwrap();
        // Half a standard error of 0.9 is 0.005 here.
        let single = [of(0.894, None, 0.1), of(0.896, None, 0.5), of(0.9, None, 0.6)];
        assert_eq!(best(&single, LabelKind::Single), 1);
        assert_eq!(best(&single, LabelKind::Soft), 0);
        let chance = [of(0.9, None, 0.6), of(0.896, None, 0.597)];
        assert_eq!(best(&chance, LabelKind::Single), 0);
        assert_eq!(best(&[of(0.9, None, 0.5); 2], LabelKind::Single), 0);
        let several = [of(0.9, Some(0.8), 0.5), of(0.8, Some(0.9), 0.6)];
        assert_eq!(best(&several, LabelKind::Multi), 1);
        assert_eq!(Scores::best(&[], 900, LabelKind::Single), None);
    }

    #[test]
    fn scores_follow_their_definitions() {
        let p = Matrix::new(2, 2, vec![0.9, 0.2, 0.6, 0.8]).unwrap();
        let scores = Scores::new(&p, &Labels::Multi(vec![vec![0], vec![1]]));
        // Two hits, one false alarm.
        assert_eq!((scores.accuracy, scores.micro_f1), (0.5, Some(0.8)));
        let want = -[0.9_f64, 0.8, 0.4, 0.8].map(f64::ln).iter().sum::<f64>() / 4.0;
        assert!((scores.log_loss - want).abs() < 1e-6);
        let p = Matrix::new(1, 2, vec![0.75, 0.25]).unwrap();
        let soft = Scores::new(&p, &Labels::Soft(Matrix::new(1, 2, vec![0.5, 0.5]).unwrap()));
        let want = -0.5 * (0.75_f64.ln() + 0.25_f64.ln());
        assert!((soft.log_loss - want).abs() < 1e-6 && soft.accuracy == 1.0, "{soft:?}");
    }
}

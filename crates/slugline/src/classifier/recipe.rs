//! The recipe of `auto`: features and network by what the documents are like, and the lengths of training
//! among which it chooses.

use super::auto::AutoOptions;
use super::labels::loss_for;
use super::{ClassWeight, TrainingOptions, ValidationSplit};
use crate::corpus::LabelKind;
use crate::nn::{Activation, Initializer, LearningRate, Loss, Optimizer};
use crate::text::{AnalyzerOptions, Idf, Norm, Selection, TermFrequency, VectorizerOptions};

/// Texts shorter than this on average, in tokens, have few words: sequences of them that occur once, and
/// parts of words, help.
const SHORT: f64 = 40.0;

/// Of more documents than this, words tell enough: their beginnings would cost time and memory.
pub(crate) const MANY: usize = 60_000;

/// Of more documents than are chosen by, so many stay out of the last training to calibrate by.
pub(super) const MOST_HELD_OUT: f64 = 12_000.0;

/// Samples a step.
const BATCH: usize = 64;

/// What differs from one kind of labels to the next.
struct Network {
    /// Units of the hidden layer.
    units: usize,
    /// Share of its outputs dropped while training.
    dropout: f32,
    /// Learning rate of the first step.
    rate: f64,
    /// What keeps Adagrad's division from zero.
    epsilon: f32,
}

impl Network {
    fn of(kind: LabelKind, classes: usize) -> Self {
        match kind {
            // Few classes lie apart in few directions: more units would cost time and tell no more.
            LabelKind::Single | LabelKind::Soft => {
                Self { units: (8 * classes).clamp(16, 64), dropout: 0.5, rate: 0.05, epsilon: 1e-7 }
            }
            // Classes that stand for themselves share the hidden layer, each with its own few
            // documents: a wider one has room for all. Their loss is a mean over the classes, which
            // makes gradients small: their squares must not vanish beside epsilon.
            LabelKind::Multi => Self { units: 256, dropout: 0.3, rate: 0.15, epsilon: 1e-12 },
        }
    }
}

/// Kinds of features, of which one is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Features {
    /// Words and pairs of words.
    Pairs,
    /// Also rarer pairs, and beginnings of words.
    Beginnings,
    /// Also all pairs, triples, and parts of words.
    Parts,
}

impl Features {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pairs => "words, pairs of words",
            Self::Beginnings => "words, pairs of words, beginnings of words",
            Self::Parts => "words, pairs and triples of words, beginnings and parts of words",
        }
    }

    /// How text becomes tokens, for every kind alike.
    pub(super) fn analyzer() -> AnalyzerOptions {
        AnalyzerOptions { mask_digits: true, punctuation: true, ..AnalyzerOptions::default() }
    }

    pub(super) fn options(self) -> VectorizerOptions {
        let kept = |min_df, weight| Selection { min_df, weight, ..Selection::default() };
        let base = VectorizerOptions {
            analyzer: Self::analyzer(),
            word_ngrams: 2,
            ngrams: kept(2, 0.5),
            prefix_lengths: vec![4, 6],
            prefixes: kept(2, 0.4),
            max_features: Some(1 << 19),
            tf: TermFrequency::Log,
            idf: Idf::SqrtSmooth,
            class_spread: Some(0.1),
            norm: Norm::L2,
            ..VectorizerOptions::default()
        };
        match self {
            Self::Pairs => {
                VectorizerOptions { ngrams: kept(3, 0.5), prefix_lengths: Vec::new(), ..base }
            }
            Self::Beginnings => base,
            Self::Parts => VectorizerOptions {
                word_ngrams: 3,
                ngrams: kept(1, 0.7),
                char_ngrams: Some((3, 3)),
                chars: kept(3, 0.2),
                ..base
            },
        }
    }
}

/// Epochs that so many samples of so many classes usually need: more where there are few samples, fewer
/// where there are but two classes.
pub(crate) fn usual_epochs(samples: usize, classes: usize) -> usize {
    let samples = samples.max(1);
    match (samples > MANY, classes > 2) {
        (true, _) => (480_000 / samples).clamp(3, 8),
        (false, true) => (90_000 / samples).clamp(8, 15),
        (false, false) => (45_000 / samples).clamp(4, 15),
    }
}

/// The settings of everything that is tried for so many documents of so many tokens on average, for
/// `samples` training documents of them and so many classes.
pub(crate) fn candidates(
    documents: usize,
    samples: usize,
    classes: usize,
    mean_tokens: f64,
    auto: AutoOptions,
    kind: LabelKind,
) -> Vec<TrainingOptions> {
    let recipes = Recipe::candidates(documents, mean_tokens).into_iter();
    recipes.map(|recipe| recipe.settings(samples, classes, auto, kind)).collect()
}

/// How texts become tokens in all of them.
pub(crate) fn analyzer() -> AnalyzerOptions {
    Features::analyzer()
}

/// One way to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recipe {
    pub(super) features: Features,
    /// Length of training, as a share of the usual number of epochs.
    share: f64,
}

impl Recipe {
    /// What is tried for so many documents of so many tokens on average, the most costly first.
    pub(super) fn candidates(documents: usize, mean_tokens: f64) -> Vec<Self> {
        let features = match (documents > MANY, mean_tokens < SHORT) {
            (true, _) => Features::Pairs,
            (false, true) => Features::Parts,
            (false, false) => Features::Beginnings,
        };
        // What corpora of a kind differ in is how soon they are learned.
        [1.0, 0.5].map(|share| Self { features, share }).to_vec()
    }

    /// Epochs for so many samples of so many classes.
    pub(super) fn epochs(self, samples: usize, classes: usize) -> usize {
        (usual_epochs(samples, classes) as f64 * self.share).ceil() as usize
    }

    /// The settings for `samples` training documents with labels of a kind, of so many classes.
    pub(super) fn settings(
        self,
        samples: usize,
        classes: usize,
        auto: AutoOptions,
        kind: LabelKind,
    ) -> TrainingOptions {
        let Network { units, dropout, rate, epsilon } = Network::of(kind, classes);
        let epochs = self.epochs(samples, classes);
        let steps = (samples.div_ceil(BATCH) * epochs) as u64;
        TrainingOptions {
            vectorizer: Some(self.features.options()),
            hidden: vec![units],
            activation: Activation::Relu,
            // A tenth of He's, so that words learn what they mean before the network trusts them.
            kernel_initializer: Initializer::RandomUniform {
                limit: 0.1 * (6.0 / units as f32).sqrt(),
            },
            dropout,
            optimizer: Optimizer::Adagrad {
                learning_rate: LearningRate::PolynomialDecay {
                    initial_learning_rate: rate,
                    decay_steps: steps,
                    end_learning_rate: rate / 100.0,
                    power: 1.0,
                },
                initial_accumulator_value: 0.0,
                epsilon,
            },
            loss: loss(kind),
            batch_size: BATCH,
            epochs,
            validation: ValidationSplit::None,
            patience: None,
            class_weight: class_weight(kind),
            decision: auto.decision,
            average: auto.average.min(epochs),
            ensemble: auto.ensemble,
            seed: auto.seed,
            threads: auto.threads,
            ..TrainingOptions::default()
        }
    }
}

/// The loss for labels of a kind. Soft labels and the many answers "no" of independent classes are left
/// as they are: they tell how sure to be.
fn loss(kind: LabelKind) -> Loss {
    let label_smoothing = if kind == LabelKind::Single { 0.15 } else { 0.0 };
    loss_for(Loss::CategoricalCrossentropy { label_smoothing }, kind)
}

/// How much rare classes count.
fn class_weight(kind: LabelKind) -> ClassWeight {
    match kind {
        LabelKind::Single | LabelKind::Soft => ClassWeight::SquareRoot,
        LabelKind::Multi => ClassWeight::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_documents_are_seen_more_often() {
        let [whole, half] = [1.0, 0.5].map(|share| Recipe { features: Features::Pairs, share });
        assert_eq!([100, 9000, 50_000].map(|n| whole.epochs(n, 3)), [15, 10, 8]);
        assert_eq!([100, 9000, 50_000].map(|n| whole.epochs(n, 2)), [15, 5, 4]);
        assert_eq!([60_001, 100_000, 1_000_000].map(|n| whole.epochs(n, 2)), [7, 4, 3]);
        assert_eq!([100, 9000, 1_000_000].map(|n| half.epochs(n, 3)), [8, 5, 2]);
    }

    #[test]
    fn features_and_units_follow_the_documents() {
        for (documents, tokens, want) in [
            (100, 8.0, Features::Parts),
            (60_000, 40.0, Features::Beginnings),
            (60_001, 8.0, Features::Pairs),
            (60_001, 200.0, Features::Pairs),
        ] {
            let recipes = Recipe::candidates(documents, tokens);
            assert!(recipes.iter().all(|recipe| recipe.features == want), "{documents} {tokens}");
        }
        let units = |classes, kind| {
            let recipe = Recipe { features: Features::Pairs, share: 1.0 };
            recipe.settings(100, classes, AutoOptions::default(), kind).hidden
        };
        let single = [2, 5, 46].map(|classes| units(classes, LabelKind::Single)[0]);
        assert_eq!(single, [16, 40, 64]);
        assert_eq!(units(3, LabelKind::Multi), [256]);
    }

    #[test]
    fn every_recipe_has_settings_in_range() {
        for (documents, tokens) in [(100, 8.0), (100, 200.0), (100_000, 8.0), (100_000, 200.0)] {
            for recipe in Recipe::candidates(documents, tokens) {
                let auto = AutoOptions::default();
                let options = recipe.settings(documents, 3, auto, LabelKind::Single);
                options.vectorizer.unwrap().check().unwrap();
                assert!(options.epochs > 0);
            }
        }
    }
}

//! Settings as the arguments that would make them.

use std::fmt::Display;

use slugline::classifier::TrainingOptions;
use slugline::corpus::SequenceOptions;
use slugline::nn::{EpsilonPlacement, LearningRate, Loss, Optimizer, SparseRule};
use slugline::text::FeatureScaling;

use super::features::feature_settings;

/// A setting with the name of its argument, without the dashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

#[expect(clippy::needless_pass_by_value, reason = "callers give numbers and names as they are")]
pub(super) fn setting(name: &'static str, value: impl ToString) -> Setting {
    Setting { name, value: value.to_string() }
}

/// A help text with the default, which the library alone knows.
pub(super) fn with(text: &str, default: impl Display) -> String {
    format!("{text} [default: {default}]")
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// All settings of a training run that have a say in it; those of the optimizer are its own.
pub(crate) fn training_settings(options: &TrainingOptions) -> Vec<Setting> {
    let hidden: Vec<String> = options.hidden.iter().map(ToString::to_string).collect();
    let mut settings = match &options.vectorizer {
        None => vec![setting("max-features", options.max_features)],
        Some(features) => feature_settings(features),
    };
    settings.extend([
        setting("hidden", if hidden.is_empty() { "none".into() } else { hidden.join(",") }),
        setting("activation", options.activation),
        setting("dropout", options.dropout),
        setting("l1", options.l1),
        setting("l2", options.l2),
        setting("loss", options.loss),
    ]);
    settings.extend(loss_settings(&options.loss));
    if options.feature_scaling != FeatureScaling::None {
        settings.push(setting("feature-scaling", options.feature_scaling));
    }
    settings.push(setting("optimizer", options.optimizer.name()));
    settings.extend(optimizer_settings(&options.optimizer));
    settings.extend([
        setting("epochs", options.epochs),
        setting("batch-size", options.batch_size),
        setting("validation", options.validation),
        setting("patience", or_none(options.patience)),
        setting("class-weight", options.class_weight.name()),
        setting("threshold", options.decision.threshold),
        setting("min-confidence", options.decision.min_confidence),
        setting("max-unknown-words", options.decision.max_unknown_words),
        setting("average", options.average),
        setting("ensemble", options.ensemble),
        setting("seed", options.seed),
    ]);
    settings
}

/// Settings of a loss.
pub(super) fn loss_settings(loss: &Loss) -> Vec<Setting> {
    let smoothing = |value: &f32| setting("label-smoothing", value);
    match loss {
        Loss::CategoricalCrossentropy { label_smoothing }
        | Loss::BinaryCrossentropy { label_smoothing } => vec![smoothing(label_smoothing)],
        Loss::CategoricalFocalCrossentropy { alpha, gamma, label_smoothing } => {
            vec![smoothing(label_smoothing), setting("gamma", gamma), setting("alpha", alpha)]
        }
        Loss::BinaryFocalCrossentropy { apply_class_balancing, alpha, gamma, label_smoothing } => {
            vec![
                smoothing(label_smoothing),
                setting("gamma", gamma),
                setting("alpha", alpha),
                setting("apply-class-balancing", apply_class_balancing),
            ]
        }
        Loss::SparseCategoricalCrossentropy | Loss::MeanSquaredError => Vec::new(),
    }
}

/// Settings of an optimizer, its learning rate included.
pub(crate) fn optimizer_settings(optimizer: &Optimizer) -> Vec<Setting> {
    let sparse = |rule: SparseRule| {
        let name = match rule {
            SparseRule::Dense => "dense",
            SparseRule::Lazy => "lazy",
        };
        setting("sparse-rule", name)
    };
    let (rate, schedule) = match optimizer.learning_rate() {
        LearningRate::Constant(rate) => (*rate, "constant"),
        LearningRate::PolynomialDecay { initial_learning_rate, .. } => {
            (*initial_learning_rate, "linear")
        }
        LearningRate::CosineDecay { initial_learning_rate, .. } => {
            (*initial_learning_rate, "cosine")
        }
        // Only a program can have set another one.
        other => (other.at(0), "custom"),
    };
    let mut settings = vec![setting("learning-rate", rate), setting("schedule", schedule)];
    settings.extend(match optimizer {
        Optimizer::Sgd { momentum, nesterov, sparse_rule, .. } => {
            vec![setting("momentum", momentum), setting("nesterov", nesterov), sparse(*sparse_rule)]
        }
        Optimizer::RmsProp { rho, epsilon, epsilon_placement, .. } => vec![
            setting("rho", rho),
            setting("epsilon", format!("{epsilon:e}")),
            setting("epsilon-placement", placement_name(*epsilon_placement)),
        ],
        Optimizer::Adagrad { initial_accumulator_value, epsilon, .. } => vec![
            setting("initial-accumulator", initial_accumulator_value),
            setting("epsilon", format!("{epsilon:e}")),
        ],
        Optimizer::Adam { beta_1, beta_2, epsilon, sparse_rule, .. } => vec![
            setting("beta-1", beta_1),
            setting("beta-2", beta_2),
            setting("epsilon", format!("{epsilon:e}")),
            sparse(*sparse_rule),
        ],
        Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay, sparse_rule, .. } => vec![
            setting("beta-1", beta_1),
            setting("beta-2", beta_2),
            setting("epsilon", format!("{epsilon:e}")),
            setting("weight-decay", weight_decay),
            sparse(*sparse_rule),
        ],
    });
    settings
}

pub(crate) fn placement_name(placement: EpsilonPlacement) -> &'static str {
    match placement {
        EpsilonPlacement::InsideRoot => "inside",
        EpsilonPlacement::OutsideRoot => "outside",
    }
}

/// How the documents were loaded; the number of words is a setting of the training.
pub(crate) fn loading_settings(options: &SequenceOptions) -> Vec<Setting> {
    vec![
        setting("skip-top", options.skip_top),
        setting("maxlen", or_none(options.maxlen)),
        setting("test-split", options.test_split),
        setting("split-seed", options.seed),
        setting("start-char", or_none(options.start_char)),
        setting("oov-char", or_none(options.oov_char)),
        setting("index-from", options.index_from),
    ]
}

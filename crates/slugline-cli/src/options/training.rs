//! Every setting of a training run as an argument, and the plan that the arguments make.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use slugline::classifier::{
    AutoOptions, ClassWeightFile, ClassifierError, Preset, TrainingOptions, ValidationSplit,
};
use slugline::corpus::{LabelKind, SequenceOptions};
use slugline::decision::{DecisionOptions, Threshold};
use slugline::nn::{Activation, EpsilonPlacement, LearningRate, Loss, Optimizer, SparseRule};
use slugline::text::{FeatureScaling, VectorizerOptions};

use super::features::FeatureArgs;
use super::loss::LossArgs;
use super::parse::{
    ClassFactors, HeldOut, Hidden, Optional, above_zero, features, fraction, networks,
    not_negative, one_of, positive, probability, rate, share, threads,
};
use super::read::quoted;
use super::settings::{Setting, loading_settings, optimizer_settings, training_settings, with};
use crate::failure::Failure;

/// Name of the recipe that chooses by itself.
const AUTO: &str = "auto";

/// Where the settings come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recipe {
    Auto,
    Preset(Preset),
}

impl Recipe {
    fn of(name: &str) -> Self {
        let preset = Preset::ALL.into_iter().find(|preset| preset.name() == name);
        preset.map_or(Self::Auto, Self::Preset)
    }
}

/// How the learning rate changes over the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Schedule {
    /// Stays as it is
    Constant,
    /// Falls in a straight line to 0 at the last step
    Linear,
    /// Falls in a half cosine to 0 at the last step
    Cosine,
}

/// Where RMSprop adds its epsilon.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Placement {
    /// √(v + ε), as Keras 3
    Inside,
    /// √v + ε, as Keras 2.2.4
    Outside,
}

/// What momentum and Adam do with features that a batch does not contain.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rule {
    /// Step them too, as Keras does
    Dense,
    /// Leave them alone: faster, and another result
    Lazy,
}

/// [`with`] the default of a setting of the preset.
pub(super) fn preset(text: &str, name: &str) -> String {
    let options = Preset::default().options();
    let found = training_settings(&options).into_iter().find(|setting| setting.name == name);
    found.map_or_else(|| text.to_owned(), |setting| with(text, setting.value))
}

/// [`with`] the default of a loading option.
fn loading(text: &str, name: &str) -> String {
    let options = SequenceOptions::default();
    let found = loading_settings(&options).into_iter().find(|setting| setting.name == name);
    found.map_or_else(|| text.to_owned(), |setting| with(text, setting.value))
}

/// [`with`] the defaults of the optimizers that have the setting, where they differ from each other
/// each with its optimizer's name.
fn optimizers(text: &str, name: &str) -> String {
    let preset = Preset::default().options().optimizer;
    let mut defaults: Vec<(&str, String)> = Vec::new();
    for optimizer in Optimizer::NAMES {
        let with_defaults = if optimizer == preset.name() {
            Some(preset.clone())
        } else {
            Optimizer::by_name(optimizer)
        };
        let settings = with_defaults.as_ref().map(optimizer_settings).unwrap_or_default();
        let found = settings.into_iter().find(|setting| setting.name == name);
        defaults.extend(found.map(|setting| (optimizer, setting.value)));
    }
    let same = defaults.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let values: Vec<String> = if same {
        defaults.iter().take(1).map(|(_, value)| value.clone()).collect()
    } else {
        defaults.iter().map(|(name, value)| format!("{name} {value}")).collect()
    };
    let names: Vec<&str> = defaults.iter().map(|(name, _)| *name).collect();
    let whose = if names.len() == Optimizer::NAMES.len() {
        String::new()
    } else {
        format!(" ({})", names.join(", "))
    };
    with(&format!("{text}{whose}"), values.join(", "))
}

/// The settings of a training run.
#[derive(Debug, Args)]
pub(crate) struct TrainingArgs {
    /// Where the settings come from [default: auto; text if a text feature is given, notebook if
    /// another setting is]
    ///
    /// `auto` chooses by itself: it tries a few kinds of features and lengths of training on a share
    /// of the documents that is held out, takes the best, calibrates its probabilities, trains it once
    /// more on all documents, and says what it tried. What is held out by a file of its own or a
    /// validation part of the data is not trained on. Only --validation, --seed, --threads, --average,
    /// --ensemble, --threshold, --min-confidence and --max-unknown-words go with it.
    ///
    /// With the others every other argument overrides one of their settings.
    ///
    /// `text` is a network over weighed text features, calibrated by what is held out: words and pairs
    /// of words of two documents at least by tf-idf; Dense 64 relu, dropout 0.5; Adam; batches of 32,
    /// 10 epochs; a tenth of every class held out. Each of the arguments under "Text features" means
    /// this one.
    ///
    /// `notebook` is the published Keras example to the letter: the 10,000 most frequent ids,
    /// multi-hot; Dense 64 relu, Dense 64 relu, Dense softmax; RMSprop (learning rate 0.001, rho
    /// 0.9, epsilon 1e-7 outside the root); batches of 512, 20 epochs; the first 1,000 training
    /// samples held out for validation.
    #[arg(long, value_name = "NAME", value_parser = one_of([AUTO, Preset::Text.name(), Preset::Notebook.name()],
        |name| Some(Recipe::of(name))))]
    pub(super) preset: Option<Recipe>,

    #[arg(long, value_name = "N", help_heading = "Network", value_parser = features(),
        help = preset("Number of features: word ids below it are used; with text features those of \
            the most documents", "max-features"))]
    max_features: Option<u32>,
    #[arg(long, value_name = "LIST", help_heading = "Network",
        help = preset("Units of each hidden layer, or `none` for a linear model", "hidden"))]
    hidden: Option<Hidden>,
    #[arg(long, value_name = "NAME", help_heading = "Network",
        value_parser = one_of(Activation::ALL.map(Activation::name), Activation::by_name),
        help = preset("Activation of the hidden layers", "activation"))]
    activation: Option<Activation>,
    #[arg(long, value_name = "SHARE", help_heading = "Network", value_parser = share,
        help = preset("Share of each hidden layer's outputs dropped while training", "dropout"))]
    dropout: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Network", value_parser = not_negative,
        help = preset("Factor of the sum of absolute weights added to the loss", "l1"))]
    l1: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Network", value_parser = not_negative,
        help = preset("Factor of the sum of squared weights added to the loss", "l2"))]
    l2: Option<f32>,

    #[arg(long, value_name = "N", help_heading = "Training", value_parser = positive(),
        help = preset("Passes over the training samples", "epochs"))]
    pub(super) epochs: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training", value_parser = positive(),
        help = preset("Samples a step", "batch-size"))]
    pub(super) batch_size: Option<usize>,
    #[command(flatten)]
    loss: LossArgs,
    #[arg(long, value_name = "WHAT|FILE", help_heading = "Training",
        help = preset("How much each class counts: `balanced` gives every class the same say, `sqrt` \
            half of the way there; or a file, CSV `class,factor` or JSON {\"class\": factor}",
            "class-weight"))]
    class_weight: Option<ClassFactors>,
    #[arg(long, value_name = "WHAT", help_heading = "Training", hide_possible_values = true,
        value_parser = one_of(FeatureScaling::ALL.map(FeatureScaling::name),
            |name| FeatureScaling::ALL.into_iter().find(|choice| choice.name() == name)),
        help = "What is made of the values of given features (SVMlight): none, max_abs (each feature \
            at most 1) or max_abs_unit (rows of length 1 besides) [default: none]")]
    feature_scaling: Option<FeatureScaling>,
    #[arg(long, value_name = "N|SHARE|FILE", help_heading = "Training",
        help = preset("What is held out: N documents, a share (0.2), the documents of a file, or \
            `none`. Of text a share of every class, of a numbered corpus the first N or the last \
            share. Where the data have a validation part that is taken, if nothing is given",
            "validation"))]
    pub(super) validation: Option<HeldOut>,
    #[arg(long, value_name = "N", help_heading = "Training",
        help = preset("Stop after N epochs without a lower validation loss, and go back to the best \
            one; or `none`", "patience"))]
    patience: Option<Optional<usize>>,
    #[arg(long, value_name = "K", help_heading = "Training", value_parser = positive(),
        help = preset("Epochs, the last ones, whose weights are averaged; goes with auto too",
            "average"))]
    pub(super) average: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training", value_parser = networks(),
        help = preset("Networks of different seeds, trained side by side and put together as one that \
            answers with the mean of their logits; goes with auto too", "ensemble"))]
    pub(super) ensemble: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training",
        help = preset("Settles starting weights, order and dropout", "seed"))]
    pub(super) seed: Option<u64>,
    /// Threads to work on, 0 for one a core; the model does not depend on it
    #[arg(long, value_name = "N", help_heading = "Training", default_value_t = 0,
        value_parser = threads())]
    pub(super) threads: usize,

    /// Thresholds of the classes, kept in the model: `f1`, `precision=P` or `recall=R`, each fitted on
    /// the held-out documents; a number from 0 to 1 for all; or `none` [default: none]
    ///
    /// The answer is the most probable class whose probability reaches its threshold, and `unknown`
    /// where there is none. `f1` looks for the best F1 of each class, `precision=0.9` for as many
    /// answers as a precision of 0.9 leaves, `recall=0.9` for the best precision with a recall of 0.9.
    /// What is not reached on the held-out documents is told. `slugline threshold` fits thresholds
    /// afterwards.
    #[arg(long, value_name = "WHAT", help_heading = "Answers")]
    pub(super) threshold: Option<Threshold>,
    /// Answer `unknown` where the largest probability is below P, kept in the model [default: 0]
    #[arg(long, value_name = "P", help_heading = "Answers", value_parser = probability)]
    pub(super) min_confidence: Option<f32>,
    /// Answer `unknown` where the share of unknown words is above SHARE, kept in the model [default: 1]
    #[arg(long, value_name = "SHARE", help_heading = "Answers", value_parser = probability)]
    pub(super) max_unknown_words: Option<f32>,

    #[arg(long, value_name = "NAME", help_heading = "Optimizer",
        value_parser = one_of(Optimizer::NAMES, |name| Some(name.to_owned())),
        help = preset("How weights follow the gradient", "optimizer"))]
    optimizer: Option<String>,
    #[arg(long, value_name = "X", help_heading = "Optimizer", value_parser = rate,
        help = optimizers("Learning rate", "learning-rate"))]
    pub(super) learning_rate: Option<f64>,
    #[arg(long, value_name = "NAME", help_heading = "Optimizer", value_enum,
        help = optimizers("How the learning rate changes over the run", "schedule"))]
    schedule: Option<Schedule>,
    #[arg(long, value_name = "SHARE", help_heading = "Optimizer", value_parser = share,
        help = optimizers("Share of the last step that goes on", "momentum"))]
    momentum: Option<f32>,
    #[arg(long, help_heading = "Optimizer", help = "Nesterov's form of momentum (sgd)")]
    nesterov: bool,
    #[arg(long, value_name = "SHARE", help_heading = "Optimizer", value_parser = share,
        help = optimizers("How slowly the mean of squared gradients forgets", "rho"))]
    rho: Option<f32>,
    #[arg(long, value_name = "SHARE", help_heading = "Optimizer", value_parser = share,
        help = optimizers("How slowly the mean of gradients forgets", "beta-1"))]
    beta_1: Option<f32>,
    #[arg(long, value_name = "SHARE", help_heading = "Optimizer", value_parser = share,
        help = optimizers("How slowly the mean of squared gradients forgets", "beta-2"))]
    beta_2: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Optimizer", value_parser = above_zero,
        help = optimizers("What keeps the division from zero", "epsilon"))]
    epsilon: Option<f32>,
    #[arg(long, value_name = "WHERE", help_heading = "Optimizer", value_enum,
        help = optimizers("Where epsilon is added", "epsilon-placement"))]
    epsilon_placement: Option<Placement>,
    #[arg(long, value_name = "X", help_heading = "Optimizer", value_parser = not_negative,
        help = optimizers("Share of each weight taken off at each step, times the learning rate",
            "weight-decay"))]
    weight_decay: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Optimizer", value_parser = not_negative,
        help = optimizers("Starting value of the sum of squared gradients", "initial-accumulator"))]
    initial_accumulator: Option<f32>,
    #[arg(long, value_name = "RULE", help_heading = "Optimizer", value_enum,
        help = optimizers("What is done with features that a batch does not contain", "sparse-rule"))]
    sparse_rule: Option<Rule>,

    #[command(flatten)]
    pub(super) features: FeatureArgs,

    #[arg(long, value_name = "N", help_heading = "Loading",
        help = loading("Word ids below it are left out", "skip-top"))]
    skip_top: Option<u32>,
    #[arg(long, value_name = "N", help_heading = "Loading",
        help = loading("Documents with N ids or more are left out", "maxlen"))]
    maxlen: Option<Optional<usize>>,
    #[arg(long, value_name = "SHARE", help_heading = "Loading", value_parser = fraction,
        help = loading("Share of the documents kept for testing", "test-split"))]
    test_split: Option<f64>,
    #[arg(long, value_name = "N", help_heading = "Loading",
        help = loading("Seed of the shuffle before the split", "split-seed"))]
    split_seed: Option<u32>,
    #[arg(long, value_name = "ID", help_heading = "Loading",
        help = loading("Id put before every document, or `none`", "start-char"))]
    start_char: Option<Optional<u32>>,
    #[arg(long, value_name = "ID", help_heading = "Loading",
        help = loading("Id of a word that is left out, or `none` to drop it", "oov-char"))]
    oov_char: Option<Optional<u32>>,
    #[arg(long, value_name = "N", help_heading = "Loading",
        help = loading("Added to every word's rank", "index-from"))]
    index_from: Option<u32>,
}

/// A training run that is settled but for the length of the data.
#[derive(Debug, Clone)]
pub(crate) struct TrainingPlan {
    preset: Preset,
    options: TrainingOptions,
    schedule: Schedule,
    /// Whether the loss is one that the user named.
    loss_is_named: bool,
    /// Factors of classes that stand in a file, and its name.
    class_weights: Option<(String, ClassWeightFile)>,
    /// What is held out, where that was said.
    pub(crate) held_out: Option<HeldOut>,
    /// How the documents are loaded.
    pub(crate) sequences: SequenceOptions,
    /// What goes with the recipe that chooses by itself, if that is to be used.
    pub(crate) auto: Option<AutoOptions>,
}

/// The optimizer's settings that are there to be set.
#[derive(Default)]
struct Knobs<'a> {
    momentum: Option<&'a mut f32>,
    nesterov: Option<&'a mut bool>,
    rho: Option<&'a mut f32>,
    beta_1: Option<&'a mut f32>,
    beta_2: Option<&'a mut f32>,
    epsilon: Option<&'a mut f32>,
    epsilon_placement: Option<&'a mut EpsilonPlacement>,
    weight_decay: Option<&'a mut f32>,
    initial_accumulator: Option<&'a mut f32>,
    sparse_rule: Option<&'a mut SparseRule>,
}

impl<'a> Knobs<'a> {
    fn of(optimizer: &'a mut Optimizer) -> Self {
        let none = Self::default();
        match optimizer {
            Optimizer::Sgd { momentum, nesterov, sparse_rule, .. } => Self {
                momentum: Some(momentum),
                nesterov: Some(nesterov),
                sparse_rule: Some(sparse_rule),
                ..none
            },
            Optimizer::RmsProp { rho, epsilon, epsilon_placement, .. } => Self {
                rho: Some(rho),
                epsilon: Some(epsilon),
                epsilon_placement: Some(epsilon_placement),
                ..none
            },
            Optimizer::Adagrad { initial_accumulator_value, epsilon, .. } => Self {
                initial_accumulator: Some(initial_accumulator_value),
                epsilon: Some(epsilon),
                ..none
            },
            Optimizer::Adam { beta_1, beta_2, epsilon, sparse_rule, .. } => Self {
                beta_1: Some(beta_1),
                beta_2: Some(beta_2),
                epsilon: Some(epsilon),
                sparse_rule: Some(sparse_rule),
                ..none
            },
            Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay, sparse_rule, .. } => Self {
                beta_1: Some(beta_1),
                beta_2: Some(beta_2),
                epsilon: Some(epsilon),
                weight_decay: Some(weight_decay),
                sparse_rule: Some(sparse_rule),
                ..none
            },
        }
    }
}

pub(super) fn usage(problem: String) -> Failure {
    Failure::Usage { command: "train", problem }
}

/// Refuses an average that there are no epochs for.
fn check_average(options: &TrainingOptions) -> Result<(), Failure> {
    let (average, epochs) = (options.average, options.epochs);
    if average > 1 && options.patience.is_some() {
        return Err(usage(
            "--average takes the mean of the last epochs, and --patience goes back to one of them; \
             use one of the two"
                .into(),
        ));
    }
    if average > epochs {
        return Err(usage(format!("--average {average} of only {epochs} epochs")));
    }
    Ok(())
}

impl TrainingArgs {
    /// The preset, and whether `auto` chooses by itself.
    fn recipe(&self) -> Result<(Preset, bool), Failure> {
        let (given, loading, of_text) = (self.given(), self.given_loading(), self.features.given());
        let all = [&given[..], &loading, &of_text].concat();
        let (preset, auto) = match (self.preset, all.as_slice()) {
            (Some(Recipe::Auto), [_, ..]) => {
                return Err(usage(format!(
                    "{} is chosen by --preset auto; leave it out, or add --preset text or notebook",
                    all.join(", ")
                )));
            }
            (Some(Recipe::Auto) | None, []) => (Preset::default(), true),
            (None, _) if of_text.is_empty() => (Preset::default(), false),
            (None, _) => (Preset::Text, false),
            (Some(Recipe::Preset(preset)), _) => (preset, false),
        };
        let (refused, other) = match preset {
            Preset::Text => (&loading, Preset::Notebook),
            Preset::Notebook => (&of_text, Preset::Text),
        };
        if !refused.is_empty() {
            let (refused, preset, other) = (refused.join(", "), preset.name(), other.name());
            let problem =
                format!("{refused} has no meaning for --preset {preset}; use --preset {other}");
            return Err(usage(problem));
        }
        Ok((preset, auto))
    }

    /// How the documents of a numbered corpus are loaded.
    fn sequences(&self, max_features: usize) -> SequenceOptions {
        let default = SequenceOptions::default();
        SequenceOptions {
            num_words: u32::try_from(max_features).ok(),
            skip_top: self.skip_top.unwrap_or(default.skip_top),
            maxlen: self.maxlen.map_or(default.maxlen, |maxlen| maxlen.0),
            test_split: self.test_split.unwrap_or(default.test_split),
            seed: self.split_seed.unwrap_or(default.seed),
            start_char: self.start_char.map_or(default.start_char, |id| id.0),
            oov_char: self.oov_char.map_or(default.oov_char, |id| id.0),
            index_from: self.index_from.unwrap_or(default.index_from),
        }
    }

    /// The plan that the arguments make.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an argument that has no meaning beside the others.
    pub(crate) fn plan(&self) -> Result<TrainingPlan, Failure> {
        let (preset, auto) = self.recipe()?;
        let base = preset.options();
        let max_features = self.max_features.map_or(base.max_features, |n| n as usize);
        let vectorizer = base.vectorizer.map(|features| VectorizerOptions {
            max_features: self.max_features.map(|n| n as usize).or(features.max_features),
            ..self.features.options(features)
        });
        let class_weights = match &self.class_weight {
            Some(ClassFactors::File(path)) => {
                let name = path.display().to_string();
                Some((
                    name,
                    ClassWeightFile::read(path).map_err(|e| Failure::Other(e.to_string()))?,
                ))
            }
            _ => None,
        };
        let options = TrainingOptions {
            max_features,
            vectorizer,
            hidden: self.hidden.clone().map_or(base.hidden, |hidden| hidden.0),
            kernel_initializer: base.kernel_initializer,
            activation: self.activation.unwrap_or(base.activation),
            dropout: self.dropout.unwrap_or(base.dropout),
            l1: self.l1.unwrap_or(base.l1),
            l2: self.l2.unwrap_or(base.l2),
            optimizer: self.optimizer(&base.optimizer)?,
            loss: self.loss.loss(base.loss)?,
            batch_size: self.batch_size.unwrap_or(base.batch_size),
            epochs: self.epochs.unwrap_or(base.epochs),
            validation: match self.validation {
                Some(HeldOut::Split(split)) => split,
                _ => base.validation,
            },
            patience: self.patience.map_or(base.patience, |patience| patience.0),
            class_weight: match &self.class_weight {
                Some(ClassFactors::Rule(rule)) => rule.clone(),
                _ => base.class_weight,
            },
            feature_scaling: self.feature_scaling.unwrap_or(base.feature_scaling),
            decision: DecisionOptions {
                threshold: self.threshold.unwrap_or(base.decision.threshold),
                min_confidence: self.min_confidence.unwrap_or(base.decision.min_confidence),
                max_unknown_words: self
                    .max_unknown_words
                    .unwrap_or(base.decision.max_unknown_words),
            },
            average: self.average.unwrap_or(base.average),
            ensemble: self.ensemble.unwrap_or(base.ensemble),
            seed: self.seed.unwrap_or(base.seed),
            threads: self.threads,
        };
        if options.dropout > 0.0 && options.hidden.is_empty() {
            return Err(usage(
                "--dropout acts on hidden layers, and --hidden none leaves none".into(),
            ));
        }
        let sequences = self.sequences(max_features);
        let schedule = self.schedule.unwrap_or(Schedule::Constant);
        let validation = match self.validation {
            Some(HeldOut::Split(ValidationSplit::None)) if auto => {
                return Err(usage(
                    "--validation none leaves --preset auto nothing to choose by".into(),
                ));
            }
            Some(HeldOut::Split(split)) => split,
            _ => AutoOptions::default().validation,
        };
        let auto = auto.then_some(AutoOptions {
            seed: options.seed,
            threads: options.threads,
            validation,
            decision: options.decision,
            average: options.average,
            ensemble: options.ensemble,
        });
        if auto.is_none() {
            check_average(&options)?;
        }
        Ok(TrainingPlan {
            preset,
            options,
            schedule,
            loss_is_named: self.loss.is_named(),
            class_weights,
            held_out: self.validation.clone(),
            sequences,
            auto,
        })
    }

    /// The settings that are given, those left out that go with every recipe.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let mut given = Vec::new();
        macro_rules! note {
            ($($field:ident: $argument:literal),* $(,)?) => {
                $(if self.$field.is_some() { given.push($argument); })*
            };
        }
        note!(
            max_features: "--max-features", hidden: "--hidden", activation: "--activation",
            dropout: "--dropout", l1: "--l1", l2: "--l2", epochs: "--epochs",
            batch_size: "--batch-size", class_weight: "--class-weight", feature_scaling: "--feature-scaling", patience: "--patience",
            optimizer: "--optimizer", learning_rate: "--learning-rate", schedule: "--schedule",
            momentum: "--momentum", rho: "--rho", beta_1: "--beta-1", beta_2: "--beta-2",
            epsilon: "--epsilon", epsilon_placement: "--epsilon-placement",
            weight_decay: "--weight-decay", initial_accumulator: "--initial-accumulator",
            sparse_rule: "--sparse-rule",
        );
        if self.nesterov {
            given.push("--nesterov");
        }
        given.extend(self.loss.given());
        given
    }

    /// The arguments given that say how a numbered corpus is loaded.
    pub(super) fn given_loading(&self) -> Vec<&'static str> {
        [
            ("--skip-top", self.skip_top.is_some()),
            ("--maxlen", self.maxlen.is_some()),
            ("--test-split", self.test_split.is_some()),
            ("--split-seed", self.split_seed.is_some()),
            ("--start-char", self.start_char.is_some()),
            ("--oov-char", self.oov_char.is_some()),
            ("--index-from", self.index_from.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }

    /// The preset's optimizer if it is the one named, else the named one with its own defaults; then
    /// what the arguments set.
    fn optimizer(&self, base: &Optimizer) -> Result<Optimizer, Failure> {
        let named = self.optimizer.as_deref().filter(|name| *name != base.name());
        let mut optimizer = named.and_then(Optimizer::by_name).unwrap_or_else(|| base.clone());
        let name = optimizer.name();
        let mut refused = Vec::new();
        let knobs = Knobs::of(&mut optimizer);
        macro_rules! turn {
            ($argument:literal, $value:expr, $knob:expr) => {
                match ($value, $knob) {
                    (Some(value), Some(knob)) => *knob = value,
                    (Some(_), None) => refused.push($argument),
                    (None, _) => {}
                }
            };
        }
        turn!("--momentum", self.momentum, knobs.momentum);
        turn!("--nesterov", self.nesterov.then_some(true), knobs.nesterov);
        turn!("--rho", self.rho, knobs.rho);
        turn!("--beta-1", self.beta_1, knobs.beta_1);
        turn!("--beta-2", self.beta_2, knobs.beta_2);
        turn!("--epsilon", self.epsilon, knobs.epsilon);
        let placement = self.epsilon_placement.map(|placement| match placement {
            Placement::Inside => EpsilonPlacement::InsideRoot,
            Placement::Outside => EpsilonPlacement::OutsideRoot,
        });
        turn!("--epsilon-placement", placement, knobs.epsilon_placement);
        turn!("--weight-decay", self.weight_decay, knobs.weight_decay);
        turn!("--initial-accumulator", self.initial_accumulator, knobs.initial_accumulator);
        let rule = self.sparse_rule.map(|rule| match rule {
            Rule::Dense => SparseRule::Dense,
            Rule::Lazy => SparseRule::Lazy,
        });
        turn!("--sparse-rule", rule, knobs.sparse_rule);
        if !refused.is_empty() {
            let refused = refused.join(", ");
            return Err(usage(format!("{refused} has no meaning for --optimizer {name}")));
        }
        Ok(match self.learning_rate {
            Some(rate) => optimizer.with_learning_rate(LearningRate::Constant(rate)),
            None => optimizer,
        })
    }
}

impl TrainingPlan {
    /// The options for a training part of so many documents, held-out ones included: only they tell
    /// how many steps a schedule has.
    pub(crate) fn options(&self, documents: usize) -> TrainingOptions {
        let mut options = self.options.clone();
        let samples = options.validation.ranges(documents).0.len();
        let steps = samples.div_ceil(options.batch_size).max(1) * options.epochs;
        let (start, decay_steps) = (options.optimizer.learning_rate().at(0), steps as u64);
        let rate = match self.schedule {
            Schedule::Constant => return options,
            Schedule::Linear => LearningRate::PolynomialDecay {
                initial_learning_rate: start,
                decay_steps,
                end_learning_rate: 0.0,
                power: 1.0,
            },
            Schedule::Cosine => LearningRate::CosineDecay {
                initial_learning_rate: start,
                decay_steps,
                alpha: 0.0,
                warmup_target: None,
                warmup_steps: 0,
            },
        };
        options.optimizer = options.optimizer.with_learning_rate(rate);
        options
    }

    /// The options for documents with labels of a kind, which have a loss that goes with them unless one
    /// was named, and factors for the classes that they have.
    ///
    /// # Errors
    /// [`ClassifierError::ClassWeightFile`] if a factor is for a class that is not there.
    pub(crate) fn options_for(
        &self,
        documents: usize,
        kind: LabelKind,
        class_names: &[String],
    ) -> Result<TrainingOptions, ClassifierError> {
        let mut options = self.options(documents);
        if !self.loss_is_named {
            options = options.for_labels(kind);
        }
        if let Some((_, file)) = &self.class_weights {
            options.class_weight = file.for_classes(class_names)?;
        }
        Ok(options)
    }

    /// Holds out the last documents, which were set apart beforehand.
    pub(crate) fn hold_out_last(&mut self, documents: usize) {
        self.options.validation = ValidationSplit::Last(documents);
        if let Some(auto) = &mut self.auto {
            auto.validation = ValidationSplit::Last(documents);
        }
    }

    /// Whether texts are read rather than a numbered corpus.
    pub(crate) fn takes_text(&self) -> bool {
        self.auto.is_some() || self.preset == Preset::Text
    }

    /// Epochs asked for; `auto` chooses them later.
    pub(crate) fn epochs(&self) -> usize {
        self.options.epochs
    }

    /// What settles the folds of a cross-validation.
    pub(crate) fn seed(&self) -> u64 {
        self.options.seed
    }

    /// The shortest command that trains the same model on `data`. Where files are and how many
    /// threads work makes no difference to it, so that the model file does not depend on it.
    pub(crate) fn command(&self, data: &str) -> String {
        let held_out = match &self.held_out {
            Some(HeldOut::File(file)) => Some(quoted(file)),
            _ => None,
        };
        if let Some(auto) = self.auto {
            let mut command = format!("slugline train {data} --preset {AUTO}");
            // Writing to a string cannot fail.
            if let Some(file) = held_out {
                let _ = write!(command, " --validation {file}");
            } else if auto.validation != AutoOptions::default().validation {
                let _ = write!(command, " --validation {}", auto.validation);
            }
            // Of the other settings it says itself what it chose.
            let common =
                ["threshold", "min-confidence", "max-unknown-words", "average", "ensemble", "seed"];
            let settings = |auto: AutoOptions| {
                let AutoOptions { seed, decision, average, ensemble, .. } = auto;
                let options =
                    TrainingOptions { seed, decision, average, ensemble, ..Default::default() };
                let mut settings = training_settings(&options);
                settings.retain(|setting| common.contains(&setting.name));
                settings
            };
            let usual = settings(AutoOptions::default());
            for Setting { name, value } in settings(auto).iter().filter(|s| !usual.contains(s)) {
                let _ = write!(command, " --{name} {value}");
            }
            return command;
        }
        let base = self.preset.options();
        let actual = self.options(self.options.batch_size);
        let optimizer = if actual.optimizer.name() == base.optimizer.name() {
            base.optimizer.clone()
        } else {
            Optimizer::by_name(actual.optimizer.name()).unwrap_or_else(|| base.optimizer.clone())
        };
        let loss = Loss::by_name(actual.loss.name()).unwrap_or(base.loss);
        // What a run has that names optimizer and loss, and leaves all else as it is.
        let mut usual = training_settings(&TrainingOptions { optimizer, loss, ..base.clone() });
        usual.retain(|setting| !["optimizer", "loss"].contains(&setting.name));
        usual.extend([
            Setting { name: "optimizer", value: base.optimizer.name().to_owned() },
            Setting { name: "loss", value: base.loss.name().to_owned() },
        ]);
        usual.extend(loading_settings(&SequenceOptions::default()));
        let loading = match self.preset {
            Preset::Notebook => loading_settings(&self.sequences),
            Preset::Text => Vec::new(),
        };

        let mut command = format!("slugline train {data} --preset {}", self.preset.name());
        let settings = training_settings(&actual);
        for mut setting in settings.into_iter().chain(loading) {
            match setting.name {
                "class-weight" => {
                    let file = self.class_weights.as_ref().map(|(name, _)| quoted(name));
                    setting.value = file.unwrap_or(setting.value);
                }
                "validation" => setting.value = held_out.clone().unwrap_or(setting.value),
                _ => {}
            }
            if usual.contains(&setting) {
                continue;
            }
            let Setting { name, value } = setting;
            // Writing to a string cannot fail.
            let _ = match (name, value.as_str()) {
                ("nesterov" | "apply-class-balancing", _) => write!(command, " --{name}"),
                _ => write!(command, " --{name} {value}"),
            };
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use slugline::classifier::ClassWeight;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TrainingArgs,
    }

    fn plan(words: &str) -> TrainingPlan {
        Line::try_parse_from(format!("x {words}").split_whitespace()).unwrap().args.plan().unwrap()
    }

    fn refusal(words: &str) -> String {
        let line = Line::try_parse_from(format!("x {words}").split_whitespace()).unwrap();
        line.args.plan().unwrap_err().to_string()
    }

    #[test]
    fn no_setting_leaves_the_choice_to_the_program() {
        for words in ["", "--preset auto", "--seed 0 --threads 3"] {
            assert_eq!(plan(words).command("reuters"), "slugline train reuters --preset auto");
        }
        let seeded = plan("--seed 7");
        assert_eq!(seeded.auto.unwrap().seed, 7);
        assert_eq!(seeded.command("x.csv"), "slugline train x.csv --preset auto --seed 7");
        let decided = "slugline train x.csv --preset auto --threshold precision=0.9 \
            --min-confidence 0.2 --seed 7";
        let line = "--seed 7 --min-confidence 0.2 --threshold precision=0.9 --max-unknown-words 1";
        assert_eq!(plan(line).command("x.csv"), decided);
        let together = plan("--preset auto --average 2 --ensemble 3");
        let auto = together.auto.unwrap();
        assert_eq!((auto.average, auto.ensemble), (2, 3));
        let command = together.command("x.csv");
        assert_eq!(command, "slugline train x.csv --preset auto --average 2 --ensemble 3");
        assert!(plan("--epochs 3").auto.is_none());
        let refused = refusal("--preset auto --epochs 3 --nesterov");
        assert!(
            refused.starts_with("--epochs, --nesterov is chosen by --preset auto"),
            "{refused}"
        );
    }

    #[test]
    fn no_argument_but_the_preset_gives_the_preset() {
        let plan = plan("--preset notebook");
        assert_eq!(plan.options(8982), TrainingOptions::default());
        assert_eq!(plan.sequences.num_words, Some(10_000));
        assert_eq!(plan.command("reuters"), "slugline train reuters --preset notebook");
    }

    /// Arguments in the order of the command, none of them a default.
    const LINES: &[&str] = &[
        "--seed 1",
        "--average 3 --ensemble 2",
        "--max-features 2000 --hidden 8 --activation gelu --dropout 0.25 --l1 0.001 --l2 0.01",
        "--hidden none --epochs 6 --batch-size 128 --validation 0.2 --patience 3",
        "--loss sparse_categorical_crossentropy --class-weight balanced --threshold f1",
        "--threshold 0.25 --min-confidence 0.1 --max-unknown-words 0.5 --seed 2",
        "--loss binary_crossentropy --label-smoothing 0.1 --validation none",
        "--label-smoothing 0.1 --learning-rate 0.0005 --schedule cosine --epsilon-placement inside",
        "--optimizer sgd --learning-rate 0.5 --momentum 0.9 --nesterov --sparse-rule lazy",
        "--optimizer adagrad --schedule linear --initial-accumulator 0 --epsilon 1e-3",
        "--optimizer adam --beta-1 0.8 --beta-2 0.99",
        "--optimizer adamw --weight-decay 0.1 --epochs 2",
        "--rho 0.95 --epsilon 1e-5 --skip-top 20 --maxlen 300 --test-split 0.3 --split-seed 7",
        "--start-char none --oov-char none --index-from 0",
        "--loss categorical_focal_crossentropy --label-smoothing 0.1 --gamma 1.5 --alpha 2",
        "--loss binary_focal_crossentropy --alpha 0.75 --apply-class-balancing",
    ];

    /// The same of text features.
    const TEXT_LINES: &[&str] = &[
        "--max-features 5000 --ngrams 3 --char-ngrams 3-5 --prefixes 4,6 --min-df 1 --max-df 0.5",
        "--tf bm25 --idf bm25 --norm l1 --class-spread 0.1 --hashing 18 --token-rule scikit-learn",
        "--normalization strip-accents --lowercase no --punctuation yes --mask-digits yes",
        "--tf count --idf sqrt --norm none --hidden none --dropout 0 --epochs 3 --validation 0.3",
        "--optimizer adamw --class-weight sqrt --validation none --seed 3",
    ];

    #[test]
    fn the_command_makes_the_plan_again() {
        for line in LINES {
            let first = plan(&format!("--preset notebook {line}"));
            let command = first.command("reuters");
            let words = command.strip_prefix("slugline train reuters --preset notebook").unwrap();
            assert_eq!(words.trim(), *line);
            let second = plan(&format!("--preset notebook {words}"));
            assert_eq!(first.options(8982), second.options(8982));
            assert_eq!(first.sequences, second.sequences);
        }
    }

    #[test]
    fn the_command_makes_text_features_again() {
        for line in TEXT_LINES {
            let first = plan(&format!("--preset text {line}"));
            let command = first.command("x.csv");
            let words = command.strip_prefix("slugline train x.csv --preset text").unwrap();
            assert_eq!(words.trim(), *line);
            let second = plan(&format!("--preset text {words}"));
            assert_eq!(first.options(500), second.options(500));
            first.options(500).vectorizer.unwrap().check().unwrap();
        }
        assert_eq!(
            plan("--ngrams 1").command("x.csv"),
            "slugline train x.csv --preset text --ngrams 1"
        );
        assert_eq!(plan("--preset text").options(9), Preset::Text.options());
        assert!(plan("--min-df 2").takes_text() && !plan("--epochs 2").takes_text());
        let refused = refusal("--preset notebook --ngrams 2 --tf log");
        assert_eq!(
            refused,
            "--ngrams, --tf has no meaning for --preset notebook; use --preset text"
        );
        assert!(
            refusal("--idf none --maxlen 9").contains("--maxlen has no meaning for --preset text")
        );
    }

    #[test]
    fn what_is_held_out_goes_with_the_choice_too() {
        for (words, want) in [
            ("--validation 0.1", " --validation 0.1"),
            ("--validation 500 --seed 2", " --validation 500 --seed 2"),
            ("--preset auto --validation 'held", " --validation ''\\''held'"),
        ] {
            let plan = plan(words);
            assert!(plan.auto.is_some());
            assert_eq!(plan.command("x"), format!("slugline train x --preset auto{want}"));
        }
        let mut apart = plan("--validation held.csv");
        apart.hold_out_last(7);
        assert_eq!(apart.auto.unwrap().validation, ValidationSplit::Last(7));
        assert_eq!(apart.command("x"), "slugline train x --preset auto --validation held.csv");
        let mut set = plan("--preset text --validation held.csv --epochs 2");
        set.hold_out_last(7);
        assert_eq!(set.options(20).validation, ValidationSplit::Last(7));
        let command = set.command("x");
        assert_eq!(command, "slugline train x --preset text --epochs 2 --validation held.csv");
        assert!(refusal("--validation none").contains("nothing to choose by"));
    }

    #[test]
    fn losses_and_weights_follow_the_labels() {
        let names = ["a".to_owned(), "b".to_owned()];
        let of = |words: &str, kind| plan(words).options_for(9, kind, &names).map(|o| o.loss);
        let loss = of("--preset text --label-smoothing 0.1", LabelKind::Multi).unwrap();
        assert_eq!(loss, Loss::BinaryCrossentropy { label_smoothing: 0.1 });
        // A loss that was named is kept, and the library says what is wrong with it.
        let named = of("--loss categorical_crossentropy", LabelKind::Multi).unwrap();
        assert_eq!(named, Loss::CATEGORICAL_CROSSENTROPY);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.csv");
        std::fs::write(&path, "a,2\n").unwrap();
        let words = format!("--preset text --class-weight {}", path.display());
        let plan = plan(&words);
        let options = plan.options_for(9, LabelKind::Single, &names).unwrap();
        assert_eq!(options.class_weight, ClassWeight::Named([("a".to_owned(), 2.0)].into()));
        assert_eq!(plan.command("x"), format!("slugline train x {words}"));
        let error = plan.options_for(9, LabelKind::Single, &names[1..]).unwrap_err().to_string();
        assert!(error.contains("w.csv:1: \"a\" is none of the 1 classes: b"), "{error}");
    }

    #[test]
    fn the_command_tells_what_differs_and_nothing_else() {
        let same = plan("--epochs 20 --threads 3 --optimizer rmsprop --epsilon-placement outside");
        assert_eq!(same.command("x"), "slugline train x --preset notebook");
    }

    #[test]
    fn a_schedule_ends_with_the_run() {
        let options =
            plan("--schedule linear --epochs 2 --batch-size 100 --validation 50").options(351);
        // 301 samples make 4 steps an epoch.
        let rate = options.optimizer.learning_rate();
        assert_eq!((rate.at(0), rate.at(4), rate.at(8)), (0.001, 0.0005, 0.0));
    }

    #[test]
    fn arguments_without_a_meaning_are_refused() {
        assert_eq!(
            refusal("--optimizer adam --rho 0.5 --momentum 0.1"),
            "--momentum, --rho has no meaning for --optimizer adam"
        );
        let label_smoothing = refusal("--loss mean_squared_error --label-smoothing 0.1");
        assert!(label_smoothing.contains("has no meaning for --loss mean_squared_error"));
        assert!(
            refusal("--gamma 1").contains("--gamma has no meaning for --loss categorical_cross")
        );
        let balancing = refusal("--loss categorical_focal_crossentropy --apply-class-balancing");
        assert!(balancing.contains("use binary_focal_crossentropy"), "{balancing}");
        assert!(refusal("--loss binary_focal_crossentropy --alpha 2").contains("from 0 to 1"));
        assert!(refusal("--hidden none --dropout 0.5").contains("--hidden none leaves none"));
        let both = refusal("--preset notebook --average 2 --patience 3");
        assert!(both.contains("use one of the two"), "{both}");
        assert_eq!(refusal("--epochs 3 --average 4"), "--average 4 of only 3 epochs");
    }
}

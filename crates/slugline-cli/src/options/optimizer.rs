//! The optimizer and its settings as arguments.

use clap::{Args, ValueEnum};
use slugline::classifier::{Preset, Schedule, Settings, TrainingOptions};
use slugline::nn::{EpsilonPlacement, Optimizer, SparseRule};

use super::parse::{field, one_of};
use super::settings::with;
use super::training::preset;

/// How the learning rate changes over the run.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RateSchedule {
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

/// A help text with the defaults of the optimizers that have the setting, where they differ from each
/// other each with its optimizer's name.
fn optimizers(text: &str, name: &str) -> String {
    let preset = Preset::default().options().optimizer;
    let mut defaults: Vec<(&str, String)> = Vec::new();
    for optimizer in Optimizer::NAMES {
        let with_defaults = if optimizer == preset.name() {
            Some(preset.clone())
        } else {
            Optimizer::by_name(optimizer)
        };
        let Some(with_defaults) = with_defaults else { continue };
        let options = TrainingOptions { optimizer: with_defaults, ..TrainingOptions::default() };
        let found = options.settings().into_iter().find(|setting| setting.name == name);
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

/// How weights follow the gradient.
#[derive(Debug, Args)]
#[command(next_help_heading = "Optimizer")]
pub(crate) struct OptimizerArgs {
    #[arg(long, value_name = "NAME",
        value_parser = one_of(Optimizer::NAMES,
            |name| Optimizer::by_name(name).map(|one| one.name())),
        help = preset("How weights follow the gradient", "optimizer"))]
    optimizer: Option<&'static str>,
    #[arg(long, value_name = "X", value_parser = field!(Settings.learning_rate),
        help = optimizers("Learning rate", "learning_rate"))]
    learning_rate: Option<f64>,
    #[arg(long, value_name = "NAME", value_enum,
        help = optimizers("How the learning rate changes over the run", "schedule"))]
    schedule: Option<RateSchedule>,
    #[arg(long, value_name = "SHARE", value_parser = field!(Settings.momentum),
        help = optimizers("Share of the last step that goes on", "momentum"))]
    momentum: Option<f32>,
    #[arg(long, help = "Nesterov's form of momentum (sgd)")]
    nesterov: bool,
    #[arg(long, value_name = "SHARE", value_parser = field!(Settings.rho),
        help = optimizers("How slowly the mean of squared gradients forgets", "rho"))]
    rho: Option<f32>,
    #[arg(long, value_name = "SHARE", value_parser = field!(Settings.beta_1),
        help = optimizers("How slowly the mean of gradients forgets", "beta_1"))]
    beta_1: Option<f32>,
    #[arg(long, value_name = "SHARE", value_parser = field!(Settings.beta_2),
        help = optimizers("How slowly the mean of squared gradients forgets", "beta_2"))]
    beta_2: Option<f32>,
    #[arg(long, value_name = "X", value_parser = field!(Settings.epsilon),
        help = optimizers("What keeps the division from zero", "epsilon"))]
    epsilon: Option<f32>,
    #[arg(long, value_name = "WHERE", value_enum,
        help = optimizers("Where epsilon is added", "epsilon_placement"))]
    epsilon_placement: Option<Placement>,
    #[arg(long, value_name = "X", value_parser = field!(Settings.weight_decay),
        help = optimizers("Share of each weight taken off at each step, times the learning rate",
            "weight_decay"))]
    weight_decay: Option<f32>,
    #[arg(long, value_name = "X", value_parser = field!(Settings.initial_accumulator),
        help = optimizers("Starting value of the sum of squared gradients", "initial_accumulator"))]
    initial_accumulator: Option<f32>,
    #[arg(long, value_name = "RULE", value_enum,
        help = optimizers("What is done with features that a batch does not contain", "sparse_rule"))]
    sparse_rule: Option<Rule>,
}

impl OptimizerArgs {
    /// The settings with what is given.
    pub(super) fn add_to(&self, settings: Settings) -> Settings {
        Settings {
            optimizer: self.optimizer,
            learning_rate: self.learning_rate,
            schedule: self.schedule.map(|schedule| match schedule {
                RateSchedule::Constant => Schedule::Constant,
                RateSchedule::Linear => Schedule::Linear,
                RateSchedule::Cosine => Schedule::Cosine,
            }),
            momentum: self.momentum,
            nesterov: self.nesterov.then_some(true),
            rho: self.rho,
            initial_accumulator: self.initial_accumulator,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            epsilon_placement: self.epsilon_placement.map(|placement| match placement {
                Placement::Inside => EpsilonPlacement::InsideRoot,
                Placement::Outside => EpsilonPlacement::OutsideRoot,
            }),
            weight_decay: self.weight_decay,
            sparse_rule: self.sparse_rule.map(|rule| match rule {
                Rule::Dense => SparseRule::Dense,
                Rule::Lazy => SparseRule::Lazy,
            }),
            ..settings
        }
    }
}

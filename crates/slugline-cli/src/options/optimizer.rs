//! The optimizer and its settings as arguments.

use clap::{Args, ValueEnum};
use slugline::classifier::Preset;
use slugline::nn::{EpsilonPlacement, LearningRate, Optimizer, SparseRule};

use super::parse::{above_zero, given, not_negative, one_of, rate, share};
use super::settings::{optimizer_settings, with};
use super::training::{preset, usage};
use crate::failure::Failure;

/// How the learning rate changes over the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Schedule {
    /// Stays as it is
    Constant,
    /// Falls in a straight line to 0 at the last step
    Linear,
    /// Falls in a half cosine to 0 at the last step
    Cosine,
}

impl Schedule {
    /// The rate that begins with `start` and ends with the last of so many steps; `None` for one that
    /// stays as it is.
    pub(super) fn rate(self, start: f64, steps: u64) -> Option<LearningRate> {
        match self {
            Self::Constant => None,
            Self::Linear => Some(LearningRate::PolynomialDecay {
                initial_learning_rate: start,
                decay_steps: steps,
                end_learning_rate: 0.0,
                power: 1.0,
            }),
            Self::Cosine => Some(LearningRate::CosineDecay {
                initial_learning_rate: start,
                decay_steps: steps,
                alpha: 0.0,
                warmup_target: None,
                warmup_steps: 0,
            }),
        }
    }
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

/// How weights follow the gradient.
#[derive(Debug, Args)]
#[command(next_help_heading = "Optimizer")]
pub(crate) struct OptimizerArgs {
    #[arg(long, value_name = "NAME",
        value_parser = one_of(Optimizer::NAMES, |name| Some(name.to_owned())),
        help = preset("How weights follow the gradient", "optimizer"))]
    optimizer: Option<String>,
    #[arg(long, value_name = "X", value_parser = rate,
        help = optimizers("Learning rate", "learning-rate"))]
    pub(super) learning_rate: Option<f64>,
    #[arg(long, value_name = "NAME", value_enum,
        help = optimizers("How the learning rate changes over the run", "schedule"))]
    schedule: Option<Schedule>,
    #[arg(long, value_name = "SHARE", value_parser = share,
        help = optimizers("Share of the last step that goes on", "momentum"))]
    momentum: Option<f32>,
    #[arg(long, help = "Nesterov's form of momentum (sgd)")]
    nesterov: bool,
    #[arg(long, value_name = "SHARE", value_parser = share,
        help = optimizers("How slowly the mean of squared gradients forgets", "rho"))]
    rho: Option<f32>,
    #[arg(long, value_name = "SHARE", value_parser = share,
        help = optimizers("How slowly the mean of gradients forgets", "beta-1"))]
    beta_1: Option<f32>,
    #[arg(long, value_name = "SHARE", value_parser = share,
        help = optimizers("How slowly the mean of squared gradients forgets", "beta-2"))]
    beta_2: Option<f32>,
    #[arg(long, value_name = "X", value_parser = above_zero,
        help = optimizers("What keeps the division from zero", "epsilon"))]
    epsilon: Option<f32>,
    #[arg(long, value_name = "WHERE", value_enum,
        help = optimizers("Where epsilon is added", "epsilon-placement"))]
    epsilon_placement: Option<Placement>,
    #[arg(long, value_name = "X", value_parser = not_negative,
        help = optimizers("Share of each weight taken off at each step, times the learning rate",
            "weight-decay"))]
    weight_decay: Option<f32>,
    #[arg(long, value_name = "X", value_parser = not_negative,
        help = optimizers("Starting value of the sum of squared gradients", "initial-accumulator"))]
    initial_accumulator: Option<f32>,
    #[arg(long, value_name = "RULE", value_enum,
        help = optimizers("What is done with features that a batch does not contain", "sparse-rule"))]
    sparse_rule: Option<Rule>,
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

impl OptimizerArgs {
    /// The arguments that are given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        given([
            ("--optimizer", self.optimizer.is_some()),
            ("--learning-rate", self.learning_rate.is_some()),
            ("--schedule", self.schedule.is_some()),
            ("--momentum", self.momentum.is_some()),
            ("--nesterov", self.nesterov),
            ("--rho", self.rho.is_some()),
            ("--beta-1", self.beta_1.is_some()),
            ("--beta-2", self.beta_2.is_some()),
            ("--epsilon", self.epsilon.is_some()),
            ("--epsilon-placement", self.epsilon_placement.is_some()),
            ("--weight-decay", self.weight_decay.is_some()),
            ("--initial-accumulator", self.initial_accumulator.is_some()),
            ("--sparse-rule", self.sparse_rule.is_some()),
        ])
    }

    pub(super) fn schedule(&self) -> Schedule {
        self.schedule.unwrap_or(Schedule::Constant)
    }

    /// The preset's optimizer if it is the one named, else the named one with its own defaults; then
    /// what the arguments set.
    pub(super) fn optimizer(&self, base: &Optimizer) -> Result<Optimizer, Failure> {
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

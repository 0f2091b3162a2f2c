//! The optimizer, its learning rate and its settings.

use super::{Settings, SettingsError};
use crate::nn::{EpsilonPlacement, LearningRate, Optimizer, SparseRule};

/// How the learning rate changes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Schedule {
    /// Stays as it is. The default.
    #[default]
    Constant,
    /// Falls in a straight line to 0 at the last step.
    Linear,
    /// Falls in a half cosine to 0 at the last step.
    Cosine,
}

impl Schedule {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Constant, Self::Linear, Self::Cosine];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "linear",
            Self::Cosine => "cosine",
        }
    }

    /// The rate that begins with `start` and ends with the last of so many steps; `None` for one that
    /// stays as it is.
    ///
    /// ```
    /// use slugline::classifier::Schedule;
    ///
    /// let rate = Schedule::Linear.rate(0.1, 100).unwrap();
    /// assert_eq!((rate.at(0), rate.at(50), rate.at(100)), (0.1, 0.05, 0.0));
    /// assert!(Schedule::Constant.rate(0.1, 100).is_none());
    /// ```
    pub fn rate(self, start: f64, steps: u64) -> Option<LearningRate> {
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

    /// The schedule of a rate; `None` for one that only a program can have set.
    pub(super) fn of(rate: &LearningRate) -> Option<Self> {
        match rate {
            LearningRate::Constant(_) => Some(Self::Constant),
            LearningRate::PolynomialDecay { .. } => Some(Self::Linear),
            LearningRate::CosineDecay { .. } => Some(Self::Cosine),
            _ => None,
        }
    }
}

/// The optimizer's settings that are there to be set.
#[derive(Default)]
struct Knobs<'a> {
    momentum: Option<&'a mut f32>,
    nesterov: Option<&'a mut bool>,
    rho: Option<&'a mut f32>,
    initial_accumulator: Option<&'a mut f32>,
    beta_1: Option<&'a mut f32>,
    beta_2: Option<&'a mut f32>,
    epsilon: Option<&'a mut f32>,
    epsilon_placement: Option<&'a mut EpsilonPlacement>,
    weight_decay: Option<&'a mut f32>,
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

/// Does with each setting what is to be done, in the order of the fields.
macro_rules! each_knob {
    ($done:ident) => {
        $done!(
            momentum,
            nesterov,
            rho,
            initial_accumulator,
            beta_1,
            beta_2,
            epsilon,
            epsilon_placement,
            weight_decay,
            sparse_rule,
        )
    };
}

impl Settings {
    /// The base if it is the optimizer named, or none is, else the named one with its own defaults;
    /// then what is given.
    pub(super) fn set_optimizer(&self, base: &Optimizer) -> Result<Optimizer, SettingsError> {
        let named = self.optimizer.filter(|name| *name != base.name());
        let mut optimizer = named.and_then(Optimizer::by_name).unwrap_or_else(|| base.clone());
        let name = optimizer.name();
        let mut refused = Vec::new();
        let knobs = Knobs::of(&mut optimizer);
        macro_rules! turn {
            ($($setting:ident,)*) => {$(
                match (self.$setting, knobs.$setting) {
                    (Some(value), Some(knob)) => *knob = value,
                    (Some(_), None) => refused.push(stringify!($setting)),
                    (None, _) => {}
                }
            )*};
        }
        each_knob!(turn);
        if !refused.is_empty() {
            return Err(SettingsError::Optimizer { names: refused, optimizer: name });
        }
        Ok(match self.learning_rate {
            Some(rate) => optimizer.with_learning_rate(LearningRate::Constant(rate)),
            None => optimizer,
        })
    }

    /// Tells an optimizer and its settings.
    pub(super) fn tell_optimizer(&mut self, optimizer: &Optimizer) {
        let rate = optimizer.learning_rate();
        self.optimizer = Some(optimizer.name());
        self.schedule = Schedule::of(rate);
        self.learning_rate = Some(match rate {
            // With a warm-up it does not begin with it.
            LearningRate::CosineDecay { initial_learning_rate, .. } => *initial_learning_rate,
            other => other.at(0),
        });
        let mut optimizer = optimizer.clone();
        let knobs = Knobs::of(&mut optimizer);
        macro_rules! tell {
            ($($setting:ident,)*) => {$( self.$setting = knobs.$setting.copied(); )*};
        }
        each_knob!(tell);
    }
}

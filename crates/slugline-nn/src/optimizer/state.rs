//! What an optimizer remembers of each weight.

use super::Optimizer;
use crate::NnError;

/// An optimizer's memory for one parameter, laid out as the parameter is. A moment that the rule does
/// not use is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ParameterState {
    /// First moment: momentum's velocity, Adam's mean gradient.
    pub(crate) m: Vec<f32>,
    /// Second moment: RMSprop's, Adagrad's, Adam's squares.
    pub(crate) v: Vec<f32>,
    /// Step of the last visit of each row, where absent rows have to catch up; else empty.
    pub(crate) last_visit: Vec<u32>,
}

impl ParameterState {
    /// The starting state for a parameter of `rows` rows of `width` weights. `sparse` says that rows
    /// may be absent from a step.
    pub(crate) fn new(optimizer: &Optimizer, rows: usize, width: usize, sparse: bool) -> Self {
        let moment = |value: f32| vec![value; rows * width];
        match optimizer {
            Optimizer::Sgd { momentum: 0.0, .. } => Self::default(),
            Optimizer::Sgd { .. } => Self { m: moment(0.0), ..Self::default() },
            Optimizer::RmsProp { .. } => Self {
                v: moment(0.0),
                last_visit: if sparse { vec![0; rows] } else { Vec::new() },
                ..Self::default()
            },
            Optimizer::Adagrad { initial_accumulator_value, .. } => {
                Self { v: moment(*initial_accumulator_value), ..Self::default() }
            }
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } => {
                Self { m: moment(0.0), v: moment(0.0), last_visit: Vec::new() }
            }
        }
    }
}

/// The number of the next step as the rows' visits store it.
///
/// # Errors
/// [`NnError::Setting`] after 2³² − 1 steps.
pub(crate) fn step_counter(step: u64) -> Result<u32, NnError> {
    u32::try_from(step).map_err(|_| NnError::Setting {
        name: "steps",
        value: step.to_string(),
        expected: "below 2^32 over the life of an optimizer",
    })
}

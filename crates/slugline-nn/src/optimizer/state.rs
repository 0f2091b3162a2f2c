//! What an optimizer remembers of each weight.

use super::Optimizer;
use crate::NnError;
use crate::table::Table;

/// An optimizer's memory for one parameter, laid out as the parameter is. A moment that the rule does
/// not use is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParameterState {
    /// First moment: momentum's velocity, Adam's mean gradient.
    pub(crate) m: Table,
    /// Second moment: RMSprop's, Adagrad's, Adam's squares.
    pub(crate) v: Table,
    /// Step of the last visit of each row, where absent rows have to catch up; else empty.
    pub(crate) last_visit: Vec<u32>,
}

impl ParameterState {
    /// The starting state for a parameter of `rows` rows of `width` weights. `sparse` says that rows
    /// may be absent from a step.
    pub(crate) fn new(optimizer: &Optimizer, rows: usize, width: usize, sparse: bool) -> Self {
        let moment = |start: Option<f32>| {
            start.map_or_else(|| Table::zeros(0), |start| Table::filled(rows * width, start))
        };
        let (m, v) = match optimizer {
            Optimizer::Sgd { momentum: 0.0, .. } => (None, None),
            Optimizer::Sgd { .. } => (Some(0.0), None),
            Optimizer::RmsProp { .. } => (None, Some(0.0)),
            Optimizer::Adagrad { initial_accumulator_value, .. } => {
                (None, Some(*initial_accumulator_value))
            }
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } => (Some(0.0), Some(0.0)),
        };
        let catches_up = sparse && matches!(optimizer, Optimizer::RmsProp { .. });
        Self {
            m: moment(m),
            v: moment(v),
            last_visit: if catches_up { vec![0; rows] } else { Vec::new() },
        }
    }
}

impl ParameterState {
    /// A state from its arrays, as [`m`](Self::m), [`v`](Self::v) and [`last_visit`](Self::last_visit)
    /// give them. Whether they fit a network is checked where a run goes on from them.
    pub fn from_parts(m: &[f32], v: &[f32], last_visit: Vec<u32>) -> Self {
        let table = |values: &[f32]| {
            let mut table = Table::zeros(values.len());
            table.copy_from_slice(values);
            table
        };
        Self { m: table(m), v: table(v), last_visit }
    }

    /// First moment, one number a weight: momentum's velocity, Adam's mean gradient. Empty where the
    /// rule has none.
    pub fn m(&self) -> &[f32] {
        &self.m
    }

    /// Second moment, one number a weight: the squares of RMSprop, Adagrad and Adam. Empty where the
    /// rule has none.
    pub fn v(&self) -> &[f32] {
        &self.v
    }

    /// The step of the last visit of each row, 0 for none: of RMSprop over sparse rows, whose absent
    /// rows catch up later. Else empty.
    pub fn last_visit(&self) -> &[u32] {
        &self.last_visit
    }

    /// The same with other moments; an empty one stays empty.
    pub(crate) fn map_moments(&self, map: impl Fn(&[f32]) -> Table) -> Self {
        Self { m: map(&self.m), v: map(&self.v), last_visit: self.last_visit.clone() }
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

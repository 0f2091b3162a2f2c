//! How far a training run has come, in plain arrays: what another process needs to go on from there.

use std::collections::BTreeMap;

use super::Compiled;
use super::history::History;
use crate::NnError;
use crate::buffer::Weights;
use crate::model::Sequential;
use crate::optimizer::ParameterState;

/// Where a `fit` stands at the end of an epoch. Together with the model's weights it is all that a run
/// needs to go on to the same bits as if it had not stopped: [`FitOptions::resume`] takes it.
///
/// The order of samples and the dropout masks of an epoch follow from the model's seed and the epoch's
/// number, so that no random generator has to be kept.
///
/// [`FitOptions::resume`]: super::FitOptions::resume
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// Steps made since `compile`.
    pub steps: u64,
    /// Epochs begun since `compile`.
    pub epochs: u64,
    /// The finished epochs of this `fit`.
    pub history: History,
    /// For each dense layer, the optimizer's memory of its kernel and of its bias.
    pub optimizer: Vec<(ParameterState, ParameterState)>,
    /// What the callbacks remember.
    pub callbacks: Vec<CallbackState>,
}

/// What a callback has to remember to go on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallbackState {
    /// Tells the callback from the others of a run.
    pub name: String,
    /// Numbers by name.
    pub numbers: BTreeMap<String, f64>,
    /// Kernels and biases that it keeps; of a network that is trained, or nothing.
    pub weights: Vec<(Weights, Weights)>,
}

impl CallbackState {
    /// The state of the callback `name` among `states`.
    pub fn find<'a>(states: &'a [Self], name: &str) -> Option<&'a Self> {
        states.iter().find(|state| state.name == name)
    }
}

impl Sequential {
    /// Where the optimizer stands since [`compile`](Self::compile), without a history and callbacks: with
    /// the weights all that a further `fit` goes on from. `None` before `compile`.
    pub fn progress(&self) -> Option<Progress> {
        self.compiled.as_ref().map(|compiled| Progress {
            steps: compiled.steps,
            epochs: compiled.epochs,
            history: History::default(),
            optimizer: compiled.state.clone(),
            callbacks: Vec::new(),
        })
    }

    /// Takes the optimizer to where [`progress`](Self::progress) stood, so that the next `fit` goes on as
    /// it would have there.
    ///
    /// # Errors
    /// [`NnError::NotCompiled`] before `compile`; [`NnError::Shape`] or [`NnError::Setting`] for the
    /// progress of another network or optimizer, and nothing is changed then.
    pub fn set_progress(&mut self, progress: &Progress) -> Result<(), NnError> {
        let mut compiled =
            self.compiled.take().ok_or(NnError::NotCompiled { before: "set_progress" })?;
        let result = if progress.optimizer.is_empty() && progress.steps == 0 {
            compiled.state = Vec::new();
            (compiled.steps, compiled.epochs) = (0, progress.epochs);
            Ok(())
        } else {
            compiled.prepare(self.parameters());
            compiled.resume(progress)
        };
        self.compiled = Some(compiled);
        result
    }
}

impl Compiled {
    /// Takes the optimizer back to where it was; the memory must have been prepared for the model.
    ///
    /// # Errors
    /// [`NnError::Shape`] or [`NnError::Setting`] for the progress of another network or optimizer;
    /// nothing is changed then.
    pub(super) fn resume(&mut self, progress: &Progress) -> Result<(), NnError> {
        let shape = |what, expected, got| match expected == got {
            true => Ok(()),
            false => Err(NnError::Shape { what, expected, got }),
        };
        let layers = "layers of the optimizer state that a run goes on from";
        shape(layers, self.state.len(), progress.optimizer.len())?;
        for (ours, theirs) in self.state.iter().zip(&progress.optimizer) {
            for (ours, theirs) in [(&ours.0, &theirs.0), (&ours.1, &theirs.1)] {
                shape("first moments that a run goes on from", ours.m().len(), theirs.m().len())?;
                shape("second moments that a run goes on from", ours.v().len(), theirs.v().len())?;
                let (visits, found) = (ours.last_visit(), theirs.last_visit());
                shape("visits that a run goes on from", visits.len(), found.len())?;
                if let Some(late) = found.iter().find(|&&visit| u64::from(visit) > progress.steps) {
                    return Err(NnError::Setting {
                        name: "last visit",
                        value: late.to_string(),
                        expected: "at most the number of steps made",
                    });
                }
            }
        }
        self.state.clone_from(&progress.optimizer);
        (self.steps, self.epochs) = (progress.steps, progress.epochs);
        Ok(())
    }
}

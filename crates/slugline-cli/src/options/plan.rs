//! A training run as the arguments settle it.

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use slugline::classifier::{self, Base, ClassWeightFile, Setting};

use super::parse::HeldOut;
use super::read::quoted;
use super::settings::argument;

/// The library's plan of a training run, and what the arguments say beside it.
#[derive(Debug, Clone)]
pub(crate) struct TrainingPlan {
    pub(super) plan: classifier::TrainingPlan,
    /// What is held out, where that was said.
    pub(crate) held_out: Option<HeldOut>,
}

impl Deref for TrainingPlan {
    type Target = classifier::TrainingPlan;

    fn deref(&self) -> &Self::Target {
        &self.plan
    }
}

impl DerefMut for TrainingPlan {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.plan
    }
}

impl TrainingPlan {
    /// The files that are read beside those of the training, and what they are.
    pub(crate) fn paths(&self) -> Vec<(&'static str, PathBuf)> {
        let weights = self.class_weights().map(ClassWeightFile::path);
        let weights = weights.map(|path| ("the class weights", path.to_owned()));
        let held_out = match &self.held_out {
            Some(HeldOut::File(file)) => Some(("the validation data", file.into())),
            _ => None,
        };
        weights.into_iter().chain(held_out).collect()
    }

    /// The shortest command that trains the same model on `data`. Where files are and how many
    /// threads work makes no difference to it, so that the model file does not depend on it.
    pub(crate) fn command(&self, data: &str) -> String {
        let base = self.preset().map_or(Base::Auto, Base::Preset);
        let mut command = format!("slugline train {data} --preset {}", base.name());
        let usual = self.usual();
        for mut setting in self.settings() {
            if let (Some(HeldOut::File(file)), "validation") = (&self.held_out, setting.name) {
                setting.value.clone_from(file);
            }
            if usual.contains(&setting) {
                continue;
            }
            let Setting { name, value } = setting;
            // Writing to a string cannot fail.
            let _ = write!(command, " --{}", argument(name));
            if !["nesterov", "apply_class_balancing"].contains(&name) {
                let _ = write!(command, " {}", quoted(&value));
            }
        }
        command
    }
}

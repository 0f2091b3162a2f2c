//! A training run as the arguments settle it.

use std::fmt::Write as _;
use std::path::PathBuf;

use slugline::classifier::{
    AutoOptions, ClassWeightFile, ClassifierError, Preset, TrainingOptions, ValidationSplit,
};
use slugline::corpus::{LabelKind, SequenceOptions};
use slugline::nn::{Loss, Optimizer};

use super::optimizer::Schedule;
use super::parse::HeldOut;
use super::read::quoted;
use super::settings::{Setting, loading_settings, training_settings};
use super::training::AUTO;

/// A training run that is settled but for the length of the data.
#[derive(Debug, Clone)]
pub(crate) struct TrainingPlan {
    pub(super) preset: Preset,
    pub(super) options: TrainingOptions,
    pub(super) schedule: Schedule,
    /// Whether the loss is one that the user named.
    pub(super) loss_is_named: bool,
    /// Factors of classes that stand in a file, and its name.
    pub(super) class_weights: Option<(String, ClassWeightFile)>,
    /// What is held out, where that was said.
    pub(crate) held_out: Option<HeldOut>,
    /// How the documents are loaded.
    pub(crate) sequences: SequenceOptions,
    /// What goes with the recipe that chooses by itself, if that is to be used.
    pub(crate) auto: Option<AutoOptions>,
}

impl TrainingPlan {
    /// The files that are read beside those of the training, and what they are.
    pub(crate) fn paths(&self) -> Vec<(&'static str, PathBuf)> {
        let weights =
            self.class_weights.as_ref().map(|(name, _)| ("the class weights", name.into()));
        let held_out = match &self.held_out {
            Some(HeldOut::File(file)) => Some(("the validation data", file.into())),
            _ => None,
        };
        weights.into_iter().chain(held_out).collect()
    }

    /// The options for a training part of so many documents, held-out ones included: only they tell
    /// how many steps a schedule has.
    pub(crate) fn options(&self, documents: usize) -> TrainingOptions {
        let mut options = self.options.clone();
        let samples = options.validation.ranges(documents).0.len();
        let steps = samples.div_ceil(options.batch_size).max(1) * options.epochs;
        let start = options.optimizer.learning_rate().at(0);
        if let Some(rate) = self.schedule.rate(start, steps as u64) {
            options.optimizer = options.optimizer.with_learning_rate(rate);
        }
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

//! From settings to a plan: what is meant, and what has no meaning beside what.

use super::table::Group;
use super::{Base, LoadingSettings, OrNone, Settings, SettingsError, TrainingPlan};
use crate::classifier::{AutoOptions, Preset, TrainingOptions, ValidationSplit};
use crate::decision::DecisionOptions;

impl Settings {
    /// The plan that the settings make.
    ///
    /// # Errors
    /// [`SettingsError`] for a value out of range, or a setting that has no meaning beside the others.
    pub fn plan(&self) -> Result<TrainingPlan, SettingsError> {
        self.plan_loading(&LoadingSettings::default())
    }

    /// The plan that the settings make, of a numbered corpus that is loaded in a way of its own.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); [`SettingsError::Preset`] for settings of the loading, which have no
    /// meaning for text.
    pub fn plan_loading(&self, loading: &LoadingSettings) -> Result<TrainingPlan, SettingsError> {
        self.check()?;
        loading.check()?;
        let base = self.base(loading)?;
        let preset = match base {
            Base::Auto => Preset::default(),
            Base::Preset(preset) => preset,
        };
        let options = self.options(preset)?;
        let auto = match base {
            Base::Auto => Some(self.auto(&options)?),
            Base::Preset(_) => None,
        };
        if auto.is_none() {
            check_average(&options)?;
        }
        Ok(TrainingPlan {
            preset,
            sequences: loading.options(options.max_features),
            options,
            schedule: self.schedule.unwrap_or_default(),
            loss_is_named: self.loss.is_some(),
            class_weights: None,
            auto,
        })
    }

    /// What is meant, where it is not named; and whether all that is given has a meaning for it.
    fn base(&self, loading: &LoadingSettings) -> Result<Base, SettingsError> {
        let loading: Vec<_> = loading.given().iter().map(|setting| setting.name).collect();
        let of_text = self.names_of(Group::Text);
        let own =
            [Group::Training, Group::Optimizer, Group::Loss].map(|group| self.names_of(group));
        let all = [own.concat(), loading.clone(), of_text.clone()].concat();
        let preset = match self.preset {
            Some(Base::Auto) if !all.is_empty() => {
                return Err(SettingsError::Chosen { names: all });
            }
            Some(Base::Auto) => return Ok(Base::Auto),
            None if all.is_empty() => return Ok(Base::Auto),
            None if of_text.is_empty() => Preset::Notebook,
            None => Preset::Text,
            Some(Base::Preset(preset)) => preset,
        };
        let (names, instead) = match preset {
            Preset::Text => (loading, Preset::Notebook),
            Preset::Notebook => (of_text, Preset::Text),
        };
        if !names.is_empty() {
            let (preset, instead) = (preset.name(), instead.name());
            return Err(SettingsError::Preset { names, preset, instead });
        }
        Ok(preset.into())
    }

    /// The options of the preset with what is given.
    fn options(&self, preset: Preset) -> Result<TrainingOptions, SettingsError> {
        let base = preset.options();
        let max_features = match (self.max_features, preset) {
            (Some(OrNone::Value(n)), _) => n,
            (Some(OrNone::None), Preset::Notebook) => {
                return Err(SettingsError::Value {
                    name: "max_features",
                    value: "none".to_owned(),
                    expected: "a whole number from 1 to 16777216 for preset notebook".to_owned(),
                });
            }
            _ => base.max_features,
        };
        let options = TrainingOptions {
            max_features,
            vectorizer: base.vectorizer.map(|features| self.features(features)),
            hidden: self.hidden.clone().unwrap_or(base.hidden),
            kernel_initializer: base.kernel_initializer,
            activation: self.activation.unwrap_or(base.activation),
            dropout: self.dropout.unwrap_or(base.dropout),
            l1: self.l1.unwrap_or(base.l1),
            l2: self.l2.unwrap_or(base.l2),
            optimizer: self.set_optimizer(&base.optimizer)?,
            loss: self.set_loss(base.loss)?,
            batch_size: self.batch_size.unwrap_or(base.batch_size),
            epochs: self.epochs.unwrap_or(base.epochs),
            validation: self.validation.unwrap_or(base.validation),
            patience: self.patience.map_or(base.patience, OrNone::value),
            class_weight: self.class_weight.clone().unwrap_or(base.class_weight),
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
            threads: self.threads.unwrap_or(base.threads),
        };
        if options.dropout > 0.0 && options.hidden.is_empty() {
            return Err(SettingsError::Dropout);
        }
        Ok(options)
    }

    /// What goes with `auto`.
    fn auto(&self, options: &TrainingOptions) -> Result<AutoOptions, SettingsError> {
        if self.validation == Some(ValidationSplit::None) {
            return Err(SettingsError::NothingToChooseBy);
        }
        Ok(AutoOptions {
            seed: options.seed,
            threads: options.threads,
            validation: self.validation.unwrap_or(AutoOptions::default().validation),
            decision: options.decision,
            average: options.average,
            ensemble: options.ensemble,
        })
    }
}

/// Refuses an average that there are no epochs for.
fn check_average(options: &TrainingOptions) -> Result<(), SettingsError> {
    let (average, epochs) = (options.average, options.epochs);
    if average > 1 && options.patience.is_some() {
        return Err(SettingsError::AverageAndPatience);
    }
    if average > epochs {
        return Err(SettingsError::Average { average, epochs });
    }
    Ok(())
}

//! Where settings come from that are left out.

use super::{LoadingSettings, OrNone, Settings};
use crate::classifier::{AutoOptions, Preset, TrainingOptions};
use crate::corpus::SequenceOptions;

/// Where the settings that are left out come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The program chooses by what the documents are like:
    /// [`Classifier::train_auto`](crate::classifier::Classifier::train_auto).
    Auto,
    /// Settings with a name.
    Preset(Preset),
}

impl Base {
    /// Every one.
    pub const ALL: [Self; 3] =
        [Self::Auto, Self::Preset(Preset::Text), Self::Preset(Preset::Notebook)];

    /// The name, `auto` or that of the preset.
    ///
    /// ```
    /// use slugline::classifier::{Base, Preset};
    ///
    /// assert_eq!(Base::ALL.map(Base::name), ["auto", "text", "notebook"]);
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Preset(preset) => preset.name(),
        }
    }
}

impl From<Preset> for Base {
    fn from(preset: Preset) -> Self {
        Self::Preset(preset)
    }
}

impl Settings {
    /// Every setting of a preset spelled out, or of `auto` those that it does not choose by itself.
    ///
    /// A loss is named, so that it is kept whatever kind the labels are of.
    ///
    /// ```
    /// use slugline::classifier::{Base, Preset, Settings};
    ///
    /// let text = serde_json::to_value(Settings::of(Preset::Text))?;
    /// assert_eq!((&text["max_df"], &text["hashing"]), (&1.0.into(), &"none".into()));
    /// let auto = serde_json::to_string(&Settings::of(Base::Auto))?;
    /// assert!(auto.starts_with(r#"{"preset":"auto","validation":0.2,"threshold":"none","#));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn of(base: impl Into<Base>) -> Self {
        match base.into() {
            Base::Preset(preset) => Self::from(&preset.options()),
            Base::Auto => Self::from(&AutoOptions::default()),
        }
    }
}

impl From<&AutoOptions> for Settings {
    /// The settings that make these options.
    fn from(options: &AutoOptions) -> Self {
        let AutoOptions { seed, threads, validation, decision, average, ensemble } = *options;
        Self {
            preset: Some(Base::Auto),
            validation: Some(validation),
            threshold: Some(decision.threshold),
            min_confidence: Some(decision.min_confidence),
            max_unknown_words: Some(decision.max_unknown_words),
            average: Some(average),
            ensemble: Some(ensemble),
            seed: Some(seed),
            threads: Some(threads),
            ..Self::default()
        }
    }
}

impl From<&TrainingOptions> for Settings {
    /// The settings that make these options, as far as they can be told: of frequencies that differ
    /// between kinds of features those of words, and no schedule but those of [`Schedule`].
    ///
    /// [`Schedule`]: super::Schedule
    fn from(options: &TrainingOptions) -> Self {
        let max_features = Some(OrNone::Value(options.max_features));
        let (preset, mut settings) = match &options.vectorizer {
            Some(features) => (Preset::Text, Self::of_features(features)),
            None => (Preset::Notebook, Self { max_features, ..Self::default() }),
        };
        settings.tell_loss(&options.loss);
        settings.tell_optimizer(&options.optimizer);
        Self {
            preset: Some(preset.into()),
            hidden: Some(options.hidden.clone()),
            activation: Some(options.activation),
            dropout: Some(options.dropout),
            l1: Some(options.l1),
            l2: Some(options.l2),
            feature_scaling: Some(options.feature_scaling),
            epochs: Some(options.epochs),
            batch_size: Some(options.batch_size),
            validation: Some(options.validation),
            patience: Some(options.patience.into()),
            class_weight: Some(options.class_weight.clone()),
            threshold: Some(options.decision.threshold),
            min_confidence: Some(options.decision.min_confidence),
            max_unknown_words: Some(options.decision.max_unknown_words),
            average: Some(options.average),
            ensemble: Some(options.ensemble),
            seed: Some(options.seed),
            threads: Some(options.threads),
            ..settings
        }
    }
}

impl LoadingSettings {
    /// The options that the settings make, with word ids below `max_features`.
    pub fn options(&self, max_features: usize) -> SequenceOptions {
        let default = SequenceOptions::default();
        SequenceOptions {
            num_words: u32::try_from(max_features).ok(),
            skip_top: self.skip_top.unwrap_or(default.skip_top),
            maxlen: self.maxlen.map_or(default.maxlen, OrNone::value),
            test_split: self.test_split.unwrap_or(default.test_split),
            seed: self.split_seed.unwrap_or(default.seed),
            start_char: self.start_char.map_or(default.start_char, OrNone::value),
            oov_char: self.oov_char.map_or(default.oov_char, OrNone::value),
            index_from: self.index_from.unwrap_or(default.index_from),
        }
    }
}

impl From<&SequenceOptions> for LoadingSettings {
    /// The settings that make these options; the number of words is a setting of the training.
    fn from(options: &SequenceOptions) -> Self {
        Self {
            skip_top: Some(options.skip_top),
            maxlen: Some(options.maxlen.into()),
            test_split: Some(options.test_split),
            split_seed: Some(options.seed),
            start_char: Some(options.start_char.into()),
            oov_char: Some(options.oov_char.into()),
            index_from: Some(options.index_from),
        }
    }
}

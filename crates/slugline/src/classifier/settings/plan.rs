//! A training run as the settings settle it.

use super::{LoadingSettings, Schedule, Setting, Settings};
use crate::checkpoint::Checkpoints;
use crate::classifier::auto::Watch;
use crate::classifier::{
    AutoOptions, ClassWeightFile, Classifier, ClassifierError, Preset, TrainingOptions,
    ValidationSplit,
};
use crate::corpus::{Documents, LabelKind, SequenceOptions};
use crate::nn::{Callback, Flow, Loss, Optimizer};

/// A training run that is settled but for what the data tell: how many documents there are, of which
/// kind their labels are, and what their classes are called.
///
/// Made by [`Settings::plan`](super::Settings::plan).
#[derive(Debug, Clone)]
pub struct TrainingPlan {
    pub(super) preset: Preset,
    pub(super) options: TrainingOptions,
    pub(super) schedule: Schedule,
    /// Whether the loss is one that was named.
    pub(super) loss_is_named: bool,
    pub(super) class_weights: Option<ClassWeightFile>,
    /// How a numbered corpus is loaded.
    pub sequences: SequenceOptions,
    /// What goes with `auto`, if that is to choose.
    pub auto: Option<AutoOptions>,
}

impl TrainingPlan {
    /// The preset that is trained by; `None` where `auto` is to choose.
    pub fn preset(&self) -> Option<Preset> {
        self.auto.is_none().then_some(self.preset)
    }

    /// Takes the factors of classes from a file; an error of theirs names its row.
    #[must_use]
    pub fn with_class_weights(self, file: ClassWeightFile) -> Self {
        Self { class_weights: Some(file), ..self }
    }

    /// The file with the factors of classes, if they come from one.
    pub fn class_weights(&self) -> Option<&ClassWeightFile> {
        self.class_weights.as_ref()
    }

    /// Holds out the last documents, which were set apart beforehand.
    pub fn hold_out_last(&mut self, documents: usize) {
        self.options.validation = ValidationSplit::Last(documents);
        if let Some(auto) = &mut self.auto {
            auto.validation = ValidationSplit::Last(documents);
        }
    }

    /// Whether texts are read rather than a numbered corpus.
    pub fn takes_text(&self) -> bool {
        self.auto.is_some() || self.preset == Preset::Text
    }

    /// Epochs asked for; `auto` chooses them later.
    pub fn epochs(&self) -> usize {
        self.options.epochs
    }

    /// What settles all that is random.
    pub fn seed(&self) -> u64 {
        self.options.seed
    }

    /// The options for a training part of so many documents, held-out ones included: only they tell
    /// how many steps a schedule has.
    ///
    /// ```
    /// use slugline::classifier::{Schedule, Settings};
    ///
    /// let schedule = Some(Schedule::Cosine);
    /// let plan = Settings { schedule, epochs: Some(2), ..Settings::default() }.plan()?;
    /// let rate = plan.options(1000 + 512).optimizer.learning_rate().clone();
    /// assert_eq!((rate.at(0), rate.at(2)), (0.001, 0.0));
    /// # Ok::<(), slugline::classifier::SettingsError>(())
    /// ```
    pub fn options(&self, documents: usize) -> TrainingOptions {
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
    /// [`ClassifierError::ClassWeightName`] if a factor is for a class that is not there, or
    /// [`ClassifierError::ClassWeightFile`] where that stands in a file.
    pub fn options_for(
        &self,
        documents: usize,
        kind: LabelKind,
        class_names: &[String],
    ) -> Result<TrainingOptions, ClassifierError> {
        let mut options = self.options(documents);
        if !self.loss_is_named {
            options = options.for_labels(kind);
        }
        if let Some(file) = &self.class_weights {
            options.class_weight = file.for_classes(class_names)?;
        }
        options.class_weight.check_names(class_names)?;
        Ok(options)
    }

    /// Trains on documents by the plan: `auto` chooses, or the settings say. `name` is what the record
    /// calls them.
    ///
    /// `go_on` is asked at every step, on several threads where `auto` tries candidates, and ends the run
    /// by [`Flow::Stop`]; `callbacks` watch the last training.
    ///
    /// ```
    /// use slugline::classifier::Settings;
    /// use slugline::corpus::Documents;
    /// use slugline::nn::Flow;
    ///
    /// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    /// for i in 0..20 {
    ///     documents.push(&format!("wheat and corn fell {i}"), 0);
    ///     documents.push(&format!("gold and silver rose {i}"), 1);
    /// }
    /// let plan = Settings { ngrams: Some(1), ..Settings::default() }.plan()?;
    /// let classifier = plan.train(&documents, "news", &|| Flow::Continue, &mut [])?;
    /// assert_eq!(classifier.predict("corn prices").label, "grain");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Classifier::train_auto`] or [`Classifier::train_documents`], and as
    /// [`options_for`](Self::options_for).
    pub fn train(
        &self,
        documents: &Documents,
        name: &str,
        go_on: &(dyn Fn() -> Flow + Sync),
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Classifier, ClassifierError> {
        self.train_resumable(documents, name, go_on, callbacks, &Checkpoints::none())
    }

    /// [`train`](Self::train) that keeps a checkpoint, or goes on from one.
    ///
    /// # Errors
    /// As [`train`](Self::train); [`ClassifierError::Checkpoint`] for a checkpoint that cannot be gone
    /// on from.
    pub fn train_resumable(
        &self,
        documents: &Documents,
        name: &str,
        go_on: &(dyn Fn() -> Flow + Sync),
        callbacks: &mut [&mut dyn Callback],
        checkpoints: &Checkpoints,
    ) -> Result<Classifier, ClassifierError> {
        let mut watch = Watch(go_on);
        let mut watching: Vec<&mut dyn Callback> = Vec::with_capacity(callbacks.len() + 1);
        for callback in callbacks {
            watching.push(&mut **callback);
        }
        watching.push(&mut watch);
        let callbacks = watching.as_mut_slice();
        if let Some(auto) = self.auto {
            return Classifier::train_auto_resumable(
                documents,
                name,
                auto,
                go_on,
                callbacks,
                checkpoints,
            );
        }
        let (kind, names) = (documents.label_kind(), documents.class_names());
        let options = self.options_for(documents.len(), kind, names)?;
        Classifier::train_documents_resumable(documents, name, &options, callbacks, checkpoints)
    }

    /// The settings of the run in words, in the order of the fields; under `auto` those that it does not
    /// choose.
    pub fn settings(&self) -> Vec<Setting> {
        if let Some(auto) = &self.auto {
            return beside_auto(auto);
        }
        // A schedule is told by its name, whatever its number of steps.
        let mut settings = self.options(self.options.batch_size).settings();
        if let Some(file) = &self.class_weights {
            let named = settings.iter_mut().filter(|setting| setting.name == "class_weight");
            named.for_each(|setting| setting.value = file.path().display().to_string());
        }
        if self.preset == Preset::Notebook {
            settings.extend(LoadingSettings::from(&self.sequences).given());
        }
        settings
    }

    /// Those of [`settings`](Self::settings) that a run has which says no more than its preset, and what
    /// optimizer and loss it has: the others are what has to be said to have the same run again.
    pub fn usual(&self) -> Vec<Setting> {
        if self.auto.is_some() {
            return beside_auto(&AutoOptions::default());
        }
        let base = self.preset.options();
        let own = &self.options.optimizer;
        let optimizer = match own.name() == base.optimizer.name() {
            true => base.optimizer.clone(),
            false => Optimizer::by_name(own.name()).unwrap_or_else(|| base.optimizer.clone()),
        };
        let loss = Loss::by_name(self.options.loss.name()).unwrap_or(base.loss);
        let names = [("optimizer", base.optimizer.name()), ("loss", base.loss.name())];
        let mut usual = TrainingOptions { optimizer, loss, ..base }.settings();
        for setting in &mut usual {
            if let Some((_, name)) = names.iter().find(|(name, _)| *name == setting.name) {
                (*name).clone_into(&mut setting.value);
            }
        }
        usual.extend(LoadingSettings::from(&SequenceOptions::default()).given());
        usual
    }
}

/// The settings that `auto` does not choose, in words.
fn beside_auto(auto: &AutoOptions) -> Vec<Setting> {
    let mut settings = Settings::from(auto).given();
    settings.retain(|setting| !["preset", "threads"].contains(&setting.name));
    settings
}

//! Every setting of a training run as an argument.

use std::collections::BTreeMap;

use clap::Args;
use slugline::classifier::{Base, ClassWeight, ClassWeightFile, OrNone, Preset, Settings};
use slugline::decision::Threshold;
use slugline::nn::Activation;
use slugline::text::FeatureScaling;

use super::features::FeatureArgs;
use super::loading::LoadingArgs;
use super::loss::LossArgs;
use super::optimizer::OptimizerArgs;
use super::parse::{ClassFactors, HeldOut, List, field, one_of};
use super::plan::TrainingPlan;
use super::settings::{refused, with_default};
use crate::failure::Failure;

/// A help text with the default of a setting of the preset that most settings mean.
pub(super) fn preset(text: &str, name: &str) -> String {
    with_default(text, name, &Settings::of(Preset::default()).given())
}

/// The settings of a training run.
#[derive(Debug, Args)]
pub(crate) struct TrainingArgs {
    /// Where the settings come from [default: auto; text if a text feature is given, notebook if
    /// another setting is]
    ///
    /// `auto` chooses by itself: it takes the features that suit the number and the length of the
    /// documents and the units that suit the classes, tries lengths of training on a share of them that is held out, takes the best,
    /// calibrates its probabilities, trains it once more on all documents, and says what it tried. What is held out by a file of its own or a
    /// validation part of the data is not trained on. Only --validation, --seed, --threads, --average,
    /// --ensemble, --threshold, --min-confidence and --max-unknown-words go with it.
    ///
    /// With the others every other argument overrides one of their settings.
    ///
    /// `text` is a network over weighed text features, calibrated by what is held out: words and pairs
    /// of words of two documents at least by tf-idf; Dense 64 relu, dropout 0.5; Adam; batches of 32,
    /// 10 epochs; a tenth of every class held out. Each of the arguments under "Text features" means
    /// this one.
    ///
    /// `notebook` is the published Keras example to the letter: the 10,000 most frequent ids,
    /// multi-hot; Dense 64 relu, Dense 64 relu, Dense softmax; RMSprop (learning rate 0.001, rho
    /// 0.9, epsilon 1e-7 outside the root); batches of 512, 20 epochs; the first 1,000 training
    /// samples held out for validation.
    #[arg(long, value_name = "NAME", value_parser = one_of(Base::ALL.map(Base::name),
        |name| Base::ALL.into_iter().find(|base| base.name() == name)))]
    preset: Option<Base>,

    #[arg(long, value_name = "N", help_heading = "Network",
        value_parser = field!(Settings.max_features),
        help = preset("Number of features: word ids below it are used; with text features those of \
            the most documents", "max_features"))]
    max_features: Option<OrNone<usize>>,
    #[arg(long, value_name = "LIST", help_heading = "Network",
        value_parser = field!(Settings.hidden),
        help = preset("Units of each hidden layer, or `none` for a linear model", "hidden"))]
    hidden: Option<List>,
    #[arg(long, value_name = "NAME", help_heading = "Network",
        value_parser = one_of(Activation::ALL.map(Activation::name), Activation::by_name),
        help = preset("Activation of the hidden layers", "activation"))]
    activation: Option<Activation>,
    #[arg(long, value_name = "SHARE", help_heading = "Network",
        value_parser = field!(Settings.dropout),
        help = preset("Share of each hidden layer's outputs dropped while training", "dropout"))]
    dropout: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Network", value_parser = field!(Settings.l1),
        help = preset("Factor of the sum of absolute weights added to the loss", "l1"))]
    l1: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Network", value_parser = field!(Settings.l2),
        help = preset("Factor of the sum of squared weights added to the loss", "l2"))]
    l2: Option<f32>,

    #[arg(long, value_name = "N", help_heading = "Training", value_parser = field!(Settings.epochs),
        help = preset("Passes over the training samples", "epochs"))]
    epochs: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training",
        value_parser = field!(Settings.batch_size),
        help = preset("Samples a step", "batch_size"))]
    batch_size: Option<usize>,
    #[command(flatten)]
    loss: LossArgs,
    #[arg(long, value_name = "WHAT|FILE", help_heading = "Training",
        help = preset("How much each class counts: `balanced` gives every class the same say, `sqrt` \
            half of the way there; or a file, CSV `class,factor` or JSON {\"class\": factor}",
            "class_weight"))]
    class_weight: Option<ClassFactors>,
    #[arg(long, value_name = "WHAT", help_heading = "Training", hide_possible_values = true,
        value_parser = one_of(FeatureScaling::ALL.map(FeatureScaling::name),
            |name| FeatureScaling::ALL.into_iter().find(|choice| choice.name() == name)),
        help = "What is made of the values of given features (SVMlight): none, max_abs (each feature \
            at most 1) or max_abs_unit (rows of length 1 besides) [default: none]")]
    feature_scaling: Option<FeatureScaling>,
    #[arg(long, value_name = "N|SHARE|FILE", help_heading = "Training",
        help = preset("What is held out: N documents, a share (0.2), the documents of a file, or \
            `none`. Of text a share of every class, of a numbered corpus the first N or the last \
            share. Where the data have a validation part that is taken, if nothing is given",
            "validation"))]
    pub(super) validation: Option<HeldOut>,
    #[arg(long, value_name = "N", help_heading = "Training",
        value_parser = field!(Settings.patience),
        help = preset("Stop after N epochs without a lower validation loss, and go back to the best \
            one; or `none`", "patience"))]
    patience: Option<OrNone<usize>>,
    #[arg(long, value_name = "K", help_heading = "Training",
        value_parser = field!(Settings.average),
        help = preset("Epochs, the last ones, whose weights are averaged; goes with auto too",
            "average"))]
    average: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training",
        value_parser = field!(Settings.ensemble),
        help = preset("Networks of different seeds, trained side by side and put together as one that \
            answers with the mean of their logits; goes with auto too", "ensemble"))]
    ensemble: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training", value_parser = field!(Settings.seed),
        help = preset("Settles starting weights, order and dropout", "seed"))]
    seed: Option<u64>,
    /// Threads to work on, 0 for one a core; the model does not depend on it
    #[arg(long, value_name = "N", help_heading = "Training", default_value_t = 0,
        value_parser = field!(Settings.threads))]
    threads: usize,

    /// Thresholds of the classes, kept in the model: `f1`, `precision=P` or `recall=R`, each fitted on
    /// the held-out documents; a number from 0 to 1 for all; or `none` [default: none]
    ///
    /// The answer is the most probable class whose probability reaches its threshold, and `unknown`
    /// where there is none. `f1` looks for the best F1 of each class, `precision=0.9` for as many
    /// answers as a precision of 0.9 leaves, `recall=0.9` for the best precision with a recall of 0.9.
    /// What is not reached on the held-out documents is told. `slugline threshold` fits thresholds
    /// afterwards.
    #[arg(long, value_name = "WHAT", help_heading = "Answers",
        value_parser = field!(Settings.threshold))]
    threshold: Option<Threshold>,
    /// Answer `unknown` where the largest probability is below P, kept in the model [default: 0]
    #[arg(long, value_name = "P", help_heading = "Answers",
        value_parser = field!(Settings.min_confidence))]
    min_confidence: Option<f32>,
    /// Answer `unknown` where the share of unknown words is above SHARE, kept in the model [default: 1]
    #[arg(long, value_name = "SHARE", help_heading = "Answers",
        value_parser = field!(Settings.max_unknown_words))]
    max_unknown_words: Option<f32>,

    #[command(flatten)]
    optimizer: OptimizerArgs,
    #[command(flatten)]
    features: FeatureArgs,
    #[command(flatten)]
    pub(super) loading: LoadingArgs,
}

pub(super) fn usage(problem: String) -> Failure {
    Failure::Usage { command: "train", problem }
}

impl TrainingArgs {
    /// The settings that are given.
    ///
    /// Factors of classes that stand in a file are given too, but none of them yet: a file is read when
    /// everything else has a meaning.
    pub(super) fn settings(&self) -> Settings {
        let own = Settings {
            preset: self.preset,
            max_features: self.max_features,
            hidden: self.hidden.clone(),
            activation: self.activation,
            dropout: self.dropout,
            l1: self.l1,
            l2: self.l2,
            feature_scaling: self.feature_scaling,
            epochs: self.epochs,
            batch_size: self.batch_size,
            validation: match self.validation {
                Some(HeldOut::Split(split)) => Some(split),
                Some(HeldOut::File(_)) | None => None,
            },
            patience: self.patience,
            class_weight: self.class_weight.as_ref().map(|factors| match factors {
                ClassFactors::Rule(rule) => rule.clone(),
                ClassFactors::File(_) => ClassWeight::Named(BTreeMap::new()),
            }),
            threshold: self.threshold,
            min_confidence: self.min_confidence,
            max_unknown_words: self.max_unknown_words,
            average: self.average,
            ensemble: self.ensemble,
            seed: self.seed,
            threads: Some(self.threads),
            ..Settings::default()
        };
        self.features.add_to(self.loss.add_to(self.optimizer.add_to(own)))
    }

    /// The plan that the arguments make.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an argument that has no meaning beside the others; [`Failure::Other`] for
    /// a file of factors that cannot be used.
    pub(crate) fn plan(&self) -> Result<TrainingPlan, Failure> {
        let plan = self.settings().plan_loading(&self.loading.settings());
        let mut plan = plan.map_err(|error| refused(&error))?;
        if let Some(ClassFactors::File(path)) = &self.class_weight {
            let file = ClassWeightFile::read(path).map_err(|e| Failure::Other(e.to_string()))?;
            plan = plan.with_class_weights(file);
        }
        Ok(TrainingPlan { plan, held_out: self.validation.clone() })
    }
}

#[cfg(test)]
mod tests;

//! Every setting of a training run as an argument.

use clap::Args;
use slugline::classifier::{
    AutoOptions, ClassWeightFile, Preset, TrainingOptions, ValidationSplit,
};
use slugline::decision::{DecisionOptions, Threshold};
use slugline::nn::Activation;
use slugline::text::{FeatureScaling, VectorizerOptions};

use super::features::FeatureArgs;
use super::loading::LoadingArgs;
use super::loss::LossArgs;
use super::optimizer::OptimizerArgs;
use super::parse::{
    ClassFactors, HeldOut, Hidden, Optional, features, networks, not_negative, one_of, positive,
    probability, share, threads,
};
use super::plan::TrainingPlan;
use super::settings::{training_settings, with};
use crate::failure::Failure;

/// Name of the recipe that chooses by itself.
pub(super) const AUTO: &str = "auto";

/// Where the settings come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recipe {
    Auto,
    Preset(Preset),
}

impl Recipe {
    fn of(name: &str) -> Self {
        let preset = Preset::ALL.into_iter().find(|preset| preset.name() == name);
        preset.map_or(Self::Auto, Self::Preset)
    }
}

/// [`with`] the default of a setting of the preset.
pub(super) fn preset(text: &str, name: &str) -> String {
    let options = Preset::default().options();
    let found = training_settings(&options).into_iter().find(|setting| setting.name == name);
    found.map_or_else(|| text.to_owned(), |setting| with(text, setting.value))
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
    #[arg(long, value_name = "NAME", value_parser = one_of([AUTO, Preset::Text.name(), Preset::Notebook.name()],
        |name| Some(Recipe::of(name))))]
    pub(super) preset: Option<Recipe>,

    #[arg(long, value_name = "N", help_heading = "Network", value_parser = features(),
        help = preset("Number of features: word ids below it are used; with text features those of \
            the most documents", "max-features"))]
    max_features: Option<u32>,
    #[arg(long, value_name = "LIST", help_heading = "Network",
        help = preset("Units of each hidden layer, or `none` for a linear model", "hidden"))]
    hidden: Option<Hidden>,
    #[arg(long, value_name = "NAME", help_heading = "Network",
        value_parser = one_of(Activation::ALL.map(Activation::name), Activation::by_name),
        help = preset("Activation of the hidden layers", "activation"))]
    activation: Option<Activation>,
    #[arg(long, value_name = "SHARE", help_heading = "Network", value_parser = share,
        help = preset("Share of each hidden layer's outputs dropped while training", "dropout"))]
    dropout: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Network", value_parser = not_negative,
        help = preset("Factor of the sum of absolute weights added to the loss", "l1"))]
    l1: Option<f32>,
    #[arg(long, value_name = "X", help_heading = "Network", value_parser = not_negative,
        help = preset("Factor of the sum of squared weights added to the loss", "l2"))]
    l2: Option<f32>,

    #[arg(long, value_name = "N", help_heading = "Training", value_parser = positive(),
        help = preset("Passes over the training samples", "epochs"))]
    pub(super) epochs: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training", value_parser = positive(),
        help = preset("Samples a step", "batch-size"))]
    pub(super) batch_size: Option<usize>,
    #[command(flatten)]
    loss: LossArgs,
    #[arg(long, value_name = "WHAT|FILE", help_heading = "Training",
        help = preset("How much each class counts: `balanced` gives every class the same say, `sqrt` \
            half of the way there; or a file, CSV `class,factor` or JSON {\"class\": factor}",
            "class-weight"))]
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
        help = preset("Stop after N epochs without a lower validation loss, and go back to the best \
            one; or `none`", "patience"))]
    patience: Option<Optional<usize>>,
    #[arg(long, value_name = "K", help_heading = "Training", value_parser = positive(),
        help = preset("Epochs, the last ones, whose weights are averaged; goes with auto too",
            "average"))]
    pub(super) average: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training", value_parser = networks(),
        help = preset("Networks of different seeds, trained side by side and put together as one that \
            answers with the mean of their logits; goes with auto too", "ensemble"))]
    pub(super) ensemble: Option<usize>,
    #[arg(long, value_name = "N", help_heading = "Training",
        help = preset("Settles starting weights, order and dropout", "seed"))]
    pub(super) seed: Option<u64>,
    /// Threads to work on, 0 for one a core; the model does not depend on it
    #[arg(long, value_name = "N", help_heading = "Training", default_value_t = 0,
        value_parser = threads())]
    pub(super) threads: usize,

    /// Thresholds of the classes, kept in the model: `f1`, `precision=P` or `recall=R`, each fitted on
    /// the held-out documents; a number from 0 to 1 for all; or `none` [default: none]
    ///
    /// The answer is the most probable class whose probability reaches its threshold, and `unknown`
    /// where there is none. `f1` looks for the best F1 of each class, `precision=0.9` for as many
    /// answers as a precision of 0.9 leaves, `recall=0.9` for the best precision with a recall of 0.9.
    /// What is not reached on the held-out documents is told. `slugline threshold` fits thresholds
    /// afterwards.
    #[arg(long, value_name = "WHAT", help_heading = "Answers")]
    pub(super) threshold: Option<Threshold>,
    /// Answer `unknown` where the largest probability is below P, kept in the model [default: 0]
    #[arg(long, value_name = "P", help_heading = "Answers", value_parser = probability)]
    pub(super) min_confidence: Option<f32>,
    /// Answer `unknown` where the share of unknown words is above SHARE, kept in the model [default: 1]
    #[arg(long, value_name = "SHARE", help_heading = "Answers", value_parser = probability)]
    pub(super) max_unknown_words: Option<f32>,

    #[command(flatten)]
    pub(super) optimizer: OptimizerArgs,
    #[command(flatten)]
    pub(super) features: FeatureArgs,
    #[command(flatten)]
    pub(super) loading: LoadingArgs,
}

pub(super) fn usage(problem: String) -> Failure {
    Failure::Usage { command: "train", problem }
}

/// Refuses an average that there are no epochs for.
fn check_average(options: &TrainingOptions) -> Result<(), Failure> {
    let (average, epochs) = (options.average, options.epochs);
    if average > 1 && options.patience.is_some() {
        return Err(usage(
            "--average takes the mean of the last epochs, and --patience goes back to one of them; \
             use one of the two"
                .into(),
        ));
    }
    if average > epochs {
        return Err(usage(format!("--average {average} of only {epochs} epochs")));
    }
    Ok(())
}

impl TrainingArgs {
    /// The preset, and whether `auto` chooses by itself.
    fn recipe(&self) -> Result<(Preset, bool), Failure> {
        let (given, loading, of_text) = (self.given(), self.loading.given(), self.features.given());
        let all = [&given[..], &loading, &of_text].concat();
        let (preset, auto) = match (self.preset, all.as_slice()) {
            (Some(Recipe::Auto), [_, ..]) => {
                return Err(usage(format!(
                    "{} is chosen by --preset auto; leave it out, or add --preset text or notebook",
                    all.join(", ")
                )));
            }
            (Some(Recipe::Auto) | None, []) => (Preset::default(), true),
            (None, _) if of_text.is_empty() => (Preset::default(), false),
            (None, _) => (Preset::Text, false),
            (Some(Recipe::Preset(preset)), _) => (preset, false),
        };
        let (refused, other) = match preset {
            Preset::Text => (&loading, Preset::Notebook),
            Preset::Notebook => (&of_text, Preset::Text),
        };
        if !refused.is_empty() {
            let (refused, preset, other) = (refused.join(", "), preset.name(), other.name());
            let problem =
                format!("{refused} has no meaning for --preset {preset}; use --preset {other}");
            return Err(usage(problem));
        }
        Ok((preset, auto))
    }

    /// The plan that the arguments make.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an argument that has no meaning beside the others.
    pub(crate) fn plan(&self) -> Result<TrainingPlan, Failure> {
        let (preset, auto) = self.recipe()?;
        let base = preset.options();
        let max_features = self.max_features.map_or(base.max_features, |n| n as usize);
        let vectorizer = base.vectorizer.map(|features| VectorizerOptions {
            max_features: self.max_features.map(|n| n as usize).or(features.max_features),
            ..self.features.options(features)
        });
        let class_weights = match &self.class_weight {
            Some(ClassFactors::File(path)) => {
                let name = path.display().to_string();
                Some((
                    name,
                    ClassWeightFile::read(path).map_err(|e| Failure::Other(e.to_string()))?,
                ))
            }
            _ => None,
        };
        let options = TrainingOptions {
            max_features,
            vectorizer,
            hidden: self.hidden.clone().map_or(base.hidden, |hidden| hidden.0),
            kernel_initializer: base.kernel_initializer,
            activation: self.activation.unwrap_or(base.activation),
            dropout: self.dropout.unwrap_or(base.dropout),
            l1: self.l1.unwrap_or(base.l1),
            l2: self.l2.unwrap_or(base.l2),
            optimizer: self.optimizer.optimizer(&base.optimizer)?,
            loss: self.loss.loss(base.loss)?,
            batch_size: self.batch_size.unwrap_or(base.batch_size),
            epochs: self.epochs.unwrap_or(base.epochs),
            validation: match self.validation {
                Some(HeldOut::Split(split)) => split,
                _ => base.validation,
            },
            patience: self.patience.map_or(base.patience, |patience| patience.0),
            class_weight: match &self.class_weight {
                Some(ClassFactors::Rule(rule)) => rule.clone(),
                _ => base.class_weight,
            },
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
            threads: self.threads,
        };
        if options.dropout > 0.0 && options.hidden.is_empty() {
            return Err(usage(
                "--dropout acts on hidden layers, and --hidden none leaves none".into(),
            ));
        }
        let sequences = self.loading.sequences(max_features);
        let schedule = self.optimizer.schedule();
        let validation = match self.validation {
            Some(HeldOut::Split(ValidationSplit::None)) if auto => {
                return Err(usage(
                    "--validation none leaves --preset auto nothing to choose by".into(),
                ));
            }
            Some(HeldOut::Split(split)) => split,
            _ => AutoOptions::default().validation,
        };
        let auto = auto.then_some(AutoOptions {
            seed: options.seed,
            threads: options.threads,
            validation,
            decision: options.decision,
            average: options.average,
            ensemble: options.ensemble,
        });
        if auto.is_none() {
            check_average(&options)?;
        }
        Ok(TrainingPlan {
            preset,
            options,
            schedule,
            loss_is_named: self.loss.is_named(),
            class_weights,
            held_out: self.validation.clone(),
            sequences,
            auto,
        })
    }

    /// The settings that are given, those left out that go with every recipe.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let mut given = Vec::new();
        macro_rules! note {
            ($($field:ident: $argument:literal),* $(,)?) => {
                $(if self.$field.is_some() { given.push($argument); })*
            };
        }
        note!(
            max_features: "--max-features", hidden: "--hidden", activation: "--activation",
            dropout: "--dropout", l1: "--l1", l2: "--l2", epochs: "--epochs",
            batch_size: "--batch-size", class_weight: "--class-weight",
            feature_scaling: "--feature-scaling", patience: "--patience",
        );
        given.extend(self.optimizer.given());
        given.extend(self.loss.given());
        given
    }
}

#[cfg(test)]
mod tests;

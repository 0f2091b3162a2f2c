//! Arguments of a training that goes on with a model, and the plan that they make.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use slugline::checkpoint::Checkpoints;
use slugline::classifier::{Classifier, ClassifierError, ContinueOptions, Replay, ValidationSplit};
use slugline::corpus::Documents;
use slugline::nn::Callback;

use super::parse::{HeldOut, part};
use super::read::{Data, quoted};
use super::settings::argument;
use super::training::TrainingArgs;
use crate::failure::Failure;

fn usage(problem: String) -> Failure {
    Failure::Usage { command: "train", problem }
}

/// What a training goes on with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Going on with a model")]
pub(crate) struct FromArgs {
    /// Go on training this model, with DATA that may have new classes and words
    ///
    /// Classes and words of the model keep their places, new ones come behind. Features, hidden layers
    /// and all other settings stay; only --epochs, --learning-rate, --batch-size (the model's if not
    /// given), --validation (a share, 0.1, that calibrates; or `none`), --average, --seed
    /// and --threads go with it. The model file of the result names its ancestor by checksum.
    #[arg(long, value_name = "MODEL")]
    from: Option<PathBuf>,
    /// Documents that the model has learned from, some of which are trained on again; without them
    /// it forgets classes that DATA does not have. May be given several times
    ///
    /// With 15 classes of 20 Newsgroups learned and the other 5 in DATA, accuracy over all 20 was 0.39
    /// without it and 0.86 with as many old documents as new ones.
    #[arg(long, value_name = "OLD_DATA", requires = "from")]
    replay: Vec<String>,
    /// Share of them, from every class [default: as many documents as DATA has]
    #[arg(long, value_name = "SHARE", requires = "replay", value_parser = part)]
    replay_share: Option<f64>,
}

/// A settled training that goes on with a model.
#[derive(Debug)]
pub(crate) struct FromPlan {
    from: PathBuf,
    options: ContinueOptions,
    replay: Vec<String>,
    share: Option<f64>,
}

/// Settings that a preset settles and that go with `--from`.
const GO_WITH_IT: [&str; 3] = ["epochs", "learning_rate", "batch_size"];

impl FromArgs {
    /// The plan, if a model is given.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an argument that has no meaning beside it.
    pub(crate) fn plan(&self, training: &TrainingArgs) -> Result<Option<FromPlan>, Failure> {
        let Some(from) = self.from.clone() else { return Ok(None) };
        let settings = training.settings();
        let mut refused = settings.settling();
        refused.extend(training.loading.settings().given().iter().map(|setting| setting.name));
        refused.retain(|name| !GO_WITH_IT.contains(name));
        refused.extend(settings.preset.is_some().then_some("preset"));
        refused.extend(settings.ensemble.is_some().then_some("ensemble"));
        let decides = settings.threshold.is_some()
            || settings.min_confidence.is_some()
            || settings.max_unknown_words.is_some();
        if decides {
            return Err(usage(
                "--from keeps the kind of thresholds that its model has; set others afterwards by \
                 `slugline threshold`"
                    .into(),
            ));
        }
        if !refused.is_empty() {
            return Err(usage(format!(
                "{} is settled by the model of --from; leave it out, or train anew",
                refused
                    .iter()
                    .map(|name| format!("--{}", argument(name)))
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
        let usual = ContinueOptions::default();
        let validation = match &training.validation {
            None => usual.validation,
            Some(HeldOut::Split(ValidationSplit::None)) => 0.0,
            Some(HeldOut::Split(ValidationSplit::Fraction(share))) => *share,
            Some(other) => {
                let given = match other {
                    HeldOut::File(file) => file.clone(),
                    HeldOut::Split(split) => split.to_string(),
                };
                return Err(usage(format!(
                    "--validation {given}: with --from a share of every class is held out, such as 0.1"
                )));
            }
        };
        let options = ContinueOptions {
            epochs: settings.epochs,
            learning_rate: settings.learning_rate,
            batch_size: settings.batch_size,
            validation,
            average: settings.average.unwrap_or(usual.average),
            seed: settings.seed.unwrap_or(usual.seed),
            threads: settings.threads.unwrap_or(usual.threads),
        };
        let (replay, share) = (self.replay.clone(), self.replay_share);
        Ok(Some(FromPlan { from, options, replay, share }))
    }
}

impl FromPlan {
    /// The model to go on with.
    pub(crate) fn model(&self) -> &PathBuf {
        &self.from
    }

    /// The documents to be shown again, if there are any.
    pub(crate) fn replay(&self) -> Option<Data> {
        (!self.replay.is_empty()).then(|| Data::of(&self.replay))
    }

    /// The files that are read beside those of the training and the model, and what they are.
    pub(crate) fn paths(&self) -> Vec<(&'static str, PathBuf)> {
        let old = self.replay();
        let paths = old.iter().flat_map(Data::paths);
        paths.map(|path| ("the old data", path.to_owned())).collect()
    }

    /// Epochs for `parent`.
    pub(crate) fn epochs(&self, parent: &Classifier) -> usize {
        self.options.epochs.unwrap_or(parent.record().options.epochs)
    }

    /// The seed.
    pub(crate) fn seed(&self) -> u64 {
        self.options.seed
    }

    /// Trains.
    pub(crate) fn train(
        &self,
        parent: &Classifier,
        (documents, name): (&Documents, &str),
        old: Option<&Documents>,
        callbacks: &mut [&mut dyn Callback],
        checkpoints: &Checkpoints,
    ) -> Result<Classifier, ClassifierError> {
        let replay = old.map(|documents| Replay { documents, share: self.share });
        let options = &self.options;
        Classifier::train_from(parent, documents, name, replay, options, callbacks, checkpoints)
    }

    /// The shortest command that does the same with `data`.
    pub(crate) fn command(&self, data: &str) -> String {
        let usual = ContinueOptions::default();
        let from = quoted(&self.from.to_string_lossy());
        let mut command = format!("slugline train {data} --from {from}");
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(command, " --{name} {value}");
            }
        };
        for old in &self.replay {
            add("replay", Some(quoted(old)));
        }
        let changed = |changed: bool, value: &dyn ToString| changed.then(|| value.to_string());
        let options = &self.options;
        add("replay-share", self.share.map(|share| share.to_string()));
        add("epochs", options.epochs.map(|n| n.to_string()));
        add("learning-rate", options.learning_rate.map(|rate| rate.to_string()));
        add("batch-size", options.batch_size.map(|n| n.to_string()));
        let validation = match options.validation {
            0.0 => "none".to_owned(),
            share => share.to_string(),
        };
        add("validation", changed(options.validation != usual.validation, &validation));
        add("average", changed(options.average != usual.average, &options.average));
        add("seed", changed(options.seed != usual.seed, &options.seed));
        command
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        from: FromArgs,
        #[command(flatten)]
        training: TrainingArgs,
    }

    fn plan(words: &str) -> Result<FromPlan, String> {
        let words = format!("x --from m.slug {words}");
        let line = Line::try_parse_from(words.split_whitespace()).map_err(|e| e.to_string())?;
        line.from.plan(&line.training).map(Option::unwrap).map_err(|e| e.to_string())
    }

    #[test]
    fn the_command_makes_the_plan_again() {
        for words in [
            "",
            "--replay old.csv --replay b.csv --replay-share 0.25 --epochs 3 --learning-rate 0.001",
            "--batch-size 16 --validation none --average 2 --seed 7",
            "--validation 0.2",
        ] {
            let first = plan(words).unwrap();
            let command = first.command("new.csv");
            assert_eq!(command, format!("slugline train new.csv --from m.slug {words}").trim_end());
        }
    }

    #[test]
    fn what_the_model_settles_is_refused() {
        let refused = |words: &str| plan(words).unwrap_err();
        let error = refused("--hidden 8 --preset notebook --ensemble 2 --epochs 3");
        assert!(error.starts_with("--hidden, --preset, --ensemble is settled by"), "{error}");
        assert!(refused("--validation 100").contains("such as 0.1"));
        assert!(refused("--replay-share 0.5").contains("--replay"));
        assert!(refused("--replay x --replay-share 0").contains("above 0"));
    }
}

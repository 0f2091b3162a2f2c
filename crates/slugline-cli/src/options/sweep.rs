//! Options of `train` under several values.

use std::str::FromStr;

use clap::{Args, Parser};
use slugline::tune::GridPoint;

use super::plan::TrainingPlan;
use super::training::TrainingArgs;

/// Options that are set otherwise in a sweep.
const NOT_SWEPT: [&str; 4] = ["preset", "seed", "threads", "folds"];

/// An option of `train` and the values that it is to have: `NAME=VALUE,…`.
///
/// Where the option takes a list, an `x` stands for its comma: `hidden=64x4,64x64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// The option, without its dashes.
    pub(crate) name: String,
    /// Its values, as given.
    pub(crate) values: Vec<String>,
}

/// The names of the options that can be swept.
pub(crate) fn sweepable() -> Vec<String> {
    let command = TrainingArgs::augment_args(clap::Command::new("train"));
    let names = command.get_arguments().filter(|argument| argument.get_action().takes_values());
    let names = names.filter_map(|argument| argument.get_long().map(ToOwned::to_owned));
    names.filter(|name| !NOT_SWEPT.contains(&name.as_str())).collect()
}

impl FromStr for Sweep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, values) = text
            .split_once('=')
            .ok_or("expected NAME=VALUE,VALUE,… such as hidden=4,16,64 or dropout=0,0.5")?;
        let name = name.trim().trim_start_matches("--").replace('_', "-");
        let known = sweepable();
        if name == "seed" {
            return Err("seeds are not swept; --seeds N trains each point with N of them".into());
        }
        if !known.contains(&name) {
            return Err(format!("unknown option `{name}`; known are {}", known.join(", ")));
        }
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        if values.iter().any(String::is_empty) {
            return Err(format!("a value of `{name}` is empty: expected NAME=VALUE,VALUE,…"));
        }
        if let Some(i) = (1..values.len()).find(|&i| values[..i].contains(&values[i])) {
            return Err(format!("the value {} of `{name}` stands there twice", values[i]));
        }
        Ok(Self { name, values })
    }
}

/// The options of `train` alone.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    training: TrainingArgs,
}

/// What stands between the parts of a list within a value.
fn with_commas(name: &str, value: &str) -> String {
    if name == "hidden" { value.replace('x', ",") } else { value.to_owned() }
}

/// The plan of the training of a point; what `train` would say to its options is the error.
pub(crate) fn plan_of(
    point: &GridPoint,
    preset: &str,
    seed: u64,
    threads: usize,
) -> Result<TrainingPlan, String> {
    let words = point
        .settings
        .iter()
        .map(|(name, value)| format!("--{name}={}", with_commas(name, value)))
        .chain([
            format!("--preset={preset}"),
            format!("--seed={seed}"),
            format!("--threads={threads}"),
        ]);
    let line = Line::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let text = text.trim_start_matches("error: ");
        text.split("\n\n").next().unwrap_or(text).trim().to_owned()
    })?;
    line.training.plan().map_err(|failure| failure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(settings: &[(&str, &str)]) -> GridPoint {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        GridPoint { settings: settings.iter().map(owned).collect() }
    }

    #[test]
    fn a_sweep_is_a_name_and_values() {
        let sweep: Sweep = "learning_rate=0.1, 0.01".parse().unwrap();
        assert_eq!((sweep.name.as_str(), sweep.values.len()), ("learning-rate", 2));
        for (bad, wanted) in [
            ("hidden", "NAME=VALUE"),
            ("hiden=4", "unknown option `hiden`; known are max-features, hidden, "),
            ("hidden=4,,8", "is empty"),
            ("hidden=", "is empty"),
            ("hidden=4,4", "twice"),
            ("seed=1,2", "--seeds N"),
            ("nesterov=1", "unknown option"),
        ] {
            let error = bad.parse::<Sweep>().unwrap_err();
            assert!(error.contains(wanted), "{bad}: {error}");
        }
    }

    #[test]
    fn every_option_of_train_that_takes_a_value_can_be_swept() {
        let known = sweepable();
        for name in ["hidden", "dropout", "optimizer", "batch-size", "beta-1", "index-from"] {
            assert!(known.iter().any(|known| known == name), "{name}");
        }
        for name in NOT_SWEPT {
            assert!(!known.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn a_point_becomes_the_options_of_train() {
        let plan = plan_of(&point(&[("hidden", "64x4"), ("epochs", "3")]), "notebook", 7, 1);
        let options = plan.unwrap().options(8982);
        assert_eq!((options.hidden, options.epochs, options.seed), (vec![64, 4], 3, 7));
        let bad = plan_of(&point(&[("hidden", "64xx4")]), "notebook", 0, 1).unwrap_err();
        assert!(bad.contains("64,,4") && bad.contains("--hidden"), "{bad}");
        let bad = plan_of(&point(&[("optimizer", "adam"), ("rho", "0.5")]), "notebook", 0, 1);
        assert!(bad.unwrap_err().contains("no meaning for --optimizer adam"));
    }
}

//! Values of arguments, each with the range that the library demands, so that a value out of range
//! is a matter of the command line (exit code 2).

use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use slugline::checkpoint::Interval;
use slugline::classifier::{ClassWeight, ValidationSplit};
use slugline::nn::MAX_THREADS;

/// A whole number of at least 1.
pub(crate) fn positive() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=u64::from(u32::MAX))
}

/// Networks of an ensemble: more cost more, and gain nothing that has been seen.
pub(crate) fn networks() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=64)
}

/// Seconds, or `none`.
pub(crate) fn interval(text: &str) -> Result<Interval, String> {
    if text == "none" {
        return Ok(Interval::Never);
    }
    let seconds = text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    seconds.map(Interval::Every).ok_or_else(|| "expected seconds, or `none`".into())
}

/// A number of threads.
pub(crate) fn threads() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(0..=MAX_THREADS as u64)
}

/// A number of input features: with 64 units behind them, the largest network takes 4 GB.
pub(crate) fn features() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=1 << 24)
}

/// One of a few names.
pub(crate) fn one_of<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = &'static str>,
    by_name: impl Fn(&str) -> Option<T> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names)
        .try_map(move |name| by_name(&name).ok_or_else(|| format!("unknown name {name}")))
}

fn number<T: FromStr + Into<f64> + Copy>(
    text: &str,
    expected: &'static str,
    fits: fn(f64) -> bool,
) -> Result<T, String> {
    text.parse().ok().filter(|&n: &T| fits(n.into())).ok_or_else(|| format!("expected {expected}"))
}

/// From 0 to below 1.
pub(crate) fn share(text: &str) -> Result<f32, String> {
    number(text, "a number of at least 0 and below 1", |x| (0.0..1.0).contains(&x))
}

/// From 0 to 1.
pub(crate) fn fraction(text: &str) -> Result<f64, String> {
    number(text, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))
}

/// From 0 to 1, in single precision.
pub(crate) fn probability(text: &str) -> Result<f32, String> {
    number(text, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))
}

/// Above 0 and below 1.
pub(crate) fn confidence(text: &str) -> Result<f64, String> {
    number(text, "a number above 0 and below 1", |x| x > 0.0 && x < 1.0)
}

/// Above 0 and up to 1.
pub(crate) fn part(text: &str) -> Result<f64, String> {
    number(text, "a number above 0 and up to 1", |x| x > 0.0 && x <= 1.0)
}

/// From 0.5 to 1.
pub(crate) fn similarity(text: &str) -> Result<f64, String> {
    number(text, "a number from 0.5 to 1", |x| (0.5..=1.0).contains(&x))
}

/// Above 0.
pub(crate) fn above_zero(text: &str) -> Result<f32, String> {
    number(text, "a number above 0", |x| x.is_finite() && x > 0.0)
}

/// At least 0.
pub(crate) fn not_negative(text: &str) -> Result<f32, String> {
    number(text, "a number of at least 0", |x| x.is_finite() && x >= 0.0)
}

/// A learning rate: at least 0, in double precision.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    number(text, "a number of at least 0", |x| x.is_finite() && x >= 0.0)
}

/// A number of documents of at least 1.
pub(crate) fn positive_count() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=u64::from(u32::MAX))
}

/// Above 0 and up to 1.
pub(crate) fn fraction_above_zero(text: &str) -> Result<f64, String> {
    number(text, "a number above 0 and up to 1", |x| x > 0.0 && x <= 1.0)
}

/// The units of the hidden layers; `none` for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) Vec<usize>);

/// Largest hidden layer.
const MOST_UNITS: usize = 1 << 16;

impl FromStr for Hidden {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let units = |part: &str| part.trim().parse().ok().filter(|n| (1..=MOST_UNITS).contains(n));
        text.split(',').map(units).collect::<Option<_>>().map(Self).ok_or_else(|| {
            format!("expected numbers from 1 to {MOST_UNITS} with commas (64,64), or `none`")
        })
    }
}

/// Numbers of characters; `none` for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lengths(pub(crate) Vec<usize>);

impl FromStr for Lengths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let length = |part: &str| part.trim().parse().ok().filter(|n| (1..=64).contains(n));
        text.split(',')
            .map(length)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| "expected numbers from 1 to 64 with commas (4,6), or `none`".to_owned())
    }
}

/// Numbers of characters, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range(pub(crate) usize, pub(crate) usize);

impl FromStr for Range {
    type Err = String;

    /// `3-5`, or `4` for `4-4`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        match (from.trim().parse(), to.trim().parse()) {
            (Ok(from), Ok(to)) if 1 <= from && from <= to && to <= 8 => Ok(Self(from, to)),
            _ => Err("expected two numbers from 1 to 8 with a dash (3-5), or `none`".into()),
        }
    }
}

/// What documents are held out: some of those to train on, or those of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HeldOut {
    Split(ValidationSplit),
    File(String),
}

impl FromStr for HeldOut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(split) => Ok(Self::Split(split)),
            // What is meant as a number is not the name of a file.
            Err(problem) if text.is_empty() || text.parse::<f64>().is_ok() => {
                Err(format!("{problem}, or a file"))
            }
            Err(_) => Ok(Self::File(text.to_owned())),
        }
    }
}

/// How much classes count: by a rule, or by a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ClassFactors {
    Rule(ClassWeight),
    File(PathBuf),
}

impl FromStr for ClassFactors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = ClassWeight::RULES.into_iter().find(|rule| rule.name() == text);
        match rule {
            Some(rule) => Ok(Self::Rule(rule)),
            None if text.is_empty() => {
                let names = ClassWeight::RULES.map(|rule| rule.name()).join(", ");
                Err(format!("expected {names}, or a file"))
            }
            None => Ok(Self::File(text.into())),
        }
    }
}

/// A number, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Optional<T>(pub(crate) Option<T>);

/// Why a value is not one.
pub(crate) trait Complaint {
    fn complaint(self) -> String;
}

impl Complaint for ParseIntError {
    fn complaint(self) -> String {
        "expected a whole number, or `none`".into()
    }
}

impl Complaint for String {
    fn complaint(self) -> String {
        self
    }
}

impl<T: FromStr<Err: Complaint>> FromStr for Optional<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            _ => match text.parse() {
                Ok(n) => Ok(Self(Some(n))),
                Err(problem) => Err(problem.complaint()),
            },
        }
    }
}

/// The names of the arguments that are given.
pub(super) fn given<const N: usize>(arguments: [(&'static str, bool); N]) -> Vec<&'static str> {
    arguments.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        assert_eq!(share("0.5"), Ok(0.5));
        assert_eq!((fraction("1"), part("1")), (Ok(1.0), Ok(1.0)));
        assert!(part("0").is_err() && part("1.1").is_err());
        assert_eq!(similarity("0.5"), Ok(0.5));
        for bad in ["1", "-0.1", "NaN", "inf", "x", ""] {
            assert!(share(bad).is_err(), "{bad}");
        }
        for bad in ["1.1", "NaN"] {
            assert!(fraction(bad).is_err() && probability(bad).is_err(), "{bad}");
            assert!(similarity(bad).is_err() && confidence(bad).is_err(), "{bad}");
        }
        for bad in ["0", "inf", "-1"] {
            assert!(above_zero(bad).is_err(), "{bad}");
        }
        assert!(not_negative("0").is_ok() && rate("0").is_ok());
        assert!(not_negative("-1").is_err() && rate("inf").is_err());
    }

    #[test]
    fn lengths_and_ranges_are_checked() {
        assert_eq!("4,6".parse(), Ok(Lengths(vec![4, 6])));
        assert_eq!("3-5".parse(), Ok(Optional(Some(Range(3, 5)))));
        assert_eq!("4".parse(), Ok(Range(4, 4)));
        assert_eq!("none".parse::<Optional<Range>>(), Ok(Optional(None)));
        for bad in ["5-3", "0-2", "3-9", "a-b", ""] {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
        assert!("4,0".parse::<Lengths>().is_err());
        assert_eq!(fraction_above_zero("1"), Ok(1.0));
        assert!(fraction_above_zero("0").is_err());
    }

    #[test]
    fn numbers_are_told_from_files() {
        let split = |text: &str| text.parse::<HeldOut>();
        assert_eq!(split("0.2"), Ok(HeldOut::Split(ValidationSplit::Fraction(0.2))));
        assert_eq!(split("none"), Ok(HeldOut::Split(ValidationSplit::None)));
        assert_eq!(split("held.csv"), Ok(HeldOut::File("held.csv".into())));
        assert!(split("1.5").unwrap_err().contains("a share (0.2)") && split("").is_err());
        assert_eq!("sqrt".parse(), Ok(ClassFactors::Rule(ClassWeight::SquareRoot)));
        assert_eq!("w.csv".parse(), Ok(ClassFactors::File("w.csv".into())));
        assert!("".parse::<ClassFactors>().is_err());
    }

    #[test]
    fn intervals_are_seconds_or_none() {
        assert_eq!(interval("none"), Ok(Interval::Never));
        assert_eq!(interval("1.5"), Ok(Interval::Every(Duration::from_millis(1500))));
        for bad in ["-1", "NaN", "1e30", "often", ""] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hidden_layers_are_a_list() {
        assert_eq!("64,32".parse(), Ok(Hidden(vec![64, 32])));
        assert_eq!("8".parse(), Ok(Hidden(vec![8])));
        assert_eq!("none".parse(), Ok(Hidden(vec![])));
        for bad in ["", "0", "64,", "64;32", "65537", "-1"] {
            assert!(bad.parse::<Hidden>().is_err(), "{bad}");
        }
    }
}

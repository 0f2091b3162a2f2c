//! Values of arguments, each with the range that the library demands, so that a value out of range
//! is a matter of the command line (exit code 2). Those of settings are read by the library.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use slugline::checkpoint::Interval;
use slugline::classifier::{ClassWeight, SettingsError, ValidationSplit};
use slugline::nn::MAX_THREADS;

/// A whole number of at least 1.
pub(crate) fn positive() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=u64::from(u32::MAX))
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

/// A list of numbers, under a name by which clap takes it for one value.
pub(crate) type List = Vec<usize>;

/// Reads the value of a setting as the library does: `field!(Settings.dropout)`.
macro_rules! field {
    ($Settings:ident.$field:ident) => {
        |words: &str| {
            let mut settings = $Settings::default();
            let set = settings.set(stringify!($field), &words.into());
            let complaint = set.err().map_or_else(String::new, $crate::options::parse::complaint);
            settings.$field.ok_or(complaint)
        }
    };
}

pub(super) use field;

/// What is wrong with a value, of which clap says the name.
pub(super) fn complaint(error: SettingsError) -> String {
    match error {
        SettingsError::Value { expected, .. } => format!("expected {expected}"),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use slugline::classifier::{LoadingSettings, OrNone, Settings};

    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        assert_eq!((probability("1"), part("1")), (Ok(1.0), Ok(1.0)));
        assert!(part("0").is_err() && part("1.1").is_err());
        assert_eq!(similarity("0.5"), Ok(0.5));
        for bad in ["1.1", "NaN", "x", ""] {
            assert!(probability(bad).is_err(), "{bad}");
            assert!(similarity(bad).is_err() && confidence(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_are_read_as_the_library_does() {
        assert_eq!(field!(Settings.hidden)("64,32"), Ok(vec![64, 32]));
        assert_eq!(field!(Settings.hidden)("none"), Ok(vec![]));
        assert_eq!(field!(Settings.patience)("none"), Ok(OrNone::None));
        assert_eq!(field!(Settings.char_ngrams)("4"), Ok(OrNone::Value((4, 4))));
        assert_eq!(field!(LoadingSettings.maxlen)("9"), Ok(OrNone::Value(9)));
        let refused = field!(Settings.hashing)("3").unwrap_err();
        assert_eq!(refused, "expected a number of bits from 4 to 30, or `none`");
        for bad in ["", "0", "64,", "64;32", "65537", "-1"] {
            assert!(field!(Settings.hidden)(bad).is_err(), "{bad}");
        }
        for bad in ["1", "-0.1", "NaN", "inf", "x", ""] {
            assert!(field!(Settings.dropout)(bad).is_err(), "{bad}");
        }
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
}

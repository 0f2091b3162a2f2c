//! Values of arguments, each with the range that the library demands, so that a value out of range
//! is a matter of the command line (exit code 2).

use std::str::FromStr;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use slugline::nn::MAX_THREADS;

/// A whole number of at least 1.
pub(crate) fn positive() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=u64::from(u32::MAX))
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

/// A number, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Optional<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for Optional<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            _ => match text.parse() {
                Ok(n) => Ok(Self(Some(n))),
                Err(_) => Err("expected a whole number, or `none`".into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        assert_eq!(share("0.5"), Ok(0.5));
        assert_eq!(fraction("1"), Ok(1.0));
        assert_eq!(similarity("0.5"), Ok(0.5));
        for bad in ["1", "-0.1", "NaN", "inf", "x", ""] {
            assert!(share(bad).is_err(), "{bad}");
        }
        for bad in ["1.1", "NaN"] {
            assert!(fraction(bad).is_err() && similarity(bad).is_err(), "{bad}");
        }
        for bad in ["0", "inf", "-1"] {
            assert!(above_zero(bad).is_err(), "{bad}");
        }
        assert!(not_negative("0").is_ok() && rate("0").is_ok());
        assert!(not_negative("-1").is_err() && rate("inf").is_err());
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

//! What thresholds are to achieve, as people write it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a threshold is fitted for, class by class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Aim {
    /// The best F1.
    F1,
    /// A precision of at least this share with as many answers as that leaves.
    Precision(f64),
    /// A recall of at least this share with the highest precision that this leaves.
    Recall(f64),
}

/// The thresholds that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Threshold {
    /// None: the most probable class is answered; for multi-label, classes from 0.5 on.
    #[default]
    None,
    /// One for all classes, from 0 to 1.
    All(f32),
    /// Fitted on held-out documents, one for each class.
    Fitted(Aim),
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F1 => f.write_str("f1"),
            Self::Precision(share) => write!(f, "precision={share}"),
            Self::Recall(share) => write!(f, "recall={share}"),
        }
    }
}

impl FromStr for Aim {
    type Err = String;

    /// `f1`, `precision=P` or `recall=R`, with a share above 0 and at most 1.
    fn from_str(text: &str) -> Result<Self, String> {
        let share = |text: &str| text.parse().ok().filter(|s| *s > 0.0 && *s <= 1.0);
        let found = match text.split_once('=') {
            None if text == "f1" => Some(Self::F1),
            Some(("precision", p)) => share(p).map(Self::Precision),
            Some(("recall", r)) => share(r).map(Self::Recall),
            _ => None,
        };
        found.ok_or_else(|| {
            "expected f1, precision=P or recall=R, with a share above 0 and at most 1".into()
        })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::All(threshold) => write!(f, "{threshold}"),
            Self::Fitted(aim) => aim.fmt(f),
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    /// `none`, a number from 0 to 1, or an [`Aim`].
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        if let Ok(threshold) = text.parse::<f32>() {
            return match (0.0..=1.0).contains(&threshold) {
                true => Ok(Self::All(threshold)),
                false => Err("expected a threshold from 0 to 1".into()),
            };
        }
        text.parse().map(Self::Fitted).map_err(|_| {
            "expected f1, precision=P or recall=R (shares above 0, at most 1), a number from 0 to 1, or \
             none"
                .into()
        })
    }
}

/// Forms that serde reads and writes: the words above.
macro_rules! as_words {
    ($($kind:ty),*) => {$(
        impl From<$kind> for String {
            fn from(value: $kind) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $kind {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
    )*};
}

as_words!(Aim, Threshold);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_as_printed() {
        for (text, want) in [
            ("none", Threshold::None),
            ("0.35", Threshold::All(0.35)),
            ("f1", Threshold::Fitted(Aim::F1)),
            ("precision=0.9", Threshold::Fitted(Aim::Precision(0.9))),
            ("recall=1", Threshold::Fitted(Aim::Recall(1.0))),
        ] {
            assert_eq!(text.parse(), Ok(want));
            assert_eq!(want.to_string(), text);
            let json = serde_json::to_string(&want).unwrap();
            assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), want);
        }
        for bad in [
            "",
            "1.5",
            "-0.1",
            "NaN",
            "F1",
            "precision",
            "precision=0",
            "precision=1.1",
            "recall=x",
        ] {
            assert!(bad.parse::<Threshold>().is_err(), "{bad}");
        }
    }
}

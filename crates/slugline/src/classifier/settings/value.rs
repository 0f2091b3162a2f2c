//! How a setting's value is read, checked and told.

use serde_json::{Number, Value as Json};

use super::{Base, Schedule, SettingsError};
use crate::classifier::{ClassWeight, ValidationSplit};
use crate::decision::Threshold;
use crate::nn::{Activation, EpsilonPlacement, Loss, Optimizer, SparseRule};
use crate::text::{FeatureScaling, Idf, Norm, Normalization, TermFrequency, TokenRule};

/// A value, or that there is to be none, where a setting that is left out means neither.
///
/// ```
/// use slugline::classifier::{OrNone, Settings};
///
/// let settings: Settings = serde_json::from_str(r#"{"patience": 3, "hashing": "none"}"#)?;
/// assert_eq!(settings.patience, Some(OrNone::Value(3)));
/// assert_eq!(settings.hashing, Some(OrNone::None));
/// assert_eq!(settings.class_spread, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrNone<T> {
    /// None: `none` in words.
    None,
    /// This one.
    Value(T),
}

impl<T> OrNone<T> {
    /// The value, if there is to be one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::None => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<T> From<Option<T>> for OrNone<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Self::Value)
    }
}

/// A type of values that have a form in words, which is that of the command line, and one in JSON.
pub(super) trait Value: Sized {
    /// The value of these words.
    fn parse(words: &str) -> Option<Self>;

    /// The words that [`parse`](Self::parse) reads.
    fn show(&self) -> String;

    /// The value of a JSON value; words are understood in any case.
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::String(words) => Self::parse(words),
            Json::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// The value in JSON.
    fn json(&self) -> Json {
        Json::String(self.show())
    }

    /// The names that there are, where the value is one of a few.
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
}

/// Which values a setting takes.
pub(super) struct Rule<T: 'static> {
    expected: &'static str,
    names: fn() -> Vec<&'static str>,
    fits: fn(&T) -> bool,
    pub(super) show: fn(&T) -> String,
}

impl<T: Value> Rule<T> {
    /// Values that fit, and what to say where one does not.
    pub(super) const fn new(expected: &'static str, fits: fn(&T) -> bool) -> Self {
        Self { expected, names: Vec::new, fits, show: T::show }
    }

    /// Any value of a type of a few names.
    pub(super) const fn choice() -> Self {
        Self { expected: "", names: T::names, fits: |_| true, show: T::show }
    }

    /// The same rule for values that are told in another form.
    pub(super) const fn shown(self, show: fn(&T) -> String) -> Self {
        Self { show, ..self }
    }

    fn refused(&self, name: &'static str, value: String) -> SettingsError {
        let names = (self.names)();
        let expected = match names.is_empty() {
            true => self.expected.to_owned(),
            false => format!("one of {}", names.join(", ")),
        };
        SettingsError::Value { name, value, expected }
    }

    /// Reads the value of the setting `name`; `null` leaves it out.
    pub(super) fn read(&self, name: &'static str, json: &Json) -> Result<Option<T>, SettingsError> {
        if json.is_null() {
            return Ok(None);
        }
        let value = T::read(json).filter(self.fits);
        value.map(Some).ok_or_else(|| self.refused(name, json.to_string()))
    }

    /// Checks a value that a program has set.
    pub(super) fn check(&self, name: &'static str, value: Option<&T>) -> Result<(), SettingsError> {
        match value.filter(|value| !(self.fits)(value)) {
            Some(value) => Err(self.refused(name, (self.show)(value))),
            None => Ok(()),
        }
    }
}

impl Rule<&'static str> {
    /// One of the names of losses.
    pub(super) const LOSS: Self = Self {
        names: || Loss::NAMES.to_vec(),
        fits: |name| Loss::NAMES.contains(name),
        ..Self::choice()
    };
    /// One of the names of optimizers.
    pub(super) const OPTIMIZER: Self = Self {
        names: || Optimizer::NAMES.to_vec(),
        fits: |name| Optimizer::NAMES.contains(name),
        ..Self::choice()
    };
}

macro_rules! numbers {
    ($($number:ty => $json:expr),* $(,)?) => {$(
        impl Value for $number {
            fn parse(words: &str) -> Option<Self> {
                words.trim().parse().ok()
            }

            fn show(&self) -> String {
                self.to_string()
            }

            fn json(&self) -> Json {
                let json: fn(&Self) -> Json = $json;
                json(self)
            }
        }
    )*};
}

numbers!(
    usize => |n| Json::from(*n),
    u32 => |n| Json::from(*n),
    u64 => |n| Json::from(*n),
    f64 => |x| Json::from(*x),
    // By its shortest form, so that 0.9 does not become 0.8999999761581421.
    f32 => |x| x.to_string().parse().ok().and_then(Number::from_f64).map_or(Json::Null, Json::Number),
);

impl Value for bool {
    fn parse(words: &str) -> Option<Self> {
        match words {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    fn show(&self) -> String {
        if *self { "yes".to_owned() } else { "no".to_owned() }
    }

    fn read(json: &Json) -> Option<Self> {
        json.as_bool().or_else(|| Self::parse(json.as_str()?))
    }

    fn json(&self) -> Json {
        Json::Bool(*self)
    }
}

impl<T: Value> Value for OrNone<T> {
    fn parse(words: &str) -> Option<Self> {
        match words {
            "none" => Some(Self::None),
            _ => T::parse(words).map(Self::Value),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Value(value) => value.show(),
        }
    }

    fn read(json: &Json) -> Option<Self> {
        match json.as_str() {
            Some("none") => Some(Self::None),
            _ => T::read(json).map(Self::Value),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::None => Json::String(self.show()),
            Self::Value(value) => value.json(),
        }
    }
}

/// A list, which is `none` where it is empty.
impl Value for Vec<usize> {
    fn parse(words: &str) -> Option<Self> {
        match words {
            "none" => Some(Self::new()),
            _ => words.split(',').map(usize::parse).collect(),
        }
    }

    fn show(&self) -> String {
        let numbers: Vec<String> = self.iter().map(ToString::to_string).collect();
        if numbers.is_empty() { "none".to_owned() } else { numbers.join(",") }
    }

    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Array(numbers) => numbers.iter().map(usize::read).collect(),
            Json::String(words) => Self::parse(words),
            number => usize::read(number).map(|number| vec![number]),
        }
    }

    fn json(&self) -> Json {
        if self.is_empty() { Json::String(self.show()) } else { Json::from(self.clone()) }
    }
}

/// The least and the most: `3-5`, or `4` for both.
impl Value for (usize, usize) {
    fn parse(words: &str) -> Option<Self> {
        let (from, to) = words.split_once('-').unwrap_or((words, words));
        Some((usize::parse(from)?, usize::parse(to)?))
    }

    fn show(&self) -> String {
        format!("{}-{}", self.0, self.1)
    }

    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Array(ends) => match ends.as_slice() {
                [from, to] => Some((usize::read(from)?, usize::read(to)?)),
                _ => None,
            },
            Json::String(words) => Self::parse(words),
            number => usize::read(number).map(|both| (both, both)),
        }
    }

    fn json(&self) -> Json {
        Json::from(vec![self.0, self.1])
    }
}

impl Value for ValidationSplit {
    fn parse(words: &str) -> Option<Self> {
        words.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn json(&self) -> Json {
        match self {
            Self::None => Json::String(self.show()),
            Self::First(n) | Self::Last(n) => n.json(),
            Self::Fraction(share) => share.json(),
        }
    }
}

impl Value for Threshold {
    fn parse(words: &str) -> Option<Self> {
        words.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn json(&self) -> Json {
        match self {
            Self::All(threshold) => threshold.json(),
            Self::None | Self::Fitted(_) => Json::String(self.show()),
        }
    }
}

impl Value for ClassWeight {
    fn parse(words: &str) -> Option<Self> {
        Self::RULES.into_iter().find(|rule| rule.name() == words)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }

    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Object(factors) => {
                let pairs = factors.iter().map(|(name, json)| {
                    let factor = json.is_number().then(|| f32::read(json)).flatten();
                    Some((name.clone(), factor?))
                });
                pairs.collect::<Option<_>>().map(Self::Named)
            }
            _ => Self::parse(json.as_str()?),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Named(factors) => {
                let pairs = factors.iter().map(|(name, factor)| (name.clone(), factor.json()));
                Json::Object(pairs.collect())
            }
            _ => Json::String(self.show()),
        }
    }
}

/// The name of a loss or of an optimizer.
impl Value for &'static str {
    fn parse(words: &str) -> Option<Self> {
        Loss::NAMES.into_iter().chain(Optimizer::NAMES).find(|name| *name == words)
    }

    fn show(&self) -> String {
        (*self).to_owned()
    }
}

macro_rules! choices {
    ($($choice:ty: $all:expr, $name:expr;)*) => {$(
        impl Value for $choice {
            fn parse(words: &str) -> Option<Self> {
                $all.into_iter().find(|choice| $name(*choice) == words)
            }

            fn show(&self) -> String {
                $name(*self).to_owned()
            }

            fn names() -> Vec<&'static str> {
                $all.into_iter().map($name).collect()
            }
        }
    )*};
}

choices!(
    Base: Self::ALL, Self::name;
    Activation: Self::ALL, Self::name;
    FeatureScaling: Self::ALL, Self::name;
    TermFrequency: Self::ALL, Self::name;
    Idf: Self::ALL, Self::name;
    Norm: Self::ALL, Self::name;
    TokenRule: Self::ALL, Self::name;
    Normalization: Self::ALL, Self::name;
    Schedule: Self::ALL, Self::name;
    EpsilonPlacement: [Self::InsideRoot, Self::OutsideRoot], placement;
    SparseRule: [Self::Dense, Self::Lazy], sparse_rule;
);

fn placement(placement: EpsilonPlacement) -> &'static str {
    match placement {
        EpsilonPlacement::InsideRoot => "inside",
        EpsilonPlacement::OutsideRoot => "outside",
    }
}

fn sparse_rule(rule: SparseRule) -> &'static str {
    match rule {
        SparseRule::Dense => "dense",
        SparseRule::Lazy => "lazy",
    }
}

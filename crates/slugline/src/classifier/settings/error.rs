//! What is wrong with settings.

use std::fmt;

/// Settings that cannot be used, alone or beside each other.
///
/// Names are those of the fields of [`Settings`](super::Settings); a program with names of another
/// form, such as `--max-df`, tells the error by [`with_names`](Self::with_names).
///
/// ```
/// use slugline::classifier::Settings;
///
/// let json = r#"{"preset": "notebook", "max_df": 0.5}"#;
/// let error = serde_json::from_str::<Settings>(json)?.plan().unwrap_err();
/// assert_eq!(error.to_string(), "max_df has no meaning for preset notebook; use preset text");
/// let told = error.with_names(|name| format!("--{}", name.replace('_', "-")));
/// assert_eq!(told, "--max-df has no meaning for --preset notebook; use --preset text");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no setting of that name.
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: &'static [&'static str],
    },
    /// A value that a setting does not take.
    Value {
        /// The setting.
        name: &'static str,
        /// The value.
        value: String,
        /// What was expected.
        expected: String,
    },
    /// Settings beside `auto`, which chooses them by itself.
    Chosen {
        /// The settings.
        names: Vec<&'static str>,
    },
    /// Settings that have no meaning for the preset.
    Preset {
        /// The settings.
        names: Vec<&'static str>,
        /// The preset.
        preset: &'static str,
        /// The preset for which they have one.
        instead: &'static str,
    },
    /// Settings that the optimizer does not have.
    Optimizer {
        /// The settings.
        names: Vec<&'static str>,
        /// The optimizer.
        optimizer: &'static str,
    },
    /// A setting that the loss does not have.
    Loss {
        /// The setting.
        name: &'static str,
        /// The loss.
        loss: &'static str,
        /// The losses that have it.
        instead: &'static str,
    },
    /// An alpha above 1 for the binary focal loss, which weighs no by what is left of 1.
    Alpha,
    /// Dropout without hidden layers.
    Dropout,
    /// Nothing held out for `auto` to choose by.
    NothingToChooseBy,
    /// The mean of the last epochs' weights, and one epoch's weights.
    AverageAndPatience,
    /// An average of more epochs than there are.
    Average {
        /// Epochs to average.
        average: usize,
        /// Epochs that there are.
        epochs: usize,
    },
}

impl SettingsError {
    /// The message with the names of settings in another form.
    pub fn with_names(&self, form: impl Fn(&str) -> String) -> String {
        let all = |names: &[&str]| -> String {
            let names: Vec<String> = names.iter().map(|name| form(name)).collect();
            names.join(", ")
        };
        match self {
            Self::Unknown { name, known } => {
                format!("unknown setting `{name}`; known are {}", all(known))
            }
            Self::Value { name, value, expected } => {
                format!("{} is {value}: expected {expected}", form(name))
            }
            Self::Chosen { names } => format!(
                "{} is chosen by {preset} auto; leave it out, or add {preset} text or notebook",
                all(names),
                preset = form("preset"),
            ),
            Self::Preset { names, preset, instead } => format!(
                "{} has no meaning for {of} {preset}; use {of} {instead}",
                all(names),
                of = form("preset"),
            ),
            Self::Optimizer { names, optimizer } => {
                format!("{} has no meaning for {} {optimizer}", all(names), form("optimizer"))
            }
            Self::Loss { name, loss, instead } => {
                format!("{} has no meaning for {} {loss}; use {instead}", form(name), form("loss"))
            }
            Self::Alpha => format!(
                "{} is from 0 to 1 for {} binary_focal_crossentropy",
                form("alpha"),
                form("loss")
            ),
            Self::Dropout => format!(
                "{} acts on hidden layers, and {} none leaves none",
                form("dropout"),
                form("hidden")
            ),
            Self::NothingToChooseBy => format!(
                "{} none leaves {} auto nothing to choose by",
                form("validation"),
                form("preset")
            ),
            Self::AverageAndPatience => format!(
                "{} takes the mean of the last epochs, and {} goes back to one of them; use one of the \
                 two",
                form("average"),
                form("patience")
            ),
            Self::Average { average, epochs } => {
                format!("{} {average} of only {epochs} epochs", form("average"))
            }
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_names(str::to_owned))
    }
}

impl std::error::Error for SettingsError {}

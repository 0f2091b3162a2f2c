//! Settings as the arguments that would make them.

use std::fmt::Display;

use slugline::classifier::{LoadingSettings, Setting, SettingsError, TrainingOptions};
use slugline::corpus::SequenceOptions;

use crate::failure::Failure;

/// The name of a setting's argument, without the dashes before it.
pub(crate) fn argument(name: &str) -> String {
    name.replace('_', "-")
}

/// All settings of a training run that have a say in it, under the names of their arguments.
pub(crate) fn training_settings(options: &TrainingOptions) -> Vec<(String, String)> {
    arguments(options.settings())
}

/// How the documents were loaded; the number of words is a setting of the training.
pub(crate) fn loading_settings(options: &SequenceOptions) -> Vec<(String, String)> {
    arguments(LoadingSettings::from(options).given())
}

fn arguments(settings: Vec<Setting>) -> Vec<(String, String)> {
    settings.into_iter().map(|Setting { name, value }| (argument(name), value)).collect()
}

/// Settings of `train` that cannot be used, under the names of their arguments.
pub(super) fn refused(error: &SettingsError) -> Failure {
    let problem = error.with_names(|name| format!("--{}", argument(name)));
    Failure::Usage { command: "train", problem }
}

/// A help text with the default.
pub(super) fn with(text: &str, default: impl Display) -> String {
    format!("{text} [default: {default}]")
}

/// A help text with the default, which is the first setting of the name.
pub(super) fn with_default(text: &str, name: &str, settings: &[Setting]) -> String {
    let found = settings.iter().find(|setting| setting.name == name);
    found.map_or_else(|| text.to_owned(), |setting| with(text, &setting.value))
}

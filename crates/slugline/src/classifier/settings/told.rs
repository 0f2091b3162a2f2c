//! Settings in words.

use super::table::{Given, Group};
use super::{LoadingSettings, Settings};
use crate::classifier::TrainingOptions;
use crate::text::{FeatureScaling, Selection};

/// A setting in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name of a field of [`Settings`] or [`LoadingSettings`].
    pub name: &'static str,
    /// Its value, as the command line takes it.
    pub value: String,
}

fn told(given: Vec<Given>) -> Vec<Setting> {
    given.into_iter().map(|one| Setting { name: one.name, value: one.words }).collect()
}

impl Settings {
    /// What is given, in words, in the order of the fields.
    ///
    /// ```
    /// use slugline::classifier::{Setting, Settings};
    ///
    /// let settings = Settings { hidden: Some(vec![64, 32]), lowercase: Some(false), ..Settings::default() };
    /// let told = settings.given().into_iter().map(|Setting { name, value }| format!("{name} {value}"));
    /// assert_eq!(told.collect::<Vec<_>>(), ["lowercase no", "hidden 64,32"]);
    /// ```
    pub fn given(&self) -> Vec<Setting> {
        told(self.entries())
    }

    /// The names of what is given and settled by a preset, where one is taken: of the training, of the
    /// optimizer, of the loss, and of text features.
    pub fn settling(&self) -> Vec<&'static str> {
        let groups = [Group::Training, Group::Optimizer, Group::Loss, Group::Text];
        groups.into_iter().flat_map(|group| self.names_of(group)).collect()
    }

    /// The names of what is given of a group.
    pub(super) fn names_of(&self, group: Group) -> Vec<&'static str> {
        let given = self.entries().into_iter();
        given.filter(|one| one.group == group).map(|one| one.name).collect()
    }
}

impl LoadingSettings {
    /// What is given, in words, in the order of the fields.
    pub fn given(&self) -> Vec<Setting> {
        told(self.entries())
    }
}

impl TrainingOptions {
    /// All settings that have a say, in words; those of loss and optimizer are their own. What a program
    /// has set otherwise than settings can is told all the same: frequencies that differ between kinds of
    /// features with slashes, a schedule as `custom`.
    ///
    /// ```
    /// use slugline::classifier::Preset;
    ///
    /// let settings = Preset::Notebook.options().settings();
    /// let rate = settings.iter().find(|setting| setting.name == "learning_rate").unwrap();
    /// assert_eq!(rate.value, "0.001");
    /// ```
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Settings::from(self).given();
        settings.retain(|setting| match setting.name {
            "preset" | "threads" => false,
            "feature_scaling" => self.feature_scaling != FeatureScaling::None,
            _ => true,
        });
        let mut settle = |name: &str, value: String| {
            settings.iter_mut().filter(|s| s.name == name).for_each(|s| s.value.clone_from(&value));
        };
        if let Some(features) = &self.vectorizer {
            let kinds = [features.words, features.ngrams, features.prefixes, features.chars];
            settle("min_df", each(kinds, |kind| kind.min_df.to_string()));
            settle("max_df", each(kinds, |kind| kind.max_df.to_string()));
        }
        if let Some(at) = settings.iter().position(|setting| setting.name == "learning_rate")
            && settings.get(at + 1).is_none_or(|next| next.name != "schedule")
        {
            settings.insert(at + 1, Setting { name: "schedule", value: "custom".to_owned() });
        }
        settings
    }
}

/// The value of all kinds of features, or where they differ that of each.
fn each(kinds: [Selection; 4], value: fn(&Selection) -> String) -> String {
    let values = kinds.each_ref().map(value);
    if values.iter().all(|one| *one == values[0]) { values[0].clone() } else { values.join("/") }
}

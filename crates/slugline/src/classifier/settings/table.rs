//! A struct of settings made of one table: group, name, type and rule of each.

use serde_json::Value as Json;

/// What a setting belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Goes with every preset, `auto` too.
    Common,
    /// Goes with every preset but `auto`.
    Training,
    /// Belongs to an optimizer.
    Optimizer,
    /// Belongs to a loss.
    Loss,
    /// Has a meaning for text features alone.
    Text,
    /// Has a meaning for a numbered corpus alone.
    Loading,
}

/// A setting that is given.
pub(super) struct Given {
    pub(super) group: Group,
    pub(super) name: &'static str,
    pub(super) words: String,
    pub(super) json: Json,
}

/// Makes the struct with what needs the list of its fields.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident {
            $($(#[$doc:meta])* $group:ident $field:ident: $T:ty = $rule:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $Name {
            $($(#[$doc])* pub $field: Option<$T>,)*
        }

        impl $Name {
            /// The names of all settings, in their order.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            /// Sets one setting by its name, to a value in JSON or in the words of the command line;
            /// `null` leaves it out.
            ///
            /// # Errors
            /// [`SettingsError::Unknown`] for a name that is none;
            /// [`SettingsError::Value`] for a value that the setting does not take.
            pub fn set(
                &mut self,
                name: &str,
                value: &serde_json::Value,
            ) -> Result<(), SettingsError> {
                match name {
                    $(stringify!($field) => {
                        const RULE: Rule<$T> = $rule;
                        self.$field = RULE.read(stringify!($field), value)?;
                    })*
                    _ => {
                        let (name, known) = (name.to_owned(), Self::NAMES);
                        return Err(SettingsError::Unknown { name, known });
                    }
                }
                Ok(())
            }

            /// What is given, in the order of the fields.
            fn entries(&self) -> Vec<Given> {
                let mut given = Vec::new();
                $(if let Some(value) = &self.$field {
                    const RULE: Rule<$T> = $rule;
                    given.push(Given {
                        group: Group::$group,
                        name: stringify!($field),
                        words: (RULE.show)(value),
                        json: value.json(),
                    });
                })*
                given
            }

            /// Checks every value for itself.
            fn check(&self) -> Result<(), SettingsError> {
                $({
                    const RULE: Rule<$T> = $rule;
                    RULE.check(stringify!($field), self.$field.as_ref())?;
                })*
                Ok(())
            }
        }

        impl Serialize for $Name {
            /// An object of what is given.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.entries().into_iter().map(|one| (one.name, one.json)))
            }
        }

        impl<'de> Deserialize<'de> for $Name {
            /// An object of any of the settings; `null` leaves one out.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let object = serde_json::Map::deserialize(deserializer)?;
                let mut settings = Self::default();
                for (name, value) in &object {
                    settings.set(name, value).map_err(D::Error::custom)?;
                }
                Ok(settings)
            }
        }
    };
}

pub(super) use settings;

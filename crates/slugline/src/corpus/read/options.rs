//! What a user may say of a file; what is not said is guessed.

use std::fmt;
use std::str::FromStr;

/// A form of labelled text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Fields between commas, semicolons or bars, in quotes where need be (RFC 4180).
    Csv,
    /// The same between tabs.
    Tsv,
    /// One JSON object a line.
    JsonLines,
    /// fastText's: `__label__grain wheat fell`, one document a line.
    FastText,
    /// A folder for each class, a file for each document.
    Folder,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] =
        [Self::Csv, Self::Tsv, Self::JsonLines, Self::FastText, Self::Folder];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::JsonLines => "jsonl",
            Self::FastText => "fasttext",
            Self::Folder => "folder",
        }
    }

    /// What it is, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::JsonLines => "JSON lines",
            Self::FastText => "fastText lines",
            Self::Folder => "a folder a class",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// What a bad row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Ends the reading with an error. The default.
    #[default]
    Stop,
    /// Is left out, counted and listed.
    Skip,
}

/// Whether documents have labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelUse {
    /// Each has; one without is a bad row. The default.
    #[default]
    Required,
    /// They are not asked for: every document has none of any number.
    Ignored,
}

/// How files are read. Columns are those of a table, or keys of JSON objects; in a table without a
/// header they are called `1`, `2` and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format; `None`, the default, to guess it.
    pub format: Option<Format>,
    /// Columns with the text, joined by a newline; empty, the default, to guess one.
    pub text: Vec<String>,
    /// Column with the label; `None`, the default, to guess it.
    pub label: Option<String>,
    /// What stands between several labels in one field; `None`, the default, for one label a field.
    pub label_separator: Option<String>,
    /// Column with the weight of a document; `None`, the default, for 1 each.
    pub weight: Option<String>,
    /// Column that says whether a document is for training, validation or testing. By default a
    /// column called `split` or `set` that says nothing else is taken.
    pub split: Option<String>,
    /// Whether the first row of a table names its columns; `None`, the default, to guess.
    pub header: Option<bool>,
    /// What stands between fields; `None`, the default, to guess.
    pub delimiter: Option<u8>,
    /// What fastText's labels begin with. Default `__label__`.
    pub label_prefix: String,
    /// Whether a document may have any number of labels; `None`, the default, if one has several, or
    /// there is a separator.
    pub multi_label: Option<bool>,
    /// Whether labels are needed.
    pub labels: LabelUse,
    /// The classes, where they are known; another label is a bad row then. `None`, the default, for
    /// those of the data, sorted by name.
    pub class_names: Option<Vec<String>>,
    /// What a bad row does.
    pub on_error: OnError,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            text: Vec::new(),
            label: None,
            label_separator: None,
            weight: None,
            split: None,
            header: None,
            delimiter: None,
            label_prefix: "__label__".into(),
            multi_label: None,
            labels: LabelUse::Required,
            class_names: None,
            on_error: OnError::Stop,
        }
    }
}

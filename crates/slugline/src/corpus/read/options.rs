//! What a user may say of a file; what is not said is guessed.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::corpus::Content;

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
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow's inter-process format, also called Feather: file or stream.
    Arrow,
    /// SVMlight's and libsvm's: labels, then pairs of a feature and its value. There is no text: that of
    /// a document is its list of pairs.
    SvmLight,
    /// A folder for each class, a file for each document.
    Folder,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::Csv,
        Self::Tsv,
        Self::JsonLines,
        Self::FastText,
        Self::Parquet,
        Self::Arrow,
        Self::SvmLight,
        Self::Folder,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::JsonLines => "jsonl",
            Self::FastText => "fasttext",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::SvmLight => "svmlight",
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
            Self::Parquet => "Parquet",
            Self::Arrow => "Arrow",
            Self::SvmLight => "SVMlight lines",
            Self::Folder => "a folder a class",
        }
    }

    /// The format that files of such a name are usually in, `.gz` or `.zst` at its end passed over.
    ///
    /// ```
    /// use slugline::corpus::read::Format;
    ///
    /// assert_eq!(Format::of_name("wires/june.jsonl.gz"), Some(Format::JsonLines));
    /// assert_eq!(Format::of_name("wires.txt"), None);
    /// ```
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let plain = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending));
        let extension = Path::new(plain.unwrap_or(&name)).extension()?.to_str()?.to_owned();
        Some(match extension.as_str() {
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "jsonl" | "ndjson" => Self::JsonLines,
            "parquet" => Self::Parquet,
            "arrow" | "arrows" | "feather" | "ipc" => Self::Arrow,
            "svm" | "libsvm" | "svmlight" => Self::SvmLight,
            _ => return None,
        })
    }

    /// What the texts of documents in this format are.
    pub const fn content(self) -> Content {
        match self {
            Self::SvmLight => Content::Features,
            _ => Content::Text,
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
    /// Columns whose values come with each row, such as an id; none by default. Fit to score rows and
    /// write beside each answer what it is about; documents do not hold them.
    pub keep: Vec<String>,
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
            keep: Vec::new(),
            labels: LabelUse::Required,
            class_names: None,
            on_error: OnError::Stop,
        }
    }
}

impl ReadOptions {
    /// Whether there is nothing left to guess, so that texts can be scored as they come.
    pub(super) fn settled(&self) -> bool {
        self.labels == LabelUse::Ignored
            && match self.format {
                Some(Format::FastText | Format::SvmLight) => true,
                Some(Format::JsonLines) => !self.text.is_empty(),
                _ => false,
            }
    }
}

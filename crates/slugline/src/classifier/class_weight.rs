//! How much each class counts in training: by a rule, or by a file of factors.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::ClassifierError;
use crate::corpus::Labels;

/// How much each class counts in training.
///
/// Where a document has one class the factor multiplies its loss, and where it has a share of each
/// their mean by its shares does. Where it may have any number of classes the factor multiplies the
/// loss of the answers for the class that ought to be yes, and those that ought to be no count 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// All samples alike.
    #[default]
    None,
    /// `samples / (classes · samples of the class)`, as scikit-learn's `balanced`. Of independent
    /// classes `(samples without the class) / (samples with it)`, by which both answers have the same
    /// say, as scikit-learn's `balanced` in a classifier for each class.
    Balanced,
    /// In proportion to `1 / √(samples of the class)`, with a mean of 1 over the samples. Of independent
    /// classes the square root of the balanced factor.
    SquareRoot,
    /// A factor for each class named, 1 for the others.
    Named(BTreeMap<String, f32>),
}

impl ClassWeight {
    /// The rules that have a name.
    pub const RULES: [Self; 3] = [Self::None, Self::Balanced, Self::SquareRoot];

    /// The name on the command line; `custom` for factors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Balanced => "balanced",
            Self::SquareRoot => "sqrt",
            Self::Named(_) => "custom",
        }
    }

    /// The factor of each class, given the number of documents of each; 1 for a class without any.
    pub(super) fn factors(
        &self,
        sizes: &[f64],
        labels: &Labels,
        class_names: &[String],
    ) -> Result<Vec<f32>, ClassifierError> {
        let samples = labels.len() as f64;
        let roots: f64 = sizes.iter().map(|size| size.sqrt()).sum();
        let independent = matches!(labels, Labels::Multi(_));
        let by_size = |size: f64| match (self, independent) {
            (Self::Balanced, false) => samples / (sizes.len() as f64 * size),
            // Their mean over the samples is 1, so that the learning rate keeps its meaning.
            (Self::SquareRoot, false) => samples / (roots * size.sqrt()),
            (Self::Balanced, true) if size < samples => (samples - size) / size,
            (Self::SquareRoot, true) if size < samples => ((samples - size) / size).sqrt(),
            _ => 1.0,
        };
        if let Self::Named(factors) = self {
            self.check_names(class_names)?;
            let of = |name: &String| factors.get(name).copied().unwrap_or(1.0);
            return Ok(class_names.iter().map(of).collect());
        }
        let factor = |&size: &f64| if size > 0.0 { by_size(size) as f32 } else { 1.0 };
        Ok(sizes.iter().map(factor).collect())
    }

    /// Checks that every factor is for one of the classes.
    pub(super) fn check_names(&self, class_names: &[String]) -> Result<(), ClassifierError> {
        let Self::Named(factors) = self else { return Ok(()) };
        match factors.keys().find(|name| !class_names.contains(name)) {
            None => Ok(()),
            Some(name) => Err(ClassifierError::ClassWeightName {
                name: name.clone(),
                known: listed(class_names),
            }),
        }
    }
}

/// Names for a message, the first dozen of many.
fn listed(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().take(12).map(String::as_str).collect();
    if names.len() > shown.len() {
        shown.push("…");
    }
    shown.join(", ")
}

/// What is wrong with a file of factors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassWeightError {
    /// The system refuses to read it.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file as a whole is not what it should be.
    #[error("{}: {problem}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        problem: String,
    },
    /// An entry is bad.
    #[error("{}:{row}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line in a table, the number of the entry in JSON, counted from 1.
        row: u64,
        /// What was expected and found.
        problem: String,
    },
}

/// A file of factors for classes: a JSON object `{"class": factor}`, or lines `class,factor`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassWeightFile {
    path: PathBuf,
    /// Row, name and factor.
    rows: Vec<(u64, String, f32)>,
}

impl ClassWeightFile {
    /// Reads a file. What begins with `{` is JSON; anything else a CSV table of two columns, whose
    /// first line may name them `class` and `factor` (or `weight`).
    ///
    /// ```
    /// use slugline::classifier::{ClassWeight, ClassWeightFile};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("weights.csv");
    /// std::fs::write(&path, "class,factor\ngrain,2\nmetal,0.5\n")?;
    /// let classes = ["grain".to_owned(), "metal".to_owned(), "trade".to_owned()];
    /// let weight = ClassWeightFile::read(&path)?.for_classes(&classes)?;
    /// assert_eq!(weight, ClassWeight::Named([("grain".into(), 2.0), ("metal".into(), 0.5)].into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClassWeightError`] if it cannot be read, is empty, or an entry has no factor of at least 0, or
    /// the name of an earlier one.
    pub fn read(path: &Path) -> Result<Self, ClassWeightError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ClassWeightError::Io { path: path.to_owned(), source })?;
        let form = |problem| ClassWeightError::Form { path: path.to_owned(), problem };
        let bad = |row, problem| ClassWeightError::Row { path: path.to_owned(), row, problem };
        let text = text.trim_start_matches('\u{feff}');
        let entries = match text.trim_start().starts_with('{') {
            true => from_json(text).map_err(form)?,
            false => from_csv(text).map_err(|(row, problem)| bad(row, problem))?,
        };
        if entries.is_empty() {
            return Err(form("expected a factor for a class at least, found none".into()));
        }
        let mut rows: Vec<(u64, String, f32)> = Vec::with_capacity(entries.len());
        for (row, name, factor) in entries {
            if rows.iter().any(|(_, known, _)| *known == name) {
                return Err(bad(row, format!("the class {name:?} has a factor already")));
            }
            let factor = factor.map_err(|found| {
                let expected = "a number of at least 0";
                bad(
                    row,
                    format!("factor of the class {name:?}: expected {expected}, found {found}"),
                )
            })?;
            rows.push((row, name, factor));
        }
        Ok(Self { path: path.to_owned(), rows })
    }

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The factors, if every one is of one of these classes.
    ///
    /// # Errors
    /// [`ClassWeightError::Row`] for one that is not.
    pub fn for_classes(&self, class_names: &[String]) -> Result<ClassWeight, ClassWeightError> {
        let unknown = self.rows.iter().find(|(_, name, _)| !class_names.contains(name));
        if let Some((row, name, _)) = unknown {
            let known = listed(class_names);
            let problem = format!("{name:?} is none of the {} classes: {known}", class_names.len());
            return Err(ClassWeightError::Row { path: self.path.clone(), row: *row, problem });
        }
        let pairs = self.rows.iter().map(|(_, name, factor)| (name.clone(), *factor));
        Ok(ClassWeight::Named(pairs.collect()))
    }
}

/// Row, name, and the factor or what stands in its place.
type Entry = (u64, String, Result<f32, String>);

fn valid(factor: f32) -> bool {
    factor.is_finite() && factor >= 0.0
}

fn from_csv(text: &str) -> Result<Vec<Entry>, (u64, String)> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut entries = Vec::new();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|error| {
            (error.position().map_or(0, csv::Position::line), error.to_string())
        })?;
        let row = record.position().map_or(0, csv::Position::line);
        let (Some(name), Some(factor), 2) = (record.get(0), record.get(1), record.len()) else {
            return Err((row, format!("expected class,factor, found {} fields", record.len())));
        };
        if i == 0 && ["factor", "weight"].contains(&factor.to_lowercase().as_str()) {
            continue;
        }
        let number = factor.parse().ok().filter(|&factor| valid(factor));
        entries.push((row, name.to_owned(), number.ok_or_else(|| format!("{factor:?}"))));
    }
    Ok(entries)
}

/// The entries of an object in their order, those of the same name included.
struct Object(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of a factor for each class")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

fn from_json(text: &str) -> Result<Vec<Entry>, String> {
    let Object(entries) = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let entry = |(row, (name, value)): (u64, (String, serde_json::Value))| {
        let number = value.as_f64().map(|factor| factor as f32).filter(|&factor| valid(factor));
        (row, name, number.ok_or_else(|| value.to_string()))
    };
    Ok((1..).zip(entries).map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ClassWeight, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w");
        std::fs::write(&path, text).unwrap();
        let classes = ["a".to_owned(), "b c".to_owned()];
        let file = ClassWeightFile::read(&path).and_then(|file| file.for_classes(&classes));
        file.map_err(|error| error.to_string().replace(path.to_str().unwrap(), "w"))
    }

    #[test]
    fn tables_and_objects_say_the_same() {
        let want = ClassWeight::Named([("a".to_owned(), 2.0), ("b c".to_owned(), 0.5)].into());
        for text in [
            "a,2\nb c,0.5\n",
            "\u{feff}Class,Weight\r\n\"b c\", 0.5\r\na,2.0",
            "{\"a\": 2, \"b c\": 5e-1}",
            " {\"b c\": 0.5,\n\"a\": 2.0}\n",
        ] {
            assert_eq!(read(text).unwrap(), want, "{text:?}");
        }
        let json = serde_json::to_string(&want).unwrap();
        assert_eq!(serde_json::from_str::<ClassWeight>(&json).unwrap(), want);
    }

    #[test]
    fn bad_entries_are_named_by_row() {
        for (text, want) in [
            ("", "w: expected a factor for a class at least"),
            ("{}", "w: expected a factor for a class at least"),
            ("a,2\nx,1\n", "w:2: \"x\" is none of the 2 classes: a, b c"),
            ("{\"a\": 1, \"x\": 1}", "w:2: \"x\" is none"),
            ("a,2\na,3\n", "w:2: the class \"a\" has a factor already"),
            ("{\"a\": 1, \"a\": 1}", "w:2: the class \"a\" has a factor already"),
            (
                "a,two\n",
                "w:1: factor of the class \"a\": expected a number of at least 0, found \"two\"",
            ),
            ("a,-1\n", "found \"-1\""),
            ("a,inf\n", "found \"inf\""),
            (
                "{\"a\": \"2\"}",
                "w:1: factor of the class \"a\": expected a number of at least 0, found \"2\"",
            ),
            ("{\"a\": 1e300}", "found 1e+300"),
            ("a\n", "w:1: expected class,factor, found 1 fields"),
            ("a,1,2\n", "found 3 fields"),
            ("{\"a\": 1", "w: EOF while parsing"),
            ("[1]", "w:1: expected class,factor"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(want), "{text:?}: {error} should contain {want}");
        }
        assert!(ClassWeightFile::read(Path::new("/no/such/file")).is_err());
    }
}

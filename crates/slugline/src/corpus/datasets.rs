//! The corpora that are known by name, and where they are on this machine.
//!
//! ```
//! use std::ops::ControlFlow;
//! use slugline::corpus::fetch::Locator;
//! use slugline::corpus::{Dataset, SequenceOptions};
//!
//! let dataset: Dataset = "sample".parse()?;
//! let options = SequenceOptions { num_words: Some(10_000), ..Default::default() };
//! let corpus = dataset.load(&options, &Locator::from_env(), &mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(corpus.class_names.len(), 46);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::str::FromStr;

use super::fetch::{FetchError, Locator, Progress, REUTERS_ARCHIVE};
use super::reuters::{self, Source, Variant};
use super::{Corpus, CorpusError, Documents, SequenceOptions, Sequences, sample};

/// A corpus that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dataset {
    /// `sample`: the embedded corpus of generated newswires; see [`sample`].
    Sample,
    /// `reuters` and `reuters-clean`: Reuters newswires by topic; see [`reuters`].
    Reuters(Variant),
}

/// Where a [`Dataset`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In the program itself.
    Embedded,
    /// In files on this machine.
    Files(Source),
    /// Nowhere on this machine.
    Missing,
}

/// Why a dataset could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A name that is none of the datasets'.
    #[error("there is no dataset {name:?}; known are {}", Dataset::NAMES.join(", "))]
    Unknown {
        /// The name given.
        name: String,
    },
    /// Its files are not on this machine and could not be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Its files cannot be read, or an option cannot be used.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
}

impl Dataset {
    /// Every dataset.
    pub const ALL: [Self; 3] =
        [Self::Sample, Self::Reuters(Variant::Original), Self::Reuters(Variant::Clean)];

    /// The names, in the order of [`ALL`](Self::ALL).
    pub const NAMES: [&'static str; 3] =
        [Self::ALL[0].name(), Self::ALL[1].name(), Self::ALL[2].name()];

    /// The name on the command line, which is also that of the [`Corpus`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sample => sample::NAME,
            Self::Reuters(variant) => variant.name(),
        }
    }

    /// One sentence on what this is; says so if the texts are generated.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Sample => sample::DESCRIPTION,
            Self::Reuters(variant) => variant.description(),
        }
    }

    /// Where the dataset is, without a download.
    ///
    /// In the first of the locator's folders that offers it, the fullest source first
    /// ([`Source::in_folder`]). Keras's files do not count for `reuters-clean`, which needs texts.
    pub fn location(self, locator: &Locator) -> Location {
        let Self::Reuters(variant) = self else { return Location::Embedded };
        let usable = |source: &Source| {
            variant == Variant::Original || !matches!(source, Source::Keras { .. })
        };
        let found = locator.folders().into_iter().filter_map(Source::in_folder).find(usable);
        found.map_or(Location::Missing, Location::Files)
    }

    /// Sees to it that the dataset is on this machine, by a download if need be, and says where.
    ///
    /// What is downloaded is always the archive of the original newswires: Keras's files number
    /// words of equal frequency otherwise, so that a model would depend on which server answered.
    /// `progress` is that of [`Locator::obtain`].
    ///
    /// # Errors
    /// As [`Locator::obtain`].
    pub fn fetch(
        self,
        locator: &Locator,
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Location, FetchError> {
        match self.location(locator) {
            Location::Missing => {
                let archive = locator.obtain(&REUTERS_ARCHIVE, progress)?;
                Ok(Location::Files(Source::Archive(archive)))
            }
            here => Ok(here),
        }
    }

    /// Loads the dataset, after a download if need be.
    ///
    /// # Errors
    /// [`DatasetError::Fetch`] if it is nowhere and cannot be downloaded, [`DatasetError::Corpus`]
    /// if its files cannot be read or an option cannot be used.
    pub fn load(
        self,
        options: &SequenceOptions,
        locator: &Locator,
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Corpus, DatasetError> {
        match (self, self.fetch(locator, progress)?) {
            (Self::Reuters(variant), Location::Files(source)) => {
                Ok(reuters::load(&source, variant, options)?)
            }
            _ => Ok(sample::load(options)?),
        }
    }
}

/// The texts of a dataset, in the parts and the order of the numbered [`Corpus`].
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetDocuments {
    /// Documents to train on.
    pub train: Documents,
    /// Documents kept apart for the final score.
    pub test: Documents,
}

impl Dataset {
    /// Loads the texts of the dataset, after a download if need be: the same documents in the same
    /// parts and order as [`load`](Self::load) gives with the default options. The texts of `sample`,
    /// and those of Keras's files, are their words with spaces between them.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn documents(
        self,
        locator: &Locator,
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<DatasetDocuments, DatasetError> {
        let options = SequenceOptions::default();
        match (self, self.fetch(locator, progress)?) {
            (
                Self::Reuters(variant),
                Location::Files(source @ (Source::Archive(_) | Source::Folder(_))),
            ) => {
                let all = reuters::documents(&source, variant)?;
                let split = all.split(&options)?;
                let part = |positions: &[usize]| {
                    let mut part = Documents::new(all.class_names.clone());
                    for &i in positions {
                        let document = &all.documents[i];
                        part.push(&document.text, document.label);
                    }
                    part
                };
                Ok(DatasetDocuments { train: part(&split.train), test: part(&split.test) })
            }
            (_, location) => {
                let corpus = match (self, location) {
                    (Self::Reuters(variant), Location::Files(source)) => {
                        reuters::load(&source, variant, &options)?
                    }
                    _ => sample::load(&options)?,
                };
                let part = |sequences: &Sequences| {
                    let mut part = Documents::new(corpus.class_names.clone());
                    for (ids, &label) in sequences.iter().zip(sequences.labels()) {
                        let word = |&id: &u32| {
                            corpus.word_index.word(id.checked_sub(corpus.options.index_from)?)
                        };
                        let words: Vec<&str> = ids.iter().filter_map(word).collect();
                        part.push(&words.join(" "), label);
                    }
                    part
                };
                Ok(DatasetDocuments { train: part(&corpus.train), test: part(&corpus.test) })
            }
        }
    }
}

impl Location {
    /// The files or the folder; none for what is embedded or missing.
    pub fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::Embedded | Self::Missing => Vec::new(),
            Self::Files(Source::Archive(path) | Source::Folder(path)) => vec![path.clone()],
            Self::Files(Source::Keras { npz, word_index }) => {
                vec![npz.clone(), word_index.clone()]
            }
        }
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dataset {
    type Err = DatasetError;

    fn from_str(name: &str) -> Result<Self, DatasetError> {
        Self::ALL
            .into_iter()
            .find(|dataset| dataset.name() == name)
            .ok_or_else(|| DatasetError::Unknown { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn offline(folder: &std::path::Path) -> Locator {
        Locator::default().with_env_dir(Some(folder.to_owned())).with_offline(true)
    }

    #[test]
    fn names_lead_to_datasets() {
        for dataset in Dataset::ALL {
            assert_eq!(dataset.name().parse::<Dataset>().unwrap(), dataset);
        }
        let err = "router".parse::<Dataset>().unwrap_err().to_string();
        assert_eq!(err, "there is no dataset \"router\"; known are sample, reuters, reuters-clean");
    }

    #[test]
    fn the_sample_needs_no_folder() {
        let locator = Locator::default().with_offline(true);
        assert_eq!(Dataset::Sample.location(&locator), Location::Embedded);
        let corpus = Dataset::Sample
            .load(&SequenceOptions::default(), &locator, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        assert_eq!(
            (corpus.name.as_str(), corpus.description.as_str()),
            (Dataset::Sample.name(), Dataset::Sample.description())
        );
    }

    #[test]
    fn keras_files_serve_the_variant_that_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let (original, clean) =
            (Dataset::Reuters(Variant::Original), Dataset::Reuters(Variant::Clean));
        let locator = offline(folder.path());
        assert_eq!(original.location(&locator), Location::Missing);

        for name in [reuters::KERAS_NPZ, reuters::KERAS_WORD_INDEX] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(original.location(&locator).paths().len(), 2);
        assert_eq!(clean.location(&locator), Location::Missing);
        let err = clean.fetch(&locator, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(matches!(err, FetchError::Offline(_)), "{err}");

        let archive = folder.path().join(reuters::ARCHIVE);
        fs::write(&archive, "").unwrap();
        for dataset in [original, clean] {
            assert_eq!(dataset.location(&locator).paths(), std::slice::from_ref(&archive));
        }
    }
}

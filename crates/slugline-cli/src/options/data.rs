//! Which corpus, and where its files are.

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use slugline::corpus::fetch::Locator;
use slugline::corpus::{Corpus, Dataset, DatasetDocuments, SequenceOptions, Sequences};

use super::parse::one_of;
use crate::failure::Failure;
use crate::output::{Console, DownloadBar};

/// Where data files are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Data files")]
pub(crate) struct DataArgs {
    /// Folder with the data files; no other place is searched then, and nothing downloaded
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Do not download what is missing
    #[arg(long)]
    offline: bool,
}

/// The name of a dataset.
pub(crate) fn dataset() -> impl TypedValueParser<Value = Dataset> {
    one_of(Dataset::NAMES, |name| name.parse().ok())
}

impl DataArgs {
    pub(crate) fn locator(&self) -> Locator {
        let locator = Locator::from_env().with_data_dir(self.data_dir.clone());
        let offline = self.offline || locator.offline();
        locator.with_offline(offline)
    }

    /// Loads a corpus, with a progress bar if it has to be downloaded.
    pub(crate) fn load(
        &self,
        dataset: Dataset,
        options: &SequenceOptions,
        console: Console,
    ) -> Result<Corpus, Failure> {
        let mut bar = DownloadBar::new(console);
        Ok(dataset.load(options, &self.locator(), &mut |progress| bar.show(progress))?)
    }
}

impl DataArgs {
    /// Loads the texts of a corpus, with a progress bar if it has to be downloaded.
    pub(crate) fn documents(
        &self,
        dataset: Dataset,
        console: Console,
    ) -> Result<DatasetDocuments, Failure> {
        let mut bar = DownloadBar::new(console);
        Ok(dataset.documents(&self.locator(), &mut |progress| bar.show(progress))?)
    }
}

/// The training or the test part of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Train,
    Test,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }

    /// What is scored, for people.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Train => "training part, held-out samples included",
            Self::Test => "test part",
        }
    }

    pub(crate) fn of(self, corpus: &Corpus) -> &Sequences {
        match self {
            Self::Train => &corpus.train,
            Self::Test => &corpus.test,
        }
    }
}

//! How a numbered corpus is loaded, as arguments.

use clap::Args;
use slugline::corpus::SequenceOptions;

use super::parse::{Optional, fraction, given};
use super::settings::{loading_settings, with};

/// [`with`] the default of a loading option.
fn loading(text: &str, name: &str) -> String {
    let options = SequenceOptions::default();
    let found = loading_settings(&options).into_iter().find(|setting| setting.name == name);
    found.map_or_else(|| text.to_owned(), |setting| with(text, setting.value))
}

/// How the documents of a numbered corpus are made from its words.
#[derive(Debug, Args)]
#[command(next_help_heading = "Loading")]
pub(crate) struct LoadingArgs {
    #[arg(long, value_name = "N",
        help = loading("Word ids below it are left out", "skip-top"))]
    skip_top: Option<u32>,
    #[arg(long, value_name = "N",
        help = loading("Documents with N ids or more are left out", "maxlen"))]
    maxlen: Option<Optional<usize>>,
    #[arg(long, value_name = "SHARE", value_parser = fraction,
        help = loading("Share of the documents kept for testing", "test-split"))]
    test_split: Option<f64>,
    #[arg(long, value_name = "N",
        help = loading("Seed of the shuffle before the split", "split-seed"))]
    split_seed: Option<u32>,
    #[arg(long, value_name = "ID",
        help = loading("Id put before every document, or `none`", "start-char"))]
    start_char: Option<Optional<u32>>,
    #[arg(long, value_name = "ID",
        help = loading("Id of a word that is left out, or `none` to drop it", "oov-char"))]
    oov_char: Option<Optional<u32>>,
    #[arg(long, value_name = "N",
        help = loading("Added to every word's rank", "index-from"))]
    index_from: Option<u32>,
}

impl LoadingArgs {
    /// The arguments that are given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        given([
            ("--skip-top", self.skip_top.is_some()),
            ("--maxlen", self.maxlen.is_some()),
            ("--test-split", self.test_split.is_some()),
            ("--split-seed", self.split_seed.is_some()),
            ("--start-char", self.start_char.is_some()),
            ("--oov-char", self.oov_char.is_some()),
            ("--index-from", self.index_from.is_some()),
        ])
    }

    /// The options that the arguments make, with word ids below `max_features`.
    pub(super) fn sequences(&self, max_features: usize) -> SequenceOptions {
        let default = SequenceOptions::default();
        SequenceOptions {
            num_words: u32::try_from(max_features).ok(),
            skip_top: self.skip_top.unwrap_or(default.skip_top),
            maxlen: self.maxlen.map_or(default.maxlen, |maxlen| maxlen.0),
            test_split: self.test_split.unwrap_or(default.test_split),
            seed: self.split_seed.unwrap_or(default.seed),
            start_char: self.start_char.map_or(default.start_char, |id| id.0),
            oov_char: self.oov_char.map_or(default.oov_char, |id| id.0),
            index_from: self.index_from.unwrap_or(default.index_from),
        }
    }
}

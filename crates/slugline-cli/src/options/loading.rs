//! How a numbered corpus is loaded, as arguments.

use clap::Args;
use slugline::classifier::{LoadingSettings, OrNone};
use slugline::corpus::SequenceOptions;

use super::parse::field;
use super::settings::with_default;

/// A help text with the default of a loading option.
fn loading(text: &str, name: &str) -> String {
    with_default(text, name, &LoadingSettings::from(&SequenceOptions::default()).given())
}

/// How the documents of a numbered corpus are made from its words.
#[derive(Debug, Args)]
#[command(next_help_heading = "Loading")]
pub(crate) struct LoadingArgs {
    #[arg(long, value_name = "N", value_parser = field!(LoadingSettings.skip_top),
        help = loading("Word ids below it are left out", "skip_top"))]
    skip_top: Option<u32>,
    #[arg(long, value_name = "N", value_parser = field!(LoadingSettings.maxlen),
        help = loading("Documents with N ids or more are left out", "maxlen"))]
    maxlen: Option<OrNone<usize>>,
    #[arg(long, value_name = "SHARE", value_parser = field!(LoadingSettings.test_split),
        help = loading("Share of the documents kept for testing", "test_split"))]
    test_split: Option<f64>,
    #[arg(long, value_name = "N", value_parser = field!(LoadingSettings.split_seed),
        help = loading("Seed of the shuffle before the split", "split_seed"))]
    split_seed: Option<u32>,
    #[arg(long, value_name = "ID", value_parser = field!(LoadingSettings.start_char),
        help = loading("Id put before every document, or `none`", "start_char"))]
    start_char: Option<OrNone<u32>>,
    #[arg(long, value_name = "ID", value_parser = field!(LoadingSettings.oov_char),
        help = loading("Id of a word that is left out, or `none` to drop it", "oov_char"))]
    oov_char: Option<OrNone<u32>>,
    #[arg(long, value_name = "N", value_parser = field!(LoadingSettings.index_from),
        help = loading("Added to every word's rank", "index_from"))]
    index_from: Option<u32>,
}

impl LoadingArgs {
    /// The settings that are given.
    pub(super) fn settings(&self) -> LoadingSettings {
        LoadingSettings {
            skip_top: self.skip_top,
            maxlen: self.maxlen,
            test_split: self.test_split,
            split_seed: self.split_seed,
            start_char: self.start_char,
            oov_char: self.oov_char,
            index_from: self.index_from,
        }
    }
}

//! How intervals of scores are found.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use slugline::evaluation::Bootstrap;

use super::parse::confidence;

/// The draws behind intervals.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct BootstrapArgs {
    /// Draws of documents by which intervals are found, 0 for none
    #[arg(long, value_name = "N", default_value_t = Bootstrap::default().resamples,
        value_parser = draws())]
    bootstrap: usize,
    /// Share of the draws that lies within an interval
    #[arg(long, value_name = "SHARE", default_value_t = Bootstrap::default().confidence,
        value_parser = confidence)]
    confidence: f64,
    /// Settles the draws
    #[arg(long, value_name = "N", default_value_t = Bootstrap::default().seed)]
    bootstrap_seed: u64,
}

/// A number of draws of documents.
fn draws() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(0..=1_000_000)
}

impl BootstrapArgs {
    pub(crate) fn bootstrap(self) -> Bootstrap {
        Bootstrap {
            resamples: self.bootstrap,
            confidence: self.confidence,
            seed: self.bootstrap_seed,
        }
    }
}

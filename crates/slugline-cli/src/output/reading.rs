//! The course of reading files.

use slugline::corpus::read::ReadProgress;

use super::Console;
use super::bar::{Bar, Template};

/// A bar on a terminal while files are read.
pub(crate) struct ReadBar(Bar);

impl ReadBar {
    pub(crate) fn new(console: Console) -> Self {
        Self(Bar::new(console, Template::EndlessBytes))
    }

    /// Shows how far the reading has come.
    pub(crate) fn show(&mut self, progress: ReadProgress) {
        let Some(bar) = self.0.drawn() else { return };
        if let Some(total) = progress.total.filter(|_| bar.position() == 0) {
            self.0.set_template(Template::Bytes);
            bar.set_length(total);
        }
        bar.set_position(progress.bytes);
    }
}

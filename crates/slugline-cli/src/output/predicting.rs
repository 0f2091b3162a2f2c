//! The course of answering.

use std::io::{self, IsTerminal};
use std::time::Instant;

use super::bar::{Bar, Template};
use super::{Console, grouped};

/// A bar on a terminal while rows are answered; not where the answers themselves go there.
pub(crate) struct PredictBar {
    bar: Bar,
    start: Instant,
    rows: u64,
}

impl PredictBar {
    /// `total` is the number of bytes, if known; `elsewhere` says that answers go to a file.
    pub(crate) fn new(console: Console, total: Option<u64>, elsewhere: bool) -> Self {
        let draws = console.draws() && (elsewhere || !io::stdout().is_terminal());
        let template = if total.is_some() { Template::Rows } else { Template::EndlessRows };
        let bar = Bar::drawn_if(draws, console, template);
        if let (Some(bar), Some(total)) = (bar.drawn(), total) {
            bar.set_length(total);
        }
        Self { bar, start: Instant::now(), rows: 0 }
    }

    /// So many more rows are answered, and so many bytes read in all.
    pub(crate) fn advance(&mut self, rows: u64, bytes: u64) {
        self.rows += rows;
        let Some(bar) = self.bar.drawn() else { return };
        let rate = self.rows as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!("{} rows, {}/s", grouped(self.rows), grouped(rate as u64)));
        bar.set_position(bytes);
    }

    /// Says something without the bar in its way.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }
}

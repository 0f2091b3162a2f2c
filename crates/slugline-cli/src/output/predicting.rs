//! The course of answering.

use std::io::{self, IsTerminal};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Console, grouped};

/// A bar on a terminal while rows are answered; not where the answers themselves go there.
pub(crate) struct PredictBar {
    bar: Option<ProgressBar>,
    start: Instant,
    rows: u64,
}

const TEMPLATE: &str = "{bar:30} {bytes} of {total_bytes}  {msg}  {eta} left";
/// Where nobody knows how much there is.
const ENDLESS: &str = "{spinner} {bytes}  {msg}";

impl PredictBar {
    /// `total` is the number of bytes, if known; `elsewhere` says that answers go to a file.
    pub(crate) fn new(console: Console, total: Option<u64>, elsewhere: bool) -> Self {
        let draws = console.draws() && (elsewhere || !io::stdout().is_terminal());
        let bar = draws.then(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            let template = if total.is_some() { TEMPLATE } else { ENDLESS };
            // The templates are constants that the tests draw.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        Self { bar, start: Instant::now(), rows: 0 }
    }

    /// So many more rows are answered, and so many bytes read in all.
    pub(crate) fn advance(&mut self, rows: u64, bytes: u64) {
        self.rows += rows;
        let Some(bar) = &self.bar else { return };
        let rate = self.rows as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!("{} rows, {}/s", grouped(self.rows), grouped(rate as u64)));
        bar.set_position(bytes);
    }

    /// Says something without the bar in its way.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

impl Drop for PredictBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        for template in [TEMPLATE, ENDLESS] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}

//! The course of reading files.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use slugline::corpus::read::ReadProgress;

use super::Console;

/// A bar on a terminal while files are read.
pub(crate) struct ReadBar(Option<ProgressBar>);

const TEMPLATE: &str = "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
/// Where nobody knows how much there is.
const ENDLESS: &str = "{spinner} {bytes}  {bytes_per_sec}";

impl ReadBar {
    pub(crate) fn new(console: Console) -> Self {
        Self(
            console
                .draws()
                .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())),
        )
    }

    /// Shows how far the reading has come.
    pub(crate) fn show(&mut self, progress: ReadProgress) {
        let Some(bar) = &self.0 else { return };
        if bar.position() == 0 {
            let template = if progress.total.is_some() { TEMPLATE } else { ENDLESS };
            // The templates are constants that the tests draw.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            if let Some(total) = progress.total {
                bar.set_length(total);
            }
        }
        bar.set_position(progress.bytes);
    }
}

impl Drop for ReadBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
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

//! The course of a download.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use slugline::corpus::fetch::{Phase, Progress};

use super::Console;

const TEMPLATE: &str = "{bar:30} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";

/// Tells of a download on standard error: in lines, with a bar below them on a terminal.
pub(crate) struct DownloadBar {
    console: Console,
    bar: Option<ProgressBar>,
    /// The line told last; one that would only repeat it is left out.
    told: String,
}

impl DownloadBar {
    pub(crate) fn new(console: Console) -> Self {
        Self { console, bar: None, told: String::new() }
    }

    /// What [`Locator::obtain`](slugline::corpus::fetch::Locator::obtain) is to call. Never stops a
    /// download: Ctrl-C ends the program, and the next run continues where this one was.
    pub(crate) fn show(&mut self, progress: Progress<'_>) -> ControlFlow<()> {
        let file = progress.file;
        match progress.phase {
            Phase::WaitingForLock => {
                self.tell(format!("waiting for another process that downloads {file}"));
            }
            Phase::Connecting { attempt } => {
                let url = progress.url.unwrap_or_default();
                let again =
                    if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
                self.tell(format!("downloading {file} from {url}{again}"));
            }
            Phase::Retrying { cause, .. } => self.tell(format!("{cause}; trying again")),
            Phase::Receiving => self.draw(progress),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn tell(&mut self, line: String) {
        if line != self.told {
            match &self.bar {
                Some(bar) => bar.suspend(|| self.console.note(format_args!("{line}"))),
                None => self.console.note(format_args!("{line}")),
            }
            self.told = line;
        }
    }

    fn draw(&mut self, progress: Progress<'_>) {
        if !self.console.draws() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is a constant that the tests draw.
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.received);
    }
}

impl Drop for DownloadBar {
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
    fn the_template_is_sound() {
        ProgressStyle::with_template(TEMPLATE).unwrap();
    }
}

//! The course of a download.

use std::ops::ControlFlow;

use slugline::corpus::fetch::{Phase, Progress};

use super::Console;
use super::bar::{Bar, Template};

/// Tells of a download on standard error: in lines, with a bar below them on a terminal.
pub(crate) struct DownloadBar {
    console: Console,
    bar: Option<Bar>,
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
                Some(bar) => bar.note(&line),
                None => self.console.note(format_args!("{line}")),
            }
            self.told = line;
        }
    }

    fn draw(&mut self, progress: Progress<'_>) {
        let bar = self.bar.get_or_insert_with(|| Bar::new(self.console, Template::Bytes));
        let Some(bar) = bar.drawn() else { return };
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.received);
    }
}

//! What all bars have in common.

use std::fmt;
use std::time::Duration;

use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::Console;

/// What a bar shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Template {
    /// Bytes of a known number.
    Bytes,
    /// Bytes where nobody knows how many there are.
    EndlessBytes,
    /// Bytes of a known number, and a message in place of their rate.
    Rows,
    /// Bytes where nobody knows how many there are, and a message in place of their rate.
    EndlessRows,
    /// Steps of a known number, and a message.
    Steps,
    /// A message.
    Message,
}

impl Template {
    fn style(self) -> Result<ProgressStyle, TemplateError> {
        let style = ProgressStyle::with_template(match self {
            Self::Bytes => "{bar:30} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
            Self::EndlessBytes => "{spinner} {bytes}  {bytes_per_sec}",
            Self::Rows => "{bar:30} {bytes} of {total_bytes}  {msg}  {eta} left",
            Self::EndlessRows => "{spinner} {bytes}  {msg}",
            Self::Steps => "{bar:30} {msg}  {eta} left",
            Self::Message => "{spinner} {msg}",
        })?;
        Ok(style.progress_chars("━╸─"))
    }
}

/// A bar on standard error that goes when its value does; none where the console draws none.
pub(crate) struct Bar {
    console: Console,
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(crate) fn new(console: Console, template: Template) -> Self {
        Self::drawn_if(console.draws(), console, template)
    }

    /// No bar unless `draws`.
    pub(super) fn drawn_if(draws: bool, console: Console, template: Template) -> Self {
        let bar = draws.then(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_finish(ProgressFinish::AndClear)
        });
        let bar = Self { console, bar };
        bar.set_template(template);
        bar
    }

    /// Goes on showing the time while nothing else changes.
    pub(crate) fn ticking(self) -> Self {
        if let Some(bar) = &self.bar {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        self
    }

    /// Shows something else from now on.
    pub(super) fn set_template(&self, template: Template) {
        // The test makes the style of each.
        if let (Some(bar), Ok(style)) = (&self.bar, template.style()) {
            bar.set_style(style);
        }
    }

    /// The bar, if there is one: what it shows need not be put together otherwise.
    pub(crate) fn drawn(&self) -> Option<&ProgressBar> {
        self.bar.as_ref()
    }

    /// Says something without the bar in its way.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// Says a line, as [`Console::note`] does, without the bar in its way.
    pub(crate) fn note(&self, line: impl fmt::Display) {
        self.suspend(|| self.console.note(format_args!("{line}")));
    }
}

#[cfg(test)]
mod tests {
    use super::Template::*;

    #[test]
    fn the_templates_are_sound() {
        for template in [Bytes, EndlessBytes, Rows, EndlessRows, Steps, Message] {
            template.style().unwrap();
        }
    }
}

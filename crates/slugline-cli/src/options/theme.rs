//! How pictures look.

use clap::ValueEnum;
use slugline::plot::Theme;

/// Colours of a plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum PlotTheme {
    /// Dark on white
    #[default]
    Light,
    /// Light on nearly black
    Dark,
}

impl PlotTheme {
    pub(crate) fn theme(self) -> Theme {
        match self {
            Self::Light => Theme::Light,
            Self::Dark => Theme::Dark,
        }
    }
}

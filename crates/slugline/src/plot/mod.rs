//! Pictures of a training, of a model and of its answers, as SVG or PNG, each with what it shows as
//! data.
//!
//! | picture | shows |
//! |---|---|
//! | [`Curves`] | loss and accuracy epoch by epoch, and where overfitting begins |
//! | [`Confusion`] | true classes against answers |
//! | [`ReliabilityDiagram`] | how confidence and accuracy agree |
//! | [`ClassSizes`] | the documents of each class |
//! | [`Architecture`] | the layers of the network |
//! | [`DocumentMap`] | documents as the last hidden layer sees them |
//! | [`Chart`] | any points, joined to lines |
//!
//! Each of them is a [`Picture`]; what it shows is its public fields, which serialise.
//!
//! Colours are those of Okabe & Ito (2008, "Color Universal Design"), which people with any kind of
//! colour vision can tell apart; series differ in their markers too. Ramps of colour rise or fall in
//! lightness all the way. Text is measured by and, in a PNG, drawn with a font that lies in the program:
//! none of the system is needed. Characters that it lacks are boxes there; in an SVG, text remains text.

mod architecture;
mod canvas;
mod chart;
mod classes;
mod colours;
mod components;
mod confusion;
mod curves;
mod map;
mod order;
mod raster;
mod reliability;
#[cfg(test)]
mod testing;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};

pub use architecture::{Architecture, LayerBox};
pub use chart::{Axis, Chart, Panel, Point, Rule, Series, Tick};
pub use classes::{ClassSize, ClassSizes};
pub use confusion::Confusion;
pub use curves::Curves;
pub use map::{DocumentMap, DocumentPoint, MOST_POINTS, MapClass, MapError};
pub use order::ClassOrder;
pub use reliability::ReliabilityDiagram;

/// Something that can be drawn.
pub trait Picture {
    /// The picture as SVG.
    ///
    /// # Errors
    /// [`PlotError::Draw`] for a number that is not finite, or where there is nothing to draw.
    fn svg(&self, theme: Theme) -> Result<String, PlotError>;

    /// The picture as PNG, two dots for each unit of length, or fewer where it would be huge.
    ///
    /// # Errors
    /// As [`svg`](Self::svg).
    fn png(&self, theme: Theme) -> Result<Vec<u8>, PlotError> {
        raster::png(&self.svg(theme)?)
    }

    /// The bytes of a file with the picture.
    ///
    /// # Errors
    /// As [`svg`](Self::svg).
    fn file(&self, format: PlotFormat, theme: Theme) -> Result<Vec<u8>, PlotError> {
        match format {
            PlotFormat::Svg => Ok(self.svg(theme)?.into_bytes()),
            PlotFormat::Png => self.png(theme),
        }
    }

    /// Writes the picture in the form that the name of the file tells.
    ///
    /// # Errors
    /// As [`svg`](Self::svg); [`PlotError::Ending`] and [`PlotError::Write`].
    fn save(&self, path: &Path, theme: Theme) -> Result<(), PlotError> {
        let bytes = self.file(PlotFormat::of(path)?, theme)?;
        std::fs::write(path, bytes)
            .map_err(|source| PlotError::Write { path: path.to_owned(), source })
    }
}

/// Colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark on white. The default.
    #[default]
    Light,
    /// Light on nearly black.
    Dark,
}

impl Theme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The form of a file with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotFormat {
    /// Scalable Vector Graphics.
    Svg,
    /// Portable Network Graphics, two dots for each unit of length.
    Png,
}

impl PlotFormat {
    /// The form that the name of a file ends with.
    ///
    /// # Errors
    /// [`PlotError::Ending`] for another one.
    pub fn of(path: &Path) -> Result<Self, PlotError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(PlotError::Ending { path: path.to_owned() }),
        }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The name of the file does not tell its form.
    #[error("{}: expected a name that ends in .svg or .png", path.display())]
    Ending {
        /// The name.
        path: PathBuf,
    },
    /// Documents that have no confusion matrix.
    #[error(
        "a confusion matrix takes documents of one class each, and these may have any number of labels"
    )]
    ManyLabels,
    /// It could not be drawn.
    #[error("cannot draw the picture: {problem}")]
    Draw {
        /// Why not.
        problem: String,
    },
    /// It could not be written.
    #[error("cannot write the picture {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl PlotError {
    fn draw(problem: impl fmt::Display) -> Self {
        Self::Draw { problem: problem.to_string() }
    }
}

/// A title with the name of what it is about before it, if it has one.
fn titled(name: &str, title: &str) -> String {
    match name {
        "" => title.to_owned(),
        name => format!("{name}: {title}"),
    }
}

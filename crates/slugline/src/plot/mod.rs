//! Pictures: points with their spread, joined to lines, in one or more panels, as SVG or PNG.
//!
//! Colours are those of Okabe & Ito (2008, "Color Universal Design"), which people with any kind of
//! colour vision can tell apart; series differ in their markers too. Text is measured by and, in a
//! PNG, drawn with a font that lies in the program: none of the system is needed.

mod draw;
mod raster;

use std::fmt;
use std::path::{Path, PathBuf};

/// A picture.
///
/// ```
/// use slugline::plot::{Axis, Chart, Panel, Point, Series, Theme};
///
/// let values = ["4", "16", "64"].map(String::from);
/// let axis = Axis::of("hidden", &values);
/// let points = axis.ticks.iter().zip([0.71, 0.80, 0.82]);
/// let points = points.map(|(tick, y)| Point { x: tick.at, y, spread: 0.01 }).collect();
/// let chart = Chart {
///     title: "A narrow layer".into(),
///     panels: vec![Panel {
///         x: axis,
///         y_label: "validation accuracy".into(),
///         series: vec![Series { name: String::new(), points }],
///     }],
///     theme: Theme::Light,
/// };
/// assert!(chart.svg()?.contains("validation accuracy"));
/// # Ok::<(), slugline::plot::PlotError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What stands above it.
    pub title: String,
    /// Its panels, from left to right.
    pub panels: Vec<Panel>,
    /// Its colours.
    pub theme: Theme,
}

/// A pair of axes and what is drawn between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The axis from left to right.
    pub x: Axis,
    /// What the axis from bottom to top shows.
    pub y_label: String,
    /// The lines.
    pub series: Vec<Series>,
}

/// A line through points.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend calls it; there is none where no series has a name.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<Point>,
}

/// A value and its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Place on the axis from left to right.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Length of the bar above it and of that below it; none is drawn for 0.
    pub spread: f64,
}

/// The axis from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it shows.
    pub label: String,
    /// The places that are named, from left to right.
    pub ticks: Vec<Tick>,
}

/// A named place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it is.
    pub at: f64,
    /// Its name.
    pub label: String,
}

/// Numbers that span more than this stand on a logarithmic axis.
const LINEAR: f64 = 8.0;

impl Axis {
    /// An axis for values of a setting. Rising numbers have their places by their sizes, on a
    /// logarithmic scale where they span more than a factor of 8; anything else stands in its order.
    pub fn of(label: impl Into<String>, values: &[String]) -> Self {
        let numbers: Option<Vec<f64>> =
            values.iter().map(|value| value.parse().ok().filter(|n: &f64| n.is_finite())).collect();
        let rising = numbers.filter(|all| all.len() > 1 && all.windows(2).all(|w| w[0] < w[1]));
        let places: Vec<f64> = match rising {
            None => (0..values.len()).map(|i| i as f64).collect(),
            Some(all) if all[0] > 0.0 && all[all.len() - 1] > LINEAR * all[0] => {
                all.iter().map(|&n| libm::log10(n)).collect()
            }
            Some(all) => all,
        };
        let ticks = values.iter().zip(places).map(|(label, at)| Tick { at, label: label.clone() });
        Self { label: label.into(), ticks: ticks.collect() }
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

impl Chart {
    /// The picture as SVG.
    ///
    /// # Errors
    /// [`PlotError::Draw`] for a number that is not finite, or a panel without points.
    pub fn svg(&self) -> Result<String, PlotError> {
        draw::svg(self)
    }

    /// The picture as PNG, two dots for each unit of length.
    ///
    /// # Errors
    /// As [`svg`](Self::svg).
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        raster::png(&self.svg()?, 2.0)
    }

    /// Writes the picture in the form that the name of the file tells.
    ///
    /// # Errors
    /// As [`svg`](Self::svg); [`PlotError::Ending`] and [`PlotError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), PlotError> {
        let bytes = match PlotFormat::of(path)? {
            PlotFormat::Svg => self.svg()?.into_bytes(),
            PlotFormat::Png => self.png()?,
        };
        std::fs::write(path, bytes)
            .map_err(|source| PlotError::Write { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[&str]) -> Vec<f64> {
        let values: Vec<String> = values.iter().copied().map(String::from).collect();
        Axis::of("x", &values).ticks.iter().map(|tick| tick.at).collect()
    }

    #[test]
    fn places_follow_sizes_where_there_are_any() {
        assert_eq!(axis(&["1", "2", "4"]), [1.0, 2.0, 4.0]);
        assert_eq!(axis(&["1", "10", "100"]), [0.0, 1.0, 2.0]);
        assert_eq!(axis(&["64x4", "64x64"]), [0.0, 1.0]);
        assert_eq!(axis(&["0", "0.5", "9"]), [0.0, 0.5, 9.0]);
        // Not in order, or twice the same: as they stand.
        assert_eq!(axis(&["4", "1"]), [0.0, 1.0]);
        assert_eq!(axis(&["1", "1"]), [0.0, 1.0]);
        assert_eq!(axis(&["inf", "NaN"]), [0.0, 1.0]);
    }

    fn chart(y: f64) -> Chart {
        let values = ["a<b", "c&d"].map(String::from);
        let x = Axis::of("setting \"x\"", &values);
        let series = |name: &str, y: f64| Series {
            name: name.into(),
            points: x.ticks.iter().map(|tick| Point { x: tick.at, y, spread: 0.01 }).collect(),
        };
        let series = vec![series("one", y), series("two", 0.5)];
        let panel = Panel { x: x.clone(), y_label: "accuracy".into(), series };
        Chart { title: "Title".into(), panels: vec![panel.clone(), panel], theme: Theme::Dark }
    }

    #[test]
    fn a_picture_has_its_words_and_is_the_same_each_time() {
        let chart = chart(0.7);
        let svg = chart.svg().unwrap();
        for word in
            ["Title", "accuracy", "one", "two", "a&lt;b", "c&amp;d", "setting &quot;x&quot;"]
        {
            assert!(svg.contains(word), "{word} in {svg}");
        }
        assert_eq!(svg, chart.svg().unwrap());
        assert_ne!(svg, Chart { theme: Theme::Light, ..chart }.svg().unwrap());
    }

    #[test]
    fn text_is_drawn_without_a_font_of_the_system() {
        let with = chart(0.7);
        let mut without = with.clone();
        without.title.clear();
        let [with, without] = [with, without].map(|chart| chart.png().unwrap());
        assert!(with.starts_with(b"\x89PNG"));
        assert_ne!(with, without);
    }

    #[test]
    fn nothing_is_drawn_of_nothing_or_of_no_number() {
        assert!(matches!(chart(f64::NAN).svg(), Err(PlotError::Draw { .. })));
        let mut empty = chart(0.5);
        empty.panels[0].series.clear();
        assert!(empty.svg().unwrap_err().to_string().contains("no points"));
        empty.panels.clear();
        assert!(empty.svg().is_err());
    }

    #[test]
    fn the_ending_tells_the_form() {
        let folder = tempfile::tempdir().unwrap();
        for (name, begins) in [("a.svg", &b"<svg"[..]), ("a.PNG", b"\x89PNG")] {
            let path = folder.path().join(name);
            chart(0.5).save(&path).unwrap();
            assert!(std::fs::read(&path).unwrap().starts_with(begins), "{name}");
        }
        let error = chart(0.5).save(&folder.path().join("a.gif")).unwrap_err().to_string();
        assert!(error.contains("a.gif: expected a name that ends in .svg or .png"), "{error}");
        let nowhere = chart(0.5).save(&folder.path().join("none/a.svg"));
        assert!(matches!(nowhere, Err(PlotError::Write { .. })));
    }
}

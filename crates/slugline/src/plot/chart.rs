//! Points with their spread, joined to lines, in one or more panels.

mod draw;

use super::canvas::ticks;
use super::{Picture, PlotError, Theme};

/// Lines through points, on one or more pairs of axes.
///
/// ```
/// use slugline::plot::{Axis, Chart, Panel, Picture, Point, Series, Theme};
///
/// let values = ["4", "16", "64"].map(String::from);
/// let axis = Axis::of("hidden", &values);
/// let points = axis.ticks.iter().zip([0.71, 0.80, 0.82]);
/// let points = points.map(|(tick, y)| Point { x: tick.at, y, spread: 0.01 }).collect();
/// let panel = Panel {
///     x: axis,
///     y_label: "validation accuracy".into(),
///     series: vec![Series { name: String::new(), points }],
///     rule: None,
/// };
/// let chart = Chart { title: "A narrow layer".into(), panels: vec![panel] };
/// assert!(chart.svg(Theme::Light)?.contains("validation accuracy"));
/// # Ok::<(), slugline::plot::PlotError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What stands above it.
    pub title: String,
    /// Its panels, from left to right.
    pub panels: Vec<Panel>,
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
    /// A place on the axis from left to right that is marked.
    pub rule: Option<Rule>,
}

/// A line from top to bottom at a place on an axis, with a label above it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Where it is.
    pub at: f64,
    /// What it says.
    pub label: String,
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

/// Numbers on an axis that counts.
const MOST_NAMED: usize = 10;

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

    /// An axis of numbers counted from 1, a few of which are named.
    pub fn counted(label: impl Into<String>, last: usize) -> Self {
        let mut named = ticks(0.0, last as f64, MOST_NAMED);
        named.retain(|&at| at >= 1.0 && at.fract() == 0.0);
        // The first one is named too where there is room beside the second.
        if named.first().is_none_or(|&first| first > 2.0) {
            named.insert(0, 1.0);
        }
        let ticks = named.into_iter().map(|at| Tick { at, label: at.to_string() });
        Self { label: label.into(), ticks: ticks.collect() }
    }
}

impl Picture for Chart {
    fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        draw::svg(self, theme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::PlotFormat;

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
        let counted = |last| {
            let ticks = Axis::counted("epoch", last).ticks;
            ticks.iter().map(|tick| tick.label.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(counted(1), "1");
        assert_eq!(counted(3), "1 2 3");
        assert_eq!(counted(20), "2 4 6 8 10 12 14 16 18 20");
        assert_eq!(counted(50), "1 5 10 15 20 25 30 35 40 45 50");
    }

    fn chart(y: f64) -> Chart {
        let values = ["a<b", "c&d"].map(String::from);
        let x = Axis::of("setting \"x\"", &values);
        let series = |name: &str, y: f64| Series {
            name: name.into(),
            points: x.ticks.iter().map(|tick| Point { x: tick.at, y, spread: 0.01 }).collect(),
        };
        let series = vec![series("one", y), series("two", 0.5)];
        let rule = Some(Rule { at: 0.0, label: "here".into() });
        let panel = Panel { x: x.clone(), y_label: "accuracy".into(), series, rule };
        Chart { title: "Title".into(), panels: vec![panel.clone(), panel] }
    }

    #[test]
    fn a_picture_has_its_words_and_is_the_same_each_time() {
        let chart = chart(0.7);
        let svg = chart.svg(Theme::Dark).unwrap();
        for word in [
            "Title",
            "accuracy",
            "one",
            "two",
            "here",
            "a&lt;b",
            "c&amp;d",
            "setting &quot;x&quot;",
        ] {
            assert!(svg.contains(word), "{word} in {svg}");
        }
        assert_eq!(svg, chart.svg(Theme::Dark).unwrap());
        assert_ne!(svg, chart.svg(Theme::Light).unwrap());
    }

    #[test]
    fn what_xml_cannot_say_is_said_otherwise() {
        let mut chart = chart(0.7);
        chart.title = "od\u{1}d\n<b>".into();
        chart.panels[0].series[0].name = "\u{FFFE}\u{1b}".into();
        let svg = chart.svg(Theme::Light).unwrap();
        assert!(svg.contains("od d") && svg.contains("&lt;b&gt;"), "{svg}");
        assert!(chart.png(Theme::Light).is_ok());
    }

    #[test]
    fn text_is_drawn_without_a_font_of_the_system() {
        let with = chart(0.7);
        let mut without = with.clone();
        without.title.clear();
        let [with, without] = [with, without].map(|chart| chart.png(Theme::Light).unwrap());
        assert!(with.starts_with(b"\x89PNG"));
        assert_ne!(with, without);
    }

    #[test]
    fn nothing_is_drawn_of_nothing_or_of_no_number() {
        assert!(matches!(chart(f64::NAN).svg(Theme::Light), Err(PlotError::Draw { .. })));
        let mut empty = chart(0.5);
        empty.panels[0].series.clear();
        assert!(empty.svg(Theme::Light).unwrap_err().to_string().contains("no points"));
        empty.panels.clear();
        assert!(empty.svg(Theme::Light).is_err());
    }

    #[test]
    fn the_ending_tells_the_form() {
        let folder = tempfile::tempdir().unwrap();
        for (name, begins) in [("a.svg", &b"<svg"[..]), ("a.PNG", b"\x89PNG")] {
            let path = folder.path().join(name);
            chart(0.5).save(&path, Theme::Light).unwrap();
            assert!(std::fs::read(&path).unwrap().starts_with(begins), "{name}");
        }
        let error =
            chart(0.5).save(&folder.path().join("a.gif"), Theme::Light).unwrap_err().to_string();
        assert!(error.contains("a.gif: expected a name that ends in .svg or .png"), "{error}");
        assert_eq!(PlotFormat::of("b.Svg".as_ref()).unwrap(), PlotFormat::Svg);
        let nowhere = chart(0.5).save(&folder.path().join("none/a.svg"), Theme::Light);
        assert!(matches!(nowhere, Err(PlotError::Write { .. })));
    }
}

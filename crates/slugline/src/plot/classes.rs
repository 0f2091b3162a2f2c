//! How many documents each class has.

use std::cmp::Reverse;

use serde::Serialize;

use super::canvas::{Anchor, BELOW_TITLE, Canvas, EDGE, Look, SMALL, TEXT, TITLE, ticks};
use super::text::{shortened, widest, width};
use super::{Picture, PlotError, Theme, titled};
use crate::classifier::Classifier;
use crate::number::grouped;

/// The documents of each class as bars, the largest class first; on a logarithmic axis where the
/// largest class is many times the smallest. The picture grows with the number of classes.
///
/// ```
/// use slugline::plot::{ClassSizes, Picture, Theme};
///
/// let names = ["grain", "metal", "tin"].map(String::from);
/// let sizes = ClassSizes::new("news", &names, &[30, 1200, 2]);
/// assert_eq!(sizes.classes[0].name, "metal");
/// assert!(sizes.svg(Theme::Light)?.contains("1,200"));
/// # Ok::<(), slugline::plot::PlotError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSizes {
    /// What the documents are; stands before the title, unless it is empty.
    pub name: String,
    /// The classes, the largest first.
    pub classes: Vec<ClassSize>,
}

/// A class and its documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSize {
    /// Name of the class.
    pub name: String,
    /// Number of its documents.
    pub documents: u64,
}

/// Widest name of a class.
const NAME: f64 = 220.0;
/// Length of the axis.
const AXIS: f64 = 440.0;
/// Largest class over the smallest one, beyond which the axis is logarithmic.
const LINEAR: u64 = 30;

impl ClassSizes {
    /// Classes by their names and numbers of documents; of equal classes the earlier one first.
    pub fn new(name: impl Into<String>, names: &[String], documents: &[u64]) -> Self {
        let classes = names.iter().zip(documents);
        let mut classes: Vec<ClassSize> =
            classes.map(|(name, &documents)| ClassSize { name: name.clone(), documents }).collect();
        classes.sort_by_key(|class| Reverse(class.documents));
        Self { name: name.into(), classes }
    }

    /// The documents that a classifier was trained on, those that it was validated on included.
    pub fn of(classifier: &Classifier) -> Self {
        let record = classifier.record();
        let name = format!("{}, training documents", record.corpus.name);
        Self::new(name, classifier.class_names(), &record.class_counts)
    }
}

/// Where a number of documents lies on the axis.
struct Scale {
    /// The left end of a logarithmic axis; none for a linear one.
    log_from: Option<f64>,
    most: f64,
}

impl Scale {
    fn of(classes: &[ClassSize]) -> Self {
        let sizes = || classes.iter().map(|class| class.documents).filter(|&n| n > 0);
        let (least, most) = (sizes().min().unwrap_or(1), sizes().max().unwrap_or(1));
        // Half a decade of a bar is left to the smallest class.
        let log_from = (most / least >= LINEAR).then(|| least as f64 / 2.0);
        Self { log_from, most: most as f64 }
    }

    /// From 0 at the left to 1 at the right.
    fn place(&self, n: f64) -> f64 {
        match self.log_from {
            Some(from) if n > 0.0 => libm::log(n / from) / libm::log(self.most / from),
            Some(_) => 0.0,
            None => n / self.most,
        }
    }

    /// The numbers that are named.
    fn ticks(&self) -> Vec<f64> {
        if let Some(from) = self.log_from {
            let powers = (0..20).map(|power| libm::pow(10.0, f64::from(power)));
            return powers.filter(|n| (from..=self.most).contains(n)).collect();
        }
        let mut ticks = ticks(0.0, self.most, 5);
        ticks.retain(|n| n.fract() == 0.0);
        ticks
    }
}

impl Picture for ClassSizes {
    fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        if self.classes.is_empty() {
            return Err(PlotError::draw("there are no classes"));
        }
        let n = self.classes.len();
        let row = if n <= 60 { 19.0 } else { 14.0 };
        let font: f64 = if n <= 60 { TEXT } else { SMALL };
        let names: Vec<String> =
            self.classes.iter().map(|class| shortened(&class.name, font, NAME)).collect();
        let counts: Vec<String> =
            self.classes.iter().map(|class| grouped(class.documents)).collect();
        let left = EDGE + widest(names.iter().map(String::as_str), font) + 10.0;
        let right = 8.0 + widest(counts.iter().map(String::as_str), SMALL) + EDGE;
        let total = self.classes.iter().map(|class| class.documents).sum();
        let title = format!("{} of {n} classes", grouped(total));
        let title = titled(&self.name, &title);
        let wide = (left + AXIS + right).max((width(&title, TITLE) + 2.0 * EDGE).min(760.0));
        let (top, rows) = (BELOW_TITLE, n as f64 * row);
        let mut canvas = Canvas::new(wide, top + rows + 52.0 + EDGE, &title, theme);
        let scale = Scale::of(&self.classes);
        let (grid, text, bar) =
            (canvas.colours.grid, canvas.colours.text, canvas.colours.series[0]);
        for tick in scale.ticks() {
            let x = left + scale.place(tick) * AXIS;
            canvas.line((x, top), (x, top + rows + 4.0), grid, 1.0);
            let look = canvas.quiet(Anchor::Middle);
            canvas.text((x, top + rows + 13.0), &grouped(tick as u64), look);
        }
        let name_look = Look { size: font, ..canvas.look(Anchor::End) };
        let count_look = canvas.quiet(Anchor::Start);
        for (i, class) in self.classes.iter().enumerate() {
            let y = top + i as f64 * row;
            let length = scale.place(class.documents as f64) * AXIS;
            if class.documents > 0 {
                canvas.rect((left, y + 2.0), (length, row - 4.0), bar);
            }
            let middle = y + row / 2.0;
            canvas.text((left - 8.0, middle), &names[i], name_look);
            canvas.text((left + length + 6.0, middle), &counts[i], count_look);
        }
        canvas.line((left, top), (left, top + rows), text, 1.0);
        let axis = match scale.log_from {
            Some(_) => "documents, logarithmic",
            None => "documents",
        };
        let look = canvas.look(Anchor::Middle);
        canvas.text((left + AXIS / 2.0, top + rows + 36.0), axis, look);
        Ok(canvas.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::{check, size};

    fn sizes(documents: &[u64]) -> ClassSizes {
        let names: Vec<String> = (0..documents.len()).map(|i| format!("<class {i}>")).collect();
        ClassSizes::new("news", &names, documents)
    }

    #[test]
    fn classes_stand_by_size() {
        let found = sizes(&[3, 0, 12, 3]);
        let order: Vec<u64> = found.classes.iter().map(|class| class.documents).collect();
        assert_eq!(order, [12, 3, 3, 0]);
        assert_eq!(found.classes[1].name, "<class 0>");
        let svg = check(&found);
        assert!(svg.contains("news: 18 of 4 classes") && svg.contains("&lt;class 1&gt;"), "{svg}");
        // The ground and three bars: none for the class without documents.
        assert_eq!(svg.matches("<rect").count(), 4);
        assert!(!svg.contains("logarithmic"));
    }

    #[test]
    fn wide_spans_stand_on_a_logarithmic_axis() {
        let svg = check(&sizes(&[3972, 20, 0]));
        assert!(svg.contains("logarithmic") && svg.contains(">1,000<"), "{svg}");
        let scale = Scale::of(&sizes(&[1, 100]).classes);
        assert!((scale.place(100.0) - 1.0).abs() < 1e-12);
        assert!(scale.place(1.0) > 0.1 && scale.place(0.0) == 0.0);
        assert_eq!(scale.ticks(), [1.0, 10.0, 100.0]);
    }

    #[test]
    fn pictures_grow_with_the_classes() {
        let height = |n: u64| {
            let picture = sizes(&(0..n).collect::<Vec<_>>());
            check(&picture);
            size(&picture.png(Theme::Dark).unwrap()).1
        };
        assert!(height(1) < height(46) && height(46) < height(200));
        check(&sizes(&[0, 0]));
        assert!(sizes(&[]).svg(Theme::Light).is_err());
    }
}

//! How confidence and accuracy agree.

use serde::Serialize;

use super::canvas::{Anchor, BELOW_TITLE, Canvas, EDGE, Look, Place, TITLE};
use super::text::width;
use super::{Picture, PlotError, Theme, titled};
use crate::corpus::LabelKind;
use crate::evaluation::{Evaluation, ReliabilityBin};
use crate::number::grouped;

/// The calibration diagram: the accuracy of the answers of each bin of confidence, against their mean
/// confidence, with the number of documents in each bin below.
///
/// Of well calibrated answers the points lie on the diagonal; below it are those that are too sure.
///
/// ```
/// # use slugline::corpus::Labels;
/// # use slugline::decision::Answer;
/// # use slugline::evaluation::{Evaluation, EvaluationOptions, Judged};
/// # use slugline::nn::Matrix;
/// use slugline::plot::{Picture, ReliabilityDiagram, Theme};
///
/// # let names = ["grain".to_string(), "metal".to_string()];
/// # let evaluation = Evaluation::new(
/// #     &Judged {
/// #         class_names: &names,
/// #         labels: &Labels::Single(vec![0, 1]),
/// #         probabilities: &Matrix::new(2, 2, vec![0.75, 0.25, 0.25, 0.75])?,
/// #         answers: &[Answer::Class(0), Answer::Class(1)],
/// #         thresholds: &[],
/// #         training_counts: &[10, 5],
/// #     },
/// #     &EvaluationOptions::default(),
/// # )?;
/// let diagram = ReliabilityDiagram::new("news", &evaluation);
/// assert_eq!(diagram.ece, 0.25);
/// assert!(diagram.svg(Theme::Light)?.contains("ECE 0.250"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReliabilityDiagram {
    /// What was answered; stands before the title, unless it is empty.
    pub name: String,
    /// What is counted: documents, or for multi-label answers documents times labels.
    pub label_kind: LabelKind,
    /// Expected calibration error.
    pub ece: f64,
    /// Largest calibration error of a bin, for multi-label answers of a class.
    pub mce: f64,
    /// Bins of equal width from confidence 0 to 1.
    pub bins: Vec<ReliabilityBin>,
}

/// Side of the square in which the points lie, and height of the bars below it.
const SIDE: f64 = 400.0;
const COUNTS: f64 = 84.0;
const LEFT: f64 = EDGE + 62.0;
/// Between the square and the bars.
const BETWEEN: f64 = 26.0;

impl ReliabilityDiagram {
    /// The answers for documents called `name`.
    pub fn new(name: impl Into<String>, evaluation: &Evaluation) -> Self {
        let reliability = &evaluation.reliability;
        Self {
            name: name.into(),
            label_kind: evaluation.label_kind,
            ece: reliability.ece,
            mce: reliability.mce,
            bins: reliability.bins.clone(),
        }
    }

    /// The bins with documents: low end, high end, bin.
    fn filled(&self) -> impl Iterator<Item = (f64, f64, &ReliabilityBin)> {
        let n = self.bins.len() as f64;
        let bins = self.bins.iter().enumerate().filter(|(_, bin)| bin.samples > 0);
        bins.map(move |(i, bin)| (i as f64 / n, (i + 1) as f64 / n, bin))
    }

    /// The square with bars of accuracy, the diagonal and the points.
    fn square(&self, canvas: &mut Canvas) {
        let at = |x: f64, y: f64| (LEFT + x * SIDE, BELOW_TITLE + (1.0 - y) * SIDE);
        let (grid, quiet) = (canvas.colours.grid, canvas.colours.quiet);
        let [blue, orange, ..] = canvas.colours.series;
        for tick in (0..=5).map(|i| f64::from(i) / 5.0) {
            canvas.line(at(0.0, tick), at(1.0, tick), grid, 1.0);
            let look = canvas.quiet(Anchor::End);
            canvas.text((LEFT - 8.0, at(0.0, tick).1), &format!("{tick:.1}"), look);
        }
        for (low, high, bin) in self.filled() {
            let (left, top) = at(low, bin.accuracy);
            let (right, bottom) = at(high, 0.0);
            let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
            let inset = |(x, y): Place| (x + if x == left { 1.0 } else { -1.0 }, y);
            canvas.polygon(corners.into_iter().map(inset), blue, 0.35);
        }
        canvas.dashes(at(0.0, 0.0), at(1.0, 1.0), quiet, 1.5);
        for (_, _, bin) in self.filled() {
            let point = at(bin.confidence, bin.accuracy);
            canvas.line(at(bin.confidence, bin.confidence), point, orange, 2.5);
            canvas.disc(point, 4.5, blue, 1.0);
        }
        let turned = Look { turned: true, ..canvas.look(Anchor::Middle) };
        let name = match self.label_kind {
            LabelKind::Multi => "share that has the label",
            LabelKind::Single | LabelKind::Soft => "accuracy",
        };
        canvas.text((EDGE + 5.0, BELOW_TITLE + SIDE / 2.0), name, turned);
        // The upper left corner is free of points unless answers are far too unsure.
        let mut y = BELOW_TITLE + 18.0;
        let look = canvas.look(Anchor::Start);
        canvas.dashes((LEFT + 12.0, y), (LEFT + 36.0, y), quiet, 1.5);
        canvas.text((LEFT + 44.0, y), "perfect calibration", look);
        y += 20.0;
        canvas.line((LEFT + 12.0, y), (LEFT + 36.0, y), orange, 2.5);
        canvas.disc((LEFT + 24.0, y), 4.5, blue, 1.0);
        canvas.text((LEFT + 44.0, y), "a bin, and its error", look);
    }

    /// Bars of the numbers of documents.
    fn counts(&self, canvas: &mut Canvas) {
        let top = BELOW_TITLE + SIDE + BETWEEN;
        let bottom = top + COUNTS;
        let most = self.bins.iter().map(|bin| bin.samples).max().unwrap_or(0).max(1) as f64;
        let (blue, grid) = (canvas.colours.series[0], canvas.colours.grid);
        for (low, high, bin) in self.filled() {
            let (left, right) = (LEFT + low * SIDE, LEFT + high * SIDE);
            // A bin with a single document is still seen, and there is room for the figure above.
            let height = ((COUNTS - 14.0) * bin.samples as f64 / most).max(1.0);
            canvas.rect((left + 1.0, bottom - height), (right - left - 2.0, height), blue);
            let shown = short(bin.samples);
            let mut look = Look { size: 9.0, ..canvas.quiet(Anchor::Middle) };
            look.size = look.size.min(9.0 * (right - left - 1.0) / width(&shown, 9.0));
            canvas.text((f64::midpoint(left, right), bottom - height - 7.0), &shown, look);
        }
        canvas.line((LEFT, bottom), (LEFT + SIDE, bottom), grid, 1.0);
        let look = canvas.quiet(Anchor::Middle);
        for tick in (0..=5).map(|i| f64::from(i) / 5.0) {
            canvas.text((LEFT + tick * SIDE, bottom + 12.0), &format!("{tick:.1}"), look);
        }
        let look = canvas.look(Anchor::Middle);
        let name = match self.label_kind {
            LabelKind::Multi => "probability of a label",
            LabelKind::Single | LabelKind::Soft => "confidence",
        };
        canvas.text((LEFT + SIDE / 2.0, bottom + 32.0), name, look);
        let turned = Look { turned: true, ..look };
        let counted = match self.label_kind {
            LabelKind::Multi => "labels",
            LabelKind::Single | LabelKind::Soft => "documents",
        };
        canvas.text((EDGE + 5.0, top + COUNTS / 2.0), counted, turned);
    }
}

/// A number in at most four characters: 999, 1.2k, 12k, 3.4M.
fn short(n: u64) -> String {
    let scaled = |by: f64, unit: &str| {
        let value = n as f64 / by;
        if value < 9.95 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
    };
    match n {
        0..1000 => n.to_string(),
        1000..999_500 => scaled(1e3, "k"),
        _ => scaled(1e6, "M"),
    }
}

impl Picture for ReliabilityDiagram {
    fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        let numbers = self.filled().flat_map(|(_, _, bin)| [bin.confidence, bin.accuracy]);
        if let Some(bad) = numbers.chain([self.ece]).find(|number| !number.is_finite()) {
            return Err(PlotError::draw(format!("{bad} is no probability")));
        }
        let samples = grouped(self.bins.iter().map(|bin| bin.samples).sum());
        let counted = match self.label_kind {
            LabelKind::Multi => "documents times labels",
            LabelKind::Single | LabelKind::Soft => "documents",
        };
        let title = format!("calibration of {samples} {counted}, ECE {:.3}", self.ece);
        let title = titled(&self.name, &title);
        let wide = LEFT + SIDE + 20.0 + EDGE;
        let wide = wide.max((width(&title, TITLE) + 2.0 * EDGE).min(700.0));
        let height = BELOW_TITLE + SIDE + BETWEEN + COUNTS + 44.0 + EDGE;
        let mut canvas = Canvas::new(wide, height, &title, theme);
        self.square(&mut canvas);
        self.counts(&mut canvas);
        Ok(canvas.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::check;

    fn diagram(bins: &[(u64, f64, f64)]) -> ReliabilityDiagram {
        let bin = |&(samples, confidence, accuracy): &(u64, f64, f64)| ReliabilityBin {
            samples,
            confidence,
            accuracy,
        };
        ReliabilityDiagram {
            name: "news".into(),
            label_kind: LabelKind::Single,
            ece: 0.1234,
            mce: 0.5,
            bins: bins.iter().map(bin).collect(),
        }
    }

    #[test]
    fn bins_have_a_point_and_a_number() {
        let picture = diagram(&[(0, 0.0, 0.0), (7, 0.3, 0.5), (12_345, 0.9, 0.8)]);
        let svg = check(&picture);
        assert!(svg.contains("news: calibration of 12,352 documents, ECE 0.123"), "{svg}");
        assert!(svg.contains(">7<") && svg.contains(">12k<"));
        // Two bins and the legend.
        assert_eq!(svg.matches("<circle").count(), 3);
        let multi = ReliabilityDiagram { label_kind: LabelKind::Multi, ..picture };
        assert!(check(&multi).contains("documents times labels"));
    }

    #[test]
    fn nothing_and_no_number() {
        assert_eq!(check(&diagram(&[])).matches("<circle").count(), 1);
        assert!(diagram(&[(1, f64::NAN, 0.5)]).svg(Theme::Light).is_err());
    }

    #[test]
    fn large_numbers_are_short() {
        for (n, wanted) in
            [(999, "999"), (1000, "1.0k"), (9949, "9.9k"), (99_700, "100k"), (999_500, "1.0M")]
        {
            assert_eq!(short(n), wanted);
        }
    }
}

//! True classes against answers.

use serde::Serialize;

use super::canvas::{Anchor, BELOW_TITLE, Canvas, EDGE, Look, SMALL, TEXT, TITLE};
use super::colours::on;
use super::text::{shortened, widest, width};
use super::{ClassOrder, Picture, PlotError, Theme, titled};
use crate::evaluation::Evaluation;
use crate::number::grouped;

/// The confusion matrix: a row for each true class, a column for each answer.
///
/// A cell's colour is its share of the row's documents, on a scale that tells one in a hundred from none.
/// The picture grows with the number of classes.
///
/// ```
/// # use slugline::corpus::Labels;
/// # use slugline::decision::Answer;
/// # use slugline::evaluation::{Evaluation, EvaluationOptions, Judged};
/// # use slugline::nn::Matrix;
/// use slugline::plot::{ClassOrder, Confusion, Picture, Theme};
///
/// # let names = ["grain".to_string(), "metal".to_string()];
/// # let evaluation = Evaluation::new(
/// #     &Judged {
/// #         class_names: &names,
/// #         labels: &Labels::Single(vec![0, 1, 1]),
/// #         probabilities: &Matrix::new(3, 2, vec![0.9, 0.1, 0.7, 0.3, 0.3, 0.7])?,
/// #         answers: &[Answer::Class(0), Answer::Class(0), Answer::Class(1)],
/// #         thresholds: &[],
/// #         training_counts: &[10, 5],
/// #     },
/// #     &EvaluationOptions::default(),
/// # )?;
/// let confusion = Confusion::new("news", &evaluation, ClassOrder::Size)?;
/// assert_eq!(confusion.classes, ["metal", "grain"]);
/// assert_eq!(confusion.counts, [[1, 1], [0, 1]]);
/// assert!(confusion.svg(Theme::Light)?.contains("metal"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confusion {
    /// What was answered; stands before the title, unless it is empty.
    pub name: String,
    /// Names of the classes, in the order in which they stand.
    pub classes: Vec<String>,
    /// Documents by true class (row) and most probable class (column).
    pub counts: Vec<Vec<u64>>,
    /// Share of right answers.
    pub accuracy: f64,
}

/// Widest name of a class.
const NAME: f64 = 170.0;
/// Width of the colour bar with its figures.
const LEGEND: f64 = 84.0;
/// Smallest size of a count, below which it is left out.
const LEAST: f64 = 6.0;
/// Shares that the colour bar names.
const SHARES: [f64; 6] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0];

impl Confusion {
    /// The answers for documents called `name`.
    ///
    /// # Errors
    /// [`PlotError::ManyLabels`] for answers of any number of labels, which have no such matrix.
    pub fn new(
        name: impl Into<String>,
        evaluation: &Evaluation,
        order: ClassOrder,
    ) -> Result<Self, PlotError> {
        let Evaluation { confusion, classes, accuracy, .. } = evaluation;
        if confusion.is_empty() {
            return Err(PlotError::ManyLabels);
        }
        let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        let order = order.of(&names, confusion);
        let row = |&truth: &usize| order.iter().map(|&answer| confusion[truth][answer]).collect();
        Ok(Self {
            name: name.into(),
            classes: order.iter().map(|&class| names[class].to_owned()).collect(),
            counts: order.iter().map(row).collect(),
            accuracy: *accuracy,
        })
    }

    fn title(&self) -> String {
        let documents = grouped(self.counts.iter().flatten().sum());
        let accuracy = self.accuracy;
        titled(
            &self.name,
            &format!("true class and answer of {documents} documents, accuracy {accuracy:.3}"),
        )
    }
}

/// The place of a share on the scale of colours, from 0 to 1.
fn place(share: f64) -> f64 {
    libm::log1p(99.0 * share) / libm::log(100.0)
}

/// Classes of which there are few.
const FEW: usize = 5;

/// Side of a cell, or with few classes the least of it.
fn cell(classes: usize) -> f64 {
    match classes {
        ..=10 => 46.0,
        11..=20 => 34.0,
        21..=60 => 23.0,
        61..=120 => 15.0,
        _ => 12.5,
    }
}

/// Size of the names of so many classes.
fn font(classes: usize) -> f64 {
    f64::clamp(cell(classes) * 0.68, 8.5, TEXT)
}

/// Lengths of a matrix.
struct Layout {
    cell: f64,
    /// Size of the names of classes.
    font: f64,
    /// The corner of the cells.
    left: f64,
    top: f64,
    side: f64,
    /// Whether the names of columns read from below.
    turned: bool,
    /// Room for the names of columns.
    below: f64,
    /// Room for the numbers of documents.
    counts: f64,
}

impl Layout {
    fn of(names: &[String], counts: &[String]) -> Self {
        let n = names.len();
        let font = font(n);
        let names = widest(names.iter().map(String::as_str), font);
        // A few classes have room for their names side by side.
        let cell = if n <= FEW { f64::max(names + 12.0, cell(n)) } else { cell(n) };
        let turned = names > cell - 6.0;
        let counts = widest(counts.iter().map(String::as_str), font.min(SMALL));
        Self {
            cell,
            font,
            left: EDGE + 22.0 + names + 12.0 + counts + 8.0,
            top: BELOW_TITLE,
            side: n as f64 * cell,
            turned,
            below: if turned { names + 10.0 } else { font + 10.0 },
            counts,
        }
    }

    fn corner(&self, row: usize, column: usize) -> (f64, f64) {
        (self.left + column as f64 * self.cell, self.top + row as f64 * self.cell)
    }
}

impl Picture for Confusion {
    fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        let n = self.classes.len();
        if n == 0 || self.counts.len() != n || self.counts.iter().any(|row| row.len() != n) {
            return Err(PlotError::draw("there is not a row and a column for each class"));
        }
        let sizes: Vec<u64> = self.counts.iter().map(|row| row.iter().sum()).collect();
        let documents: Vec<String> = sizes.iter().map(|&size| grouped(size)).collect();
        let short = |name: &String| shortened(name, font(n), NAME);
        let names: Vec<String> = self.classes.iter().map(short).collect();
        let layout = Layout::of(&names, &documents);
        let title = self.title();
        let width = layout.left + layout.side + 24.0 + LEGEND + EDGE;
        let width = width.max((width_of_title(&title)).min(760.0));
        let height = (layout.top + layout.side + layout.below + 26.0 + EDGE).max(300.0);
        let mut canvas = Canvas::new(width, height, &title, theme);
        grid(&mut canvas, &layout, n);
        self.cells(&mut canvas, &layout, &sizes);
        labels(&mut canvas, &layout, &names, &documents);
        legend(&mut canvas, &layout);
        Ok(canvas.finish())
    }
}

fn width_of_title(title: &str) -> f64 {
    width(title, TITLE) + 2.0 * EDGE
}

fn grid(canvas: &mut Canvas, layout: &Layout, n: usize) {
    let (panel, line) = (canvas.colours.panel, canvas.colours.grid);
    canvas.rect((layout.left, layout.top), (layout.side, layout.side), panel);
    // Where cells are small a line for each would be all that is seen.
    let step = if n > 60 { 5 } else { 1 };
    for i in (0..=n).step_by(step) {
        let (x, y) = layout.corner(i, i);
        canvas.line((layout.left, y), (layout.left + layout.side, y), line, 0.5);
        canvas.line((x, layout.top), (x, layout.top + layout.side), line, 0.5);
    }
}

fn labels(canvas: &mut Canvas, layout: &Layout, names: &[String], documents: &[String]) {
    let Layout { cell, font, left, top, side, .. } = *layout;
    let row_name = Look { size: font, ..canvas.look(Anchor::End) };
    let row_count = Look { size: font.min(SMALL), ..canvas.quiet(Anchor::End) };
    let column = if layout.turned { Anchor::End } else { Anchor::Middle };
    let column = Look { size: font, turned: layout.turned, ..canvas.look(column) };
    for (i, (name, count)) in names.iter().zip(documents).enumerate() {
        let (x, y) = layout.corner(i, i);
        let middle = (x + cell / 2.0, y + cell / 2.0);
        canvas.text((left - 8.0, middle.1), count, row_count);
        canvas.text((left - 8.0 - layout.counts - 12.0, middle.1), name, row_name);
        let down = if layout.turned { 7.0 } else { 4.0 + font / 2.0 };
        canvas.text((middle.0, top + side + down), name, column);
    }
    let axis = canvas.look(Anchor::Middle);
    let turned = Look { turned: true, ..axis };
    canvas.text((EDGE + 5.0, top + side / 2.0), "true class", turned);
    canvas.text((left + side / 2.0, top + side + layout.below + 14.0), "answer", axis);
}

fn legend(canvas: &mut Canvas, layout: &Layout) {
    const STEPS: usize = 60;
    let x = layout.left + layout.side + 24.0;
    let look = canvas.quiet(Anchor::Start);
    canvas.text((x, layout.top + 6.0), "share of", look);
    canvas.text((x, layout.top + 19.0), "the row", look);
    let (top, height) = (layout.top + 36.0, f64::clamp(layout.side - 36.0, 130.0, 240.0));
    let step = height / STEPS as f64;
    for i in 0..STEPS {
        let colour = canvas.colours.ramp(1.0 - (i as f64 + 0.5) / STEPS as f64);
        // A little too high, so that no seam shows.
        let overlap = if i + 1 < STEPS { 0.5 } else { 0.0 };
        canvas.rect((x, top + i as f64 * step), (16.0, step + overlap), colour);
    }
    for share in SHARES {
        let y = top + height * (1.0 - place(share));
        let line = canvas.colours.quiet;
        canvas.line((x + 16.0, y), (x + 20.0, y), line, 1.0);
        canvas.text((x + 24.0, y), &format!("{:.0} %", share * 100.0), look);
    }
}

impl Confusion {
    fn cells(&self, canvas: &mut Canvas, layout: &Layout, sizes: &[u64]) {
        let Layout { cell, .. } = *layout;
        // The lines between the cells stay free.
        let gap = 0.5;
        for (row, (counts, &of)) in self.counts.iter().zip(sizes).enumerate() {
            for (column, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let colour = canvas.colours.ramp(place(count as f64 / of as f64));
                let (x, y) = layout.corner(row, column);
                canvas.rect((x + gap, y + gap), (cell - 2.0 * gap, cell - 2.0 * gap), colour);
                let text = count.to_string();
                let size = f64::min(TEXT, cell * 0.5).min((cell - 3.0) / width(&text, 1.0));
                if size >= LEAST {
                    let look = Look { size, colour: on(colour), ..canvas.look(Anchor::Middle) };
                    canvas.text((x + cell / 2.0, y + cell / 2.0), &text, look);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::{check, size};

    fn confusion(classes: Vec<String>) -> Confusion {
        let n = classes.len();
        let count = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 30 * (i as u64 % 40),
            1 => i as u64 % 3,
            _ => 0,
        };
        let counts = (0..n).map(|i| (0..n).map(|j| count(i, j)).collect()).collect();
        Confusion { name: "news".into(), classes, counts, accuracy: 0.9 }
    }

    #[test]
    fn every_class_is_named_on_both_sides() {
        for n in [1, 2, 46, 200] {
            let names: Vec<String> = (0..n).map(|i| format!("class-{i}-")).collect();
            let svg = check(&confusion(names.clone()));
            for name in names {
                assert_eq!(svg.matches(&format!(">{name}<")).count(), 2, "{name} of {n}");
            }
            assert!(
                svg.contains("true class") && svg.contains("share of") && svg.contains(">5 %<")
            );
            assert!(svg.contains("rotate(-90"));
        }
        // The class without documents has a row without cells.
        assert!(check(&confusion(vec!["a".into()])).contains(">0<"));
    }

    #[test]
    fn names_may_be_long_or_pictures() {
        let long = "the commission for agriculture of the southern provinces and islands".repeat(3);
        let svg = check(&confusion(vec![long.clone(), "🌾 <wheat>".into(), String::new()]));
        assert!(!svg.contains(&long) && svg.contains("the commission") && svg.contains('…'));
        assert!(svg.contains("🌾 &lt;wheat&gt;"));
    }

    #[test]
    fn dots_are_two_a_unit() {
        let picture = confusion(vec!["a".into(), "b".into()]);
        let svg = picture.svg(Theme::Light).unwrap();
        let (width, height) = size(&picture.png(Theme::Light).unwrap());
        assert!(
            svg.contains(&format!("width=\"{}\" height=\"{}\"", width / 2, height / 2)),
            "{svg}"
        );
    }

    #[test]
    fn one_in_a_hundred_is_seen_and_a_matrix_has_all_rows() {
        assert!((place(1.0) - 1.0).abs() < 1e-12 && place(0.01) > 0.14 && place(0.0) == 0.0);
        let mut broken = confusion(vec!["a".into(), "b".into()]);
        broken.counts.pop();
        assert!(broken.svg(Theme::Light).is_err());
        broken.classes.clear();
        assert!(broken.svg(Theme::Light).is_err());
    }
}

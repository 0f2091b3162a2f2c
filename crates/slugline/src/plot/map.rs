//! Documents as the last hidden layer sees them.

use std::cmp::Reverse;

use serde::Serialize;

use super::canvas::{Anchor, BELOW_TITLE, Canvas, EDGE, Look, Place, SMALL, TITLE};
use super::components::Plane;
use super::text::{shortened, width};
use super::{Picture, PlotError, Theme, titled};
use crate::classifier::{Classifier, ClassifierError};
use crate::corpus::{Documents, Labels};
use crate::nn::Matrix;
use crate::number::grouped;

/// A map of documents: those that the network takes for similar lie near each other.
///
/// It shows the plane in which the rows of [`Classifier::embed`] differ most, their first two principal
/// components. The six largest classes have colours and markers; all other documents are grey.
///
/// ```
/// use slugline::corpus::Labels;
/// use slugline::nn::Matrix;
/// use slugline::plot::{DocumentMap, Picture, Theme};
///
/// let rows = Matrix::new(3, 2, vec![0.0, 1.0, 1.0, 3.0, 2.0, 2.0])?;
/// let names = ["grain".to_string(), "metal".to_string()];
/// let map = DocumentMap::new("news", &rows, &Labels::Single(vec![0, 1, 1]), &names)?;
/// assert_eq!((map.points.len(), map.points[1].class), (3, Some(1)));
/// assert!(map.svg(Theme::Dark)?.contains("metal"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentMap {
    /// What the documents are; stands before the title, unless it is empty.
    pub name: String,
    /// Number of documents, of which [`points`](Self::points) may be a part.
    pub documents: usize,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The classes with colours, the one with the most points first.
    pub coloured: Vec<MapClass>,
    /// The share of the variance along each axis.
    pub explained: [f64; 2],
    /// The documents.
    pub points: Vec<DocumentPoint>,
}

/// A document on a map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DocumentPoint {
    /// Its number, counted from 0.
    pub document: usize,
    /// Place along the first component.
    pub x: f64,
    /// Place along the second component.
    pub y: f64,
    /// Its class; of several labels the largest class; none without labels.
    pub class: Option<u32>,
}

/// A class with a colour of its own on a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MapClass {
    /// Its number, counted from 0.
    pub class: u32,
    /// Number of its points.
    pub points: usize,
}

/// Documents of a map, beyond which nothing more is seen of them.
pub const MOST_POINTS: usize = 5000;

/// Classes with a colour and a marker.
const COLOURED: usize = 6;
const SIDE: f64 = 560.0;
const LEGEND: f64 = 190.0;

impl DocumentMap {
    /// A map of rows, one for each document, such as [`Classifier::embed`] gives.
    ///
    /// # Errors
    /// [`PlotError::Draw`] if there is not a label for each row, or a class has no name, or a number is
    /// not finite.
    pub fn new(
        name: impl Into<String>,
        rows: &Matrix,
        labels: &Labels,
        class_names: &[String],
    ) -> Result<Self, PlotError> {
        let n = rows.rows();
        if labels.len() != n {
            let problem = format!("there are {n} rows and labels for {}", labels.len());
            return Err(PlotError::draw(problem));
        }
        if let Some(bad) = rows.data().iter().find(|x| !x.is_finite()) {
            return Err(PlotError::draw(format!("{bad} is no place on a map")));
        }
        let sets: Vec<Vec<u32>> = (0..n).map(|i| labels.classes(i)).collect();
        if let Some(class) = sets.iter().flatten().find(|&&c| c as usize >= class_names.len()) {
            return Err(PlotError::draw(format!("class {class} has no name")));
        }
        let sizes = labels.class_counts(class_names.len());
        // The largest of several; of equals the first.
        let largest = |set: &Vec<u32>| {
            set.iter().copied().min_by_key(|&class| (Reverse(sizes[class as usize]), class))
        };
        let plane = Plane::of(rows);
        let points = plane.points.iter().zip(&sets).enumerate();
        let points: Vec<DocumentPoint> = points
            .map(|(document, (&[x, y], set))| DocumentPoint { document, x, y, class: largest(set) })
            .collect();
        let mut coloured: Vec<MapClass> =
            (0..class_names.len() as u32).map(|class| MapClass { class, points: 0 }).collect();
        for class in points.iter().filter_map(|point| point.class) {
            coloured[class as usize].points += 1;
        }
        coloured.retain(|class| class.points > 0);
        coloured.sort_by_key(|class| Reverse(class.points));
        coloured.truncate(COLOURED);
        Ok(Self {
            name: name.into(),
            documents: n,
            classes: class_names.to_vec(),
            coloured,
            explained: plane.explained,
            points,
        })
    }

    /// A map of what a classifier sees in documents called `name`; of more than `most` of them,
    /// [`MOST_POINTS`] is a good number, so many at equal distances. Runs on all threads of the current
    /// pool.
    ///
    /// # Errors
    /// As [`Classifier::embed`] and [`new`](Self::new).
    pub fn of(
        classifier: &Classifier,
        documents: &Documents,
        name: &str,
        most: usize,
    ) -> Result<Self, MapError> {
        let (n, shown) = (documents.len(), documents.len().min(most.max(1)));
        let chosen: Vec<usize> = (0..shown).map(|i| i * n / shown.max(1)).collect();
        let texts: Vec<&str> = chosen.iter().map(|&i| documents.text(i)).collect();
        let rows = classifier.embed(&texts)?;
        let labels = documents.labels().select(&chosen);
        let mut map = Self::new(name, &rows, &labels, documents.class_names())?;
        map.documents = n;
        for (point, document) in map.points.iter_mut().zip(chosen) {
            point.document = document;
        }
        Ok(map)
    }
}

/// Why there is no map.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The classifier refused the documents.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// It cannot be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
}

/// From places of the map to those of the picture: both axes have one scale.
struct Frame {
    centre: Place,
    scale: f64,
    height: f64,
}

impl Frame {
    fn of(points: &[DocumentPoint]) -> Self {
        let ends = |of: fn(&DocumentPoint) -> f64| {
            let values = points.iter().map(of);
            values.fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)))
        };
        let (x, y) = (ends(|p| p.x), ends(|p| p.y));
        let span = |(from, to): (f64, f64)| (to - from).max(0.0);
        let inner = SIDE - 28.0;
        let most = span(x).max(1e-12);
        let height = f64::clamp(inner * span(y) / most, 0.55 * inner, inner);
        let scale = (inner / most).min(height / span(y).max(1e-12));
        let middle =
            |(from, to): (f64, f64)| if from <= to { f64::midpoint(from, to) } else { 0.0 };
        Self { centre: (middle(x), middle(y)), scale, height: height + 28.0 }
    }

    fn place(&self, point: &DocumentPoint, left: f64) -> Place {
        let x = left + SIDE / 2.0 + (point.x - self.centre.0) * self.scale;
        let y = BELOW_TITLE + self.height / 2.0 - (point.y - self.centre.1) * self.scale;
        (x, y)
    }
}

impl Picture for DocumentMap {
    fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        let (shown, n) = (grouped(self.points.len() as u64), grouped(self.documents as u64));
        let count = if shown == n { n } else { format!("{shown} of {n}") };
        let title = titled(&self.name, &format!("{count} documents as the network sees them"));
        let frame = Frame::of(&self.points);
        let left = EDGE + 26.0;
        let wide = (left + SIDE + 20.0 + LEGEND + EDGE).max(width(&title, TITLE).min(500.0));
        let height = (BELOW_TITLE + frame.height + 30.0 + EDGE).max(300.0);
        let mut canvas = Canvas::new(wide, height, &title, theme);
        let (panel, grid, quiet) =
            (canvas.colours.panel, canvas.colours.grid, canvas.colours.quiet);
        canvas.frame((left, BELOW_TITLE), (SIDE, frame.height), panel, grid);
        let colour = |class: Option<u32>| {
            self.coloured.iter().position(|coloured| Some(coloured.class) == class)
        };
        let grey = self.points.iter().filter(|point| colour(point.class).is_none());
        let mut others = 0;
        for point in grey {
            others += 1;
            canvas.disc(frame.place(point, left), 1.8, quiet, 0.5);
        }
        for (point, number) in
            self.points.iter().filter_map(|point| Some((point, colour(point.class)?)))
        {
            marker(&mut canvas, number, frame.place(point, left), 0.75);
        }
        self.legend(&mut canvas, left + SIDE + 20.0, others);
        let [first, second] = self.explained.map(|share| format!("{:.0} %", 100.0 * share));
        let look = canvas.look(Anchor::Middle);
        let below = BELOW_TITLE + frame.height + 17.0;
        let across = format!("first principal component, {first} of the variance");
        canvas.text((left + SIDE / 2.0, below), &across, look);
        let up = format!("second, {second}");
        let turned = Look { turned: true, ..look };
        canvas.text((EDGE + 8.0, BELOW_TITLE + frame.height / 2.0), &up, turned);
        Ok(canvas.finish())
    }
}

impl DocumentMap {
    fn legend(&self, canvas: &mut Canvas, x: f64, others: usize) {
        let mut y = BELOW_TITLE + 10.0;
        let (name_look, count_look) = (canvas.look(Anchor::Start), canvas.quiet(Anchor::Start));
        let mut entry = |canvas: &mut Canvas, name: &str, count: usize, number: Option<usize>| {
            if let Some(number) = number {
                marker(canvas, number, (x + 6.0, y), 1.0);
            } else {
                let quiet = canvas.colours.quiet;
                canvas.disc((x + 6.0, y), 2.2, quiet, 1.0);
            }
            let count = grouped(count as u64);
            let room = LEGEND - 28.0 - width(&count, SMALL);
            let name = shortened(name, name_look.size, room);
            canvas.text((x + 18.0, y), &name, name_look);
            let after = x + 18.0 + width(&name, name_look.size) + 8.0;
            canvas.text((after, y), &count, count_look);
            y += 21.0;
        };
        for (number, &MapClass { class, points }) in self.coloured.iter().enumerate() {
            let name = self.classes.get(class as usize).map_or("", String::as_str);
            entry(canvas, name, points, Some(number));
        }
        if others > 0 {
            entry(canvas, "all others", others, None);
        }
    }
}

/// The marker of a class, by its place among those with a colour, the largest first.
fn marker(canvas: &mut Canvas, number: usize, (x, y): Place, opacity: f64) {
    let colour = canvas.colours.series[number % COLOURED];
    let corners: &[Place] = match number % COLOURED {
        0 => return canvas.disc((x, y), 3.2, colour, opacity),
        1 => &[(-2.8, -2.8), (2.8, -2.8), (2.8, 2.8), (-2.8, 2.8)],
        2 => &[(0.0, -4.0), (3.8, 2.9), (-3.8, 2.9)],
        3 => &[(0.0, -4.2), (4.2, 0.0), (0.0, 4.2), (-4.2, 0.0)],
        4 => &[(0.0, 4.0), (3.8, -2.9), (-3.8, -2.9)],
        _ => &[(-4.0, -1.4), (4.0, -1.4), (4.0, 1.4), (-4.0, 1.4)],
    };
    canvas.polygon(corners.iter().map(|(dx, dy)| (x + dx, y + dy)), colour, opacity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::check;

    fn map(labels: &Labels, classes: usize) -> DocumentMap {
        let n = labels.len();
        let rows = (0..n * 3).map(|i| ((i * i) % 17) as f32).collect();
        let names: Vec<String> = (0..classes).map(|i| format!("class <{i}>")).collect();
        DocumentMap::new("news", &Matrix::new(n, 3, rows).unwrap(), labels, &names).unwrap()
    }

    #[test]
    fn the_largest_classes_have_colours() {
        // Class c has 20 − 2c documents.
        let labels: Vec<u32> = (0..8).flat_map(|c| vec![c; 20 - 2 * c as usize]).collect();
        let n = labels.len();
        let found = map(&Labels::Single(labels), 9);
        let classes: Vec<u32> = found.coloured.iter().map(|c| c.class).collect();
        assert_eq!(classes, [0, 1, 2, 3, 4, 5]);
        let svg = check(&found);
        assert!(svg.contains("class &lt;5&gt;") && !svg.contains("class &lt;6&gt;"));
        assert!(svg.contains("all others") && svg.contains("of the variance"));
        let markers = svg.matches("fill-opacity").count();
        assert_eq!(markers, n + 7);
    }

    #[test]
    fn documents_may_have_any_labels_and_lie_in_one_place() {
        let sets = Labels::Multi(vec![vec![0, 1], vec![1], vec![]]);
        let found = map(&sets, 2);
        let classes: Vec<Option<u32>> = found.points.iter().map(|point| point.class).collect();
        assert_eq!(classes, [Some(1), Some(1), None]);
        check(&found);
        let names = ["🌾".repeat(60), "b".into()];
        for n in [0, 1, 2] {
            let labels = Labels::Single(vec![0; n]);
            check(&DocumentMap::new("", &Matrix::zeros(n, 4), &labels, &names).unwrap());
        }
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let names = ["a".to_owned()];
        let refused = |rows: Matrix, labels: Vec<u32>| {
            let labels = Labels::Single(labels);
            DocumentMap::new("", &rows, &labels, &names).unwrap_err().to_string()
        };
        assert!(refused(Matrix::zeros(2, 2), vec![0]).contains("2 rows and labels for 1"));
        assert!(refused(Matrix::zeros(1, 2), vec![1]).contains("class 1 has no name"));
        let nan = Matrix::new(1, 1, vec![f32::NAN]).unwrap();
        assert!(refused(nan, vec![0]).contains("no place on a map"));
    }
}

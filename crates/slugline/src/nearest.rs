//! The training documents nearest to a text, out of an index that a model carries.
//!
//! Documents are near where the network takes them for similar: by the cosine of the angle between their
//! rows of [`Classifier::embed`]. All documents are compared, so that the nearest are found for certain.

use rayon::prelude::*;
use serde::Serialize;

use crate::classifier::{Classifier, ClassifierError};
use crate::corpus::Documents;
use crate::nn::{Buffer, Matrix};

/// Training documents with their places in the last hidden layer.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentIndex {
    /// `[documents, width]`, rows of length 1, or of zeros.
    vectors: Buffer<f32>,
    width: usize,
    /// The texts, end to end.
    text: Buffer<u8>,
    text_ends: Buffer<u64>,
    /// The classes of all documents, one document's after the other's.
    classes: Buffer<u32>,
    class_ends: Buffer<u64>,
}

/// A training document near a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its number among the indexed documents, from 0.
    pub document: usize,
    /// Cosine of the angle between the two rows of the last hidden layer: 1 for texts that the network
    /// cannot tell apart.
    pub similarity: f32,
    /// Names of its classes.
    pub labels: Vec<String>,
    /// Its text.
    pub text: String,
}

impl DocumentIndex {
    /// An index from its stored parts: rows, texts and where each ends, classes and where those of each
    /// document end.
    ///
    /// # Errors
    /// What does not fit, for parts of other lengths, ends that fall or go beyond what they divide, text
    /// that is not UTF-8, or a class that is not below `class_count`.
    pub(crate) fn from_stored(
        (vectors, width): (Buffer<f32>, usize),
        (text, text_ends): (Buffer<u8>, Buffer<u64>),
        (classes, class_ends): (Buffer<u32>, Buffer<u64>),
        class_count: usize,
    ) -> Result<Self, String> {
        let documents = text_ends.as_slice().len();
        if class_ends.as_slice().len() != documents {
            let found = class_ends.as_slice().len();
            return Err(format!("{documents} texts and labels of {found} documents"));
        }
        if documents.checked_mul(width) != Some(vectors.as_slice().len()) {
            let found = vectors.as_slice().len();
            return Err(format!("{found} numbers for {documents} rows of {width}"));
        }
        for (ends, length, what) in [
            (&text_ends, text.as_slice().len(), "texts"),
            (&class_ends, classes.as_slice().len(), "labels"),
        ] {
            let ends = ends.as_slice();
            if !ends.is_sorted() || ends.last().copied().unwrap_or_default() != length as u64 {
                return Err(format!("ends of {what} that do not rise to {length}"));
            }
        }
        let whole = std::str::from_utf8(text.as_slice()).map_err(|e| format!("a text: {e}"))?;
        if let Some(end) =
            text_ends.as_slice().iter().find(|&&end| !whole.is_char_boundary(end as usize))
        {
            return Err(format!("a text that ends within a character, at {end}"));
        }
        match classes.as_slice().iter().find(|&&class| class as usize >= class_count) {
            Some(class) => Err(format!("class {class} of {class_count}")),
            None => Ok(Self { vectors, width, text, text_ends, classes, class_ends }),
        }
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.text_ends.as_slice().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The classes of a document and its text, if there is one of this number.
    pub fn document(&self, document: usize) -> Option<(&[u32], &str)> {
        (document < self.len()).then(|| (self.classes_of(document), self.text(document)))
    }

    /// The rows: shape `[documents, width]`, flat, and the width.
    pub(crate) fn vectors(&self) -> (&[f32], usize) {
        (self.vectors.as_slice(), self.width)
    }

    /// The texts end to end, and where each ends.
    pub(crate) fn texts(&self) -> (&[u8], &[u64]) {
        (self.text.as_slice(), self.text_ends.as_slice())
    }

    /// The classes of all documents, and where those of each end.
    pub(crate) fn classes(&self) -> (&[u32], &[u64]) {
        (self.classes.as_slice(), self.class_ends.as_slice())
    }

    /// The text of a document.
    fn text(&self, document: usize) -> &str {
        // Checked when the index was made.
        let bytes = part(self.text.as_slice(), self.text_ends.as_slice(), document);
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The classes of a document.
    fn classes_of(&self, document: usize) -> &[u32] {
        part(self.classes.as_slice(), self.class_ends.as_slice(), document)
    }

    /// The `k` documents nearest to a row of length 1, of equals the first ones.
    fn nearest(&self, row: &[f32], k: usize) -> Vec<(usize, f32)> {
        let product = |other: &[f32]| other.iter().zip(row).map(|(a, b)| a * b).sum::<f32>();
        // Rounding may carry it beyond.
        let cosine = |other: &[f32]| product(other).clamp(-1.0, 1.0);
        let rows = self.vectors.as_slice().chunks_exact(self.width.max(1));
        let mut all: Vec<(usize, f32)> = rows.map(cosine).enumerate().collect();
        let falling = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if k < all.len() {
            all.select_nth_unstable_by(k, falling);
            all.truncate(k);
        }
        all.sort_unstable_by(falling);
        all
    }
}

/// The part that belongs to a document.
fn part<'a, T>(all: &'a [T], ends: &[u64], document: usize) -> &'a [T] {
    let start = document.checked_sub(1).map_or(0, |before| ends[before] as usize);
    &all[start..ends[document] as usize]
}

/// Gives rows the length 1; rows of zeros stay.
fn to_unit_length(rows: &mut Matrix) {
    let width = rows.cols().max(1);
    rows.data_mut().par_chunks_mut(width).for_each(|row| {
        let squares: f64 = row.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        if squares > 0.0 {
            let length = squares.sqrt();
            for v in row {
                *v = (f64::from(*v) / length) as f32;
            }
        }
    });
}

impl Classifier {
    /// The same classifier with an index of documents, which its model file then carries: their whole
    /// texts, their labels, and a number of 4 bytes for each unit of the last hidden layer.
    ///
    /// ```
    /// use slugline::classifier::{Classifier, TrainingOptions, ValidationSplit};
    /// use slugline::corpus::Documents;
    ///
    /// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    /// for (text, class) in [("wheat rose", 0), ("gold fell", 1), ("corn rose", 0), ("tin fell", 1)] {
    ///     documents.push(text, class);
    /// }
    /// let options = TrainingOptions { validation: ValidationSplit::None, ..Default::default() };
    /// let classifier = Classifier::train_documents(&documents, "wires", &options, &mut [])?;
    /// let classifier = classifier.with_index(&documents)?;
    /// let nearest = classifier.nearest("tin fell", 2)?;
    /// assert_eq!((nearest[0].text.as_str(), nearest[0].labels[0].as_str()), ("tin fell", "metal"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClassifierError::OtherClasses`] and [`ClassifierError::OtherContent`] for documents that do not
    /// fit the model.
    pub fn with_index(self, documents: &Documents) -> Result<Self, ClassifierError> {
        self.check_documents("the documents to index", documents)?;
        let texts: Vec<&str> = documents.texts().collect();
        let mut rows = self.embed(&texts)?;
        to_unit_length(&mut rows);
        let (mut text, mut text_ends) = (Vec::new(), Vec::new());
        let (mut classes, mut class_ends) = (Vec::new(), Vec::new());
        for (document, piece) in texts.iter().enumerate() {
            text.extend_from_slice(piece.as_bytes());
            text_ends.push(text.len() as u64);
            classes.extend(documents.labels().classes(document));
            class_ends.push(classes.len() as u64);
        }
        let index = DocumentIndex {
            width: rows.cols(),
            vectors: rows.data().to_vec().into(),
            text: text.into(),
            text_ends: text_ends.into(),
            classes: classes.into(),
            class_ends: class_ends.into(),
        };
        Ok(self.with_document_index(Some(index)))
    }

    /// The `k` indexed documents nearest to a text, the nearest first; none where the model has no
    /// index.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn nearest(&self, text: &str, k: usize) -> Result<Vec<Neighbour>, ClassifierError> {
        let Some(index) = self.index() else { return Ok(Vec::new()) };
        let mut row = self.embed(&[text])?;
        to_unit_length(&mut row);
        let names = self.class_names();
        let neighbour = |(document, similarity): (usize, f32)| {
            let (classes, ends) = index.classes();
            let labels = part(classes, ends, document).iter();
            Neighbour {
                document,
                similarity,
                labels: labels.filter_map(|&class| names.get(class as usize).cloned()).collect(),
                text: index.text(document).to_owned(),
            }
        };
        Ok(index.nearest(row.data(), k).into_iter().map(neighbour).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(
        vectors: usize,
        text: &str,
        text_ends: Vec<u64>,
        classes: Vec<u32>,
        class_ends: Vec<u64>,
    ) -> Result<DocumentIndex, String> {
        DocumentIndex::from_stored(
            (vec![0.5; vectors].into(), 2),
            (text.as_bytes().to_vec().into(), text_ends.into()),
            (classes.into(), class_ends.into()),
            3,
        )
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let good = stored(4, "aéb", vec![3, 4], vec![0, 2], vec![1, 2]).unwrap();
        assert_eq!((good.len(), good.text(0), good.text(1)), (2, "aé", "b"));
        for (bad, want) in [
            (stored(4, "aéb", vec![3, 4], vec![0, 2], vec![2]), "labels of 1 documents"),
            (stored(5, "aéb", vec![3, 4], vec![0, 2], vec![1, 2]), "5 numbers for 2 rows of 2"),
            (stored(4, "aéb", vec![4, 3], vec![0, 2], vec![1, 2]), "ends of texts"),
            (stored(4, "aéb", vec![3, 5], vec![0, 2], vec![1, 2]), "ends of texts"),
            (stored(4, "aéb", vec![3, 4], vec![0, 2], vec![1, 1]), "ends of labels"),
            (stored(4, "aéb", vec![2, 4], vec![0, 2], vec![1, 2]), "within a character"),
            (stored(4, "aéb", vec![3, 4], vec![0, 3], vec![1, 2]), "class 3 of 3"),
            (stored(0, "a", vec![], vec![], vec![]), "ends of texts"),
        ] {
            let problem = bad.unwrap_err();
            assert!(problem.contains(want), "{problem}");
        }
        let none = stored(0, "", vec![], vec![], vec![]).unwrap();
        assert!(none.is_empty() && none.nearest(&[1.0, 0.0], 3).is_empty());
    }

    #[test]
    fn the_nearest_come_first_and_of_equals_the_first() {
        let mut index = stored(8, "abcd", vec![1, 2, 3, 4], vec![], vec![0; 4]).unwrap();
        index.vectors = vec![0.0, 1.0, 0.6, 0.8, 0.6, 0.8, 1.0, 0.0].into();
        let near = index.nearest(&[1.0, 0.0], 3);
        assert_eq!(near, [(3, 1.0), (1, 0.6), (2, 0.6)]);
        assert_eq!(index.nearest(&[1.0, 0.0], 9).len(), 4);
    }
}

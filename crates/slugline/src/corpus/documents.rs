//! Labelled texts: what a reader of files gives, and what training, scoring and checking take.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::nn::{Matrix, NnError};

/// The labels of a list of documents, as numbers of classes.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// One class a document: multi-class, or binary where there are two.
    Single(Vec<u32>),
    /// Any number of classes a document, none included: multi-label. Sorted, each once.
    Multi(Vec<Vec<u32>>),
    /// A share of every class, one row a document (shape `[documents, classes]`): soft labels, each
    /// row of which sums to 1.
    Soft(Matrix),
}

/// What kind of [`Labels`] there are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    /// One class a document. The default.
    #[default]
    Single,
    /// Any number of classes a document.
    Multi,
    /// A share of every class.
    Soft,
}

/// What the texts of documents are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// What people wrote. The default.
    #[default]
    Text,
    /// Lists of features with their values, `index:value` with a space between: what others have made
    /// of text, or of anything else.
    Features,
}

/// Where a document stands: its source and its row there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, `-` for standard input, or the name of a dataset.
    pub source: Arc<str>,
    /// Line in a file of lines (of the record's beginning), row in a table; counted from 1.
    pub row: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.row)
    }
}

/// Texts with their labels, their weights and their places.
///
/// ```
/// use slugline::corpus::{Documents, Labels};
///
/// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
/// documents.push("Wheat fell.", 0);
/// documents.push("Gold rose.", 1);
/// assert_eq!(documents.len(), 2);
/// assert_eq!(documents.text(1), "Gold rose.");
/// assert_eq!(documents.labels(), &Labels::Single(vec![0, 1]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Documents {
    text: String,
    content: Content,
    ends: Vec<usize>,
    class_names: Vec<String>,
    labels: Labels,
    weights: Option<Vec<f32>>,
    sources: Vec<Arc<str>>,
    /// Number of the source and row in it.
    places: Vec<(u32, u64)>,
}

/// The place of a document of which none was noted.
const NOWHERE: (u32, u64) = (u32::MAX, 0);

impl Documents {
    /// No documents, one label each, of these classes.
    pub fn new(class_names: Vec<String>) -> Self {
        Self::of_kind(class_names, LabelKind::Single)
    }

    /// No documents, with labels of a kind.
    pub fn of_kind(class_names: Vec<String>, kind: LabelKind) -> Self {
        let labels = match kind {
            LabelKind::Single => Labels::Single(Vec::new()),
            LabelKind::Multi => Labels::Multi(Vec::new()),
            LabelKind::Soft => Labels::Soft(Matrix::zeros(0, class_names.len())),
        };
        Self {
            text: String::new(),
            content: Content::Text,
            ends: Vec::new(),
            class_names,
            labels,
            weights: None,
            sources: Vec::new(),
            places: Vec::new(),
        }
    }

    /// The same documents with classes of these names.
    #[must_use]
    pub(crate) fn with_class_names(mut self, class_names: Vec<String>) -> Self {
        self.class_names = class_names;
        self
    }

    /// Says what the texts are; [`Content::Text`] where nothing is said.
    #[must_use]
    pub fn with_content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// What the texts are.
    pub fn content(&self) -> Content {
        self.content
    }

    /// Adds a text without labels; those of all documents are set by [`with_labels`](Self::with_labels).
    pub fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// Adds a text of one class.
    ///
    /// # Panics
    /// If the labels are not [`Labels::Single`].
    pub fn push(&mut self, text: &str, class: u32) {
        let Labels::Single(labels) = &mut self.labels else {
            panic!("push() is for documents of one class each")
        };
        labels.push(class);
        self.push_text(text);
    }

    /// Replaces the labels.
    ///
    /// # Errors
    /// [`NnError::Shape`] if there are not as many as texts, [`NnError::Label`] for a class that has
    /// no name.
    pub fn with_labels(mut self, labels: Labels) -> Result<Self, NnError> {
        let classes = self.class_names.len();
        if labels.len() != self.len() {
            let (expected, got) = (self.len(), labels.len());
            return Err(NnError::Shape { what: "labels (documents)", expected, got });
        }
        let beyond = |label: &&u32| **label as usize >= classes;
        let wrong = match &labels {
            Labels::Single(all) => all
                .iter()
                .enumerate()
                .find(|(_, label)| beyond(label))
                .map(|(i, &label)| (i, label)),
            Labels::Multi(all) => all
                .iter()
                .enumerate()
                .find_map(|(i, set)| set.iter().find(beyond).map(|&label| (i, label))),
            Labels::Soft(rows) if rows.cols() != classes => {
                let (expected, got) = (classes, rows.cols());
                return Err(NnError::Shape { what: "columns of the soft labels", expected, got });
            }
            Labels::Soft(_) => None,
        };
        if let Some((sample, label)) = wrong {
            return Err(NnError::Label { sample, label, classes });
        }
        self.labels = labels;
        Ok(self)
    }

    /// Sets the weights of the documents: how much each counts in training; `None` for 1 each.
    ///
    /// # Errors
    /// [`NnError::Shape`] if there are not as many as documents; [`NnError::Setting`] for one that is
    /// negative or not finite.
    pub fn with_weights(mut self, weights: Option<Vec<f32>>) -> Result<Self, NnError> {
        if let Some(weights) = &weights {
            if weights.len() != self.len() {
                let (expected, got) = (self.len(), weights.len());
                return Err(NnError::Shape { what: "weights (documents)", expected, got });
            }
            let bad = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0));
            if let Some(i) = bad {
                return Err(NnError::Setting {
                    name: "document weight",
                    value: format!("{} (document {i})", weights[i]),
                    expected: "a finite number of at least 0",
                });
            }
        }
        self.weights = weights;
        Ok(self)
    }

    /// Notes that the last document stands at `row` of `source`.
    pub fn set_last_place(&mut self, source: &Arc<str>, row: u64) {
        // Only the last source is looked at: where each document has its own, looking for it among all
        // of them would take as long as there are pairs.
        if self.sources.last() != Some(source) {
            self.sources.push(Arc::clone(source));
        }
        self.places.resize(self.len().saturating_sub(1), NOWHERE);
        self.places.push((self.sources.len() as u32 - 1, row));
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of document `i`.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn text(&self, i: usize) -> &str {
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[i]]
    }

    /// The texts in order.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|i| self.text(i))
    }

    /// Bytes of all texts.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The names of the classes; a label is an index into this list.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The labels.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// What kind of labels there are.
    pub fn label_kind(&self) -> LabelKind {
        self.labels.kind()
    }

    /// How much each document counts in training, or `None` where each counts 1.
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// Where document `i` stands, if that was noted.
    pub fn place(&self, i: usize) -> Option<Place> {
        let &(source, row) = self.places.get(i)?;
        Some(Place { source: Arc::clone(self.sources.get(source as usize)?), row })
    }

    /// Documents of each class; of soft labels those with the largest share in it.
    pub fn class_counts(&self) -> Vec<u64> {
        self.labels.class_counts(self.class_names.len())
    }

    /// Puts other documents behind these, with what they have.
    ///
    /// # Errors
    /// [`NnError::Shape`] if they have another number of classes, [`NnError::Setting`] if their classes
    /// or the kind of their labels are others.
    pub fn append(&mut self, other: &Self) -> Result<(), NnError> {
        let classes = self.class_names.len();
        if other.class_names.len() != classes {
            let (expected, got) = (classes, other.class_names.len());
            return Err(NnError::Shape { what: "classes of the documents to add", expected, got });
        }
        let differs = self.class_names.iter().zip(&other.class_names).find(|(a, b)| a != b);
        if let Some((_, theirs)) = differs {
            return Err(NnError::Setting {
                name: "class of the documents to add",
                value: theirs.clone(),
                expected: "a class of these documents, in the same place",
            });
        }
        match (&mut self.labels, &other.labels) {
            (Labels::Single(ours), Labels::Single(theirs)) => ours.extend_from_slice(theirs),
            (Labels::Multi(ours), Labels::Multi(theirs)) => ours.extend_from_slice(theirs),
            (Labels::Soft(ours), Labels::Soft(theirs)) => {
                let data = [ours.data(), theirs.data()].concat();
                *ours = Matrix::new(ours.rows() + theirs.rows(), classes, data)?;
            }
            (_, theirs) => {
                return Err(NnError::Setting {
                    name: "labels of the documents to add",
                    value: format!("{:?}", theirs.kind()).to_lowercase(),
                    expected: "of the same kind as those of these documents",
                });
            }
        }
        if self.weights.is_some() || other.weights.is_some() {
            let of = |documents: &Self| {
                let all = documents.weights.clone();
                all.unwrap_or_else(|| vec![1.0; documents.len()])
            };
            self.weights = Some([of(self), of(other)].concat());
        }
        if !(self.places.is_empty() && other.places.is_empty()) {
            self.places.resize(self.len(), NOWHERE);
            let first = self.sources.len() as u32;
            self.sources.extend(other.sources.iter().cloned());
            let place = |i: usize| match other.places.get(i) {
                Some(&(source, row)) if source != NOWHERE.0 => (source + first, row),
                _ => NOWHERE,
            };
            self.places.extend((0..other.len()).map(place));
        }
        let before = self.text.len();
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| before + end));
        Ok(())
    }

    /// The documents at some positions, in the order of the positions.
    ///
    /// # Panics
    /// If a position is not below the number of documents.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        let mut out = Self::of_kind(self.class_names.clone(), self.label_kind());
        out.content = self.content;
        out.sources.clone_from(&self.sources);
        for &i in positions {
            out.push_text(self.text(i));
        }
        if !self.places.is_empty() {
            let place = |&i: &usize| self.places.get(i).copied().unwrap_or(NOWHERE);
            out.places = positions.iter().map(place).collect();
        }
        out.labels = self.labels.select(positions);
        out.weights = self.weights.as_ref().map(|all| positions.iter().map(|&i| all[i]).collect());
        out
    }

    /// SHA-256 over texts, labels, weights and class names, as lower-case hexadecimal digits: the same
    /// fingerprint trains the same model. Places do not count.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Lengths before contents keep different documents from running into the same bytes.
        hash.update((self.class_names.len() as u64).to_le_bytes());
        for name in &self.class_names {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name.as_bytes());
        }
        hash.update((self.len() as u64).to_le_bytes());
        for end in &self.ends {
            hash.update((*end as u64).to_le_bytes());
        }
        hash.update(self.text.as_bytes());
        if self.content == Content::Features {
            hash.update(b"features");
        }
        match &self.labels {
            Labels::Single(labels) => {
                hash.update([0]);
                for label in labels {
                    hash.update(label.to_le_bytes());
                }
            }
            Labels::Multi(sets) => {
                hash.update([1]);
                for set in sets {
                    hash.update((set.len() as u64).to_le_bytes());
                    for label in set {
                        hash.update(label.to_le_bytes());
                    }
                }
            }
            Labels::Soft(rows) => {
                hash.update([2]);
                for share in rows.data() {
                    hash.update(share.to_le_bytes());
                }
            }
        }
        for weight in self.weights.iter().flatten() {
            hash.update(weight.to_le_bytes());
        }
        hex(&hash.finalize())
    }
}

impl Labels {
    /// Number of documents.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(labels) => labels.len(),
            Self::Multi(sets) => sets.len(),
            Self::Soft(rows) => rows.rows(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The kind.
    pub fn kind(&self) -> LabelKind {
        match self {
            Self::Single(_) => LabelKind::Single,
            Self::Multi(_) => LabelKind::Multi,
            Self::Soft(_) => LabelKind::Soft,
        }
    }

    /// The labels at some positions, in the order of the positions.
    ///
    /// # Panics
    /// If a position is not below the number of labels.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        match self {
            Self::Single(labels) => Self::Single(positions.iter().map(|&i| labels[i]).collect()),
            Self::Multi(sets) => Self::Multi(positions.iter().map(|&i| sets[i].clone()).collect()),
            Self::Soft(rows) => {
                let mut chosen = Matrix::zeros(positions.len(), rows.cols());
                let into = chosen.data_mut().chunks_exact_mut(rows.cols().max(1));
                for (row, &i) in into.zip(positions) {
                    row.copy_from_slice(rows.row(i));
                }
                Self::Soft(chosen)
            }
        }
    }

    /// Documents of each of so many classes; of soft labels those with the largest share in it.
    ///
    /// # Panics
    /// If a class is not below `classes`.
    pub fn class_counts(&self, classes: usize) -> Vec<u64> {
        let mut counts = vec![0; classes];
        let mut count = |class: u32| counts[class as usize] += 1;
        match self {
            Self::Single(labels) => labels.iter().for_each(|&class| count(class)),
            Self::Multi(sets) => sets.iter().flatten().for_each(|&class| count(class)),
            Self::Soft(rows) => rows.argmax_rows().into_iter().for_each(count),
        }
        counts
    }

    /// The classes of document `i`; of soft labels those with the largest share.
    ///
    /// # Panics
    /// If there are not so many documents.
    pub fn classes(&self, i: usize) -> Vec<u32> {
        match self {
            Self::Single(labels) => vec![labels[i]],
            Self::Multi(sets) => sets[i].clone(),
            Self::Soft(rows) => vec![crate::nn::argmax(rows.row(i))],
        }
    }

    /// The class of each document: its one class, the first of its classes, or the one with the
    /// largest share; `None` for a document without any.
    pub fn first_classes(&self) -> Vec<Option<u32>> {
        match self {
            Self::Single(labels) => labels.iter().map(|&label| Some(label)).collect(),
            Self::Multi(sets) => sets.iter().map(|set| set.first().copied()).collect(),
            Self::Soft(rows) => rows.argmax_rows().into_iter().map(Some).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Documents {
        let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
        documents.push("Wheat fell.", 0);
        documents.push("", 1);
        documents.set_last_place(&"a.csv".into(), 7);
        documents
    }

    #[test]
    fn selected_documents_keep_everything() {
        let documents = two().with_weights(Some(vec![1.0, 0.5])).unwrap();
        let turned = documents.select(&[1, 0, 1]);
        assert_eq!(turned.texts().collect::<Vec<_>>(), ["", "Wheat fell.", ""]);
        assert_eq!(turned.labels(), &Labels::Single(vec![1, 0, 1]));
        assert_eq!(turned.weights(), Some(&[0.5, 1.0, 0.5][..]));
        assert_eq!(turned.place(0).unwrap().to_string(), "a.csv:7");
        assert_eq!(turned.place(1), None);
        assert_eq!(turned.class_counts(), [1, 2]);
        let soft = Labels::Soft(Matrix::new(2, 2, vec![0.9, 0.1, 0.3, 0.7]).unwrap());
        let soft = two().with_labels(soft).unwrap().select(&[1]);
        assert_eq!(soft.class_counts(), [0, 1]);
    }

    #[test]
    fn documents_put_behind_others_keep_everything() {
        let mut all = two();
        let mut more = Documents::new(vec!["grain".into(), "metal".into()]);
        more.push("Corn rose.", 0);
        more.set_last_place(&"b.csv".into(), 3);
        all.append(&more.clone().with_weights(Some(vec![2.0])).unwrap()).unwrap();
        assert_eq!(all.texts().collect::<Vec<_>>(), ["Wheat fell.", "", "Corn rose."]);
        assert_eq!(all.labels(), &Labels::Single(vec![0, 1, 0]));
        assert_eq!(all.weights(), Some(&[1.0, 1.0, 2.0][..]));
        let places: Vec<_> = (0..3).map(|i| all.place(i).map(|place| place.to_string())).collect();
        assert_eq!(places, [None, Some("a.csv:7".into()), Some("b.csv:3".into())]);
        assert_eq!(all.select(&[0, 1]).texts().count(), 2);

        let soft = |documents: Documents, row: [f32; 2]| {
            let rows = Matrix::new(documents.len(), 2, row.repeat(documents.len())).unwrap();
            documents.with_labels(Labels::Soft(rows)).unwrap()
        };
        let mut shares = soft(two(), [0.25, 0.75]);
        shares.append(&soft(more.clone(), [0.5, 0.5])).unwrap();
        assert_eq!(shares.class_counts(), [1, 2]);
        assert!(shares.append(&more).is_err());
        assert!(two().append(&Documents::new(vec!["grain".into(), "ore".into()])).is_err());
        assert!(two().append(&Documents::new(vec!["grain".into()])).is_err());
    }

    #[test]
    fn labels_and_weights_that_do_not_fit_are_refused() {
        assert!(two().with_labels(Labels::Single(vec![0])).is_err());
        assert!(two().with_labels(Labels::Multi(vec![vec![], vec![0, 2]])).is_err());
        assert!(two().with_labels(Labels::Soft(Matrix::zeros(2, 3))).is_err());
        assert!(two().with_weights(Some(vec![1.0])).is_err());
        assert!(two().with_weights(Some(vec![1.0, f32::NAN])).is_err());
    }

    #[test]
    fn fingerprints_tell_contents_apart() {
        let base = two().fingerprint();
        assert_eq!(base, two().fingerprint());
        let multi = |sets| two().with_labels(Labels::Multi(sets)).unwrap().fingerprint();
        let mut others = vec![
            two().with_labels(Labels::Single(vec![1, 1])).unwrap().fingerprint(),
            two().with_weights(Some(vec![1.0, 2.0])).unwrap().fingerprint(),
            multi(vec![vec![0], vec![1]]),
            multi(vec![vec![0, 1], vec![]]),
            two().select(&[1, 0]).fingerprint(),
            base,
        ];
        others.sort();
        others.dedup();
        assert_eq!(others.len(), 6);
    }
}

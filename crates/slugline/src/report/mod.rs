//! Pages of HTML, each one file that needs nothing beside it: a report on a model, and explained texts.

mod document;
mod documents;
mod explanation;
mod marked;
mod page;

use serde::Serialize;

use crate::classifier::{Classifier, ClassifierError};
use crate::corpus::Documents;
use crate::evaluation::{Evaluation, EvaluationOptions};
use crate::explain::{ClassWords, WordsError};
use crate::nn::NnError;
use crate::plot::PlotError;

pub use documents::{ConfusedPair, Fault, ReportedDocument};
pub use explanation::explanation_page;

/// What a report shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportOptions {
    /// What stands above it. `None`, the default, for the name of the data.
    pub title: Option<String>,
    /// Which part of the data the documents are, in words. Default nothing.
    pub part: Option<String>,
    /// Whether the documents are known to be those that the model was trained on. Default no; equal
    /// fingerprints tell it too.
    pub trained_on: bool,
    /// What its makers have to say, as plain text: for what the model is meant, who answers for it.
    /// Default none.
    pub notes: Option<String>,
    /// Whether texts of the documents are shown, and the words of the classes, which come from them.
    /// Default yes.
    pub texts: bool,
    /// Pairs of classes that are taken for each other. Default 10.
    pub pairs: usize,
    /// Documents shown of each pair. Default 3.
    pub examples: usize,
    /// Documents shown of the most confidently wrong ones, and of the hardest. Default 12.
    pub documents: usize,
    /// Words shown of each class. Default 6.
    pub words: usize,
    /// How is scored. Default with intervals.
    pub evaluation: EvaluationOptions,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            title: None,
            part: None,
            trained_on: false,
            notes: None,
            texts: true,
            pairs: 10,
            examples: 3,
            documents: 12,
            words: 6,
            evaluation: EvaluationOptions::default(),
        }
    }
}

/// What there is to say of a model on labelled documents: the data behind the page.
///
/// ```
/// use slugline::classifier::{Classifier, TrainingOptions, ValidationSplit};
/// use slugline::corpus::Documents;
/// use slugline::report::{Report, ReportOptions};
///
/// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
/// for (text, class) in [("wheat rose", 0), ("gold fell", 1), ("corn rose", 0), ("tin fell", 1)] {
///     documents.push(text, class);
/// }
/// let options = TrainingOptions { validation: ValidationSplit::None, ..Default::default() };
/// let classifier = Classifier::train_documents(&documents, "wires", &options, &mut [])?;
/// let report = Report::new(&classifier, &documents, "wires", ReportOptions::default())?;
/// let page = report.html(&classifier)?;
/// assert!(page.contains("Most confidently wrong"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What stands above it.
    pub title: String,
    /// What the documents are called.
    pub data: String,
    /// Which part of them was scored, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Whether they are known to be those that the model was trained on.
    pub trained_on: bool,
    /// What its makers have to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The fingerprint of the documents.
    pub fingerprint: String,
    /// The scores.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// The classes most often taken for each other; none for multi-label answers.
    pub confused: Vec<ConfusedPair>,
    /// The most confidently wrong answers.
    pub wrong: Vec<ReportedDocument>,
    /// The documents with the largest log loss, without those before.
    pub hardest: Vec<ReportedDocument>,
    /// The words that contribute most to each class in its documents; none where features are hashed or
    /// texts are not shown.
    pub words: Vec<ClassWords>,
}

impl Report {
    /// Scores the classifier on documents called `name`, which it should not have been trained on, and
    /// finds what there is to show.
    ///
    /// # Errors
    /// [`ReportError::Classifier`] for documents that do not fit the model.
    pub fn new(
        classifier: &Classifier,
        documents: &Documents,
        name: &str,
        options: ReportOptions,
    ) -> Result<Self, ReportError> {
        let evaluation =
            classifier.evaluate_documents_with(documents, name, &options.evaluation)?;
        let shown = documents::shown(classifier, documents, &evaluation, &options)?;
        let words = match options.texts.then(|| classifier.words_of(documents, options.words)) {
            None | Some(Err(WordsError::Hashed)) => Vec::new(),
            Some(other) => other?,
        };
        let fingerprint = documents.fingerprint();
        Ok(Self {
            trained_on: options.trained_on || fingerprint == classifier.record().corpus.fingerprint,
            part: options.part,
            title: options.title.unwrap_or_else(|| format!("{name}: a text classifier")),
            data: name.to_owned(),
            notes: options.notes,
            fingerprint,
            evaluation,
            confused: shown.pairs,
            wrong: shown.wrong,
            hardest: shown.hardest,
            words,
        })
    }

    /// The documents that were scored, in words.
    fn scored_on(&self) -> String {
        match &self.part {
            Some(part) => format!("{}, {part}", self.data),
            None => self.data.clone(),
        }
    }

    /// The page, for the same classifier.
    ///
    /// # Errors
    /// [`ReportError::Plot`] where a picture cannot be drawn.
    pub fn html(&self, classifier: &Classifier) -> Result<String, ReportError> {
        page::html(self, classifier)
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The page could not be put together.
    #[error("cannot write the page")]
    Page(#[from] askama::Error),
    /// The documents do not fit the model.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// The words of the classes cannot be found.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// A picture could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
}

impl From<NnError> for ReportError {
    fn from(error: NnError) -> Self {
        Self::Classifier(error.into())
    }
}

#[cfg(test)]
mod tests;

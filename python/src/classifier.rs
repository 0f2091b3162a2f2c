//! The text classifier.

use std::path::PathBuf;
use std::sync::Arc;

use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Serialize;
use serde_json::json;
use slugline::classifier::{Classifier as TextClassifier, Prediction};
use slugline::decision::Answer;
use slugline::evaluation::EvaluationOptions;
use slugline::explain::ExplainOptions;
use slugline::nn::Matrix;
use slugline::plot::{
    Architecture, ClassOrder, ClassSizes, Confusion, Curves, Picture, ReliabilityDiagram,
};
use slugline::report::{Report, ReportOptions};

use crate::documents::{WHAT, documents, kind_name};
use crate::errors::{classifier_error, file_error, network_error, value_error};
use crate::pictures::picture;
use crate::pool;
use crate::rows::Rows;
use crate::targets::array;
use crate::texts::Texts;

/// A trained text classifier, as a model file holds it.
#[pyclass(frozen, module = "slugline._slugline")]
pub struct Classifier(Arc<TextClassifier>);

fn json_of(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|e| PyValueError::new_err(e.to_string()))
}

impl Classifier {
    pub(crate) fn of(classifier: TextClassifier) -> Self {
        Self(Arc::new(classifier))
    }

    pub(crate) fn inner(&self) -> Arc<TextClassifier> {
        Arc::clone(&self.0)
    }

    /// Makes something of the answers for texts.
    fn answers<R: Send>(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        threads: usize,
        of: impl FnOnce(Vec<Prediction>) -> R + Send,
    ) -> PyResult<R> {
        let texts = Texts::read(texts, WHAT)?;
        let slices = texts.slices(WHAT)?;
        pool::work(py, threads, || of(self.0.predict_batch(&slices)))
    }

    fn class(&self, name: Option<&str>) -> PyResult<Option<u32>> {
        let Some(name) = name else { return Ok(None) };
        match self.0.class_names().iter().position(|known| known == name) {
            Some(class) => Ok(Some(class as u32)),
            None => Err(PyValueError::new_err(format!(
                "the model has no class {name:?}; it has {}",
                self.0.class_names().join(", ")
            ))),
        }
    }
}

#[pymethods]
impl Classifier {
    /// Loads a model file, which stays mapped.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let classifier = py.detach(|| TextClassifier::load(path));
        classifier.map(Self::of).map_err(|e| file_error(&e))
    }

    /// A classifier of the content of a model file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: Vec<u8>) -> PyResult<Self> {
        let classifier = py.detach(|| TextClassifier::from_bytes(bytes));
        classifier.map(Self::of).map_err(|e| file_error(&e))
    }

    /// Writes a model file, atomically.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.save(path)).map_err(|e| file_error(&e))
    }

    /// The content of the model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.0.to_bytes()).map_err(|e| file_error(&e))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The checksum of the model file.
    fn checksum(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.0.checksum()).map_err(|e| file_error(&e))
    }

    /// Names of the classes.
    #[getter]
    fn class_names(&self) -> Vec<String> {
        self.0.class_names().to_vec()
    }

    /// `single`, `multi` or `soft`.
    #[getter]
    fn label_kind(&self) -> &'static str {
        kind_name(self.0.label_kind())
    }

    /// How the classifier was made, as JSON.
    fn record(&self) -> PyResult<String> {
        json_of(self.0.record())
    }

    /// The layers of the network, as JSON.
    fn summary(&self) -> PyResult<String> {
        json_of(&self.0.network().summary())
    }

    /// The number of the answer for each text, -1 for `unknown`; for one class a document.
    #[pyo3(signature = (texts, *, threads = 0))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let number = |answer: Prediction| match answer.answer {
            Answer::Class(class) => i64::from(class),
            Answer::Labels(labels) => labels.first().map_or(-1, |&class| class.into()),
            Answer::Unknown(_) => -1,
        };
        let numbers = self.answers(py, texts, threads, |answers| {
            answers.into_iter().map(number).collect::<Vec<i64>>()
        })?;
        Ok(PyArray1::from_vec(py, numbers))
    }

    /// The numbers of the answers for each text.
    #[pyo3(signature = (texts, *, threads = 0))]
    fn predict_lists(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        threads: usize,
    ) -> PyResult<Vec<Vec<u32>>> {
        let list = |answer: Prediction| match answer.answer {
            Answer::Class(class) => vec![class],
            Answer::Labels(labels) => labels,
            Answer::Unknown(_) => Vec::new(),
        };
        self.answers(py, texts, threads, |answers| answers.into_iter().map(list).collect())
    }

    /// The `top_k` most probable classes for each text with their probabilities, its answer, words and
    /// unknown words, as JSON.
    #[pyo3(signature = (texts, *, top_k = 1, threads = 0))]
    fn ranked(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        top_k: usize,
        threads: usize,
    ) -> PyResult<String> {
        let names = self.0.class_names();
        let name = |class: u32| &names[class as usize];
        let ranked = |answer: &Prediction| {
            let top: Vec<_> =
                answer.top_k(top_k).into_iter().map(|(class, p)| (name(class), p)).collect();
            let labels = match &answer.answer {
                Answer::Labels(labels) => Some(labels.iter().map(|&c| name(c)).collect::<Vec<_>>()),
                _ => None,
            };
            json!({
                "label": answer.label,
                "labels": labels,
                "top": top,
                "words": answer.words,
                "unknown_words": answer.unknown_words,
            })
        };
        let list = self.answers(py, texts, threads, |answers| {
            answers.iter().map(ranked).collect::<Vec<_>>()
        })?;
        json_of(&list)
    }

    /// The probability of every class for each text.
    #[pyo3(signature = (texts, *, threads = 0))]
    fn predict_proba<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let classes = self.0.class_names().len();
        let all = self.answers(py, texts, threads, |answers| {
            let mut all = Matrix::zeros(answers.len(), classes);
            for (row, answer) in all.data_mut().chunks_exact_mut(classes).zip(answers) {
                row.copy_from_slice(&answer.probabilities);
            }
            all
        })?;
        array(py, &all)
    }

    /// What the network gives every class before its last activation and before calibration.
    #[pyo3(signature = (texts, *, threads = 0))]
    fn logits<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let texts = Texts::read(texts, WHAT)?;
        let slices = texts.slices(WHAT)?;
        let logits = pool::work(py, threads, || {
            self.0.vectorizer().transform(&slices).and_then(|rows| self.0.network().logits(&rows))
        })?;
        array(py, &logits.map_err(|e| network_error(&e))?)
    }

    /// The activations of the last hidden layer.
    #[pyo3(signature = (texts, *, threads = 0))]
    fn embed<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let texts = Texts::read(texts, WHAT)?;
        let slices = texts.slices(WHAT)?;
        let rows = pool::work(py, threads, || self.0.embed(&slices))?;
        array(py, &rows.map_err(|e| classifier_error(&e))?)
    }

    /// The features of texts.
    #[pyo3(signature = (texts, *, threads = 0))]
    fn vectorize(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        threads: usize,
    ) -> PyResult<Rows> {
        let texts = Texts::read(texts, WHAT)?;
        let slices = texts.slices(WHAT)?;
        let rows = pool::work(py, threads, || self.0.vectorizer().transform(&slices))?;
        rows.map(Rows::of).map_err(|e| network_error(&e))
    }

    /// What each feature stands for, `None` for those that stand for no text.
    fn feature_names(&self) -> Vec<Option<String>> {
        self.0.vectorizer().feature_names()
    }

    /// Why each text has a class, as JSON.
    #[pyo3(signature = (texts, *, label = None, against = None, threads = 0))]
    fn explain(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        label: Option<&str>,
        against: Option<&str>,
        threads: usize,
    ) -> PyResult<Vec<String>> {
        let what = ExplainOptions { class: self.class(label)?, against: self.class(against)? };
        if what.class.is_some() && what.class == what.against {
            return Err(PyValueError::new_err("a class cannot be held against itself"));
        }
        let texts = Texts::read(texts, WHAT)?;
        let slices = texts.slices(WHAT)?;
        let all = pool::work(py, threads, || {
            use rayon::prelude::*;
            let explainer = self.0.explainer();
            let each =
                slices.par_iter().map_init(|| explainer.fork(), |e, text| e.explain(text, what));
            each.collect::<Result<Vec<_>, _>>()
        })?;
        all.map_err(|e| network_error(&e))?.iter().map(json_of).collect()
    }

    /// The same classifier with an index of documents that `nearest` finds.
    fn with_index(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let documents = documents(texts, labels, self.class_names(), None)?;
        let classifier = TextClassifier::clone(&self.0);
        let indexed = pool::work(py, 0, || classifier.with_index(&documents))?;
        indexed.map(Self::of).map_err(|e| classifier_error(&e))
    }

    /// The indexed documents that are most like a text, as JSON.
    fn nearest(&self, text: &str, k: usize) -> PyResult<String> {
        if self.0.index().is_none() {
            return Err(PyValueError::new_err(
                "the model has no index of documents; with_index(texts, labels) gives it one",
            ));
        }
        json_of(&self.0.nearest(text, k).map_err(|e| classifier_error(&e))?)
    }

    /// The scores on labelled documents, as JSON.
    #[pyo3(signature = (texts, labels, name, *, intervals = true, threads = 0))]
    fn evaluate(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
        name: &str,
        intervals: bool,
        threads: usize,
    ) -> PyResult<String> {
        let documents = documents(texts, labels, self.class_names(), None)?;
        let options = match intervals {
            true => EvaluationOptions::default(),
            false => EvaluationOptions::without_intervals(),
        };
        let scores =
            pool::work(py, threads, || self.0.evaluate_documents_with(&documents, name, &options))?;
        json_of(&scores.map_err(|e| classifier_error(&e))?)
    }

    /// A page of HTML on what the model does with labelled documents.
    #[pyo3(signature = (texts, labels, name, *, title = None, notes = None, show_texts = true, threads = 0))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn report(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
        name: &str,
        title: Option<String>,
        notes: Option<String>,
        show_texts: bool,
        threads: usize,
    ) -> PyResult<String> {
        let documents = documents(texts, labels, self.class_names(), None)?;
        let options = ReportOptions { title, notes, texts: show_texts, ..ReportOptions::default() };
        let page = pool::work(py, threads, || {
            Report::new(&self.0, &documents, name, options).and_then(|report| report.html(&self.0))
        })?;
        page.map_err(|e| value_error(&e))
    }

    /// A picture: `curves`, `architecture` or `class-sizes` of the model, `confusion` or `reliability` of
    /// what it does with labelled documents.
    #[pyo3(signature = (kind, *, data = None, name = "", format = "svg", theme = "light"))]
    fn plot<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        data: Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
        name: &str,
        format: &str,
        theme: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let corpus = &self.0.record().corpus.name;
        let evaluation = match (kind, data) {
            ("confusion" | "reliability", Some((texts, labels))) => {
                let documents = documents(&texts, &labels, self.class_names(), None)?;
                let scores = pool::work(py, 0, || self.0.evaluate_documents(&documents, name))?;
                Some(scores.map_err(|e| classifier_error(&e))?)
            }
            ("confusion" | "reliability", None) => {
                let message = format!(
                    "the picture {kind} is of labelled documents: give data=(texts, labels)"
                );
                return Err(PyValueError::new_err(message));
            }
            _ => None,
        };
        let what: Box<dyn Picture> = match (kind, &evaluation) {
            ("curves", _) => Box::new(Curves::new(corpus, &self.0.record().history)),
            ("architecture", _) => Box::new(Architecture::of(&self.0)),
            ("class-sizes", _) => Box::new(ClassSizes::of(&self.0)),
            ("reliability", Some(scores)) => Box::new(ReliabilityDiagram::new(name, scores)),
            ("confusion", Some(scores)) => Box::new(
                Confusion::new(name, scores, ClassOrder::default()).map_err(|e| value_error(&e))?,
            ),
            _ => {
                return Err(PyValueError::new_err(format!(
                    "unknown picture {kind:?}: expected curves, architecture, class-sizes, confusion or \
                     reliability"
                )));
            }
        };
        Ok(PyBytes::new(py, &picture(what.as_ref(), format, theme)?))
    }
}

//! Text to weighted features.

use std::sync::Arc;

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use slugline::nn::Buffer;
use slugline::text::{
    FeatureBuffer, Ngrams, TermVectorizer, TermVocabulary, Tokenised, Vectorizer,
    VectorizerOptions, Vocabulary,
};

use crate::errors::{network_error, value_error};
use crate::pool;
use crate::rows::Rows;
use crate::texts::Texts;

/// What texts are called in errors.
const WHAT: &str = "document";

/// A fitted vectorizer of terms. Settings are JSON, as the library stores them.
#[pyclass(frozen, module = "slugline._slugline")]
pub struct Terms(Arc<Vectorizer>);

fn options(json: &str) -> PyResult<VectorizerOptions> {
    let options: VectorizerOptions =
        serde_json::from_str(json).map_err(|e| PyValueError::new_err(e.to_string()))?;
    options.check().map_err(|e| value_error(&e))?;
    Ok(options)
}

fn words(list: &Bound<'_, PyAny>) -> PyResult<Vocabulary> {
    let texts = Texts::read(list, "word")?;
    Vocabulary::new(texts.slices("word")?).map_err(|e| value_error(&e))
}

impl Terms {
    fn terms(&self) -> PyResult<&TermVectorizer> {
        self.0.as_terms().ok_or_else(|| PyValueError::new_err("the vectorizer has no terms"))
    }
}

#[pymethods]
impl Terms {
    /// Learns the features of texts; gives the vectorizer and the rows of the texts.
    #[staticmethod]
    #[pyo3(signature = (texts, settings, *, threads = 0))]
    fn fit_transform(
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        settings: &str,
        threads: usize,
    ) -> PyResult<(Self, Rows)> {
        let options = options(settings)?;
        let texts = Texts::read(texts, WHAT)?;
        let slices = texts.slices(WHAT)?;
        let fitted = pool::work(py, threads, || {
            let tokenised = Tokenised::new(&slices, &options.analyzer);
            TermVectorizer::fit_transform(&tokenised, &options)
        })?;
        let (vectorizer, x) = fitted.map_err(|e| value_error(&e))?;
        Ok((Self(Arc::new(vectorizer.into())), Rows::of(x)))
    }

    /// The rows of texts.
    #[pyo3(signature = (texts, *, threads = 0))]
    fn transform(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        threads: usize,
    ) -> PyResult<Rows> {
        let texts = Texts::read(texts, WHAT)?;
        let slices = texts.slices(WHAT)?;
        let rows = pool::work(py, threads, || self.0.transform(&slices))?;
        rows.map(Rows::of).map_err(|e| network_error(&e))
    }

    /// The tokens of a text.
    #[staticmethod]
    fn tokens(text: &str, settings: &str) -> PyResult<Vec<String>> {
        Ok(slugline::text::Analyzer::new(options(settings)?.analyzer).tokens(text))
    }

    /// The features of one text, in the order of their tokens' ends.
    fn occurrences(&self, text: &str) -> Vec<u32> {
        let mut features = Vec::new();
        self.0.vectorize_with(text, &mut FeatureBuffer::default(), |found| {
            features.push(found.feature);
        });
        features
    }

    /// Number of features.
    #[getter]
    fn width(&self) -> usize {
        self.0.width()
    }

    /// What each feature stands for; empty where features are hashed.
    fn names(&self) -> PyResult<Vec<String>> {
        Ok(self.terms()?.terms().into_iter().map(|term| term.text).collect())
    }

    /// The factor of each feature.
    fn factors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        Ok(PyArray1::from_slice(py, self.terms()?.factors()))
    }

    /// Everything that `from_parts` needs, in texts and arrays.
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let terms = self.terms()?;
        let TermVocabulary { words, ngrams, prefixes, chars, features } = terms.vocabulary();
        let dict = PyDict::new(py);
        let settings = serde_json::to_string(terms.options())
            .map_err(|e| PyValueError::new_err(e.to_string()))?;
        dict.set_item("settings", settings)?;
        for (name, list) in [("words", words), ("prefixes", prefixes), ("chars", chars)] {
            dict.set_item(name, list.words().collect::<Vec<_>>())?;
        }
        let (grams, ends, table) = ngrams.stored();
        dict.set_item("ngrams", PyArray1::from_slice(py, grams))?;
        dict.set_item("ngram_ends", PyArray1::from_slice(py, ends))?;
        dict.set_item("ngram_table", PyArray1::from_slice(py, table))?;
        dict.set_item("features", PyArray1::from_slice(py, features.as_slice()))?;
        dict.set_item("factors", PyArray1::from_slice(py, terms.factors()))?;
        dict.set_item("mean_length", terms.mean_length())?;
        Ok(dict)
    }

    /// A vectorizer of what `parts` gave.
    #[staticmethod]
    fn from_parts(parts: &Bound<'_, PyDict>) -> PyResult<Self> {
        let get = |name: &str| {
            let missing = || PyValueError::new_err(format!("the vectorizer's state has no {name}"));
            parts.get_item(name)?.ok_or_else(missing)
        };
        let numbers = |name: &str| -> PyResult<Buffer<u32>> {
            let array = get(name)?.extract::<PyReadonlyArray1<'_, u32>>()?;
            Ok(array.as_slice()?.to_vec().into())
        };
        let table = get("ngram_table")?.extract::<PyReadonlyArray1<'_, u64>>()?;
        let table = table.as_slice()?.to_vec().into();
        let ngrams = Ngrams::from_stored(numbers("ngrams")?, numbers("ngram_ends")?, table)
            .ok_or_else(|| PyValueError::new_err("the vectorizer's n-grams are broken"))?;
        let factors = get("factors")?.extract::<PyReadonlyArray1<'_, f32>>()?;
        let vocabulary = TermVocabulary {
            words: words(&get("words")?)?,
            ngrams,
            prefixes: words(&get("prefixes")?)?,
            chars: words(&get("chars")?)?,
            features: numbers("features")?,
        };
        let settings = options(get("settings")?.extract()?)?;
        let mean_length = get("mean_length")?.extract()?;
        let factors = factors.as_slice()?.to_vec().into();
        let vectorizer = TermVectorizer::from_parts(settings, vocabulary, factors, mean_length)
            .map_err(|e| value_error(&e))?;
        Ok(Self(Arc::new(vectorizer.into())))
    }
}

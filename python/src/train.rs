//! Training of text classifiers, by settings with the command line's names and defaults.

use numpy::PyReadonlyArray1;
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use slugline::checkpoint::Checkpoints;
use slugline::classifier::{
    Base, Classifier as TextClassifier, ClassifierError, ContinueOptions, Settings,
};
use slugline::nn::{Callback, Flow};

use crate::classifier::Classifier;
use crate::documents::documents;
use crate::errors::{classifier_error, value_error};
use crate::fit::{Event, Hears, Told, handle};
use crate::interrupt::{Wire, interruptible};
use crate::pool;

/// Names of all settings.
#[pyfunction]
pub fn setting_names() -> Vec<&'static str> {
    Settings::NAMES.to_vec()
}

/// Every setting of a preset with its value, as JSON; of `auto` those that it does not choose.
#[pyfunction]
pub fn settings(preset: &str) -> PyResult<String> {
    let known = Base::ALL.into_iter().find(|base| base.name() == preset);
    let base = known.ok_or_else(|| {
        let names = Base::ALL.map(Base::name).join(", ");
        PyValueError::new_err(format!("unknown preset {preset:?}: expected one of {names}"))
    })?;
    serde_json::to_string(&Settings::of(base)).map_err(|e| PyValueError::new_err(e.to_string()))
}

/// Trains while the calling thread listens.
fn watched(
    py: Python<'_>,
    listener: Option<&Bound<'_, PyAny>>,
    train: impl FnOnce(
        &(dyn Fn() -> Flow + Sync),
        &mut [&mut dyn Callback],
    ) -> Result<TextClassifier, ClassifierError>
    + Send,
) -> PyResult<Classifier> {
    let hears = if listener.is_some() { Hears::Epochs } else { Hears::Nothing };
    let work = |wire: Wire<'_, Event>| {
        let asked = wire.clone();
        let go_on = move || if asked.stopped() { Flow::Stop } else { Flow::Continue };
        pool::on(0, || train(&go_on, &mut [&mut Told::new(wire, hears)]))
    };
    let listener = listener.map(|listener| listener.clone().unbind());
    let trained = interruptible(py, work, |py: Python<'_>, event| {
        handle(listener.as_ref().map(|listener| listener.bind(py)), event, |_| {})
    })?;
    match trained? {
        Ok(classifier) => Ok(Classifier::of(classifier)),
        Err(ClassifierError::Interrupted) => Err(PyKeyboardInterrupt::new_err(())),
        Err(error) => Err(classifier_error(&error)),
    }
}

#[pymethods]
impl Classifier {
    /// Trains on texts and labels; `settings` as JSON.
    #[staticmethod]
    #[pyo3(signature = (
        texts, labels, class_names, settings, *, name = "documents", sample_weight = None, listener = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn train(
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
        class_names: Vec<String>,
        settings: &str,
        name: &str,
        sample_weight: Option<PyReadonlyArray1<'_, f32>>,
        listener: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let settings: Settings =
            serde_json::from_str(settings).map_err(|e| PyValueError::new_err(reason(&e)))?;
        let plan = settings.plan().map_err(|e| value_error(&e))?;
        let documents = documents(texts, labels, class_names, sample_weight.as_ref())?;
        watched(py, listener, |go_on, callbacks| plan.train(&documents, name, go_on, callbacks))
    }

    /// Goes on with more texts and labels.
    #[pyo3(signature = (
        texts, labels, class_names, *, epochs = None, learning_rate = None, batch_size = None,
        validation = 0.0, seed = 0, sample_weight = None, threads = 0,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn train_from(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
        class_names: Vec<String>,
        epochs: Option<usize>,
        learning_rate: Option<f64>,
        batch_size: Option<usize>,
        validation: f64,
        seed: u64,
        sample_weight: Option<PyReadonlyArray1<'_, f32>>,
        threads: usize,
    ) -> PyResult<Self> {
        let documents = documents(texts, labels, class_names, sample_weight.as_ref())?;
        let options = ContinueOptions {
            epochs,
            learning_rate,
            batch_size,
            validation,
            seed,
            threads,
            ..ContinueOptions::default()
        };
        let parent = self.inner();
        watched(py, None, |_, callbacks| {
            let none = Checkpoints::none();
            let name = "more documents";
            TextClassifier::train_from(&parent, &documents, name, None, &options, callbacks, &none)
        })
    }
}

/// What a JSON error says, without its place: the text is not the user's.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

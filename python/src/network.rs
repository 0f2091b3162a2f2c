//! The network over sparse rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use slugline::nn::{
    CsrMatrix, FitOptions, History, Layer, Loss, Matrix, Metric, NnError, Optimizer,
    ParameterState, Parameters, Progress, Sequential, Validation,
};
use slugline::plot::Architecture;

use crate::errors::network_error;
use crate::fit::{Event, Hears, Told, handle, history, owned};
use crate::interrupt::{Wire, interruptible};
use crate::pictures::picture;
use crate::pool;
use crate::rows::Rows;
use crate::targets::{self, array};

/// The kernel and the bias of a layer.
type Pair<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<f32>>);

/// First and second moment of a parameter, and the last visits of its rows.
type Moments<'py> =
    (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<u32>>);

/// Steps and epochs so far, and the moments of the kernel and the bias of each layer.
type Stand<'py> = (u64, u64, Vec<(Moments<'py>, Moments<'py>)>);

/// Moments from Python.
type GivenMoments<'py> =
    (PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, u32>);

/// A stack of layers over sparse rows. Settings are JSON, as the library stores them.
#[pyclass(frozen, module = "slugline._slugline")]
pub struct Network(Mutex<Arc<Sequential>>);

fn parsed<T: DeserializeOwned>(value: Value) -> PyResult<T> {
    serde_json::from_value(value).map_err(|e| PyValueError::new_err(e.to_string()))
}

/// Settings in JSON that have a `name`, with the defaults of that name for those left out.
fn named<T: Serialize + DeserializeOwned>(
    what: &str,
    names: &[&str],
    by_name: impl Fn(&str) -> Option<T>,
    json: &str,
) -> PyResult<T> {
    let given: Map<String, Value> =
        serde_json::from_str(json).map_err(|e| PyValueError::new_err(e.to_string()))?;
    let name = given.get("name").and_then(Value::as_str).unwrap_or_default();
    let Some(Ok(Value::Object(mut all))) = by_name(name).map(serde_json::to_value) else {
        let names = names.join(", ");
        return Err(PyValueError::new_err(format!("unknown {what} {name:?}: known are {names}")));
    };
    for (key, value) in &given {
        if !all.contains_key(key) {
            let known: Vec<&str> =
                all.keys().map(String::as_str).filter(|k| *k != "name").collect();
            return Err(PyValueError::new_err(format!(
                "the {what} {name} has no setting {key}: it has {}",
                if known.is_empty() { "none".into() } else { known.join(", ") }
            )));
        }
        all.insert(key.clone(), value.clone());
    }
    parsed(Value::Object(all))
}

impl Network {
    pub(crate) fn of(model: Sequential) -> Self {
        Self(Mutex::new(Arc::new(model)))
    }

    /// The network as it is now.
    pub(crate) fn now(&self) -> Arc<Sequential> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, model: Sequential) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
    }

    /// Changes the network; it stays as it was where `change` fails.
    fn change(&self, change: impl FnOnce(&mut Sequential) -> Result<(), NnError>) -> PyResult<()> {
        let mut model = Sequential::clone(&self.now());
        change(&mut model).map_err(|e| network_error(&e))?;
        self.set(model);
        Ok(())
    }

    fn rows_of<'py>(
        &self,
        py: Python<'py>,
        x: &Rows,
        threads: usize,
        of: impl FnOnce(&Sequential, &CsrMatrix) -> Result<Matrix, NnError> + Send,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (x, model) = (x.matrix(), self.now());
        let out = pool::work(py, threads, || of(&model, &x))?;
        array(py, &out.map_err(|e| network_error(&e))?)
    }
}

#[pymethods]
impl Network {
    #[new]
    #[pyo3(signature = (input_width, layers, *, seed = 0))]
    fn new(input_width: usize, layers: &str, seed: u64) -> PyResult<Self> {
        let layers: Vec<Layer> =
            serde_json::from_str(layers).map_err(|e| PyValueError::new_err(e.to_string()))?;
        Ok(Self::of(Sequential::new(input_width, layers, seed).map_err(|e| network_error(&e))?))
    }

    /// Sets how to train and what to report; forgets the state of an earlier optimizer.
    #[pyo3(signature = (optimizer, loss, metrics = "[]"))]
    fn compile(&self, optimizer: &str, loss: &str, metrics: &str) -> PyResult<()> {
        let optimizer = named("optimizer", &Optimizer::NAMES, Optimizer::by_name, optimizer)?;
        let loss: Loss = named("loss", &Loss::NAMES, Loss::by_name, loss)?;
        let metrics: Vec<Metric> =
            serde_json::from_str(metrics).map_err(|e| PyValueError::new_err(e.to_string()))?;
        self.change(|model| model.compile(optimizer, loss, &metrics))
    }

    /// Trains, and gives the course of it. `listener` has the methods `begin(epoch)`, which gives another
    /// learning rate or `None`, `batch(epoch, step, steps, samples, loss)` and `end(epoch, logs)`, which
    /// says whether to stop; the network has the weights of the epoch's end then.
    #[pyo3(signature = (
        x, y, *, epochs, batch_size, shuffle = true, validation_split = 0.0, validation = None,
        sample_weight = None, class_weight = None, threads = 0, listener = None, every_batch = false,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn fit<'py>(
        &self,
        py: Python<'py>,
        x: &Rows,
        y: &Bound<'py, PyAny>,
        epochs: usize,
        batch_size: usize,
        shuffle: bool,
        validation_split: f64,
        validation: Option<(PyRef<'py, Rows>, Bound<'py, PyAny>)>,
        sample_weight: Option<PyReadonlyArray1<'py, f32>>,
        class_weight: Option<BTreeMap<u32, f32>>,
        threads: usize,
        listener: Option<Bound<'py, PyAny>>,
        every_batch: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (x, y) = (x.matrix(), targets::read(y)?);
        let validation = match validation {
            Some((x, y)) => Some((x.matrix(), targets::read(&y)?)),
            None => None,
        };
        let sample_weight = sample_weight.map(|w| w.as_slice().map(<[f32]>::to_vec)).transpose()?;
        let hears = match (&listener, every_batch) {
            (None, _) => Hears::Nothing,
            (Some(_), false) => Hears::Epochs,
            (Some(_), true) => Hears::Batches,
        };
        let model = Sequential::clone(&self.now());
        let train = |wire: Wire<'_, Event>| {
            let mut model = model;
            let result = pool::on(threads, || {
                let options = FitOptions {
                    epochs,
                    batch_size,
                    shuffle,
                    validation: match &validation {
                        Some((x, y)) => Validation::Data(x, y),
                        None if validation_split != 0.0 => Validation::Split(validation_split),
                        None => Validation::None,
                    },
                    sample_weight: sample_weight.as_deref(),
                    class_weight: class_weight.unwrap_or_default(),
                    ..FitOptions::default()
                };
                model.fit_with(&x, &y, &options, &mut [&mut Told::new(wire, hears)])
            });
            (model, result)
        };
        let listener = listener.map(Bound::unbind);
        let (model, result) = interruptible(py, train, |py: Python<'_>, event| {
            let listener = listener.as_ref().map(|listener| listener.bind(py));
            handle(listener, event, |weights| {
                // They are those of this network.
                let _ = self.change(|model| model.set_weights(weights));
            })
        })?;
        self.set(model);
        let found = result?.map_err(|e| network_error(&e))?;
        history(py, &found)
    }

    /// The loss and the metrics on other data, by name.
    #[pyo3(signature = (x, y, *, threads = 0))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        x: &Rows,
        y: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (x, y, model) = (x.matrix(), targets::read(y)?, self.now());
        let scores = pool::work(py, threads, || model.evaluate(&x, &y))?;
        let scores = scores.map_err(|e| network_error(&e))?;
        let dict = PyDict::new(py);
        dict.set_item("loss", scores.loss)?;
        for (name, value) in scores.metrics {
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }

    /// The outputs for every row.
    #[pyo3(signature = (x, *, threads = 0))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Rows,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.rows_of(py, x, threads, Sequential::predict)
    }

    /// The sums of the last layer before its activation, for every row.
    #[pyo3(signature = (x, *, threads = 0))]
    fn logits<'py>(
        &self,
        py: Python<'py>,
        x: &Rows,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.rows_of(py, x, threads, Sequential::logits)
    }

    /// What the last layer makes its outputs of, for every row.
    #[pyo3(signature = (x, *, threads = 0))]
    fn hidden<'py>(
        &self,
        py: Python<'py>,
        x: &Rows,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.rows_of(py, x, threads, Sequential::hidden)
    }

    /// Kernel `[n_in, units]` and bias `[units]` of each dense layer; a bias may be empty.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Vec<Pair<'py>>> {
        let model = self.now();
        let pair = |p: &Parameters| {
            let kernel = PyArray1::from_slice(py, p.kernel.as_slice());
            Ok((kernel.reshape([p.n_in, p.units])?, PyArray1::from_slice(py, p.bias.as_slice())))
        };
        model.parameters().iter().map(pair).collect()
    }

    /// Takes other weights, as `weights()` gives them; what the optimizer remembers stays.
    fn set_weights(
        &self,
        weights: Vec<(PyReadonlyArray2<'_, f32>, PyReadonlyArray1<'_, f32>)>,
    ) -> PyResult<()> {
        let model = self.now();
        let mut given = Vec::new();
        for (number, (kernel, bias)) in weights.iter().enumerate() {
            if let Some(p) = model.parameters().get(number)
                && kernel.shape() != [p.n_in, p.units]
            {
                return Err(PyValueError::new_err(format!(
                    "the kernel of dense layer {number} has the shape {:?}: expected [{}, {}]",
                    kernel.shape(),
                    p.n_in,
                    p.units
                )));
            }
            given.push((owned(kernel.as_slice()?), owned(bias.as_slice()?)));
        }
        self.change(|model| model.set_weights(given))
    }

    /// What the optimizer remembers: steps and epochs so far, and for each dense layer the moments of
    /// kernel and bias. `None` before `compile`.
    fn progress<'py>(&self, py: Python<'py>) -> Option<Stand<'py>> {
        let progress = self.now().progress()?;
        let moments = |state: &ParameterState| {
            (
                PyArray1::from_slice(py, state.m()),
                PyArray1::from_slice(py, state.v()),
                PyArray1::from_slice(py, state.last_visit()),
            )
        };
        let layers = progress.optimizer.iter().map(|(k, b)| (moments(k), moments(b))).collect();
        Some((progress.steps, progress.epochs, layers))
    }

    /// Takes the optimizer to where `progress()` stood.
    fn set_progress(
        &self,
        steps: u64,
        epochs: u64,
        layers: Vec<(GivenMoments<'_>, GivenMoments<'_>)>,
    ) -> PyResult<()> {
        let state = |(m, v, visits): &GivenMoments<'_>| -> PyResult<ParameterState> {
            let visits = visits.as_slice()?.to_vec();
            Ok(ParameterState::from_parts(m.as_slice()?, v.as_slice()?, visits))
        };
        let mut optimizer = Vec::new();
        for (kernel, bias) in &layers {
            optimizer.push((state(kernel)?, state(bias)?));
        }
        let (history, callbacks) = (History::default(), Vec::new());
        let progress = Progress { steps, epochs, history, optimizer, callbacks };
        self.change(|model| model.set_progress(&progress))
    }

    /// Layers, seed, and what `compile` was given, as JSON.
    fn config(&self) -> String {
        let model = self.now();
        json!({
            "input_width": model.input_width(),
            "layers": model.layers(),
            "seed": model.seed(),
            "optimizer": model.optimizer(),
            "loss": model.loss(),
            "metrics": model.metrics(),
        })
        .to_string()
    }

    /// Names, kinds, units and numbers of parameters of the layers, as JSON.
    fn summary(&self) -> PyResult<String> {
        let summary = self.now().summary();
        serde_json::to_string(&summary).map_err(|e| PyValueError::new_err(e.to_string()))
    }

    /// The layers as a picture: `svg` or `png`.
    #[pyo3(signature = (name = "", *, format = "svg", theme = "light"))]
    fn plot(&self, name: &str, format: &str, theme: &str) -> PyResult<Vec<u8>> {
        picture(&Architecture::of_network(name, &self.now()), format, theme)
    }
}

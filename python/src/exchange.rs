//! Models for other programs, and networks from Keras.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use slugline::exchange::onnx::{OnnxInput, OnnxOptions};
use slugline::exchange::{ExchangeError, keras, onnx, safetensors};

use crate::classifier::Classifier;
use crate::errors::{file_error, network_error, value_error};
use crate::network::Network;

fn exchange_error(error: &ExchangeError) -> PyErr {
    match error {
        ExchangeError::Model(error) => file_error(error),
        ExchangeError::Network(error) => network_error(error),
        _ => value_error(error),
    }
}

#[pymethods]
impl Classifier {
    /// The content of a file in another program's form: `onnx`, `safetensors` or `keras`.
    #[pyo3(signature = (to, *, input = "features", calibrated = true))]
    fn export<'py>(
        &self,
        py: Python<'py>,
        to: &str,
        input: &str,
        calibrated: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let inputs = [OnnxInput::Features, OnnxInput::Text];
        let Some(input) = inputs.into_iter().find(|known| known.name() == input) else {
            let message = format!("unknown input {input:?}: expected features or text");
            return Err(PyValueError::new_err(message));
        };
        let classifier = self.inner();
        let content = py.detach(|| match to {
            "onnx" => Some(onnx::to_bytes(&classifier, OnnxOptions { input, calibrated })),
            "safetensors" => Some(safetensors::to_bytes(&classifier)),
            "keras" => Some(keras::to_bytes(&classifier, calibrated)),
            _ => None,
        });
        let content = content.ok_or_else(|| {
            PyValueError::new_err(format!(
                "unknown form {to:?}: expected onnx, safetensors or keras"
            ))
        })?;
        Ok(PyBytes::new(py, &content.map_err(|e| exchange_error(&e))?))
    }
}

#[pymethods]
impl Network {
    /// The content of a `.keras` archive with the network.
    fn to_keras<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let model = self.now();
        let content = py.detach(|| keras::network_to_bytes(&model));
        Ok(PyBytes::new(py, &content.map_err(|e| exchange_error(&e))?))
    }

    /// The network of a `.keras` archive; it is not compiled.
    #[staticmethod]
    fn from_keras(py: Python<'_>, content: &[u8]) -> PyResult<Self> {
        let network = py.detach(|| keras::from_bytes(content));
        network.map(Self::of).map_err(|e| exchange_error(&e))
    }
}

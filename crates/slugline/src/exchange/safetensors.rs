//! The weights alone, under standard names, as a [safetensors] file.
//!
//! | tensor | type | shape |
//! |---|---|---|
//! | `layers.0.kernel`, `layers.1.kernel`, … | F32 | `[inputs, units]` |
//! | `layers.0.bias`, `layers.1.bias`, … | F32 | `[units]`; none for a layer without bias |
//!
//! Layers are dense layers, counted from 0. The header's `__metadata__` has one key, `slugline`, whose value
//! is a JSON text:
//!
//! | field | content |
//! |---|---|
//! | `format` | `"slugline weights"` |
//! | `slugline_version`, `model_checksum` | what made it, and of which model |
//! | `label_kind`, `labels` | what kind of labels there are, and the name of each output |
//! | `layers` | of each: `name` (`"layers.0"`), `inputs`, `units`, `activation`, `use_bias`, and `dropout`, the rate before it in training |
//! | `calibration` | the [`Calibration`](crate::evaluation::Calibration), which is not in the weights |
//! | `decisions` | the [`Decisions`](crate::decision::Decisions) |
//! | `feature_names` | what each input stands for; `null` for marks and hashed features |
//!
//! A [model file](crate::model_file) is a safetensors file too, but has tensors for the vocabulary and its
//! tables, names after Keras's layers, and a checksum that its reader demands; here is what programs want
//! that know nothing of Slugline. It cannot be loaded as a model again.
//!
//! [safetensors]: https://github.com/huggingface/safetensors

use std::collections::HashMap;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use super::{ExchangeError, tensor_names};
use crate::classifier::Classifier;
use crate::container::KEY;
use crate::nn::Layer;

const FORM: &str = "a safetensors file";

/// The weights of a classifier's network as a safetensors file.
///
/// # Errors
/// [`ExchangeError::Model`] for weights that are not finite, [`ExchangeError::Form`] if the header
/// becomes too long.
pub fn to_bytes(classifier: &Classifier) -> Result<Vec<u8>, ExchangeError> {
    let description = describe(classifier)?.to_string();
    let failed = |error: safetensors::SafeTensorError| ExchangeError::Form {
        form: FORM,
        problem: error.to_string(),
    };
    let mut tensors = Vec::new();
    for (i, parameters) in classifier.network().parameters().iter().enumerate() {
        let [kernel, bias] = tensor_names(i);
        let shape = vec![parameters.n_in, parameters.units];
        let view = |shape, values| TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(values));
        let values = parameters.kernel.as_slice();
        tensors.push((kernel, view(shape, values).map_err(failed)?));
        let values = parameters.bias.as_slice();
        if !values.is_empty() {
            tensors.push((bias, view(vec![parameters.units], values).map_err(failed)?));
        }
    }
    // One key alone: the order of several would change from run to run.
    let metadata = HashMap::from([(KEY.to_owned(), description)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(failed)
}

/// Writes the weights of a classifier's network to a safetensors file, atomically.
///
/// # Errors
/// As [`to_bytes`]; [`ExchangeError::Write`] if the system refuses.
pub fn save(classifier: &Classifier, path: impl AsRef<Path>) -> Result<(), ExchangeError> {
    super::write(path.as_ref(), &to_bytes(classifier)?)
}

fn describe(classifier: &Classifier) -> Result<Value, ExchangeError> {
    let network = classifier.network();
    let mut dropout = 0.0;
    let mut layers = Vec::new();
    for layer in network.layers() {
        match layer {
            Layer::Dropout(layer) => dropout = layer.rate,
            Layer::Dense(dense) => {
                let i = layers.len();
                layers.push(json!({
                    "name": format!("layers.{i}"),
                    "inputs": network.parameters()[i].n_in,
                    "units": dense.units,
                    "activation": dense.activation.name(),
                    "use_bias": dense.use_bias,
                    "dropout": dropout,
                }));
                dropout = 0.0;
            }
        }
    }
    Ok(json!({
        "format": "slugline weights",
        "slugline_version": env!("CARGO_PKG_VERSION"),
        "model_checksum": classifier.checksum()?,
        "label_kind": classifier.label_kind(),
        "labels": classifier.class_names(),
        "layers": layers,
        "calibration": classifier.calibration(),
        "decisions": classifier.decisions(),
        "feature_names": classifier.vectorizer().feature_names(),
    }))
}

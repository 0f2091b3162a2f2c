//! Archives of Keras 3, there and back.
//!
//! A `.keras` file is a zip archive of `config.json` (the layers), `metadata.json` and `model.weights.h5`,
//! an HDF5 file with the weights. It takes dense rows of shape `[N, features]`, which [`rows`](super::rows)
//! makes, and gives `[N, classes]`. Keras knows neither the vectorizer nor the labels; it does not train
//! on before it is compiled.
//!
//! # Written
//! A `Sequential` of `InputLayer`, `Dense` and `Dropout`, with units, activations, biases, starting
//! weights, penalties and rates as here. Calibration goes into the last layer: a temperature
//! divides its kernel and bias (before a softmax), Platt scaling multiplies and moves each unit (before a
//! sigmoid). [`Classifier::predict`] finds the logits for Platt scaling from outputs of single precision,
//! which are rough close to 1 and end at 1 − 2⁻²⁴; the layer has them as they are. So where an output is
//! above 0.9999 before it is calibrated, the two differ, the more the smaller the scale. A [`Mixture`](crate::evaluation::Mixture) no layer of Keras can hold; such a
//! classifier is written uncalibrated, when asked to.
//!
//! # Read
//! What is written, and what Keras 3 writes of such a model. Other layers are refused by name, and so are
//! settings without a counterpart: constraints, penalties on biases or outputs, types other than
//! `float32`. Initializers unknown here become the default, since the weights are there; how the model
//! was compiled is passed over, and the state of its optimizer.

mod config;
mod read;
mod weights;

use std::io::{Cursor, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::ExchangeError;
use crate::classifier::Classifier;
use crate::evaluation::Calibration;
use crate::nn::{Activation, Layer, Sequential, Weights};

pub use read::{from_bytes, read};

const FORM: &str = "a Keras model";

/// The files of an archive.
const CONFIG: &str = "config.json";
const METADATA: &str = "metadata.json";
const WEIGHTS: &str = "model.weights.h5";

/// A classifier's network as a `.keras` archive, its probabilities `calibrated` or as the network gives
/// them.
///
/// # Errors
/// [`ExchangeError::Inexpressible`] for a calibration that no layer can hold, [`ExchangeError::Model`] for
/// weights that are not finite, [`ExchangeError::Form`] if they are too many for HDF5.
pub fn to_bytes(classifier: &Classifier, calibrated: bool) -> Result<Vec<u8>, ExchangeError> {
    // Also says whether the weights are finite.
    let checksum = classifier.checksum()?;
    match calibrated {
        true => archive(&calibrated_network(classifier)?, Some(&checksum)),
        false => archive(classifier.network(), Some(&checksum)),
    }
}

/// A network as a `.keras` archive.
///
/// # Errors
/// [`ExchangeError::Form`] if the weights are too many for HDF5.
pub fn network_to_bytes(network: &Sequential) -> Result<Vec<u8>, ExchangeError> {
    archive(network, None)
}

/// Writes a classifier's network to a `.keras` archive, atomically.
///
/// # Errors
/// As [`to_bytes`]; [`ExchangeError::Write`] if the system refuses.
pub fn save(
    classifier: &Classifier,
    path: impl AsRef<Path>,
    calibrated: bool,
) -> Result<(), ExchangeError> {
    super::write(path.as_ref(), &to_bytes(classifier, calibrated)?)
}

/// The network whose outputs are the classifier's calibrated probabilities.
///
/// # Errors
/// [`ExchangeError::Inexpressible`] where the last layer cannot hold the calibration.
fn calibrated_network(classifier: &Classifier) -> Result<Sequential, ExchangeError> {
    let network = classifier.network();
    let refuse = |part: &str| {
        Err(ExchangeError::Inexpressible {
            form: FORM,
            part: format!("the calibration ({part})"),
            instead:
                "the network alone can be written uncalibrated, which gives other probabilities"
                    .into(),
        })
    };
    let units = network.units();
    // What each unit's sum is multiplied by, and what is added.
    let lines: Vec<(f64, f64)> = match (classifier.calibration(), network.output_activation()) {
        (Calibration::None, _) => return Ok(network.clone()),
        (Calibration::Temperature { temperature }, Activation::Softmax) => {
            vec![(1.0 / temperature, 0.0); units]
        }
        (Calibration::Platt { scales, offsets }, Activation::Sigmoid) => {
            scales.iter().copied().zip(offsets.iter().copied()).collect()
        }
        (Calibration::Temperature { .. }, _) => return refuse("a temperature without a softmax"),
        (Calibration::Platt { .. }, _) => return refuse("Platt scaling without a sigmoid"),
        (Calibration::Mixture(_), _) => return refuse("a mixture with a map of confidence"),
    };
    let mut layers = network.layers().to_vec();
    let parameters = network.parameters().iter();
    let mut parameters: Vec<(Weights, Weights)> =
        parameters.map(|p| (p.kernel.clone(), p.bias.clone())).collect();
    if let (Some(Layer::Dense(last)), Some((kernel, bias))) =
        (layers.last_mut(), parameters.last_mut())
    {
        last.use_bias |= lines.iter().any(|(_, offset)| *offset != 0.0);
        if last.use_bias && bias.as_slice().is_empty() {
            *bias = vec![0.0; units].into();
        }
        for row in kernel.make_mut().chunks_exact_mut(units.max(1)) {
            for (weight, (scale, _)) in row.iter_mut().zip(&lines) {
                *weight = (f64::from(*weight) * scale) as f32;
            }
        }
        for (bias, (scale, offset)) in bias.make_mut().iter_mut().zip(&lines) {
            *bias = (f64::from(*bias) * scale + offset) as f32;
        }
    }
    Ok(Sequential::from_parameters(network.input_width(), layers, parameters, network.seed())?)
}

fn archive(network: &Sequential, checksum: Option<&str>) -> Result<Vec<u8>, ExchangeError> {
    let weights = weights::write(network)?;
    let packed = || -> zip::result::ZipResult<Vec<u8>> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        // Stored, as Keras does: readers may then look for weights within.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        let (config, metadata) = (config::write(network), config::metadata(checksum));
        for (name, content) in
            [(METADATA, metadata.as_bytes()), (CONFIG, config.as_bytes()), (WEIGHTS, &weights)]
        {
            archive.start_file(name, options)?;
            archive.write_all(content)?;
        }
        Ok(archive.finish()?.into_inner())
    };
    packed().map_err(|error| ExchangeError::Form { form: FORM, problem: error.to_string() })
}

/// The names that layers get: that of their class with underscores, and from the second of a class on its
/// number. Keras saves weights under them, whatever the layers are called.
#[derive(Debug, Default)]
struct Names {
    dense: usize,
    dropout: usize,
}

impl Names {
    fn of(&mut self, layer: &Layer) -> String {
        let (name, count) = match layer {
            Layer::Dense(_) => ("dense", &mut self.dense),
            Layer::Dropout(_) => ("dropout", &mut self.dropout),
        };
        let number = *count;
        *count += 1;
        if number == 0 { name.into() } else { format!("{name}_{number}") }
    }
}

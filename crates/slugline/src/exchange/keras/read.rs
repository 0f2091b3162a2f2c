//! From Keras's archive to a network.

use std::io::{Cursor, Read};
use std::path::Path;

use serde_json::Value;
use zip::ZipArchive;

use super::weights::Stored;
use super::{CONFIG, Names, WEIGHTS};
use crate::exchange::ExchangeError;
use crate::nn::{Activation, Dense, Dropout, Initializer, Layer, Regularizer, Sequential};

/// The longest `config.json` that is read.
const LONGEST_CONFIG: u64 = 16 << 20;

/// How much longer than the archive weights may be. Keras does not pack them, and refuses what is packed
/// tighter.
const TIGHTEST: u64 = 100;

/// Reads the network of a `.keras` archive. It is not compiled, and its seed is 0.
///
/// # Errors
/// [`ExchangeError::Read`] if the system refuses; others as of [`from_bytes`].
pub fn read(path: impl AsRef<Path>) -> Result<Sequential, ExchangeError> {
    let path = path.as_ref();
    let bytes = std::fs::read(path)
        .map_err(|source| ExchangeError::Read { path: path.to_owned(), source })?;
    from_bytes(&bytes)
}

/// The network of a `.keras` archive in memory. It is not compiled, and its seed is 0.
///
/// # Errors
/// [`ExchangeError::NotKeras`] if the bytes are no such archive or a part of it is broken,
/// [`ExchangeError::Unsupported`] for a layer or a setting that has no counterpart,
/// [`ExchangeError::Network`] for layers that cannot stand where they do.
pub fn from_bytes(bytes: &[u8]) -> Result<Sequential, ExchangeError> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong("the archive", error))?;
    let config = part(&mut archive, CONFIG, LONGEST_CONFIG)?;
    let config: Value = serde_json::from_slice(&config).map_err(|error| wrong(CONFIG, error))?;
    let (width, layers) = network(&config)?;
    let most = (bytes.len() as u64).saturating_mul(TIGHTEST);
    let weights = Stored::open(part(&mut archive, WEIGHTS, most)?)?;
    let (mut names, mut n_in) = (Names::default(), width);
    let mut parameters = Vec::new();
    for layer in &layers {
        let name = names.of(layer);
        let Layer::Dense(dense) = layer else { continue };
        let kernel = weights.variable(&name, 0, &[n_in, dense.units])?;
        let bias = match dense.use_bias {
            true => weights.variable(&name, 1, &[dense.units])?,
            false => Vec::new(),
        };
        parameters.push((kernel.into(), bias.into()));
        n_in = dense.units;
    }
    Ok(Sequential::from_parameters(width, layers, parameters, 0)?)
}

/// A file of the archive, of at most so many bytes.
fn part(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, ExchangeError> {
    let file = archive.by_name(name).map_err(|error| wrong(name, error))?;
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content).map_err(|error| wrong(name, error))?;
    match content.len() as u64 > most {
        true => Err(wrong(name, format!("longer than {most} bytes"))),
        false => Ok(content),
    }
}

fn wrong(place: &str, problem: impl std::fmt::Display) -> ExchangeError {
    ExchangeError::NotKeras { place: place.to_owned(), problem: problem.to_string() }
}

/// The number of inputs and the layers of a model.
fn network(model: &Value) -> Result<(usize, Vec<Layer>), ExchangeError> {
    let class = class_name(model);
    if class != "Sequential" {
        return Err(wrong(CONFIG, format!("expected a Sequential model, found `{class}`")));
    }
    let config = &model["config"];
    let Some(listed) = config["layers"].as_array() else {
        return Err(wrong(CONFIG, "there is no list of layers"));
    };
    let mut shape = &config["build_input_shape"];
    if shape.is_null() {
        shape = &model["build_config"]["input_shape"];
    }
    let mut layers = Vec::new();
    for (i, layer) in listed.iter().enumerate() {
        let settings = Settings { of: &layer["config"] };
        match class_name(layer) {
            "InputLayer" if i == 0 => {
                let given = &settings.of["batch_shape"];
                shape = if given.is_null() { &settings.of["batch_input_shape"] } else { given };
            }
            "Dense" => layers.push(settings.dense()?.into()),
            "Dropout" => layers.push(settings.dropout()?.into()),
            other => {
                return Err(settings.unsupported(
                    format!("the class `{other}`"),
                    "only InputLayer, Dense and Dropout",
                ));
            }
        }
    }
    match shape.as_array().map(Vec::as_slice) {
        Some([_, width]) if width.is_u64() => {
            Ok((width.as_u64().unwrap_or_default() as usize, layers))
        }
        _ => Err(wrong(CONFIG, format!("expected rows of a known width, found the shape {shape}"))),
    }
}

/// The class of an object, or its name where it is just that.
fn class_name(object: &Value) -> &str {
    object["class_name"].as_str().or(object.as_str()).unwrap_or("none")
}

/// The settings of a layer.
#[derive(Clone, Copy)]
struct Settings<'a> {
    of: &'a Value,
}

impl Settings<'_> {
    fn unsupported(self, found: String, expected: &'static str) -> ExchangeError {
        let layer = self.of["name"].as_str().unwrap_or("without a name").to_owned();
        ExchangeError::Unsupported { layer, found, expected }
    }

    fn dense(self) -> Result<Dense, ExchangeError> {
        self.check_type()?;
        for name in [
            "bias_regularizer",
            "activity_regularizer",
            "kernel_constraint",
            "bias_constraint",
            "lora_rank",
            "quantization_config",
        ] {
            let value = &self.of[name];
            if !value.is_null() {
                let found = format!("the setting {name} = {}", class_or_text(value));
                return Err(self.unsupported(found, "only layers without it"));
            }
        }
        let Some(units) = self.of["units"].as_u64() else {
            return Err(self.unsupported(format!("units = {}", self.of["units"]), "only a number"));
        };
        Ok(Dense {
            units: units as usize,
            activation: self.activation()?,
            use_bias: self.of["use_bias"].as_bool().unwrap_or(true),
            kernel_initializer: initializer(&self.of["kernel_initializer"]),
            kernel_regularizer: self.regularizer()?,
        })
    }

    fn dropout(self) -> Result<Dropout, ExchangeError> {
        if !self.of["noise_shape"].is_null() {
            return Err(self.unsupported("a noise_shape".into(), "only layers without it"));
        }
        match self.of["rate"].as_f64() {
            Some(rate) => Ok(Dropout::new(rate as f32)),
            None => Err(self.unsupported(format!("rate = {}", self.of["rate"]), "only a number")),
        }
    }

    /// The type of the weights, or of a policy by its name.
    fn check_type(self) -> Result<(), ExchangeError> {
        let kind = &self.of["dtype"];
        let name = kind["config"]["name"].as_str().or(kind.as_str());
        match name {
            None | Some("float32") => Ok(()),
            Some(other) => Err(self.unsupported(format!("the type {other}"), "only float32")),
        }
    }

    fn activation(self) -> Result<Activation, ExchangeError> {
        let value = &self.of["activation"];
        if value.is_null() {
            return Ok(Activation::Linear);
        }
        // A function by its name, or an object that names one.
        let name = value["config"].as_str().unwrap_or(class_name(value));
        Activation::by_name(name).ok_or_else(|| {
            let found = format!("the activation `{name}`");
            self.unsupported(found, "only linear, relu, tanh, sigmoid, softmax and gelu")
        })
    }

    fn regularizer(self) -> Result<Regularizer, ExchangeError> {
        let value = &self.of["kernel_regularizer"];
        let number = |name: &str| value["config"][name].as_f64().unwrap_or_default() as f32;
        match class_name(value) {
            _ if value.is_null() => Ok(Regularizer::default()),
            "L1" => Ok(Regularizer { l1: number("l1"), l2: 0.0 }),
            "L2" => Ok(Regularizer { l1: 0.0, l2: number("l2") }),
            "L1L2" => Ok(Regularizer { l1: number("l1"), l2: number("l2") }),
            other => {
                let found = format!("the regularizer `{other}`");
                Err(self.unsupported(found, "only L1, L2 and L1L2"))
            }
        }
    }
}

fn class_or_text(value: &Value) -> String {
    match class_name(value) {
        "none" => value.to_string(),
        class => class.to_owned(),
    }
}

/// How the weights started, as far as it has a counterpart.
fn initializer(value: &Value) -> Initializer {
    match class_name(value) {
        "GlorotNormal" => Initializer::GlorotNormal,
        "HeUniform" => Initializer::HeUniform,
        "HeNormal" => Initializer::HeNormal,
        "Zeros" => Initializer::Zeros,
        "RandomUniform" => {
            let number = |name: &str| value["config"][name].as_f64();
            match (number("minval"), number("maxval")) {
                (Some(low), Some(high)) if low == -high => {
                    Initializer::RandomUniform { limit: high as f32 }
                }
                _ => Initializer::default(),
            }
        }
        _ => Initializer::default(),
    }
}

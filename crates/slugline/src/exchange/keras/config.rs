//! Layers as Keras's JSON.

use serde_json::{Value, json};

use super::Names;
use crate::nn::{Dense, Initializer, Layer, Regularizer, Sequential};

/// The version of Keras whose form is written; later ones of Keras 3 read it.
const KERAS: &str = "3.0.0";

/// The content of `metadata.json`. It names no date: the same model makes the same bytes.
pub(super) fn metadata(checksum: Option<&str>) -> String {
    let mut metadata =
        json!({ "keras_version": KERAS, "slugline_version": env!("CARGO_PKG_VERSION") });
    if let Some(checksum) = checksum {
        metadata["slugline_model_checksum"] = checksum.into();
    }
    metadata.to_string()
}

/// The content of `config.json`.
pub(super) fn write(network: &Sequential) -> String {
    let shape = json!([null, network.input_width()]);
    let input =
        json!({ "batch_shape": shape, "dtype": "float32", "sparse": false, "name": "features" });
    let mut layers = vec![object("keras.layers", "InputLayer", &input)];
    let (mut names, mut n_in) = (Names::default(), network.input_width());
    for layer in network.layers() {
        let name = names.of(layer);
        let (class, config) = match layer {
            Layer::Dense(dense) => ("Dense", dense_config(dense, &name)),
            Layer::Dropout(dropout) => {
                let config = json!({
                    "name": name,
                    "trainable": true,
                    "dtype": "float32",
                    "rate": dropout.rate,
                    "seed": null,
                    "noise_shape": null,
                });
                ("Dropout", config)
            }
        };
        let mut layer_object = object("keras.layers", class, &config);
        layer_object["build_config"] = json!({ "input_shape": [null, n_in] });
        layers.push(layer_object);
        if let Layer::Dense(dense) = layer {
            n_in = dense.units;
        }
    }
    let config = json!({
        "name": "slugline",
        "trainable": true,
        "dtype": "float32",
        "layers": layers,
        "build_input_shape": shape,
    });
    let mut model = object("keras", "Sequential", &config);
    model["build_config"] = json!({ "input_shape": shape });
    model["compile_config"] = Value::Null;
    model.to_string()
}

/// An object as Keras saves it.
fn object(module: &str, class: &str, config: &Value) -> Value {
    json!({ "module": module, "class_name": class, "config": config, "registered_name": null })
}

fn dense_config(dense: &Dense, name: &str) -> Value {
    json!({
        "name": name,
        "trainable": true,
        "dtype": "float32",
        "units": dense.units,
        "activation": dense.activation.name(),
        "use_bias": dense.use_bias,
        "kernel_initializer": initializer(dense.kernel_initializer),
        "bias_initializer": object("keras.initializers", "Zeros", &json!({})),
        "kernel_regularizer": regularizer(dense.kernel_regularizer),
        "bias_regularizer": null,
        "kernel_constraint": null,
        "bias_constraint": null,
    })
}

fn initializer(initializer: Initializer) -> Value {
    let (class, config) = match initializer {
        Initializer::GlorotUniform => ("GlorotUniform", json!({ "seed": null })),
        Initializer::GlorotNormal => ("GlorotNormal", json!({ "seed": null })),
        Initializer::HeUniform => ("HeUniform", json!({ "seed": null })),
        Initializer::HeNormal => ("HeNormal", json!({ "seed": null })),
        Initializer::RandomUniform { limit } => {
            ("RandomUniform", json!({ "minval": -limit, "maxval": limit, "seed": null }))
        }
        Initializer::Zeros => ("Zeros", json!({})),
    };
    object("keras.initializers", class, &config)
}

fn regularizer(regularizer: Regularizer) -> Value {
    let Regularizer { l1, l2 } = regularizer;
    if regularizer.is_zero() {
        return Value::Null;
    }
    object("keras.regularizers", "L1L2", &json!({ "l1": l1, "l2": l2 }))
}

//! Archives of Keras, weights and rows. What other programs make of them is tested with the command.

use std::io::{Cursor, Read, Write};

use serde_json::Value;
use zip::{ZipArchive, ZipWriter};

use super::{ExchangeError, keras, rows, safetensors};
use crate::classifier::{Classifier, TrainingOptions};
use crate::corpus::{SequenceOptions, sample};
use crate::evaluation::{Calibration, Mixture};
use crate::nn::{
    Activation, CsrMatrix, Dense, Dropout, Initializer, Layer, Loss, Regularizer, Sequential,
};

/// As Keras 3.15.1 saves it.
const SMALL: &[u8] = include_bytes!("../../tests/golden/small.keras");
const FIGURES: &str = include_str!("../../tests/golden/small_keras.json");

/// A classifier of the sample corpus.
pub(super) fn classifier(output: Activation) -> Classifier {
    let options = TrainingOptions {
        max_features: 300,
        hidden: vec![8],
        epochs: 1,
        loss: match output {
            Activation::Softmax => Loss::SparseCategoricalCrossentropy,
            _ => Loss::BINARY_CROSSENTROPY,
        },
        ..Default::default()
    };
    let corpus = sample::load(&SequenceOptions { num_words: Some(300), ..Default::default() });
    Classifier::train(&corpus.unwrap(), &options).unwrap()
}

/// A file of the archive that Keras has saved.
fn part(name: &str) -> Vec<u8> {
    let mut content = Vec::new();
    let mut archive = ZipArchive::new(Cursor::new(SMALL)).unwrap();
    archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
    content
}

/// An archive of layers and weights.
fn archive(config: &[u8], weights: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("config.json", config), ("model.weights.h5", weights)] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// An archive with other layers.
fn with_config(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut config: Value = serde_json::from_slice(&part("config.json")).unwrap();
    edit(&mut config);
    archive(config.to_string().as_bytes(), &part("model.weights.h5"))
}

#[test]
fn what_keras_saves_is_read_and_answers_as_in_keras() {
    let network = keras::from_bytes(SMALL).unwrap();
    let layers: Vec<Layer> = vec![
        Dense::new(5)
            .activation(Activation::Gelu)
            .kernel_regularizer(Regularizer { l1: 1e-4, l2: 1e-3 })
            .into(),
        Dropout::new(0.3).into(),
        Dense::new(4)
            .activation(Activation::Tanh)
            .use_bias(false)
            .kernel_initializer(Initializer::HeNormal)
            .into(),
        Dense::new(3)
            .activation(Activation::Softmax)
            .kernel_initializer(Initializer::RandomUniform { limit: 0.5 })
            .kernel_regularizer(Regularizer { l1: 0.0, l2: 0.01 })
            .into(),
    ];
    assert_eq!((network.input_width(), network.layers()), (6, layers.as_slice()));

    let figures: Value = serde_json::from_str(FIGURES).unwrap();
    let numbers =
        |name: &str| -> Vec<Vec<f32>> { serde_json::from_value(figures[name].clone()).unwrap() };
    let mut x = CsrMatrix::with_cols(6);
    for row in numbers("rows") {
        x.push_row(&[0, 1, 2, 3, 4, 5], &row).unwrap();
    }
    let answers = network.predict(&x).unwrap();
    for (row, wanted) in answers.iter_rows().zip(numbers("answers")) {
        assert!(row.iter().zip(wanted).all(|(p, wanted)| (p - wanted).abs() < 1e-6), "{row:?}");
    }
}

#[test]
fn every_network_comes_back_from_an_archive() {
    let mut layers: Vec<Layer> = Vec::new();
    let initializers = [
        Initializer::GlorotUniform,
        Initializer::GlorotNormal,
        Initializer::HeUniform,
        Initializer::HeNormal,
        Initializer::RandomUniform { limit: 0.25 },
        Initializer::Zeros,
    ];
    for (activation, initializer) in Activation::ALL.into_iter().zip(initializers) {
        layers.push(Dropout::new(0.25).into());
        let dense = Dense::new(4).activation(activation).kernel_initializer(initializer);
        layers.push(dense.use_bias(activation != Activation::Tanh).into());
    }
    let network = Sequential::new(7, layers, 3).unwrap();
    let bytes = keras::network_to_bytes(&network).unwrap();
    let again = keras::from_bytes(&bytes).unwrap();
    assert!(again.same_weights(&network));
    assert_eq!((again.input_width(), again.layers()), (7, network.layers()));
    assert_eq!(keras::network_to_bytes(&again).unwrap(), bytes, "the same bytes");
}

#[test]
fn what_has_no_counterpart_is_refused_by_name() {
    let refused = |edit: &dyn Fn(&mut Value)| {
        keras::from_bytes(&with_config(|config| edit(config))).unwrap_err().to_string()
    };
    let layer = |config: &mut Value, i: usize, name: &str, value: Value| {
        config["config"]["layers"][i]["config"][name] = value;
    };
    let error = refused(&|config| config["class_name"] = "Functional".into());
    assert!(error.contains("expected a Sequential model, found `Functional`"), "{error}");
    let error = refused(&|config| {
        config["config"]["layers"][2]["class_name"] = "BatchNormalization".into();
    });
    assert_eq!(
        error,
        "the layer `dropout` of the Keras model has the class `BatchNormalization`, and only \
         InputLayer, Dense and Dropout can be read"
    );
    let error = refused(&|config| layer(config, 1, "activation", "swish".into()));
    assert!(error.contains("the layer `dense`") && error.contains("`swish`"), "{error}");
    let error = refused(&|config| layer(config, 3, "dtype", "mixed_float16".into()));
    assert!(error.contains("the layer `dense_1`") && error.contains("float32"), "{error}");
    let error = refused(&|config| {
        layer(config, 1, "kernel_constraint", serde_json::json!({"class_name": "MaxNorm"}));
    });
    assert!(error.contains("kernel_constraint = MaxNorm"), "{error}");
    let error = refused(&|config| layer(config, 3, "units", 9.into()));
    assert!(error.contains("expected the shape [5, 9], found [5, 4]"), "{error}");
    let error = refused(&|config| layer(config, 3, "use_bias", true.into()));
    assert!(
        error.contains("layers/dense_1/vars/1 of the Keras model: expected weights"),
        "{error}"
    );
    let error = refused(&|config| layer(config, 0, "batch_shape", serde_json::json!([null, null])));
    assert!(error.contains("expected rows of a known width"), "{error}");
    let error = keras::from_bytes(b"PK").unwrap_err().to_string();
    assert!(error.starts_with("the archive of the Keras model"), "{error}");
    assert!(matches!(keras::read("no/where.keras"), Err(ExchangeError::Read { .. })));
}

#[test]
fn damage_makes_errors_or_another_network_and_no_panic() {
    let (config, weights) = (part("config.json"), part("model.weights.h5"));
    for at in (0..weights.len()).step_by(3) {
        for change in [0xFF, 1] {
            let mut damaged = weights.clone();
            damaged[at] ^= change;
            if let Ok(network) = keras::from_bytes(&archive(&config, &damaged)) {
                assert_eq!((network.input_width(), network.units()), (6, 3));
            }
        }
    }
    for end in (0..SMALL.len()).step_by(97) {
        assert!(keras::from_bytes(&SMALL[..end]).is_err());
    }
    for end in (0..config.len()).step_by(31) {
        assert!(keras::from_bytes(&archive(&config[..end], &weights)).is_err());
    }
}

#[test]
fn the_last_layer_holds_a_calibration() {
    for (output, calibration) in [
        (Activation::Softmax, Calibration::Temperature { temperature: 1.7 }),
        (
            Activation::Sigmoid,
            Calibration::Platt {
                scales: (0..46).map(|i| 0.5 + f64::from(i) / 20.0).collect(),
                offsets: (0..46).map(|i| f64::from(i % 7) / 3.0 - 1.0).collect(),
            },
        ),
    ] {
        let classifier = classifier(output).with_calibration(calibration);
        let texts = ["rain on the harvest", "gold", ""];
        let network = keras::from_bytes(&keras::to_bytes(&classifier, true).unwrap()).unwrap();
        let answers = network.predict(&classifier.vectorizer().transform(&texts).unwrap()).unwrap();
        for (row, wanted) in answers.iter_rows().zip(classifier.predict_batch(&texts)) {
            let close = |(p, wanted): (&f32, &f32)| (p - wanted).abs() < 1e-5;
            assert!(row.iter().zip(&wanted.probabilities).all(close), "{row:?}");
        }
        let raw = keras::from_bytes(&keras::to_bytes(&classifier, false).unwrap()).unwrap();
        assert!(raw.same_weights(classifier.network()));
    }
    let mixture = Calibration::Mixture(Mixture {
        temperature: 1.0,
        noise: 0.0,
        shares: vec![1.0 / 46.0; 46],
        confidence: [1.0, 1.0, 0.0],
    });
    let classifier = classifier(Activation::Softmax).with_calibration(mixture);
    let error = keras::to_bytes(&classifier, true).unwrap_err().to_string();
    assert!(error.contains("cannot express the calibration (a mixture"), "{error}");
}

#[test]
fn weights_have_standard_names() {
    let classifier = classifier(Activation::Softmax);
    let bytes = safetensors::to_bytes(&classifier).unwrap();
    let file = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let kernel = file.tensor("layers.0.kernel").unwrap();
    assert_eq!(kernel.shape(), [300, 8]);
    let stored = classifier.network().parameters()[0].kernel.as_slice();
    assert_eq!(kernel.data(), bytemuck::cast_slice::<f32, u8>(stored));
    assert_eq!(file.tensor("layers.1.bias").unwrap().shape(), [46]);
    assert_eq!(file.len(), 4);
    let error = Classifier::from_bytes(bytes).unwrap_err().to_string();
    assert!(error.contains("expected a Slugline model file"), "{error}");
}

#[test]
fn rows_come_back_from_their_file() {
    let classifier = classifier(Activation::Softmax);
    let texts: Vec<String> = (0..600).map(|i| format!("the {i} gold of the")).collect();
    let x = classifier.vectorizer().transform(&texts).unwrap();
    assert_eq!((x.rows(), x.cols()), (600, 300));
    let bytes = rows::to_npz(&x).unwrap();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut part = |name: &str| {
        let mut content = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
        content
    };
    let indptr: Vec<i64> = npyz::NpyFile::new(&*part("indptr.npy")).unwrap().into_vec().unwrap();
    let data: Vec<f32> = npyz::NpyFile::new(&*part("data.npy")).unwrap().into_vec().unwrap();
    assert_eq!((indptr.len(), indptr[600] as usize), (601, data.len()));
    let last = x.row(599);
    assert_eq!(data[indptr[599] as usize..], *last.values);
    let format = part("format.npy");
    assert!(format.ends_with(b"csr"), "{format:?}");
}

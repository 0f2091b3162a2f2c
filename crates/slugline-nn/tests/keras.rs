//! Small networks against real Keras: losses step by step, final weights, predictions, schedules.
//!
//! `golden/keras_small.json` (and `keras_focal.json`, of the focal losses) names the versions and the script that made it
//! (`scripts/goldens/keras_goldens.py`). Every case starts from stored weights and takes twelve steps
//! over four stored batches.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use serde_json::Value;
use slugline_nn::*;

/// Largest deviation allowed, relative to the golden value or to a tenth of the largest value of its
/// array, whichever is larger: digits far below the scale of an array are rounding.
const TOLERANCE: f64 = 1e-4;

fn golden() -> Value {
    golden_file("keras_small.json")
}

fn golden_file(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// All numbers of a nested array, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Null => Vec::new(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

fn matrix(value: &Value) -> Matrix {
    let rows = value.as_array().unwrap();
    Matrix::new(rows.len(), rows[0].as_array().unwrap().len(), floats(value)).unwrap()
}

fn assert_close(case: &str, what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{case}: {what}");
    let scale = want.iter().fold(0.0f64, |a, v| a.max(v.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let error = (g - w).abs() / w.abs().max(0.1 * scale).max(f64::MIN_POSITIVE);
        assert!(error <= TOLERANCE, "{case}: {what}[{i}] = {g}, Keras has {w} ({error:.1e})");
    }
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn schedule(value: &Value) -> Option<LearningRate> {
    let initial_learning_rate = value["initial_learning_rate"].as_f64().unwrap_or_default();
    let decay_steps = value["decay_steps"].as_u64().unwrap_or_default();
    let decay_rate = value["decay_rate"].as_f64().unwrap_or_default();
    let staircase = value["staircase"].as_bool().unwrap_or_default();
    Some(match value["name"].as_str().unwrap() {
        "exponential_decay" => LearningRate::ExponentialDecay {
            initial_learning_rate,
            decay_steps,
            decay_rate,
            staircase,
        },
        "inverse_time_decay" => LearningRate::InverseTimeDecay {
            initial_learning_rate,
            decay_steps,
            decay_rate,
            staircase,
        },
        // Keras's `cycle`, which starts the decay anew, has no counterpart here.
        "polynomial_decay" if value["cycle"] == true => return None,
        "polynomial_decay" => LearningRate::PolynomialDecay {
            initial_learning_rate,
            decay_steps,
            end_learning_rate: number(value, "end_learning_rate"),
            power: number(value, "power"),
        },
        "cosine_decay" => LearningRate::CosineDecay {
            initial_learning_rate,
            decay_steps,
            alpha: number(value, "alpha"),
            warmup_target: value["warmup_target"].as_f64(),
            warmup_steps: value["warmup_steps"].as_u64().unwrap(),
        },
        "piecewise_constant_decay" => LearningRate::PiecewiseConstantDecay {
            boundaries: numbers(&value["boundaries"]).into_iter().map(|b| b as u64).collect(),
            values: numbers(&value["values"]),
        },
        other => panic!("unknown schedule {other}"),
    })
}

fn optimizer(value: &Value) -> Option<Optimizer> {
    let learning_rate = match value["learning_rate"].as_f64() {
        Some(rate) => LearningRate::Constant(rate),
        None => schedule(&value["schedule"])?,
    };
    let f = |key| number(value, key) as f32;
    let sparse_rule = SparseRule::Dense;
    Some(match value["name"].as_str().unwrap() {
        "sgd" => Optimizer::Sgd {
            learning_rate,
            momentum: f("momentum"),
            nesterov: value["nesterov"].as_bool().unwrap(),
            sparse_rule,
        },
        "rmsprop" => Optimizer::RmsProp {
            learning_rate,
            rho: f("rho"),
            epsilon: f("epsilon"),
            epsilon_placement: EpsilonPlacement::InsideRoot,
        },
        "rmsprop_keras_2_2_4" => Optimizer::RmsProp {
            learning_rate,
            rho: f("rho"),
            epsilon: f("epsilon"),
            epsilon_placement: EpsilonPlacement::OutsideRoot,
        },
        "adagrad" => Optimizer::Adagrad {
            learning_rate,
            initial_accumulator_value: f("initial_accumulator_value"),
            epsilon: f("epsilon"),
        },
        "adam" => Optimizer::Adam {
            learning_rate,
            beta_1: f("beta_1"),
            beta_2: f("beta_2"),
            epsilon: f("epsilon"),
            sparse_rule,
        },
        "adamw" => Optimizer::AdamW {
            learning_rate,
            beta_1: f("beta_1"),
            beta_2: f("beta_2"),
            epsilon: f("epsilon"),
            weight_decay: f("weight_decay"),
            sparse_rule,
        },
        other => panic!("unknown optimizer {other}"),
    })
}

fn loss(value: &Value) -> Loss {
    let label_smoothing = value["label_smoothing"].as_f64().unwrap_or_default() as f32;
    match Loss::by_name(value["name"].as_str().unwrap()).unwrap() {
        Loss::CategoricalCrossentropy { .. } => Loss::CategoricalCrossentropy { label_smoothing },
        Loss::BinaryCrossentropy { .. } => Loss::BinaryCrossentropy { label_smoothing },
        Loss::CategoricalFocalCrossentropy { .. } => Loss::CategoricalFocalCrossentropy {
            alpha: number(value, "alpha") as f32,
            gamma: number(value, "gamma") as f32,
            label_smoothing,
        },
        Loss::BinaryFocalCrossentropy { .. } => Loss::BinaryFocalCrossentropy {
            apply_class_balancing: value["apply_class_balancing"].as_bool().unwrap(),
            alpha: number(value, "alpha") as f32,
            gamma: number(value, "gamma") as f32,
            label_smoothing,
        },
        other => other,
    }
}

fn activation(name: &str) -> Activation {
    match name {
        "linear" => Activation::Linear,
        "relu" => Activation::Relu,
        "tanh" => Activation::Tanh,
        "sigmoid" => Activation::Sigmoid,
        "softmax" => Activation::Softmax,
        "gelu" => Activation::Gelu,
        other => panic!("unknown activation {other}"),
    }
}

fn model(case: &Value, start: &Value) -> Sequential {
    let layers = case["layers"].as_array().unwrap().iter().map(|l| {
        let r = &l["kernel_regularizer"];
        let penalty = |key: &str| r[key].as_f64().unwrap_or_default() as f32;
        Dense::new(l["units"].as_u64().unwrap() as usize)
            .activation(activation(l["activation"].as_str().unwrap()))
            .use_bias(l["use_bias"].as_bool().unwrap())
            .kernel_regularizer(Regularizer { l1: penalty("l1"), l2: penalty("l2") })
            .into()
    });
    let weights = start
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (floats(&l["kernel"]).into(), floats(&l["bias"]).into()));
    Sequential::from_parameters(12, layers, weights, 0).unwrap()
}

fn sparse(dense: &Matrix) -> CsrMatrix {
    CsrMatrix::from_dense(dense.cols(), dense.data()).unwrap()
}

fn targets(batch: &Value, field: &str) -> Targets {
    match field {
        "labels" => {
            numbers(&batch["labels"]).into_iter().map(|l| l as u32).collect::<Vec<_>>().into()
        }
        rows => matrix(&batch[rows]).into(),
    }
}

#[test]
fn every_optimizer_and_loss_follows_keras_step_by_step() {
    let compared = follow(&golden());
    assert_eq!(compared, 76, "cases of the golden file, but for the one with `cycle`");
}

#[test]
fn focal_losses_follow_keras_step_by_step() {
    assert_eq!(follow(&golden_file("keras_focal.json")), 20);
}

/// Trains every case of a golden file and compares; gives the number of cases.
fn follow(golden: &Value) -> usize {
    let batches = golden["batches"].as_array().unwrap();
    let inputs: Vec<CsrMatrix> = batches.iter().map(|b| sparse(&matrix(&b["x"]))).collect();
    let mut compared = 0;
    for case in golden["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let Some(optimizer) = optimizer(&case["optimizer"]) else { continue };
        let mut model = model(case, &golden["starts"][case["start"].as_str().unwrap()]);
        model.compile(optimizer, loss(&case["loss"]), &[]).unwrap();
        let class_weight = numbers(&case["class_weight"]);
        let mut losses = Vec::new();
        for index in numbers(&case["batch_order"]) {
            let batch = &batches[index as usize];
            let sample_weight = floats(&batch["sample_weight"]);
            let options = FitOptions {
                batch_size: 8,
                shuffle: false,
                sample_weight: case["use_sample_weight"]
                    .as_bool()
                    .unwrap()
                    .then_some(&sample_weight[..]),
                class_weight: (0..).zip(class_weight.iter().map(|w| *w as f32)).collect(),
                ..FitOptions::default()
            };
            let y = targets(batch, case["target"].as_str().unwrap());
            let history = model.fit(&inputs[index as usize], &y, &options).unwrap();
            losses.push(history.last("loss").unwrap());
        }
        assert_close(name, "losses", &losses, &numbers(&case["losses"]));
        for (i, (parameters, want)) in
            model.parameters().iter().zip(case["final"].as_array().unwrap()).enumerate()
        {
            for (what, got) in [("kernel", &parameters.kernel), ("bias", &parameters.bias)] {
                let got: Vec<f64> = got.as_slice().iter().map(|v| f64::from(*v)).collect();
                assert_close(name, &format!("layer {i} {what}"), &got, &numbers(&want[what]));
            }
        }
        let prediction: Vec<f64> =
            model.predict(&inputs[0]).unwrap().data().iter().map(|v| f64::from(*v)).collect();
        assert_close(name, "prediction", &prediction, &numbers(&case["prediction"]));
        compared += 1;
    }
    compared
}

#[test]
fn schedules_have_keras_values() {
    let golden = golden();
    let mut compared = 0;
    for entry in golden["schedules"].as_array().unwrap() {
        let Some(schedule) = schedule(&entry["schedule"]) else { continue };
        let got: Vec<f64> = (0..21).map(|step| schedule.at(step)).collect();
        // Keras computes its schedules in single precision.
        for (step, (got, want)) in got.iter().zip(numbers(&entry["values"])).enumerate() {
            assert!(
                (got - want).abs() <= 1e-6 * want.abs() + 1e-9,
                "{schedule:?} at {step}: {got} for {want}"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 9);
}

#[test]
fn metrics_have_keras_values() {
    let golden = golden();
    let m = &golden["metrics"]["multi_class"];
    // A network that passes its input on predicts the stored rows.
    let pass = |rows: &Matrix, activation| {
        let n = rows.cols();
        let identity: Vec<f32> =
            (0..n * n).map(|i| f32::from(u8::from(i % (n + 1) == 0))).collect();
        Sequential::from_parameters(
            n,
            [Dense::new(n).activation(activation).use_bias(false).into()],
            [(identity.into(), Vec::new().into())],
            0,
        )
        .unwrap()
    };
    let rows = matrix(&m["prediction"]);
    let mut model = pass(&rows, Activation::Linear);
    let metrics = [
        Metric::Accuracy,
        Metric::TopKAccuracy { k: 2 },
        Metric::TopKAccuracy { k: 3 },
        Metric::F1Score(Average::Macro),
        Metric::F1Score(Average::Micro),
        Metric::F1Score(Average::Weighted),
    ];
    model.compile(Optimizer::sgd(), Loss::MeanSquaredError, &metrics).unwrap();
    let labels = targets(m, "labels");
    let one_hot = to_categorical(&labels.classes(), rows.cols()).unwrap().into();
    let scores = model.evaluate(&sparse(&rows), &one_hot).unwrap();
    for (ours, keras) in [
        ("accuracy", "accuracy"),
        ("top_2_accuracy", "top_2_accuracy"),
        ("top_3_accuracy", "top_3_accuracy"),
        ("macro_f1", "f1_macro"),
        ("micro_f1", "f1_micro"),
        ("weighted_f1", "f1_weighted"),
    ] {
        let (got, want) = (scores.get(ours).unwrap(), number(m, keras));
        assert!((got - want).abs() < 1e-6, "{ours}: {got} for {want}");
    }

    let m = &golden["metrics"]["multi_label"];
    let rows = matrix(&m["prediction"]);
    // The logit of a probability makes a sigmoid output answer with it.
    let logits = rows.data().iter().map(|&p| (f64::from(p) / (1.0 - f64::from(p))).ln() as f32);
    let logits = Matrix::new(rows.rows(), rows.cols(), logits.collect()).unwrap();
    let mut model = pass(&rows, Activation::Sigmoid);
    let micro = Average::Micro;
    let metrics = [Metric::BinaryAccuracy, Metric::Precision(micro), Metric::Recall(micro)];
    model.compile(Optimizer::sgd(), Loss::BINARY_CROSSENTROPY, &metrics).unwrap();
    let scores = model.evaluate(&sparse(&logits), &targets(m, "targets")).unwrap();
    for (ours, keras) in [
        ("binary_accuracy", "binary_accuracy"),
        ("micro_precision", "precision"),
        ("micro_recall", "recall"),
    ] {
        let (got, want) = (scores.get(ours).unwrap(), number(m, keras));
        assert!((got - want).abs() < 1e-6, "{ours}: {got} for {want}");
    }
}

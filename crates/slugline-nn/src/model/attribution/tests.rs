use proptest::prelude::*;

use super::*;
use crate::layers::{Dense, Dropout, Layer};
use crate::matrix::CsrMatrix;

const WIDTH: usize = 12;

fn network(hidden: &[usize], activation: Activation, seed: u64) -> Sequential {
    let mut layers: Vec<Layer> = Vec::new();
    for &units in hidden {
        layers.push(Dense::new(units).activation(activation).into());
        layers.push(Dropout::new(0.5).into());
    }
    layers.push(Dense::new(3).activation(Activation::Softmax).into());
    let network = Sequential::new(WIDTH, layers.clone(), seed).unwrap();
    // Biases other than zero: units that are on at the baseline, and others that are off.
    let mut number = seed as f32;
    let parameters = network.parameters().iter().map(|p| {
        let bias: Vec<f32> = (0..p.units)
            .map(|_| {
                number = (number * 1.37 + 0.29) % 1.0;
                0.6 * (number - 0.5)
            })
            .collect();
        (p.kernel.clone(), bias.into())
    });
    Sequential::from_parameters(WIDTH, layers, parameters.collect::<Vec<_>>(), seed).unwrap()
}

fn dense_row(values: &[f32]) -> (Vec<u32>, Vec<f32>) {
    let found = (0..).zip(values).filter(|(_, v)| **v != 0.0);
    found.map(|(i, &v)| (i, v)).unzip()
}

/// The integral by its definition: differences of the logit along the path, at the middle of many steps.
fn by_definition(network: &Sequential, from: &[f32], to: &[f32], output: usize) -> Vec<f64> {
    const STEPS: usize = 2_000;
    const H: f64 = 1e-6;
    let logit = |x: &[f64]| {
        let mut values = x.to_vec();
        let stages = network.stages();
        for (layer, p) in network.parameters().iter().enumerate() {
            let mut out: Vec<f64> = p.bias.as_slice().iter().map(|&b| f64::from(b)).collect();
            for (row, &v) in p.kernel.as_slice().chunks_exact(p.units).zip(&values) {
                add(&mut out, v, row);
            }
            if layer + 1 < stages.len() {
                quadrature::activate(stages[layer].dense.activation, &mut out);
            }
            values = out;
        }
        values[output]
    };
    (0..WIDTH)
        .map(|feature| {
            let change = f64::from(to[feature]) - f64::from(from[feature]);
            let slopes = (0..STEPS).map(|step| {
                let share = (step as f64 + 0.5) / STEPS as f64;
                let at = |shift: f64| -> Vec<f64> {
                    let place = |i: usize| {
                        let (a, b) = (f64::from(from[i]), f64::from(to[i]));
                        a + share * (b - a) + if i == feature { shift } else { 0.0 }
                    };
                    (0..WIDTH).map(place).collect()
                };
                (logit(&at(H)) - logit(&at(-H))) / (2.0 * H)
            });
            change * slopes.sum::<f64>() / STEPS as f64
        })
        .collect()
}

fn check(hidden: &[usize], activation: Activation, seed: u64, from: &[f32], to: &[f32]) {
    let network = network(hidden, activation, seed);
    let ((from_ids, from_values), (to_ids, to_values)) = (dense_row(from), dense_row(to));
    let baseline = SparseRow { indices: &from_ids, values: &from_values };
    let row = SparseRow { indices: &to_ids, values: &to_values };
    let mut attributor = network.attributor();
    attributor.set_path(baseline, row).unwrap();
    // The logits are those of the network: their softmax is what it answers.
    let mut shares = attributor.logits().to_vec();
    quadrature::activate(Activation::Softmax, &mut shares);
    let mut x = CsrMatrix::with_cols(WIDTH);
    x.push_row(&to_ids, &to_values).unwrap();
    for (share, &answer) in shares.iter().zip(network.predict(&x).unwrap().row(0)) {
        assert!((share - f64::from(answer)).abs() < 1e-6, "{share} {answer}");
    }
    for output in 0..3 {
        let rise = attributor.logits()[output] - attributor.baseline_logits()[output];
        let found = attributor.contributions(output as u32, None).unwrap().to_vec();
        let sum: f64 = found.iter().map(|c| c.1).sum();
        let tolerance = if activation == Activation::Relu { 1e-9 } else { 2e-6 };
        assert!((sum - rise).abs() < tolerance, "{activation}: {sum} {rise}");
        let wanted = by_definition(&network, from, to, output);
        for &(feature, contribution) in &found {
            let wanted = wanted[feature as usize];
            assert!((contribution - wanted).abs() < 2e-3, "{activation} {contribution} {wanted}");
        }
    }
    let [a, b] = [0, 2].map(|o| attributor.contributions(o, None).unwrap().to_vec());
    let apart = attributor.contributions(0, Some(2)).unwrap();
    for ((a, b), apart) in a.iter().zip(&b).zip(apart) {
        assert!((a.1 - b.1 - apart.1).abs() < 1e-5);
    }
}

#[test]
fn contributions_are_the_integral_by_its_definition() {
    let from = [0.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let to = [1.0, 1.0, 0.0, -2.0, 0.0, 0.0, 0.5, 0.0, 3.0, 0.0, 0.0, 1.0];
    for hidden in [&[][..], &[7], &[9, 6], &[5, 6, 4]] {
        for activation in Activation::ALL {
            check(hidden, activation, 3, &from, &to);
        }
    }
}

#[test]
fn units_that_stand_on_the_edge_are_taken_as_they_go() {
    // Without biases every unit is at zero at the baseline.
    let layers = [
        Dense::new(4).activation(Activation::Relu).use_bias(false).into(),
        Dense::new(3).activation(Activation::Relu).use_bias(false).into(),
        Dense::new(2).into(),
    ];
    let network = Sequential::new(WIDTH, layers, 5).unwrap();
    let row = SparseRow { indices: &[1, 4, 6], values: &[1.0, 2.0, 1.0] };
    let mut attributor = network.attributor();
    attributor.set_path(SparseRow::default(), row).unwrap();
    let rise = attributor.logits()[1] - attributor.baseline_logits()[1];
    let sum: f64 = attributor.contributions(1, None).unwrap().iter().map(|c| c.1).sum();
    assert!(rise != 0.0 && (sum - rise).abs() < 1e-9);
    // A row that is the baseline has nothing to explain.
    attributor.set_path(row, row).unwrap();
    assert!(attributor.contributions(1, None).unwrap().is_empty());
    assert_eq!(attributor.logits(), attributor.baseline_logits());
}

#[test]
fn what_does_not_fit_is_refused() {
    let network = network(&[4], Activation::Relu, 1);
    let mut attributor = network.attributor();
    let none = SparseRow::default();
    let beyond = SparseRow { indices: &[12], values: &[1.0] };
    let error = attributor.set_path(none, beyond).unwrap_err().to_string();
    assert_eq!(error, "features of a sparse row: expected 12, got 13");
    let uneven = SparseRow { indices: &[1], values: &[] };
    assert!(attributor.set_path(uneven, none).is_err());
    attributor.set_path(none, none).unwrap();
    assert!(attributor.contributions(3, None).is_err());
    assert!(attributor.contributions(0, Some(3)).is_err());
}

proptest! {
    #[test]
    fn contributions_add_up(
        seed in 0_u64..1_000,
        first in 1_usize..40,
        second in 0_usize..40,
        third in 0_usize..10,
        to in prop::collection::vec(-3_f32..3.0, WIDTH),
        activation in prop::sample::select(Activation::ALL.to_vec()),
    ) {
        let hidden: Vec<usize> = [first, second, third].into_iter().take_while(|&n| n > 0).collect();
        let network = network(&hidden, activation, seed);
        let (ids, values) = dense_row(&to);
        let row = SparseRow { indices: &ids, values: &values };
        let mut attributor = network.attributor();
        attributor.set_path(SparseRow::default(), row).unwrap();
        for output in 0..3 {
            let rise = attributor.logits()[output] - attributor.baseline_logits()[output];
            let sum: f64 =
                attributor.contributions(output as u32, None).unwrap().iter().map(|c| c.1).sum();
            prop_assert!((sum - rise).abs() < 1e-4, "{sum} {rise}");
        }
        // What another row has left behind changes nothing.
        let before = attributor.contributions(1, None).unwrap().to_vec();
        let mut fork = attributor.fork();
        fork.set_path(row, SparseRow::default()).unwrap();
        fork.contributions(0, None).unwrap();
        fork.set_path(SparseRow::default(), row).unwrap();
        prop_assert_eq!(fork.contributions(1, None).unwrap(), &before[..]);
    }
}

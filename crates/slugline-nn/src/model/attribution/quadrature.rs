//! The integral along a path of smooth layers, by Gauss's rule on ever more points.

use super::{Attributor, Layers, add};
use crate::layers::Activation;

/// Places and weights of the positive half of Gauss and Legendre's rule of eight points on `[−1, 1]`
/// (Abramowitz & Stegun 1964, table 25.4); the other half mirrors it.
const RULE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_47),
    (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
];

/// How far the contributions may be from what they have to add up to, in relation to its size, or to 1
/// where it is smaller.
const TOLERANCE: f64 = 1e-6;

/// Most parts into which the path is cut.
const MOST_PARTS: usize = 256;

impl Attributor<'_> {
    /// Sets the gradient to the integral of `∂z/∂s`, on twice as many parts of the path each time until
    /// the contributions add up.
    pub(super) fn by_points(&mut self, wanted: [Option<(usize, f64)>; 2]) {
        let change = |(output, sign): (usize, f64)| {
            sign * (self.logits[output] - self.baseline_logits[output])
        };
        let expected: f64 = wanted.into_iter().flatten().map(change).sum();
        let mut parts = 1;
        loop {
            self.gradient.fill(0.0);
            let width = 1.0 / parts as f64;
            for part in 0..parts {
                let middle = (part as f64 + 0.5) * width;
                for (place, weight) in RULE {
                    for place in [-place, place] {
                        self.add_point(middle + 0.5 * width * place, 0.5 * width * weight);
                    }
                }
            }
            let found: f64 = self.gradient.iter().zip(&self.slope).map(|(g, s)| g * s).sum();
            let near = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            if near || parts == MOST_PARTS {
                return;
            }
            parts *= 2;
        }
    }

    /// Adds the gradient at a share of the path, times a weight.
    fn add_point(&mut self, share: f64, weight: f64) {
        self.forward(share);
        let hidden = self.layers.sums.len() - 1;
        let Layers { sums, tangents: by_sums, gradients, .. } = &mut self.layers;
        for layer in (0..hidden).rev() {
            let by_sums = &mut by_sums[layer];
            by_sums.copy_from_slice(&gradients[layer]);
            backward(self.activations[layer], &sums[layer], by_sums);
            if layer > 0 {
                let out = &mut gradients[layer - 1];
                out.fill(0.0);
                let columns = self.transposed[layer - 1].chunks_exact(out.len());
                for (column, &g) in columns.zip(&*by_sums) {
                    add(out, g, column);
                }
            }
        }
        for (sum, g) in self.gradient.iter_mut().zip(&by_sums[0]) {
            *sum += weight * g;
        }
    }
}

/// Applies an activation to the sums of a layer.
pub(super) fn activate(activation: Activation, sums: &mut [f64]) {
    match activation {
        Activation::Linear => {}
        Activation::Relu => sums.iter_mut().for_each(|z| *z = z.max(0.0)),
        Activation::Tanh => sums.iter_mut().for_each(|z| *z = libm::tanh(*z)),
        Activation::Sigmoid => sums.iter_mut().for_each(|z| *z = sigmoid(*z)),
        Activation::Gelu => sums.iter_mut().for_each(|z| *z *= normal(*z)),
        Activation::Softmax => {
            let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for z in &mut *sums {
                *z = libm::exp(*z - most);
            }
            let all: f64 = sums.iter().sum();
            for z in sums {
                *z /= all;
            }
        }
    }
}

/// Turns the gradient by what a layer gives on into that by its sums.
fn backward(activation: Activation, sums: &[f64], gradient: &mut [f64]) {
    let each = sums.iter().zip(&mut *gradient);
    match activation {
        Activation::Linear => {}
        Activation::Relu => each.filter(|(z, _)| **z <= 0.0).for_each(|(_, g)| *g = 0.0),
        Activation::Tanh => each.for_each(|(&z, g)| *g *= 1.0 - libm::tanh(z).powi(2)),
        Activation::Sigmoid => each.for_each(|(&z, g)| *g *= sigmoid(z) * (1.0 - sigmoid(z))),
        Activation::Gelu => {
            let density = |z: f64| libm::exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt();
            each.for_each(|(&z, g)| *g *= normal(z) + z * density(z));
        }
        Activation::Softmax => {
            let mut shares = sums.to_vec();
            activate(activation, &mut shares);
            let mean: f64 = shares.iter().zip(&*gradient).map(|(p, g)| p * g).sum();
            shares.iter().zip(gradient).for_each(|(p, g)| *g = p * (*g - mean));
        }
    }
}

fn sigmoid(z: f64) -> f64 {
    let e = libm::exp(-z.abs());
    if z >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// The normal distribution function.
fn normal(z: f64) -> f64 {
    0.5 * (1.0 + libm::erf(z * std::f64::consts::FRAC_1_SQRT_2))
}

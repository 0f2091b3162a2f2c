//! Starting weights.

use serde::{Deserialize, Serialize};

use crate::random::Stream;

/// How the starting weights of a layer are drawn, with Keras's names and formulas; `n_in` and
/// `n_out` are the layer's numbers of inputs and units.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Initializer {
    /// Even in ±√(6 / (`n_in` + `n_out`)) (Glorot & Bengio 2010). The default.
    #[default]
    GlorotUniform,
    /// Normal with variance 2 / (`n_in` + `n_out`), cut off at two standard deviations.
    GlorotNormal,
    /// Even in ±√(6 / `n_in`) (He et al. 2015).
    HeUniform,
    /// Normal with variance 2 / `n_in`, cut off at two standard deviations.
    HeNormal,
    /// Even in ±`limit`.
    RandomUniform {
        /// Largest absolute value.
        limit: f32,
    },
    /// All zero.
    Zeros,
}

impl Initializer {
    /// Draws an `[n_in, n_out]` matrix.
    pub(crate) fn draw(self, n_in: usize, n_out: usize, random: &mut Stream) -> Vec<f32> {
        /// The standard deviation that a normal distribution has left after the cut.
        const CUT: f64 = 0.879_625_661_034_239_8;
        let count = n_in * n_out;
        let uniform = |random: &mut Stream, limit: f64| {
            (0..count).map(|_| ((random.unit() * 2.0 - 1.0) * limit) as f32).collect()
        };
        let normal = |random: &mut Stream, variance: f64| {
            let deviation = variance.sqrt() / CUT;
            (0..count).map(|_| (random.truncated_normal() * deviation) as f32).collect()
        };
        let (fan_in, fan_sum) = (n_in.max(1) as f64, (n_in + n_out).max(1) as f64);
        match self {
            Self::GlorotUniform => uniform(random, (6.0 / fan_sum).sqrt()),
            Self::GlorotNormal => normal(random, 2.0 / fan_sum),
            Self::HeUniform => uniform(random, (6.0 / fan_in).sqrt()),
            Self::HeNormal => normal(random, 2.0 / fan_in),
            Self::RandomUniform { limit } => uniform(random, f64::from(limit)),
            Self::Zeros => vec![0.0; count],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean, standard deviation and largest absolute value of a drawn matrix.
    fn moments(initializer: Initializer) -> (f64, f64, f64) {
        let w = initializer.draw(300, 200, &mut Stream::new(7, crate::random::WEIGHTS, 0));
        let n = w.len() as f64;
        let mean = w.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = w.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        let largest = w.iter().fold(0.0f32, |a, v| a.max(v.abs()));
        (mean, variance.sqrt(), f64::from(largest))
    }

    #[test]
    fn draws_have_the_stated_spread_and_limits() {
        let uniform = |limit: f64| (limit / 3f64.sqrt(), limit);
        let normal = |variance: f64| (variance.sqrt(), 2.0 * variance.sqrt() / 0.879_625_66);
        let cases = [
            (Initializer::GlorotUniform, uniform((6.0f64 / 500.0).sqrt())),
            (Initializer::HeUniform, uniform((6.0f64 / 300.0).sqrt())),
            (Initializer::RandomUniform { limit: 0.05 }, uniform(0.05)),
            (Initializer::GlorotNormal, normal(2.0 / 500.0)),
            (Initializer::HeNormal, normal(2.0 / 300.0)),
        ];
        for (initializer, (deviation, limit)) in cases {
            let (mean, got, largest) = moments(initializer);
            assert!(mean.abs() < 0.02 * deviation, "{initializer:?}: mean {mean}");
            assert!((got / deviation - 1.0).abs() < 0.01, "{initializer:?}: {got} for {deviation}");
            assert!(
                largest <= limit * 1.0001 && largest > 0.99 * limit,
                "{initializer:?}: {largest}"
            );
        }
    }
}

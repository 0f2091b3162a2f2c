//! Penalties on large weights.

use serde::{Deserialize, Serialize};

use crate::NnError;

/// Adds `l1·Σ|w| + l2·Σw²` to the loss, as Keras's `L1L2`. The default is none.
///
/// A penalty gives every weight a gradient at every step, so a first layer with one costs what its
/// width costs, not what the non-zeros cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regularizer {
    /// Factor of the sum of absolute values.
    pub l1: f32,
    /// Factor of the sum of squares.
    pub l2: f32,
}

impl Regularizer {
    /// Whether there is no penalty.
    pub fn is_zero(&self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }

    /// The penalty for `weights`, summed in double precision.
    pub fn penalty(&self, weights: &[f32]) -> f64 {
        if self.is_zero() {
            return 0.0;
        }
        let (mut absolute, mut squares) = (0.0f64, 0.0f64);
        for &w in weights {
            let w = f64::from(w);
            absolute += w.abs();
            squares += w * w;
        }
        f64::from(self.l1) * absolute + f64::from(self.l2) * squares
    }

    pub(crate) fn check(&self) -> Result<(), NnError> {
        for (name, value) in [("l1", self.l1), ("l2", self.l2)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(NnError::Setting {
                    name,
                    value: value.to_string(),
                    expected: "a finite number of at least 0",
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_penalty_is_the_stated_sum() {
        let r = Regularizer { l1: 0.5, l2: 0.25 };
        assert_eq!(r.penalty(&[1.0, -2.0]), 0.5 * 3.0 + 0.25 * 5.0);
        assert!(Regularizer { l1: -1.0, l2: 0.0 }.check().is_err());
    }
}

//! A network with more inputs and more outputs.

use super::Sequential;
use crate::NnError;
use crate::layers::{Initializer, Layer};
use crate::random::{Stream, WEIGHTS};

impl Sequential {
    /// The same network for more features and with more outputs, to be trained on.
    ///
    /// New features come after the old ones and begin with weights of 0: they say nothing until they
    /// have been learned, and the outputs before the last activation stay what they were, to the last
    /// bit. The kernel's columns of new outputs are drawn by the last layer's initializer from `seed`,
    /// their biases are 0. The network has `seed` from then on, and is not compiled.
    ///
    /// ```
    /// use slugline_nn::*;
    ///
    /// let small = Sequential::new(2, [Dense::new(4).activation(Activation::Relu).into(), Dense::new(2).into()], 1)?;
    /// let large = small.grown(3, 3, 7)?;
    /// let outputs = |network: &Sequential, width| {
    ///     let x = CsrMatrix::new(width, vec![0, 2], vec![0, 1], vec![1.0, 0.5])?;
    ///     network.predict(&x).map(|y| y.row(0)[..2].to_vec())
    /// };
    /// assert_eq!(outputs(&large, 3)?, outputs(&small, 2)?);
    /// assert_eq!((large.input_width(), large.units()), (3, 3));
    /// # Ok::<(), NnError>(())
    /// ```
    ///
    /// # Errors
    /// [`NnError::Shape`] for fewer features or outputs than there are, [`NnError::Setting`] for more
    /// than 2³² − 1 features.
    pub fn grown(&self, features: usize, outputs: usize, seed: u64) -> Result<Self, NnError> {
        for (what, expected, got) in [
            ("features of a network that grows", self.input_width, features),
            ("outputs of a network that grows", self.units(), outputs),
        ] {
            if got < expected {
                return Err(NnError::Shape { what, expected, got });
            }
        }
        let mut layers = self.layers.clone();
        let last = self.parameters.len() - 1;
        let mut initializer = Initializer::default();
        if let Some(Layer::Dense(dense)) = layers.last_mut() {
            dense.units = outputs;
            initializer = dense.kernel_initializer;
        }
        let mut weights = self.weights();
        let first = &mut weights[0].0;
        let mut kernel = first.as_slice().to_vec();
        kernel.resize(features * self.parameters[0].units, 0.0);
        *first = kernel.into();
        let old = self.units();
        if outputs > old {
            // Drawn as for a whole layer, so that their size is that of its weights.
            let n_in = self.parameters[last].n_in;
            let mut random = Stream::new(seed, WEIGHTS, last as u64);
            let drawn = initializer.draw(n_in, outputs, &mut random);
            let (kernel, bias) = &mut weights[last];
            let mut wider = vec![0.0; kernel.as_slice().len() / old * outputs];
            let rows = wider.chunks_exact_mut(outputs).zip(kernel.as_slice().chunks_exact(old));
            for (i, (to, from)) in rows.enumerate() {
                to[..old].copy_from_slice(from);
                // What new features say of new outputs is 0 as well.
                if i < n_in {
                    to[old..].copy_from_slice(&drawn[i * outputs + old..][..outputs - old]);
                }
            }
            *kernel = wider.into();
            if !bias.as_slice().is_empty() {
                let mut longer = bias.as_slice().to_vec();
                longer.resize(outputs, 0.0);
                *bias = longer.into();
            }
        }
        Self::from_parameters(features, layers, weights, seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Activation, Dense};
    use crate::matrix::CsrMatrix;

    #[test]
    fn old_features_and_outputs_stay_to_the_last_bit() {
        for hidden in [vec![], vec![6], vec![6, 5]] {
            for use_bias in [true, false] {
                let mut layers: Vec<Layer> = hidden
                    .iter()
                    .map(|&n| Dense::new(n).activation(Activation::Relu).use_bias(use_bias).into())
                    .collect();
                layers.push(Dense::new(3).use_bias(use_bias).into());
                let old = Sequential::new(8, layers, 4).unwrap();
                let new = old.grown(11, 5, 9).unwrap();
                let x =
                    |width| CsrMatrix::new(width, vec![0, 3], vec![0, 4, 7], vec![1.0, -2.0, 0.5]);
                let (a, b) = (old.predict(&x(8).unwrap()), new.predict(&x(11).unwrap()));
                let (a, b) = (a.unwrap(), b.unwrap());
                assert_eq!(a.row(0), &b.row(0)[..3]);
                assert!(b.row(0)[3..].iter().all(|z| *z != 0.0));
                let unknown = CsrMatrix::new(11, vec![0, 2], vec![8, 10], vec![1.0, 3.0]).unwrap();
                let nothing = CsrMatrix::new(11, vec![0, 0], vec![], vec![]).unwrap();
                assert_eq!(new.predict(&unknown).unwrap(), new.predict(&nothing).unwrap());
                let same = old.grown(8, 3, 1).unwrap();
                assert!(same.same_weights(&old));
                assert!(old.grown(7, 3, 1).is_err() && old.grown(8, 2, 1).is_err());
            }
        }
    }
}

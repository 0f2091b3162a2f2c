//! Several networks as one.

use super::{Parameters, Sequential};
use crate::NnError;
use crate::buffer::Weights;
use crate::layers::{Activation, Layer};

impl Sequential {
    /// One network whose sums before the last activation are the mean of those of several networks of
    /// one structure, to within rounding.
    ///
    /// The hidden layers stand side by side: each is as many times as wide as there are networks. The
    /// first kernel has the networks' columns next to each other, `[n_in, count · units]`; the later ones
    /// have the networks' kernels on their diagonal and zeros elsewhere; the last one has them below
    /// each other, divided by their number, and the mean of their biases. So whatever takes a network
    /// takes an ensemble. Trained on, the zeros would become weights like any other.
    ///
    /// The seed is that of the first network; none is compiled.
    ///
    /// ```
    /// use slugline_nn::*;
    ///
    /// let network = |seed| Sequential::new(3, [Dense::new(4).activation(Activation::Relu).into(), Dense::new(2).into()], seed);
    /// let (a, b) = (network(1)?, network(2)?);
    /// let both = Sequential::ensemble(&[a.clone(), b.clone()])?;
    /// let x = CsrMatrix::new(3, vec![0, 2], vec![0, 2], vec![1.0, -0.5])?;
    /// let mean = (a.predict(&x)?.row(0)[1] + b.predict(&x)?.row(0)[1]) / 2.0;
    /// assert!((both.predict(&x)?.row(0)[1] - mean).abs() < 1e-6);
    /// # Ok::<(), NnError>(())
    /// ```
    ///
    /// # Errors
    /// [`NnError::Empty`] for no network, [`NnError::Layer`] for layers that differ, or for a hidden
    /// layer whose units do not act each by itself (softmax), [`NnError::Shape`] for networks of
    /// different input.
    pub fn ensemble(networks: &[Self]) -> Result<Self, NnError> {
        let (first, others) =
            networks.split_first().ok_or(NnError::Empty { what: "the networks of an ensemble" })?;
        for other in others {
            if other.input_width != first.input_width {
                return Err(NnError::Shape {
                    what: "features of a network of an ensemble",
                    expected: first.input_width,
                    got: other.input_width,
                });
            }
            let layers = first.layers.iter().zip(&other.layers);
            let differs = layers.enumerate().find(|(_, (a, b))| a != b).map(|(index, _)| index);
            let same = first.layers.len() == other.layers.len();
            if let Some(index) = differs.or((!same).then_some(first.layers.len())) {
                return Err(refused(
                    index,
                    "the networks of an ensemble must have the same layers",
                ));
            }
        }
        let count = networks.len();
        let last = first.layers.len() - 1;
        let mut layers = first.layers.clone();
        for (index, layer) in layers[..last].iter_mut().enumerate() {
            let Layer::Dense(dense) = layer else { continue };
            if dense.activation == Activation::Softmax && count > 1 {
                let problem = "the units of a hidden softmax layer act on each other, and an ensemble \
                    would mix those of its networks; use another activation";
                return Err(refused(index, problem));
            }
            dense.units *= count;
        }
        let stages = first.parameters.len();
        let parameters = (0..stages).map(|stage| {
            let of: Vec<&Parameters> = networks.iter().map(|n| &n.parameters[stage]).collect();
            let place = Place { first: stage == 0, last: stage + 1 == stages };
            (kernel(&of, place), bias(&of, place))
        });
        Self::from_parameters(first.input_width, layers, parameters, first.seed)
    }
}

fn refused(index: usize, problem: &str) -> NnError {
    NnError::Layer { index, layer: "dense".into(), problem: problem.into() }
}

/// Whether a layer is the first and the last one.
#[derive(Clone, Copy)]
struct Place {
    first: bool,
    last: bool,
}

/// The kernels of one layer of all networks in one.
fn kernel(of: &[&Parameters], place: Place) -> Weights {
    let (n_in, units, count) = (of[0].n_in, of[0].units, of.len());
    // A first layer's inputs are shared, a last layer's units are one for all networks.
    let rows = if place.first { n_in } else { count * n_in };
    let columns = if place.last { units } else { count * units };
    let share = if place.last { 1.0 / count as f32 } else { 1.0 };
    let mut kernel = vec![0.0; rows * columns];
    for (number, parameters) in of.iter().enumerate() {
        let row = if place.first { 0 } else { number * n_in };
        let column = if place.last { 0 } else { number * units };
        for (i, weights) in parameters.kernel.as_slice().chunks_exact(units).enumerate() {
            let to = &mut kernel[(row + i) * columns + column..][..units];
            to.iter_mut().zip(weights).for_each(|(to, w)| *to += w * share);
        }
    }
    kernel.into()
}

/// The biases of one layer of all networks in one.
fn bias(of: &[&Parameters], place: Place) -> Weights {
    if !place.last {
        return of
            .iter()
            .flat_map(|p| p.bias.as_slice().iter().copied())
            .collect::<Vec<_>>()
            .into();
    }
    let share = 1.0 / of.len() as f32;
    let mut bias = vec![0.0; of[0].bias.as_slice().len()];
    for parameters in of {
        bias.iter_mut().zip(parameters.bias.as_slice()).for_each(|(to, b)| *to += b * share);
    }
    bias.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layers::{Dense, Dropout};
    use crate::matrix::CsrMatrix;

    fn layers(
        hidden: &[usize],
        activation: Activation,
        output: Activation,
        use_bias: bool,
    ) -> Vec<Layer> {
        let mut layers = Vec::new();
        for &units in hidden {
            layers.push(Dense::new(units).activation(activation).use_bias(use_bias).into());
            layers.push(Dropout::new(0.3).into());
        }
        layers.push(Dense::new(3).activation(output).use_bias(use_bias).into());
        layers
    }

    proptest! {
        #[test]
        fn the_sums_are_the_mean_of_the_networks_sums(
            hidden in prop::collection::vec(1_usize..40, 0..3),
            count in 1_u64..5,
            use_bias: bool,
            activation in prop::sample::select(vec![Activation::Relu, Activation::Tanh, Activation::Gelu]),
            output in prop::sample::select(vec![Activation::Softmax, Activation::Sigmoid, Activation::Linear]),
            rows in prop::collection::vec(prop::collection::btree_set(0_u32..20, 0..8), 1..6),
        ) {
            let network = |seed, output| {
                let mut network =
                    Sequential::new(20, layers(&hidden, activation, output, use_bias), seed).unwrap();
                for (i, p) in network.parameters.iter_mut().enumerate() {
                    p.bias.make_mut().iter_mut().enumerate().for_each(|(j, b)| {
                        *b = (seed as f32 + (i * 7 + j) as f32).sin();
                    });
                }
                network
            };
            let mut x = CsrMatrix::with_cols(20);
            for ids in &rows {
                let ids: Vec<u32> = ids.iter().copied().collect();
                x.push_row(&ids, &vec![0.7; ids.len()]).unwrap();
            }
            let all: Vec<Sequential> = (0..count).map(|seed| network(seed, output)).collect();
            let one = Sequential::ensemble(&all).unwrap().predict(&x).unwrap();
            // The networks without their last activation, which is then applied to the mean.
            let sums: Vec<_> =
                (0..count).map(|seed| network(seed, Activation::Linear).predict(&x).unwrap()).collect();
            for row in 0..rows.len() {
                let mut mean: Vec<f32> =
                    (0..3).map(|j| sums.iter().map(|s| s.row(row)[j]).sum::<f32>() / count as f32).collect();
                match output {
                    Activation::Softmax => {
                        let total: f32 = mean.iter().map(|z| z.exp()).sum();
                        for z in &mut mean {
                            *z = z.exp() / total;
                        }
                    }
                    Activation::Sigmoid => mean.iter_mut().for_each(|z| *z = 1.0 / (1.0 + (-*z).exp())),
                    _ => {}
                }
                for (a, b) in one.row(row).iter().zip(&mean) {
                    prop_assert!((a - b).abs() < 1e-5, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn networks_that_do_not_go_together_are_refused() {
        let network = |width, layers: Vec<Layer>| Sequential::new(width, layers, 0).unwrap();
        let relu = || layers(&[4], Activation::Relu, Activation::Softmax, true);
        let refuse =
            |networks: &[Sequential]| Sequential::ensemble(networks).unwrap_err().to_string();
        assert!(refuse(&[]).contains("networks of an ensemble"));
        assert!(refuse(&[network(5, relu()), network(6, relu())]).contains("expected 5, got 6"));
        let wider = layers(&[5], Activation::Relu, Activation::Softmax, true);
        assert!(refuse(&[network(5, relu()), network(5, wider)]).starts_with("layer 0"));
        let deeper = layers(&[4, 4], Activation::Relu, Activation::Softmax, true);
        assert!(refuse(&[network(5, relu()), network(5, deeper)]).contains("same layers"));
        let softmax = || network(5, layers(&[4], Activation::Softmax, Activation::Softmax, true));
        assert!(refuse(&[softmax(), softmax()]).contains("use another activation"));
        assert!(Sequential::ensemble(&[softmax()]).unwrap().same_weights(&softmax()));
    }
}
